//! Which changes of a plan a format can say.
//!
//! In: a plan, a format. Out: the changes for its writer, and those that are left out, each with the reason.
//! Must not: leave one out without a word.

use super::format::{Format, Style, Target};
use super::model::{Document, LeftOut};
use crate::drift::explain::knowledge::module_of;
use crate::keys::Scope;
use crate::model::{Naming, with_article};
use crate::plan::model::{Plan, PlannedChange};
use crate::text::printable;

pub(super) fn select<'a>(plan: &'a Plan, format: &Format, style: &Style) -> (Document<'a>, Vec<LeftOut>) {
    let mut left_out = Vec::new();
    let mut changes: Vec<&PlannedChange> = Vec::new();
    for change in &plan.changes {
        let other = changes.first().filter(|first| first.namespace_id != change.namespace_id);
        let why = not_accepted(change)
            .or_else(|| refused(format.target, change))
            .or_else(|| other.map(|first| of_another(change, first)))
            .or_else(|| (style.refuses)(change));
        match why {
            Some(why) => left_out.push(LeftOut { key: change.key, why }),
            None => changes.push(change),
        }
    }
    let mut modules = Vec::new();
    for module in changes.iter().filter_map(|change| module_of(change.name())) {
        if !modules.contains(&module) {
            modules.push(module);
        }
    }
    (Document { hostname: &plan.host.hostname, made_at: &plan.made_at, changes, modules }, left_out)
}

/// The same refusal as `apply`'s: a consumer would fail on the value, or report a change at each run.
fn not_accepted(change: &PlannedChange) -> Option<String> {
    let said = change.rehearsed.as_ref().filter(|said| said.result.is_bad())?;
    Some(format!("the kernel did not accept {} in the rehearsal: {}", change.after, printable(&said.value, 100)))
}

fn refused(target: Target, change: &PlannedChange) -> Option<String> {
    match target {
        Target::Machine => match change.namespace.naming() {
            Naming::Host | Naming::Current => None,
            Naming::Given | Naming::Process { .. } => Some(format!(
                "it belongs to {}, which the files of a machine do not reach; `sysctl-advisor apply` does",
                with_article(&change.namespace)
            )),
        },
        Target::Cluster => None,
        Target::Container => (change.key.scope != Scope::Namespace)
            .then(|| "the key belongs to the machine; a container cannot set it. Export it for the machine".to_owned()),
    }
}

fn of_another(change: &PlannedChange, first: &PlannedChange) -> String {
    format!(
        "it belongs to {}, and the export is for {}; make a plan of one network namespace",
        with_article(&change.namespace),
        with_article(&first.namespace)
    )
}
