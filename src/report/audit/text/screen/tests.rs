//! Tests of the report on one screen.

use insta::assert_snapshot;

use super::*;
use crate::audit::model::{Audit, Cause as Follows};
use crate::model::Severity;
use crate::report::audit::format::Detail;
use crate::report::audit::{Look, ROWS, Reported, TEXT};
use crate::report::example;
use crate::report::theme::Theme;

const FULL: &str = "0.0.0.0:8080 (shop (pid 9)) does not accept connections: its queue of 16 is full, and the oldest \
                    connection in it has waited 4 s";

fn finding(severity: Severity, hurts_now: bool, rule: &str, title: &str) -> Finding {
    let fingerprint = format!("{:016x}", units::fnv1a(format!("{rule}{title}").bytes()));
    let (rule, title) = (rule.to_owned(), title.to_owned());
    Finding { rule, title, severity, hurts_now, fingerprint, ..example::bare() }
}

fn following(finding: Finding, cause: &Finding) -> Finding {
    let cause = Follows { rule: cause.rule.clone(), fingerprint: cause.fingerprint.clone() };
    Finding { follows_from: Some(cause), ..finding }
}

/// A server that does not accept, what follows from that, and a setting.
fn several() -> Vec<Finding> {
    let full = finding(Severity::Critical, true, "accept-queue-not-drained", FULL);
    let overflow = finding(Severity::Warning, true, "accept-queue-overflow", "98 clients were turned away");
    let overflow = following(overflow, &full);
    let narrow = finding(Severity::Warning, false, "port-range-narrow", "ip_local_port_range has 200 ports");
    vec![full, overflow, narrow]
}

/// On a terminal of so many columns and lines.
fn shown_at(findings: Vec<Finding>, columns: usize, lines: usize) -> String {
    let snapshot = example::snapshot();
    let audit = Audit { findings, skipped: Vec::new(), ..example::audit(&snapshot) };
    let look = Look { theme: Theme::plain().of_width(columns), detail: Detail::Screen, rows: lines, ..Look::plain() };
    TEXT.text(Reported::of(&audit), &look).unwrap()
}

#[test]
fn what_hurts_now_comes_first_and_what_follows_from_it_is_folded_below_it() {
    assert_snapshot!(shown_at(several(), 80, ROWS), @r"
    sysctl-advisor on web-1 at 2026-01-01T00:00:00Z
    Linux 6.12.0, 4 CPUs, 16.0 GiB, up 11 d 13 h, counters over 2 s

    1 thing hurts now, 1 more may one day.
    32 of 35 rules found nothing, 2 things not read, 1 rule file broken, 1 waiver
    expired or unused.

    Hurts now
      1  !!   host: 0.0.0.0:8080 (shop (pid 9)) does not accept connections: its
              queue of 16 is full, and the oldest connection in it has waited 4 s
              leads to 2 accept-queue-overflow
    May hurt one day
      3  !    host: ip_local_port_range has 200 ports

    26,836 TCP sockets in 2 namespaces █████████████████████████████████████████▓▒░·
    █ TIME_WAIT 25,300  ▓ ESTABLISHED 1,203  ▒ CLOSE_WAIT 320  ░ LISTEN 12  · other…

      sysctl-advisor audit 1                why 1, and what to do
      sysctl-advisor lab run not-accepting  see 1 happen, and end
      sysctl-advisor audit --full           all findings in full
    ");
}

#[test]
fn it_has_at_most_as_many_lines_as_the_screen_however_much_was_found() {
    let many = |number: usize| -> Vec<Finding> {
        let one = |place| {
            let severity = if place < number / 2 { Severity::Warning } else { Severity::Notice };
            finding(severity, true, &format!("rule-{place:03}"), FULL)
        };
        (0..number).map(one).collect()
    };
    for (columns, lines) in [(80, 22), (60, 18), (120, 48)] {
        for number in [1, 5, 9, 10, 11, 12, 40, 400] {
            let text = shown_at(many(number), columns, lines);
            assert!(text.lines().count() <= lines, "{number} findings at {columns}x{lines}:\n{text}");
            assert!(text.lines().all(|line| crate::report::wrap::columns(line) <= columns), "{text}");
            let numbered = text.lines().filter(|line| line.contains("0.0.0.0:8080")).count();
            let left = text.lines().find_map(|line| line.trim().strip_prefix("and ")?.split(' ').next()?.parse().ok());
            assert_eq!(numbered + left.unwrap_or(0), number, "what is not shown is counted:\n{text}");
        }
    }
}

#[test]
fn a_title_is_whole_where_there_is_room_and_cut_where_there_is_not() {
    assert!(shown_at(several(), 80, ROWS).contains("has waited 4 s"));
    let narrow = shown_at(several(), 80, 16);
    assert!(!narrow.contains("has waited 4 s") && narrow.contains('…'), "{narrow}");
}

#[test]
fn where_nothing_was_found_it_says_so_and_where_to_look() {
    assert_snapshot!(shown_at(Vec::new(), 80, ROWS), @r"
    sysctl-advisor on web-1 at 2026-01-01T00:00:00Z
    Linux 6.12.0, 4 CPUs, 16.0 GiB, up 11 d 13 h, counters over 2 s

    No findings from 35 rules on the sockets, counters and sysctls of host, blue; 1
    rule file broken, 1 waiver expired or unused.
    2 things not read.

    26,836 TCP sockets in 2 namespaces █████████████████████████████████████████▓▒░·
    █ TIME_WAIT 25,300  ▓ ESTABLISHED 1,203  ▒ CLOSE_WAIT 320  ░ LISTEN 12  · other…

      sysctl-advisor audit --all  what was checked
      sysctl-advisor watch        this host, live
    ");
}

#[test]
fn a_cause_that_is_less_severe_than_what_follows_from_it_is_named_as_the_cause() {
    let low = finding(Severity::Notice, false, "somaxconn-low", "somaxconn is 8");
    let overflow = following(finding(Severity::Warning, true, "accept-queue-overflow", "turned away"), &low);
    let text = shown_at(vec![overflow, low], 80, ROWS);
    assert!(text.contains("because of 2 somaxconn-low"), "{text}");
}

#[test]
fn several_findings_of_one_rule_are_one_line() {
    let one = |number| finding(Severity::Warning, true, "rule", &format!("queue {number} is full"));
    let text = shown_at((1..=7).map(one).collect(), 80, ROWS);
    assert!(text.contains("queue 1 is full") && text.contains("the same: 2 to 7"), "{text}");
    assert!(!text.contains("queue 2"), "{text}");
}

#[test]
fn the_bar_has_the_whole_width_and_shows_a_single_socket() {
    assert_eq!(stacked(&[("ESTABLISHED", 9_000), ("LISTEN", 1)], 9_001, 10), "█████████▓");
    assert_eq!(stacked(&[("LISTEN", 1)], 1, 4), "████");
    assert_eq!(stacked(&[], 0, 10), "");
}
