//! Plots as SVG inside the page. Widths are parts of the page's, so that text keeps its size on a narrow screen.
//!
//! In: labels, and numbers as shares of what is drawn. Out: one picture with a title and a description.
//! Must not: be the only place where a number is; who draws has a table or a text beside it.

use maud::{Markup, html};

/// Pixels of a row: a line of text, and the bar below it.
const ROW: usize = 36;
const TEXT: usize = 13;
const BAR_TOP: usize = 19;
const BAR: usize = 8;
/// Of a trend: the labels above, the lines, the labels below.
const ABOVE: usize = 18;
const LINES: usize = 90;
const BELOW: usize = 20;
/// Between two labels, of the width.
const APART: f64 = 0.035;
/// Share of a limit from which on a bar is marked; the number beside it says it too.
const NEARLY_FULL: f64 = 0.9;

/// What a picture is called, and what can be seen in it.
pub(in crate::report) struct Caption<'a> {
    /// Unique in the page.
    pub(in crate::report) id: &'a str,
    pub(in crate::report) title: &'a str,
    pub(in crate::report) about: &'a str,
}

/// A bar of a plot. Shares are parts of the whole width, from 0 to 1.
pub(in crate::report) struct Bar {
    pub(in crate::report) label: String,
    /// The number, as a reader sees it.
    pub(in crate::report) value: String,
    pub(in crate::report) from: f64,
    pub(in crate::report) share: f64,
}

/// What happened at a time, as a part of the width.
pub(in crate::report) struct Mark {
    pub(in crate::report) at: f64,
    /// Empty for a reboot, which is drawn dashed.
    pub(in crate::report) label: String,
}

/// Points that are connected, each as parts of the width and of the height.
pub(in crate::report) type Stretch = Vec<(f64, f64)>;

/// What the whole width of a plot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Whole {
    /// The longest bar.
    Largest,
    /// A limit: it is drawn, and a bar near it is marked.
    Limit,
    /// All of the time.
    Time,
}

/// Bars below each other.
pub(in crate::report) fn bars(caption: &Caption<'_>, bars: &[Bar], whole: Whole, marks: &[Mark]) -> Markup {
    let height = bars.len() * ROW;
    let is_full = |bar: &Bar| whole == Whole::Limit && bar.share >= NEARLY_FULL;
    let inside = html! {
        @for (place, bar) in bars.iter().enumerate() {
            svg y=(place * ROW) width="100%" height=(ROW) {
                svg width="72%" height="18" { text x="0" y=(TEXT) { (bar.label) } }
                text x="100%" y=(TEXT) text-anchor="end" { (bar.value) }
                @if whole != Whole::Largest { rect .track y=(BAR_TOP) width="100%" height=(BAR) {} }
                rect .bar .full[is_full(bar)] x=(percent(bar.from)) y=(BAR_TOP) width=(seen(bar.share)) height=(BAR) {}
                (lines(marks, BAR_TOP - 2, BAR_TOP + BAR + 2))
            }
        }
    };
    picture(caption, height, &inside)
}

/// Values over time, with what happened meanwhile. The labels are the first and the last time.
pub(in crate::report) fn trend(
    caption: &Caption<'_>,
    stretches: &[Stretch],
    marks: &[Mark],
    [first, last]: [&str; 2],
) -> Markup {
    let bottom = ABOVE + LINES;
    let inside = html! {
        line .axis x1="0" x2="100%" y1=(ABOVE) y2=(ABOVE) {}
        line .axis x1="0" x2="100%" y1=(bottom) y2=(bottom) {}
        (lines(marks, ABOVE, bottom))
        svg y=(ABOVE) width="100%" height=(LINES) viewBox="0 0 1000 1000" preserveAspectRatio="none" {
            path .trend d=(path(stretches)) vector-effect="non-scaling-stroke" {}
        }
        text .faint x="0" y=(bottom + TEXT + 2) { (first) }
        text .faint x="100%" y=(bottom + TEXT + 2) text-anchor="end" { (last) }
    };
    picture(caption, bottom + BELOW, &inside)
}

/// A stretch of one point is a dot, which the round end of a line draws.
fn path(stretches: &[Stretch]) -> String {
    let mut path = String::new();
    for stretch in stretches {
        for (place, (x, y)) in stretch.iter().enumerate() {
            let step = if place == 0 { 'M' } else { 'L' };
            path.push_str(&format!("{step}{:.1} {:.1}", part(*x) * 1000.0, (1.0 - part(*y)) * 1000.0));
        }
        if stretch.len() == 1 {
            path.push_str("h0");
        }
    }
    path
}

/// Above a trend there is room for labels; one that would be on another is left out.
fn lines(marks: &[Mark], top: usize, bottom: usize) -> Markup {
    let mut free = 0.0;
    let mut has_room = |mark: &Mark| {
        let has_room = top == ABOVE && !mark.label.is_empty() && mark.at >= free;
        free = if has_room { mark.at + APART } else { free };
        has_room
    };
    html! {
        @for mark in marks {
            @let Mark { at, label } = mark;
            @let (x, class) = (percent(*at), if label.is_empty() { "boot" } else { "event" });
            line .(class) x1=(x) x2=(x) y1=(top) y2=(bottom) {}
            @if has_room(mark) { text .mark x=(x) y=(TEXT) text-anchor="middle" { (label) } }
        }
    }
}

fn part(share: f64) -> f64 {
    if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
}

fn percent(share: f64) -> String {
    format!("{:.1}%", part(share) * 100.0)
}

/// A width that is not 0 is seen.
fn seen(share: f64) -> String {
    percent(if share > 0.0 { share.max(0.004) } else { 0.0 })
}

fn picture(caption: &Caption<'_>, height: usize, inside: &Markup) -> Markup {
    let (title, about) = (format!("{}-title", caption.id), format!("{}-about", caption.id));
    html! {
        svg role="img" aria-labelledby=(format!("{title} {about}")) width="100%" height=(height) {
            title id=(title) { (caption.title) }
            desc id=(about) { (caption.about) }
            (inside)
        }
    }
}
