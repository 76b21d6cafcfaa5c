//! `tuned`: a profile that includes the active one.
//!
//! In: the document, the name of the active profile. Out: a `tuned.conf`. Must not: replace what another profile sets.

use super::comments;
use super::format::{Format, Style, Target};
use super::model::{Artefact, Document, Options};
use crate::keys::KeyValue;
use crate::model::Bound;
use crate::plan::model::PlannedChange;

pub(super) const FORMAT: Format = Format {
    name: "tuned",
    help: "A TuneD profile that includes the active one",
    target: Target::Machine,
    places_drop_in: false,
    styles: &[Style::new("profile", "a folder for /etc/tuned, or /etc/tuned/profiles since 2.24", write)
        .refusing(|change| change.after.to_string().is_empty().then(|| "TuneD has no empty value".to_owned()))],
};

fn write(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let text = text(document, options.tuned_profile.as_deref());
    vec![Artefact { path: "sysctl-advisor/tuned.conf".to_owned(), text }]
}

/// The profile, over the one that it includes.
pub(super) fn text(document: &Document<'_>, included: Option<&str>) -> String {
    let mut text = comments::with_sign("#", 0, [comments::head(document)]);
    text.push_str("# TuneD loads the files of sysctl.d again after the profile (reapply_sysctl): their values win.\n");
    text.push_str("[main]\nsummary=Sysctls that sysctl-advisor recommends\n");
    if let Some(profile) = included {
        text.push_str(&format!("include={profile}\n"));
    }
    if !document.modules.is_empty() {
        text.push_str("\n[modules]\n");
        document.modules.iter().for_each(|module| text.push_str(&format!("{module}=+r\n")));
    }
    text.push_str("\n[sysctl]\n");
    for change in &document.changes {
        text.push_str(&comments::with_sign("#", 0, comments::of(change)));
        text.push_str(&format!("{}={}\n", change.name(), value(change)));
    }
    text
}

/// TuneD only raises a number with `>` before it, and only lowers one with `<`.
fn value(change: &PlannedChange) -> String {
    let sign = match (change.bound, &change.after) {
        (Bound::AtLeast, KeyValue::Int(_)) => ">",
        (Bound::AtMost, KeyValue::Int(_)) => "<",
        _ => "",
    };
    format!("{sign}{}", change.after)
}
