//! `ignition` and `butane`: the files of a machine that is configured at its first boot (Fedora CoreOS, Flatcar).
//!
//! In: the document. Out: Butane YAML, or Ignition JSON. Must not: write a mode as a text: Ignition takes numbers only.

use serde_json::json;

use super::comments;
use super::format::{Format, Style, Target};
use super::model::{Artefact, Document, Options};
use super::{quote, sysctl_d, yaml};

pub(super) const BUTANE: Format = Format {
    name: "butane",
    help: "A Butane config for Fedora CoreOS or Flatcar",
    target: Target::Machine,
    places_drop_in: true,
    styles: &[
        Style::new("fcos", "variant fcos", |document, options| butane(document, options, "fcos", "1.5.0")),
        Style::new("flatcar", "variant flatcar", |document, options| butane(document, options, "flatcar", "1.1.0")),
    ],
};

pub(super) const IGNITION: Format = Format {
    name: "ignition",
    help: "An Ignition config, specification 3.3.0",
    target: Target::Machine,
    places_drop_in: true,
    styles: &[Style::new("config", "JSON, to merge into a config or to use alone", ignition)],
};

fn butane(document: &Document<'_>, options: &Options, variant: &str, version: &str) -> Vec<Artefact> {
    let mut text = comments::with_sign("#", 0, [comments::head(document)]);
    text.push_str(&format!("variant: {variant}\nversion: {version}\nstorage:\n  files:\n"));
    for Artefact { path, text: content } in sysctl_d::files(document, options) {
        text.push_str(&format!(
            "    - path: {}\n      mode: 0644\n      overwrite: true\n      contents:\n",
            quote::json(&path)
        ));
        text.push_str(&yaml::block(8, "inline", &content));
    }
    vec![Artefact { path: "sysctl-advisor.bu".to_owned(), text }]
}

fn ignition(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let files: Vec<_> = sysctl_d::files(document, options)
        .into_iter()
        .map(|Artefact { path, text }| {
            let source = format!("data:,{}", percent_encoded(&text));
            json!({ "path": path, "mode": 0o644, "overwrite": true, "contents": { "source": source } })
        })
        .collect();
    let config = json!({ "ignition": { "version": "3.3.0" }, "storage": { "files": files } });
    vec![Artefact { path: "sysctl-advisor.ign".to_owned(), text: format!("{config:#}\n") }]
}

/// As RFC 2397 has it: everything that RFC 3986 does not call unreserved is `%` and two digits.
fn percent_encoded(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    encoded.collect()
}
