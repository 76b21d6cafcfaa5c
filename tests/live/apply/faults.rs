//! Killed, out of disk, refused by the disk: at every point where something is written.
//!
//! strace ends the process, or answers for the kernel, at the n-th call of one kind, for every n until there are no more.
//! Whatever the point: afterwards the host has all former values, or all new ones, or a rollback brings the former back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not in a #[test] function")]

use std::collections::BTreeMap;
use std::fs;

use super::guards::{MORE_CONNECTIONS, guarded};
use super::scene::{Changes, DROP_IN, Run, Scene, THREE};
use crate::support::wait_until;

/// System calls that change something outside of the process, or may. A run with one that stands neither here nor among
/// those that [`change nothing`](NEITHER) fails the test, so that no point is overlooked.
const CALLS: [&str; 15] = [
    "openat",
    "write",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "mkdir",
    "unlink",
    "unlinkat",
    "rmdir",
    "ftruncate",
    "fchmod",
    "flock",
    "landlock_restrict_self",
    "exit_group",
];

const NEITHER: [&str; 46] = [
    "access",
    "arch_prctl",
    "brk",
    "close",
    "execve",
    "fcntl",
    "getdents64",
    "geteuid",
    "getpid",
    "getrandom",
    "gettid",
    "mmap",
    "mprotect",
    "munmap",
    "newfstatat",
    "poll",
    "pread64",
    "prlimit64",
    "read",
    "readlink",
    "rseq",
    "rt_sigaction",
    "sched_getaffinity",
    "set_robust_list",
    "set_tid_address",
    "sigaltstack",
    "statx",
    "prctl",
    "landlock_create_ruleset",
    "landlock_add_rule",
    "uname",
    "sysinfo",
    "ioctl",
    "lseek",
    "mremap",
    "futex",
    "fstat",
    "statfs",
    "rt_sigprocmask",
    "signalfd4",
    "sched_yield",
    "socket",
    "setsockopt",
    "sendto",
    "recvfrom",
    "madvise",
];

/// Every point of a run at which something is about to be written, as (call, n): what strace saw of an undisturbed run.
pub(super) fn points(scene: &Scene, arguments: &[&str]) -> Vec<(String, usize)> {
    let run = scene.under_strace(&[], arguments);
    assert_eq!(run.code, Some(0), "{run:?}");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut points = Vec::new();
    for line in fs::read_to_string(scene.trace()).unwrap().lines() {
        let Some((call, rest)) = line.split_once('(') else { continue };
        if NEITHER.contains(&call) {
            continue;
        }
        assert!(CALLS.contains(&call), "a system call that these tests do not know: {line}");
        let count = counts.entry(call.to_owned()).or_default();
        *count += 1;
        let writes = call != "openat" || ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| rest.contains(flag));
        if writes {
            points.push((call.to_owned(), *count));
        }
    }
    points
}

pub(super) fn inject(call: &str, what: &str, n: usize) -> Vec<String> {
    vec!["-e".to_owned(), format!("trace={call}"), "-e".to_owned(), format!("inject={call}:{what}:when={n}")]
}

/// Rolls back what there is to roll back; afterwards the values are the former ones, whatever the run before came to.
fn assert_way_back(scene: &Scene, changes: Changes<'_>, point: &str, before: &Run) {
    if !scene.state().join("changes/1").exists() {
        assert!(scene.is_old(changes), "{point}: written without a journal: {before:?}");
        return;
    }
    let back = scene.run(&["rollback", "--last", "--yes"]);
    let nothing_left = back.code == Some(2) && back.err.contains("no change to roll back");
    assert!(back.code == Some(0) || nothing_left, "{point}: {before:?}\n{back:?}");
    assert!(scene.is_old(changes), "{point}: {before:?}\n{back:?}");
}

#[test]
fn killed_at_every_point_of_apply_the_values_are_the_former_or_come_back() {
    let scene = Scene::enter();
    let (plain, plain_came_to) = killed_at_every_point(&scene, &scene.plan(THREE));
    let (measured, came_to) = killed_at_every_point(&scene, &guarded(&scene, "a-rule", MORE_CONNECTIONS));
    println!("apply: {plain} kill points: {plain_came_to}; {measured} with a baseline: {came_to}");
    assert!(measured > plain, "the baseline is written too: {measured}, {plain}");
}

/// Applies the plan once for every point; returns how many there are, and what the values were afterwards.
fn killed_at_every_point(scene: &Scene, plan: &str) -> (usize, String) {
    scene.reset(THREE);
    let apply = ["apply", plan, "--yes", "--window", "0"];
    let points = points(scene, &apply);
    let (mut old, mut new, mut mixed) = (0, 0, 0);
    for (call, n) in &points {
        scene.reset(THREE);
        let point = format!("apply killed at {call} {n}");
        let run = scene.under_strace(&inject(call, "signal=SIGKILL", *n), &apply);
        assert_ne!(run.code, Some(0), "{point}: it was not killed");
        match (scene.is_old(THREE), scene.is_new(THREE)) {
            (true, _) => old += 1,
            (_, true) => new += 1,
            _ => mixed += 1,
        }
        assert_way_back(scene, THREE, &point, &run);
        // And nothing of it stands in the way of the next one.
        scene.ok(&apply);
        assert!(scene.is_new(THREE), "{point}");
        // What has a number is complete, the baseline too.
        let newest = Scene::names(&scene.state().join("changes")).pop().unwrap();
        assert!(scene.ok(&["changes", &newest]).out.contains("not worse") == plan_has_guards(plan), "{point}");
    }
    assert!(points.len() >= 40 && mixed >= 4 && new >= 1, "{points:?}");
    (points.len(), format!("values afterwards {old} former, {new} new, {mixed} mixed"))
}

fn plan_has_guards(plan: &str) -> bool {
    fs::read_to_string(plan).unwrap().contains("worse_if")
}

#[test]
fn killed_at_every_point_of_confirm_or_rollback_the_way_back_stays_open() {
    let scene = Scene::enter();
    let former = "# former\nnet.ipv4.tcp_sack = 1\n";
    let prepare = |confirmed: bool| {
        scene.reset(THREE);
        fs::write(scene.path(DROP_IN), former).unwrap();
        scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
        if confirmed {
            scene.ok(&["confirm"]);
        }
    };
    for (arguments, confirmed) in [(&["confirm"][..], false), (&["rollback", "1", "--yes"], true)] {
        prepare(confirmed);
        let points = points(&scene, arguments);
        for (call, n) in &points {
            prepare(confirmed);
            let new = scene.drop_in();
            let point = format!("{arguments:?} killed at {call} {n}");
            let run = scene.under_strace(&inject(call, "signal=SIGKILL", *n), arguments);
            assert_ne!(run.code, Some(0), "{point}: it was not killed");
            let text = scene.drop_in();
            let whole =
                text.as_deref() == Some(former) || text == new || text.as_ref().is_some_and(|text| ends_well(text));
            assert!(whole, "{point}: half a drop-in: {text:?}");
            assert_way_back(&scene, THREE, &point, &run);
            assert_eq!(scene.drop_in().as_deref(), Some(former), "{point}: {run:?}");
        }
        println!("{}: {} kill points", arguments[0], points.len());
        assert!(points.len() >= 15, "{points:?}");
    }
}

/// Whether a drop-in has the last of the three values.
fn ends_well(text: &str) -> bool {
    text.ends_with("net.ipv4.ip_local_port_range = 20000 60999\n")
}

#[test]
fn an_interrupted_confirmation_can_be_finished() {
    let scene = Scene::enter();
    // Before and after the drop-in gets its name.
    for (call, n, has_drop_in) in [("renameat", 2, false), ("fsync", 4, true)] {
        scene.reset(THREE);
        scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
        scene.under_strace(&inject(call, "signal=SIGKILL", n), &["confirm"]);
        assert_eq!(scene.drop_in().is_some(), has_drop_in, "{call} {n}");
        let changes = scene.ok(&["changes"]).out;
        assert!(changes.contains("interrupted while it was made permanent"), "{call} {n}: {changes}");
        scene.ok(&["confirm"]);
        assert!(ends_well(&scene.drop_in().unwrap()));
        scene.ok(&["rollback", "1", "--yes"]);
        assert_eq!(scene.drop_in(), None);
    }
}

#[test]
fn killed_half_way_it_is_rolled_back_by_itself_when_that_was_asked_for() {
    let scene = Scene::enter();
    let apply = ["apply", &scene.plan(THREE), "--yes", "--confirm-within", "1s"];
    let (mut half_way, mut back) = (0, 0);
    for n in 1..=7 {
        scene.reset(THREE);
        let run = scene.under_strace(&inject("fdatasync", "signal=SIGKILL", n), &apply);
        assert_ne!(run.code, Some(0), "{n}: it was not killed");
        half_way += usize::from(!scene.is_old(THREE) && !scene.is_new(THREE));
        wait_until("nobody confirmed", || {
            let changes = scene.ok(&["changes"]).out;
            changes.contains("rolled back") && !changes.contains("interrupted") && !changes.contains("in part")
        });
        assert!(scene.is_old(THREE), "{n}: {run:?}");
        back += 1;
    }
    assert!(half_way >= 3 && back == 7, "{half_way}");
}

/// Exit code 0 means all new, anything else all former values.
fn assert_told(scene: &Scene, changes: Changes<'_>, point: &str, run: &Run) {
    match run.code {
        Some(0) => assert!(scene.is_new(changes), "{point}: {run:?}"),
        // 1: its own output or file could not be written.
        Some(1 | 2 | 4) => assert!(scene.is_old(changes), "{point}: {run:?}"),
        _ => panic!("{point}: {run:?}"),
    }
}

#[test]
fn when_any_call_fails_the_values_are_all_former_or_all_new_and_the_exit_code_says_which() {
    let scene = Scene::enter();
    let apply = ["apply", &scene.plan(THREE), "--yes"];
    let points = points(&scene, &apply);
    let mut tried = 0;
    for (call, n) in points.iter().filter(|(call, _)| call != "exit_group" && call != "landlock_restrict_self") {
        for error in if call.contains("sync") { &["EIO"][..] } else { &["ENOSPC", "EROFS"] } {
            scene.reset(THREE);
            let point = format!("{call} {n} answers {error}");
            let run = scene.under_strace(&inject(call, &format!("error={error}"), *n), &apply);
            assert_told(&scene, THREE, &point, &run);
            assert_way_back(&scene, THREE, &point, &run);
            tried += 1;
        }
    }
    println!("apply: {tried} failing calls");
    assert!(tried >= 60, "{tried}");
}

#[test]
fn when_the_disk_refuses_from_some_point_on_the_values_are_the_former_ones() {
    let scene = Scene::enter();
    let apply = ["apply", &scene.plan(THREE), "--yes"];
    let points = points(&scene, &apply);
    for (call, n) in points.iter().filter(|(call, _)| call.contains("sync")) {
        scene.reset(THREE);
        let point = format!("{call} answers EIO from {n} on");
        let mut strace = inject(call, "error=EIO", *n);
        strace.last_mut().unwrap().push('+');
        let run = scene.under_strace(&strace, &apply);
        assert_eq!(run.code, Some(4), "{point}: {run:?}");
        assert!(scene.is_old(THREE), "{point}: {run:?}");
        assert_way_back(&scene, THREE, &point, &run);
    }
}

/// Enough keys for the journal to outgrow a page, the least that a small file system gives out.
const MANY: Changes<'static> = &[
    ("net.core.somaxconn", "4096", "8192"),
    ("net.ipv4.tcp_fin_timeout", "60", "30"),
    ("net.ipv4.tcp_sack", "1", "0"),
    ("net.ipv4.tcp_dsack", "1", "0"),
    ("net.ipv4.tcp_window_scaling", "1", "0"),
    ("net.ipv4.tcp_timestamps", "1", "0"),
    ("net.ipv4.tcp_keepalive_time", "7200", "600"),
    ("net.ipv4.tcp_keepalive_intvl", "75", "30"),
    ("net.ipv4.tcp_keepalive_probes", "9", "5"),
    ("net.ipv4.tcp_retries1", "3", "4"),
    ("net.ipv4.tcp_retries2", "15", "10"),
    ("net.ipv4.tcp_syn_retries", "6", "5"),
    ("net.ipv4.tcp_synack_retries", "5", "4"),
    ("net.ipv4.tcp_slow_start_after_idle", "1", "0"),
    ("net.ipv4.tcp_mtu_probing", "0", "1"),
    ("net.ipv4.tcp_syncookies", "1", "2"),
];

#[test]
fn whatever_room_a_full_disk_leaves_the_values_are_all_former_or_all_new() {
    let scene = Scene::enter();
    let plan = scene.plan(MANY);
    let (mut nothing, mut undone, mut done) = (0, 0, 0);
    fs::create_dir(scene.folder.path().join("small")).unwrap();
    let small = scene.folder.path().join("small");
    let state = small.join("state");
    for pages in 1..=24 {
        scene.shell(&format!("mount -t tmpfs -o mode=755,size={} tmpfs {}", pages * 4096, small.display()));
        let mut command = scene.inside(env!("CARGO_BIN_EXE_sysctl-advisor"));
        let run = super::scene::finish(command.args(["apply", &plan, "--yes", "--state-dir"]).arg(&state));
        let point = format!("{pages} pages");
        assert_told(&scene, MANY, &point, &run);
        let has_journal = scene.path(state.join("changes/1").to_str().unwrap()).exists();
        match (run.code, has_journal) {
            (Some(0), _) => done += 1,
            (_, true) => undone += 1,
            (_, false) => nothing += 1,
        }
        if run.code == Some(0) {
            let mut command = scene.inside(env!("CARGO_BIN_EXE_sysctl-advisor"));
            super::scene::finish(command.args(["rollback", "--last", "--yes", "--state-dir"]).arg(&state));
            assert!(scene.is_old(MANY), "{point}: a full disk must not keep the values from coming back");
        }
        scene.shell(&format!("umount {}", small.display()));
    }
    println!("disk full: {nothing} without a journal, {undone} undone, {done} done");
    assert!(nothing > 0 && undone > 0 && done > 0, "{nothing} {undone} {done}");
}

#[test]
fn a_read_only_state_directory_stops_everything_before_it_begins() {
    let scene = Scene::enter();
    fs::create_dir(scene.state()).unwrap();
    let state = scene.state().display().to_string();
    scene.shell(&format!("mount -t tmpfs -o ro,mode=755 tmpfs {state}"));
    let run = scene.run(&["apply", &scene.plan(THREE), "--yes"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(run.err.contains("Read-only file system") && run.err.contains("nothing was changed"), "{run:?}");
    assert!(scene.is_old(THREE));
}

#[test]
fn without_landlock_it_says_so_and_goes_on() {
    let scene = Scene::enter();
    let mut strace = inject("landlock_create_ruleset", "error=ENOSYS", 1);
    strace.last_mut().unwrap().push('+');
    let run = scene.under_strace(&strace, &["apply", &scene.plan(THREE), "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.out.contains("not enforced: this kernel has no Landlock") && scene.is_new(THREE), "{run:?}");
}
