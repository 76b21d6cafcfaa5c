//! Which panel is where.
//!
//! In: the size of the terminal, the rows of the panels that need not much room. Out: [`Places`]. Must not: draw.

use ratatui::layout::Rect;

use crate::watch::model::Panel;

/// Width and height below which nothing can be read.
pub(super) const LEAST: (u16, u16) = (60, 15);
/// From here on all panels stand side by side.
const WIDE: (u16, u16) = (150, 30);

/// Where everything is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) title: Rect,
    pub(super) footer: Rect,
    pub(super) panels: Vec<(Panel, Rect)>,
}

/// `None` where the terminal is too small. Without rows the changes have no place.
pub(super) fn places(area: Rect, findings: usize, changes: usize) -> Option<Places> {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return None;
    }
    let line = |y| Rect { y, height: 1, ..area };
    let body = Rect { y: area.y + 1, height: area.height - 2, ..area };
    let is_wide = area.width >= WIDE.0 && area.height >= WIDE.1;
    let panels = if is_wide { side_by_side(body, changes) } else { stacked(body, findings, changes) };
    Some(Places { title: line(area.y), footer: line(area.y + area.height - 1), panels })
}

fn side_by_side(body: Rect, changes: usize) -> Vec<(Panel, Rect)> {
    let third = (body.width - 4) * 3 / 10;
    let [left, rest] = beside(body, body.width - 2 * third - 4);
    let [middle, right] = beside(rest, third);
    let waiting = with_heading(changes, body.height / 3);
    let [findings, waiting] = above(left, left.height - waiting);
    let [states, rates] = above(middle, 13);
    let [listeners, destinations] = above(right, right.height / 2);
    placed([
        (Panel::Findings, findings),
        (Panel::Changes, waiting),
        (Panel::States, states),
        (Panel::Rates, rates),
        (Panel::Listeners, listeners),
        (Panel::Destinations, destinations),
    ])
}

fn stacked(body: Rect, findings: usize, changes: usize) -> Vec<(Panel, Rect)> {
    let waiting = with_heading(changes, 4);
    // A place is kept for findings that come: the rest should not jump at each.
    let found = with_heading(findings.max(3), (body.height / 3).max(4));
    let [findings, rest] = above(body, found);
    let [waiting, grid] = above(rest, waiting);
    let [top, bottom] = above(grid, grid.height.div_ceil(2));
    let half = (body.width - 2) / 2;
    let ([states, listeners], [rates, destinations]) = (beside(top, half), beside(bottom, half));
    placed([
        (Panel::Findings, findings),
        (Panel::Changes, waiting),
        (Panel::States, states),
        (Panel::Listeners, listeners),
        (Panel::Rates, rates),
        (Panel::Destinations, destinations),
    ])
}

fn placed(all: [(Panel, Rect); 6]) -> Vec<(Panel, Rect)> {
    all.into_iter().filter(|(_, place)| place.height > 0).collect()
}

/// Lines of a panel with so many rows.
fn with_heading(rows: usize, most: u16) -> u16 {
    if rows == 0 { 0 } else { u16::try_from(rows + 1).unwrap_or(most).min(most) }
}

fn above(area: Rect, height: u16) -> [Rect; 2] {
    let height = height.min(area.height);
    [Rect { height, ..area }, Rect { y: area.y + height, height: area.height - height, ..area }]
}

/// Two columns apart.
fn beside(area: Rect, width: u16) -> [Rect; 2] {
    let width = width.min(area.width);
    let rest = area.width - width;
    let gap = rest.min(2);
    [Rect { width, ..area }, Rect { x: area.x + width + gap, width: rest - gap, ..area }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_panel_overlaps_another_or_leaves_the_screen() {
        for (width, height) in [(60, 15), (60, 20), (80, 24), (80, 60), (149, 50), (150, 30), (200, 50), (500, 200)] {
            for (findings, changes) in [(0, 0), (3, 0), (40, 0), (40, 1), (0, 12)] {
                let area = Rect { x: 0, y: 0, width, height };
                let places = places(area, findings, changes).unwrap();
                let mut all: Vec<Rect> = places.panels.iter().map(|(_, place)| *place).collect();
                assert_eq!(all.len(), if changes == 0 { 5 } else { 6 });
                all.extend([places.title, places.footer]);
                for (number, one) in all.iter().enumerate() {
                    assert!(one.height > 0 && one.width >= 28 && area.union(*one) == area, "{one:?} of {area:?}");
                    assert!(all[..number].iter().all(|other| one.intersection(*other).is_empty()), "{all:?}");
                }
            }
        }
        assert_eq!(places(Rect { x: 0, y: 0, width: 59, height: 50 }, 0, 0), None);
    }
}
