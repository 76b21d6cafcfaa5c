//! `sysctl-commands`: lines to paste, and the way back.
//!
//! In: the document. Out: a script for `sh`. Must not: set a value over one that somebody changed since the plan.

use super::comments;
use super::format::{Format, Style, Target};
use super::model::{Artefact, Document, Options};
use crate::keys::KeyValue;
use crate::plan::model::PlannedChange;
use crate::text::shell;

pub(super) const FORMAT: Format = Format {
    name: "sysctl-commands",
    help: "Lines with `sysctl -w` to paste, until the next boot",
    target: Target::Machine,
    places_drop_in: false,
    styles: &[
        Style::new("set", "set the values; the way back is in comments", set),
        Style::new("undo", "set the previous values again, in the opposite order", undo),
    ],
};

fn set(document: &Document<'_>, _: &Options) -> Vec<Artefact> {
    let mut text = comments::with_sign("#", 0, [comments::head(document)]);
    for module in &document.modules {
        text.push_str(&format!("modprobe {}\n", shell(module)));
    }
    for change in &document.changes {
        text.push('\n');
        text.push_str(&comments::with_sign("#", 0, comments::of(change)));
        text.push_str(&format!("{}\n", line(change, &change.before, &change.after)));
    }
    text.push_str("\n# The way back, in this order:\n");
    let back = document.changes.iter().rev().map(|change| line(change, &change.after, &change.before));
    text.push_str(&comments::with_sign("#", 0, back));
    vec![Artefact { path: "set-sysctls.sh".to_owned(), text }]
}

fn undo(document: &Document<'_>, _: &Options) -> Vec<Artefact> {
    let mut text = comments::with_sign("#", 0, [comments::head(document), "The way back.".to_owned()]);
    for change in document.changes.iter().rev() {
        text.push_str(&format!("{}\n", line(change, &change.after, &change.before)));
    }
    vec![Artefact { path: "undo-sysctls.sh".to_owned(), text }]
}

/// Sets the value if the key still has the one that was there before: what somebody set since stays, and a second run
/// does nothing.
fn line(change: &PlannedChange, from: &KeyValue, to: &KeyValue) -> String {
    let assignment = shell(&format!("{}={to}", change.name()));
    let from = from.to_string();
    let from = if from.is_empty() { "''".to_owned() } else { shell(&from) };
    format!("[ \"$(sysctl -n {} | xargs)\" != {from} ] || sysctl -w {assignment}", change.name())
}
