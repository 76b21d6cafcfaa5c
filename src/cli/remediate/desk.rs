//! What the conversation plans from: the audit, and what limits the changes.
//!
//! In: an audit, a policy, the host. Out: what is offered, what was chosen, what a change ends. Must not: ask, or write.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use super::decisions::{self, Item};
use super::machine::{Answer, Machine};
use super::summary::Chosen;
use crate::apply::check::policy::Policy;
use crate::apply::judge::cool_down::Cooling;
use crate::apply::run::apply::ApplyOptions;
use crate::apply::run::{here, namespaces};
use crate::apply::write::persist;
use crate::audit::model::{Audit, Waiver};
use crate::cli::again::Again;
use crate::cli::args::Global;
use crate::host::Host;
use crate::host::netns::own_id;
use crate::keys::{self, Risk};
use crate::observe::persisted::{File, FileKind, Source};
use crate::plan::build::{self, PlanOptions};
use crate::plan::model::{LeftOut, Plan, PlannedChange};
use crate::plan::rehearsal;
use crate::plan::select::Selection;
use crate::session::{Criteria, rehearse};

/// What is planned from, and what limits it.
pub(super) struct Desk<'a> {
    pub(super) audit: &'a Audit<'a>,
    pub(super) criteria: &'a Criteria,
    pub(super) policy: &'a Policy,
    pub(super) max_risk: Risk,
    /// Where changes are journalled.
    pub(super) state: &'a Path,
    /// The file that waivers are appended to.
    pub(super) waivers: &'a Path,
    pub(super) window: Duration,
    pub(super) confirm_within: Option<Duration>,
    /// Rules whose change made something worse not long ago.
    pub(super) cooling: BTreeMap<String, Cooling>,
    pub(super) global: &'a Global,
    pub(super) again: &'a Again,
}

impl Desk<'_> {
    /// What all open findings wish for, as far as the policy, the kernel and this process let it; tried.
    pub(super) fn offered(&self) -> Plan {
        let mut plan = self.plan(None);
        rehearsal::rehearse(&mut plan, self.audit.snapshot, rehearse::ask);
        rehearsal::drop_refused(&mut plan);
        let Plan { changes, left_out, .. } = &mut plan;
        let (host, own) = (Host::live(), own_id(&Host::live()));
        changes.retain(|change| {
            let is_here = own.as_ref() == Some(&change.namespace_id);
            let path = keys::path(change.name()).filter(|_| is_here);
            let written = path.map_or(Ok(()), |path| host.can_write_sysctl(&path));
            let written = written.map_err(|error| format!("this process cannot write {error}"));
            match self.policy.allows(change.name(), change.risk).and(written) {
                Ok(()) => true,
                Err(why) => {
                    left_out.push(LeftOut::of(change, why));
                    false
                }
            }
        });
        plan
    }

    fn plan(&self, findings: Option<BTreeSet<String>>) -> Plan {
        let options = PlanOptions {
            max_risk: self.max_risk,
            selection: Selection::default(),
            findings,
            cooling: BTreeMap::new(),
        };
        build::build(self.audit, &self.criteria.rules, &options)
    }

    /// What there is to decide.
    pub(super) fn items(&self, offered: &Plan) -> Vec<Item<'_>> {
        let host = Host::live();
        let drop_in = persist::can_write(&host);
        let mut known: BTreeMap<&str, bool> = BTreeMap::new();
        for change in &offered.changes {
            known.entry(&change.namespace_id).or_insert_with(|| here::boots(&host, &change.namespace_id));
        }
        let passes = |change: &PlannedChange| match (known.get(change.namespace_id.as_str()), &drop_in) {
            (Some(true), Ok(())) => None,
            (Some(true), Err(why)) => Some(format!("{} cannot be written: {why}.", persist::DROP_IN)),
            _ => Some("no boot sets up this network namespace.".to_owned()),
        };
        decisions::items(self.audit, offered, passes, |rule| self.cooling.contains_key(rule))
    }

    /// Why `apply` would refuse these changes now, as far as that is known before.
    pub(super) fn notes(&self, offered: &Plan) -> Vec<String> {
        if offered.changes.is_empty() {
            return Vec::new();
        }
        let options = self.options(false);
        let refused = namespaces::preflight(&Host::live(), offered, &options).err();
        refused
            .map(|error| format!("Note: these changes cannot be applied together now: {error}."))
            .into_iter()
            .collect()
    }

    pub(super) fn options(&self, runtime_only: bool) -> ApplyOptions<'_> {
        ApplyOptions {
            state: self.state,
            policy: self.policy,
            runtime_only,
            confirm_within: self.confirm_within,
            baseline: None,
        }
    }

    /// What is to be said of an item's rules.
    pub(super) fn warnings(&self, item: &Item<'_>) -> Vec<String> {
        let rules: BTreeSet<&String> = item.changes.iter().flat_map(|change| &change.rules).collect();
        let warned = rules.into_iter().filter_map(|rule| Some((rule, self.cooling.get(rule)?)));
        warned.map(|(rule, found)| format!("{rule}: {found}")).collect()
    }

    /// What would be written by these answers. The values are merged from all of them, so that a key has one.
    pub(super) fn chosen(&self, machine: &Machine<'_>, offered: &Plan) -> Chosen {
        let of = |which: &dyn Fn(&Answer) -> bool| -> BTreeSet<&str> {
            let effective = machine.effective().into_iter().filter(|(_, answer)| which(answer));
            let items = effective.filter_map(|(place, _)| machine.item(place));
            items.flat_map(Item::fingerprints).collect()
        };
        let all = of(&Answer::writes).into_iter().map(str::to_owned).collect();
        let mut plan = self.plan(Some(all));
        let keys: BTreeSet<(&str, &str)> =
            offered.changes.iter().map(|change| (change.namespace_id.as_str(), change.name())).collect();
        // What is not offered was never chosen; what is was tried already.
        plan.changes.retain(|change| keys.contains(&(change.namespace_id.as_str(), change.name())));
        for change in &mut plan.changes {
            let same = |it: &&PlannedChange| {
                (&it.namespace_id, it.name(), &it.after) == (&change.namespace_id, change.name(), &change.after)
            };
            change.rehearsed = offered.changes.iter().find(same).and_then(|it| it.rehearsed.clone());
        }
        let is_offered = |left: &LeftOut| {
            offered.changes.iter().any(|change| change.namespace == left.namespace && change.name() == left.key)
        };
        plan.left_out.retain(is_offered);
        let (lasting, passing) = decisions::split(&plan, &of(&|answer| *answer == Answer::Apply));
        Chosen { lasting, passing }
    }

    /// The findings that would be gone with the changes of this item: those that the rules do not find in the snapshot with
    /// these values, and, if they are made permanent, with the file for the next boot.
    pub(super) fn ended_by(&self, item: &Item<'_>, lasts: bool) -> BTreeSet<String> {
        let mut snapshot = self.audit.snapshot.clone();
        for change in &item.changes {
            let there = snapshot.namespaces.iter_mut().find(|namespace| namespace.id == change.namespace_id);
            there.and_then(|namespace| namespace.sysctls.insert(change.name().to_owned(), change.after.to_string()));
        }
        if lasts && let Some(persisted) = &mut snapshot.persisted {
            let present = persisted.files.iter().position(|file| file.path == persist::DROP_IN);
            let present = present.map(|place| persisted.files.remove(place)).and_then(|file| file.text);
            let text = persist::with(present.as_deref(), &item.changes, 0, "");
            persisted.files.push(drop_in(text));
        }
        let after = self.criteria.audit(&snapshot);
        let stay: BTreeSet<&str> = after.open().map(|finding| finding.fingerprint.as_str()).collect();
        let open = self.audit.open().map(|finding| finding.fingerprint.as_str());
        open.filter(|finding| !stay.contains(finding)).map(str::to_owned).collect()
    }

    /// The waivers that these answers are. A process is waived under whatever number it has next time.
    pub(super) fn waived(machine: &Machine<'_>) -> Vec<Waiver> {
        let mut waivers = Vec::new();
        for (place, answer) in machine.effective() {
            let (Answer::Waive(accepted), Some(item)) = (answer, machine.item(place)) else { continue };
            waivers.extend(item.findings.iter().map(|finding| Waiver {
                rule: finding.rule.clone(),
                namespace: Some(finding.namespace.without_pid()),
                subject: (finding.namespace != *finding.subject).then(|| without_pid(&finding.subject)),
                reason: accepted.reason.clone(),
                who: accepted.who.clone(),
                until: accepted.until,
            }));
        }
        waivers.dedup();
        waivers
    }
}

fn drop_in(text: String) -> File {
    File {
        path: persist::DROP_IN.to_owned(),
        source: Source::Directory,
        link: None,
        kind: FileKind::Regular,
        mode: Some(0o644),
        uid: Some(0),
        bytes: text.len() as u64,
        text: Some(text),
        cut: false,
        not_utf8: false,
    }
}

/// `nginx (pid 12)` as `nginx (pid *)`.
fn without_pid(subject: &str) -> String {
    match subject.split_once(" (pid ") {
        Some((name, rest)) => {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            format!("{name} (pid *{}", rest.get(digits..).unwrap_or_default())
        }
        None => subject.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_waived_whatever_its_number() {
        assert_eq!(without_pid("nginx (pid 4711)"), "nginx (pid *)");
        assert_eq!(without_pid("0.0.0.0:80"), "0.0.0.0:80");
    }
}
