//! JUnit's XML, as Jenkins, GitLab and others read it: one suite of test cases.
//!
//! In: test cases with their results. Out: XML 1.0. Must not: know what is tested; let a stranger's text become a mark.

use std::borrow::Cow;
use std::io;

use memchr::memchr;

use crate::text::{Lines, one_line, places, push_replaced};

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
        let hostname = Some(("hostname", hostname)).filter(|(_, name)| !name.is_empty());
        let seconds = seconds.to_string();
        let attributes = hostname.into_iter().chain([("timestamp", at), ("time", &seconds)]);
        attributes.for_each(|attribute| add(&mut self.attributes, attribute));
    }

    pub(super) fn property(&mut self, name: &str, value: &str) {
        begin(&mut self.properties, "property", &[("name", name), ("value", value)]);
        self.properties.push_str("/>\n");
    }

    /// A test that passes. `said`: what it says, or nothing.
    pub(super) fn pass(&mut self, class: &str, name: &str, said: &str) {
        self.case(class, name, |result| {
            if !said.is_empty() {
                result.push_str("<system-out>");
                escaped(result, &one_line(said));
                result.push_str("</system-out>");
            }
        });
    }

    pub(super) fn fail(&mut self, class: &str, name: &str, kind: &str, message: &str, lines: &Lines) {
        self.failures += 1;
        self.case(class, name, |result| {
            begin(result, "failure", &[("type", kind), ("message", message)]);
            result.push('>');
            escaped(result, lines.as_str());
            result.push_str("</failure>");
        });
    }

    pub(super) fn skip(&mut self, class: &str, name: &str, message: &str) {
        self.skipped += 1;
        self.case(class, name, |result| {
            begin(result, "skipped", &[("message", message)]);
            result.push_str("/>");
        });
    }

    pub(super) fn error(&mut self, class: &str, name: &str, message: &str) {
        self.errors += 1;
        self.case(class, name, |result| {
            begin(result, "error", &[("type", class), ("message", message)]);
            result.push_str("/>");
        });
    }

    /// `add_result` adds elements.
    fn case(&mut self, class: &str, name: &str, add_result: impl FnOnce(&mut String)) {
        self.tests += 1;
        begin(&mut self.cases, "testcase", &[("classname", class), ("name", name), ("time", "0")]);
        self.cases.push('>');
        add_result(&mut self.cases);
        self.cases.push_str("</testcase>\n");
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

/// The tag of an element up to its end.
fn begin(output: &mut String, element: &str, attributes: &[(&str, &str)]) {
    output.extend(["<", element]);
    attributes.iter().for_each(|attribute| add(output, *attribute));
}

/// An attribute: a reader makes spaces of line ends there, so it is one line.
fn add(output: &mut String, (name, value): (&str, &str)) {
    output.extend([" ", name, "=\""]);
    escaped(output, &one_line(value));
    output.push('"');
}

/// Cleaned text for XML 1.0, which has no way to write some characters: they are shown as unknown.
fn escaped(output: &mut String, text: &str) {
    // U+FFFE and U+FFFF begin with 0xef.
    let text = match memchr(0xef, text.as_bytes()) {
        None => Cow::from(text),
        Some(_) => text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}").into(),
    };
    let marks = places(&text, |byte| matches!(byte, b'&' | b'<' | b'>' | b'"'));
    push_replaced(output, &text, marks, |mark| match mark {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        _ => "&quot;",
    });
}
