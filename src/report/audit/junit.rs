//! The report for continuous integration: JUnit's XML, as Jenkins, GitLab and others read it.
//!
//! In: the sections of an audit. Out: XML 1.0, a test case for each finding and for each check that was not made.
//! Must not: let what could not be checked pass. Rules without a finding have no names here: they are one test case.

use super::format::{Content, Format};
use super::sections::{GapAt, Head, Open, Writer};
use super::{summary, words};
use crate::audit::model::{Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::model::in_words;
use crate::snapshot::Namespace;
use crate::text::{cleaned, one_line};

const CLASS: &str = "sysctl-advisor";

pub(super) const FORMAT: Format = Format {
    name: "junit",
    help: "JUnit XML, for continuous integration",
    cannot_carry: &[
        (Content::Ids, "a test is recognised by its class and its name, which are the rule and the subject"),
        (Content::Bounds, "a person reads the report of a test and decides on a value"),
        (Content::Earlier, "the system that runs tests compares runs by itself"),
    ],
    write: |sections, _| sections.give_to(Suite::default()),
};

/// The suite as far as it is written, and the numbers that its first line needs.
#[derive(Default)]
struct Suite {
    attributes: String,
    properties: String,
    cases: String,
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl<'a> Writer<'a> for Suite {
    fn head(&mut self, head: Head<'a>) {
        let hostname = attribute(&head.system.hostname);
        let (at, seconds) = (attribute(head.taken_at), head.window.seconds);
        self.attributes = format!("hostname=\"{hostname}\" timestamp=\"{at}\" time=\"{seconds}\"");
        self.property("version", head.written_by);
        self.property("host", &words::facts(&head));
        self.property("window_seconds", &seconds.to_string());
        let numbers = &head.summary;
        self.property("rules", &numbers.rules.to_string());
        if numbers.rules == 0 || numbers.namespaces.is_empty() {
            self.error(CLASS, "rules without a finding", "Nothing was checked.");
            return;
        }
        let quiet = numbers.rules.saturating_sub(numbers.rules_firing + numbers.rules_only_skipped);
        if quiet > 0 {
            let text = format!("{} found nothing.", summary::counted(quiet, "rules"));
            self.case(CLASS, "rules without a finding", &format!("<system-out>{}</system-out>", content(&text)));
        }
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        for Open { finding, seen: _ } in findings {
            let (title, kind) = (attribute(&finding.title), finding.severity.name());
            let text = content(&paragraphs(finding));
            let failure = format!("<failure type=\"{kind}\" message=\"{title}\">{text}</failure>");
            self.failures += 1;
            self.case(&finding.rule, &words::place(finding), &failure);
        }
    }

    fn waived(&mut self, waived: Vec<(&'a Finding, &'a Waiver)>) {
        for (finding, waiver) in waived {
            let message = format!("{} ({}), {}", finding.title, finding.severity.name(), words::waiver(waiver));
            self.skip(&finding.rule, &words::place(finding), &message);
        }
    }

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        for (number, namespace) in namespaces.iter().enumerate() {
            self.property(&format!("namespace_{}", number + 1), &words::sockets(namespace));
        }
    }

    fn skipped(&mut self, skipped: &'a [Skipped]) {
        for Skipped { rule, namespace, reason } in skipped {
            self.skip(rule, in_words(namespace), &format!("could not be checked: {reason}"));
        }
    }

    fn gaps(&mut self, gaps: Vec<GapAt<'a>>) {
        for gap in gaps {
            let name = format!("{}: {}", words::gap_place(&gap), gap.gap.what);
            self.skip(&format!("{CLASS}.not-read"), &name, &format!("could not be read: {}", gap.gap.why));
        }
    }

    fn broken_rules(&mut self, messages: &'a [String]) {
        for (number, message) in messages.iter().enumerate() {
            self.error(&format!("{CLASS}.rule-file-broken"), &format!("rule file {}", number + 1), message);
        }
    }

    fn waiver_problems(&mut self, problems: &'a [WaiverProblem]) {
        for problem in problems {
            let class = format!("{CLASS}.{}", problem.trouble.name());
            let name = format!("{}:{}: {}", problem.file, problem.line, problem.rule);
            self.error(&class, &name, &words::waiver_problem(problem));
        }
    }

    fn resolved(&mut self, _episodes: Vec<&'a Episode>) {}

    fn finish(self) -> Result<String, serde_json::Error> {
        let Self { attributes, properties, cases, tests, failures, errors, skipped } = self;
        let numbers = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"");
        Ok(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"{CLASS}\" {numbers} {attributes}>\n\
             <properties>\n{properties}</properties>\n{cases}</testsuite>\n</testsuites>\n"
        ))
    }
}

impl Suite {
    fn property(&mut self, name: &str, value: &str) {
        self.properties.push_str(&format!("<property name=\"{name}\" value=\"{}\"/>\n", attribute(value)));
    }

    /// `result`: elements.
    fn case(&mut self, class: &str, name: &str, result: &str) {
        let (class, name) = (attribute(class), attribute(name));
        self.tests += 1;
        self.cases
            .push_str(&format!("<testcase classname=\"{class}\" name=\"{name}\" time=\"0\">{result}</testcase>\n"));
    }

    fn skip(&mut self, class: &str, name: &str, message: &str) {
        self.skipped += 1;
        self.case(class, name, &format!("<skipped message=\"{}\"/>", attribute(message)));
    }

    fn error(&mut self, class: &str, name: &str, message: &str) {
        self.errors += 1;
        self.case(class, name, &format!("<error type=\"{}\" message=\"{}\"/>", attribute(class), attribute(message)));
    }
}

fn paragraphs(finding: &Finding) -> String {
    let lines = words::what_to_act_on(finding).into_iter().chain(words::background(finding));
    lines.map(|line| one_line(&line)).collect::<Vec<_>>().join("\n")
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
    let mut output = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => output.push_str("&amp;"),
            '<' => output.push_str("&lt;"),
            '>' => output.push_str("&gt;"),
            '"' => output.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => output.push('\u{fffd}'),
            _ => output.push(c),
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::super::format::Look;
    use super::super::sections::Reported;
    use super::*;
    use crate::report::example;

    #[test]
    fn the_text_reads_so() {
        let snapshot = example::snapshot();
        let text = FORMAT.write(Reported::of(&example::audit(&snapshot)), &Look::plain()).unwrap();
        let text = text.replace(&"x".repeat(300), "xxx").replace(&"path/".repeat(30), "path/");
        insta::assert_snapshot!(text, @"");
    }

    #[test]
    fn where_nothing_was_checked_no_test_passes() {
        let snapshot = example::snapshot();
        let mut audit = example::audit(&snapshot);
        (audit.rules, audit.findings, audit.skipped) = (0, Vec::new(), Vec::new());
        let text = FORMAT.write(Reported::of(&audit), &Look::plain()).unwrap();
        assert!(text.contains("message=\"Nothing was checked.\"") && !text.contains("system-out"), "{text}");
    }
}
