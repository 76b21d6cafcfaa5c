//! Playing a recording.
//!
//! In: a recording, criteria. Out: a model of any of its looks, and how long each is shown. Must not: ask a clock.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::model::{KEPT, Model};
use super::recording::{Recording, RecordingError};
use super::seen::Seen;
use crate::session::Criteria;
use crate::snapshot::Snapshot;

/// Recordings of several days may be in one file; nobody waits for the next one. In seconds.
const LONGEST: i64 = 10;
/// However fast it is played, a look is shown for so long.
const SHORTEST: Duration = Duration::from_millis(20);

/// A recording that is played.
#[derive(Debug)]
pub struct Player<'a> {
    recording: Recording,
    criteria: &'a Criteria,
    speed: f64,
    at: usize,
    /// Looks that were judged, by number; those around the present one.
    judged: BTreeMap<usize, Rc<Seen>>,
    model: Model,
}

impl<'a> Player<'a> {
    /// Stands at the first look.
    pub fn new(recording: Recording, criteria: &'a Criteria, speed: f64) -> Result<Self, RecordingError> {
        let mut player = Self { recording, criteria, speed, at: 0, judged: BTreeMap::new(), model: Model::default() };
        let first = player.seen(0)?;
        player.model.add(first);
        Ok(player)
    }

    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// The number of the present look, from 1, and how many there are.
    pub const fn place(&self) -> (usize, usize) {
        (self.at + 1, self.recording.len())
    }

    /// How long the present look is shown; `None`: it is the last.
    pub fn pause(&self) -> Option<Duration> {
        let seconds = self.recording.seconds_to_next(self.at).min(LONGEST);
        let shown = Duration::from_secs_f64(seconds as f64 / self.speed);
        (self.at + 1 < self.recording.len()).then(|| shown.max(SHORTEST))
    }

    /// Goes so many looks forward or back, as far as there are looks.
    pub fn step(&mut self, by: isize) -> Result<(), RecordingError> {
        let target = self.at.saturating_add_signed(by).min(self.recording.len() - 1);
        if target < self.at {
            // What a look shows follows from those before it.
            self.model = Model::default();
            self.at = target.saturating_sub(KEPT);
            let first = self.seen(self.at)?;
            self.model.add(first);
        }
        while self.at < target {
            let next = self.seen(self.at + 1)?;
            self.model.add(next);
            self.at += 1;
        }
        self.judged = self.judged.split_off(&self.at.saturating_sub(2 * KEPT));
        self.judged.split_off(&(self.at + KEPT));
        Ok(())
    }

    /// The snapshot of the present look.
    pub fn snapshot(&mut self) -> Result<Snapshot, RecordingError> {
        self.recording.look(self.at)
    }

    fn seen(&mut self, look: usize) -> Result<Rc<Seen>, RecordingError> {
        if let Some(seen) = self.judged.get(&look) {
            return Ok(Rc::clone(seen));
        }
        let snapshot = self.recording.look(look)?;
        let seen = Rc::new(Seen::of(self.criteria.audit(&snapshot)));
        self.judged.insert(look, Rc::clone(&seen));
        Ok(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::waivers::Waivers;
    use crate::rules::set::RuleSet;
    use crate::watch::example::snapshot;
    use crate::watch::recording::Recorder;

    #[test]
    fn a_recording_is_played_at_its_speed_and_a_step_back_gives_the_same_as_the_way_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("looks");
        let mut recorder = Recorder::open(&path).unwrap();
        [0, 2, 4, 50].iter().for_each(|second| recorder.add(&snapshot(*second)).unwrap());
        let criteria = Criteria { rules: RuleSet::shipped(), waivers: Waivers::default(), one_by_one: None };
        let mut player = Player::new(Recording::open(&path).unwrap(), &criteria, 4.0).unwrap();
        assert_eq!((player.place(), player.pause()), ((1, 4), Some(Duration::from_millis(500))));
        let shown = |player: &Player<'_>| {
            let findings: Vec<_> =
                player.model().findings.iter().map(|listed| (listed.finding.rule.clone(), listed.age)).collect();
            (findings, player.model().states())
        };
        player.step(1).unwrap();
        let there = shown(&player);
        assert!(!there.0.is_empty(), "the shipped rules find the full queue");
        player.step(1).unwrap();
        assert_eq!(player.pause(), Some(Duration::from_millis(2500)), "46 s are shortened to 10 s");
        player.step(9).unwrap();
        assert_eq!((player.place(), player.pause()), ((4, 4), None));
        player.step(-2).unwrap();
        assert_eq!((player.place(), shown(&player)), ((2, 4), there));
        player.step(-9).unwrap();
        assert_eq!(player.snapshot().unwrap(), snapshot(0));
    }
}
