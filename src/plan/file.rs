//! A plan as its file has it: a frozen view, and the one check of what such a file says.
//!
//! In: a typed [`Plan`], or a [`PlanFile`] of unknown origin. Out: the other one, or which change can never be made and
//! why. Must not: change the names or the meaning of a field (a file outlives the program that wrote it), or know what
//! the administrator allows and what the host has now; `apply` judges that.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::{Guard, LeftOut, Plan, PlanHost, PlannedChange, Rehearsed};
use crate::keys::{self, Key, KeyValue, Risk};
use crate::model::{Bound, NamespaceName};
use crate::text::printable;

/// First field of the file; the number rises when an older reader could misread a newer file.
pub const SCHEMA: &str = "sysctl-advisor/plan/1";

/// The catalogue has some 200 keys; a plan for each of many namespaces stays far below.
const MOST_CHANGES: usize = 10_000;
/// Each rule behind a change has one.
const MOST_GUARDS: usize = 64;
/// Characters of a plan's text that a message shows.
const SHOWN: usize = 60;

/// An ordered list of changes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Plan")]
pub struct PlanFile {
    /// `sysctl-advisor/plan/1`.
    schema: String,
    /// RFC 3339, UTC: of the snapshot that the plan was made from.
    made_at: String,
    host: PlanHost,
    /// In the order in which they are to be written.
    changes: Vec<ChangeFile>,
    /// Recommendations that are not in the plan, and why.
    #[serde(default)]
    left_out: Vec<LeftOut>,
}

/// One key and the value that it is to have.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PlannedChange")]
struct ChangeFile {
    /// `namespaces[].name` of the report.
    namespace: NamespaceName,
    /// As `/proc/self/ns/net` reads there: `net:[4026531840]`.
    namespace_id: String,
    key: String,
    /// The value that the plan found; `apply` refuses to touch a key that has another one.
    expected: String,
    proposed: String,
    /// Which values are as good as the proposed one.
    #[serde(default = "exactly")]
    bound: Bound,
    risk: Risk,
    /// A sentence: when the change shows.
    takes_effect: String,
    side_effects: String,
    /// Listeners that keep what they have until their service calls listen() again, with their process where it was seen.
    #[serde(default)]
    restart: Vec<String>,
    /// Rules whose findings are behind it, with the fingerprints of those findings.
    rules: Vec<String>,
    findings: Vec<String>,
    /// The title of the worst of these findings.
    #[serde(default)]
    reason: String,
    /// Conditions that must not become true afterwards, by rule.
    #[serde(default)]
    guards: Vec<Guard>,
    rehearsed: Option<Rehearsed>,
}

/// What is meant where a plan of a former version says nothing.
const fn exactly() -> Bound {
    Bound::Exactly
}

/// Why a file is no plan.
#[derive(Debug, PartialEq, Eq)]
pub struct NoPlan {
    /// The change that is wrong, from 0; `None`: not a single one is.
    pub change: Option<usize>,
    pub why: String,
}

impl From<&Plan> for PlanFile {
    fn from(plan: &Plan) -> Self {
        let Plan { made_at, host, changes, left_out } = plan.clone();
        let changes = changes.into_iter().map(ChangeFile::from).collect();
        Self { schema: SCHEMA.to_owned(), made_at, host, changes, left_out }
    }
}

impl TryFrom<PlanFile> for Plan {
    type Error = NoPlan;

    fn try_from(file: PlanFile) -> Result<Self, NoPlan> {
        let number = file.changes.len();
        if number > MOST_CHANGES {
            let why = format!("it has {number} changes, and the limit is {MOST_CHANGES}");
            return Err(NoPlan { change: None, why });
        }
        let mut seen = BTreeSet::new();
        let mut changes = Vec::with_capacity(number);
        for (place, change) in file.changes.into_iter().enumerate() {
            let wrong = |why: String| NoPlan { change: Some(place), why: format!("change {}: {why}", place + 1) };
            let change = PlannedChange::try_from(change).map_err(wrong)?;
            if !seen.insert((change.namespace_id.clone(), change.name())) {
                return Err(wrong(format!("{} is in the plan twice", change.name())));
            }
            changes.push(change);
        }
        Ok(Self { made_at: file.made_at, host: file.host, changes, left_out: file.left_out })
    }
}

impl From<PlannedChange> for ChangeFile {
    fn from(change: PlannedChange) -> Self {
        Self {
            namespace: change.namespace,
            namespace_id: change.namespace_id,
            key: change.key.name.clone(),
            expected: change.before.to_string(),
            proposed: change.after.to_string(),
            bound: change.bound,
            risk: change.risk,
            takes_effect: change.takes_effect,
            side_effects: change.side_effects,
            restart: change.restart,
            rules: change.rules,
            findings: change.findings,
            reason: change.reason,
            guards: change.guards,
            rehearsed: change.rehearsed,
        }
    }
}

impl TryFrom<ChangeFile> for PlannedChange {
    type Error = String;

    /// The key is one of the catalogue that can be set and is no secret, both values are ones that it can have, and
    /// nothing can mean something else in the place that it is written to.
    fn try_from(file: ChangeFile) -> Result<Self, String> {
        let key = settable(&file.key)?;
        namespace(&file)?;
        let before = value(key, "expected", &file.expected)?;
        let after = value(key, "proposed", &file.proposed)?;
        keys::validate(key, &after).map_err(|error| format!("the proposed value of {}: {error}", key.name))?;
        if file.guards.len() > MOST_GUARDS {
            return Err(format!("it has {} guards, and the limit is {MOST_GUARDS}", file.guards.len()));
        }
        if let Some(rule) = file.rules.iter().find(|rule| !is_id(rule)) {
            return Err(format!("{} is not the id of a rule", quoted(rule)));
        }
        Ok(Self {
            namespace: file.namespace,
            namespace_id: file.namespace_id,
            key,
            before,
            after,
            bound: file.bound,
            risk: file.risk,
            takes_effect: file.takes_effect,
            side_effects: file.side_effects,
            restart: file.restart,
            rules: file.rules,
            findings: file.findings,
            reason: file.reason,
            guards: file.guards,
            rehearsed: file.rehearsed,
        })
    }
}

/// The key of this name. Whatever is no name of the catalogue, be it `..`, a path or worse, ends here.
fn settable(name: &str) -> Result<&'static Key, String> {
    let known = keys::named(name).filter(|key| !keys::is_secret(&key.name) && !key.name.contains('*'));
    let known = known.filter(|key| keys::path(&key.name).is_some());
    let key = known.ok_or_else(|| format!("{} is not a sysctl that this program changes", quoted(name)))?;
    if key.is_useful_to_set() { Ok(key) } else { Err(format!("{} cannot be set, or the kernel ignores it", key.name)) }
}

fn namespace(file: &ChangeFile) -> Result<(), String> {
    let ChangeFile { namespace: name, namespace_id: id, .. } = file;
    if name.is_empty() || name.contains(['/', '\0']) || name.starts_with('.') {
        return Err(format!("{} is not the name of a namespace", quoted(name)));
    }
    let inode = id.strip_prefix("net:[").and_then(|rest| rest.strip_suffix(']'));
    if !inode.is_some_and(|digits| digits.parse::<u64>().is_ok() && digits.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(format!("{} is not the identity of a namespace, such as net:[4026531840]", quoted(id)));
    }
    Ok(())
}

/// A value in its type. `what` names it in the message.
pub(super) fn value(key: &Key, what: &str, text: &str) -> Result<KeyValue, String> {
    let wrong = |why: &str| format!("the {what} value of {}: {}", key.name, printable(why, 2 * SHOWN));
    // /proc/sys prints a tab between the numbers of a list.
    if text.contains(|c: char| c.is_control() && c != '\t') {
        return Err(wrong("it contains control characters"));
    }
    let value = keys::parse(key, text).map_err(|error| wrong(&error.to_string()))?;
    // A text may be what a parser lets through, and a line of sysctl.d does not hold.
    if keys::is_printable(&value.to_string()) {
        Ok(value)
    } else {
        Err(wrong("it is too long, or contains other characters than ASCII"))
    }
}

/// Rules' ids go into comments: a line break there would begin a line of its own.
fn is_id(rule: &str) -> bool {
    !rule.is_empty()
        && rule.len() <= 100
        && rule.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
}

/// A stranger's text for a message.
fn quoted(text: &str) -> String {
    format!("`{}`", printable(text, SHOWN))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::store::{parse, render};
    use super::*;
    use crate::keys::ValueType;
    use crate::model::RehearsalResult;

    /// A value that this key can have.
    fn values(key: &'static Key) -> BoxedStrategy<KeyValue> {
        let [least, most] = key.accepted.unwrap_or([i64::from(i32::MIN), i64::from(i32::MAX)]);
        let numbers = || least..=most;
        let ports = || (any::<u16>(), any::<u16>());
        match key.kind {
            ValueType::Int => numbers().prop_map(KeyValue::Int).boxed(),
            ValueType::Ints => proptest::collection::vec(numbers(), key.length).prop_map(KeyValue::Ints).boxed(),
            ValueType::PortRange => ports()
                .prop_map(|(one, other)| KeyValue::PortRange {
                    low: one.min(other).max(1),
                    high: one.max(other).max(1),
                })
                .boxed(),
            ValueType::PortList => proptest::collection::vec(ports(), 0..4).prop_map(KeyValue::port_list).boxed(),
            ValueType::Text => "[a-z0-9_]{1,12}( [a-z0-9_]{1,12}){0,3}".prop_map(KeyValue::Text).boxed(),
        }
    }

    fn key_and_values() -> impl Strategy<Value = (&'static Key, KeyValue, KeyValue)> {
        let settable: Vec<&'static Key> = keys::catalogue().iter().filter(|key| settable(&key.name).is_ok()).collect();
        select(settable)
            .prop_flat_map(|key| (Just(key), values(key), values(key)))
            .prop_filter("the kernel accepts it", |(key, _, after)| keys::validate(key, after).is_ok())
    }

    fn changes() -> impl Strategy<Value = PlannedChange> {
        use RehearsalResult::{Accepted, Changed, NotPossible, Refused};
        let texts = ("\\PC{0,20}", "\\PC{0,20}", "[^/\\x00.\\pC][^/\\x00\\pC]{0,10}");
        let rehearsed = (select(vec![Accepted, Refused, Changed, NotPossible]), "\\PC{0,20}");
        let guards = proptest::collection::vec(("[a-z-]{1,9}", "\\PC{0,20}", any::<i64>()), 0..3);
        let risk = select(vec![Risk::Low, Risk::Medium, Risk::High]);
        let bound = select(vec![Bound::AtLeast, Bound::AtMost, Bound::Exactly, Bound::Widen, Bound::Include]);
        (key_and_values(), texts, proptest::option::of(rehearsed), guards, (risk, bound), any::<u32>()).prop_map(
            |(
                (key, before, after),
                (takes_effect, side_effects, namespace),
                rehearsed,
                guards,
                (risk, bound),
                inode,
            )| {
                PlannedChange {
                    namespace: namespace.into(),
                    namespace_id: format!("net:[{inode}]"),
                    key,
                    before,
                    after,
                    bound,
                    risk,
                    restart: vec![side_effects.clone()],
                    reason: takes_effect.clone(),
                    takes_effect,
                    side_effects,
                    rules: guards.iter().map(|(rule, ..)| rule.clone()).collect(),
                    findings: vec!["0123456789abcdef".to_owned()],
                    guards: guards
                        .into_iter()
                        .map(|(rule, worse_if, more)| Guard {
                            rule,
                            worse_if,
                            params: [("more".to_owned(), more.into())].into(),
                        })
                        .collect(),
                    rehearsed: rehearsed.map(|(result, value)| Rehearsed { result, value }),
                }
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_a_plan_changes_its_file_says_the_same(changes in proptest::collection::vec(changes(), 0..6)) {
            let mut seen = BTreeSet::new();
            let changes: Vec<_> = changes
                .into_iter()
                .filter(|change| seen.insert((change.namespace_id.clone(), change.name())))
                .collect();
            let left_out = changes.iter().map(|change| LeftOut::of(change, "no".to_owned())).collect();
            let host = PlanHost { hostname: "web-1".into(), boot_id: None };
            let plan = Plan { made_at: "2026-01-01T00:00:00Z".into(), host, changes, left_out };
            prop_assert_eq!(parse("p", render(&plan).unwrap().as_bytes()).unwrap(), plan);
        }
    }
}
