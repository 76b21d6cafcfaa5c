//! The rules of a run: those compiled in, those of the administrator laid over them by id, less those switched off.
//!
//! In: rule texts, overrides of parameters. Out: a [`RuleSet`] and the errors of files that could not be loaded.
//! Must not: let one broken file stop the others.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a door: lists a folder of rules"))]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::names::kind_of;
use super::{Rule, load, toml_file};
use crate::diagnostic::Diagnostic;
use crate::metrics::value::{Type, Value};
use crate::suggest::nearest;

/// (area, id, text, where its tests begin) of each shipped rule.
const SHIPPED: &[(&str, &str, &str, usize)] = include!(concat!(env!("OUT_DIR"), "/shipped_rules.rs"));

/// Rules by id.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: BTreeMap<String, Rule>,
    disabled: BTreeSet<String>,
    /// Files that could not be loaded; the rest of the set works.
    pub broken: Vec<Diagnostic>,
}

/// Why a parameter or a rule could not be set from outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    #[error("there is no rule `{name}`{}", hint(.near))]
    NoRule { name: String, near: Option<String> },
    #[error("rule `{rule}` has no parameter `{name}`{}", hint(.near))]
    NoParam { rule: String, name: String, near: Option<String> },
    #[error("`{rule}.{name}` must be of type {wanted}, but `{value}` is not")]
    WrongType { rule: String, name: String, wanted: Type, value: String },
}

fn hint(near: &Option<String>) -> String {
    near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

impl RuleSet {
    /// The rules compiled in, without their tests: those passed when the program was built, and are a third of the text.
    pub fn shipped() -> Self {
        let mut set = Self::default();
        for (area, id, text, tests) in SHIPPED {
            let origin = format!("rules/{area}/{id}.toml");
            set.keep(load::parse_untested(id, area, &origin, text.get(..*tests).unwrap_or(text)));
        }
        set
    }

    /// The rules compiled in, with their tests.
    pub fn shipped_with_tests() -> Self {
        let mut set = Self::default();
        for (area, id, text, _) in SHIPPED {
            set.add(area, id, &format!("rules/{area}/{id}.toml"), text);
        }
        set
    }

    /// Adds a rule from its text; one with the same id is replaced.
    pub fn add(&mut self, area: &str, id: &str, origin: &str, text: &str) {
        self.keep(load::parse(id, area, origin, text));
    }

    fn keep(&mut self, parsed: Result<Rule, Vec<Diagnostic>>) {
        match parsed {
            Ok(rule) => {
                self.rules.insert(rule.id.clone(), rule);
            }
            Err(errors) => self.broken.extend(errors),
        }
    }

    /// Adds one file. What cannot be read is noted as broken.
    pub fn add_file(&mut self, path: &Path) {
        let origin = path.display().to_string();
        let id = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        match toml_file::read(path) {
            Ok(text) => self.add("", &id, &origin, &text),
            Err(why) => {
                self.broken.push(Diagnostic { file: origin, source: "".into(), span: 0..0, message: why, help: None });
            }
        }
    }

    /// Adds every `*.toml` of a folder, in the order of their names, sub-folders after files.
    pub fn add_folder(&mut self, folder: &Path) -> std::io::Result<()> {
        let mut entries: Vec<_> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for path in entries.iter().filter(|path| path.extension().is_some_and(|end| end == "toml")) {
            self.add_file(path);
        }
        for path in entries.iter().filter(|path| path.is_dir() && !path.is_symlink()) {
            self.add_folder(path)?;
        }
        Ok(())
    }

    /// Takes a rule out.
    pub fn disable(&mut self, id: &str) -> Result<(), OverrideError> {
        self.rules.remove(id).ok_or_else(|| self.no_rule(id))?;
        self.disabled.insert(id.to_owned());
        Ok(())
    }

    /// Whether there is such a rule, even if it was taken out or its file is broken.
    pub fn was_named(&self, id: &str) -> bool {
        let is_its_file = |file: &str| Path::new(file).file_stem().is_some_and(|stem| stem == id);
        self.rules.contains_key(id)
            || self.disabled.contains(id)
            || self.broken.iter().any(|diagnostic| is_its_file(&diagnostic.file))
    }

    /// Whether such a rule was taken out or is not among the files any more: nobody wants to hear of its findings. That
    /// a file is broken is no such wish.
    pub fn is_withdrawn(&self, id: &str) -> bool {
        self.disabled.contains(id) || !self.was_named(id)
    }

    /// Gives a parameter another value; it must be of the parameter's type, an int serves for a double.
    pub fn set_param(&mut self, rule: &str, name: &str, value: Value) -> Result<(), OverrideError> {
        let missing = self.no_rule(rule);
        let found = self.rules.get_mut(rule).ok_or(missing)?;
        let near = nearest(name, found.params.keys().map(String::as_str)).map(str::to_owned);
        let param = found.params.get_mut(name).ok_or_else(|| OverrideError::NoParam {
            rule: rule.to_owned(),
            name: name.to_owned(),
            near,
        })?;
        param.value = match (&param.value, value) {
            (Value::Double(_), Value::Int(value)) => Value::Double(value as f64),
            (old, value) if kind_of(old) == kind_of(&value) => value,
            (old, value) => {
                return Err(OverrideError::WrongType {
                    rule: rule.to_owned(),
                    name: name.to_owned(),
                    wanted: kind_of(old),
                    value: value.to_string(),
                });
            }
        };
        Ok(())
    }

    /// The same from text, as the command line gives it.
    pub fn set_param_text(&mut self, rule: &str, name: &str, text: &str) -> Result<(), OverrideError> {
        let value = if let Ok(value) = text.parse() {
            Value::Int(value)
        } else if let Ok(value) = text.parse() {
            Value::Double(value)
        } else if let Ok(value) = text.parse() {
            Value::Bool(value)
        } else {
            Value::Text(text.to_owned())
        };
        self.set_param(rule, name, value)
    }

    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// All rules, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    pub fn len(&self) -> usize {
        self.rules.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rule whose id is nearest to a mistyped one.
    pub fn suggest(&self, id: &str) -> Option<&str> {
        nearest(id, self.rules.keys().map(String::as_str))
    }

    fn no_rule(&self, id: &str) -> OverrideError {
        OverrideError::NoRule { name: id.to_owned(), near: self.suggest(id).map(str::to_owned) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts without tests must be the same rules.
    #[test]
    fn the_shipped_rules_load_the_same_with_and_without_their_tests() {
        let (without, mut with) = (RuleSet::shipped(), RuleSet::shipped_with_tests());
        assert!(without.broken.is_empty() && with.broken.is_empty(), "{:?}{:?}", without.broken, with.broken);
        for rule in with.rules.values_mut() {
            assert!(rule.tests.len() > 1, "{}", rule.id);
            rule.tests.clear();
        }
        let unlike = |one: &Rule, other: &Rule| {
            let other = Rule { source: one.source.clone(), ..other.clone() };
            format!("{one:?}") != format!("{other:?}")
        };
        assert_eq!(without.len(), with.len());
        assert!(without.iter().zip(with.iter()).all(|(one, other)| !unlike(one, other)));
    }
}
