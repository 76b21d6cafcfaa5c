//! The values that a file of configuration management asks for, wherever in it they stand.
//!
//! In: a name and the text of a file: sysctl.d, a profile of TuneD, YAML, JSON, TOML. Out: [`Declared`]: keys and values, in
//! groups that are set together, each with its place. Must not: judge a value, or read a file.

mod find;
mod group;
mod key_name;
mod lines;
mod scalar;
mod syntax;
mod toml;
mod tree;
mod yaml;

use crate::diagnostic::Diagnostic;
use crate::drift::model::Problem;

pub use group::{Group, Owner};
pub use syntax::Syntax;

/// What a file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// As it was named.
    pub file: String,
    pub text: String,
    pub syntax: Syntax,
    /// By their first line; none has no value.
    pub groups: Vec<Group>,
    /// What is wrong with the way in which values are written, whatever they are.
    pub problems: Vec<Problem>,
    /// Values that a template fills in later; nobody can look at them here.
    pub templates: usize,
}

/// No group of the file is at the place that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: no values at `{place}`; there are values at {}", .places.join(", "))]
pub struct NoSuchPlace {
    file: String,
    place: String,
    places: Vec<String>,
}

impl Declared {
    /// The values of one place of the file, or of a part of the file that begins there; without a place those for the
    /// machine, and where there are none, all.
    pub fn at(&self, place: Option<&str>) -> Result<Group, NoSuchPlace> {
        let is_at = |group: &&Group| match place {
            Some(place) => {
                group.place.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', ':']))
            }
            None => group.owner == Owner::Host || self.groups.iter().all(|other| other.owner != Owner::Host),
        };
        let chosen: Vec<&Group> = self.groups.iter().filter(is_at).collect();
        match place {
            Some(place) if chosen.is_empty() => {
                let places = self.groups.iter().map(|group| format!("`{}`", group.place)).collect();
                Err(NoSuchPlace { file: self.file.clone(), place: place.to_owned(), places })
            }
            _ => Ok(Group::joined(&chosen, &self.text)),
        }
    }
}

/// Reads the text of a file. Without a `syntax` the name and the text decide.
///
/// # Errors
///
/// The text is not of this syntax: where, and what was expected.
pub fn read(file: &str, text: &str, syntax: Option<Syntax>) -> Result<Declared, Diagnostic> {
    let syntax = match syntax {
        Some(syntax) => syntax,
        None => Syntax::of(file, text)?,
    };
    let found = match syntax {
        Syntax::SysctlD => find::Found::of_sysctl_d(text),
        Syntax::Tuned => find::Found::of_profile(text),
        Syntax::Yaml | Syntax::Json => find::Found::of(&yaml::documents(file, text, syntax)?, text, file, syntax),
        Syntax::Toml => find::Found::of(&[toml::document(file, text)?], text, file, syntax),
    };
    let find::Found { groups, problems, templates } = found;
    let groups = groups.into_iter().map(|group| group.done(text)).collect();
    Ok(Declared { file: file.to_owned(), text: text.to_owned(), syntax, groups, problems, templates })
}

#[cfg(test)]
mod tests;
