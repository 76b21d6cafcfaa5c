//! `nixos`: a module with `boot.kernel.sysctl`.
//!
//! In: the document. Out: a Nix expression. Must not: override what another module sets: two definitions are an error of
//! the evaluation, which a person has to see. A value that is wanted *at least* is a default, so that another module's
//! value stays.

use super::comments;
use super::format::{Format, Style, Target};
use super::model::{Artefact, Document, Options};
use super::quote;
use crate::keys::KeyValue;
use crate::model::Bound;
use crate::plan::model::PlannedChange;

pub(super) const FORMAT: Format = Format {
    name: "nixos",
    help: "A module with boot.kernel.sysctl",
    target: Target::Machine,
    places_drop_in: false,
    styles: &[Style::new("module", "a file for `imports`", write)],
};

fn write(document: &Document<'_>, _: &Options) -> Vec<Artefact> {
    let mut text = comments::with_sign("#", 0, [comments::head(document)]);
    let uses_lib = document.changes.iter().any(|change| is_default(change));
    text.push_str(if uses_lib { "{ lib, ... }:\n{\n" } else { "{ ... }:\n{\n" });
    if !document.modules.is_empty() {
        let modules: Vec<_> = document.modules.iter().map(|module| quote::nix(module)).collect();
        text.push_str(&format!("  boot.kernelModules = [ {} ];\n", modules.join(" ")));
    }
    text.push_str("  boot.kernel.sysctl = {\n");
    for change in &document.changes {
        text.push_str(&comments::with_sign("#", 4, comments::of(change)));
        text.push_str(&format!("    {} = {};\n", quote::nix(change.name()), value(change)));
    }
    text.push_str("  };\n}\n");
    vec![Artefact { path: "sysctl-advisor.nix".to_owned(), text }]
}

fn value(change: &PlannedChange) -> String {
    let value = match &change.after {
        // Nix has no literal for a negative number in this place without parentheses.
        KeyValue::Int(number) if *number < 0 => format!("({number})"),
        KeyValue::Int(number) => number.to_string(),
        other => quote::nix(&other.to_string()),
    };
    if is_default(change) { format!("lib.mkDefault {value}") } else { value }
}

fn is_default(change: &PlannedChange) -> bool {
    change.bound == Bound::AtLeast
}
