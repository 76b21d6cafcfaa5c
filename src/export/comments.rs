//! What an artefact says about a change, for the person who reads it later.
//!
//! In: a change, or the document. Out: lines without a comment sign, clean of everything that could end a comment.
//! Must not: know the comment sign of a language.

use super::model::Document;
use crate::plan::model::PlannedChange;
use crate::text::printable;

/// Characters of a line; what is longer is cut.
const LONGEST: usize = 200;

/// Whose plan it is, and the state that it is based on.
pub(super) fn head(document: &Document<'_>) -> String {
    let host = match document.hostname {
        "" => String::new(),
        name => format!(" for {}", line(name)),
    };
    format!("Exported by sysctl-advisor from a plan{host}, based on the state at {}.", line(document.made_at))
}

/// Why a value is set, what it was, what it costs, when it shows, who has to restart, and when it was a mistake.
pub(super) fn of(change: &PlannedChange) -> Vec<String> {
    let rules = change.rules.join(", ");
    let mut lines = vec![match change.reason.as_str() {
        "" => rules,
        reason => format!("{rules}: {}", line(reason)),
    }];
    let was = match change.before.to_string() {
        empty if empty.is_empty() => "empty".to_owned(),
        value => value,
    };
    lines.push(format!("Was {}. Risk: {}. Effect: {}", line(&was), change.risk, line(&change.takes_effect)));
    lines.extend(change.restart.iter().map(|listener| format!("Restart: {}", line(listener))));
    let guards = change.guards.iter().map(|guard| format!("Worse if: {} ({})", line(&guard.worse_if), guard.rule));
    lines.extend(guards);
    lines
}

/// One line, whatever it was: names of processes and titles are a stranger's text.
fn line(text: &str) -> String {
    let one = text.split_whitespace().collect::<Vec<_>>().join(" ");
    printable(&one, LONGEST)
}

/// The lines with a comment sign and an indentation before each, each ended.
pub(super) fn with_sign(sign: &str, indent: usize, lines: impl IntoIterator<Item = String>) -> String {
    let place = " ".repeat(indent);
    lines.into_iter().map(|line| format!("{place}{sign} {line}\n")).collect()
}
