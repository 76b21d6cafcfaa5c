//! Workflow commands of GitHub Actions, of which the runner makes annotations.
//!
//! In: properties and texts. Out: a command per line. Must not: let a stranger's text end a line: what follows could be a
//! command.

use crate::model::Severity;
use crate::text::one_line;

/// Commands as far as they are written.
#[derive(Debug, Default)]
pub(super) struct Commands(pub(super) String);

impl Commands {
    pub(super) fn debug(&mut self, text: String) {
        self.command("debug", &[], &[text]);
    }

    /// `::KIND NAME=VALUE,NAME=VALUE::TEXT`.
    pub(super) fn command(&mut self, kind: &str, properties: &[(&str, &str)], lines: &[String]) {
        let properties: Vec<String> =
            properties.iter().map(|(name, value)| format!("{name}={}", property(&one_line(value)))).collect();
        let space = if properties.is_empty() { "" } else { " " };
        let text = lines.iter().map(|line| one_line(line)).collect::<Vec<_>>().join("\n");
        self.0.push_str(&format!("::{kind}{space}{}::{}\n", properties.join(","), data(&text)));
    }
}

/// The command that makes an annotation of this severity.
pub(super) const fn kind(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "error",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    }
}

/// As the runner reads it back.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_one_command_and_its_text_comes_back() {
        let mut commands = Commands::default();
        commands.command("error", &[("title", "50 %: a,b\n::error::c")], &["x%0Ay".to_owned(), "\r::stop".to_owned()]);
        assert_eq!(commands.0, "::error title=50 %25%3A a%2Cb %3A%3Aerror%3A%3Ac::x%250Ay%0A::stop\n");
    }
}
