//! A machine that shows little, or lies: each test in mount and network namespaces of its own.

use super::{PROGRAM, Run, command, finish, program};

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli");
const AUDIT: [&str; 7] = [PROGRAM, "--config", "/dev/null", "audit", "--full", "--window", "100ms"];
/// Another user, without a single capability.
const NOBODY: [&str; 6] =
    ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--no-new-privs"];

/// An audit in which `/proc` is a copy that was damaged by this piece of shell.
fn damaged(damage: &str, as_nobody: bool) -> Run {
    let tree = tempfile::tempdir().unwrap();
    let mut unshare = command("unshare");
    unshare.args(["--mount", "--net", "sh", &format!("{HERE}/damaged_proc.sh")]).arg(tree.path()).arg(damage);
    if as_nobody {
        unshare.args(NOBODY);
    }
    let run = finish(unshare.args(AUDIT));
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:?}");
    run
}

/// The lines of a section of the report, joined where they were wrapped.
fn section(run: &Run, heading: &str) -> String {
    let lines = run.out.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| !line.is_empty());
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

#[test]
fn a_copy_of_proc_serves_as_well_as_the_real_one() {
    let run = damaged("true", false);
    assert_eq!(section(&run, "Not checked"), "", "{}", run.out);
    assert!(!run.out.contains("/proc/net/netstat"), "{}", run.out);
}

#[test]
fn without_netstat_the_rules_on_its_counters_are_skipped_with_the_reason() {
    let run = damaged("rm thread-self/net/netstat", false);
    let skipped = section(&run, "Not checked");
    let reason = "delta.TcpExt.ListenOverflows: /proc/net/netstat: No such file or directory accept-queue-overflow";
    assert!(skipped.contains(reason), "{}", run.out);
    let gaps = section(&run, "Could not be read");
    assert!(gaps.contains("counters.TcpExt (/proc/net/netstat: No such file or directory)"), "{}", run.out);
    assert!(run.out.contains("checks skipped."), "{}", run.out);
}

#[test]
fn a_counter_that_the_kernel_does_not_have_skips_what_needs_it_and_nothing_else() {
    let run = damaged("sed -i 's/ ListenOverflows / Something /' thread-self/net/netstat", false);
    let skipped = section(&run, "Not checked");
    let reason = "this network namespace: this kernel has no counter TcpExt.ListenOverflows accept-queue-overflow";
    assert!(skipped.starts_with(reason), "{}", run.out);
    assert!(!skipped.contains("TCPTimeWaitOverflow"), "{}", run.out);
}

#[test]
fn a_key_that_may_not_be_read_is_a_gap() {
    let run = damaged("chmod 0400 sys/net/ipv4/tcp_syncookies", true);
    let why = "/proc/sys/net/ipv4/tcp_syncookies: Permission denied";
    assert!(section(&run, "Not checked").contains(&format!("net.ipv4.tcp_syncookies: {why}")), "{}", run.out);
    assert!(section(&run, "Could not be read").contains(&format!("net.ipv4.tcp_syncookies ({why})")), "{}", run.out);
}

#[test]
fn without_any_sysctl_the_report_does_not_claim_that_the_kernel_has_no_keys() {
    let run = damaged("rm -r sys/net", false);
    let skipped = section(&run, "Not checked");
    assert!(skipped.contains("net.ipv4.tcp_syncookies: /proc/sys/net: No such file or directory"), "{}", run.out);
    assert!(!skipped.contains("has no key"), "{}", run.out);
}

#[test]
fn noise_in_place_of_every_file_is_survived_and_never_passed_on() {
    // The same noise in every file; a new one each time would take a process each.
    for seed in 0..3 {
        let noise = format!(
            "python3 -c 'import random, sys; sys.stdout.buffer.write(random.Random({seed}).randbytes(3000))' > /dev/shm/$$; \
             find . -type f -exec cp /dev/shm/$$ {{}} \\; ; rm /dev/shm/$$"
        );
        let run = damaged(&noise, false);
        assert!(run.out.contains("checks skipped."), "{}", run.out);
        assert!(!run.out.contains(|c: char| c.is_control() && c != '\n'), "{}", run.out);
    }
}

#[test]
fn huge_numbers_in_every_counter_are_survived() {
    let run =
        damaged("sed -i -E 's/[0-9]+/99999999999999999999/g' thread-self/net/netstat thread-self/net/snmp", false);
    assert!(section(&run, "Could not be read").contains("/proc/net/netstat"), "{}", run.out);
}

#[test]
fn a_host_of_which_nothing_can_be_seen_is_exit_code_3() {
    // /proc is empty, and netlink is refused.
    let script = "mount -t tmpfs none /proc && exec \"$@\"";
    let mut unshare = command("unshare");
    unshare.args(["--mount", "--net", "python3", &format!("{HERE}/without_netlink.py"), "/bin/sh", "-c", script, "sh"]);
    let run = finish(unshare.args(AUDIT));
    assert_eq!((run.code, run.out.as_str()), (3, ""), "{run:?}");
    assert!(run.err.starts_with("error: nothing of this host's network could be read: /proc/"), "{run:?}");
    assert_eq!(run.err.lines().count(), 1, "{run:?}");
}

#[test]
fn where_netlink_is_refused_the_tables_of_proc_serve_and_the_report_says_so() {
    let run = finish(
        command("unshare")
            .args(["--net", "python3", &format!("{HERE}/without_netlink.py")])
            .args(AUDIT)
            .arg("--netns=current"),
    );
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:?}");
    assert!(
        run.out.replace('\n', " ").contains("(read through /proc/net/tcp: no queue limits, no ages)"),
        "{}",
        run.out
    );
    assert!(
        section(&run, "Could not be read").contains("listener.limit (/proc/net/tcp does not contain it"),
        "{}",
        run.out
    );
}

/// A listener and a connection of root's, looked at by a user without a capability.
const OF_ANOTHER_USER: &str = r#"
import os, socket, subprocess, sys
subprocess.check_call(["ip", "link", "set", "lo", "up"])
listener = socket.create_server(("127.0.0.1", 9000))
held = []
for _ in range(30):
    client = socket.create_connection(("127.0.0.1", 9000))
    held.append(listener.accept()[0])
    client.close()
sys.exit(subprocess.call(sys.argv[1:]))
"#;

#[test]
fn without_privilege_it_works_and_says_what_it_could_not_see() {
    let (_folder, program) = program::for_every_user();
    let mut unshare = command("unshare");
    unshare.args(["--net", "python3", "-c", OF_ANOTHER_USER]).args(NOBODY).arg(&program).args(&AUDIT[1..]);
    let run = finish(unshare.args(["--param", "close-wait-leak.seconds=0"]));
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:?}");
    assert!(run.out.contains("uid 0 has not closed 30 connections"), "{}", run.out);
    let gaps = section(&run, "Could not be read");
    let why = "processes cannot be examined without privileges";
    assert!(
        gaps.contains("this network namespace: owners (the process of 31 sockets is unknown; ") && gaps.contains(why),
        "{}",
        run.out
    );
}

#[test]
fn a_snapshot_of_a_namespace_audits_to_the_same_findings_as_the_namespace() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"
        set -e
        ip link set lo up
        echo 0 > /proc/sys/net/ipv4/tcp_syncookies
        python3 -c 'import socket, sys, time; s = socket.create_server(("0.0.0.0", 9000)); print(flush=True); time.sleep(60)' > "$2/ready" &
        while ! [ -s "$2/ready" ]; do sleep 0.05; done
        "$1" --config /dev/null snapshot --window 100ms -o "$2/s.json"
        "$1" --config /dev/null audit --window 100ms --format json -o "$2/live.json"
        "$1" --config /dev/null audit --snapshot "$2/s.json" --format json -o "$2/replayed.json"
        kill $!
    "#;
    let run = finish(command("unshare").args(["--net", "sh", "-c", script, "sh", PROGRAM]).arg(folder.path()));
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:?}");
    let report = |name: &str| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(folder.path().join(name)).unwrap()).unwrap()
    };
    let (live, replayed) = (report("live.json"), report("replayed.json"));
    assert_eq!(live["findings"], replayed["findings"]);
    assert_eq!(live["skipped"], replayed["skipped"]);
    assert_eq!(live["namespaces"][0]["tcp"], replayed["namespaces"][0]["tcp"]);
    assert_eq!(live["findings"][0]["rule"], "syncookies-off");
}

#[test]
fn one_reading_skips_the_rules_on_rates_and_says_why() {
    let run = finish(command("unshare").args([
        "--net",
        PROGRAM,
        "--config",
        "/dev/null",
        "audit",
        "--full",
        "--window",
        "0",
    ]));
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:?}");
    assert!(section(&run, "Not checked").contains("needs a reading at both ends of the window"), "{}", run.out);
}
