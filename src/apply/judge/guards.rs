//! What the guards of a change say: is something worse than before it?
//!
//! In: the journal of a change with its baseline, a look at the host of now. Out: a [`Verdict`] a guard. Must not: fail
//! where a guard cannot be judged, or stand in the way of a rollback; the baseline serves nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use crate::apply::ApplyError;
use crate::apply::change::journal::{BASELINE, RecordedChange};
use crate::apply::verdict::Verdict;
use crate::audit::guard::{Looks, SHORTEST, Said};
use crate::host::Host;
use crate::host::netns::{self, Which};
use crate::metrics::value::Value;
use crate::observe::system;
use crate::plan::model::{Guard, Plan};
use crate::snapshot::{FirstReading, Snapshot, WindowSource, capture, store};
use crate::text::printable;

/// No confirmation waits longer for its guards, in seconds.
const LONGEST_WAIT: f64 = 10.0;

/// The guards of change `id` over its baseline and a look of now, in the order of the plan; empty when it has none. An
/// error: the journal itself cannot be read or trusted.
pub fn watch_over(state: &Path, id: u64, after: &Snapshot) -> Result<Vec<Verdict>, ApplyError> {
    Ok(of(&RecordedChange::read(state, id)?, after))
}

/// The same of a journal that was read.
pub fn of(entry: &RecordedChange, after: &Snapshot) -> Vec<Verdict> {
    let guards = guards(&entry.plan);
    if guards.is_empty() {
        return Vec::new();
    }
    let baseline = baseline_of(entry);
    let looks = baseline.as_ref().map_err(Clone::clone).and_then(|baseline| Looks::new(baseline, after));
    let judge = |(namespace, guard): (&str, &Guard)| match (&looks, values(guard)) {
        (Ok(looks), Ok(params)) => Verdict {
            seconds_before: looks.seconds_before(),
            seconds_after: looks.seconds_after(),
            ..Verdict::new(guard, looks.judge(namespace, &guard.worse_if, &params))
        },
        (Err(why), _) => Verdict::new(guard, Said::Unknown(why.clone())),
        (_, Err(why)) => Verdict::new(guard, Said::Unknown(why)),
    };
    guards.into_iter().map(judge).collect()
}

/// The same, and looks at the host for it, when there are guards: one reading, which does not wait.
pub fn now(host: &Host, entry: &RecordedChange) -> Vec<Verdict> {
    if !has_guards(&entry.plan) {
        return Vec::new();
    }
    match capture::capture(
        host,
        &namespaces(host, &entry.plan),
        Duration::ZERO,
        &FirstReading::default().into(),
        |_| {},
    ) {
        Ok(after) => of(entry, &after),
        Err(error) => {
            let unknown = |(_, guard): (&str, &Guard)| Verdict::new(guard, Said::Unknown(error.to_string()));
            guards(&entry.plan).into_iter().map(unknown).collect()
        }
    }
}

/// How long to wait until the guards of a change can compare: as long as was measured before it, within limits. `None`:
/// they can now, or never will.
pub fn too_early(host: &Host, entry: &RecordedChange) -> Option<Duration> {
    if !has_guards(&entry.plan) {
        return None;
    }
    let before = baseline_of(entry).ok()?;
    if before.window.source == WindowSource::None || before.system.boot_id != system::boot_id(host) {
        return None;
    }
    let passed = system::uptime_ms(host)?.checked_sub(before.system.uptime_ms?)?;
    let wanted = before.window.seconds.clamp(SHORTEST, LONGEST_WAIT);
    Duration::from_secs_f64(wanted).checked_sub(Duration::from_millis(passed)).filter(|left| !left.is_zero())
}

/// Which namespaces have to be looked at for a plan: this one alone, or, for plans about others, all.
pub fn namespaces(host: &Host, plan: &Plan) -> Which {
    let own = netns::own_id(host);
    let is_here = plan.changes.iter().all(|change| Some(&change.namespace_id) == own.as_ref());
    if is_here { Which::Current } else { Which::All }
}

/// Whether anything needs to be measured before this plan is carried out.
pub fn has_guards(plan: &Plan) -> bool {
    plan.changes.iter().any(|change| !change.guards.is_empty())
}

/// What is kept of a look at the host: the namespaces that guards are about, without what files would set at boot.
/// `None` when there are no guards, or none of them could be judged by it.
pub fn baseline(plan: &Plan, seen: &Snapshot) -> Option<Snapshot> {
    let about = |id: &str| plan.changes.iter().any(|change| change.namespace_id == id && !change.guards.is_empty());
    let namespaces: Vec<_> = seen.namespaces.iter().filter(|namespace| about(&namespace.id)).cloned().collect();
    let nothing = namespaces.is_empty();
    (!nothing).then(|| Snapshot {
        namespaces,
        persisted: None,
        surroundings: None,
        stated_roles: seen.stated_roles.clone(),
        rehearsal: None,
        defaults: None,
        all_namespaces: false,
        schema: seen.schema.clone(),
        written_by: seen.written_by.clone(),
        taken_at: seen.taken_at.clone(),
        system: seen.system.clone(),
        window: seen.window.clone(),
        cpus: seen.cpus.clone(),
        neighbour_tables: None,
        before: seen.before.clone(),
        gaps: seen.gaps.clone(),
    })
}

fn baseline_of(entry: &RecordedChange) -> Result<Snapshot, String> {
    let text = entry.kept(BASELINE).map_err(|error| error.to_string())?;
    let text = text.ok_or("nothing was measured before the change")?;
    store::parse(BASELINE, text.as_bytes()).map_err(|error| error.to_string())
}

/// Each guard once, with the namespace that it is about. Several keys of one rule have the same.
fn guards(plan: &Plan) -> Vec<(&str, &Guard)> {
    let all = plan.changes.iter().flat_map(|change| change.guards.iter().map(|guard| (&*change.namespace_id, guard)));
    let mut seen = BTreeSet::new();
    let params =
        |guard: &Guard| guard.params.iter().map(|(name, value)| format!("{name:?}{value}")).collect::<String>();
    all.filter(|(namespace, guard)| seen.insert((*namespace, &guard.rule, &guard.worse_if, params(guard)))).collect()
}

/// The parameters of a guard as values of conditions.
fn values(guard: &Guard) -> Result<BTreeMap<String, Value>, String> {
    let typed = |(name, value): (&String, &serde_json::Value)| {
        let value = match value {
            serde_json::Value::Bool(value) => Some(Value::Bool(*value)),
            serde_json::Value::String(value) => Some(Value::Text(value.clone())),
            serde_json::Value::Number(number) => {
                number.as_i64().map(Value::Int).or_else(|| number.as_f64().map(Value::Double))
            }
            _ => None,
        };
        let value = value.ok_or_else(|| format!("its parameter {} has no value", printable(name, 100)))?;
        Ok((name.clone(), value))
    };
    guard.params.iter().map(typed).collect()
}

#[cfg(test)]
mod tests;
