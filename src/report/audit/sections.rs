//! Everything that the report of an audit has to say, section by section.
//!
//! In: an audit, what earlier audits saw, how the agent's run went. Out: each section, handed to a [`Writer`].
//! Must not: offer another way to the content. A format is a [`Writer`]; one that leaves a section out does not compile.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::derived::Derived;
use crate::audit::model::{Audit, Finding, Skipped, Waiver, WaiverProblem};
use crate::history::ChangeCounts;
use crate::history::read::{Episode, Memory};
use crate::model::Severity;
use crate::observe::gap::Gap;
use crate::observe::system::SystemFacts;
use crate::snapshot::{Namespace, Snapshot, Window};

/// What is reported.
#[derive(Debug, Clone, Copy)]
pub struct Reported<'a> {
    pub audit: &'a Audit<'a>,
    /// What earlier audits of the host saw; `None`: nothing is known of them.
    pub memory: Option<&'a Memory>,
    /// How the agent's run went; `None`: it is not the agent's.
    pub run: Option<Run>,
}

impl<'a> Reported<'a> {
    /// An audit alone.
    pub const fn of(audit: &'a Audit<'a>) -> Self {
        Self { audit, memory: None, run: None }
    }
}

/// How the agent's run went.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// From its start to the writing of the report.
    pub seconds: f64,
    /// Things that it could not do (history, journal, report); standard error names each.
    pub failed_steps: usize,
    /// Changes of this host by how they stand, as far as the history knows; `None`: it could not be asked.
    pub changes: Option<ChangeCounts>,
}

/// The content of a report. It has no field to look at: [`Sections::give_to`] is the way to what it holds.
#[derive(Debug)]
pub struct Sections<'a>(Reported<'a>);

/// A format in the making: one function for each section, in the order in which they are called. A section that is empty
/// is given too.
pub(super) trait Writer<'a> {
    fn head(&mut self, head: Head<'a>);
    /// Findings that count, the worst first; those of one rule stand together, and among them those of one namespace.
    fn findings(&mut self, findings: Vec<Open<'a>>);
    /// Findings that a person accepted.
    fn waived(&mut self, waived: Vec<(&'a Finding, &'a Waiver)>);
    fn namespaces(&mut self, namespaces: &'a [Namespace]);
    /// Rules that could not be evaluated. They do not count as passed.
    fn skipped(&mut self, skipped: &'a [Skipped]);
    /// What could not be read.
    fn gaps(&mut self, gaps: Vec<GapAt<'a>>);
    /// Rule files that could not be loaded, a message each.
    fn broken_rules(&mut self, messages: &'a [String]);
    /// Waivers that waive nothing.
    fn waiver_problems(&mut self, problems: &'a [WaiverProblem]);
    /// What earlier audits found in the last day and this one does not.
    fn resolved(&mut self, episodes: Vec<&'a Episode>);
    /// Writes the text, with a newline at its end.
    fn finish(self, output: &mut dyn io::Write) -> io::Result<()>;
}

/// Which host, when, and the numbers.
#[derive(Debug)]
pub(super) struct Head<'a> {
    /// RFC 3339.
    pub(super) taken_at: &'a str,
    /// Version of the program that observed the host.
    pub(super) written_by: &'a str,
    pub(super) system: &'a SystemFacts,
    pub(super) window: &'a Window,
    pub(super) run: Option<Run>,
    pub(super) summary: Summary<'a>,
}

/// A finding that counts.
#[derive(Debug)]
pub(super) struct Open<'a> {
    pub(super) finding: &'a Finding,
    pub(super) seen: Seen,
}

/// What earlier audits know of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// There is no memory of earlier audits.
    NotKnown,
    New,
    /// Since when (seconds since 1970), and for how many seconds until this audit.
    Before {
        since: i64,
        age: i64,
    },
}

/// Something that could not be read.
#[derive(Debug)]
pub(super) struct GapAt<'a> {
    /// Position in `namespaces`, and name; `None`: it is of the machine.
    pub(super) namespace: Option<(usize, &'a str)>,
    pub(super) gap: &'a Gap,
}

/// The report in numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Summary<'a> {
    pub(super) critical: usize,
    pub(super) warning: usize,
    pub(super) notice: usize,
    pub(super) waived: usize,
    /// Checks, that is pairs of a rule and a namespace.
    pub(super) skipped: usize,
    pub(super) gaps: usize,
    pub(super) broken_rules: usize,
    pub(super) waiver_problems: usize,
    /// Rules that were evaluated or skipped.
    pub(super) rules: usize,
    /// Rules with at least one finding, waived ones included.
    pub(super) rules_firing: usize,
    /// Rules that were skipped somewhere.
    pub(super) rules_skipped: usize,
    /// Rules that were skipped somewhere and fired nowhere.
    pub(super) rules_only_skipped: usize,
    /// Names, in the order of the snapshot.
    pub(super) namespaces: Vec<&'a str>,
    pub(super) derived: Derived<'a>,
}

impl<'a> Summary<'a> {
    pub(super) fn of(audit: &'a Audit<'a>) -> Self {
        let count = |severity| audit.open().filter(|finding| finding.severity == severity).count();
        let firing: BTreeSet<&str> = audit.findings.iter().map(|finding| finding.rule.as_str()).collect();
        let skipped: BTreeSet<&str> = audit.skipped.iter().map(|skip| &*skip.rule).collect();
        Self {
            critical: count(Severity::Critical),
            warning: count(Severity::Warning),
            notice: count(Severity::Notice),
            waived: audit.waived().count(),
            skipped: audit.skipped.len(),
            gaps: gaps(audit.snapshot).len(),
            broken_rules: audit.broken_rules.len(),
            waiver_problems: audit.waiver_problems.len(),
            rules: audit.rules,
            rules_firing: firing.len(),
            rules_skipped: skipped.len(),
            rules_only_skipped: skipped.difference(&firing).count(),
            namespaces: audit.snapshot.namespaces.iter().map(|namespace| namespace.name.as_str()).collect(),
            derived: Derived::of(audit.snapshot),
        }
    }

    /// Findings that nobody accepted.
    pub(super) const fn open(&self) -> usize {
        self.critical + self.warning + self.notice
    }
}

impl<'a> Sections<'a> {
    pub(super) const fn of(reported: Reported<'a>) -> Self {
        Self(reported)
    }

    /// The whole report in the format of `writer`.
    pub(super) fn give_to(self, mut writer: impl Writer<'a>, output: &mut dyn io::Write) -> io::Result<()> {
        let Reported { audit, memory, run } = self.0;
        let Audit { snapshot, findings, skipped, broken_rules, waiver_problems, rules: _ } = audit;
        let Snapshot { taken_at, written_by, system, window, namespaces, .. } = *snapshot;
        writer.head(Head { taken_at, written_by, system, window, run, summary: Summary::of(audit) });
        let now = taken_at.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
        writer.findings(audit.open().map(|finding| Open { finding, seen: seen(finding, memory, now) }).collect());
        writer.waived(audit.waived().collect());
        writer.namespaces(namespaces);
        writer.skipped(skipped);
        writer.gaps(gaps(snapshot));
        writer.broken_rules(broken_rules);
        writer.waiver_problems(waiver_problems);
        writer.resolved(resolved(findings, memory));
        writer.finish(output)
    }
}

/// How many changes are recommended that the namespace of the finding can make, and how many that it cannot: one for
/// each key and namespace, however many findings propose it.
pub(super) fn changes(findings: &[Open<'_>]) -> [usize; 2] {
    let proposed: BTreeMap<(&str, &str), bool> = findings
        .iter()
        .flat_map(|Open { finding, .. }| finding.recommendations.iter().map(|change| (&finding.namespace, change)))
        .map(|(namespace, change)| ((namespace.as_str(), change.key.as_str()), change.blocked.is_none()))
        .collect();
    let possible = proposed.values().filter(|possible| **possible).count();
    [possible, proposed.len() - possible]
}

fn seen(finding: &Finding, memory: Option<&Memory>, now: i64) -> Seen {
    let Some(memory) = memory else { return Seen::NotKnown };
    match (memory.first_seen.get(&finding.fingerprint), memory.age(&finding.fingerprint, now)) {
        (Some(&since), Some(age)) => Seen::Before { since, age },
        _ => Seen::New,
    }
}

fn gaps(snapshot: &Snapshot) -> Vec<GapAt<'_>> {
    let machine = snapshot.gaps.iter().map(|gap| GapAt { namespace: None, gap });
    let namespaces = snapshot.namespaces.iter().enumerate().flat_map(|(position, namespace)| {
        let place = (position, namespace.name.as_str());
        namespace.gaps.iter().map(move |gap| GapAt { namespace: Some(place), gap })
    });
    machine.chain(namespaces).collect()
}

/// Episodes that were published and of which this audit has no finding.
fn resolved<'a>(findings: &[Finding], memory: Option<&'a Memory>) -> Vec<&'a Episode> {
    let found: BTreeSet<&str> = findings.iter().map(|finding| finding.fingerprint.as_str()).collect();
    let episodes = memory.iter().flat_map(|memory| &memory.resolved);
    episodes.filter(|episode| episode.published && !found.contains(episode.fingerprint.as_str())).collect()
}
