//! From the text of a rule file to a checked [`Rule`], or to errors that point into the file.
//!
//! In: an id, a file name, TOML text. Out: a rule whose every name, type, key and test was checked, or all that is
//! wrong with it. Must not: read files.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use super::expr::{Expr, ExprError};
use super::file::{AdviseFile, LevelFile, LookFile, ParamFile, RecommendFile, RuleFile, TestFile};
use super::names::{RuleNames, key_to_set};
use super::template::Template;
use super::{
    Advise, Avoid, Evidence, Expect, Level, NextLook, Param, Recommend, Rule, RuleTest, characters, given, next_look,
    toml_file,
};
use crate::diagnostic::Diagnostic;
use crate::keys::{self, ValueType};
use crate::metrics::{names, subjects::Subject, sysctl, value::Type};
use crate::model::Bound;

/// Characters that a summary may have: a line of a terminal.
const LONGEST_SUMMARY: usize = 80;
/// What an id looks like.
pub(super) const ID_HELP: &str =
    "the id is the file's name: lower case letters, digits and hyphens; it begins with a letter";

/// Parses and checks one rule file. `origin` names the file in messages.
pub fn parse(id: &str, area: &str, origin: &str, text: &str) -> Result<Rule, Vec<Diagnostic>> {
    load(id, area, text, Loader { origin, text: text.into(), tested: true, errors: Vec::new() })
}

/// Parses a rule file whose tests are left out of `text`.
pub(super) fn parse_untested(id: &str, area: &str, origin: &str, text: &str) -> Result<Rule, Vec<Diagnostic>> {
    load(id, area, text, Loader { origin, text: text.into(), tested: false, errors: Vec::new() })
}

fn load(id: &str, area: &str, text: &str, mut loader: Loader<'_>) -> Result<Rule, Vec<Diagnostic>> {
    let file: RuleFile = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            return Err(vec![toml_file::diagnostic(loader.origin, text, &error)]);
        }
    };
    // Those of a shipped rule without its tests were looked at when the program was built and tested.
    if loader.tested
        && let Some((span, found)) = characters::dangerous(text)
    {
        let message = format!(
            "this text has the character U+{:04X}, on which a terminal acts or which no reader sees",
            found as u32
        );
        loader.error(span, &message, None);
    }
    let rule = loader.rule(id, area, file);
    match rule {
        Some(rule) if loader.errors.is_empty() => Ok(rule),
        _ => Err(loader.errors),
    }
}

struct Loader<'a> {
    origin: &'a str,
    text: Arc<str>,
    /// Whether there must be tests.
    tested: bool,
    errors: Vec<Diagnostic>,
}

impl Loader<'_> {
    fn rule(&mut self, id: &str, area: &str, mut file: RuleFile) -> Option<Rule> {
        if !is_id(id) {
            self.error(0..0, &format!("`{id}` cannot be a rule's id"), Some(ID_HELP.to_owned()));
        }
        let params = self.params(std::mem::take(&mut file.params));
        let scope = RuleNames::new(file.for_each, &params);
        self.check_summary(&file.summary);
        let levels = self.levels(&file, &scope);
        if let Some(field) =
            file.unless_changed.as_ref().filter(|field| *field.get_ref() && !file.for_each.is_named_as(Subject::Key))
        {
            self.error(field.span(), "`unless_changed` needs `for_each = \"key\"` or `\"setting\"`", None);
        }
        for cause in &file.follows_from {
            if !is_id(cause.get_ref()) || cause.get_ref() == id {
                self.error(cause.span(), &format!("`{}` is not the id of another rule", cause.get_ref()), None);
            }
        }
        // Without levels it is the condition of the only one.
        let when = match file.when.as_ref().filter(|_| !file.level.is_empty()) {
            Some(when) => Some(self.expression(when, Some(Type::Bool), &scope)?),
            None => None,
        };
        let evidence = self.evidence(&file.evidence, &scope);
        let recommend: Vec<_> = file.recommend.iter().filter_map(|part| self.recommend(part, &scope)).collect();
        let advise: Vec<_> = file.advise.iter().filter_map(|part| self.advise(part, &scope)).collect();
        let looks: Vec<_> = file.look.iter().filter_map(|part| self.look(part, &scope)).collect();
        if file.recommend.is_empty() && file.advise.is_empty() {
            let message = "a rule must say what to do: add [[recommend]] with a key, or [[advise]]";
            self.error(file.summary.span(), message, None);
        }
        if file.explain.get_ref().trim().len() < 40 {
            self.error(file.explain.span(), "`explain` must have at least one full sentence", None);
        }
        if file.references.get_ref().is_empty() {
            self.error(file.references.span(), "a rule must have at least one source in `references`", None);
        }
        let guard = match &file.guard {
            Some(guard) => Some(self.expression(&guard.worse_if, Some(Type::Bool), &scope.of_guard())?),
            None => None,
        };
        let tests = match self.tested {
            true => self.tests(file.test, &file.summary, &file.level, &scope),
            false => Vec::new(),
        };
        Some(Rule {
            id: id.to_owned(),
            area: area.to_owned(),
            origin: self.origin.to_owned(),
            source: Arc::clone(&self.text),
            summary: file.summary.into_inner(),
            since: file.since,
            kind: file.kind,
            profile: file.profile,
            for_each: file.for_each,
            unless_changed: file.unless_changed.is_some_and(Spanned::into_inner),
            follows_from: file.follows_from.into_iter().map(Spanned::into_inner).collect(),
            when,
            levels: levels?,
            explain: file.explain.into_inner().trim().to_owned(),
            references: file.references.into_inner(),
            params,
            evidence,
            recommend,
            advise,
            avoid: file.avoid.into_iter().map(|avoid| Avoid { what: avoid.what, why: avoid.why }).collect(),
            looks,
            guard,
            tests,
        })
    }

    fn check_summary(&mut self, summary: &Spanned<String>) {
        let text = summary.get_ref();
        let wrong = if text.trim().is_empty() {
            "`summary` is empty: expected one line that names the symptom"
        } else if text.chars().count() > LONGEST_SUMMARY {
            "`summary` is too long: at most 80 characters"
        } else if text.contains(['\n', '{', '}']) {
            "`summary` must be one line without { and }; put values into the title"
        } else if text.ends_with('.') {
            "`summary` must not end with a full stop"
        } else {
            return;
        };
        self.error(summary.span(), wrong, None);
    }

    /// The levels of the file, or the only one that its own title, severity and condition make.
    fn levels(&mut self, file: &RuleFile, scope: &RuleNames<'_>) -> Option<Vec<Level>> {
        if file.level.is_empty() {
            let missing =
                [("title", file.title.is_none()), ("severity", file.severity.is_none()), ("when", file.when.is_none())];
            for (field, _) in missing.iter().filter(|(_, missing)| *missing) {
                let help = Some("a rule without [[level]] must have this field".to_owned());
                self.error(file.summary.span(), &format!("`{field}` is missing"), help);
            }
            let title = self.template(file.title.as_ref()?, scope);
            let when = self.expression(file.when.as_ref()?, Some(Type::Bool), scope);
            let severity = *file.severity.as_ref()?.get_ref();
            return Some(vec![Level { name: String::new(), severity, title: title?, when: when? }]);
        }
        let belongs = "a rule with [[level]] has this field in each level";
        if let Some(title) = &file.title {
            self.error(title.span(), "`title` is not allowed here", Some(belongs.to_owned()));
        }
        if let Some(severity) = &file.severity {
            self.error(severity.span(), "`severity` is not allowed here", Some(belongs.to_owned()));
        }
        let mut levels: Vec<Level> = Vec::new();
        for part in &file.level {
            let name = part.name.get_ref();
            if !is_id(name) {
                let help = "expected lower case letters, digits and hyphens".to_owned();
                self.error(part.name.span(), &format!("`{name}` is not a name of a level"), Some(help));
            }
            if levels.iter().any(|level| level.name == *name) {
                self.error(part.name.span(), &format!("there is a level `{name}` already"), None);
            }
            if levels.last().is_some_and(|worse| worse.severity < part.severity) {
                self.error(
                    part.name.span(),
                    "this level is more severe than the one before it: the most severe level comes first",
                    None,
                );
            }
            let title = self.template(&part.title, scope);
            let when = self.expression(&part.when, Some(Type::Bool), scope);
            levels.push(Level { name: name.clone(), severity: part.severity, title: title?, when: when? });
        }
        Some(levels)
    }

    fn params(&mut self, params: BTreeMap<String, ParamFile>) -> BTreeMap<String, Param> {
        let mut known = BTreeMap::new();
        for (name, param) in params {
            let span = param.value.span();
            match given::param(param.value.get_ref()) {
                Some(value) => {
                    known.insert(name, Param { value, help: param.help });
                }
                None => self.error(span, "a parameter must be an int, a double, a bool or a string", None),
            }
        }
        known
    }

    /// Evidence in the order of the file, not of the alphabet.
    fn evidence(
        &mut self,
        evidence: &Spanned<BTreeMap<Spanned<String>, Spanned<String>>>,
        scope: &RuleNames<'_>,
    ) -> Vec<Evidence> {
        if evidence.get_ref().is_empty() {
            self.error(evidence.span(), "a rule must have evidence: expected LABEL = EXPRESSION in [evidence]", None);
        }
        let mut rows: Vec<_> = evidence.get_ref().iter().collect();
        rows.sort_by_key(|(label, _)| label.span().start);
        rows.into_iter()
            .filter_map(|(label, source)| {
                let expr = self.expression(source, None, scope)?;
                let unit = expr.names().next().filter(|name| *name == expr.source()).and_then(names::unit);
                Some(Evidence { label: label.get_ref().clone(), expr, unit: unit.unwrap_or_default() })
            })
            .collect()
    }

    fn recommend(&mut self, part: &RecommendFile, scope: &RuleNames<'_>) -> Option<Recommend> {
        let name = part.key.get_ref();
        if name == Recommend::OWN_KEY && scope.subject() == Subject::Setting {
            return self.recommend_own(part, scope);
        }
        let found =
            key_to_set(name, scope.subject()).map_err(|(message, help)| self.error(part.key.span(), &message, help));
        let key = found.ok()?;
        let value = self.expression(&part.value, Some(sysctl::key_type(key)), scope)?;
        if value.names().next().is_none() {
            // A constant can be tried at once.
            let tried = value.eval(&|_| None).map(|value| value.to_string()).map_err(|error| error.to_string());
            let checked = tried.and_then(|text| {
                keys::parse(key, &text).and_then(|value| keys::validate(key, &value)).map_err(|error| error.to_string())
            });
            if let Err(why) = checked {
                self.error(part.value.span(), &format!("`{name}` cannot have this value: {why}"), None);
            }
        }
        let bound = *part.bound.get_ref();
        let (suits, wanted) = match key.kind {
            ValueType::Int | ValueType::Ints => {
                (matches!(bound, Bound::AtLeast | Bound::AtMost), "`at_least`, `at_most` or `exactly`")
            }
            ValueType::PortRange => (bound == Bound::Widen, "`widen` or `exactly`"),
            ValueType::PortList => (bound == Bound::Include, "`include` or `exactly`"),
            ValueType::Text => (false, "`exactly`"),
        };
        if !suits && bound != Bound::Exactly {
            self.error(
                part.bound.span(),
                &format!("this bound does not suit the values of `{name}`: expected {wanted}"),
                None,
            );
        }
        let when = match &part.when {
            Some(when) => Some(self.expression(when, Some(Type::Bool), scope)?),
            None => None,
        };
        Some(Recommend {
            key: name.clone(),
            value,
            when,
            bound,
            risk: part.risk,
            side_effects: part.side_effects.clone(),
        })
    }

    /// A value for the key that the finding is about, whatever its type.
    fn recommend_own(&mut self, part: &RecommendFile, scope: &RuleNames<'_>) -> Option<Recommend> {
        if *part.bound.get_ref() != Bound::Exactly {
            self.error(part.bound.span(), "this bound does not suit the values of every key: expected `exactly`", None);
        }
        let when = part.when.as_ref().map(|when| self.expression(when, Some(Type::Bool), scope));
        Some(Recommend {
            key: part.key.get_ref().clone(),
            value: self.expression(&part.value, Some(Type::Text), scope)?,
            when: if let Some(when) = when { Some(when?) } else { None },
            bound: Bound::Exactly,
            risk: part.risk,
            side_effects: part.side_effects.clone(),
        })
    }

    fn advise(&mut self, part: &AdviseFile, scope: &RuleNames<'_>) -> Option<Advise> {
        let when = match &part.when {
            Some(when) => Some(self.expression(when, Some(Type::Bool), scope)?),
            None => None,
        };
        Some(Advise { who: part.who.clone(), text: self.template(&part.text, scope)?, when })
    }

    fn look(&mut self, part: &LookFile, scope: &RuleNames<'_>) -> Option<NextLook> {
        if let Some(why) = next_look::objection(part.run.get_ref()) {
            let help = "a command only reads, ends by itself, and does not use a shell".to_owned();
            self.error(part.run.span(), &format!("this command cannot be given: {why}"), Some(help));
        }
        let when = match &part.when {
            Some(when) => Some(self.expression(when, Some(Type::Bool), scope)?),
            None => None,
        };
        Some(NextLook { run: self.template(&part.run, scope)?, shows: part.shows.clone(), when })
    }

    fn tests(
        &mut self,
        tests: Vec<TestFile>,
        summary: &Spanned<String>,
        levels: &[LevelFile],
        scope: &RuleNames<'_>,
    ) -> Vec<RuleTest> {
        for (wanted, word) in [(Expect::Fires, "fires"), (Expect::Quiet, "is quiet")] {
            if !tests.iter().any(|test| test.expect == wanted) {
                self.error(summary.span(), &format!("a rule must have a [[test]] in which it {word}"), None);
            }
        }
        self.tests_of_levels(&tests, levels);
        tests
            .into_iter()
            .filter_map(|test| {
                let span = test.given.span();
                let mut given = BTreeMap::new();
                if let Err(why) = given::flatten(test.given.get_ref(), "", scope, &mut given) {
                    self.error(span, &why, None);
                    return None;
                }
                Some(RuleTest {
                    name: test.name.into_inner(),
                    span,
                    given,
                    expect: test.expect,
                    level: test.level.map(Spanned::into_inner),
                    unread: test.unread,
                    recommends: test.recommends,
                })
            })
            .collect()
    }

    /// Every level has a test in which it fires, and every test that fires says which.
    fn tests_of_levels(&mut self, tests: &[TestFile], levels: &[LevelFile]) {
        for level in levels {
            let name = level.name.get_ref();
            if !tests.iter().any(|test| test.level.as_ref().is_some_and(|named| named.get_ref() == name)) {
                let message = format!("the level `{name}` must have a [[test]] in which it fires");
                self.error(level.name.span(), &message, None);
            }
        }
        for test in tests {
            match &test.level {
                Some(named) if test.expect != Expect::Fires => {
                    self.error(named.span(), "`level` is allowed only in a test with expect = \"fires\"", None);
                }
                Some(named) if !levels.iter().any(|level| level.name.get_ref() == named.get_ref()) => {
                    self.error(named.span(), &format!("this rule has no level `{}`", named.get_ref()), None);
                }
                None if test.expect == Expect::Fires && !levels.is_empty() => {
                    let help = Some("add `level = \"NAME\"`".to_owned());
                    self.error(test.name.span(), "this test must name the level that it expects to fire", help);
                }
                _ => {}
            }
        }
    }

    fn template(&mut self, source: &Spanned<String>, scope: &RuleNames<'_>) -> Option<Template> {
        let compiled = Template::compile(source.get_ref(), scope);
        self.place(source, compiled)
    }

    fn expression(&mut self, source: &Spanned<String>, wanted: Option<Type>, scope: &RuleNames<'_>) -> Option<Expr> {
        let compiled = match wanted {
            Some(kind) => Expr::compile_as(source.get_ref(), kind, scope),
            None => Expr::compile(source.get_ref(), scope),
        };
        self.place(source, compiled)
    }

    /// Turns places within a string into places within the file.
    fn place<T>(&mut self, source: &Spanned<String>, compiled: Result<T, Vec<ExprError>>) -> Option<T> {
        let errors = match compiled {
            Ok(compiled) => return Some(compiled),
            Err(errors) => errors,
        };
        let span = source.span();
        // A string with escapes does not stand in the file as it reads; then the whole string is underlined.
        let start = self.text.get(span.clone()).and_then(|raw| raw.find(source.get_ref().as_str()));
        for error in errors {
            let place = match start {
                Some(start) => span.start + start + error.span.start..span.start + start + error.span.end,
                None => span.clone(),
            };
            self.error(place, &error.message, error.help);
        }
        None
    }

    fn error(&mut self, span: Range<usize>, message: &str, help: Option<String>) {
        self.errors.push(Diagnostic {
            file: self.origin.to_owned(),
            source: Arc::clone(&self.text),
            span,
            message: message.to_owned(),
            help,
        });
    }
}

/// Whether a rule or a level can have this name.
pub(super) fn is_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}
