//! The picture of what grew: a panel for each kind, a line for each command, both axes logarithmic.
//!
//! In: sizes and CPU times. Out: the text of an SVG. Must not: be the only place where a number is.

use plotters::prelude::*;

use crate::measure::Result;

const SIZE: (u32, u32) = (900, 1000);
const COLUMNS: usize = 2;
const COLOURS: [RGBColor; 8] = [
    RGBColor(11, 85, 159),
    RGBColor(168, 32, 26),
    RGBColor(28, 106, 61),
    RGBColor(125, 82, 0),
    RGBColor(110, 60, 150),
    RGBColor(0, 125, 135),
    RGBColor(190, 80, 130),
    RGBColor(90, 90, 90),
];

/// One kind of growth.
pub(crate) struct Panel {
    pub(crate) title: String,
    /// What the sizes count.
    pub(crate) of: &'static str,
    pub(crate) lines: Vec<(String, Vec<(f64, f64)>)>,
}

pub(crate) fn svg(panels: &[Panel]) -> Result<String> {
    let mut text = String::new();
    {
        let picture = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        picture.fill(&WHITE)?;
        let places = picture.split_evenly((panels.len().div_ceil(COLUMNS), COLUMNS));
        for (panel, place) in panels.iter().zip(&places) {
            panel.draw(place)?;
        }
        picture.present()?;
    }
    Ok(text)
}

impl Panel {
    fn draw(&self, place: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Result<()> {
        let points = || self.lines.iter().flat_map(|(_, points)| points);
        let least = points().map(|(_, y)| *y).fold(f64::INFINITY, f64::min);
        let most = points().map(|(_, y)| *y).fold(0.0, f64::max);
        let last = points().map(|(x, _)| *x).fold(1.0, f64::max);
        let first = points().map(|(x, _)| *x).fold(f64::INFINITY, f64::min);
        let mut chart = ChartBuilder::on(place)
            .caption(&self.title, ("sans-serif", 16))
            .margin(10)
            .x_label_area_size(36)
            .y_label_area_size(56)
            // Above the lines there is room for their names.
            .build_cartesian_2d((first..last * 1.1).log_scale(), (least / 1.5..most * 12.0).log_scale())?;
        let number = |value: &f64| if *value < 1.0 { format!("{value}") } else { format!("{value:.0}") };
        chart
            .configure_mesh()
            .x_desc(self.of)
            .y_desc("CPU ms")
            .x_label_formatter(&number)
            .y_label_formatter(&number)
            .light_line_style(TRANSPARENT)
            .draw()?;
        for ((name, points), colour) in self.lines.iter().zip(COLOURS.iter().cycle().copied()) {
            chart
                .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(3))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .label_font(("sans-serif", 12))
            .draw()?;
        Ok(())
    }
}
