//! `sysctl-advisor/changes/1`, field by field as published.
//!
//! In: a [`Listing`]. Out: JSON text, the same bytes for the same listing, and its JSON Schema.
//! Must not: change with the program's records. A removed, renamed or differently meant field is a new number at the end
//! of [`SCHEMA`]; a new field keeps the number, with `docs/schema/changes-1.json` regenerated.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Listed, Listing, Unreadable};
use crate::apply::change::standing::Standing;
use crate::apply::change::steps::{Record, Step};
use crate::apply::run::locate;
use crate::apply::verdict::Verdict;
use crate::audit::guard::{Number, Said};
use crate::metrics::value::Value;
use crate::model::NamespaceName;
use crate::published;

/// Name and version of the contract.
pub const SCHEMA: &str = "sysctl-advisor/changes/1";

/// Changes that `apply` and the agent made on this host. Times are RFC 3339 in UTC.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sysctl-advisor changes")]
struct ChangesView<'a> {
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// The folder that holds the journals.
    state_directory: &'a str,
    /// In ascending order of their numbers; a later change has a higher number.
    changes: Vec<ChangeView<'a>>,
    /// Changes whose journal could not be read.
    unreadable: Vec<UnreadableView<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Change")]
struct ChangeView<'a> {
    id: u64,
    begun_at: &'a str,
    status: StatusView,
    /// The status in words.
    words: String,
    /// The process that works on the change now; null if there is none.
    process: Option<&'a str>,
    namespace: NamespaceView<'a>,
    /// Whether the values are only for the running system.
    runtime_only: bool,
    /// When the change is rolled back automatically unless it is confirmed; null if it is not.
    confirm_before: Option<&'a str>,
    /// In the order in which they were written.
    values: Vec<ValueView<'a>>,
    /// What the guards of the rules behind the change show now; null if they were not evaluated: in a list, and if the
    /// values are not effective.
    verdicts: Option<Vec<VerdictView<'a>>>,
    /// The steps, the oldest first.
    steps: Vec<StepView<'a>>,
    /// Whether a crash cut off the last line of the journal. The step of that line never began.
    torn: bool,
    /// `sysctl -p` of this file restores the values from before the change.
    restores: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "Status")]
enum StatusView {
    /// A process works on it now.
    UnderWay,
    /// It was interrupted while values were being written.
    Interrupted,
    /// Applied and not confirmed.
    InForce,
    /// It was interrupted while it was made permanent.
    ConfirmInterrupted,
    /// Effective until the next boot.
    Confirmed,
    /// Effective, and set again at each boot.
    Permanent,
    /// It was interrupted while it was rolled back.
    RollbackInterrupted,
    RolledBack,
    /// Not every value could be restored.
    RollbackFailed,
    /// The host has booted since then.
    GoneWithBoot,
    /// Its network namespace was deleted.
    GoneWithNamespace,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Namespace")]
struct NamespaceView<'a> {
    /// When the plan was made.
    name: NamespaceName,
    /// As `/proc/self/ns/net` reads; null when the journal does not say.
    id: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Value")]
struct ValueView<'a> {
    key: &'a str,
    before: String,
    after: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Verdict")]
struct VerdictView<'a> {
    rule: &'a str,
    /// The condition of the guard.
    worse_if: &'a str,
    result: ResultView,
    /// Why it cannot be judged; null if it can.
    why: Option<&'a str>,
    numbers: Vec<NumberView<'a>>,
    /// Over how many seconds rates were measured before the change, and after it.
    seconds_before: f64,
    seconds_after: f64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "Result")]
enum ResultView {
    Worse,
    NotWorse,
    /// It cannot be judged.
    Unknown,
}

/// A metric in the condition of a guard.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Number")]
struct NumberView<'a> {
    metric: &'a str,
    /// Empty if it has no unit.
    unit: &'a str,
    /// Null if it was not read; the next field also.
    before: Option<String>,
    after: Option<String>,
}

/// One line of the journal.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Step")]
struct StepView<'a> {
    /// From 1.
    number: u64,
    at: &'a str,
    boot_id: &'a str,
    #[schemars(extend("enum" = Step::NAMES))]
    step: &'static str,
    /// Null if the step is not about a single key; the next field also.
    key: Option<&'a str>,
    value: Option<&'a str>,
    /// Null if there is no reason.
    why: Option<&'a str>,
    /// Rules whose guards showed that something is worse.
    rules: &'a [String],
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Unreadable")]
struct UnreadableView<'a> {
    id: u64,
    why: &'a str,
}

/// The JSON text, with a final newline. No input makes it fail today; the error is serde's.
pub fn json(listing: &Listing) -> Result<String, serde_json::Error> {
    let Listing { state_directory, changes, unreadable } = listing;
    let view = ChangesView {
        schema: SCHEMA,
        state_directory,
        changes: changes.iter().map(change).collect(),
        unreadable: unreadable.iter().map(|Unreadable { id, why }| UnreadableView { id: *id, why }).collect(),
    };
    serde_json::to_string_pretty(&view).map(|text| text + "\n")
}

/// The JSON Schema (draft 2020-12) of [`json`]'s text, with a final newline.
pub fn schema() -> String {
    published::of_output::<ChangesView<'_>>(SCHEMA)
}

fn change(change: &Listed) -> ChangeView<'_> {
    let Listed { entry, standing, holder, verdicts, overdue_since: _ } = change;
    let begun = entry.begun();
    ChangeView {
        id: entry.id,
        begun_at: entry.begun_at(),
        status: if holder.is_some() { StatusView::UnderWay } else { status(*standing) },
        words: change.words(),
        process: holder.as_ref().map(|holder| holder.process.as_str()),
        namespace: NamespaceView { name: locate::name(entry), id: begun.map(|(id, ..)| id) },
        runtime_only: begun.is_some_and(|(_, runtime_only, _)| runtime_only),
        confirm_before: begun.and_then(|(.., before)| before),
        values: entry
            .plan
            .changes
            .iter()
            .map(|change| ValueView {
                key: &change.key.name,
                before: change.before.to_string(),
                after: change.after.to_string(),
            })
            .collect(),
        verdicts: verdicts.as_ref().map(|verdicts| verdicts.iter().map(verdict).collect()),
        steps: entry.records.iter().map(step).collect(),
        torn: entry.torn,
        restores: entry.by_hand(),
    }
}

const fn status(standing: Standing) -> StatusView {
    match standing {
        Standing::Interrupted => StatusView::Interrupted,
        Standing::InForce => StatusView::InForce,
        Standing::ConfirmInterrupted => StatusView::ConfirmInterrupted,
        Standing::Confirmed => StatusView::Confirmed,
        Standing::Permanent => StatusView::Permanent,
        Standing::RollbackInterrupted => StatusView::RollbackInterrupted,
        Standing::RolledBack => StatusView::RolledBack,
        Standing::RollbackFailed => StatusView::RollbackFailed,
        Standing::GoneWithBoot => StatusView::GoneWithBoot,
        Standing::GoneWithNamespace => StatusView::GoneWithNamespace,
    }
}

fn verdict(verdict: &Verdict) -> VerdictView<'_> {
    let Verdict { rule, worse_if, said, seconds_before, seconds_after } = verdict;
    let (result, why, numbers) = match said {
        Said::Worse(numbers) => (ResultView::Worse, None, numbers.as_slice()),
        Said::NotWorse(numbers) => (ResultView::NotWorse, None, numbers.as_slice()),
        Said::Unknown(why) => (ResultView::Unknown, Some(why.as_str()), [].as_slice()),
    };
    VerdictView {
        rule,
        worse_if,
        result,
        why,
        numbers: numbers.iter().map(number).collect(),
        seconds_before: *seconds_before,
        seconds_after: *seconds_after,
    }
}

fn number(number: &Number) -> NumberView<'_> {
    let Number { name, unit, before, after } = number;
    let text = |value: &Option<Value>| value.as_ref().map(ToString::to_string);
    NumberView { metric: name, unit, before: text(before), after: text(after) }
}

fn step(record: &Record) -> StepView<'_> {
    let Record { number, at, boot_id, step } = record;
    let empty =
        StepView { number: *number, at, boot_id, step: step.name(), key: None, value: None, why: None, rules: &[] };
    match step {
        Step::Begun { namespace_id: _, runtime_only: _, confirm_before: _ }
        | Step::Applied
        | Step::Confirming
        | Step::RolledBack => empty,
        Step::Writing { key, value } | Step::Restoring { key, value } | Step::Left { key, value } => {
            StepView { key: Some(key), value: Some(value), ..empty }
        }
        Step::Written { key } | Step::Restored { key } => StepView { key: Some(key), ..empty },
        Step::Confirmed { persisted: _, despite } => StepView { rules: despite, ..empty },
        Step::Worse { rules, why } => StepView { rules, why: Some(why), ..empty },
        Step::RollingBack { why } | Step::RollbackFailed { why } => StepView { why: Some(why), ..empty },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schema_is_the_one_of_this_program() {
        let published = include_str!("../../../docs/schema/changes-1.json");
        assert!(
            schema() == published,
            "docs/schema/changes-1.json is stale; if the change keeps to the contract, regenerate it with: \
             sysctl-advisor rules schema changes > docs/schema/changes-1.json"
        );
    }
}
