//! The report for a person at a terminal, and its short form.
//!
//! In: an [`Audit`], a theme, a width in columns (60 to 100; anything else is taken as the nearest of these).
//! Out: text, findings first, then what the host looks like, then what was not seen and not checked.
//! Must not: let "could not be checked" look like "is fine".

use std::collections::{BTreeMap, BTreeSet};

use anstyle::Style;

use crate::audit::model::{Audit, Finding, Severity};
use crate::report::page::{Cell, GAP, Page, shortened};
use crate::report::theme::Theme;
use crate::report::{chart, finding};
use crate::snapshot::{Snapshot, WindowSource};
use crate::units;

pub use finding::Detail;

/// Of one rule in one namespace a glance shows so many findings; the others are counted.
const SHOWN: usize = 5;

/// The whole report.
pub fn text(audit: &Audit<'_>, detail: Detail, theme: &Theme, width: usize) -> String {
    let mut page = Page::new(theme, width);
    header(&mut page, audit.snapshot);
    findings(&mut page, audit, detail);
    if audit.findings.is_empty() {
        page.blank();
        let (style, verdict) = verdict(audit, theme);
        page.paragraph(0, style, &verdict);
    }
    chart::write(&mut page, &audit.snapshot.namespaces);
    skipped(&mut page, audit);
    gaps(&mut page, audit.snapshot);
    broken(&mut page, &audit.broken_rules);
    page.blank();
    page.paragraph(0, theme.heading, &summary(audit));
    if !audit.findings.is_empty() {
        let more = match detail {
            Detail::Glance => "audit --details shows how each number is computed, why it matters, and the sources.",
            Detail::Full => "sysctl-advisor explain NAME explains every key, counter and TCP state.",
        };
        page.paragraph(0, theme.dim, more);
    }
    page.finish()
}

fn findings(page: &mut Page<'_>, audit: &Audit<'_>, detail: Detail) {
    let mut told = finding::Told::new();
    // Findings of one rule and namespace stand together.
    let same = |a: &Finding, b: &Finding| a.rule == b.rule && a.namespace == b.namespace;
    for group in audit.findings.chunk_by(same) {
        for (position, found) in group.iter().enumerate() {
            if detail == Detail::Glance && position >= SHOWN {
                break;
            }
            page.blank();
            finding::write(page, found, detail, position == 0, &mut told);
        }
        if detail == Detail::Glance && group.len() > SHOWN {
            let more = counted(group.len() - SHOWN, "findings");
            let rule = group.first().map(|found| found.rule.as_str()).unwrap_or_default();
            page.blank();
            page.paragraph(2, page.theme.dim, &format!("And {more} more of {rule}; --details shows them all."));
        }
    }
}

/// One line a finding, and the summary.
pub fn brief(audit: &Audit<'_>, theme: &Theme, width: usize) -> String {
    const SEVERITY: usize = "CRITICAL".len();
    let mut page = Page::new(theme, width);
    let one_namespace = audit.snapshot.namespaces.len() < 2;
    let room = page.width - SEVERITY - GAP;
    for found in &audit.findings {
        // White space is made single here: what is shortened to one line has to stay on one.
        let title: Vec<&str> = found.title.split_whitespace().collect();
        let place = if one_namespace { String::new() } else { format!("{}: ", found.namespace) };
        let line = shortened(&(place + &title.join(" ")), room);
        let severity = found.severity.name().to_uppercase();
        let style = finding::severity_style(theme, found.severity);
        page.row(0, &[Cell::new(&severity, SEVERITY).painted(style), Cell::new(&line, room)]);
    }
    let (style, line) = if audit.findings.is_empty() { verdict(audit, theme) } else { (theme.heading, summary(audit)) };
    page.paragraph(0, style, &line);
    page.finish()
}

fn header(page: &mut Page<'_>, snapshot: &Snapshot) {
    let system = &snapshot.system;
    let theme = page.theme;
    let host = if system.hostname.is_empty() { String::new() } else { format!(" on {}", system.hostname) };
    let title = format!("sysctl-advisor{host} at {}", snapshot.taken_at);
    page.paragraph(0, theme.heading, &title);
    let facts = [
        Some(format!("Linux {}", system.kernel).trim_end().to_owned()),
        system.cpus.map(|cpus| units::quantity(i64::try_from(cpus).unwrap_or(i64::MAX), "CPUs")),
        system.memory_bytes.map(|size| units::bytes(i64::try_from(size).unwrap_or(i64::MAX))),
        system.uptime_seconds.map(|seconds| format!("up {}", units::duration(seconds as f64))),
        Some(match snapshot.window.source {
            WindowSource::Sample => format!("counters over {}", units::duration(snapshot.window.seconds)),
            WindowSource::None => "one reading of the counters, so no rates".to_owned(),
        }),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    page.paragraph(0, theme.dim, &facts.join(", "));
}

/// What it means that there are no findings. Only where rules could be checked is that good news.
fn verdict(audit: &Audit<'_>, theme: &Theme) -> (Style, String) {
    let skipped: BTreeSet<&str> = audit.skipped.iter().map(|skip| skip.rule.as_str()).collect();
    let names: Vec<&str> = audit.snapshot.namespaces.iter().map(|namespace| namespace.name.as_str()).collect();
    if audit.rules == 0 || names.is_empty() {
        let missing = if audit.rules == 0 { "there are no rules" } else { "no network namespace could be read" };
        return (theme.warning, format!("Nothing was checked: {missing}."));
    }
    if skipped.len() >= audit.rules {
        return (
            theme.warning,
            "No findings, but no rule could be checked everywhere; see what was skipped.".to_owned(),
        );
    }
    let places = match names.as_slice() {
        few if few.len() <= 3 => few.join(", "),
        many => counted(many.len(), "namespaces"),
    };
    let rules = counted(audit.rules, "rules");
    let verdict =
        format!("No findings from {rules} on the sockets, counters and sysctls of {places}{}.", missing(audit));
    (if audit.broken_rules.is_empty() { theme.ok } else { theme.warning }, verdict)
}

/// `; 3 checks skipped, 1 rule file broken`, or nothing.
fn missing(audit: &Audit<'_>) -> String {
    let parts = [(audit.skipped.len(), "checks", "skipped"), (audit.broken_rules.len(), "rule files", "broken")];
    let said = parts.iter().filter(|(number, ..)| *number > 0);
    let said: Vec<String> = said.map(|(number, what, how)| format!("{} {how}", counted(*number, what))).collect();
    if said.is_empty() { String::new() } else { format!("; {}", said.join(", ")) }
}

fn counted(number: usize, units: &str) -> String {
    units::quantity(i64::try_from(number).unwrap_or(i64::MAX), units)
}

/// `1 critical, 2 warnings, 1 notice from 35 rules; 3 checks skipped.`
fn summary(audit: &Audit<'_>) -> String {
    let of = |severity| audit.findings.iter().filter(|finding| finding.severity == severity).count();
    format!(
        "{} critical, {}, {} from {}{}.",
        of(Severity::Critical),
        counted(of(Severity::Warning), "warnings"),
        counted(of(Severity::Notice), "notices"),
        counted(audit.rules, "rules"),
        missing(audit),
    )
}

/// Without privileges many rules are skipped for one reason, so the reason is said once.
fn skipped(page: &mut Page<'_>, audit: &Audit<'_>) {
    let mut rules: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for skip in &audit.skipped {
        rules.entry((&skip.namespace, &skip.reason)).or_default().push(&skip.rule);
    }
    if rules.is_empty() {
        return;
    }
    page.blank();
    page.paragraph(0, page.theme.heading, "Not checked");
    for ((namespace, reason), rules) in rules {
        page.row(2, &[Cell::new(&format!("{namespace}: {reason}"), page.width - 2).hanging(2)]);
        page.paragraph(6, page.theme.dim, &rules.join(", "));
    }
}

fn gaps(page: &mut Page<'_>, snapshot: &Snapshot) {
    let machine = snapshot.gaps.iter().map(|gap| ("machine", gap));
    let namespaces = snapshot.namespaces.iter().flat_map(|ns| ns.gaps.iter().map(|gap| (ns.name.as_str(), gap)));
    for (position, (place, gap)) in machine.chain(namespaces).enumerate() {
        if position == 0 {
            page.blank();
            page.paragraph(0, page.theme.heading, "Could not be read");
        }
        page.row(2, &[Cell::new(&format!("{place}: {} ({})", gap.what, gap.why), page.width - 2).hanging(2)]);
    }
}

fn broken(page: &mut Page<'_>, messages: &[String]) {
    if messages.is_empty() {
        return;
    }
    page.blank();
    page.paragraph(0, page.theme.warning, "Rule files that could not be loaded");
    for message in messages {
        page.row(2, &[Cell::new(message, page.width - 2).hanging(2)]);
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::example;

    fn quiet(snapshot: &Snapshot) -> Audit<'_> {
        Audit { findings: Vec::new(), skipped: Vec::new(), broken_rules: Vec::new(), ..example::audit(snapshot) }
    }

    /// The part of a report about one finding.
    fn shown(finding: Finding) -> String {
        let theme = Theme::plain();
        let mut page = Page::new(&theme, 80);
        finding::write(&mut page, &finding, Detail::Full, true, &mut finding::Told::new());
        page.finish()
    }

    #[test]
    fn a_finding_tells_what_where_why_the_numbers_and_what_to_do() {
        let snapshot = example::snapshot();
        assert_snapshot!(shown(example::audit(&snapshot).findings.remove(0)), @"
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
                      Risk medium. New connections use it at once.
                      Side effects: A service that listens on a port from 16384 up can
                      find it taken when it starts.
          do        application: Keep connections open: a pool, or HTTP keep-alive,
                      needs a handful of ports.
                    operator: More source addresses multiply the ports.
          do not    net.ipv4.tcp_fin_timeout: it ends orphaned FIN_WAIT2 sockets;
                      TIME_WAIT lasts 60 s whatever it says
          source    https://docs.kernel.org/networking/ip-sysctl.html
          rule      ephemeral-ports-near-exhaustion (capacity)
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
    fn at_a_glance_a_finding_holds_what_one_acts_on() {
        let snapshot = example::snapshot();
        let theme = Theme::plain();
        let mut page = Page::new(&theme, 80);
        let finding = example::audit(&snapshot).findings.remove(0);
        finding::write(&mut page, &finding, Detail::Glance, true, &mut finding::Told::new());
        assert_snapshot!(page.finish(), @"
        CRITICAL  10.0.0.5:5432 takes 92 % of the ephemeral ports
          where     host: 10.0.0.1 -> 10.0.0.5:5432
          evidence  ports in use        26,012 ports
                    share of the range          92 %
                    range                32768 60999
                    reuse could help             yes
                    nonsense                 unknown
          change    net.ipv4.ip_local_port_range  32768 60999 -> 16384 65535
                      Risk medium. New connections use it at once.
                      Side effects: A service that listens on a port from 16384 up can
                      find it taken when it starts.
          do        application: Keep connections open: a pool, or HTTP keep-alive,
                      needs a handful of ports.
                    operator: More source addresses multiply the ports.
          do not    net.ipv4.tcp_fin_timeout: it ends orphaned FIN_WAIT2 sockets;
                      TIME_WAIT lasts 60 s whatever it says
          why       sysctl-advisor explain ephemeral-ports-near-exhaustion
        ");
    }

    #[test]
    fn of_many_findings_of_one_rule_a_glance_shows_a_few_and_counts_the_rest() {
        let snapshot = example::snapshot();
        let findings: Vec<Finding> =
            (0..200).map(|number| Finding { subject: format!("listener {number}"), ..example::bare() }).collect();
        let audit = Audit { findings, ..quiet(&snapshot) };
        let glance = text(&audit, Detail::Glance, &Theme::plain(), 80);
        assert_eq!(glance.matches("TCP timestamps are off").count(), SHOWN);
        assert!(glance.contains("And 195 findings more of"), "{glance}");
        assert_eq!(text(&audit, Detail::Full, &Theme::plain(), 80).matches("TCP timestamps are off").count(), 200);
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
        let audit = Audit { findings: vec![example::bare()], ..example::audit(&snapshot) };
        assert_snapshot!(text(&audit, Detail::Full, &Theme::plain(), 80), @"
        sysctl-advisor on web-1 at 2026-01-01T00:00:00Z
        Linux 6.12.0, 4 CPUs, 16.0 GiB, up 11 d 13 h, counters over 2 s

        NOTICE    TCP timestamps are off
          where     host
          why       Without timestamps there is no PAWS.
          rule      timestamps-off (hygiene)

        TCP sockets of host: 26,836 (read through sock_diag)
          LISTEN           12  ▏
          SYN_RECV          1  ▏
          ESTABLISHED   1,203  █▉
          TIME_WAIT    25,300  ████████████████████████████████████████
          CLOSE_WAIT      320  ▌

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

        0 critical, 0 warnings, 1 notice from 35 rules; 3 checks skipped, 1 rule file
        broken.
        sysctl-advisor explain NAME explains every key, counter and TCP state.
        ");
    }

    #[test]
    fn the_short_form_has_a_line_for_each_finding() {
        let snapshot = example::snapshot();
        assert_snapshot!(brief(&example::audit(&snapshot), &Theme::plain(), 80), @r"
        CRITICAL  host: 10.0.0.5:5432 takes 92 % of the ephemeral ports
        WARNING   blue: The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65…
        WARNING   host: evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLO…
        NOTICE    host: TCP timestamps are off
        1 critical, 2 warnings, 1 notice from 35 rules; 3 checks skipped, 1 rule file
        broken.
        ");
    }

    #[test]
    fn nothing_found_is_one_green_line() {
        let mut snapshot = example::snapshot();
        snapshot.namespaces.truncate(1);
        let audit = quiet(&snapshot);
        assert_snapshot!(brief(&audit, &Theme::plain(), 80), @"No findings from 35 rules on the sockets, counters and sysctls of host.");
        assert!(brief(&audit, &Theme::coloured(), 80).starts_with("\u{1b}[32mNo findings"));
        assert!(text(&audit, Detail::Full, &Theme::plain(), 80).contains("LISTEN"));
    }

    #[test]
    fn what_could_not_be_checked_is_no_good_news() {
        let mut snapshot = example::snapshot();
        let skipped = example::audit(&snapshot).skipped;
        let audit = Audit { rules: 3, skipped, ..quiet(&snapshot) };
        assert!(brief(&audit, &Theme::plain(), 80).starts_with("No findings, but no rule could be checked"));
        let audit = Audit { rules: 0, ..quiet(&snapshot) };
        assert_eq!(brief(&audit, &Theme::plain(), 80), "Nothing was checked: there are no rules.\n");
        snapshot.namespaces.clear();
        let verdict = brief(&quiet(&snapshot), &Theme::plain(), 80);
        assert_eq!(verdict, "Nothing was checked: no network namespace could be read.\n");
    }

    #[test]
    fn a_broken_rule_file_takes_the_green_away() {
        let snapshot = example::snapshot();
        let audit = Audit { broken_rules: vec![String::new()], ..quiet(&snapshot) };
        assert!(!brief(&audit, &Theme::coloured(), 80).contains("\u{1b}[32m"));
        assert!(brief(&audit, &Theme::plain(), 100).ends_with("; 1 rule file broken.\n"));
    }

    #[test]
    fn where_no_sysctl_helps_the_finding_says_so() {
        let snapshot = example::snapshot();
        let mut finding = example::audit(&snapshot).findings.remove(0);
        assert!(!shown(finding.clone()).contains("No change of a sysctl"));
        finding.recommendations.clear();
        assert!(shown(finding).contains("  change    No change of a sysctl is proposed.\n  do        application:"));
    }

    #[test]
    fn a_change_that_several_findings_propose_is_told_in_full_once() {
        let snapshot = example::snapshot();
        let report = text(&example::audit(&snapshot), Detail::Full, &Theme::plain(), 80);
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
        for (asked, columns) in [(0, 60), (60, 60), (61, 61), (72, 72), (80, 80), (99, 99), (100, 100), (5000, 100)] {
            for report in [
                text(&audit, Detail::Glance, &Theme::plain(), asked),
                text(&audit, Detail::Full, &Theme::plain(), asked),
                brief(&audit, &Theme::plain(), asked),
            ] {
                for line in report.lines() {
                    assert!(line.chars().count() <= columns, "{columns}: {line}");
                    assert_eq!(line.trim_end(), line);
                }
            }
        }
    }

    #[test]
    fn no_stranger_s_text_reaches_the_terminal_as_a_control_sequence() {
        let snapshot = example::snapshot();
        let audit = example::audit(&snapshot);
        for report in [text(&audit, Detail::Full, &Theme::plain(), 80), brief(&audit, &Theme::plain(), 80)] {
            assert!(report.contains("evil"));
            let harmful: Vec<char> =
                report.chars().filter(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}').collect();
            assert_eq!(harmful, []);
        }
        let coloured = text(&audit, Detail::Full, &Theme::coloured(), 80);
        assert!(!coloured.contains("\u{1b}]0;"));
    }
}
