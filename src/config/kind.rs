//! Kinds of values that options have.
//!
//! In: a value as the TOML reader gives it. Out: the value that the program works with, or what is wrong with it; the
//! keywords of a JSON Schema. Must not: know an option.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::host::netns::Which;
use crate::keys::Risk;
use crate::model::{Profile, Severity};
use crate::units;

mod of_host;

pub(super) use of_host::{LabelPairs, RolePairs};

/// How a value stands in TOML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A text in quotes.
    Text,
    /// Anything that needs no quotes: a number, `true`.
    Bare,
    /// A list of texts; of paths, which a variable has with colons between, as `PATH` has them.
    List,
}

impl Shape {
    /// The value that a variable or a flag has as text, of which the text begins at `start`. What is no bare value becomes a
    /// text in quotes, which its reader refuses.
    pub(super) fn of_text(self, text: &str, start: usize) -> Spanned<DeValue<'_>> {
        let span = |from: usize, text: &str| start + from..start + from + text.len();
        let value = match self {
            Self::Text => DeValue::String(text.into()),
            Self::Bare => {
                let parsed = DeValue::parse(text).map(|value| moved_value(value, start).into_inner());
                parsed.unwrap_or_else(|_| DeValue::String(text.into()))
            }
            Self::List => {
                let mut paths = DeArray::new();
                let mut at = 0;
                for path in text.split(':') {
                    if !path.is_empty() {
                        paths.push(Spanned::new(span(at, path), DeValue::String(path.into())));
                    }
                    at += path.len() + 1;
                }
                DeValue::Array(paths)
            }
        };
        Spanned::new(span(0, text), value)
    }
}

/// The same table with all spans further on.
pub(super) fn moved(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    let further = |span: Range<usize>| span.start + by..span.end + by;
    table
        .into_iter()
        .map(|(key, value)| {
            let key = Spanned::new(further(key.span()), key.into_inner());
            (key, moved_value(value, by))
        })
        .collect()
}

fn moved_value(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let span = value.span();
    let inner = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(moved(table, by)),
        DeValue::Array(mut array) => {
            for element in array.iter_mut() {
                let taken = std::mem::replace(element, Spanned::new(0..0, DeValue::Boolean(false)));
                *element = moved_value(taken, by);
            }
            DeValue::Array(array)
        }
        other => other,
    };
    Spanned::new(span.start + by..span.end + by, inner)
}

/// A kind of value.
pub(super) trait Kind {
    /// As the TOML reader gives it.
    type Raw: DeserializeOwned;
    type Value;
    /// What the help calls a value.
    const NAME: &'static str;
    const SHAPE: Shape = Shape::Text;

    fn value(&self, raw: Self::Raw) -> Result<Self::Value, String>;

    /// Keywords beside the type.
    fn schema(&self) -> Json;
}

/// What a duration looks like, for a schema.
const DURATION: &str = "^ *[0-9]+(\\.[0-9]+)? *(ms|s|sec|m|min|h|d)? *$";

/// A duration within limits.
pub(super) struct Span {
    pub(super) least: Duration,
    pub(super) most: Duration,
}

impl Kind for Span {
    type Raw = String;
    type Value = Duration;
    const NAME: &'static str = "DURATION";

    fn value(&self, raw: String) -> Result<Duration, String> {
        let duration = units::parse_duration(&raw).map_err(|error| error.to_string())?;
        if (self.least..=self.most).contains(&duration) {
            return Ok(duration);
        }
        let [least, most] = [self.least, self.most].map(|limit| units::duration(limit.as_secs_f64()));
        Err(format!("expected a duration from {least} to {most}"))
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": DURATION })
    }
}

/// A duration within limits, or the word `never`.
pub(super) struct SpanOrNever(pub(super) Span);

impl Kind for SpanOrNever {
    type Raw = String;
    type Value = Option<Duration>;
    const NAME: &'static str = "DURATION";

    fn value(&self, raw: String) -> Result<Option<Duration>, String> {
        if raw == "never" { Ok(None) } else { self.0.value(raw).map(Some) }
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": format!("^never$|{DURATION}") })
    }
}

/// A duration within limits, or the word `unlimited`.
pub(super) struct SpanOrUnlimited(pub(super) Span);

impl Kind for SpanOrUnlimited {
    type Raw = String;
    type Value = Option<Duration>;
    const NAME: &'static str = "DURATION";

    fn value(&self, raw: String) -> Result<Option<Duration>, String> {
        let explained = |why: String| format!("{why}, or unlimited");
        if raw == "unlimited" { Ok(None) } else { self.0.value(raw).map(Some).map_err(explained) }
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": format!("^unlimited$|{DURATION}") })
    }
}

/// A severity, or the word `never`.
pub(super) struct SeverityOrNever;

impl Kind for SeverityOrNever {
    type Raw = String;
    type Value = Option<Severity>;
    const NAME: &'static str = "SEVERITY";

    fn value(&self, raw: String) -> Result<Option<Severity>, String> {
        match Severity::named(&raw) {
            None if raw != "never" => Err("expected notice, warning, critical or never".to_owned()),
            severity => Ok(severity),
        }
    }

    fn schema(&self) -> Json {
        json!({ "enum": ["notice", "warning", "critical", "never"] })
    }
}

pub(super) struct RiskName;

impl Kind for RiskName {
    type Raw = String;
    type Value = Risk;
    const NAME: &'static str = "RISK";

    fn value(&self, raw: String) -> Result<Risk, String> {
        Risk::named(&raw).ok_or_else(|| "expected low, medium or high".to_owned())
    }

    fn schema(&self) -> Json {
        json!({ "enum": ["low", "medium", "high"] })
    }
}

/// Which rules are evaluated.
pub(super) struct ProfileName;

impl Kind for ProfileName {
    type Raw = String;
    type Value = Profile;
    const NAME: &'static str = "PROFILE";

    fn value(&self, raw: String) -> Result<Profile, String> {
        Profile::named(&raw).ok_or_else(|| "expected standard or hardened".to_owned())
    }

    fn schema(&self) -> Json {
        json!({ "enum": Profile::ALL.map(Profile::name) })
    }
}

/// Which network namespaces.
pub(super) struct Namespaces;

impl Kind for Namespaces {
    type Raw = String;
    type Value = Which;
    const NAME: &'static str = "WHICH";

    fn value(&self, raw: String) -> Result<Which, String> {
        raw.parse()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "minLength": 1 })
    }
}

pub(super) struct AnyFile;

impl Kind for AnyFile {
    type Raw = PathBuf;
    type Value = PathBuf;
    const NAME: &'static str = "FILE";

    fn value(&self, raw: PathBuf) -> Result<PathBuf, String> {
        Ok(raw)
    }

    fn schema(&self) -> Json {
        json!({ "type": "string" })
    }
}

/// A file that the textfile collector of node_exporter reads, or none.
pub(super) struct GaugesFile;

impl Kind for GaugesFile {
    type Raw = String;
    type Value = Option<PathBuf>;
    const NAME: &'static str = "FILE";

    fn value(&self, raw: String) -> Result<Option<PathBuf>, String> {
        let path = PathBuf::from(&raw);
        let is_read = path.extension().is_some_and(|end| end == "prom");
        match raw.as_str() {
            "" => Ok(None),
            _ if path.is_absolute() && is_read => Ok(Some(path)),
            _ => Err("expected an absolute path that ends in .prom, or \"\" for no file".to_owned()),
        }
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": "^$|^/.*\\.prom$" })
    }
}

pub(super) struct Folders;

impl Kind for Folders {
    type Raw = Vec<PathBuf>;
    type Value = Vec<PathBuf>;
    const NAME: &'static str = "DIR";
    const SHAPE: Shape = Shape::List;

    fn value(&self, raw: Vec<PathBuf>) -> Result<Vec<PathBuf>, String> {
        Ok(raw)
    }

    fn schema(&self) -> Json {
        json!({ "type": "array", "items": { "type": "string" } })
    }
}

/// Texts whose places are kept, for an error that only the rules can find.
pub(super) struct RuleIds;

impl Kind for RuleIds {
    type Raw = Vec<Spanned<String>>;
    type Value = Vec<Spanned<String>>;
    const NAME: &'static str = "RULE";
    const SHAPE: Shape = Shape::List;

    fn value(&self, raw: Vec<Spanned<String>>) -> Result<Vec<Spanned<String>>, String> {
        Ok(raw)
    }

    fn schema(&self) -> Json {
        json!({ "type": "array", "items": { "type": "string", "pattern": "^[a-z0-9-]+$" } })
    }
}

/// Names of keys, in which `*` is any text.
pub(super) struct KeyGlobs;

impl Kind for KeyGlobs {
    type Raw = Vec<String>;
    type Value = Vec<String>;
    const NAME: &'static str = "KEY";
    const SHAPE: Shape = Shape::List;

    fn value(&self, raw: Vec<String>) -> Result<Vec<String>, String> {
        Ok(raw)
    }

    fn schema(&self) -> Json {
        json!({ "type": "array", "items": { "type": "string" } })
    }
}

/// How many, or all.
pub(super) struct CountOrAll;

impl Kind for CountOrAll {
    type Raw = String;
    type Value = Option<u32>;
    const NAME: &'static str = "NUMBER";

    fn value(&self, raw: String) -> Result<Option<u32>, String> {
        if raw == "all" {
            return Ok(None);
        }
        let number = raw.parse::<u32>().ok().filter(|number| *number > 0);
        number.map(Some).ok_or_else(|| "expected a number from 1, or all".to_owned())
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": "^(all|0*[1-9][0-9]*)$" })
    }
}

/// A whole number within limits.
pub(super) struct Whole {
    pub(super) least: u32,
    pub(super) most: u32,
}

impl Kind for Whole {
    type Raw = i64;
    type Value = u32;
    const NAME: &'static str = "NUMBER";
    const SHAPE: Shape = Shape::Bare;

    fn value(&self, raw: i64) -> Result<u32, String> {
        let number = u32::try_from(raw).ok().filter(|number| (self.least..=self.most).contains(number));
        number.ok_or_else(|| format!("expected a number from {} to {}", self.least, self.most))
    }

    fn schema(&self) -> Json {
        json!({ "type": "integer", "minimum": self.least, "maximum": self.most })
    }
}

/// A number of bytes from 1 MiB to 1 GiB: `64MiB`, `1 GiB`.
pub(super) struct Size;

impl Kind for Size {
    type Raw = String;
    type Value = u64;
    const NAME: &'static str = "SIZE";

    fn value(&self, raw: String) -> Result<u64, String> {
        let digits = raw.find(|c: char| !c.is_ascii_digit()).unwrap_or(raw.len());
        let (number, unit) = raw.split_at(digits);
        let shift = match unit.trim() {
            "KiB" => 10,
            "MiB" => 20,
            "GiB" => 30,
            _ => return Err(format!("`{raw}` is not a size; write a number and KiB, MiB or GiB, such as 64MiB")),
        };
        let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
        let size = size.filter(|size| (1 << 20..=1 << 30).contains(size));
        size.ok_or_else(|| "expected a size from 1 MiB to 1 GiB".to_owned())
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+ *(KiB|MiB|GiB) *$" })
    }
}

/// `true` or `false`.
pub(super) struct Switch;

impl Kind for Switch {
    type Raw = bool;
    type Value = bool;
    const NAME: &'static str = "BOOL";
    const SHAPE: Shape = Shape::Bare;

    fn value(&self, raw: bool) -> Result<bool, String> {
        Ok(raw)
    }

    fn schema(&self) -> Json {
        json!({ "type": "boolean" })
    }
}
