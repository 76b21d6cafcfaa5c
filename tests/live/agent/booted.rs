//! Under a systemd that booted: the units as they are shipped, with shorter times only.

use std::path::Path;

use serde_json::Value;

use super::scene::GUARDED;
use crate::support::container::Container;
use crate::support::wait_until;

const UNITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/systemd");
const GAUGES: &str = "/run/sysctl-advisor/sysctl-advisor.prom";
const MESSAGE_NEW: &str = "ab16232450b141ca88f339c9ccc389ae";
/// Another value than the kernel's, which a shipped rule finds at the first look.
const BAD: &str = "net.ipv4.tcp_timestamps = 0\n";

/// A container with everything that the packages install, and each finding told in the first run.
pub(super) fn installed(conf: &str, agent: &str) -> Container {
    let container = Container::boot(conf);
    for (file, place) in [
        ("sysctl-advisor.service", "/usr/lib/systemd/system/sysctl-advisor.service"),
        ("sysctl-advisor.timer", "/usr/lib/systemd/system/sysctl-advisor.timer"),
        ("sysctl-advisor-apply.service", "/usr/lib/systemd/system/sysctl-advisor-apply.service"),
        ("sysctl-advisor-apply.timer", "/usr/lib/systemd/system/sysctl-advisor-apply.timer"),
        ("sysctl-advisor.catalog", "/usr/lib/systemd/catalog/sysctl-advisor.catalog"),
        ("sysctl-advisor.tmpfiles", "/usr/lib/tmpfiles.d/sysctl-advisor.conf"),
        ("sysctl-advisor.sysusers", "/usr/lib/sysusers.d/sysctl-advisor.conf"),
    ] {
        container.put(&Path::new(UNITS).join(file), place);
    }
    container.write("/etc/sysctl-advisor/sysctl-advisor.toml", agent);
    container.run(&["systemd-sysusers", "sysctl-advisor.conf"]);
    container.run(&["systemd-tmpfiles", "--create", "sysctl-advisor.conf"]);
    container.run(&["journalctl", "--update-catalog"]);
    container.run(&["systemctl", "daemon-reload"]);
    container
}

pub(super) const AT_ONCE: &str = "[agent]\nhold_off = 1\n";

/// Runs a service to its end.
pub(super) fn start(container: &Container, service: &str) {
    let started = container.attempt(&["systemctl", "start", service]);
    let log = || container.run(&["journalctl", "-u", service, "--no-pager"]);
    assert!(started.status.success(), "{}", log());
}

/// A run of root's, which has nothing to complain of.
fn by_hand(container: &Container) {
    let ran = container.attempt(&["sysctl-advisor", "agent"]);
    assert!(ran.status.success() && ran.stderr.is_empty(), "{}", String::from_utf8_lossy(&ran.stderr));
}

fn entries(container: &Container, matches: &[&str]) -> Vec<Value> {
    container.run(&["journalctl", "--sync"]);
    let text = container.run(&[&["journalctl", "-o", "json", "--all", "--no-pager"], matches].concat());
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_timer_fires_by_itself_and_a_user_that_owns_nothing_else_leaves_everything_in_its_place() {
    let container = installed(BAD, AT_ONCE);
    container.write(
        "/etc/systemd/system/sysctl-advisor.timer.d/soon.conf",
        "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\nRandomizedDelaySec=0\nAccuracySec=100ms\n",
    );
    container.run(&["systemctl", "daemon-reload"]);
    container.run(&["systemctl", "start", "sysctl-advisor.timer"]);
    wait_until("the timer fired", || container.attempt(&["test", "-e", GAUGES]).status.success());
    container.run(&["systemctl", "stop", "sysctl-advisor.timer"]);
    wait_until("the run ended", || {
        let state = container.attempt(&["systemctl", "is-active", "sysctl-advisor.service"]).stdout;
        ["inactive", "failed"].contains(&String::from_utf8_lossy(&state).trim())
    });
    let result = container.run(&["systemctl", "show", "-P", "Result", "sysctl-advisor.service"]);
    let log = container.run(&["journalctl", "-u", "sysctl-advisor.service", "--no-pager"]);
    assert_eq!(result.trim(), "success", "{log}");

    // One entry, with the fields that docs/agent.md names, from a user that exists for the service only.
    let found = entries(&container, &[&format!("MESSAGE_ID={MESSAGE_NEW}")]);
    let about: Vec<_> = found.iter().filter(|entry| entry["SYSCTL_ADVISOR_KEY"] == "net.ipv4.tcp_timestamps").collect();
    let [entry] = about.as_slice() else { panic!("{found:#?}\n{log}") };
    for (field, value) in [
        ("SYSCTL_ADVISOR_EVENT", "new"),
        ("SYSCTL_ADVISOR_CURRENT", "0"),
        ("SYSCTL_ADVISOR_PROPOSED", "1"),
        ("SYSLOG_IDENTIFIER", "sysctl-advisor"),
        ("_SYSTEMD_UNIT", "sysctl-advisor.service"),
    ] {
        assert_eq!(entry[field], value, "{field} {entry:#}");
    }
    for field in ["RULE", "SEVERITY", "KIND", "NETNS", "SUBJECT", "TITLE", "FINGERPRINT", "SINCE", "SEEN"] {
        let value = entry[format!("SYSCTL_ADVISOR_{field}")].as_str().unwrap_or_default();
        assert!(!value.is_empty(), "{field} {entry:#}");
    }
    let uid: u32 = entry["_UID"].as_str().unwrap().parse().unwrap();
    assert!((61_184..=65_519).contains(&uid), "{uid} is not a user that systemd made up");

    // The catalogue's words, with the fields filled in.
    let explained = container.run(&["journalctl", "-x", "--no-pager", &format!("MESSAGE_ID={MESSAGE_NEW}")]);
    assert!(explained.contains("Subject: New finding: "), "{explained}");
    let rule = entry["SYSCTL_ADVISOR_RULE"].as_str().unwrap();
    assert!(explained.contains(&format!("`sysctl-advisor explain {rule}` says what")), "{explained}");
    assert!(!explained.contains("@SYSCTL"), "{explained}");

    // The folders: S is root's, the agent's part a link to where only root and the service get.
    let facts = |path: &str| container.run(&["stat", "-c", "%U %F %a", path]).trim().to_owned();
    assert_eq!(facts("/var/lib/sysctl-advisor"), "root directory 755");
    assert_eq!(facts("/var/lib/sysctl-advisor/agent"), "root symbolic link 777");
    let report: Value =
        serde_json::from_str(&container.run(&["cat", "/var/lib/sysctl-advisor/agent/report.json"])).unwrap();
    assert_eq!(report["schema"], "sysctl-advisor/report/1");
    let kept: Vec<_> = report["findings"].as_array().unwrap().iter().map(|finding| &finding["rule"]).collect();
    assert!(kept.contains(&&Value::from(rule)), "{kept:?}");

    // As node_exporter would: another user, who is in no group of ours.
    let gauges = container.run(&["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "cat", GAUGES]);
    assert!(gauges.contains(&format!("rule=\"{rule}\"")), "{gauges}");
    assert!(!container.attempt(&["setpriv", "--reuid=nobody", "--clear-groups", "touch", GAUGES]).status.success());
}

#[test]
fn a_run_of_root_by_hand_is_in_nobodys_way() {
    let container = installed(BAD, AT_ONCE);
    start(&container, "sysctl-advisor.service");
    let report = "/var/lib/sysctl-advisor/agent/report.json";
    let before = container.run(&["stat", "-c", "%i", report]);
    by_hand(&container);
    assert_ne!(container.run(&["stat", "-c", "%i", report]), before, "it wrote a report of its own");
    let owners =
        container.run(&["sh", "-c", "cd /var/lib/sysctl-advisor/agent && stat -c '%n %u' * && stat -c '%n %u' ."]);
    let uids: std::collections::BTreeSet<_> = owners.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert!(uids.len() == 1 && !uids.contains("0"), "{owners}");
    start(&container, "sysctl-advisor.service");
    let log = container.run(&["journalctl", "-u", "sysctl-advisor.service", "-p", "err", "--no-pager"]);
    assert!(log.contains("No entries"), "{log}");
    let new = entries(&container, &[&format!("MESSAGE_ID={MESSAGE_NEW}")]);
    let runs = container.run(&["journalctl", "-u", "sysctl-advisor.service", "--no-pager"]);
    assert_eq!(
        new.iter().filter(|entry| entry["SYSCTL_ADVISOR_KEY"] == "net.ipv4.tcp_timestamps").count(),
        1,
        "{runs}"
    );
}

#[test]
fn root_may_be_the_first_and_the_service_takes_over() {
    let container = installed(BAD, AT_ONCE);
    by_hand(&container);
    start(&container, "sysctl-advisor.service");
    let log = container.run(&["journalctl", "-u", "sysctl-advisor.service", "--no-pager"]);
    let report = container.run(&["cat", "/var/lib/sysctl-advisor/agent/report.json"]);
    assert!(report.contains("tcp_timestamps"), "{log}");
    assert!(!log.contains("cannot use"), "{log}");
}

/// A second network namespace, that only root may look into.
fn blue(container: &Container) {
    container.run(&["ip", "netns", "add", "blue"]);
}

fn namespaces(container: &Container) -> (Vec<String>, String) {
    let report = container.run(&["cat", "/var/lib/sysctl-advisor/agent/report.json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    let names = report["namespaces"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned());
    (names.collect(), report["gaps"].to_string())
}

#[test]
fn without_capabilities_other_namespaces_are_told_as_unseen_and_with_the_ones_of_the_comment_they_are_seen() {
    let container = installed("", AT_ONCE);
    blue(&container);
    start(&container, "sysctl-advisor.service");
    let (names, gaps) = namespaces(&container);
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(gaps.contains("blue: Operation not permitted"), "{gaps}");

    // The drop-in that the unit's comment gives, as it stands there.
    let unit = std::fs::read_to_string(Path::new(UNITS).join("sysctl-advisor.service")).unwrap();
    let lines: Vec<_> = unit.lines().take_while(|line| line.starts_with('#')).collect();
    let begin = lines.iter().position(|line| line.trim_start_matches("# ").trim() == "[Service]").unwrap();
    let drop_in: String =
        lines[begin..].iter().map(|line| line.trim_start_matches('#').trim().to_owned() + "\n").collect();
    container.write("/etc/systemd/system/sysctl-advisor.service.d/more.conf", &drop_in);
    container.run(&["systemctl", "daemon-reload"]);
    start(&container, "sysctl-advisor.service");
    let (names, gaps) = namespaces(&container);
    assert!(names.contains(&"blue".to_owned()), "{names:?} {gaps}\n{drop_in}");
}

#[test]
fn the_second_service_applies_what_held_and_takes_it_back_when_the_guard_says_worse() {
    const KEY: &str = "net.ipv4.tcp_keepalive_time";
    let container = installed("", "[agent]\nhold_off = 1\napply = true\n[apply]\nonly = [\"net.ipv4.tcp_keep*\"]\n");
    container.write("/etc/sysctl-advisor/rules.d/keepalive-late.toml", GUARDED);
    let value = || container.run(&["sysctl", "-n", KEY]).trim().to_owned();
    let told =
        |id: &str| entries(&container, &["_SYSTEMD_UNIT=sysctl-advisor-apply.service", &format!("MESSAGE_ID={id}")]);
    start(&container, "sysctl-advisor.service");
    start(&container, "sysctl-advisor-apply.service");
    let log = container.run(&["journalctl", "-u", "sysctl-advisor-apply.service", "--no-pager"]);
    assert_eq!(value(), "600", "{log}");
    let applied = told("67969dcd3d844d17b6dea7599d09d0ce");
    assert_eq!(applied.len(), 1, "{log}");
    assert_eq!(applied[0]["SYSCTL_ADVISOR_VALUES"], format!("{KEY} 7200 -> 600"));
    assert_eq!(applied[0]["SYSCTL_ADVISOR_CHANGE"], "1");

    // Twenty connections, held by a service of their own.
    let load = "use IO::Socket::INET; my $l = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1:8080') or die; \
                my @c = map { my $c = IO::Socket::INET->new('127.0.0.1:8080') or die; ($c, scalar $l->accept) } 1..20; \
                sleep 600";
    container.run(&["systemd-run", "--quiet", "--unit=load", "perl", "-e", load]);
    wait_until("the connections stand", || {
        container.run(&["ss", "-tHn", "state", "established"]).lines().count() >= 40
    });
    start(&container, "sysctl-advisor-apply.service");
    let log = container.run(&["journalctl", "-u", "sysctl-advisor-apply.service", "--no-pager"]);
    assert_eq!(value(), "7200", "{log}");
    let back = told("ece3c02ce9544bf88b7e7afaf95dfe6e");
    assert_eq!(back.len(), 1, "{log}");
    assert!(back[0]["SYSCTL_ADVISOR_WHY"].as_str().unwrap().contains("worse than before"), "{log}");
    // Both services go on, each with files of its own.
    start(&container, "sysctl-advisor.service");
    start(&container, "sysctl-advisor-apply.service");
    assert_eq!(value(), "7200");
    let owner = |path: &str| container.run(&["stat", "-c", "%U", path]).trim().to_owned();
    assert_eq!(owner("/var/lib/sysctl-advisor/changes"), "root");
    assert_ne!(owner("/var/lib/sysctl-advisor/agent/history.db"), "root");
}
