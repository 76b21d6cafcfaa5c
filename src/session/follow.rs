//! The host seen again and again: each look is one reading, and its window begins with the look before.
//!
//! In: a namespace, criteria. Out: a [`Snapshot`] per look. Must not: wait, or write a message: a screen may be on the
//! terminal that messages go to.

use super::criteria::Criteria;
use super::observe::Stated;
use super::rehearse;
use crate::host::Host;
use crate::host::netns::Which;
use crate::snapshot::capture::{self, CaptureError};
use crate::snapshot::{Defaults, FirstReading, Snapshot, since};

/// Who looks, and what was seen last.
#[derive(Debug)]
pub struct Follower<'a> {
    which: &'a Which,
    criteria: &'a Criteria,
    stated: Stated<'a>,
    first: FirstReading,
    /// The kernel's own defaults that were asked for so far. They do not change while the host runs.
    defaults: Defaults,
    last: Option<Snapshot>,
}

impl<'a> Follower<'a> {
    /// `first` says what each look has to hold beside what is always read.
    pub fn new(which: &'a Which, criteria: &'a Criteria, stated: Stated<'a>, first: FirstReading) -> Self {
        Self { which, criteria, stated, first, defaults: Defaults::default(), last: None }
    }

    /// Looks once. The first look has no window, and neither has one of which the look before cannot be the beginning.
    pub fn look(&mut self) -> Result<&Snapshot, CaptureError> {
        let window = std::time::Duration::ZERO;
        let mut snapshot = capture::capture(&Host::live(), self.which, window, &self.first.into(), |_| {})?;
        self.stated.enter(&mut snapshot);
        if let Some(earlier) = &self.last
            && let Err(why) = since::step(&mut snapshot, earlier, self.first)
        {
            tracing::debug!(%why, "the previous look does not begin the window of this one");
        }
        self.add_defaults(&mut snapshot);
        Ok(self.last.insert(snapshot))
    }

    /// What was seen last.
    pub const fn last(&self) -> Option<&Snapshot> {
        self.last.as_ref()
    }

    /// A scratch namespace is made for a key at its first use only.
    fn add_defaults(&mut self, snapshot: &mut Snapshot) {
        let needed = crate::audit::defaults_needed(snapshot, &self.criteria.rules);
        if needed.iter().any(|key| !self.defaults.values.contains_key(*key)) && self.defaults.failed.is_none() {
            let Defaults { values, failed } = rehearse::defaults(needed.iter().copied());
            self.defaults.values.extend(values);
            self.defaults.failed = failed;
        }
        if !needed.is_empty() {
            snapshot.defaults = Some(self.defaults.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::waivers::Waivers;
    use crate::metrics::roles::StatedRoles;
    use crate::observe::system::Labels;
    use crate::rules::set::RuleSet;
    use crate::snapshot::WindowSource;

    #[test]
    fn the_second_look_begins_where_the_first_ended() {
        let criteria = Criteria { rules: RuleSet::default(), waivers: Waivers::default(), one_by_one: None };
        let (labels, roles) = (Labels::default(), StatedRoles::default());
        let stated = Stated { labels: &labels, roles: &roles };
        let mut follower = Follower::new(&Which::Current, &criteria, stated, FirstReading::default());
        let first = follower.look().unwrap().clone();
        assert_eq!((first.window.source, &first.namespaces[0].counters_before), (WindowSource::None, &None));
        std::thread::sleep(std::time::Duration::from_millis(600));
        let second = follower.look().unwrap();
        assert!((0.5..5.0).contains(&second.window.seconds), "{}", second.window.seconds);
        assert_eq!(second.namespaces[0].counters_before.as_ref(), Some(&first.namespaces[0].counters));
    }
}
