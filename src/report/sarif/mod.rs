//! SARIF 2.1.0 for viewers and stores of static analysis.
//!
//! In: results, rules and notifications. Out: JSON by the standard. Must not: let a stranger's text become a link or a
//! placeholder, which SARIF has in its plain texts too; know what a result is about.

mod view;

pub(super) use view::{
    ArtifactLocation, AutomationDetails, Configuration, Driver, Invocation, Location, Log, LogicalLocation,
    Notification, NotificationKind, PhysicalLocation, Reference, Region, ResultView, RuleProperties, RuleView,
    Suppression, Text,
};
use view::{RunView, Tool};

use crate::model::Severity;
use crate::text::{cleaned, one_line};

/// A run to begin with.
#[derive(Debug)]
pub(super) struct Start<'a, R> {
    pub(super) version: &'a str,
    /// Runs of the same thing have the same.
    pub(super) id: String,
    /// RFC 3339.
    pub(super) at: &'a str,
    pub(super) notifications: &'static [(&'static str, &'static str)],
    pub(super) properties: R,
}

impl<'a, R, S: Default> Log<'a, R, S> {
    /// A run without results.
    pub(super) fn begin(start: Start<'a, R>) -> Self {
        let Start { version, id, at, notifications, properties } = start;
        let kind = |(id, about): &(&'static str, &str)| NotificationKind { id, short_description: text(about) };
        let end_time_utc = at.parse().ok().map(|at: jiff::Timestamp| at.to_string());
        let driver = Driver {
            name: "sysctl-advisor",
            version,
            rules: Vec::new(),
            notifications: notifications.iter().map(kind).collect(),
        };
        let run = RunView {
            tool: Tool { driver },
            automation_details: AutomationDetails { id },
            invocations: [Invocation {
                execution_successful: true,
                end_time_utc,
                tool_execution_notifications: Vec::new(),
            }],
            column_kind: "unicodeCodePoints",
            results: S::default(),
            properties,
        };
        Self {
            schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            version: "2.1.0",
            runs: [run],
        }
    }

    pub(super) fn properties(&mut self) -> &mut R {
        let [run] = &mut self.runs;
        &mut run.properties
    }

    /// The position of a rule, which `make` makes at its first result.
    pub(super) fn rule(&mut self, id: &str, make: impl FnOnce() -> RuleView<'a>) -> usize {
        let [run] = &mut self.runs;
        let rules = &mut run.tool.driver.rules;
        rules.iter().position(|rule| rule.id == id).unwrap_or_else(|| {
            rules.push(make());
            rules.len() - 1
        })
    }

    pub(super) fn results(&mut self) -> &mut S {
        let [run] = &mut self.runs;
        &mut run.results
    }

    pub(super) fn notify(&mut self, notes: impl Iterator<Item = Notification<'a>>) {
        let [run] = &mut self.runs;
        let [invocation] = &mut run.invocations;
        invocation.tool_execution_notifications.extend(notes);
    }
}

/// What is known of a rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a, 'b> {
    pub(super) id: &'a str,
    pub(super) severity: Severity,
    pub(super) kind: &'static str,
    pub(super) explain: &'b str,
    /// Where there is more.
    pub(super) more: &'b str,
    pub(super) references: &'a [String],
}

/// A rule with its help; the first sentence of the explanation is the short one.
pub(super) fn rule<'a>(about: About<'a, '_>) -> RuleView<'a> {
    let About { id, severity, kind, explain, more, references } = about;
    let line = one_line(explain);
    let sentence = line.split_inclusive(". ").next().map(str::trim).filter(|first| !first.is_empty());
    let words = [explain, more].into_iter().chain(references.iter().map(String::as_str));
    let help: Vec<&str> = words.filter(|text| !text.is_empty()).collect();
    RuleView {
        id,
        short_description: text(sentence.unwrap_or(more)),
        full_description: text(if line.is_empty() { more } else { explain }),
        help: text(&help.join("\n")),
        default_configuration: Configuration { level: level(severity) },
        properties: RuleProperties { kind, references },
    }
}

pub(super) fn notification<'a>(id: &'static str, level: &'static str, message: &str) -> Notification<'a> {
    let descriptor = Reference { id };
    Notification { descriptor, level, message: text(message), associated_rule: None, locations: Vec::new() }
}

pub(super) const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "error",
        Severity::Warning => "warning",
        Severity::Notice => "note",
    }
}

pub(super) fn line_of_file(file: &str, line: usize, snippet: Option<&str>) -> PhysicalLocation {
    // A source line counts from 1, and so does the standard.
    let snippet = snippet.map(|line| Text { text: cleaned(line).into_owned() });
    let region = Region { start_line: line.max(1), start_column: None, end_column: None, snippet };
    PhysicalLocation { artifact_location: ArtifactLocation { uri: uri(file) }, region: Some(region) }
}

/// The address of a file; of a relative name it is relative.
pub(super) fn uri(path: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encoded: String = path
        .bytes()
        .map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    if path.starts_with('/') { format!("file://{encoded}") } else { encoded }
}

/// A plain text of the standard: `[words](target)` would be a link there, and `{0}` a placeholder.
pub(super) fn text(words: &str) -> Text {
    let mut words = cleaned(words);
    if words.contains("](") {
        words = words.replace("](", "] (").into();
    }
    if !words.contains('{') {
        return Text { text: words.into_owned() };
    }
    let mut text = String::with_capacity(words.len());
    let mut rest = words.chars().peekable();
    while let Some(c) = rest.next() {
        text.push(c);
        if c == '{' && rest.peek().is_some_and(char::is_ascii_digit) {
            text.push(' ');
        }
    }
    Text { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_is_no_link_and_no_placeholder() {
        assert_eq!(text("[a](https://example.org) {0} {x}\u{1b}").text, "[a] (https://example.org) { 0} {x}\u{fffd}");
        assert_eq!(uri("/etc/a b#ü.conf"), "file:///etc/a%20b%23%C3%BC.conf");
        assert_eq!(uri("conf/a:b.conf"), "conf/a%3Ab.conf");
    }
}
