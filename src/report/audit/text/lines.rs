//! The short form: one line for each finding that counts, and one of numbers.
//!
//! In: the sections of an audit, a theme. Out: text. Must not: leave a section out of the numbers.

use std::io;

use crate::audit::model::{Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::model::in_words;
use crate::report::audit::format::Look;
use crate::report::audit::sections::{GapAt, Head, Open, Summary, Writer};
use crate::report::audit::summary;
use crate::report::page::{Cell, GAP, Page, shortened};
use crate::snapshot::Namespace;

const SEVERITY: usize = "CRITICAL".len();

pub(super) struct Lines<'p, 'a> {
    page: Page<'p>,
    summary: Summary<'a>,
}

impl<'p> Lines<'p, '_> {
    pub(super) fn new(look: &'p Look) -> Self {
        Self { page: Page::new(&look.theme), summary: Summary::default() }
    }
}

impl<'a> Writer<'a> for Lines<'_, 'a> {
    fn head(&mut self, head: Head<'a>) {
        self.summary = head.summary;
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        let one_namespace = self.summary.namespaces.len() < 2;
        let room = self.page.width() - SEVERITY - GAP;
        for Open { finding, seen: _ } in findings {
            // White space is made single here: what is shortened to one line has to stay on one.
            let title: Vec<&str> = finding.title.split_whitespace().collect();
            let place = if one_namespace { String::new() } else { format!("{}: ", in_words(&finding.namespace)) };
            let line = shortened(&(place + &title.join(" ")), room);
            let severity = finding.severity.name().to_uppercase();
            let style = self.page.theme.severity(finding.severity);
            self.page.row(0, &[Cell::new(&severity, SEVERITY).painted(style), Cell::new(&line, room)]);
        }
    }

    // The last line counts what these hold.
    fn waived(&mut self, _waived: Vec<(&'a Finding, &'a Waiver)>) {}
    fn namespaces(&mut self, _namespaces: &'a [Namespace]) {}
    fn skipped(&mut self, _skipped: &'a [Skipped]) {}
    fn gaps(&mut self, _gaps: Vec<GapAt<'a>>) {}
    fn broken_rules(&mut self, _messages: &'a [String]) {}
    fn waiver_problems(&mut self, _problems: &'a [WaiverProblem]) {}
    fn resolved(&mut self, _episodes: Vec<&'a Episode>) {}

    fn finish(mut self, output: &mut dyn io::Write) -> io::Result<()> {
        let Self { page, summary } = &mut self;
        let (style, line) = summary::sentence(summary, page.theme);
        page.paragraph(0, style, &line);
        output.write_all(self.page.finish().as_bytes())
    }
}
