//! Rules that made something worse, and until when they are not tried again.
//!
//! In: the journals. Out: [`Cooling`] by rule. Must not: change anything, or keep a person from what they decide.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::apply::ApplyError;
use crate::apply::change::journal::{ChangeStatus, RecordedChange};
use crate::apply::change::state;
use crate::apply::change::steps::Step;

/// Why a rule is not tried, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooling {
    pub until: Timestamp,
    /// The change that was rolled back.
    pub change: u64,
}

impl std::fmt::Display for Cooling {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { until, change } = self;
        write!(
            formatter,
            "change {change} of this rule made something worse and was rolled back; the rule is left out until {until}"
        )
    }
}

/// Rules whose guard said worse of a change that was then rolled back, less than `cool_down` ago; a zero one: none. The
/// latest such change of each rule. What was confirmed in between, and rolled back later, was not rolled back for that.
pub fn cooling(entries: &[RecordedChange], now: Timestamp, cool_down: Duration) -> BTreeMap<String, Cooling> {
    let mut cooling: BTreeMap<String, Cooling> = BTreeMap::new();
    if cool_down.is_zero() {
        return cooling;
    }
    for entry in entries.iter().filter(|entry| entry.status() == ChangeStatus::RolledBack) {
        let Some((rules, at)) = worse(entry) else { continue };
        let until = at.parse::<Timestamp>().ok().map(|at| at.checked_add(cool_down).unwrap_or(Timestamp::MAX));
        let Some(until) = until.filter(|until| *until > now) else { continue };
        for rule in rules {
            let found = Cooling { until, change: entry.id };
            let known = cooling.entry(rule.clone()).or_insert(found);
            if found.until > known.until {
                *known = found;
            }
        }
    }
    cooling
}

/// The rules that said worse when a change was rolled back, and when that was.
fn worse(entry: &RecordedChange) -> Option<(&[String], &str)> {
    let mut said: Option<&[String]> = None;
    let mut at = "";
    for record in &entry.records {
        match &record.step {
            Step::Worse { rules, .. } => said = Some(rules),
            Step::Confirmed { .. } => said = None,
            Step::RolledBack => at = &record.at,
            _ => {}
        }
    }
    said.map(|rules| (rules, at))
}

/// The same from the state directory; nothing when there is none. Journals that cannot be read are told beside it.
pub fn read(
    state: &Path,
    now: Timestamp,
    cool_down: Duration,
) -> Result<(BTreeMap<String, Cooling>, Vec<ApplyError>), ApplyError> {
    if cool_down.is_zero() {
        return Ok((BTreeMap::new(), Vec::new()));
    }
    let (mut entries, mut unread) = (Vec::new(), Vec::new());
    for id in state::ids(state)? {
        match RecordedChange::read(state, id) {
            Ok(entry) => entries.push(entry),
            Err(error) => unread.push(error),
        }
    }
    Ok((cooling(&entries, now, cool_down), unread))
}

#[cfg(test)]
mod tests;
