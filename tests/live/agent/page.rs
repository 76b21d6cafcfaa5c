//! The commands of systemd that `docs/troubleshooting.md` gives, each run where the packages install the units.
//!
//! In: the page. Out: nothing but assertions. Must not: have a command of its own; one that the page has and this does not
//! know fails, so that it gets a check.

use super::booted::{AT_ONCE, installed, start};
use crate::support::container::Container;

const PROGRAMS: [&str; 4] = ["systemctl", "journalctl", "systemd-tmpfiles", "ls"];
const FOLDER_OF_GAUGES: &str = "/run/sysctl-advisor";
const EDITOR: &str = "/root/editor";

/// The indented lines of the page that begin with one of the programs, without `sudo`: the test is root.
fn commands(page: &str) -> Vec<&str> {
    let lines = page.lines().filter_map(|line| line.strip_prefix("    "));
    let lines = lines.map(|line| line.strip_prefix("sudo ").unwrap_or(line));
    lines.filter(|line| PROGRAMS.contains(&line.split(' ').next().unwrap_or_default())).collect()
}

/// What a person would see after the command; `out` is what it printed.
fn check(container: &Container, command: &str, out: &str) {
    let property = |unit: &str, name: &str| container.run(&["systemctl", "show", "-P", name, unit]).trim().to_owned();
    match command.split(' ').collect::<Vec<_>>().as_slice() {
        ["systemctl", "cat", _] => assert!(out.contains("CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_DAC_READ_SEARCH"), "{out}"),
        ["systemctl", "list-timers", timer] => assert!(out.contains(timer), "{out}"),
        ["journalctl", ..] => assert!(out.contains("TCP timestamps are off"), "{out}"),
        ["systemctl", "start", unit] => assert_eq!(property(unit, "Result"), "success"),
        ["systemctl", "edit", unit] => assert_eq!(property(unit, "Nice"), "7"),
        ["systemctl", "enable", "--now", timer] => assert_eq!(property(timer, "ActiveState"), "active"),
        ["systemd-tmpfiles", ..] => drop(container.run(&["test", "-d", FOLDER_OF_GAUGES])),
        ["ls", ..] => assert!(out.starts_with("drwxrwsr-x") && out.contains("root sysctl-advisor"), "{out}"),
        _ => panic!("docs/troubleshooting.md: `{command}` has no check here"),
    }
}

#[test]
fn every_command_of_systemd_in_troubleshooting_does_what_the_page_says() {
    let commands = commands(include_str!("../../../docs/troubleshooting.md"));
    for program in PROGRAMS {
        assert!(commands.iter().any(|command| command.starts_with(program)), "{program}: {commands:?}");
    }
    let container = installed("net.ipv4.tcp_timestamps = 0\n", AT_ONCE);
    container.run(&["systemctl", "start", "sysctl-advisor.timer"]);
    start(&container, "sysctl-advisor.service");
    container.run(&["rm", "-r", FOLDER_OF_GAUGES]);
    // `systemctl edit` needs a terminal, and an editor that writes above the marked end of the text.
    container.write(EDITOR, "#!/bin/sh\nsed -i '2a [Service]\\nNice=7' \"$1\"\n");
    container.run(&["chmod", "755", EDITOR]);
    for command in commands {
        let editor = format!("SYSTEMD_EDITOR={EDITOR}");
        let ran = if command.contains(" edit ") {
            container.attempt(&["env", &editor, "script", "--quiet", "--return", "--command", command, "/dev/null"])
        } else {
            container.attempt(&["sh", "-c", command])
        };
        let [out, err] = [&ran.stdout, &ran.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        assert!(ran.status.success(), "{command}: {out}{err}");
        check(&container, command, &out);
    }
}

#[test]
fn a_command_is_a_line_of_its_own_and_not_a_word_of_the_text() {
    let page = "    sudo systemctl start x\n    sysctl-advisor drift\nUse systemctl.\n    journalctl -u x\n";
    assert_eq!(commands(page), ["systemctl start x", "journalctl -u x"]);
}
