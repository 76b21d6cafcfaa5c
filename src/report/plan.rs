//! A plan for a person: what would be written, as a diff, with what it rests on and what it costs.
//!
//! In: a [`Plan`], a theme. Out: text, the changes in their order, then what was left out and why.
//! Must not: let a value that the kernel does not take look like one that it takes.

use std::collections::BTreeSet;

use anstyle::Style;

use crate::keys::{KeyValue, Risk};
use crate::model::{RehearsalResult, in_words, with_article};
use crate::plan::model::{LeftOut, Plan, PlannedChange, Rehearsed};
use crate::report::page::{Cell, GAP, Page, shortened};
use crate::report::theme::Theme;
use crate::units;

/// Labels stand between `INDENT` and `BODY`.
const INDENT: usize = 4;
const LABEL: usize = 9;
const BODY: usize = INDENT + LABEL + GAP;

/// A list of ports may be as long as a book; a person sees its beginning, the file has it all.
const LONGEST_VALUE: usize = 300;

/// The whole plan. `skipped` is how many checks of the audit could not be made.
pub fn text(plan: &Plan, skipped: usize, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    let host = if plan.host.hostname.is_empty() { String::new() } else { format!(" for {}", plan.host.hostname) };
    page.paragraph(0, theme.heading, &format!("Plan{host}, based on the state at {}", plan.made_at));
    let same = |a: &PlannedChange, b: &PlannedChange| a.namespace_id == b.namespace_id;
    let several = plan.changes.chunk_by(same).count() > 1;
    for group in plan.changes.chunk_by(same) {
        if let Some(first) = group.first().filter(|first| several || first.namespace != "host") {
            page.blank();
            page.paragraph(0, theme.heading, &format!("In {}", with_article(&first.namespace)));
        }
        for change in group {
            page.blank();
            write(&mut page, change);
        }
    }
    left_out(&mut page, &plan.left_out);
    page.blank();
    page.paragraph(0, theme.heading, &summary(plan));
    if skipped > 0 {
        let checks = units::quantity_of(skipped, "checks");
        page.paragraph(0, theme.dim, &format!("{checks} could not be run; `sysctl-advisor audit` shows why."));
    }
    page.finish()
}

/// The changes as a diff and nothing else.
pub fn diff(changes: &[PlannedChange], theme: &Theme) -> String {
    let mut page = Page::new(theme);
    let several = changes.iter().any(|change| Some(&change.namespace_id) != changes.first().map(|it| &it.namespace_id));
    let mut last = None;
    for change in changes {
        if several && last != Some(&change.namespace_id) {
            page.paragraph(0, Style::new(), &format!("In {}", with_article(&change.namespace)));
            last = Some(&change.namespace_id);
        }
        line(&mut page, '-', theme.critical, change.name(), &change.before);
        line(&mut page, '+', theme.ok, change.name(), &change.after);
    }
    page.finish()
}

/// What the kernel said to a change, in a sentence.
pub fn answer(change: &PlannedChange, theme: &Theme) -> (Style, String) {
    rehearsed(theme, change.rehearsed.as_ref())
}

/// The changes with what they rest on and what they cost.
pub fn in_full(changes: &[PlannedChange], theme: &Theme) -> String {
    let mut page = Page::new(theme);
    for change in changes {
        page.blank();
        write(&mut page, change);
    }
    page.finish()
}

fn write(page: &mut Page<'_>, change: &PlannedChange) {
    let theme = page.theme;
    line(page, '-', theme.critical, change.name(), &change.before);
    line(page, '+', theme.ok, change.name(), &change.after);
    let risk = match change.risk {
        Risk::Low => Style::new(),
        Risk::Medium => theme.warning,
        Risk::High => theme.critical,
    };
    labelled(page, "risk", risk, change.risk.name());
    labelled(page, "effect", Style::new(), &change.takes_effect);
    for (position, listener) in change.restart.iter().enumerate() {
        labelled(page, if position == 0 { "restart" } else { "" }, theme.warning, listener);
    }
    labelled(page, "costs", Style::new(), &change.side_effects);
    labelled(page, "because", Style::new(), &change.rules.join(", "));
    let (style, answer) = rehearsed(theme, change.rehearsed.as_ref());
    labelled(page, "kernel", style, &answer);
    let guards: BTreeSet<&str> = change.guards.iter().map(|guard| guard.worse_if.as_str()).collect();
    for (position, worse_if) in guards.into_iter().enumerate() {
        labelled(page, if position == 0 { "worse if" } else { "" }, theme.dim, worse_if);
    }
}

fn line(page: &mut Page<'_>, sign: char, style: Style, key: &str, value: &KeyValue) {
    let text = format!("{sign} {key} = {}", shortened(&value.to_string(), LONGEST_VALUE));
    page.row(0, &[Cell::new(text.trim_end(), page.width()).painted(style).hanging(4)]);
}

fn labelled(page: &mut Page<'_>, label: &str, style: Style, text: &str) {
    let room = page.width() - BODY;
    if !text.is_empty() {
        page.row(INDENT, &[Cell::new(label, LABEL).painted(page.theme.dim), Cell::new(text, room).painted(style)]);
    }
}

/// What the scratch namespace's kernel said, in words.
fn rehearsed(theme: &Theme, answer: Option<&Rehearsed>) -> (Style, String) {
    match answer.map(|answer| (answer.result, shortened(&answer.value, LONGEST_VALUE))) {
        None => (theme.dim, "Not tried.".to_owned()),
        Some((RehearsalResult::Accepted, _)) => (theme.ok, "Accepts it: tried in a scratch namespace.".to_owned()),
        Some((RehearsalResult::Refused, why)) => (theme.critical, format!("Rejects it: {why}.")),
        Some((RehearsalResult::Changed, value)) => (theme.critical, format!("Changes it to another value: {value}")),
        Some((_, why)) => (theme.dim, format!("Could not be tried: {why}.")),
    }
}

fn left_out(page: &mut Page<'_>, left_out: &[LeftOut]) {
    for (position, left) in left_out.iter().enumerate() {
        if position == 0 {
            page.blank();
            page.paragraph(0, page.theme.heading, "Left out");
        }
        let place = if left.namespace == "host" { String::new() } else { format!("{}: ", in_words(&left.namespace)) };
        let text = format!("{place}{} = {}", left.key, shortened(&left.proposed, LONGEST_VALUE));
        page.row(2, &[Cell::new(text.trim_end(), page.width() - 2).hanging(2)]);
        page.paragraph(6, page.theme.dim, &left.why);
    }
}

/// `2 changes, highest risk medium; 1 left out. Nothing was changed.`
fn summary(plan: &Plan) -> String {
    let left = if plan.left_out.is_empty() { String::new() } else { format!("; {} left out", plan.left_out.len()) };
    let highest = plan.changes.iter().map(|change| change.risk).max();
    match highest {
        None => format!("Nothing to change{left}."),
        Some(risk) => {
            let not_taken =
                |change: &&PlannedChange| change.rehearsed.as_ref().is_some_and(|said| said.result.is_bad());
            let refused = match plan.changes.iter().filter(not_taken).count() {
                0 => String::new(),
                number => format!("; the kernel does not accept {number} of them"),
            };
            let changes = units::quantity_of(plan.changes.len(), "changes");
            format!("{changes}, highest risk {}{refused}{left}. Nothing was changed.", risk.name())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;

    use super::*;
    use crate::plan::example;
    use crate::plan::model::{Guard, PlanHost};

    fn change(key: &str, expected: &str, proposed: &str, result: Option<(RehearsalResult, &str)>) -> PlannedChange {
        PlannedChange {
            namespace_id: "net:[1]".into(),
            side_effects: String::new(),
            rehearsed: result.map(|(result, value)| Rehearsed { result, value: value.into() }),
            ..example::change(key, expected, proposed)
        }
    }

    fn plan() -> Plan {
        let reserved = (0..400).map(|port| (20_000 + 2 * port).to_string()).collect::<Vec<_>>().join(",");
        Plan {
            made_at: "2026-01-01T00:00:00Z".into(),
            host: PlanHost { hostname: "web-1".into(), boot_id: None },
            changes: vec![
                PlannedChange {
                    side_effects: "A full queue may hold more of what nobody waits for any longer, and more memory."
                        .into(),
                    restart: vec!["0.0.0.0:80 (nginx (pid 12))".into(), "[::]:443".into()],
                    guards: vec![Guard {
                        rule: "a-rule".into(),
                        worse_if: "tcp.close_wait > 10".into(),
                        params: BTreeMap::new(),
                    }],
                    risk: Risk::Medium,
                    ..change("net.core.somaxconn", "128", "4096", Some((RehearsalResult::Accepted, "4096")))
                },
                change("net.ipv4.ip_local_reserved_ports", "", &reserved, None),
                PlannedChange {
                    namespace: "blue\u{1b}[2J".into(),
                    namespace_id: "net:[2]".into(),
                    risk: Risk::High,
                    ..change("net.ipv4.tcp_tw_reuse", "2", "1", Some((RehearsalResult::Refused, "Invalid argument")))
                },
                PlannedChange {
                    namespace_id: "net:[2]".into(),
                    ..change("net.ipv4.tcp_fin_timeout", "1", "60", Some((RehearsalResult::Changed, "30")))
                },
            ],
            left_out: vec![LeftOut {
                namespace: "blue".into(),
                key: "net.core.rmem_max".into(),
                proposed: "1".into(),
                why: "this key belongs to the machine".into(),
            }],
        }
    }

    #[test]
    fn a_plan_reads_as_a_diff_with_what_each_change_costs() {
        assert_snapshot!(text(&plan(), 3, &Theme::plain()), @"
        Plan for web-1, based on the state at 2026-01-01T00:00:00Z

        In the network namespace host

        - net.core.somaxconn = 128
        + net.core.somaxconn = 4096
            risk       medium
            effect     At once.
            restart    0.0.0.0:80 (nginx (pid 12))
                       [::]:443
            costs      A full queue may hold more of what nobody waits for any longer,
                       and more memory.
            because    a-rule
            kernel     Accepts it: tried in a scratch namespace.
            worse if   tcp.close_wait > 10

        - net.ipv4.ip_local_reserved_ports =
        + net.ipv4.ip_local_reserved_ports =
            20000,20002,20004,20006,20008,20010,20012,20014,20016,20018,20020,20022,
            20024,20026,20028,20030,20032,20034,20036,20038,20040,20042,20044,20046,
            20048,20050,20052,20054,20056,20058,20060,20062,20064,20066,20068,20070,
            20072,20074,20076,20078,20080,20082,20084,20086,20088,20090,20092,20094,
            20096,20098…
            risk       low
            effect     At once.
            because    a-rule
            kernel     Not tried.

        In the network namespace blue�[2J

        - net.ipv4.tcp_tw_reuse = 2
        + net.ipv4.tcp_tw_reuse = 1
            risk       high
            effect     At once.
            because    a-rule
            kernel     Rejects it: Invalid argument.

        - net.ipv4.tcp_fin_timeout = 1
        + net.ipv4.tcp_fin_timeout = 60
            risk       low
            effect     At once.
            because    a-rule
            kernel     Changes it to another value: 30

        Left out
          blue: net.core.rmem_max = 1
              this key belongs to the machine

        4 changes, highest risk high; the kernel does not accept 2 of them; 1 left out.
        Nothing was changed.
        3 checks could not be run; `sysctl-advisor audit` shows why.
        ");
    }

    #[test]
    fn every_line_fits_and_nothing_of_a_stranger_reaches_the_terminal() {
        let plain = text(&plan(), 0, &Theme::plain());
        assert!(plain.lines().all(|line| line.chars().count() <= crate::report::wrap::WIDTH), "{plain}");
        assert!(!plain.contains('\u{1b}'));
        let coloured = text(&plan(), 0, &Theme::coloured());
        assert!(coloured.contains("\u{1b}[1m\u{1b}[31m- net.core.somaxconn = 128\u{1b}[0m"), "{coloured:?}");
        assert!(coloured.contains("\u{1b}[32m+ net.core.somaxconn = 4096\u{1b}[0m"));
    }

    #[test]
    fn an_empty_plan_says_that_there_is_nothing_to_change() {
        let empty = Plan { changes: Vec::new(), left_out: Vec::new(), ..plan() };
        assert!(text(&empty, 0, &Theme::plain()).ends_with("\nNothing to change.\n"));
    }
}
