//! The questions that tests put to a report. Must not: know more of its layout than the published contract says.

use serde_json::Value;

use super::tally::Tally;

/// A report as `audit --format json` printed it.
#[derive(Debug)]
pub(crate) struct Report(pub(crate) Value, Tally);

impl Report {
    pub(crate) fn new(report: Value) -> Self {
        let tally = Tally::of(&report);
        Self(report, tally)
    }

    /// Rule and subject of every finding at or above a severity (`notice`, `warning`, `critical`).
    pub(crate) fn findings(&self, at_least: &str) -> Vec<(String, String)> {
        let found = self.listed(at_least);
        found.iter().for_each(|(rule, _)| self.1.asked(rule, true));
        found
    }

    fn listed(&self, at_least: &str) -> Vec<(String, String)> {
        let all = self.0["findings"].as_array().expect("a report has a list of findings");
        let wanted = all.iter().filter(|finding| rank(&text(finding, "severity")) >= rank(at_least));
        wanted.map(|finding| (text(finding, "rule"), text(finding, "subject"))).collect()
    }

    /// Whether the rule fired on any subject.
    pub(crate) fn has(&self, rule: &str) -> bool {
        let fired = self.listed("notice").iter().any(|(id, _)| id == rule);
        self.1.asked(rule, fired);
        fired
    }

    /// The subjects that the rule fired on.
    pub(crate) fn subjects(&self, rule: &str) -> Vec<String> {
        let of_rule = self.listed("notice").into_iter().filter(|(id, _)| id == rule);
        let subjects: Vec<String> = of_rule.map(|(_, subject)| subject).collect();
        self.1.asked(rule, !subjects.is_empty());
        subjects
    }

    /// Why the rule was skipped, when it was.
    pub(crate) fn skipped(&self, rule: &str) -> Option<String> {
        let all = self.0["skipped"].as_array().expect("a report has a list of skipped rules");
        all.iter().find(|skipped| text(skipped, "rule") == rule).map(|skipped| text(skipped, "reason"))
    }

    /// What a rule that fired proposes: key and value, over all its findings.
    pub(crate) fn recommendations(&self, rule: &str) -> Vec<(String, String)> {
        self.proposals(|finding| text(finding, "rule") == rule)
    }

    /// What the whole report proposes: key and value.
    pub(crate) fn all_recommendations(&self) -> Vec<(String, String)> {
        self.proposals(|_| true)
    }

    /// What the whole report proposes for a key. More than one value would be a contradiction.
    pub(crate) fn proposed(&self, key: &str) -> Vec<String> {
        self.proposals(|_| true).into_iter().filter(|(named, _)| named == key).map(|(_, value)| value).collect()
    }

    fn proposals(&self, of: impl Fn(&Value) -> bool) -> Vec<(String, String)> {
        let all = self.0["findings"].as_array().expect("a report has a list of findings");
        let mut proposed: Vec<(String, String)> = all
            .iter()
            .filter(|finding| of(finding))
            .flat_map(|finding| finding["recommendations"].as_array().expect("a finding has a list of recommendations"))
            .map(|recommendation| (text(recommendation, "key"), text(recommendation, "proposed")))
            .collect();
        proposed.sort();
        proposed.dedup();
        proposed
    }

    /// Sockets in a TCP state, over all namespaces of the report.
    pub(crate) fn tcp(&self, state: &str) -> u64 {
        let namespaces = self.0["namespaces"].as_array().expect("a report has a list of namespaces");
        namespaces.iter().filter_map(|namespace| namespace["tcp"][state].as_u64()).sum()
    }

    /// Panics, showing what fired instead, unless the rule fired.
    pub(crate) fn assert_fires(&self, rule: &str) {
        assert!(
            self.has(rule),
            "{rule} is missing from {:?}; skipped: {:?}",
            self.listed("notice"),
            self.skipped(rule)
        );
    }

    /// Panics unless the first finding of the rule follows from one of the other rule.
    pub(crate) fn assert_follows(&self, rule: &str, cause: &str) {
        let all = self.0["findings"].as_array().expect("a report has a list of findings");
        let finding = all.iter().find(|finding| text(finding, "rule") == rule).expect("the rule fired");
        self.1.asked(rule, true);
        assert_eq!(finding["follows_from"]["rule"].as_str(), Some(cause), "{rule}");
    }

    /// A number of the evidence of the rule's first finding.
    pub(crate) fn evidence(&self, rule: &str, label: &str) -> i64 {
        let all = self.0["findings"].as_array().expect("a report has a list of findings");
        let finding = all.iter().find(|finding| text(finding, "rule") == rule).expect("the rule fired");
        self.1.asked(rule, true);
        let rows = finding["evidence"].as_array().expect("a finding has evidence");
        let row =
            rows.iter().find(|row| text(row, "label") == label).unwrap_or_else(|| panic!("no {label} in {rows:?}"));
        row["value"].as_i64().unwrap_or_else(|| panic!("{row} is no whole number"))
    }

    /// Panics unless the rule fired, every time at the level whose title says this.
    pub(crate) fn assert_level(&self, rule: &str, severity: &str, title: &str) {
        self.assert_fires(rule);
        let all = self.0["findings"].as_array().expect("a report has a list of findings");
        for finding in all.iter().filter(|finding| text(finding, "rule") == rule) {
            let (found, headline) = (text(finding, "severity"), text(finding, "title"));
            assert!(found == severity && headline.contains(title), "{rule}: {found}: {headline}");
        }
    }

    /// Panics unless the rule was evaluated and found nothing. A rule that was skipped is not quiet.
    pub(crate) fn assert_quiet(&self, rule: &str) {
        assert!(!self.has(rule), "{rule} fired on {:?}", self.subjects(rule));
        assert_eq!(self.skipped(rule), None, "{rule} was skipped, which says nothing");
    }

    /// Panics unless there is no finding at `warning` or above, and no rule was skipped for want of a reading.
    pub(crate) fn assert_healthy(&self) {
        assert_eq!(self.findings("warning"), [], "a healthy host has nothing to be warned of");
    }
}

fn rank(severity: &str) -> usize {
    let order = ["notice", "warning", "critical"];
    order.iter().position(|&name| name == severity).unwrap_or_else(|| panic!("unknown severity {severity}"))
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no text {field} in {value}")).to_owned()
}
