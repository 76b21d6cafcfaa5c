//! What the numbers were before a change, and after it.
//!
//! In: when the change was, the series of a history. Out: values of the runs next to it, and medians of a day.
//! Must not: call the one the reason for the other.

use super::{HistoryPage, Series, median};
use crate::history::read::Point;

const DAY: i64 = 86_400;

/// A series at a change.
#[derive(Debug)]
pub(super) struct Compared<'a> {
    pub(super) series: &'a Series,
    /// The last run before and the first after, then the medians of the day before and of the day after.
    pub(super) values: [Option<f64>; 4],
}

/// The number of findings as a series.
pub(super) fn findings(view: &HistoryPage<'_>) -> Series {
    let mut boot = 0;
    let mut last: Option<&str> = None;
    let points = view.runs.iter().map(|run| {
        boot += usize::from(last.is_some_and(|last| last != run.boot_id));
        last = Some(&run.boot_id);
        Point { run: run.id, at: run.at, boot, value: Some(run.findings as f64) }
    });
    Series { metric: "findings".to_owned(), unit: String::new(), help: String::new(), points: points.collect() }
}

/// The series that have a value before and after, unless all of them are 0.
pub(super) fn of<'a>(at: i64, all: &[&'a Series]) -> Vec<Compared<'a>> {
    let compare = |series: &'a Series| {
        let known = || series.points.iter().filter_map(|point| Some((point.at, point.value?)));
        let last = known().rev().find(|(time, _)| *time < at).map(|(_, value)| value);
        let first = known().find(|(time, _)| *time >= at).map(|(_, value)| value);
        let within = |from: i64, until: i64| {
            median(known().filter(|(time, _)| (from..until).contains(time)).map(|(_, value)| value).collect())
        };
        let values = [last, first, within(at.saturating_sub(DAY), at), within(at, at.saturating_add(DAY))];
        let is_worth_it = last.is_some() && first.is_some() && values.iter().flatten().any(|value| *value != 0.0);
        is_worth_it.then_some(Compared { series, values })
    };
    all.iter().filter_map(|series| compare(series)).collect()
}
