//! The waivers file: a `[[waiver]]` block each.
//!
//! In: a path or TOML text, and the rules that waivers may name. Out: [`Waivers`], or all that is wrong with the file.
//! Must not: take a file in part: a waiver that is not understood would let a finding pass for another.

use std::ops::Range;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::{Entry, Waiver, Waivers};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::rules::set::RuleSet;
use crate::rules::toml_file;

/// The file as written. What a block must have is checked by hand, so that all mistakes of a file are told at once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WaiversFile {
    #[serde(default)]
    waiver: Vec<Spanned<Block>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    rule: Option<Spanned<String>>,
    namespace: Option<Spanned<String>>,
    subject: Option<Spanned<String>>,
    reason: Option<Spanned<String>>,
    who: Option<Spanned<String>>,
    until: Option<Spanned<toml::Value>>,
}

impl Waivers {
    /// Reads the file, which must exist.
    pub fn load(path: &Path, rules: &RuleSet) -> Result<Self, Diagnostics> {
        let file = path.display().to_string();
        let text = toml_file::read(path).map_err(|why| {
            let message = format!("these waivers cannot be read: {why}");
            Diagnostics(vec![Diagnostic { file: file.clone(), source: "".into(), span: 0..0, message, help: None }])
        })?;
        Self::parse(&file, &text, rules)
    }

    /// The same from text; `file` is for messages. A rule that is switched off or broken may be named.
    pub fn parse(file: &str, text: &str, rules: &RuleSet) -> Result<Self, Diagnostics> {
        let mut reader = Reader::new(file, text);
        let entries = reader.entries(Some(rules));
        if reader.errors.is_empty() {
            Ok(Self { file: file.to_owned(), entries })
        } else {
            Err(Diagnostics(reader.errors))
        }
    }
}

/// Checks a file's text as [`Waivers::parse`] does, but for the names of the rules.
pub(super) fn check(file: &str, text: &str) -> Result<(), Diagnostics> {
    let mut reader = Reader::new(file, text);
    reader.entries(None);
    if reader.errors.is_empty() { Ok(()) } else { Err(Diagnostics(reader.errors)) }
}

struct Reader<'a> {
    file: &'a str,
    text: Arc<str>,
    errors: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    fn new(file: &'a str, text: &str) -> Self {
        Self { file, text: text.into(), errors: Vec::new() }
    }

    fn entries(&mut self, rules: Option<&RuleSet>) -> Vec<Entry> {
        let file: WaiversFile = match toml::from_str(&self.text) {
            Ok(file) => file,
            Err(error) => {
                self.errors.push(toml_file::diagnostic(self.file, &self.text, &error));
                return Vec::new();
            }
        };
        // Counted from block to block: a file may hold many.
        let (mut line, mut counted) = (1, 0);
        let mut entries = Vec::new();
        for block in file.waiver {
            let start = block.span().start;
            line += self.text.get(counted..start).map_or(0, |skipped| skipped.matches('\n').count());
            counted = start;
            entries.extend(self.waiver(block, rules).map(|waiver| Entry { waiver, line }));
        }
        entries
    }

    fn waiver(&mut self, block: Spanned<Block>, rules: Option<&RuleSet>) -> Option<Waiver> {
        let place = self.first_line(block.span());
        let block = block.into_inner();
        let rule = self.required(block.rule, &place, "rule", "the rule whose findings are waived");
        let reason = self.required(block.reason, &place, "reason", "why the finding is accepted");
        let who = self.required(block.who, &place, "who", "the person who is responsible for this decision");
        let until = match block.until {
            Some(until) => self.date(&until),
            None => self.missing(&place, "until", "the last day of the waiver"),
        };
        let rule = rule.and_then(|rule| self.known(rule, rules));
        let namespace = self.optional(block.namespace);
        let subject = self.optional(block.subject);
        Some(Waiver {
            rule: rule?,
            namespace: namespace?,
            subject: subject?,
            reason: reason?.into_inner(),
            who: who?.into_inner(),
            until: until?,
        })
    }

    fn required(
        &mut self,
        value: Option<Spanned<String>>,
        place: &Range<usize>,
        name: &str,
        meaning: &str,
    ) -> Option<Spanned<String>> {
        match value {
            Some(value) => self.not_blank(value),
            None => self.missing(place, name, meaning),
        }
    }

    /// The outer `None`: there is one, and it is wrong.
    fn optional(&mut self, value: Option<Spanned<String>>) -> Option<Option<String>> {
        match value {
            Some(value) => self.not_blank(value).map(|value| Some(value.into_inner())),
            None => Some(None),
        }
    }

    fn not_blank(&mut self, value: Spanned<String>) -> Option<Spanned<String>> {
        if value.get_ref().trim().is_empty() {
            self.error(value.span(), "this value is empty".to_owned(), None);
            return None;
        }
        Some(value)
    }

    fn missing<T>(&mut self, place: &Range<usize>, name: &str, meaning: &str) -> Option<T> {
        self.error(place.clone(), format!("this waiver has no `{name}`: {meaning}"), None);
        None
    }

    /// With or without quotes: TOML has dates of its own.
    fn date(&mut self, value: &Spanned<toml::Value>) -> Option<Date> {
        let text = match value.get_ref() {
            toml::Value::String(text) => text.clone(),
            toml::Value::Datetime(date) => date.to_string(),
            other => other.to_string(),
        };
        // The reader of dates takes times too, and would leave them out.
        let date = Date::from_str(&text).ok().filter(|date| date.to_string() == text);
        if date.is_none() {
            let help = Some("expected a day such as \"2027-01-31\"".to_owned());
            self.error(value.span(), format!("`{text}` is not a date"), help);
        }
        date
    }

    fn known(&mut self, rule: Spanned<String>, rules: Option<&RuleSet>) -> Option<String> {
        if let Some(rules) = rules
            && !rules.was_named(rule.get_ref())
        {
            let help = rules.suggest(rule.get_ref()).map(|near| format!("did you mean `{near}`?"));
            self.error(rule.span(), format!("there is no rule `{}`", rule.get_ref()), help);
            return None;
        }
        Some(rule.into_inner())
    }

    fn first_line(&self, span: Range<usize>) -> Range<usize> {
        let line = self.text.get(span.clone()).and_then(|text| text.lines().next()).unwrap_or_default();
        span.start..span.start + line.trim_end().len()
    }

    fn error(&mut self, span: Range<usize>, message: String, help: Option<String>) {
        self.errors.push(Diagnostic {
            file: self.file.to_owned(),
            source: Arc::clone(&self.text),
            span,
            message,
            help,
        });
    }
}
