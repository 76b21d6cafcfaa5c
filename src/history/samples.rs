//! The numbers of a run that are worth a series.
//!
//! In: a snapshot and the rules. Out: [`Sample`]s: sockets by state, and what the rules' conditions rest on.
//! Must not: keep totals of counters, which only ever grow; the rate over the window is kept instead.

use std::collections::BTreeSet;

use crate::keys;
use crate::metrics::defaults;
use crate::metrics::names::{self, change_parts, counter_parts};
use crate::metrics::value::Value;
use crate::metrics::view::{Item, View};
use crate::reference::counters::{self, CounterKind};
use crate::rules::set::RuleSet;
use crate::snapshot::Snapshot;

/// Of a host with hundreds of containers only so many namespaces have series; the machine's own comes first.
const MOST_NAMESPACES: usize = 64;

/// The metric of each TCP state.
pub const STATES: [&str; 11] = [
    "tcp.listen",
    "tcp.syn_sent",
    "tcp.syn_recv",
    "tcp.established",
    "tcp.fin_wait1",
    "tcp.fin_wait2",
    "tcp.closing",
    "tcp.time_wait",
    "tcp.close_wait",
    "tcp.last_ack",
    "tcp.close",
];

/// One number of one run, in the metric's own unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// `namespaces[].name` of the snapshot.
    pub namespace: String,
    /// As conditions write it.
    pub metric: String,
    pub value: f64,
}

/// The samples of a snapshot.
pub fn of(snapshot: &Snapshot, rules: &RuleSet) -> Vec<Sample> {
    let metrics = metrics(rules);
    let mut namespaces: Vec<_> = snapshot.namespaces.iter().collect();
    namespaces.sort_by_key(|namespace| !namespace.initial);
    let mut samples = Vec::new();
    for (position, namespace) in namespaces.into_iter().take(MOST_NAMESPACES).enumerate() {
        let view = View::new(snapshot, namespace);
        // The machine's own numbers are the same in each namespace.
        for metric in metrics.iter().filter(|metric| position == 0 || !metric.starts_with("host.")) {
            let value = match view.value(Item::NAMESPACE, metric) {
                Some(Value::Int(value)) => value as f64,
                Some(Value::Double(value)) if value.is_finite() => value,
                _ => continue,
            };
            samples.push(Sample { namespace: namespace.name.to_string(), metric: metric.clone(), value });
        }
    }
    samples
}

/// Names of all series: the states, and the numbers of the namespace and the host that the rules use.
fn metrics(rules: &RuleSet) -> BTreeSet<String> {
    let used = rules.names().filter_map(series_of);
    STATES.into_iter().chain(["tcp.total"]).map(str::to_owned).chain(used).collect()
}

/// The series that a name in an expression belongs to; `None` for one that has none.
pub fn series_of(name: &str) -> Option<String> {
    if let Some((_, metric)) = change_parts(name) {
        return series_of(metric);
    }
    if let Some((_, group, counter)) = counter_parts(name) {
        let full = format!("{group}.{counter}");
        let gauge = counters::doc(&full).is_some_and(|doc| doc.name == full && doc.kind == CounterKind::Gauge);
        return Some(format!("{}.{full}", if gauge { "total" } else { "rate" }));
    }
    // A key's value changes when somebody changes it, its default never: that is no series.
    let is_number = keys::catalogue().get(name).is_none()
        && defaults::key_of(name).is_none()
        && names::find(name).is_some_and(|found| {
            found.subject.is_of_every_rule()
                && matches!(found.kind, crate::metrics::value::Type::Int | crate::metrics::value::Type::Double)
        });
    (is_number && name != "window.seconds" && name != "host.uptime_seconds").then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn counters_are_kept_as_rates_gauges_as_they_are_and_keys_texts_and_parameters_not_at_all() {
        for (name, series) in [
            ("delta.TcpExt.ListenOverflows", Some("rate.TcpExt.ListenOverflows")),
            ("total.TcpExt.ListenOverflows", Some("rate.TcpExt.ListenOverflows")),
            ("total.sockstat_TCP.mem", Some("total.sockstat_TCP.mem")),
            ("tcp.orphans", Some("tcp.orphans")),
            ("host.open_files", Some("host.open_files")),
            ("net.ipv4.tcp_fin_timeout", None),
            ("default(\"net.ipv4.tcp_max_tw_buckets\")", None),
            ("netns.name", None),
            ("tcp.idle", None),
            ("listener.queue", None),
            ("params.ratio", None),
            ("window.seconds", None),
            ("nonsense", None),
        ] {
            assert_eq!(series_of(name).as_deref(), series, "{name}");
        }
    }

    #[test]
    fn every_state_and_what_the_shipped_rules_use_is_kept_where_it_was_read() {
        let metrics = metrics(&RuleSet::shipped());
        for wanted in ["tcp.time_wait", "tcp.total", "rate.TcpExt.ListenOverflows", "ports.usable"] {
            assert!(metrics.contains(wanted), "{wanted} in {metrics:?}");
        }
        let samples = of(&example::snapshot(), &RuleSet::shipped());
        let value = |namespace: &str, metric: &str| {
            let is_it = |sample: &&Sample| sample.namespace == namespace && sample.metric == metric;
            samples.iter().find(is_it).map(|sample| sample.value)
        };
        assert_eq!(value("host", "tcp.time_wait"), Some(25_300.0));
        assert_eq!(value("host", "tcp.syn_sent"), Some(0.0));
        assert_eq!(value("blue", "tcp.time_wait"), None, "its sockets were not read");
        assert_eq!(value("blue", "host.cpus"), None, "the machine's numbers are kept once");
    }
}
