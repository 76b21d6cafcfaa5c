//! The drift for a person at a terminal.
//!
//! In: a [`DriftPage`], a theme. Out: text, the worst first, each with the administrator's own line.
//! Must not: let "could not be read" look like "is in sync".

use std::collections::HashMap;

use anstyle::Style;

use super::DriftPage;
use crate::drift::model::{Assignment, KeyDrift, Status};
use crate::drift::source_line;
use crate::model::with_article;
use crate::observe::persisted::Loader;
use crate::report::page::{Cell, GAP, Page};
use crate::report::theme::Theme;
use crate::report::wrap::columns;
use crate::session::review::BootFinding;
use crate::units;

const INDENT: usize = 2;
const LABEL: usize = 8;
const BODY: usize = INDENT + LABEL + GAP;
/// Lines of one key that lost; more help nobody.
const SHADOWED_SHOWN: usize = 8;

/// Keys of one status, and problems; a file of garbage has thousands.
const KEYS_SHOWN: usize = 100;
const PROBLEMS_SHOWN: usize = 50;

/// The whole report.
pub fn text(view: &DriftPage<'_>, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    header(&mut page, view);
    if view.is_review() && !view.all {
        values(&mut page, view);
    }
    let followers = view.followers();
    for status in Status::ALL {
        let told = |drift: &&KeyDrift| drift.status == status && (view.all || view.is_reported(drift));
        for drift in view.drift.keys.iter().filter(told).take(KEYS_SHOWN) {
            page.blank();
            key(&mut page, view, &followers, drift);
        }
        more(&mut page, view.drift.keys.iter().filter(told).count(), KEYS_SHOWN, status.name());
    }
    problems(&mut page, view);
    review(&mut page, view);
    gaps(&mut page, view);
    page.blank();
    page.paragraph(0, summary_style(view, theme), &summary(view));
    page.finish()
}

fn header(page: &mut Page<'_>, view: &DriftPage<'_>) {
    let theme = page.theme;
    let loader = match view.drift.resolution.loader {
        Loader::Systemd => "systemd-sysctl",
        Loader::Procps => "sysctl --system",
    };
    let files = match (view.files, view.root.as_str()) {
        ([], "/") => "The files".to_owned(),
        ([], root) => format!("The files of {root}"),
        (named, _) => named.join(", "),
    };
    let them = if view.files.len() == 1 { "it" } else { "them" };
    let (loads, now) = if view.is_boot { ("loads", "") } else { ("would load", " now") };
    let against = match view.namespace {
        Some(name) if view.own_values => format!("compared with {}", with_article(name)),
        Some(name) => {
            format!("compared with {} of the kernel that runs here, not of that root", with_article(name))
        }
        None => "compared with nothing".to_owned(),
    };
    if view.declared {
        page.paragraph(0, theme.heading, &format!("The values of {files}, {against}"));
        return;
    }
    page.paragraph(0, theme.heading, &format!("{files} as {loader} {loads} {them}{now}, {against}"));
    if let Some(assumption) = view.assumption() {
        page.paragraph(0, theme.dim, &assumption);
    }
    if let Some(snapshot) = view.snapshot {
        let of = format!("This report is from a snapshot of {} at {}.", snapshot.system.hostname, snapshot.taken_at);
        page.paragraph(0, theme.dim, &of);
    }
    let found = &view.persisted.loader;
    let evidence = match found.loader {
        Some(loader) if loader == view.drift.resolution.loader => found.evidence.join("; "),
        Some(loader) => format!("This system boots with {}'s loader.", loader.name()),
        None => "No loader was found on this system: a boot may load nothing at all.".to_owned(),
    };
    page.paragraph(0, theme.dim, &evidence);
}

/// The values, a line each, with the present one where it is another.
fn values(page: &mut Page<'_>, view: &DriftPage<'_>) {
    let set = || view.drift.keys.iter().filter_map(|key| Some((key, key.set_by_boot()?)));
    let name = set().map(|(key, _)| columns(&key.key)).max().unwrap_or_default().min(page.width() / 2);
    let room = page.width().saturating_sub(INDENT + name + GAP);
    for (position, (key, line)) in set().take(KEYS_SHOWN).enumerate() {
        if position == 0 {
            page.blank();
            let heading = if view.declared { "Values that it sets" } else { "Values that a boot would set" };
            page.paragraph(0, page.theme.heading, heading);
        }
        let now = key.runtime.as_deref().filter(|now| *now != line.value);
        let now = now.map(|now| format!(", now {}", shown(now))).unwrap_or_default();
        let text = format!("{}{now} ({})", shown(&line.value), origin(line));
        page.row(INDENT, &[Cell::new(&key.key, name), Cell::new(&text, room).hanging(2)]);
    }
    more(page, set().count(), KEYS_SHOWN, "keys");
}

fn key(page: &mut Page<'_>, view: &DriftPage<'_>, followers: &HashMap<&str, usize>, drift: &KeyDrift) {
    let theme = page.theme;
    let status = drift.status.name().replace('_', " ").to_uppercase();
    let width = columns(&status);
    let room = page.width().saturating_sub(width + GAP);
    let style = status_style(theme, drift.status);
    page.row(0, &[Cell::new(&status, width).painted(style), Cell::new(&drift.key, room).painted(theme.heading)]);
    match &drift.boot {
        Some(line) if drift.status == Status::Invalid => {
            labelled(page, "written", &format!("{} in {}", shown(&line.text), origin(line)));
        }
        Some(line) => labelled(
            page,
            if view.declared { "value" } else { "boot" },
            &format!("{} from {}", shown(&line.value), origin(line)),
        ),
        None => labelled(page, "boot", "no file sets it"),
    }
    if let Some(value) = &drift.runtime {
        labelled(page, "now", shown(value));
    }
    if let Some(cause) = &drift.cause {
        labelled(page, "why", &cause.text);
    }
    for (position, line) in drift.shadowed.iter().rev().take(SHADOWED_SHOWN).enumerate() {
        let label = if position == 0 { "shadows" } else { "" };
        labelled(page, label, &format!("{} from {}", shown(&line.value), origin(line)));
    }
    let hidden = drift.shadowed.len().saturating_sub(SHADOWED_SHOWN);
    if hidden > 0 {
        labelled(page, "", &format!("and {}", units::quantity_of(hidden, "more lines")));
    }
    if let Some(&number) = followers.get(drift.key.as_str()).filter(|_| !view.all) {
        labelled(page, "also", &format!("{} that the kernel sets with it.", units::quantity_of(number, "keys")));
    }
    if let Some(line) = &drift.boot {
        page.source_line(INDENT, &source_line(view.persisted, &line.file, line.line, &line.span));
    }
}

/// `FILE:LINE`, and how the line comes to mean the key when it does not name it.
fn origin(line: &Assignment) -> String {
    let place = format!("{}:{}", line.file, line.line);
    match (&line.from_glob, &line.spread_from) {
        (_, Some(from)) => format!("{place}, passed on from {from}"),
        (Some(pattern), None) => format!("{place}, by the pattern {pattern}"),
        (None, None) => place,
    }
}

fn labelled(page: &mut Page<'_>, label: &str, text: &str) {
    let room = page.width() - BODY;
    page.row(INDENT, &[Cell::new(label, LABEL).painted(page.theme.dim), Cell::new(text, room).hanging(2)]);
}

fn problems(page: &mut Page<'_>, view: &DriftPage<'_>) {
    let problems = view.problems();
    if problems.is_empty() {
        return;
    }
    page.blank();
    page.paragraph(0, page.theme.heading, "What is wrong with the files");
    let all = problems.len();
    for problem in problems.into_iter().take(PROBLEMS_SHOWN) {
        let place = if problem.line > 0 { format!("{}:{}", problem.file, problem.line) } else { problem.file.clone() };
        page.paragraph(INDENT, page.theme.warning, &place);
        page.paragraph(INDENT + 2, Style::new(), &problem.text);
        if problem.line > 0 {
            let span = problem.span.0..problem.span.1;
            page.source_line(INDENT, &source_line(view.persisted, &problem.file, problem.line, &span));
        }
    }
    more(page, all, PROBLEMS_SHOWN, "problems");
}

fn more(page: &mut Page<'_>, all: usize, shown: usize, what: &str) {
    if all > shown {
        page.blank();
        let rest = units::quantity_of(all - shown, "more");
        page.paragraph(0, page.theme.dim, &format!("{rest} ({}): --format json has them all.", what.replace('_', " ")));
    }
}

/// What the audit would say after a boot, with the lines that bring it about.
fn review(page: &mut Page<'_>, view: &DriftPage<'_>) {
    let theme = page.theme;
    for (position, BootFinding { rule, severity, title, explain: _, references: _, proposes, lines }) in
        view.review.iter().enumerate()
    {
        page.blank();
        if position == 0 {
            let those = if view.declared { "these values" } else { "the values that a boot would set" };
            page.paragraph(0, theme.heading, &format!("Findings for {those}"));
            page.blank();
        }
        let name = severity.name().to_uppercase();
        let (style, width) = (theme.severity(*severity), columns(&name));
        let room = page.width().saturating_sub(INDENT + width + GAP);
        page.row(INDENT, &[Cell::new(&name, width).painted(style), Cell::new(title, room).painted(theme.heading)]);
        for (key, line) in lines.iter().take(SHADOWED_SHOWN) {
            page.paragraph(INDENT + 2, Style::new(), &format!("{key} = {} from {}", shown(&line.value), origin(line)));
        }
        for (key, value) in proposes {
            page.paragraph(INDENT + 2, Style::new(), &format!("The audit recommends {key} = {value}."));
        }
        page.paragraph(INDENT + 2, theme.dim, &format!("sysctl-advisor explain {rule}"));
    }
}

fn gaps(page: &mut Page<'_>, view: &DriftPage<'_>) {
    if view.gaps.is_empty() {
        return;
    }
    page.blank();
    page.paragraph(0, page.theme.heading, "Could not be read");
    for gap in view.gaps {
        page.paragraph(INDENT, Style::new(), &format!("{}: {}", gap.what, gap.why));
    }
}

/// `2 keys not in force, 1 dead; 8 in sync, 1 unread; 3 problems in the files.`
fn summary(view: &DriftPage<'_>) -> String {
    let drift = view.drift;
    let of = |status: Status| {
        (drift.count(status) > 0).then(|| format!("{} {}", drift.count(status), status.name().replace('_', " ")))
    };
    let wrong: Vec<String> = Status::ALL.into_iter().filter(|status| view.is_wrong(*status)).filter_map(of).collect();
    let wrong = match (wrong.is_empty(), view.is_review()) {
        (true, true) => String::new(),
        (true, false) => "Nothing drifts; ".to_owned(),
        (false, _) => wrong.join(", ") + "; ",
    };
    let problems = match drift.problems.len() {
        0 => String::new(),
        number => format!("; {} in the files", units::quantity_of(number, "problems")),
    };
    let review = match view.review.len() {
        0 => String::new(),
        number => {
            let those = if view.declared { "these values" } else { "the values of a boot" };
            format!("; {} for {those}", units::quantity_of(number, "findings"))
        }
    };
    let keys = units::quantity_of(drift.keys.len(), "keys");
    if view.is_review() {
        return format!("{wrong}{keys}{problems}{review}.");
    }
    let in_sync = format!("{} in sync", drift.count(Status::InSync));
    let rest: Vec<String> = [Some(in_sync), of(Status::Unread)].into_iter().flatten().collect();
    format!("{wrong}{} of {keys}{problems}{review}.", rest.join(", "))
}

fn summary_style(view: &DriftPage<'_>, theme: &Theme) -> Style {
    if view.drift.keys.iter().any(|key| view.is_wrong(key.status)) { theme.heading } else { theme.ok }
}

const fn status_style(theme: &Theme, status: Status) -> Style {
    match status {
        Status::NotInForce | Status::Invalid => theme.critical,
        Status::Dead | Status::WrongScope => theme.warning,
        Status::RuntimeOnly | Status::Unread => theme.notice,
        Status::InSync => theme.ok,
    }
}

/// A key may hold nothing.
fn shown(value: &str) -> &str {
    if value.trim().is_empty() { "(empty)" } else { value }
}
