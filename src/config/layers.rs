//! Files and environment variables laid over each other, each value with the place that it came from.
//!
//! In: texts in the order in which they count. Out: one table of TOML, and for each of its spans the file and line.
//! Must not: know an option.
//!
//! The texts are thought of as one long text, in which each has its own range: a span of the table then names its file
//! too, and whatever reads the table can go on treating it as a single file.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};

use super::declared::Declared;
use super::kind::{Kind, Shape, moved};
use crate::diagnostic::Diagnostic;
use crate::suggest::nearest;

/// One text.
#[derive(Debug)]
struct TextSource {
    /// A path, or `$NAME` of an environment variable.
    name: String,
    text: Arc<str>,
    /// Where its range begins.
    start: usize,
}

/// The texts, in the order in which they were laid.
#[derive(Debug, Default)]
pub(super) struct Sources(Vec<TextSource>);

/// The table of rules' parameters.
pub(super) const PARAMS: &str = "params";

/// Parameters by rule and name.
pub(super) type Params = BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<toml::Value>>>;

/// What the layers come to; borrows from the texts.
#[derive(Debug, Default)]
pub(super) struct Layers<'t> {
    pub(super) sources: Sources,
    table: DeTable<'t>,
}

/// A value as TOML writes it, and the place that it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) value: String,
    pub(super) place: String,
}

/// All values that are not the default, by the names that lead to them.
pub(super) type AllWritten = BTreeMap<Vec<String>, Written>;

impl<'t> Layers<'t> {
    /// Lays a file over what is there: tables are merged, everything else is replaced.
    pub(super) fn add_file(&mut self, name: &str, text: &'t str) -> Result<(), toml::de::Error> {
        let table = DeTable::parse(text)?.into_inner();
        let start = self.sources.begin(name, text);
        lay(&mut self.table, moved(table, start));
        Ok(())
    }

    /// Lays a text over one option, as a variable or a flag has it. `place` is `$NAME` or `--NAME`.
    pub(super) fn add_text(&mut self, place: &str, text: &'t str, option: &Declared) {
        let start = self.sources.begin(place, text);
        let all = start..start + text.len();
        let mut inner = DeTable::new();
        inner.insert(Spanned::new(all.clone(), option.name.into()), option.shape.of_text(text, start));
        let mut outer = DeTable::new();
        let inner = Spanned::new(all.clone(), DeValue::Table(inner));
        outer.insert(Spanned::new(all, option.section.into()), inner);
        lay(&mut self.table, outer);
    }

    /// The value of an option, or its default where no layer has it.
    pub(super) fn option<K: Kind>(
        &self,
        section: &str,
        name: &str,
        default: &'static str,
        kind: &K,
    ) -> Result<K::Value, Diagnostic> {
        let written = self.table.get(section).and_then(|table| table.get_ref().as_table()?.get(name));
        let value = match written {
            Some(value) => value.clone(),
            None => Shape::Bare.of_text(default, 0),
        };
        let span = value.span();
        let raw = K::Raw::deserialize(ValueDeserializer::from(value))
            .map_err(|error| self.sources.wrong(error.span().unwrap_or(span.clone()), error.message().to_owned()))?;
        kind.value(raw).map_err(|why| self.sources.wrong(span, why))
    }

    /// Rules' parameters, which no option declares.
    pub(super) fn params(&self) -> Result<Params, Diagnostic> {
        let Some(table) = self.table.get(PARAMS) else { return Ok(Params::default()) };
        Params::deserialize(ValueDeserializer::from(table.clone())).map_err(|error| {
            self.sources.wrong(error.span().unwrap_or_else(|| table.span()), error.message().to_owned())
        })
    }

    /// What is wrong with the names of tables and options; `known`: tables with their options.
    pub(super) fn unknown(&self, known: &[(&str, Vec<&str>)]) -> Option<Diagnostic> {
        for (section, table) in &self.table {
            if section.get_ref() == PARAMS {
                continue;
            }
            let Some((_, options)) = known.iter().find(|(name, _)| name == section.get_ref()) else {
                let sections = known.iter().map(|(name, _)| *name).chain([PARAMS]);
                return Some(self.sources.unknown(section, sections.collect()));
            };
            let DeValue::Table(table) = table.get_ref() else {
                let why = format!("expected a table: [{}]", section.get_ref());
                return Some(self.sources.wrong(table.span(), why));
            };
            if let Some(name) = table.keys().find(|name| !options.contains(&name.get_ref().as_ref())) {
                return Some(self.sources.unknown(name, options.clone()));
            }
        }
        None
    }

    pub(super) fn written(&self) -> AllWritten {
        let mut all = AllWritten::new();
        self.collect(&mut Vec::new(), &self.table, &mut all);
        all
    }

    fn collect(&self, path: &mut Vec<String>, table: &DeTable<'t>, all: &mut AllWritten) {
        for (name, value) in table {
            path.push(name.get_ref().to_string());
            if let DeValue::Table(inner) = value.get_ref() {
                self.collect(path, inner, all);
            } else {
                let reader = ValueDeserializer::from(value.clone());
                let text = toml::Value::deserialize(reader).map(|value| value.to_string()).unwrap_or_default();
                all.insert(path.clone(), Written { value: text, place: self.sources.place(value.span()) });
            }
            path.pop();
        }
    }
}

impl Sources {
    /// Gives a text its range; the gap of one after each keeps a span at an end from being one at a beginning.
    fn begin(&mut self, name: &str, text: &str) -> usize {
        let start = self.0.last().map_or(0, |last| last.start + last.text.len() + 1);
        self.0.push(TextSource { name: name.to_owned(), text: text.into(), start });
        start
    }

    /// Names of the files and variables, in the order in which they were laid.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|source| source.name.as_str())
    }

    /// What is wrong at a span of the table, with the text of its file.
    pub(super) fn wrong(&self, span: Range<usize>, message: String) -> Diagnostic {
        match self.0.iter().rev().find(|source| source.start <= span.start) {
            Some(source) => Diagnostic {
                file: source.name.clone(),
                source: Arc::clone(&source.text),
                span: span.start - source.start..span.end.saturating_sub(source.start),
                message,
                help: None,
            },
            None => Diagnostic { file: "configuration".to_owned(), source: "".into(), span: 0..0, message, help: None },
        }
    }

    /// A name that is none of these.
    fn unknown(&self, name: &Spanned<DeString<'_>>, known: Vec<&str>) -> Diagnostic {
        let help = match nearest(name.get_ref(), known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("expected one of: {}", known.join(", ")),
        };
        let wrong = self.wrong(name.span(), format!("unknown field `{}`", name.get_ref()));
        Diagnostic { help: Some(help), ..wrong }
    }

    /// `FILE:LINE`, or `$NAME`.
    fn place(&self, span: Range<usize>) -> String {
        let place = self.wrong(span, String::new());
        if place.file.starts_with('$') { place.file } else { format!("{}:{}", place.file, place.position().0) }
    }
}

/// Lays one table over another.
fn lay<'t>(below: &mut DeTable<'t>, above: DeTable<'t>) {
    for (key, value) in above {
        // Taken out and put back, for the place of the name is the newer file's as well.
        let merged = match (below.remove(&key).map(Spanned::into_inner), value) {
            (Some(DeValue::Table(mut old)), value) if value.get_ref().is_table() => {
                let span = value.span();
                if let DeValue::Table(new) = value.into_inner() {
                    lay(&mut old, new);
                }
                Spanned::new(span, DeValue::Table(old))
            }
            (_, value) => value,
        };
        below.insert(key, merged);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(layers: &Layers<'_>, path: &[&str]) -> Option<(String, String)> {
        let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
        layers.written().remove(&path).map(|written| (written.value, written.place))
    }

    fn of<'t>(texts: &[(&str, &'t str)]) -> Layers<'t> {
        let mut layers = Layers::default();
        for (name, text) in texts {
            layers.add_file(name, text).unwrap();
        }
        layers
    }

    #[test]
    fn the_later_file_wins_and_tables_are_merged() {
        let layers = of(&[
            ("/a", "[audit]\nwindow = \"1s\"\nfail_on = \"never\"\n[params.x]\na = 1\nb = 2\n"),
            ("/b", "# more\n\n[params.x]\nb = 3\n[rules]\ndisable = [\n  \"p\",\n  \"q\"]\n"),
            ("/c", "[audit]\nwindow = \"9s\"\n[rules]\ndisable = [\"r\"]\n"),
        ]);
        for (path, value, place) in [
            (&["audit", "window"][..], "\"9s\"", "/c:2"),
            (&["audit", "fail_on"], "\"never\"", "/a:3"),
            (&["params", "x", "a"], "1", "/a:5"),
            (&["params", "x", "b"], "3", "/b:4"),
            (&["rules", "disable"], "[\"r\"]", "/c:4"),
        ] {
            assert_eq!(written(&layers, path), Some((value.to_owned(), place.to_owned())), "{path:?}");
        }
        assert_eq!(written(&layers, &["audit"]), None);
    }

    #[test]
    fn a_variable_is_a_layer_with_its_own_name() {
        let option = |name| crate::config::declared().find(|option| option.name == name).unwrap();
        let mut layers = of(&[("/a", "[audit]\nwindow = \"1s\"\n")]);
        layers.add_text("$W", "5s", option("window"));
        layers.add_text("$R", "/x::/y", option("folders"));
        assert_eq!(written(&layers, &["audit", "window"]), Some(("\"5s\"".to_owned(), "$W".to_owned())));
        let folders = Some(("[\"/x\", \"/y\"]".to_owned(), "$R".to_owned()));
        assert_eq!(written(&layers, &["rules", "folders"]), folders);
        assert_eq!(layers.sources.names().collect::<Vec<_>>(), ["/a", "$W", "$R"]);
    }

    #[test]
    fn a_span_names_its_own_file_even_at_the_borders() {
        let layers = of(&[("/a", "a = 1"), ("/b", "b = 2")]);
        assert_eq!(written(&layers, &["a"]), Some(("1".to_owned(), "/a:1".to_owned())));
        assert_eq!(written(&layers, &["b"]), Some(("2".to_owned(), "/b:1".to_owned())));
        assert_eq!(layers.sources.wrong(4..5, "x".into()).to_string(), "/a:1:5: x");
        assert_eq!(layers.sources.wrong(10..11, "x".into()).to_string(), "/b:1:5: x");
        assert_eq!(Sources::default().wrong(7..9, "x".into()).to_string(), "configuration: x");
    }
}
