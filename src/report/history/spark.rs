//! A series as one line of blocks.
//!
//! In: points, a width. Out: a character a slice of time. Must not: hide a reboot or a time without runs.

use crate::history::read::Point;

/// What a slice without a value shows, ...
pub(super) const NOTHING: char = '·';
/// ... and where the host was rebooted.
pub(super) const REBOOT: char = '│';
/// The first is 0 and nothing else.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The points as at most `width` characters. Each is the largest value of its slice; 0 is the lowest block and what is
/// not 0 is seen to be more.
pub(super) fn line(points: &[Point], width: usize) -> String {
    let Some(scale) = Scale::of(points, width) else { return String::new() };
    let mut slices: Vec<Option<f64>> = vec![None; scale.slices];
    let mut boots: Vec<Option<usize>> = vec![None; scale.slices];
    for (position, point) in points.iter().enumerate() {
        let slice = scale.slice(position, point.at);
        if let (Some(cell), Some(value)) = (slices.get_mut(slice), point.value) {
            *cell = Some(cell.map_or(value, |largest: f64| largest.max(value)));
        }
        if let Some(boot) = boots.get_mut(slice) {
            *boot = Some(point.boot);
        }
    }
    let largest = slices.iter().flatten().copied().fold(0.0, f64::max);
    let mut text = String::new();
    let mut boot = None;
    for (slice, last) in slices.into_iter().zip(boots) {
        if scale.marks && last.is_some() && boot.is_some() && last != boot {
            text.push(REBOOT);
        }
        boot = last.or(boot);
        text.push(slice.map_or(NOTHING, |value| block(value, largest)));
    }
    text
}

/// Seconds that a character stands for; `None` where the points are in no order of time.
pub(super) fn slice_seconds(points: &[Point], width: usize) -> Option<i64> {
    let scale = Scale::of(points, width)?;
    (scale.by_time && scale.slices > 1).then(|| (scale.last.saturating_sub(scale.first)) / (scale.slices as i64 - 1))
}

/// One value as a block: the lowest for 0, and for nothing else.
pub(crate) fn block(value: f64, largest: f64) -> char {
    if value <= 0.0 || largest <= 0.0 {
        return LEVELS[0];
    }
    let level = (value / largest * 7.0).ceil().clamp(1.0, 7.0) as usize;
    LEVELS[level]
}

struct Scale {
    slices: usize,
    by_time: bool,
    first: i64,
    last: i64,
    points: usize,
    /// Whether reboots get a character each.
    marks: bool,
}

impl Scale {
    fn of(points: &[Point], width: usize) -> Option<Self> {
        let (first, last) = (points.first()?.at, points.last()?.at);
        // A clock that was set back leaves only the order of the runs to go by.
        let by_time = first < last && points.windows(2).all(|pair| pair[0].at <= pair[1].at);
        let reboots = points.windows(2).filter(|pair| pair[0].boot != pair[1].boot).count();
        let marks = reboots <= width / 4;
        let room = if marks { width - reboots } else { width }.max(1);
        let wanted = if by_time {
            let mut steps: Vec<i64> = points.windows(2).map(|pair| pair[1].at.saturating_sub(pair[0].at)).collect();
            steps.sort_unstable();
            let usual = steps.get(steps.len() / 2).copied().unwrap_or(1).max(1);
            usize::try_from(last.saturating_sub(first) / usual + 1).unwrap_or(usize::MAX)
        } else {
            points.len()
        };
        Some(Self { slices: wanted.clamp(1, room), by_time, first, last, points: points.len(), marks })
    }

    fn slice(&self, position: usize, at: i64) -> usize {
        let (part, whole) = if self.by_time {
            (i128::from(at) - i128::from(self.first), i128::from(self.last) - i128::from(self.first))
        } else {
            (position as i128, self.points as i128 - 1)
        };
        // Rounded, so that runs a little early or late stay in their own slice.
        let slices = self.slices as i128 - 1;
        usize::try_from((2 * part * slices + whole.max(1)) / (2 * whole.max(1))).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[(i64, usize, f64)]) -> Vec<Point> {
        let point = |&(at, boot, value): &(i64, usize, f64)| Point {
            run: at,
            at,
            boot,
            value: value.is_finite().then_some(value),
        };
        values.iter().map(point).collect()
    }

    #[test]
    fn a_run_is_a_character_where_there_is_room_and_the_largest_of_several_is_shown_where_not() {
        let steady = points(&[(0, 0, 0.0), (60, 0, 1.0), (121, 0, 4.0), (180, 0, 8.0)]);
        assert_eq!(line(&steady, 40), "▁▂▅█");
        assert_eq!(line(&steady, 2), "▂█");
        assert_eq!(slice_seconds(&steady, 40), Some(60));
    }

    #[test]
    fn a_time_without_runs_and_a_reboot_are_seen() {
        let gap = points(&[(0, 0, 1.0), (60, 0, f64::NAN), (120, 0, 1.0), (300, 1, 1.0), (360, 1, 1.0)]);
        assert_eq!(line(&gap, 40), "█·█··│██");
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_the_order() {
        let back = points(&[(900, 0, 1.0), (100, 0, 2.0), (160, 0, 4.0)]);
        assert_eq!(line(&back, 40), "▃▅█");
        assert_eq!(slice_seconds(&back, 40), None);
    }

    #[test]
    fn times_and_values_without_sense_are_no_panic() {
        let wild = points(&[(i64::MIN, 0, f64::MAX), (0, 5, -1.0), (i64::MAX, 2, f64::MIN_POSITIVE)]);
        assert!(line(&wild, 10).chars().count() <= 10);
        assert_eq!(line(&[], 10), "");
        assert_eq!(line(&points(&[(0, 0, 0.0)]), 0), "▁");
    }
}
