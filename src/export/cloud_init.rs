//! `cloud-init`: the fragment of a `#cloud-config`.
//!
//! In: the document. Out: YAML. Must not: rely on the boot's own loading of the file: `write_files` runs after it.

use super::comments;
use super::format::{Format, Style, Target};
use super::model::{Artefact, Document, Options};
use super::sysctl_d::{self, drop_in};
use super::{quote, yaml};

pub(super) const FORMAT: Format = Format {
    name: "cloud-init",
    help: "A #cloud-config that writes the drop-in and loads it",
    target: Target::Machine,
    places_drop_in: true,
    styles: &[Style::new("cloud-config", "user data, or a part of it", write)],
};

fn write(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let mut text = format!("#cloud-config\n{}", comments::with_sign("#", 0, [comments::head(document)]));
    text.push_str("write_files:\n");
    sysctl_d::files(document, options).iter().for_each(|file| text.push_str(&entry(file)));
    text.push_str("runcmd:\n");
    for module in &document.modules {
        text.push_str(&format!("  - [modprobe, {module}]\n"));
    }
    text.push_str(&format!("  - [sysctl, {}]\n", quote::json(&format!("--load={}", drop_in(options)))));
    vec![Artefact { path: "cloud-config.yaml".to_owned(), text }]
}

fn entry(file: &Artefact) -> String {
    let mut text = format!("  - path: {}\n    owner: root:root\n    permissions: \"0644\"\n", quote::json(&file.path));
    text.push_str(&yaml::block(4, "content", &file.text));
    text
}
