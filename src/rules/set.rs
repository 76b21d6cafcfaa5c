//! The rules of a run: those compiled in, those of the administrator laid over them by id, less those switched off.
//!
//! In: rule texts, overrides of parameters. Out: a [`RuleSet`] and the errors of files that could not be loaded.
//! Must not: let one broken file stop the others.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a door: lists a folder of rules"))]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::lazy::LazyRule;
use super::shipped::{SHIPPED, Shipped};
use super::{Rule, load, toml_file};
use crate::diagnostic::Diagnostic;
use crate::metrics::value::{Type, Value};
use crate::model::Profile;
use crate::suggest::nearest;

/// Rules by id.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: BTreeMap<String, LazyRule>,
    disabled: BTreeSet<String>,
    profile: Profile,
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
    /// Each is read when somebody asks for it.
    pub fn shipped() -> Self {
        let rules = SHIPPED.iter().map(|shipped| (shipped.id.to_owned(), LazyRule::shipped(shipped)));
        Self { rules: rules.collect(), ..Self::default() }
    }

    /// The rules compiled in, with their tests.
    pub fn shipped_with_tests() -> Self {
        let mut set = Self::default();
        for Shipped { area, id, text, .. } in SHIPPED {
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
                self.rules.insert(rule.id.clone(), rule.into());
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

    /// Chooses the profile whose rules are evaluated, beside those of the standard one.
    pub fn select(&mut self, profile: Profile) {
        self.profile = profile;
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

    /// Whether such a rule was taken out, is not of the profile, or is not among the files any more: nobody wants to hear of its findings. That
    /// a file is broken is no such wish.
    pub fn is_withdrawn(&self, id: &str) -> bool {
        self.disabled.contains(id)
            || !self.was_named(id)
            || self.rules.get(id).is_some_and(|rule| rule.profile() > self.profile)
    }

    /// Gives a parameter another value; it must be of the parameter's type, an int serves for a double.
    pub fn set_param(&mut self, rule: &str, name: &str, value: Value) -> Result<(), OverrideError> {
        let missing = self.no_rule(rule);
        let found = self.rules.get_mut(rule).and_then(LazyRule::rule_mut).ok_or(missing)?;
        let near = nearest(name, found.params.keys().map(String::as_str)).map(str::to_owned);
        let param = found.params.get_mut(name).ok_or_else(|| OverrideError::NoParam {
            rule: rule.to_owned(),
            name: name.to_owned(),
            near,
        })?;
        param.value = match (&param.value, value) {
            (Value::Double(_), Value::Int(value)) => Value::Double(value as f64),
            (old, value) if old.kind() == value.kind() => value,
            (old, value) => {
                return Err(OverrideError::WrongType {
                    rule: rule.to_owned(),
                    name: name.to_owned(),
                    wanted: old.kind(),
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
        self.rules.get(id).and_then(LazyRule::rule)
    }

    /// All names that the rules use, some more than once. No shipped rule is read for that.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.values().flat_map(LazyRule::names)
    }

    /// All rules, by id. Each is read for that, if it was not before.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values().filter_map(LazyRule::rule)
    }

    /// The rules of the profile with their ids, not necessarily read: those that are evaluated.
    pub fn evaluated(&self) -> impl Iterator<Item = (&str, &LazyRule)> {
        let of_profile = self.rules.iter().filter(|(_, rule)| rule.profile() <= self.profile);
        of_profile.map(|(id, rule)| (id.as_str(), rule))
    }

    /// Of the rules, those that name a cause that is neither among them nor shipped.
    pub fn unknown_causes(&self) -> Vec<Diagnostic> {
        let is_known = |id: &str| self.was_named(id) || SHIPPED.iter().any(|shipped| shipped.id == id);
        let unknown = self.iter().flat_map(|rule| rule.follows_from.iter().map(move |id| (rule, id)));
        unknown.filter(|(_, id)| !is_known(id)).map(|(rule, id)| Self::unknown_cause(rule, id)).collect()
    }

    fn unknown_cause(rule: &Rule, id: &str) -> Diagnostic {
        let quoted = format!("\"{id}\"");
        let start = rule.source.find(&quoted).unwrap_or_default();
        let near = nearest(id, SHIPPED.iter().map(|shipped| shipped.id));
        Diagnostic {
            file: rule.origin.clone(),
            source: rule.source.clone(),
            span: start..start + quoted.len(),
            message: format!("`follows_from` names `{id}`, but there is no such rule"),
            help: near.map(|near| format!("did you mean `{near}`?")),
        }
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
        for rule in with.rules.values_mut().filter_map(LazyRule::rule_mut) {
            assert!(rule.tests.len() > 1, "{}", rule.id);
            rule.tests.clear();
        }
        assert_eq!(without.iter().count(), SHIPPED.len(), "one cannot be read");
        let unlike = |one: &Rule, other: &Rule| {
            let other = Rule { source: one.source.clone(), ..other.clone() };
            format!("{one:?}") != format!("{other:?}")
        };
        assert_eq!(without.len(), with.len());
        assert!(without.iter().zip(with.iter()).all(|(one, other)| !unlike(one, other)));
    }

    const PREPARED: [&str; 6] = ["delta.", "rate.", "total.", "default(", "udp.", "net."];

    /// What the build wrote down of a rule must be what the rule says.
    #[test]
    fn the_head_of_a_shipped_rule_has_its_conditions_and_the_names_that_are_prepared() {
        let mut set = RuleSet::shipped();
        set.select(Profile::Hardened);
        assert_eq!(set.evaluated().count(), set.len());
        for (id, lazy) in set.evaluated() {
            let (head, rule) = (lazy.head().unwrap(), lazy.rule().unwrap());
            assert_eq!((head.for_each, lazy.subject()), (rule.for_each, Some(rule.for_each)), "{id}");
            let compiled = |expr: &crate::rules::expr::Expr| format!("{expr:?}");
            assert!(head.conditions().map(compiled).eq(rule.conditions().map(compiled)), "{id}");
            assert!(rule.params.iter().all(|(name, param)| head.param(name) == Some(&param.value)), "{id}");
            assert_eq!(lazy.names().collect::<BTreeSet<_>>(), rule.names().collect(), "{id}");
            let prepared: BTreeSet<&str> = lazy.prepared_names().collect();
            let is_prepared = |name: &&str| PREPARED.iter().any(|start| name.starts_with(start));
            let proposed = rule.recommend.iter().map(|part| part.key.as_str());
            for name in rule.names().chain(proposed).filter(is_prepared) {
                assert!(prepared.contains(name), "{id}: {name} is not in {prepared:?}");
            }
        }
    }

    #[test]
    fn a_rule_of_the_hardened_profile_is_known_and_evaluated_only_with_it() {
        let is_hardened = |rule: &Rule| rule.profile == Profile::Hardened;
        let mut set = RuleSet::shipped();
        let hardened = set.iter().find(|rule| is_hardened(rule)).unwrap().id.clone();
        assert!(set.is_withdrawn(&hardened) && set.was_named(&hardened));
        assert!(set.evaluated().all(|(_, rule)| !is_hardened(rule.rule().unwrap())));
        set.select(Profile::Hardened);
        assert!(!set.is_withdrawn(&hardened));
        assert!(set.evaluated().any(|(id, _)| id == hardened));
    }

    #[test]
    fn another_value_of_a_parameter_counts_for_the_conditions() {
        let mut set = RuleSet::shipped();
        set.set_param("close-wait-leak", "seconds", Value::Int(7)).unwrap();
        let (_, lazy) = set.evaluated().find(|(id, _)| *id == "close-wait-leak").unwrap();
        assert!(lazy.head().is_none(), "what the build wrote down has the former value");
        assert_eq!(set.get("close-wait-leak").unwrap().params["seconds"].value, Value::Int(7));
        assert!(lazy.prepared_names().count() > 0);
    }
}
