//! The kernel's own answer to each change, before anyone applies it.
//!
//! In: a plan, the snapshot that it was made from, and somebody who writes values in a scratch network namespace.
//! Out: the plan with what came of each. Must not: ask for a key that belongs to the machine, or whose writing loads a
//! kernel module.

use super::model::{LeftOut, Plan, PlannedChange, Rehearsed};
use crate::audit::model::Audit;
use crate::host::rehearse::Answer;
use crate::keys::{self, InterfaceKey, Key, Scope};
use crate::model::RehearsalResult;
use crate::snapshot::Snapshot;

/// A path below `/proc/sys/net/`, and the value to write there.
pub type Trial = (String, String);

/// A scratch namespace has the defaults, but what the kernel takes for one key may depend on another. So the present
/// values of these are written first. The first unprivileged port and the port range bound each other: the one that is
/// refused before the other has moved is taken at the third line.
const CONTEXT: [&str; 3] =
    ["net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"];

/// Writing these makes the kernel load a module that is not there yet, which no namespace keeps from the machine.
const LOADS_A_MODULE: [&str; 1] = ["net.ipv4.tcp_congestion_control"];

/// Asks for every change, each namespace's in a scratch namespace of their own, in the order of the plan.
pub fn rehearse<E: std::fmt::Display>(
    plan: &mut Plan,
    snapshot: &Snapshot,
    ask: impl Fn(&[Trial]) -> Result<Vec<Answer>, E>,
) {
    for namespace in &snapshot.namespaces {
        let context =
            CONTEXT.iter().filter_map(|key| Some((keys::path_of_listed(key), namespace.sysctls.get(*key)?.clone())));
        let mut lines: Vec<Trial> = context.collect();
        let before = lines.len();
        let mut asked: Vec<&mut PlannedChange> = Vec::new();
        for change in plan.changes.iter_mut().filter(|change| change.namespace_id == namespace.id) {
            match not_to_ask(change.key) {
                Some(why) => change.rehearsed = Some(answer(RehearsalResult::NotPossible, why)),
                None => {
                    lines.push((keys::path_of_listed(&asked_of(change.name())), change.after.to_string()));
                    asked.push(change);
                }
            }
        }
        if asked.is_empty() {
            continue;
        }
        match ask(&lines) {
            Ok(answers) => {
                for (change, said) in asked.into_iter().zip(answers.iter().skip(before)) {
                    change.rehearsed = Some(entered(change, said));
                }
            }
            Err(error) => {
                for change in asked {
                    change.rehearsed = Some(answer(RehearsalResult::NotPossible, &error.to_string()));
                }
            }
        }
    }
}

/// A scratch namespace does not have the interface; its key takes the same values as that of new interfaces.
fn asked_of(name: &str) -> String {
    let of_one = InterfaceKey::of(name).filter(InterfaceKey::is_of_one);
    of_one.map_or_else(|| name.to_owned(), |parts| parts.with("default"))
}

/// Enters into an audit's recommendations what came of the same values in a plan that was made from it.
pub fn enter(audit: &mut Audit<'_>, plan: &Plan) {
    for finding in &mut audit.findings {
        for wish in &mut finding.recommendations {
            let same = |change: &&PlannedChange| {
                (&change.namespace, change.name()) == (&finding.namespace, wish.key.as_str())
                    && change.after == wish.proposed
            };
            let tried = plan.changes.iter().find(same).and_then(|change| change.rehearsed.as_ref());
            wish.rehearsed = tried.map(|said| said.result);
        }
    }
}

/// Takes out what the kernel does not take as it is.
pub fn drop_refused(plan: &mut Plan) {
    let Plan { changes, left_out, .. } = plan;
    changes.retain(|change| {
        let why = match change.rehearsed.as_ref().map(|said| (said.result, &said.value)) {
            Some((RehearsalResult::Refused, why)) => format!("the kernel rejects it: {why}"),
            Some((RehearsalResult::Changed, value)) => format!("the kernel changes it to another value: {value}"),
            _ => return true,
        };
        left_out.push(LeftOut::of(change, why));
        false
    });
}

/// Says of every change why nobody was asked.
pub fn not_rehearsed(plan: &mut Plan, why: &str) {
    for change in &mut plan.changes {
        change.rehearsed = Some(answer(RehearsalResult::NotPossible, why));
    }
}

fn not_to_ask(key: &Key) -> Option<&'static str> {
    if LOADS_A_MODULE.contains(&key.name.as_str()) {
        return Some("a write may load a kernel module");
    }
    let of_a_namespace = key.scope == Scope::Namespace && key.name.starts_with("net.");
    (!of_a_namespace).then_some("the key belongs to the machine, so a scratch namespace does not have it")
}

fn entered(change: &PlannedChange, said: &Answer) -> Rehearsed {
    match said {
        Answer::Refused(why) => answer(RehearsalResult::Refused, why),
        Answer::NotOurs(why) => answer(RehearsalResult::NotPossible, why),
        Answer::Taken { at_end, .. } => {
            let value = at_end.split_whitespace().collect::<Vec<_>>().join(" ");
            let same = keys::parse(change.key, &value).is_ok_and(|read| read == change.after);
            answer(if same { RehearsalResult::Accepted } else { RehearsalResult::Changed }, &value)
        }
    }
}

fn answer(result: RehearsalResult, value: &str) -> Rehearsed {
    Rehearsed { result, value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::super::example::{self, change};
    use super::*;
    use crate::report::example::snapshot;

    const RANGE: &str = "net.ipv4.ip_local_port_range";

    fn results(changes: Vec<PlannedChange>, answers: &[Answer]) -> (Vec<Rehearsed>, Vec<Trial>) {
        let asked = RefCell::new(Vec::new());
        let mut plan = Plan { changes, ..example::plan() };
        let mut snapshot = snapshot();
        snapshot.namespaces[0].sysctls = [(RANGE.to_owned(), "20000\t30000".to_owned())].into();
        rehearse(&mut plan, &snapshot, |lines| {
            asked.borrow_mut().extend(lines.to_vec());
            let context = Answer::Taken { at_once: String::new(), at_end: String::new() };
            Ok::<_, String>(std::iter::once(context).chain(answers.iter().cloned()).collect())
        });
        (plan.changes.into_iter().filter_map(|change| change.rehearsed).collect(), asked.into_inner())
    }

    fn taken(text: &str) -> Answer {
        Answer::Taken { at_once: text.to_owned(), at_end: text.to_owned() }
    }

    #[test]
    fn the_answer_stands_with_its_change_and_the_present_range_goes_before() {
        let changes = vec![
            change(RANGE, "20000 30000", "16384 65535"),
            change("net.ipv4.tcp_tw_reuse", "2", "1"),
            change("net.ipv4.tcp_fin_timeout", "30", "60"),
        ];
        let answers = [taken("16384\t65535"), Answer::Refused("Invalid argument".into()), taken("59")];
        let (results, asked) = results(changes, &answers);
        let expected = [
            (RehearsalResult::Accepted, "16384 65535"),
            (RehearsalResult::Refused, "Invalid argument"),
            (RehearsalResult::Changed, "59"),
        ];
        assert_eq!(results, expected.map(|(result, value)| answer(result, value)));
        assert_eq!(asked[0], ("/proc/sys/net/ipv4/ip_local_port_range".to_owned(), "20000\t30000".to_owned()));
        assert_eq!(asked.len(), 4);
    }

    #[test]
    fn keys_of_the_machine_and_those_that_load_modules_are_never_written() {
        let changes = vec![
            change("net.core.rmem_max", "1", "2"),
            change("net.ipv4.tcp_congestion_control", "cubic", "bbr"),
            change("fs.nr_open", "1", "2"),
            change("net.ipv4.tcp_mem", "1 1 1", "2 2 2"),
        ];
        let number = changes.len();
        let (results, asked) = results(changes, &[]);
        assert_eq!(asked, []);
        assert_eq!(results.len(), number);
        assert!(results.iter().all(|rehearsed| rehearsed.result == RehearsalResult::NotPossible), "{results:?}");
    }

    #[test]
    fn what_the_kernel_does_not_take_can_be_taken_out_with_its_answer() {
        let mut plan = example::plan();
        plan.changes[1].rehearsed = Some(answer(RehearsalResult::Refused, "Invalid argument"));
        drop_refused(&mut plan);
        assert_eq!(plan.changes.len(), 1);
        assert_eq!(plan.left_out.last().unwrap().why, "the kernel rejects it: Invalid argument");
    }

    #[test]
    fn without_a_scratch_namespace_every_change_says_why() {
        let mut plan = example::plan();
        rehearse(&mut plan, &snapshot(), |_| Err("Operation not permitted"));
        for change in &plan.changes {
            assert_eq!(change.rehearsed, Some(answer(RehearsalResult::NotPossible, "Operation not permitted")));
        }
    }
}
