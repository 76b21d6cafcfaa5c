//! Guards of journals that were written here.

use std::fs;

use super::*;
use crate::apply::change::journal::Journal;
use crate::apply::change::steps::Step;
use crate::apply::check::tests;
use crate::report::example::snapshot;

const HOST: &str = "net:[4026531840]";
const WORSE_IF: &str = "tcp.established > before.tcp.established + params.more";

fn guarded(worse_if: &str, more: serde_json::Value) -> Plan {
    let guard = Guard { rule: "a-rule".into(), worse_if: worse_if.into(), params: [("more".to_owned(), more)].into() };
    let mut change = tests::planned("net.core.somaxconn", "4096", "8192");
    change.namespace_id = HOST.into();
    // A rule that is behind two keys is judged once.
    change.guards = vec![guard.clone(), guard];
    tests::plan(vec![change])
}

fn before() -> Snapshot {
    let mut snapshot = snapshot();
    snapshot.system.uptime_ms = Some(1000);
    snapshot
}

fn after(established: u64) -> Snapshot {
    let mut snapshot = before();
    snapshot.system.uptime_ms = Some(31_000);
    snapshot.namespaces[0].sockets.as_mut().unwrap().states.established = established;
    snapshot
}

fn create(state: &Path, plan: &Plan, baseline: Option<&Snapshot>) -> RecordedChange {
    let begun = Step::Begun { namespace_id: HOST.into(), runtime_only: false, confirm_before: None };
    Journal::create(state, plan, baseline, "b00t", begun).unwrap().entry
}

#[test]
fn a_guard_is_judged_by_what_the_journal_kept() {
    let state = tempfile::tempdir().unwrap();
    create(state.path(), &guarded(WORSE_IF, 10.into()), Some(&before()));
    let worse = watch_over(state.path(), 1, &after(1300)).unwrap();
    assert_eq!(
        crate::apply::verdict::words(&worse),
        "guard of a-rule: worse than before: tcp.established was 1,203 sockets and is 1,300 sockets now (2 s before, 30 s since)"
    );
    let same = watch_over(state.path(), 1, &after(1210)).unwrap();
    assert!(!same[0].is_worse() && same[0].to_string().contains("not worse than before"), "{same:?}");
}

#[test]
fn nothing_that_is_wrong_with_a_baseline_or_a_guard_is_more_than_unknown() {
    let state = tempfile::tempdir().unwrap();
    let unknown = |id: u64| {
        let verdicts = watch_over(state.path(), id, &after(1300)).unwrap();
        assert_eq!(verdicts.len(), 1);
        match &verdicts[0].said {
            Said::Unknown(why) => why.clone(),
            other => panic!("{other:?}"),
        }
    };
    let plan = guarded(WORSE_IF, 10.into());
    let entry = create(state.path(), &plan, None);
    assert!(unknown(1).contains("nothing was measured before"));
    for damage in [&b""[..], b"{", b"\xff", b"{\"schema\":\"sysctl-advisor/snapshot/9\"}"] {
        fs::write(entry.folder.join(BASELINE), damage).unwrap();
        assert!(unknown(1).contains("baseline.json"), "{damage:?}: {}", unknown(1));
    }
    fs::remove_file(entry.folder.join(BASELINE)).unwrap();
    std::os::unix::fs::symlink("/dev/zero", entry.folder.join(BASELINE)).unwrap();
    assert!(unknown(1).contains("symbolic link"));
    create(state.path(), &guarded("nonsense >", 10.into()), Some(&before()));
    assert!(unknown(2).contains("its condition is invalid"));
    create(state.path(), &guarded(WORSE_IF, serde_json::json!([1])), Some(&before()));
    assert!(unknown(3).contains("parameter more"));
}

#[test]
fn only_what_guards_need_is_kept() {
    let kept = baseline(&guarded(WORSE_IF, 10.into()), &before()).unwrap();
    assert_eq!(kept.namespaces.len(), 1);
    assert_eq!(baseline(&tests::plan(vec![tests::planned("net.core.somaxconn", "1", "2")]), &before()), None);
}
