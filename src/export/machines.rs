//! `talos` and `bottlerocket`: machines without a shell, whose configuration has a place for sysctls.
//!
//! In: the document. Out: a patch of the machine's configuration. Must not: write a number where the system reads a text.

use super::comments;
use super::format::{Format, Style, Target};
use super::model::{Artefact, Document, Options};
use super::{quote, yaml};

pub(super) const TALOS: Format = Format {
    name: "talos",
    help: "A machine config patch for Talos Linux",
    target: Target::Machine,
    places_drop_in: false,
    styles: &[Style::new("patch", "for `talosctl patch machineconfig`", talos)],
};

pub(super) const BOTTLEROCKET: Format = Format {
    name: "bottlerocket",
    help: "Settings for Bottlerocket",
    target: Target::Machine,
    places_drop_in: false,
    styles: &[Style::new("settings", "user data in TOML", bottlerocket)],
};

fn talos(document: &Document<'_>, _: &Options) -> Vec<Artefact> {
    let mut text = comments::with_sign("#", 0, [comments::head(document)]);
    text.push_str("machine:\n");
    if !document.modules.is_empty() {
        text.push_str("  kernel:\n    modules:\n");
        document.modules.iter().for_each(|module| text.push_str(&format!("      - name: {module}\n")));
    }
    text.push_str("  sysctls:\n");
    for change in &document.changes {
        text.push_str(&comments::with_sign("#", 4, comments::of(change)));
        text.push_str(&yaml::text(4, change.name(), &change.after.to_string()));
    }
    vec![Artefact { path: "sysctl-advisor.yaml".to_owned(), text }]
}

fn bottlerocket(document: &Document<'_>, _: &Options) -> Vec<Artefact> {
    let mut text = comments::with_sign("#", 0, [comments::head(document)]);
    for module in &document.modules {
        text.push_str(&format!("[settings.kernel.modules.{module}]\nallowed = true\nautoload = true\n\n"));
    }
    text.push_str("[settings.kernel.sysctl]\n");
    for change in &document.changes {
        text.push_str(&comments::with_sign("#", 0, comments::of(change)));
        // TOML's basic string is JSON's, for every text that has no DEL.
        text.push_str(&format!("{} = {}\n", quote::json(change.name()), quote::json(&change.after.to_string())));
    }
    vec![Artefact { path: "sysctl-advisor.toml".to_owned(), text }]
}
