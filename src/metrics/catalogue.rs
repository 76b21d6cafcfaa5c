//! Every metric that a condition may use, except sysctls (see `keys`) and kernel counters (see `reference`).
//!
//! In: the tables of the subjects. Out: name, type, unit, subject, documentation, and the value on a healthy host, which
//! the tests inside rule files are laid over.
//! Must not: compute; the rows of the tables do.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::subjects::Subject;
use super::table::{Described, FirstRead};
use super::value::{Type, Value};

/// One metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Type,
    /// `sockets`, `ports`, `bytes`, `s`, `1/s`; empty for a text, a flag or a bare number.
    pub unit: &'static str,
    pub of: Subject,
    pub help: &'static str,
    /// Whether it only grows, so that only its `delta.` and `rate.` say something.
    pub grows: bool,
    /// Whether there are `delta.` and `rate.` of it: it is a number, and is read at both ends of a window.
    pub has_changes: bool,
    /// The value on the healthy host that rule tests start from.
    pub healthy: Value,
}

/// Looks a metric up by its full name. The expressions of the rules ask some thousand times at each start.
pub fn find(name: &str) -> Option<&'static Metric> {
    static BY_NAME: OnceLock<HashMap<&str, Metric>> = OnceLock::new();
    BY_NAME.get_or_init(|| metrics().map(|metric| (metric.name, metric)).collect()).get(name)
}

/// All of them, in the order of their pages: by subject.
pub fn metrics() -> impl Iterator<Item = Metric> {
    Subject::ALL.iter().flat_map(|&subject| {
        let tables = subject.tables().iter();
        tables.flat_map(move |table| {
            table.described().into_iter().map(move |row| metric(subject, table.first_read(), row))
        })
    })
}

fn metric(of: Subject, first_read: FirstRead, row: Described) -> Metric {
    let Described { name, unit, help, kind, grows, is_of_window, healthy } = row;
    let is_read_twice = first_read != FirstRead::Never && !is_of_window;
    let has_changes = is_read_twice && matches!(kind, Type::Int | Type::Double);
    Metric { name, kind, unit, of, help, grows, has_changes, healthy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_there_once_and_found_where_its_beginning_says() {
        let all: Vec<Metric> = metrics().collect();
        assert!(all.len() > 150, "{}", all.len());
        for metric in &all {
            assert_eq!(find(metric.name), Some(metric));
            assert_eq!(all.iter().filter(|other| other.name == metric.name).count(), 1, "{}", metric.name);
        }
    }

    #[test]
    fn no_table_begins_like_a_group_of_the_kernel_s_counters() {
        let groups: Vec<&str> = crate::reference::counters::known().map(|(group, _)| group).collect();
        for table in Subject::ALL.iter().flat_map(|subject| subject.tables()) {
            assert!(!groups.contains(&table.prefix()), "delta.{}.x would mean two things", table.prefix());
        }
    }
}
