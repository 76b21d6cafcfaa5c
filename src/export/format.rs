//! A format of the export: a row of the table in `mod.rs`.
//!
//! In: nothing; these are records. Out: the same. Must not: know one format from another.

use super::model::{Artefact, Document, Options};
use crate::plan::model::PlannedChange;

/// One format.
pub struct Format {
    /// As the command line takes it.
    pub name: &'static str,
    /// What a person gets: the help of the command.
    pub help: &'static str,
    pub target: Target,
    /// Whether the target gets the drop-in, so that the files of a host can win over its values at boot.
    pub places_drop_in: bool,
    /// At least one; the first is the default.
    pub styles: &'static [Style],
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
    /// A cluster: the format has a place for keys of the machine and for those of a container.
    Cluster,
    /// A network namespace that somebody makes for a container: only keys that such a namespace owns.
    Container,
}

/// One way to write a format.
#[derive(Debug)]
pub struct Style {
    pub name: &'static str,
    pub help: &'static str,
    /// Why it cannot say this change, beyond what the format's target says.
    pub(super) refuses: fn(&PlannedChange) -> Option<String>,
    pub(super) write: Write,
}

type Write = fn(&Document<'_>, &Options) -> Vec<Artefact>;

impl Style {
    /// One that can say every change.
    pub(super) const fn new(name: &'static str, help: &'static str, write: Write) -> Self {
        Self { name, help, refuses: |_| None, write }
    }

    /// The same, but for the changes with a reason.
    pub(super) const fn refusing(self, refuses: fn(&PlannedChange) -> Option<String>) -> Self {
        Self { refuses, ..self }
    }
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
