//! Workflow commands of GitHub Actions, of which the runner makes annotations.
//!
//! In: properties and texts. Out: a command per line. Must not: let a stranger's text end a line: what follows could be a
//! command.

use memchr::{memchr2_iter, memchr3_iter};

use crate::model::Severity;
use crate::text::{Lines, one_line, push_replaced};

/// Commands as far as they are written.
#[derive(Debug, Default)]
pub(super) struct Commands(pub(super) String);

impl Commands {
    pub(super) fn debug(&mut self, text: &str) {
        self.command("debug", &[], &Lines::of(&[text]));
    }

    /// `::KIND NAME=VALUE,NAME=VALUE::TEXT`.
    pub(super) fn command(&mut self, kind: &str, properties: &[(&str, &str)], lines: &Lines) {
        let Self(text) = self;
        text.extend(["::", kind]);
        for (place, (name, value)) in properties.iter().enumerate() {
            text.extend([if place == 0 { " " } else { "," }, name, "="]);
            let value = one_line(value);
            push_replaced(text, &value, memchr3_iter(b'%', b':', b',', value.as_bytes()), encoded);
        }
        text.push_str("::");
        let words = lines.as_str();
        push_replaced(text, words, memchr2_iter(b'%', b'\n', words.as_bytes()), encoded);
        text.push('\n');
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
const fn encoded(byte: u8) -> &'static str {
    match byte {
        b'%' => "%25",
        b'\n' => "%0A",
        b':' => "%3A",
        _ => "%2C",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_one_command_and_its_text_comes_back() {
        let (mut commands, mut lines) = (Commands::default(), Lines::of(&["x%0Ay"]));
        lines.add(&["\r::stop"]);
        commands.command("error", &[("title", "50 %: a,b\n::error::c")], &lines);
        assert_eq!(commands.0, "::error title=50 %25%3A a%2Cb %3A%3Aerror%3A%3Ac::x%250Ay%0A::stop\n");
    }
}
