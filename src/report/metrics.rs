//! The metrics that conditions may use, as `rules metrics` prints them.
//!
//! In: the catalogue. Out: text for a person, or JSON.
//! Must not: list sysctls and counters one by one; they depend on the kernel, so only how they are named is told.

use anstyle::Style;
use serde::Serialize;

use crate::keys;
use crate::metrics::catalogue::{Metric, metrics};
use crate::metrics::healthy;
use crate::metrics::subjects::Subject;
use crate::metrics::value::Value;
use crate::report::page::{Cell, GAP, Page};
use crate::report::theme::Theme;

/// What conditions may use besides the catalogue.
pub(super) const ALSO: &str = "\
Sysctls are used by their own names: net.ipv4.tcp_tw_reuse, net.ipv4.tcp_rmem[2] for the third number of a list, \
net.ipv4.conf[\"eth0.100\"].rp_filter if a name contains a dot. The kernel's counters are total.GROUP.NAME (since \
boot), delta.GROUP.NAME (in the window) and rate.GROUP.NAME (per second): delta.TcpExt.ListenOverflows, \
rate.Tcp.RetransSegs, total.sockstat_TCP.mem. delta. and rate. can also be put before any number above, except those of \
netns, window, persisted and key: delta.interface.rx_dropped, rate.listener.queue. The parameters of the rule are \
params.NAME. has(NAME) is true if NAME could be read. In a rule on interfaces, effective(\"net.ipv4.conf.*.rp_filter\") is what the interface does with \
a key. A rule that uses a name that could not be read is skipped; it does \
not count as passed.";

/// What the metrics of a subject are, and which rules may use them.
pub(super) fn heading(subject: Subject) -> String {
    match subject {
        Subject::Host => "The machine, in every rule".to_owned(),
        Subject::Namespace => "The network namespace, in every rule".to_owned(),
        other => format!("Rules with for_each = \"{}\"", other.name()),
    }
}

/// The catalogue by subject: name, type and unit, and what it means below.
pub fn metrics_text(theme: &Theme) -> String {
    let mut page = Page::new(theme);
    let name_width = metrics().map(|metric| metric.name.len()).max().unwrap_or(0);
    for subject in Subject::ALL {
        page.blank();
        page.paragraph(0, theme.heading, &heading(*subject));
        for metric in metrics().filter(|metric| metric.of == *subject) {
            let kind = if metric.unit.is_empty() {
                metric.kind.name().to_owned()
            } else {
                format!("{}, {}", metric.kind.name(), metric.unit)
            };
            let room = page.width().saturating_sub(2 + name_width + GAP);
            page.row(2, &[Cell::new(metric.name, name_width).painted(theme.key), Cell::new(&kind, room)]);
            page.paragraph(6, theme.dim, metric.help);
        }
    }
    page.blank();
    page.paragraph(0, theme.heading, "Sysctls, counters and parameters");
    page.paragraph(2, Style::new(), ALSO);
    page.finish()
}

/// The host that the tests inside rule files are laid over: `NAME = VALUE` a line, metrics and then keys. Counters stand
/// still on it and are not listed.
pub fn healthy_text(theme: &Theme) -> String {
    let metrics = metrics().map(|metric| metric.name);
    let keys = keys::catalogue().names();
    let mut text = String::new();
    for name in metrics.chain(keys) {
        if let Some(value) = healthy::value(name) {
            text.push_str(&format!("{} = {}\n", theme.paint(theme.key, name), written(&value)));
        }
    }
    let note = "# every counter is 0 in total, delta and rate; a key that is not listed is absent";
    text.push_str(&theme.paint(theme.dim, note));
    text.push('\n');
    text
}

/// A value as an expression would have it.
pub(super) fn written(value: &Value) -> String {
    if let Value::Text(text) = value { format!("{text:?}") } else { value.to_string() }
}

#[derive(Serialize)]
struct Listing {
    schema: &'static str,
    metrics: Vec<Row>,
    /// How sysctls, counters and parameters are named.
    also: &'static str,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    /// Empty for a text, a flag or a bare number.
    unit: &'static str,
    /// As `for_each` spells it; `host` and `namespace` may be used in every rule.
    subject: &'static str,
    help: &'static str,
    /// On the host that the tests inside rule files are laid over.
    healthy: serde_json::Value,
}

impl From<Metric> for Row {
    fn from(metric: Metric) -> Self {
        Self {
            name: metric.name,
            kind: metric.kind.name(),
            unit: metric.unit,
            subject: metric.of.name(),
            help: metric.help,
            healthy: json_value(metric.healthy),
        }
    }
}

fn json_value(value: Value) -> serde_json::Value {
    match value {
        Value::Bool(value) => value.into(),
        Value::Int(value) => value.into(),
        Value::Double(value) => value.into(),
        Value::Text(value) => value.into(),
        Value::Ints(value) => value.into(),
    }
}

/// The same as indented JSON with a newline at its end.
pub fn metrics_json() -> Result<String, serde_json::Error> {
    let listing =
        Listing { schema: "sysctl-advisor/metrics/1", metrics: metrics().map(Row::from).collect(), also: ALSO };
    serde_json::to_string_pretty(&listing).map(|text| text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_listed_once_under_its_subject() {
        let text = metrics_text(&Theme::plain());
        for metric in metrics() {
            let lines = text.lines().filter(|line| line.trim_start().split(' ').next() == Some(metric.name));
            assert_eq!(lines.count(), 1, "{}", metric.name);
        }
        let listeners = text.find("for_each = \"listener\"").unwrap();
        let destinations = text.find("for_each = \"destination\"").unwrap();
        let queue = text.find("  listener.queue ").unwrap();
        assert!(listeners < queue && queue < destinations);
        let mut lines = text.lines().skip_while(|line| !line.starts_with("  tcp.idle "));
        let (row, help) = (lines.next().unwrap(), lines.next().unwrap());
        assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["tcp.idle", "ages,", "sockets"]);
        assert!(help.starts_with("      ESTABLISHED sockets, by seconds"), "{help}");
        assert!(text.contains("delta.TcpExt.ListenOverflows"));
    }

    #[test]
    fn the_healthy_host_has_a_line_for_every_metric_and_key() {
        let text = healthy_text(&Theme::plain());
        for line in
            ["tcp.time_wait = 300", "net.ipv4.tcp_fin_timeout = 60", "net.ipv4.ip_local_port_range = 32768 60999"]
        {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        for metric in metrics() {
            assert_eq!(text.lines().filter(|line| line.starts_with(&format!("{} = ", metric.name))).count(), 1);
        }
    }

    #[test]
    fn the_table_keeps_to_its_width() {
        let text = metrics_text(&Theme::plain());
        assert!(text.lines().all(|line| line.chars().count() <= crate::report::wrap::WIDTH));
    }

    #[test]
    fn the_json_form_has_all_that_the_table_has() {
        let json: serde_json::Value = serde_json::from_str(&metrics_json().unwrap()).unwrap();
        let metrics = json["metrics"].as_array().unwrap();
        assert_eq!(metrics.len(), super::metrics().count());
        let queue = metrics.iter().find(|metric| metric["name"] == "listener.queue").unwrap();
        let expected = serde_json::json!({
            "name": "listener.queue", "type": "int", "unit": "connections", "subject": "listener",
            "help": "connections that wait for accept()", "healthy": 0,
        });
        assert_eq!(queue, &expected);
    }
}
