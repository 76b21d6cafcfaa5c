//! The formats: a row of the table for each.
//!
//! In: a name. Out: [`Format`]. Must not: know how one of them is written.

use super::model::{Artefact, Document, Options};
use super::{ansible, cloud_init, commands, nixos, puppet, salt, sysctl_d, tuned};
use crate::plan::model::PlannedChange;
use crate::suggest;

/// Every format, in the order of the help.
pub const FORMATS: &[&Format] = &[
    &sysctl_d::FORMAT,
    &commands::FORMAT,
    &ansible::FORMAT,
    &puppet::FORMAT,
    &salt::FORMAT,
    &nixos::FORMAT,
    &tuned::FORMAT,
    &cloud_init::FORMAT,
];

/// One format.
pub struct Format {
    /// As the command line takes it.
    pub name: &'static str,
    /// What a person gets: the help of the command.
    pub help: &'static str,
    pub target: Target,
    /// Whether the guards of rules are in the text, as comments.
    pub carries_guards: bool,
    /// Whether the target gets the drop-in, so that the files of a host can win over its values at boot.
    pub places_drop_in: bool,
    /// At least one; the first is the default.
    pub styles: &'static [Style],
    /// Why the format cannot say this change, beyond what its target says.
    pub(super) refuses: fn(&PlannedChange) -> Option<String>,
}

impl std::fmt::Debug for Format {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

/// Where the artefact's values arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The first network namespace of the machine (or container) on which it is used.
    Machine,
    /// A network namespace that somebody makes for a container: only keys that such a namespace owns.
    Container,
}

/// One way to write a format.
#[derive(Debug)]
pub struct Style {
    pub name: &'static str,
    pub help: &'static str,
    pub(super) write: fn(&Document<'_>, &Options) -> Vec<Artefact>,
}

/// The format of this name.
///
/// # Errors
///
/// There is none; the text names one that is near, or all.
pub fn named(name: &str) -> Result<&'static Format, String> {
    FORMATS.iter().find(|format| format.name == name).copied().ok_or_else(|| {
        let names = || FORMATS.iter().map(|format| format.name);
        match suggest::nearest(name, names()) {
            Some(near) => format!("there is no format `{name}`; `{near}` is similar"),
            None => format!("there is no format `{name}`; there are {}", names().collect::<Vec<_>>().join(", ")),
        }
    })
}

impl Format {
    /// The style of this name, the first one without a name.
    pub(super) fn style(&self, name: Option<&str>) -> Result<&'static Style, String> {
        let styles = self.styles;
        let Some(name) = name else {
            return styles.first().ok_or_else(|| format!("{} has no style", self.name));
        };
        styles.iter().find(|style| style.name == name).ok_or_else(|| {
            let names: Vec<_> = styles.iter().map(|style| style.name).collect();
            format!("{} has no style `{name}`; expected {}", self.name, names.join(" or "))
        })
    }
}
