//! The kernel's counters: which names exist, and what the important ones really count.
//!
//! In: `rules/reference/counters.toml`, compiled in. Out: whether a name is known, a suggestion for one that is not,
//! and [`CounterDoc`] for those that are documented.
//! Must not: hold values; those are in the snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::Deserialize;

use crate::suggest;

/// What one counter means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CounterDoc {
    /// `GROUP.NAME`, as conditions write it after `total.`, `delta.` or `rate.`.
    #[serde(skip)]
    pub name: String,
    /// What one increment means; of a gauge, what the value is the number of.
    pub counts: String,
    /// `segments`, `connections`, `pages`, ...
    pub unit: String,
    pub scope: CounterScope,
    pub kind: CounterKind,
    /// What a healthy host shows.
    pub normal: String,
    /// How it is misread.
    pub trap: String,
    #[serde(default)]
    pub see: See,
    pub source: Vec<String>,
}

impl CounterDoc {
    /// `TcpExt` and `ListenOverflows`.
    pub fn group_and_name(&self) -> (&str, &str) {
        self.name.split_once('.').unwrap_or(("", &self.name))
    }
}

/// What to look at next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct See {
    pub keys: Vec<String>,
    pub states: Vec<String>,
    pub counters: Vec<String>,
}

/// Whose events are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CounterScope {
    /// Those of the network namespace that it is read in.
    Namespace,
    /// Those of the whole machine, wherever it is read.
    Host,
}

/// How its value is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CounterKind {
    /// Grows since boot (or since the namespace was made); only its growth over a window says something.
    Counter,
    /// A present number.
    Gauge,
}

/// Names by group.
type Names = BTreeMap<&'static str, BTreeSet<&'static str>>;

/// The build makes JSON of the file, and a file of its own of the names.
fn parse_names() -> serde_json::Result<Names> {
    serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/reference-counters-known.json")))
}

fn parse_docs() -> serde_json::Result<BTreeMap<String, CounterDoc>> {
    let text = include_str!(concat!(env!("OUT_DIR"), "/reference-counters.json"));
    let mut docs: BTreeMap<String, CounterDoc> = serde_json::from_str(text)?;
    for (name, doc) in &mut docs {
        doc.name.clone_from(name);
    }
    Ok(docs)
}

/// The files are compiled in and a test proves that they parse, so neither is ever empty.
fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| parse_names().unwrap_or_default())
}

fn docs() -> &'static BTreeMap<String, CounterDoc> {
    static DOCS: OnceLock<BTreeMap<String, CounterDoc>> = OnceLock::new();
    DOCS.get_or_init(|| parse_docs().unwrap_or_default())
}

/// Whether some recent kernel prints this counter: `TcpExt` and `ListenOverflows`. A known counter can still be absent
/// on this host.
pub fn is_known(group: &str, name: &str) -> bool {
    names().get(group).is_some_and(|names| names.contains(name))
        || (matches!(group, "IcmpMsg" | "Icmp6") && is_message_type(name))
}

/// Whether a value is a present number that may fall, and not a count of events.
pub fn is_gauge(group: &str, name: &str) -> bool {
    group.starts_with("sockstat_")
        || docs().get(&format!("{group}.{name}")).is_some_and(|doc| doc.kind == CounterKind::Gauge)
}

/// `InType3`: the kernel prints one for each ICMP type that it saw.
fn is_message_type(name: &str) -> bool {
    name.strip_prefix("InType")
        .or_else(|| name.strip_prefix("OutType"))
        .is_some_and(|number| number.parse::<u8>().is_ok_and(|value| value.to_string() == number))
}

/// All listed counters as group and name, sorted.
pub fn known() -> impl Iterator<Item = (&'static str, &'static str)> {
    names().iter().flat_map(|(group, names)| names.iter().map(|name| (*group, *name)))
}

/// The full name of the known counter that is most like `wanted`, given with or without its group.
/// `None` when nothing is near enough to be a misspelling.
pub fn suggest(wanted: &str) -> Option<String> {
    let wanted = bare(wanted);
    let full_names = known().map(|(group, name)| format!("{group}.{name}"));
    suggest::nearest_by(full_names, NEAR_ENOUGH, |full| suggest::name_likeness(full, wanted))
}

/// A fifth of the letters may be wrong.
const NEAR_ENOUGH: f64 = 0.8;

/// The documentation of a counter: `TcpExt.ListenOverflows`, `ListenOverflows`, `TcpExtListenOverflows` as nstat
/// prints it, or `delta.TcpExt.ListenOverflows` as a rule does. Letters' case matters only where it decides between two
/// (`TW` and `tw`).
pub fn doc(name: &str) -> Option<&'static CounterDoc> {
    let name = bare(name);
    let find = |same: fn(&str, &str) -> bool| {
        iter().find(|doc| {
            let (group, short) = doc.group_and_name();
            same(&doc.name, name) || same(short, name) || same(&format!("{group}{short}"), name)
        })
    };
    find(|one, other| one == other).or_else(|| find(str::eq_ignore_ascii_case))
}

fn bare(name: &str) -> &str {
    ["total.", "delta.", "rate."].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

/// All documented counters, by name.
pub fn iter() -> impl Iterator<Item = &'static CounterDoc> {
    docs().values()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::catalogue;
    use crate::reference::states;

    #[test]
    fn the_files_parse_and_are_not_empty() {
        assert!(parse_names().unwrap()["TcpExt"].len() > 100);
        assert!(parse_docs().unwrap().len() > 45);
    }

    #[test]
    fn every_documented_counter_is_a_known_one() {
        for doc in iter() {
            let (group, name) = doc.group_and_name();
            assert!(is_known(group, name), "{}", doc.name);
        }
    }

    #[test]
    fn whatever_an_entry_refers_to_exists() {
        for doc in iter() {
            for key in &doc.see.keys {
                assert!(catalogue().get(key).is_some(), "{}: {key}", doc.name);
            }
            for state in &doc.see.states {
                assert_eq!(states::doc(state).map(|found| &found.name), Some(state), "{}", doc.name);
            }
            for counter in &doc.see.counters {
                let (group, name) = counter.split_once('.').unwrap();
                assert!(is_known(group, name), "{}: {counter}", doc.name);
            }
        }
    }

    #[test]
    fn no_text_is_left_empty_or_without_a_source() {
        for doc in iter() {
            for text in [&doc.counts, &doc.unit, &doc.normal, &doc.trap] {
                assert!(!text.trim().is_empty(), "{}", doc.name);
            }
            assert!(!doc.source.is_empty(), "{}", doc.name);
        }
    }

    #[test]
    fn a_name_is_found_however_it_is_written() {
        for name in [
            "TcpExt.ListenOverflows",
            "ListenOverflows",
            "listenoverflows",
            "tcpext.listenoverflows",
            "TcpExtListenOverflows",
            "delta.TcpExt.ListenOverflows",
        ] {
            assert_eq!(doc(name).unwrap().name, "TcpExt.ListenOverflows", "{name}");
        }
        assert!(doc("NoSuchCounter").is_none());
        assert!(doc("").is_none());
        assert!(doc("é").is_none(), "a name that is no ASCII does not panic");
    }

    #[test]
    fn case_decides_only_between_two_that_differ_in_nothing_else() {
        assert_eq!(doc("TW").unwrap().name, "TcpExt.TW");
        assert_eq!(doc("tw").unwrap().name, "sockstat_TCP.tw");
    }

    #[test]
    fn a_misspelt_counter_gets_a_suggestion_and_nonsense_gets_none() {
        assert_eq!(suggest("TcpExt.ListenOverflow").as_deref(), Some("TcpExt.ListenOverflows"));
        assert_eq!(suggest("ListenOverfows").as_deref(), Some("TcpExt.ListenOverflows"));
        assert_eq!(suggest("delta.TcpExt.TCPTimewaitOverflow").as_deref(), Some("TcpExt.TCPTimeWaitOverflow"));
        assert_eq!(suggest("bananas"), None);
    }

    #[test]
    fn icmp_types_are_known_without_being_listed() {
        assert!(is_known("IcmpMsg", "InType3"));
        assert!(is_known("Icmp6", "OutType135"));
        assert!(!is_known("IcmpMsg", "InType256"));
        assert!(!is_known("IcmpMsg", "InType03"));
        assert!(!is_known("Tcp", "InType3"));
    }
}
