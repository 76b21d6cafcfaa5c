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

use crate::rules::words::Severity;

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
        self.news.retain(|news| at.saturating_sub(*news).abs() < DAY);
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
