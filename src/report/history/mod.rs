//! What `history` says, for a person and for programs.
//!
//! In: a [`HistoryPage`]: what was read from the history. Out: text, JSON, a page of HTML.
//! Must not: read the history, or draw a line through a time of which nothing is known.

mod before_after;
mod html;
mod json;
pub(crate) mod spark;
mod text;
mod timeline;

pub use html::{html, none as no_html};
pub use json::{SCHEMA, json, schema};
pub use text::{none, text};

use crate::history::ChangeNote;
use crate::history::read::{Episode, Point, RunRow};

/// What is reported. Times are seconds since the epoch.
#[derive(Debug, Clone)]
pub struct HistoryPage<'a> {
    /// The file, for where there is nothing in it.
    pub file: String,
    pub since: i64,
    pub now: i64,
    /// The network namespace that the series are of.
    pub namespace: &'a str,
    pub about: About<'a>,
    /// Oldest first, as all that follows.
    pub runs: &'a [RunRow],
    pub series: &'a [Series],
    pub episodes: &'a [Episode],
    pub changes: &'a [ChangeNote],
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About<'a> {
    Everything,
    /// The only one of the series.
    Metric(&'a str),
    /// Whose episodes they are.
    Rule(&'a str),
}

/// The values of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub metric: String,
    /// Empty where it has none.
    pub unit: String,
    /// What the metric is; empty where nothing is known of it.
    pub help: String,
    /// One a run.
    pub points: Vec<Point>,
}

/// Values of a series in a few numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Summary {
    min: f64,
    median: f64,
    max: f64,
    last: f64,
}

impl Series {
    /// `None` when no run has a value.
    fn summary(&self) -> Option<Summary> {
        let last = self.points.iter().rev().find_map(|point| point.value)?;
        let values: Vec<f64> = self.points.iter().filter_map(|point| point.value).collect();
        let (min, max) = values.iter().fold((last, last), |(min, max), value| (value.min(min), value.max(max)));
        Some(Summary { min, median: median(values)?, max, last })
    }

    /// Runs of another boot than the one before.
    fn reboots(&self) -> Vec<i64> {
        self.points.windows(2).filter(|pair| pair[0].boot != pair[1].boot).map(|pair| pair[1].at).collect()
    }
}

/// The value in the middle; of an even number the mean of the two there.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.get(middle.wrapping_sub(1)) {
        Some(before) if values.len().is_multiple_of(2) => Some(f64::midpoint(*before, *values.get(middle)?)),
        _ => values.get(middle).copied(),
    }
}

#[cfg(test)]
mod tests;
