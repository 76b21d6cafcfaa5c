//! From the package to a finding that is resolved, and over a reboot: what a host sees that does nothing but install it.

use std::path::Path;

use serde_json::Value;

use super::support::container::Container;
use super::support::wait_until;
use super::{deb, words};

const RULE: &str = "timestamps-off";

/// A container with the package installed as it comes, but for the timer, which does not wait for the hour.
fn installed(folder: &Path) -> Container {
    let container = Container::boot_bare(folder);
    let package = format!("/mnt/{}", deb().file_name().unwrap().to_str().unwrap());
    let done = container.attempt(&["env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "-i", &package]);
    assert!(done.status.success(), "{}", words(&done));
    container.run(&["systemctl", "stop", "sysctl-advisor.timer"]);
    container.write(
        "/etc/systemd/system/sysctl-advisor.timer.d/soon.conf",
        "[Timer]\nOnCalendar=\nOnCalendar=*:*:*\nRandomizedDelaySec=0\nAccuracySec=100ms\n",
    );
    container.run(&["systemctl", "daemon-reload"]);
    container
}

fn json(container: &Container, command: &[&str]) -> Value {
    serde_json::from_str(&container.run(command)).unwrap()
}

fn history(container: &Container) -> Value {
    json(container, &["sysctl-advisor", "history", "--format", "json", RULE])
}

fn runs(container: &Container) -> usize {
    let overview = json(container, &["sysctl-advisor", "history", "--format", "json"]);
    overview["runs"].as_array().unwrap().len()
}

/// What the journal has of the rule.
fn told(container: &Container, event: &str) -> Vec<Value> {
    container.run(&["journalctl", "--sync"]);
    let (rule, event) = (format!("SYSCTL_ADVISOR_RULE={RULE}"), format!("SYSCTL_ADVISOR_EVENT={event}"));
    let text = container.run(&["journalctl", "-o", "json", "--no-pager", &rule, &event]);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn who_has_just_installed_it_sees_the_first_audit() {
    let container = installed(deb().parent().unwrap());
    container.run(&["journalctl", "--sync"]);
    let lines = container.run(&["journalctl", "-o", "cat", "--no-pager", "SYSCTL_ADVISOR_EVENT=run"]);
    assert!(lines.lines().count() == 1 && lines.ends_with(", nothing new\n"), "{lines}");
    // It is not running, which systemctl says by its exit code.
    let status = words(&container.attempt(&["systemctl", "status", "--no-pager", "--full", "sysctl-advisor.service"]));
    assert!(status.contains(lines.trim()), "{status}");
}

#[test]
fn a_fault_is_held_off_told_mended_resolved_and_remembered_over_a_reboot() {
    let folder = deb().parent().unwrap();
    let container = installed(folder);
    container.run(&["systemctl", "start", "sysctl-advisor.timer"]);
    wait_until("the timer made two runs", || {
        container.attempt(&["test", "-e", "/var/lib/sysctl-advisor/agent/history.db"]).status.success()
            && runs(&container) >= 2
    });

    // The fault appears, and is told once it held.
    container.run(&["sh", "-c", "echo 0 > /proc/sys/net/ipv4/tcp_timestamps"]);
    wait_until("the finding is told", || !told(&container, "new").is_empty());
    let new = told(&container, "new");
    assert_eq!(new.len(), 1, "{new:#?}");
    let (since, seen) = (&new[0]["SYSCTL_ADVISOR_SINCE"], &new[0]["SYSCTL_ADVISOR_SEEN"]);
    assert!(since.as_str() < seen.as_str(), "it was held off: first seen {since}, told of {seen}");

    // A person follows the advice.
    container.run(&["sysctl-advisor", "plan", "--only", RULE, "-o", "/root/plan.json"]);
    container.run(&["sysctl-advisor", "apply", "/root/plan.json", "--yes", "--window", "0"]);
    container.run(&["sysctl-advisor", "confirm"]);
    wait_until("it is told that the finding is resolved", || !told(&container, "resolved").is_empty());
    container.run(&["systemctl", "stop", "sysctl-advisor.timer"]);
    wait_until("the last run ended", || {
        !container.attempt(&["systemctl", "is-active", "sysctl-advisor.service"]).stdout.starts_with(b"activating")
    });
    assert_eq!((told(&container, "new").len(), told(&container, "resolved").len()), (1, 1));
    let of_rule = history(&container);
    assert!(of_rule.to_string().contains("resolved"), "{of_rule:#}");
    let overview = container.run(&["sysctl-advisor", "history"]);
    assert!(overview.contains("permanent") && overview.contains("net.ipv4.tcp_timestamps"), "{overview}");
    let audit = container.run(&["sysctl-advisor", "audit", "--full", "--window", "0"]);
    assert!(audit.contains("Resolved in the last day: ") && audit.contains(RULE), "{audit}");

    // The next boot has the state and the drop-in of this one.
    let before = runs(&container);
    let state = container.state();
    let drop_in = container.run(&["cat", "/etc/sysctl.d/90-sysctl-advisor.conf"]);
    let boot = |container: &Container| container.run(&["cat", "/proc/sys/kernel/random/boot_id"]);
    let first = boot(&container);
    drop(container);
    let container = installed(folder);
    assert_ne!(boot(&container), first);
    container.put_state(&state);
    container.write("/etc/sysctl.d/90-sysctl-advisor.conf", &drop_in);
    container.run(&["systemctl", "start", "sysctl-advisor.service"]);
    assert_eq!(runs(&container), before + 1);
    let report = json(&container, &["cat", "/var/lib/sysctl-advisor/agent/report.json"]);
    assert_eq!(report["window"]["source"], "sample", "no rate is computed over a reboot");
    let changes = container.run(&["sysctl-advisor", "changes"]);
    assert!(changes.contains("permanent"), "{changes}");
}
