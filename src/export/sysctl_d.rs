//! `sysctl.d`: a drop-in, with the module that a key needs.
//!
//! In: the document. Out: a file for `/etc/sysctl.d`, and one for `/etc/modules-load.d` where a key needs a module.
//! Must not: say which file wins; `session/proof.rs` shows that on a host's files.

use super::comments;
use super::format::{Format, Style, Target};
use super::model::{Artefact, Document, Options};

/// The file of the exported values. `91-` comes after the values that `confirm` makes permanent (`90-`), and the two do
/// not overwrite each other.
pub const DROP_IN: &str = "/etc/sysctl.d/91-sysctl-advisor-export.conf";
/// The modules that its keys need.
pub(super) const MODULES: &str = "/etc/modules-load.d/sysctl-advisor-export.conf";

pub(super) const FORMAT: Format = Format {
    name: "sysctl.d",
    help: "A drop-in for /etc/sysctl.d",
    target: Target::Machine,
    places_drop_in: true,
    styles: &[Style::new("drop-in", "a file with comments", files)],
};

/// The drop-in, and the list of modules where a key needs one; the formats that write files carry both along.
pub(super) fn files(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let mut files = vec![Artefact { path: drop_in(options).to_owned(), text: text(document) }];
    if let Some(text) = modules(document) {
        files.push(Artefact { path: MODULES.to_owned(), text });
    }
    files
}

/// Where the drop-in is to be.
pub(super) fn drop_in(options: &Options) -> &str {
    options.drop_in.as_deref().unwrap_or(DROP_IN)
}

/// The drop-in's text, which the formats that write files carry along.
pub(super) fn text(document: &Document<'_>) -> String {
    let mut text = comments::with_sign("#", 0, [comments::head(document)]);
    for change in &document.changes {
        text.push('\n');
        text.push_str(&comments::with_sign("#", 0, comments::of(change)));
        text.push_str(format!("{} = {}", change.name(), change.after).trim_end());
        text.push('\n');
    }
    text
}

/// The text of the file that loads the modules at boot; `None` where none is needed.
pub(super) fn modules(document: &Document<'_>) -> Option<String> {
    let lines: String = document.modules.iter().map(|module| format!("{module}\n")).collect();
    (!lines.is_empty())
        .then(|| format!("{}{lines}", comments::with_sign("#", 0, ["Keys of net.* need these modules.".to_owned()])))
}
