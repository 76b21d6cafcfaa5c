//! JUnit's XML, as Jenkins, GitLab and others read it: one suite of test cases.
//!
//! In: test cases with their results. Out: XML 1.0. Must not: know what is tested; let a stranger's text become a mark.

use std::io;

use crate::text::{cleaned, one_line};

/// What a class begins with.
pub(super) const CLASS: &str = "sysctl-advisor";

/// The suite as far as it is written, and the numbers that its first line needs.
#[derive(Debug, Default)]
pub(super) struct Suite {
    attributes: String,
    properties: String,
    cases: String,
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Suite {
    /// Where, when and for how long; without a host there is none.
    pub(super) fn head(&mut self, hostname: &str, at: &str, seconds: f64) {
        let hostname =
            if hostname.is_empty() { String::new() } else { format!(" hostname=\"{}\"", attribute(hostname)) };
        self.attributes = format!("{hostname} timestamp=\"{}\" time=\"{seconds}\"", attribute(at));
    }

    pub(super) fn property(&mut self, name: &str, value: &str) {
        self.properties.push_str(&format!("<property name=\"{name}\" value=\"{}\"/>\n", attribute(value)));
    }

    /// A test that passes. `said`: what it says, or nothing.
    pub(super) fn pass(&mut self, class: &str, name: &str, said: &str) {
        let said = if said.is_empty() { String::new() } else { format!("<system-out>{}</system-out>", content(said)) };
        self.case(class, name, &said);
    }

    /// A test that fails; `text` can have several lines.
    pub(super) fn fail(&mut self, class: &str, name: &str, kind: &str, message: &str, text: &str) {
        self.failures += 1;
        let (message, text) = (attribute(message), content(text));
        self.case(class, name, &format!("<failure type=\"{kind}\" message=\"{message}\">{text}</failure>"));
    }

    pub(super) fn skip(&mut self, class: &str, name: &str, message: &str) {
        self.skipped += 1;
        self.case(class, name, &format!("<skipped message=\"{}\"/>", attribute(message)));
    }

    pub(super) fn error(&mut self, class: &str, name: &str, message: &str) {
        self.errors += 1;
        self.case(class, name, &format!("<error type=\"{}\" message=\"{}\"/>", attribute(class), attribute(message)));
    }

    /// `result`: elements.
    fn case(&mut self, class: &str, name: &str, result: &str) {
        let (class, name) = (attribute(class), attribute(name));
        self.tests += 1;
        self.cases
            .push_str(&format!("<testcase classname=\"{class}\" name=\"{name}\" time=\"0\">{result}</testcase>\n"));
    }

    pub(super) fn write(self, output: &mut dyn io::Write) -> io::Result<()> {
        let Self { attributes, properties, cases, tests, failures, errors, skipped } = self;
        let numbers = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"");
        writeln!(output, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>")?;
        writeln!(output, "<testsuite name=\"{CLASS}\" {numbers}{attributes}>\n<properties>")?;
        for part in [&properties, "</properties>\n", &cases, "</testsuite>\n</testsuites>\n"] {
            output.write_all(part.as_bytes())?;
        }
        Ok(())
    }
}

/// The text of an attribute: a reader makes spaces of line ends there, so it is one line.
fn attribute(text: &str) -> String {
    escaped(&one_line(text))
}

fn content(text: &str) -> String {
    escaped(&cleaned(text))
}

/// Cleaned text for XML 1.0, which has no way to write some characters: they are shown as unknown.
fn escaped(text: &str) -> String {
    let mut output = String::with_capacity(text.len() + text.len() / 16);
    text.split_inclusive('\n').for_each(|line| escape(&mut output, line));
    output
}

/// Most lines have nothing to escape, and a look at all bytes of one without an early end is fast.
fn escape(output: &mut String, line: &str) {
    let plain = line.bytes().fold(true, |plain, byte| plain & !matches!(byte, b'&' | b'<' | b'>' | b'"' | 0xef));
    if plain {
        return output.push_str(line);
    }
    let mut rest = line;
    // U+FFFE and U+FFFF begin with 0xef, as some other characters do.
    while let Some(place) = rest.bytes().position(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | 0xef)) {
        let (before, mark) = rest.split_at(place);
        let mut after = mark.chars();
        output.push_str(before);
        match after.next() {
            Some('&') => output.push_str("&amp;"),
            Some('<') => output.push_str("&lt;"),
            Some('>') => output.push_str("&gt;"),
            Some('"') => output.push_str("&quot;"),
            Some('\u{fffe}' | '\u{ffff}') => output.push('\u{fffd}'),
            other => output.extend(other),
        }
        rest = after.as_str();
    }
    output.push_str(rest);
}
