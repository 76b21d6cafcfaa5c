//! Times as places on a page.
//!
//! In: the runs of a history. Out: parts of the width, and the stretches of a series that are known without a gap.
//! Must not: place anything by times that are in no order: where a clock was set back, only the order of the runs is left.

use super::HistoryPage;
use crate::history::read::Point;
use crate::report::html::Stretch;

/// Places of a trend. Of the points at one place the largest is drawn.
const PLACES: i128 = 480;
/// A time without runs of so many usual steps is a gap.
const GAP: i64 = 3;

/// From the first run to the last.
#[derive(Debug)]
pub(super) struct Timeline {
    first: i64,
    last: i64,
    /// Seconds between two runs.
    usual: i64,
    by_time: bool,
    runs: usize,
}

impl Timeline {
    pub(super) fn of(view: &HistoryPage<'_>) -> Self {
        let times: Vec<i64> = view.runs.iter().map(|run| run.at).collect();
        let (first, last) = (times.first().copied().unwrap_or(0), times.last().copied().unwrap_or(0));
        let by_time = first < last && times.is_sorted();
        let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        steps.sort_unstable();
        let usual = steps.get(steps.len() / 2).copied().unwrap_or(1).max(1);
        Self { first, last, usual, by_time, runs: times.len() }
    }

    /// Whether times have places at all.
    pub(super) const fn is_known(&self) -> bool {
        self.by_time
    }

    pub(super) const fn edges(&self) -> [i64; 2] {
        [self.first, self.last]
    }

    /// Where a time is; `None` if it is outside.
    pub(super) fn place(&self, at: i64) -> Option<f64> {
        (self.by_time && (self.first..=self.last).contains(&at)).then(|| self.within(at))
    }

    /// The same, or the edge that is next to it.
    pub(super) fn within(&self, at: i64) -> f64 {
        let part = i128::from(at.clamp(self.first, self.last.max(self.first))) - i128::from(self.first);
        part as f64 / (i128::from(self.last) - i128::from(self.first)).max(1) as f64
    }

    /// The points of a series without what is not known. A reboot ends a stretch, and a time without runs does.
    pub(super) fn stretches(&self, points: &[Point], most: f64) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut before: Option<(&Point, i128)> = None;
        for (number, point) in points.iter().enumerate() {
            let Some(value) = point.value else {
                before = None;
                continue;
            };
            let x = if self.by_time { self.within(point.at) } else { number as f64 / self.runs.max(2) as f64 };
            let y = if most > 0.0 { value / most } else { 0.0 };
            let slice = (x * PLACES as f64) as i128;
            let is_next = before.is_some_and(|(last, _)| {
                last.boot == point.boot && point.at.saturating_sub(last.at) <= self.usual.saturating_mul(GAP)
            });
            if !is_next {
                stretches.push(Vec::new());
            }
            let is_same = is_next && before.is_some_and(|(_, last)| last == slice);
            if let Some(stretch) = stretches.last_mut() {
                match stretch.last_mut().filter(|_| is_same) {
                    Some((_, largest)) => *largest = largest.max(y),
                    None => stretch.push((x, y)),
                }
            }
            before = Some((point, slice));
        }
        stretches
    }
}
