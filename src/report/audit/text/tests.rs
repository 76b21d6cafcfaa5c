//! Tests of the report for a person.

use insta::assert_snapshot;

use super::super::sections::Reported;
use super::*;
use crate::audit::model::{Audit, Cause};
use crate::model::Severity;
use crate::report::example;
use crate::report::wrap::columns;
use crate::snapshot::Snapshot;

fn text(audit: &Audit<'_>, detail: Detail, theme: &Theme) -> String {
    FORMAT.text(Reported::of(audit), &Look { theme: *theme, detail, ..Look::plain() }).unwrap()
}

fn brief(audit: &Audit<'_>, theme: &Theme) -> String {
    text(audit, Detail::Line, theme)
}

fn quiet(snapshot: &Snapshot) -> Audit<'_> {
    Audit {
        findings: Vec::new(),
        skipped: Vec::new(),
        broken_rules: Vec::new(),
        waiver_problems: Vec::new(),
        ..example::audit(snapshot)
    }
}

/// The part of a report about one finding.
fn shown(finding: Finding) -> String {
    let theme = Theme::plain();
    let mut page = Page::new(&theme);
    let place = finding::Position { first: true, seen: None };
    finding::write(&mut page, &finding, Detail::Full, place, &mut finding::Told::default());
    page.finish()
}

#[test]
fn a_finding_tells_what_where_why_the_numbers_and_what_to_do() {
    let snapshot = example::snapshot();
    assert_snapshot!(shown(example::audit(&snapshot).findings.remove(0)), @r"
    CRITICAL  10.0.0.5:5432 takes 92 % of the ephemeral ports
      where     host: 10.0.0.1 -> 10.0.0.5:5432
      why       Every outgoing connection to one address and port needs a local port
                of its own. When none is left, connect() fails with EADDRNOTAVAIL.
                A second paragraph that the short form leaves to `explain`.
      evidence  ports in use        26,012 ports  destination.ports_blocked
                share of the range          92 %  destination.port_use
                range                32768 60999  net.ipv4.ip_local_port_range
                reuse could help             yes  net.ipv4.tcp_tw_reuse != 1
                nonsense                 unknown  0.0 / 0.0
      change    net.ipv4.ip_local_port_range  32768 60999 -> 16384 65535
                  Tried in a scratch namespace: the kernel accepts it.
                  Risk medium. New connections use it at once.
                  Side effects: A service that listens on a port from 16384 up can
                  find it taken when it starts.
      do        application: Keep connections open: a pool, or HTTP keep-alive,
                  needs a handful of ports.
                operator: More source addresses multiply the ports.
      do not    net.ipv4.tcp_fin_timeout: it ends orphaned FIN_WAIT2 sockets;
                  TIME_WAIT lasts 60 s whatever it says
      source    https://docs.kernel.org/networking/ip-sysctl.html
      rule      ephemeral-ports (capacity)
    ");
}

#[test]
fn long_subjects_keys_and_expressions_stay_in_their_columns() {
    let snapshot = example::snapshot();
    assert_snapshot!(shown(example::audit(&snapshot).findings.remove(1)), @r"
    WARNING   The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535
              overflowed and connections were lost
      where     blue: [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 ->
                [2001:db8:1111:2222:3333:4444:5555:6666]:65535
      why       The queue is full.
      evidence  waited for accept() at the   1 connection  listener.queue
                end of the window
                overflows                          12.5/s
                  rate.TcpExt.ListenOverflows * 1.0 + 0.0 * double(listener.queue)
                age of the oldest               2 h 5 min  window.seconds
                memory                            6.0 MiB  host.memory_bytes
                owner                        a-process-with-a-long-name (pid
                                             4194304)
                  listener.owner
      change    net.core.a_key_with_a_name_that_is_far_longer_than_most_of_them
                  (empty) -> 8192
                  Not possible here: the key belongs to the whole machine and is
                  read-only in this namespace
                  Risk low. The next listen() uses it.
      rule      accept-queue-overflow (capacity)
    ");
}

#[test]
fn what_explains_a_finding_or_follows_from_it_is_a_line_unless_it_asks_for_a_change_of_its_own() {
    let snapshot = example::snapshot();
    let mut audit = quiet(&snapshot);
    let named = |rule: &str, title: &str, cause: &str| Finding {
        rule: rule.to_owned(),
        title: title.to_owned(),
        fingerprint: rule.to_owned(),
        follows_from: (!cause.is_empty()).then(|| Cause { rule: cause.to_owned(), fingerprint: cause.to_owned() }),
        ..example::bare()
    };
    let worst = Finding { severity: Severity::Critical, ..named("lost", "Packets are lost", "setting") };
    let changes = example::audit(&snapshot).findings[0].recommendations.clone();
    let asking = Finding { recommendations: changes, ..named("full", "A queue is full", "setting") };
    let rest = [named("setting", "A setting is wrong", ""), named("late", "Answers are late", "lost")];
    audit.findings = [worst].into_iter().chain(rest).chain([named("later", "Jobs are late", "late"), asking]).collect();
    let theme = Theme::plain();
    let text = text(&audit, Detail::Glance, &theme);
    let findings: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("CRITICAL")).take(12).collect();
    assert_snapshot!(findings.join("\n"), @r#"
    CRITICAL  Packets are lost
      why       sysctl-advisor explain lost
      cause     notice: A setting is wrong (setting)
      explains  notice: Answers are late (late)
                notice: Jobs are late (later)

    NOTICE    A queue is full
      cause     probably setting
      change    net.ipv4.ip_local_port_range  32768 60999 -> 16384 65535
                  Tried in a scratch namespace: the kernel accepts it.
                  Risk medium. New connections use it at once.
                  Side effects: A service that listens on a port from 16384 up can
    "#);
    assert_snapshot!(brief(&audit, &theme), @r#"
    CRITICAL  host: Packets are lost
    NOTICE    host: A setting is wrong
    NOTICE    host: Answers are late
    NOTICE    host: Jobs are late
    NOTICE    host: A queue is full
    1 critical, 0 warnings, 4 notices from 35 rules. 2 things could not be read.
    "#);
}

#[test]
fn at_a_glance_a_finding_holds_what_one_acts_on() {
    let snapshot = example::snapshot();
    let theme = Theme::plain();
    let mut page = Page::new(&theme);
    let finding = example::audit(&snapshot).findings.remove(0);
    let place = finding::Position { first: true, seen: None };
    finding::write(&mut page, &finding, Detail::Glance, place, &mut finding::Told::default());
    assert_snapshot!(page.finish(), @"
    CRITICAL  10.0.0.5:5432 takes 92 % of the ephemeral ports
      where     host: 10.0.0.1 -> 10.0.0.5:5432
      evidence  ports in use        26,012 ports
                share of the range          92 %
                range                32768 60999
                reuse could help             yes
                nonsense                 unknown
      change    net.ipv4.ip_local_port_range  32768 60999 -> 16384 65535
                  Tried in a scratch namespace: the kernel accepts it.
                  Risk medium. New connections use it at once.
                  Side effects: A service that listens on a port from 16384 up can
                  find it taken when it starts.
      do        application: Keep connections open: a pool, or HTTP keep-alive,
                  needs a handful of ports.
                operator: More source addresses multiply the ports.
      do not    net.ipv4.tcp_fin_timeout: it ends orphaned FIN_WAIT2 sockets;
                  TIME_WAIT lasts 60 s whatever it says
      why       sysctl-advisor explain ephemeral-ports
    ");
}

#[test]
fn of_many_findings_of_one_rule_a_glance_shows_a_few_and_counts_the_rest() {
    let snapshot = example::snapshot();
    let findings: Vec<Finding> =
        (0..200).map(|number| Finding { subject: format!("listener {number}"), ..example::bare() }).collect();
    let audit = Audit { findings, ..quiet(&snapshot) };
    let glance = text(&audit, Detail::Glance, &Theme::plain());
    assert_eq!(glance.matches("TCP timestamps are off").count(), SHOWN);
    assert!(glance.contains("And 195 findings more of"), "{glance}");
    assert_eq!(text(&audit, Detail::Full, &Theme::plain()).matches("TCP timestamps are off").count(), 200);
}

#[test]
fn a_finding_with_nothing_but_a_title_has_no_empty_labels() {
    assert_snapshot!(shown(example::bare()), @r"
    NOTICE    TCP timestamps are off
      where     host
      why       Without timestamps there is no PAWS.
      rule      timestamps-off (hygiene)
    ");
}

#[test]
fn around_the_findings_stand_the_host_the_chart_and_what_was_not_seen() {
    let snapshot = example::snapshot();
    let audit = Audit { findings: vec![example::bare(), example::waived()], ..example::audit(&snapshot) };
    assert_snapshot!(text(&audit, Detail::Full, &Theme::plain()), @"
    sysctl-advisor on web-1 at 2026-01-01T00:00:00Z
    Linux 6.12.0, 4 CPUs, 16.0 GiB, up 11 d 13 h, counters over 2 s

    NOTICE    TCP timestamps are off
      where     host
      why       Without timestamps there is no PAWS.
      rule      timestamps-off (hygiene)

    Waived
      host: SYN cookies are off
          warning syncookies-off, waived until 2027-01-31 by maria: lab machine

    TCP sockets of host: 26,836 (read through sock_diag)
      LISTEN           12  ▏
      SYN_RECV          1  ▏
      ESTABLISHED   1,203  █▉
      TIME_WAIT    25,300  ████████████████████████████████████████
      CLOSE_WAIT      320  ▌

      TIME_WAIT    This host closed these connections first, 421 a second on the
                   average of the last minute. 25,300 belong to other addresses.
                   They take some 9.9 MiB of kernel memory. This is harmless: each
                   ends by itself after 60 s, which no sysctl changes, and ports are
                   not short.

    TCP sockets of blue: could not be read

    Not checked
      blue: net.ipv4.neigh.default.gc_thresh3: No such file or directory
          arp-table-near-limit
      blue: sockets: sock_diag: Operation not permitted
          syn-backlog-drops, time-wait-overflow

    Could not be read
      machine: host.memory (/proc/meminfo: Permission denied)
      blue: sockets (sock_diag: Operation not permitted; /proc/net/tcp: Permission
        denied)

    Rule files that could not be loaded
      /etc/sysctl-advisor/rules.d/mine.toml:2:1: unknown field `severty`

    Waivers that waive nothing
      /etc/sysctl-advisor/waivers.toml:9: waiver-expired close-wait-leak: ended on
        2025-12-31 (by maria: �[31mthe vendor works on it)

    0 critical, 0 warnings, 1 notice, 1 waived from 35 rules; 3 checks skipped, 1
    rule file broken, 1 waiver expired or unused.
    sysctl-advisor explain NAME explains every key, counter and TCP state.
    ");
}

#[test]
fn the_short_form_has_a_line_for_each_finding() {
    let snapshot = example::snapshot();
    assert_snapshot!(brief(&example::audit(&snapshot), &Theme::plain()), @"
    CRITICAL  host: 10.0.0.5:5432 takes 92 % of the ephemeral ports
    WARNING   blue: The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65…
    WARNING   host: evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLO…
    NOTICE    host: TCP timestamps are off
    1 critical, 2 warnings, 1 notice, 1 waived from 35 rules; 3 checks skipped, 1
    rule file broken, 1 waiver expired or unused. 2 things could not be read.
    ");
}

#[test]
fn findings_that_are_all_waived_are_neither_nothing_nor_trouble() {
    let mut snapshot = example::snapshot();
    snapshot.namespaces.truncate(1);
    let audit = Audit { findings: vec![example::waived()], ..quiet(&snapshot) };
    assert_snapshot!(brief(&audit, &Theme::plain()), @"
    0 critical, 0 warnings, 0 notices, 1 waived from 35 rules. 1 thing could not be
    read.
    ");
    let report = text(&audit, Detail::Glance, &Theme::plain());
    assert!(report.contains("\nWaived\n  SYN cookies are off\n"), "{report}");
    assert!(!report.contains("No findings") && !report.contains("--details"), "{report}");
}

#[test]
fn a_waiver_s_words_are_cleaned_and_wrapped() {
    let snapshot = example::snapshot();
    let mut waived = example::waived();
    if let Some(waiver) = &mut waived.waived {
        waiver.reason = format!("\u{1b}[31m{}", "w".repeat(300));
    }
    let audit = Audit { findings: vec![waived], ..example::audit(&snapshot) };
    let report = text(&audit, Detail::Full, &Theme::plain());
    assert!(!report.contains('\u{1b}'));
    assert!(report.lines().all(|line| line.chars().count() <= 80), "{report}");
}

#[test]
fn nothing_found_is_one_green_line() {
    let mut snapshot = example::snapshot();
    snapshot.namespaces.truncate(1);
    let audit = quiet(&snapshot);
    assert_snapshot!(brief(&audit, &Theme::plain()), @"
    No findings from 35 rules on the sockets, counters and sysctls of host. 1 thing
    could not be read.
    ");
    assert!(brief(&audit, &Theme::coloured()).starts_with("\u{1b}[32mNo findings"));
    assert!(text(&audit, Detail::Full, &Theme::plain()).contains("LISTEN"));
}

#[test]
fn what_could_not_be_checked_is_no_good_news() {
    let mut snapshot = example::snapshot();
    let skipped = example::audit(&snapshot).skipped;
    let audit = Audit { rules: 3, skipped, ..quiet(&snapshot) };
    assert!(brief(&audit, &Theme::plain()).starts_with("No findings, but every rule was skipped"));
    let audit = Audit { rules: 0, ..quiet(&snapshot) };
    assert_eq!(
        brief(&audit, &Theme::plain()),
        "Nothing was checked: there are no rules. 2 things could not be read.\n"
    );
    snapshot.namespaces.clear();
    let verdict = brief(&quiet(&snapshot), &Theme::plain());
    assert_eq!(verdict, "Nothing was checked: no network namespace could be read. 1 thing could not be\nread.\n");
}

#[test]
fn a_broken_rule_file_takes_the_green_away() {
    let snapshot = example::snapshot();
    let audit = Audit { broken_rules: vec![String::new()], ..quiet(&snapshot) };
    assert!(!brief(&audit, &Theme::coloured()).contains("\u{1b}[32m"));
    let words = brief(&audit, &Theme::plain()).replace('\n', " ");
    assert!(words.ends_with("; 1 rule file broken. 2 things could not be read. "), "{words}");
}

#[test]
fn where_no_sysctl_helps_the_finding_says_so() {
    let snapshot = example::snapshot();
    let mut finding = example::audit(&snapshot).findings.remove(0);
    assert!(!shown(finding.clone()).contains("change    None"));
    finding.recommendations.clear();
    assert!(shown(finding.clone()).contains("  change    None is proposed.\n  do        application:"));
    finding.kind = crate::model::Kind::Application;
    assert!(shown(finding).contains("  change    None: no sysctl helps here.\n  do        application:"));
}

#[test]
fn a_change_that_several_findings_propose_is_told_in_full_once() {
    let snapshot = example::snapshot();
    let report = text(&example::audit(&snapshot), Detail::Full, &Theme::plain());
    assert_eq!(report.matches("net.ipv4.ip_local_port_range  32768 60999 -> 16384 65535").count(), 2);
    assert_eq!(report.matches("Risk medium.").count(), 1);
    assert_eq!(report.matches("The same change as above.").count(), 1);
}

#[test]
fn no_line_is_wider_than_the_page() {
    let mut snapshot = example::snapshot();
    snapshot.system.hostname = "h".repeat(64);
    let mut audit = example::audit(&snapshot);
    audit.broken_rules.push("w".repeat(500));
    audit.broken_rules.push("東京".repeat(200));
    for report in [
        text(&audit, Detail::Glance, &Theme::plain()),
        text(&audit, Detail::Full, &Theme::plain()),
        brief(&audit, &Theme::plain()),
    ] {
        for line in report.lines() {
            assert!(columns(line) <= crate::report::wrap::WIDTH, "{line}");
            assert_eq!(line.trim_end(), line);
        }
    }
}

#[test]
fn no_stranger_s_text_reaches_the_terminal_as_a_control_sequence() {
    let snapshot = example::snapshot();
    let audit = example::audit(&snapshot);
    for report in [text(&audit, Detail::Full, &Theme::plain()), brief(&audit, &Theme::plain())] {
        assert!(report.contains("evil"));
        let harmful: Vec<char> =
            report.chars().filter(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}').collect();
        assert_eq!(harmful, []);
    }
    let coloured = text(&audit, Detail::Full, &Theme::coloured());
    assert!(!coloured.contains("\u{1b}]0;"));
}
