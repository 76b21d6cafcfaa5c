//! Whether a change made something worse: a rule's guard, over two looks at the same namespace.
//!
//! In: the snapshot before the change, one after it, the condition of a guard. Out: a [`Said`] with the numbers that the
//! condition rests on. Must not: take what was not read for not worse, or trust the condition's text.

use std::collections::BTreeMap;
use std::fmt;

use crate::metrics::names::{self, counter_parts};
use crate::metrics::value::{Type, Value};
use crate::metrics::view::{Item, View};
use crate::rules;
use crate::rules::expr::{EvalError, Expr};
use crate::snapshot::{FirstReading, Namespace, Snapshot, Window, WindowSource};
use crate::text::printable;
use crate::units;

/// Seconds that must have passed for a rate to say something.
pub const SHORTEST: f64 = 1.0;
/// Characters of a stranger's text that a message shows.
const SHOWN: usize = 300;

/// What a guard says.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// Something is worse than before.
    Worse(Vec<Number>),
    NotWorse(Vec<Number>),
    /// It cannot be judged, and why.
    Unknown(String),
}

/// A metric that a guard looks at, before and after. `None`: it was not read.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// Without `before.`.
    pub name: String,
    /// Empty where there is none.
    pub unit: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

impl fmt::Display for Number {
    /// `rate.TcpExt.ListenOverflows was 0/s and is 131.2/s now`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| match value {
            Some(Value::Double(value)) if self.unit == "1/s" => units::rate(*value),
            Some(Value::Int(value)) if self.unit.is_empty() => units::count(*value),
            Some(Value::Int(value)) => units::quantity(*value, &self.unit),
            Some(Value::Double(value)) => format!("{} {}", units::decimal(*value), self.unit).trim_end().to_owned(),
            Some(value) => printable(&value.to_string(), SHOWN),
            None => "not read".to_owned(),
        };
        write!(formatter, "{} was {} and is {} now", self.name, shown(&self.before), shown(&self.after))
    }
}

/// Two looks at a host: one that ended when the change began, and one at any time after it in the same boot. What
/// counters did after the change is reckoned from the end of the first look to the second, however long that was.
#[derive(Debug)]
pub struct Looks<'a> {
    before: &'a Snapshot,
    after: Snapshot,
    elapsed: f64,
}

impl<'a> Looks<'a> {
    /// Puts two snapshots side by side; the reason when they cannot be compared.
    pub fn new(before: &'a Snapshot, after: &Snapshot) -> Result<Self, String> {
        let boot = |snapshot: &Snapshot| snapshot.system.boot_id.clone();
        if boot(before).is_none() || boot(before) != boot(after) {
            return Err("the measurement before the change is from another boot".to_owned());
        }
        let uptime = |snapshot: &Snapshot| snapshot.system.uptime_ms.ok_or("the host's uptime could not be read");
        let passed =
            uptime(after)?.checked_sub(uptime(before)?).ok_or("the second measurement is older than the first")?;
        let elapsed = passed as f64 / 1000.0;
        let enough = elapsed >= SHORTEST;
        let namespaces = after.namespaces.iter().map(|namespace| {
            let mut namespace = Namespace { counters_before: None, before: None, ..namespace.clone() };
            let first = before.namespaces.iter().find(|first| first.id == namespace.id).filter(|_| enough);
            if let Some(first) = first {
                namespace.begin_with(first, FirstReading::WHOLE);
            }
            namespace
        });
        let source = if enough { WindowSource::Sample } else { WindowSource::None };
        // What files would set at boot is no matter of before and after, and costs time to work out.
        let mut after = Snapshot {
            namespaces: namespaces.collect(),
            cpus: after.cpus.clone(),
            neighbour_tables: None,
            before: None,
            window: Window { seconds: if enough { elapsed } else { 0.0 }, source },
            persisted: None,
            surroundings: None,
            stated_roles: after.stated_roles.clone(),
            rehearsal: None,
            defaults: None,
            all_namespaces: false,
            schema: after.schema.clone(),
            written_by: after.written_by.clone(),
            taken_at: after.taken_at.clone(),
            system: after.system.clone(),
            gaps: after.gaps.clone(),
        };
        if enough {
            after.begin_with(before, FirstReading::WHOLE);
        }
        Ok(Self { before, after, elapsed })
    }

    /// Seconds over which the rates before the change were measured; 0 when they were not.
    pub const fn seconds_before(&self) -> f64 {
        self.before.window.seconds
    }

    /// Seconds since.
    pub const fn seconds_after(&self) -> f64 {
        self.elapsed
    }

    /// Judges one guard in the namespace with this id (`net:[4026531840]`). The condition may be anybody's text: one that
    /// does not compile, or has no value, gives [`Said::Unknown`].
    pub fn judge(&self, namespace_id: &str, worse_if: &str, params: &BTreeMap<String, Value>) -> Said {
        self.try_judge(namespace_id, worse_if, params).unwrap_or_else(|why| Said::Unknown(printable(&why, SHOWN)))
    }

    fn try_judge(&self, id: &str, worse_if: &str, params: &BTreeMap<String, Value>) -> Result<Said, String> {
        let condition = rules::guard(worse_if, params).map_err(|errors| {
            let first = errors.first().map_or_else(String::new, ToString::to_string);
            format!("its condition is invalid: {first}")
        })?;
        let find = |snapshot: &'_ Snapshot| snapshot.namespaces.iter().position(|namespace| namespace.id == id);
        let before = find(self.before).and_then(|place| self.before.namespaces.get(place));
        let before = before.ok_or("its network namespace was not measured before the change")?;
        let after = find(&self.after).and_then(|place| self.after.namespaces.get(place));
        let after = after.ok_or("its network namespace was not measured after the change")?;
        let (before, after) = (View::new(self.before, before), View::new(&self.after, after));
        let value_of = |name: &str| match name.split_once('.') {
            Some(("params", param)) => params.get(param).cloned(),
            Some(("before", name)) => before.value(Item::NAMESPACE, name),
            _ => after.value(Item::NAMESPACE, name),
        };
        let worse = condition.holds(&value_of).map_err(|error| match &error {
            EvalError::Unread(name) => self.why_missing(name, &before, &after),
            other => other.to_string(),
        })?;
        let numbers = numbers(&condition, &before, &after);
        Ok(if worse { Said::Worse(numbers) } else { Said::NotWorse(numbers) })
    }

    fn why_missing(&self, name: &str, before: &View<'_>, after: &View<'_>) -> String {
        if let Some(name) = name.strip_prefix("before.") {
            return format!("before the change: {}", before.why_missing(name));
        }
        let is_rate = counter_parts(name).is_some_and(|(reading, ..)| reading != "total");
        if is_rate && self.elapsed < SHORTEST {
            let passed = units::duration(self.elapsed);
            return format!(
                "{name} needs at least 1 s, and only {passed} have passed since the measurement before the change"
            );
        }
        after.why_missing(name)
    }
}

/// The metrics of a condition, each once. Histograms of ages are no numbers.
fn numbers(condition: &Expr, before: &View<'_>, after: &View<'_>) -> Vec<Number> {
    let mut numbers: Vec<Number> = Vec::new();
    for name in condition.names() {
        let name = name.strip_prefix("before.").unwrap_or(name);
        let Some(found) = names::find(name).filter(|found| found.kind != Type::Ages) else { continue };
        if !numbers.iter().any(|number| number.name == name) {
            numbers.push(Number {
                name: name.to_owned(),
                unit: found.unit.into_owned(),
                before: before.value(Item::NAMESPACE, name),
                after: after.value(Item::NAMESPACE, name),
            });
        }
    }
    numbers
}

#[cfg(test)]
mod tests;
