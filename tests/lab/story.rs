//! What a person sees.

use insta::assert_snapshot;
use regex::Regex;

use super::{lab, out};

/// The text without what differs from run to run: how many sockets, and how often something was counted.
fn steady(text: &str) -> String {
    let bars = Regex::new(r"(?m)^       ([A-Z_0-9]+) +█+ [0-9,]+$").unwrap();
    let text = bars.replace_all(text, "       $1 ...");
    let numbers = Regex::new(r"(window) +[0-9,]+( +0)?").unwrap();
    let text = numbers.replace_all(&text, "$1 ...$2");
    let others = Regex::new(r"and [0-9] other findings? that go with it").unwrap();
    let text = others.replace_all(&text, "and others that go with it");
    // Which states there are besides is a matter of moments.
    text.lines().filter(|line| !line.trim_start().starts_with("SYN_RECV ...")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_fault_is_told_from_the_first_step_to_the_verdict() {
    let output = lab(&["run", "accept-queue"]);
    assert_eq!(output.status.code(), Some(0));
    assert_snapshot!(steady(&out(&output)), @"");
}

#[test]
fn the_list_has_each_scenario_with_what_it_shows() {
    let text = out(&lab(&["list"]));
    let at = text.find("accept-queue\n").unwrap();
    let entry: String = text[at..].lines().take(3).map(|line| format!("{}\n", line.trim())).collect();
    assert_snapshot!(entry, @"");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn explain_names_the_scenario_of_a_rule() {
    let output = std::process::Command::new(super::PROGRAM)
        .args(["explain", "accept-queue-limited-by-somaxconn"])
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = out(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("`sysctl-advisor lab run accept-queue` makes this fault and ends it."), "{text}");
}
