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
    let is_steady = |line: &&str| {
        let passing = ["SYN_RECV ...", "CLOSE_WAIT ..."];
        !passing.contains(&line.trim())
    };
    text.lines().filter(is_steady).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_fault_is_told_from_the_first_step_to_the_verdict() {
    let output = lab(&["run", "accept-queue"]);
    assert_eq!(output.status.code(), Some(0));
    assert_snapshot!(steady(&out(&output)), @r"
    accept-queue: The kernel cuts the accept queue of a server short

      A server asks for an accept queue of 1,000 connections. The kernel grants no
      more than net.core.somaxconn. The server pauses for a moment, as every server
      does now and then, while clients go on coming. The queue fills, and the kernel
      drops the last step of their handshakes. Each of those clients tries again
      after one second or later.

           net.core.somaxconn = 8
        1  The server calls listen() with a backlog of 1,000.
           LISTEN ...
        2  It pauses, and clients go on coming: 30 at once, then 50 a second.
           LISTEN ...
           ESTABLISHED ...

    The audit finds:
      warning   0.0.0.0:8080 (shop-backend (pid 1)) overflows its accept queue of 8:
                net.core.somaxconn sets this limit
                (accept-queue-limited-by-somaxconn)
                and others that go with it

    The remedy
      set  net.core.somaxconn 8 -> 4096
        3  The server calls listen() again. Only then its queue gets the new limit.
           LISTEN ...
        4  It pauses, and clients go on coming: 30 at once, then 50 a second.
           LISTEN ...
           ESTABLISHED ...

    The audit after the remedy finds nothing.

    Measured
                                                  with the fault  after the remedy
      clients turned away in the window ...                 0

    As expected: the fault was found, and the remedy ended it.
    ");
}

#[test]
fn the_list_has_each_scenario_with_what_it_shows() {
    let text = out(&lab(&["list"]));
    let at = text.find("accept-queue\n").unwrap();
    let entry: String = text[at..].lines().take(3).map(|line| format!("{}\n", line.trim())).collect();
    assert_snapshot!(entry, @r"
        accept-queue
        The kernel cuts the accept queue of a server short
        shows accept-queue-limited-by-somaxconn
    ");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn the_list_can_be_asked_for_a_word() {
    let text = out(&lab(&["list", "accept-queue"]));
    assert!(text.contains("accept-queue-limited-by-somaxconn") && !text.contains("tcp-states"), "{text}");
    let none = lab(&["list", "no-such-word"]);
    assert_eq!((none.status.code(), out(&none).as_str()), (Some(2), ""));
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

#[test]
fn the_readme_shows_the_lab_as_it_is() {
    let readme = include_str!("../../README.md");
    let (_, story) = readme.split_once("```text\naccept-queue:").expect("README has the story");
    let (story, _) = story.split_once("\n```").unwrap();
    let played = out(&lab(&["run", "accept-queue"]));
    assert_eq!(steady(&format!("accept-queue:{story}")).trim(), steady(&played).trim());
}

#[test]
fn json_follows_its_published_schema() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../docs/schema/lab-1.json")).unwrap();
    let printed = std::process::Command::new(super::PROGRAM).args(["rules", "schema", "lab"]).output().unwrap();
    assert_eq!(
        out(&printed),
        include_str!("../../docs/schema/lab-1.json"),
        "rules schema lab > docs/schema/lab-1.json"
    );
    let validator = jsonschema::validator_for(&schema).unwrap();
    let output = lab(&["run", "accept-queue", "time-wait-reuse", "--wrong", "--format", "json", "--jobs", "2"]);
    let mut report: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert!(
        validator.is_valid(&report),
        "{:?}",
        validator.iter_errors(&report).map(|it| it.to_string()).collect::<Vec<_>>()
    );
    report["scenarios"][0]["surprise"] = 1.into();
    assert!(!validator.is_valid(&report));
}
