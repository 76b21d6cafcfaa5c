//! The TCP states: what each means, what touches it and what does not.
//!
//! In: `rules/reference/states.toml`, compiled in. Out: [`StateDoc`] by any usual spelling of a state's name.
//! Must not: count sockets; the snapshot has the numbers.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::suggest;

/// What one state means. Texts are plain sentences.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateDoc {
    /// The kernel's name: `TIME_WAIT`.
    #[serde(skip)]
    pub name: String,
    /// Other names than other spellings of the same.
    #[serde(default)]
    pub aliases: Vec<String>,
    pub summary: String,
    /// What was sent and received.
    pub wire: String,
    /// Which side is in it.
    pub side: String,
    /// How long it lasts.
    pub lasts: String,
    pub timers: String,
    pub cost: String,
    /// What many of them mean.
    pub many: String,
    pub remedy: String,
    pub touched_by: Vec<Touches>,
    pub not_touched_by: Vec<DoesNotTouch>,
    /// Counters to look at, `GROUP.NAME`.
    pub counters: Vec<String>,
    pub source: Vec<String>,
}

/// A key that matters to a state, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Touches {
    pub key: String,
    pub how: String,
}

/// A key that people change for a state in vain, and why.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoesNotTouch {
    pub key: String,
    pub why: String,
}

fn parse() -> Result<BTreeMap<String, StateDoc>, serde_json::Error> {
    let mut states: BTreeMap<String, StateDoc> =
        serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/reference-states.json")))?;
    for (name, doc) in &mut states {
        doc.name.clone_from(name);
    }
    Ok(states)
}

/// The file is compiled in and a test proves that it parses, so the empty map never comes about.
fn states() -> &'static BTreeMap<String, StateDoc> {
    static STATES: OnceLock<BTreeMap<String, StateDoc>> = OnceLock::new();
    STATES.get_or_init(|| parse().unwrap_or_default())
}

/// A state by its name or an alias; case, `-`, `_`, spaces and a leading `TCP_` do not matter: `time-wait`,
/// `FIN_WAIT_1`, `TCP_ESTABLISHED`.
pub fn doc(name: &str) -> Option<&'static StateDoc> {
    let wanted = folded(name);
    iter().find(|doc| spellings(doc).any(|spelling| folded(spelling) == wanted))
}

/// The state whose name is most like `wanted`; `None` when nothing is near enough to be a misspelling.
pub fn suggest(wanted: &str) -> Option<&'static StateDoc> {
    let wanted = folded(wanted);
    let likeness = |doc: &StateDoc| {
        spellings(doc).map(|spelling| suggest::likeness(&folded(spelling), &wanted)).fold(0.0, f64::max)
    };
    suggest::nearest_by(iter(), NEAR_ENOUGH, |doc| likeness(doc))
}

/// Names are short: two letters of eight may be wrong.
const NEAR_ENOUGH: f64 = 0.7;

/// All states, by name.
pub fn iter() -> impl Iterator<Item = &'static StateDoc> {
    states().values()
}

fn spellings(doc: &StateDoc) -> impl Iterator<Item = &str> {
    std::iter::once(&doc.name).chain(&doc.aliases).map(String::as_str)
}

fn folded(name: &str) -> String {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect();
    plain.strip_prefix("TCP").map(str::to_owned).unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::catalogue;
    use crate::observe::sockets::StateCounts;
    use crate::reference::counters;

    #[test]
    fn the_file_parses() {
        assert_eq!(parse().unwrap().len(), 11);
    }

    #[test]
    fn every_state_that_is_counted_is_documented() {
        let counted = serde_json::to_value(StateCounts::default()).unwrap();
        let names: Vec<String> = counted.as_object().unwrap().keys().map(|name| name.to_uppercase()).collect();
        assert_eq!(names.len(), iter().count());
        for name in names {
            assert_eq!(doc(&name).map(|found| found.name.as_str()), Some(name.as_str()));
        }
    }

    #[test]
    fn a_state_is_found_by_every_usual_spelling() {
        for (spelling, name) in [
            ("TIME-WAIT", "TIME_WAIT"),
            ("timewait", "TIME_WAIT"),
            ("time wait", "TIME_WAIT"),
            ("FIN_WAIT_1", "FIN_WAIT1"),
            ("fin-wait-2", "FIN_WAIT2"),
            ("SYN-RECEIVED", "SYN_RECV"),
            ("NEW_SYN_RECV", "SYN_RECV"),
            ("estab", "ESTABLISHED"),
            ("TCP_CLOSE_WAIT", "CLOSE_WAIT"),
            ("unconn", "CLOSE"),
            ("closed", "CLOSE"),
        ] {
            assert_eq!(doc(spelling).map(|found| found.name.as_str()), Some(name), "{spelling}");
        }
        assert!(doc("").is_none());
        assert!(doc("tcp").is_none());
    }

    #[test]
    fn no_two_states_share_a_spelling() {
        let mut seen = BTreeMap::new();
        for doc in iter() {
            for spelling in spellings(doc) {
                assert_eq!(seen.insert(folded(spelling), &doc.name), None, "{spelling}");
            }
        }
    }

    #[test]
    fn a_misspelt_state_gets_a_suggestion_and_nonsense_gets_none() {
        assert_eq!(suggest("TIME_WIAT").map(|found| found.name.as_str()), Some("TIME_WAIT"));
        assert_eq!(suggest("CLOSE_WAI").map(|found| found.name.as_str()), Some("CLOSE_WAIT"));
        assert!(suggest("bananas").is_none());
    }

    #[test]
    fn whatever_a_state_refers_to_exists() {
        for doc in iter() {
            let keys = doc.touched_by.iter().map(|touch| &touch.key);
            for key in keys.chain(doc.not_touched_by.iter().map(|touch| &touch.key)) {
                assert!(catalogue().get(key).is_some(), "{}: {key}", doc.name);
            }
            for counter in &doc.counters {
                let (group, name) = counter.split_once('.').unwrap();
                assert!(counters::is_known(group, name), "{}: {counter}", doc.name);
            }
        }
    }

    #[test]
    fn no_key_both_touches_a_state_and_does_not() {
        for doc in iter() {
            for touch in &doc.touched_by {
                assert!(doc.not_touched_by.iter().all(|other| other.key != touch.key), "{}: {}", doc.name, touch.key);
            }
        }
    }
}
