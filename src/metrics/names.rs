//! Every name that a condition may use, in one place: metrics, sysctls, kernel counters.
//!
//! In: a dotted name. Out: its type, unit and subject, or the name that was probably meant.
//! Must not: compute values; `view` does.

use std::borrow::Cow;

use super::catalogue::{self, metrics};
use super::subjects::Subject;
use super::sysctl::key_type;
use super::table::FirstRead;
use super::value::Type;
use super::{defaults, effective};
use crate::keys;
use crate::reference::counters;
use crate::snapshot::FirstReading;

/// The table of the UDP sockets of a namespace as a whole.
const UDP: &str = "udp";

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub kind: Type,
    /// Empty where there is none.
    pub unit: Cow<'static, str>,
    pub subject: Subject,
}

/// Looks a name up: a metric, its `delta.` or `rate.`, a sysctl, the default of one, the effective value of one of an interface, or `total|delta|rate.GROUP.COUNTER`.
pub fn find(name: &str) -> Option<Found> {
    if let Some(metric) = catalogue::find(name) {
        return Some(Found { kind: metric.kind, unit: metric.unit.into(), subject: metric.of });
    }
    if let Some((reading, metric)) = change_parts(name) {
        let metric = catalogue::find(metric).filter(|metric| metric.has_changes)?;
        let (kind, unit) = match (reading, metric.unit) {
            ("delta", unit) => (metric.kind, unit.into()),
            (_, "") => (Type::Double, "1/s".into()),
            (_, unit) => (Type::Double, format!("{unit}/s").into()),
        };
        return Some(Found { kind, unit, subject: metric.of });
    }
    if let Some(key) = defaults::key_of(name) {
        let key = keys::catalogue().get(key).filter(|key| defaults::source(key).is_ok())?;
        return Some(Found { kind: key_type(key), unit: key.unit.as_str().into(), subject: Subject::Namespace });
    }
    if let Some(key) = effective::key_of(name) {
        let unit = effective::entry(key)?.unit.as_str().into();
        return Some(Found { kind: Type::Int, unit, subject: Subject::Interface });
    }
    if let Some(key) = keys::catalogue().get(name) {
        return Some(Found { kind: key_type(key), unit: key.unit.as_str().into(), subject: Subject::Namespace });
    }
    let (reading, group, counter) = counter_parts(name)?;
    counters::is_known(group, counter).then(|| {
        let (kind, unit) = if reading == "rate" { (Type::Double, "1/s") } else { (Type::Int, "") };
        Found { kind, unit: unit.into(), subject: Subject::Namespace }
    })
}

/// `delta.interface.rx_errors`: the change of a metric, `delta` or `rate`, and the metric's own name.
pub fn change_parts(name: &str) -> Option<(&str, &str)> {
    let (reading, metric) = name.split_once('.')?;
    let is_change = ["delta", "rate"].contains(&reading) && Subject::of_name(metric).is_some();
    is_change.then_some((reading, metric))
}

/// What the readings of a window have to hold, for conditions with these names on these subjects to have values. A name that does not
/// exist needs nothing.
pub fn first_reading<'a>(
    names: impl Iterator<Item = &'a str>,
    subjects: impl Iterator<Item = Subject>,
) -> FirstReading {
    let mut first = FirstReading::default();
    for subject in subjects {
        match subject {
            Subject::Cgroup => first.cgroups = true,
            Subject::Qdisc => first.qdiscs = true,
            Subject::NeighbourTable => first.neighbour_tables = true,
            Subject::UdpSocket => first.udp = true,
            Subject::UnixListener => first.unix = true,
            _ => {}
        }
    }
    for name in names {
        let change = change_parts(name).map(|(_, metric)| metric);
        let Some((_, table)) = Subject::of_name(change.unwrap_or(name)) else { continue };
        match table.first_read() {
            FirstRead::Sockets => first.sockets |= change.is_some(),
            FirstRead::System => first.system |= change.is_some(),
            FirstRead::Always => {}
            // Of the namespace as a whole, so that no subject tells.
            FirstRead::Never => first.udp |= table.prefix() == UDP && find(name).is_some(),
        }
    }
    first
}

/// `delta.TcpExt.ListenOverflows` in its three parts.
pub fn counter_parts(name: &str) -> Option<(&str, &str, &str)> {
    let (reading, rest) = name.split_once('.')?;
    let (group, counter) = rest.split_once('.')?;
    ["total", "delta", "rate"].contains(&reading).then_some((reading, group, counter))
}

/// The unit of a name, when it has one.
pub fn unit(name: &str) -> Option<String> {
    find(name).map(|found| found.unit.into_owned()).filter(|unit| !unit.is_empty())
}

/// A hint for a name that does not exist: `did you mean ...?`, or what the beginning of the name admits.
pub fn suggest(name: &str) -> Option<String> {
    if let Some(key) = defaults::key_of(name) {
        return defaults::hint(key);
    }
    if let Some(key) = effective::key_of(name) {
        return Some(effective::hint(key));
    }
    if let Some((_, metric)) = change_parts(name).filter(|(_, metric)| catalogue::find(metric).is_some()) {
        return Some(format!("`{metric}` has no delta and no rate, because it is read once or is not a number"));
    }
    let near = match (change_parts(name), counter_parts(name)) {
        (Some((reading, metric)), _) => {
            let known = metrics().filter(|metric| metric.has_changes).map(|metric| metric.name);
            crate::suggest::nearest_name(metric, known).map(|near| format!("{reading}.{near}"))
        }
        (None, Some((reading, group, counter))) => {
            counters::suggest(&format!("{group}.{counter}")).map(|near| format!("{reading}.{near}"))
        }
        (None, None) => {
            let known = metrics().map(|metric| metric.name);
            let keys = keys::catalogue().names();
            crate::suggest::nearest_name(name, known.chain(keys)).map(str::to_owned)
        }
    };
    near.map(|near| format!("did you mean `{near}`?"))
        .or_else(|| Some("`sysctl-advisor rules metrics` prints all names".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn udp_and_unix_sockets_are_read_only_for_rules_about_them() {
        let first = |names: &[&'static str], subjects: &[Subject]| {
            first_reading(names.iter().copied(), subjects.iter().copied())
        };
        assert_eq!(
            first(&["tcp.total", "delta.Udp.RcvbufErrors", "udp.c"], &[Subject::Listener]),
            FirstReading::default()
        );
        assert!(first(&["udp.named_drops"], &[]).udp && first(&[], &[Subject::UdpSocket]).udp);
        assert_eq!(first(&[], &[Subject::UnixListener]), FirstReading { unix: true, ..FirstReading::default() });
    }
}
