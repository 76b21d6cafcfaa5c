//! `salt`: a state, or pillar data.
//!
//! In: the document. Out: YAML for Salt. Must not: let Jinja see the text: the first line takes it as YAML alone.

use super::comments;
use super::format::{Format, Style, Target};
use super::model::{Artefact, Document, Options};
use super::sysctl_d::drop_in;
use super::yaml;

pub(super) const FORMAT: Format = Format {
    name: "salt",
    help: "A state with sysctl.present, or pillar data",
    target: Target::Machine,
    places_drop_in: true,
    styles: &[
        Style::new("state", "a state file", state),
        Style::new("pillar", "pillar data: the list sysctl_advisor:sysctls", pillar),
    ],
};

fn head(document: &Document<'_>) -> String {
    format!("#!yaml\n{}", comments::with_sign("#", 0, [comments::head(document)]))
}

fn state(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let mut text = head(document);
    for module in &document.modules {
        text.push_str(&format!("\nload {module}:\n  kmod.present:\n    - name: {module}\n    - persist: true\n"));
    }
    for change in &document.changes {
        text.push('\n');
        text.push_str(&comments::with_sign("#", 0, comments::of(change)));
        text.push_str(&format!("{}:\n  sysctl.present:\n", change.name()));
        text.push_str(&yaml::text(4, "- value", &change.after.to_string()));
        text.push_str(&yaml::text(4, "- config", drop_in(options)));
    }
    vec![Artefact { path: "sysctl_advisor.sls".to_owned(), text }]
}

fn pillar(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let mut text = head(document);
    text.push_str("sysctl_advisor:\n");
    text.push_str(&yaml::text(2, "config", drop_in(options)));
    text.push_str("  sysctls:\n");
    for change in &document.changes {
        text.push_str(&comments::with_sign("#", 4, comments::of(change)));
        text.push_str(&format!("    {}: {}\n", change.name(), super::quote::json(&change.after.to_string())));
    }
    vec![Artefact { path: "sysctl_advisor.sls".to_owned(), text }]
}
