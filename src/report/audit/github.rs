//! The report for a workflow of GitHub: a workflow command per line, of which the runner makes annotations.
//!
//! In: the sections of an audit. Out: one line per entry. The runner shows 10 annotations of each kind per step, so the worst
//! comes first, and what is many (sockets, checks that were not made) is `debug`; its number is in the first line.
//! Must not: let a stranger's text end a line: what follows could be a command.

use super::format::{Content, Format};
use super::sections::{GapAt, Head, Open, Writer};
use super::{summary, words};
use crate::audit::model::{Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::model::Severity;
use crate::report::theme::Theme;
use crate::snapshot::Namespace;
use crate::text::one_line;

const RULE: &str = "an annotation is short; `explain RULE` prints it";

pub(super) const FORMAT: Format = Format {
    name: "github",
    help: "Workflow commands of GitHub Actions, which become annotations",
    cannot_carry: &[
        (Content::Ids, "a person reads an annotation and recognises things by their names"),
        (Content::Explanation, RULE),
        (Content::Expressions, RULE),
        (Content::References, RULE),
        (Content::Bounds, "a person decides on a value"),
        (Content::Earlier, "a workflow starts on a new machine each time"),
    ],
    write: |sections, _| sections.give_to(Commands::default()),
};

#[derive(Default)]
struct Commands(String);

impl<'a> Writer<'a> for Commands {
    fn head(&mut self, head: Head<'a>) {
        let (_, numbers) = summary::sentence(&head.summary, &Theme::plain());
        let lines = [numbers, words::facts(&head)];
        self.command("notice", &[("title", &words::title(&head))], &lines);
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        for Open { finding, seen: _ } in findings {
            let kind = match finding.severity {
                Severity::Critical => "error",
                Severity::Warning => "warning",
                Severity::Notice => "notice",
            };
            self.finding(kind, finding, &words::what_to_act_on(finding));
        }
    }

    fn waived(&mut self, waived: Vec<(&'a Finding, &'a Waiver)>) {
        for (finding, waiver) in waived {
            let said = format!("{} {}, {}", finding.severity.name(), finding.rule, words::waiver(waiver));
            self.finding("notice", finding, &[format!("Where: {}", words::place(finding)), said]);
        }
    }

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        namespaces.iter().for_each(|namespace| self.debug(words::sockets(namespace)));
    }

    fn skipped(&mut self, skipped: &'a [Skipped]) {
        skipped.iter().for_each(|skip| self.debug(words::skipped(skip)));
    }

    fn gaps(&mut self, gaps: Vec<GapAt<'a>>) {
        gaps.iter().for_each(|gap| self.debug(words::gap(gap)));
    }

    fn broken_rules(&mut self, messages: &'a [String]) {
        for message in messages {
            self.command("warning", &[("title", "A rule file could not be loaded")], std::slice::from_ref(message));
        }
    }

    fn waiver_problems(&mut self, problems: &'a [WaiverProblem]) {
        for problem in problems {
            let line = problem.line.to_string();
            let properties = [("file", &*problem.file), ("line", &line), ("title", "A waiver waives nothing")];
            self.command("warning", &properties, &[words::waiver_problem(problem)]);
        }
    }

    fn resolved(&mut self, _episodes: Vec<&'a Episode>) {}

    fn finish(self) -> Result<String, serde_json::Error> {
        Ok(self.0)
    }
}

impl Commands {
    fn finding(&mut self, kind: &str, finding: &Finding, lines: &[String]) {
        let place = finding.line.as_ref().map(|line| (line.file.as_str(), line.line.to_string()));
        let mut properties: Vec<(&str, &str)> = Vec::new();
        if let Some((file, line)) = &place {
            properties.extend([("file", *file), ("line", line.as_str())]);
        }
        properties.push(("title", &finding.title));
        self.command(kind, &properties, lines);
    }

    fn debug(&mut self, text: String) {
        self.command("debug", &[], &[text]);
    }

    /// `::KIND NAME=VALUE,NAME=VALUE::TEXT`.
    fn command(&mut self, kind: &str, properties: &[(&str, &str)], lines: &[String]) {
        let properties: Vec<String> =
            properties.iter().map(|(name, value)| format!("{name}={}", property(&one_line(value)))).collect();
        let space = if properties.is_empty() { "" } else { " " };
        let text = lines.iter().map(|line| one_line(line)).collect::<Vec<_>>().join("\n");
        self.0.push_str(&format!("::{kind}{space}{}::{}\n", properties.join(","), data(&text)));
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
    use super::super::format::Look;
    use super::super::sections::Reported;
    use super::*;
    use crate::report::example;

    #[test]
    fn the_text_reads_so() {
        let snapshot = example::snapshot();
        let text = FORMAT.write(Reported::of(&example::audit(&snapshot)), &Look::plain()).unwrap();
        insta::assert_snapshot!(text, @"");
    }

    #[test]
    fn every_line_is_one_command_and_its_text_comes_back() {
        let mut commands = Commands::default();
        commands.command("error", &[("title", "50 %: a,b\n::error::c")], &["x%0Ay".to_owned(), "\r::stop".to_owned()]);
        assert_eq!(commands.0, "::error title=50 %25%3A a%2Cb %3A%3Aerror%3A%3Ac::x%250Ay%0A::stop\n");
    }
}
