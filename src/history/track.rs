//! Hold-off: what of a finding's coming and going is told.
//!
//! In: what one run says of a finding, and what was told of it before. Out: the next [`Track`], and at most one event.
//! Must not: read or write anything; this is a table of cases.
//!
//! ```text
//!            held for hold_off runs                 gone for resolve_after runs
//! nothing ------------------------> new (open) ------------------------------------> resolved (nothing)
//!    |   for the (flap_limit + 1)th time in a day
//!    +-------------------------------------------> flapping: silent until nothing changed for a day
//! ```

use crate::model::Severity;

/// Seconds; over which new ones are counted, and for which a flapping one has to be steady.
pub const DAY: i64 = 86_400;

/// How much a finding must hold before it is told. In runs, each at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldOff {
    /// Seen in so many runs in a row, a finding is told as new.
    pub hold_off: u32,
    /// Gone in so many runs in a row that did look for it, it is told as resolved.
    pub resolve_after: u32,
    /// One finding is told as new so many times in 24 hours.
    pub flap_limit: u32,
}

impl Default for HoldOff {
    fn default() -> Self {
        Self { hold_off: 2, resolve_after: 2, flap_limit: 3 }
    }
}

/// What is told of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// It is there, and stayed.
    New,
    /// It is open, and its severity rose.
    Worse,
    /// It is gone, and stayed away.
    Resolved,
    /// It comes and goes; nothing more is told of it until it was steady for a day.
    Flapping,
    /// It was open, and a person accepted it.
    Waived,
    /// It was open, and its rule was switched off or taken away.
    Withdrawn,
}

impl EventKind {
    const ALL: [Self; 6] = [Self::New, Self::Worse, Self::Resolved, Self::Flapping, Self::Waived, Self::Withdrawn];

    /// As the database and JSON spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Worse => "worse",
            Self::Resolved => "resolved",
            Self::Flapping => "flapping",
            Self::Waived => "waived",
            Self::Withdrawn => "withdrawn",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What one run says of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    Seen(Severity),
    /// There, and accepted.
    Waived,
    /// Its rule was evaluated where it was, and did not find it.
    Absent,
    /// Nobody looked: the rule was skipped or is broken, or the namespace was not seen.
    Unknown,
    /// Its rule was switched off or taken away.
    Withdrawn,
}

/// What stands told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Nothing,
    /// New, at this severity.
    Open(Severity),
    Flapping,
}

/// What is remembered of a finding between two runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Whether an episode is open.
    pub present: bool,
    /// Runs in a row that saw it.
    pub held: u32,
    /// Runs in a row that looked and did not see it.
    pub missed: u32,
    pub told: Told,
    /// When it was told as new, of the last day; seconds since the epoch, as the next.
    pub news: Vec<i64>,
    /// When an episode last began or ended.
    pub changed_at: i64,
}

impl Default for Track {
    fn default() -> Self {
        Self { present: false, held: 0, missed: 0, told: Told::Nothing, news: Vec::new(), changed_at: 0 }
    }
}

impl Track {
    /// Takes one run in, at `at` by its clock. The clock may be set back or forth between two runs: a time that lies
    /// ahead counts as now.
    pub fn step(&mut self, sight: Sight, at: i64, hold: &HoldOff) -> Option<EventKind> {
        self.changed_at = self.changed_at.min(at);
        self.news.retain(|news| at.abs_diff(*news) < DAY.unsigned_abs());
        match sight {
            Sight::Unknown => None,
            Sight::Seen(severity) => self.seen(severity, at, hold),
            Sight::Absent => self.absent(at, hold),
            Sight::Waived => self.closed(at, EventKind::Waived),
            Sight::Withdrawn => self.closed(at, EventKind::Withdrawn),
        }
    }

    /// Whether nothing of it has to be remembered.
    pub fn is_over(&self) -> bool {
        !self.present && self.told == Told::Nothing && self.news.is_empty()
    }

    fn seen(&mut self, severity: Severity, at: i64, hold: &HoldOff) -> Option<EventKind> {
        self.missed = 0;
        self.held = self.held.saturating_add(1);
        if !self.present {
            self.present = true;
            self.changed_at = at;
        }
        if self.held < hold.hold_off.max(1) {
            return None;
        }
        match self.told {
            Told::Nothing if self.news.len() >= hold.flap_limit.max(1) as usize => {
                self.told = Told::Flapping;
                Some(EventKind::Flapping)
            }
            Told::Flapping if !self.is_steady(at) => None,
            Told::Nothing | Told::Flapping => {
                self.told = Told::Open(severity);
                self.news.push(at);
                Some(EventKind::New)
            }
            Told::Open(told) if severity > told => {
                self.told = Told::Open(severity);
                Some(EventKind::Worse)
            }
            Told::Open(_) => None,
        }
    }

    fn absent(&mut self, at: i64, hold: &HoldOff) -> Option<EventKind> {
        self.held = 0;
        self.missed = self.missed.saturating_add(1);
        if self.missed < hold.resolve_after.max(1) {
            return None;
        }
        if self.present {
            self.present = false;
            self.changed_at = at;
        }
        let told = match self.told {
            Told::Open(_) => true,
            Told::Flapping => self.is_steady(at),
            Told::Nothing => false,
        };
        told.then(|| {
            self.told = Told::Nothing;
            EventKind::Resolved
        })
    }

    /// A person decided: there is nothing to wait for.
    fn closed(&mut self, at: i64, kind: EventKind) -> Option<EventKind> {
        let told = self.told != Told::Nothing;
        let news = std::mem::take(&mut self.news);
        *self = Self { news, changed_at: if self.present { at } else { self.changed_at }, ..Self::default() };
        told.then_some(kind)
    }

    const fn is_steady(&self, at: i64) -> bool {
        at.saturating_sub(self.changed_at) >= DAY
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::EventKind::{Flapping, New, Resolved, Waived, Withdrawn, Worse};
    use super::*;

    const HOUR: i64 = 3600;

    fn sight(letter: char) -> Sight {
        match letter {
            'n' => Sight::Seen(Severity::Notice),
            'w' => Sight::Seen(Severity::Warning),
            'c' => Sight::Seen(Severity::Critical),
            '.' => Sight::Absent,
            '?' => Sight::Unknown,
            'v' => Sight::Waived,
            'x' => Sight::Withdrawn,
            _ => panic!("{letter}"),
        }
    }

    /// The events of a run an hour, one letter each; `-` where there is none.
    fn told(runs: &str) -> String {
        let mut track = Track::default();
        let events = runs.chars().zip(0..).map(|(letter, hour)| {
            match track.step(sight(letter), hour * HOUR, &HoldOff::default()) {
                None => '-',
                Some(New) => 'N',
                Some(Worse) => 'W',
                Some(Resolved) => 'R',
                Some(Flapping) => 'F',
                Some(Waived) => 'V',
                Some(Withdrawn) => 'X',
            }
        });
        events.collect()
    }

    #[test]
    fn each_course_of_things_is_told_once_and_no_more() {
        for (runs, events, what) in [
            ("wwww", "-N--", "new when it held for two runs"),
            ("w.w.w.w.", "--------", "never twice in a row is nothing"),
            ("ww..", "-N-R", "resolved when it stayed away for two"),
            ("ww.ww.w", "-N-----", "one run without it is no end"),
            ("ww??.?.", "-N----R", "runs that did not look say nothing, and do not begin anew"),
            ("w?w", "--N", "nor do they break what holds"),
            ("ww????????", "-N--------", "unknown is not resolved"),
            ("nnwwcc", "-NW-W-", "worse is told at once, each time"),
            ("nncncn", "-NW---", "but not again when it was less meanwhile"),
            ("wwv", "-NV", "accepted while it is open"),
            ("wvvv", "----", "accepted before it was told"),
            ("vwwv", "--NV", "the waiver ended, and holds again"),
            ("wwvvww..", "-NV--N-R", "the same between two waivers"),
            ("wwx", "-NX", "its rule was switched off"),
            ("wxx", "---", "before it was told"),
        ] {
            assert_eq!(told(runs), events, "{runs}: {what}");
        }
    }

    #[test]
    fn one_that_comes_and_goes_is_told_three_times_a_day_then_that_it_flaps_then_nothing() {
        let course = "ww..".repeat(10);
        assert_eq!(told(&course), format!("{}-F{}", "-N-R".repeat(3), "-".repeat(26)));
    }

    #[test]
    fn after_a_steady_day_it_is_told_how_a_flapping_one_ended() {
        let flapping = "ww..".repeat(3) + "ww";
        let before = told(&flapping);
        assert!(before.ends_with("-F"));
        // The last run saw it: it stays, ...
        let stays = told(&(flapping.clone() + &"w".repeat(30)));
        assert_eq!(stays.trim_start_matches(&before), format!("{}N-------", "-".repeat(22)));
        // ... or it stays away.
        let goes = told(&(flapping + &".".repeat(30)));
        assert_eq!(goes.trim_start_matches(&before), format!("{}R----", "-".repeat(25)));
    }

    #[test]
    fn a_clock_that_is_set_back_or_forth_neither_silences_nor_repeats() {
        let hold = HoldOff::default();
        let year = 366 * DAY;
        for jumps in [[0, 0, -year, -year], [0, year, 0, year], [0, -1, -2, -3], [i64::MIN, i64::MAX, 0, i64::MIN]] {
            let mut track = Track::default();
            let events: Vec<_> = jumps.iter().map(|at| track.step(sight('w'), *at, &hold)).collect();
            assert_eq!(events, [None, Some(New), None, None], "{jumps:?}");
            let events: Vec<_> = jumps.iter().map(|at| track.step(sight('.'), *at, &hold)).collect();
            assert_eq!(events, [None, Some(Resolved), None, None], "{jumps:?}");
        }
    }

    #[test]
    fn a_hold_off_of_nothing_is_one_run() {
        let mut track = Track::default();
        let hold = HoldOff { hold_off: 0, resolve_after: 0, flap_limit: 0 };
        assert_eq!(track.step(sight('w'), 0, &hold), Some(New));
        assert_eq!(track.step(sight('.'), 1, &hold), Some(Resolved));
        assert_eq!(track.step(sight('w'), 2, &hold), Some(Flapping));
    }

    fn any_sight() -> impl Strategy<Value = char> {
        prop_oneof![4 => Just('w'), 4 => Just('.'), 1 => Just('c'), 1 => Just('n'), 1 => Just('?'), 1 => Just('v'), 1 => Just('x')]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_course_of_things_is_told_twice_or_without_bound(
            runs in proptest::collection::vec((any_sight(), 1_i64..4 * HOUR), 1..400),
            hold_off in 1_u32..4,
            resolve_after in 1_u32..4,
            flap_limit in 1_u32..4,
        ) {
            let hold = HoldOff { hold_off, resolve_after, flap_limit };
            let mut track = Track::default();
            let mut at = 0;
            let mut open = false;
            let mut news: Vec<i64> = Vec::new();
            for (letter, passed) in runs {
                at += passed;
                match track.step(sight(letter), at, &hold) {
                    Some(New) => {
                        prop_assert!(!open, "new twice");
                        prop_assert!(matches!(sight(letter), Sight::Seen(_)));
                        open = true;
                        news.push(at);
                        let day = news.iter().filter(|news| at - **news < DAY).count();
                        prop_assert!(day <= flap_limit as usize, "{day} in a day");
                    }
                    Some(Worse) => prop_assert!(open),
                    Some(Resolved | Flapping | Waived | Withdrawn) => open = false,
                    None => {}
                }
                prop_assert!(track.news.len() <= flap_limit as usize);
            }
        }

        #[test]
        fn no_clock_is_a_panic_or_a_lie(
            runs in proptest::collection::vec((any_sight(), any::<i64>()), 1..200),
        ) {
            let mut track = Track::default();
            let mut open = false;
            for (letter, at) in runs {
                match track.step(sight(letter), at, &HoldOff::default()) {
                    Some(New) => {
                        prop_assert!(!open, "new twice");
                        open = true;
                    }
                    Some(Worse) => prop_assert!(open),
                    Some(_) => open = false,
                    None => {}
                }
            }
        }
    }
}
