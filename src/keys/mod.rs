//! What we know of each sysctl: the catalogue's types.
//!
//! In: `rules/keys/*.toml`, compiled in. Out: [`Key`] by name; typed values to parse, compare, validate and render.
//! Must not: read the running system, or decide what a value should be.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::version::{has_newer_parts, is_exact, is_older};
use crate::suggest;

mod combination;
mod interface;
mod names;
pub mod number;
mod path;
mod sense;
mod spaces;
mod ticks;
pub mod value;
mod version;
mod written;

pub use combination::{Combination, effective};
pub use interface::InterfaceKey;
pub use names::{is_known, nearest_known};
pub use path::{is_printable, our_form, path, path_of_listed};
pub use sense::{Sense, judged_in_namespaces, sense, suspects};
pub use spaces::folded;
pub use ticks::{is_rounded, rounded, twin, twin_shows};
pub use value::{KeyValue, ValueError, is_meaningful, parse, validate};
pub use version::{NEWEST_KERNEL, in_words, release};
pub use written::{Refused, Written, written};

/// Shape of a key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// One integer.
    Int,
    /// A fixed number of integers ([`Key::length`]), separated by white space: `tcp_rmem`.
    Ints,
    /// Two ports, first and last: `ip_local_port_range`.
    PortRange,
    /// Ports and ranges separated by commas: `ip_local_reserved_ports`.
    PortList,
    /// Words: `tcp_congestion_control`.
    Text,
}

impl ValueType {
    /// The name that the catalogue's files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Ints => "ints",
            Self::PortRange => "port_range",
            Self::PortList => "port_list",
            Self::Text => "text",
        }
    }
}

/// To what a value belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every network namespace has its own, and may write it.
    Namespace,
    /// One for the machine. Other network namespaces do not have the key.
    Host,
    /// One for the machine. Other network namespaces show it but may not write it.
    ReadOnlyInChild,
}

impl Scope {
    /// The name that the catalogue's files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Host => "host",
            Self::ReadOnlyInChild => "read_only_in_child",
        }
    }
}

/// When a change of a key shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    Immediate,
    NewSockets,
    Relisten,
    Timer,
    Boot,
}

impl Effect {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Immediate => "At once",
            Self::NewSockets => {
                "For sockets that are created after the change; existing sockets keep the previous value"
            }
            Self::Relisten => "When the service calls listen() again, which usually means a restart",
            Self::Timer => {
                "When the timer is started the next time; a timer that is already running keeps its expiry time"
            }
            Self::Boot => "At boot, or when the module or the interface comes up",
        }
    }
}

/// How much a change of a key can break. The order is the order of danger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "How much a change can break.")]
pub enum Risk {
    Low,
    Medium,
    High,
}

impl std::fmt::Display for Risk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

impl Risk {
    /// All, the least first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// From the name that files and reports use.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|risk| risk.name() == name)
    }

    /// The name that the catalogue's and the rules' files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// One sysctl. Texts of values (`default`, `typical`, the names in `values`) are as [`parse`] reads them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// As sysctl spells it, with dots. `*` stands for an interface, or for `all` or `default`.
    #[serde(skip)]
    pub name: String,
    /// The catalogue's file that it stands in, without `.toml`: `ports`, `listen`, ...
    #[serde(skip)]
    pub area: &'static str,
    #[serde(rename = "type")]
    pub kind: ValueType,
    /// How many numbers an [`ValueType::Ints`] has; 1 for every other kind.
    #[serde(default = "one")]
    pub length: usize,
    /// `s`, `ms`, `bytes`, `pages`, `ports`, ...; empty for a bare number or a text.
    #[serde(default)]
    pub unit: String,
    /// What the kernel takes, both ends included, for each number. Absent: any signed 32-bit integer.
    /// Where kernels differ it is what all of them take.
    pub accepted: Option<[i64; 2]>,
    /// What is usual and useful, both ends included, for each number; within `accepted`.
    pub meaningful: Option<[i64; 2]>,
    /// Why somebody sets a number below `meaningful`, and what it costs. Absent: such a number has no meaning.
    pub below: Option<String>,
    /// The same above it.
    pub above: Option<String>,
    /// What a usual value costs, by the value's text, where a reviewer of a file should say it.
    #[serde(default)]
    pub costs: BTreeMap<String, String>,
    /// Whether the numbers must not fall from left to right, which the kernel does not check.
    #[serde(default)]
    pub ascending: bool,
    /// The kernel's own default; absent when it is computed.
    pub default: Option<String>,
    /// How the kernel computes it, or how it differed before.
    pub default_note: Option<String>,
    /// The value on a usual healthy server (4 CPUs, 16 GiB). Absent when such a server does not have the key.
    pub typical: Option<String>,
    /// Of a key of interfaces: what `all` has instead.
    pub all: Option<OfAll>,
    /// Of a key of interfaces below `conf`: how the kernel puts the values of `all` and of an interface together.
    pub combination: Option<Combination>,
    /// What the single values of an enumeration mean, by the value's text.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    pub scope: Scope,
    /// Nobody can write it, in any namespace.
    #[serde(default)]
    pub read_only: bool,
    pub effect: Effect,
    /// What [`Effect`] alone does not say, as the rest of a sentence.
    pub effect_note: Option<String>,
    /// Kernel version that brought it: `5.18`, or `by 5.14` where only that is known. Absent when it is old (3.4 has it) or not known.
    pub since: Option<String>,
    /// Kernel version that took it away: `4.12`, or `by 6.1` where only that is known.
    pub removed: Option<String>,
    /// Why setting it changes nothing, where the kernel still has the key but ignores it.
    pub inert: Option<String>,
    /// Kernel version since which it is inert; absent when every kernel that a host runs today ignores it.
    pub inert_since: Option<String>,
    /// Keys to look at together with this one.
    #[serde(default)]
    pub needs: Vec<String>,
    pub interactions: Option<String>,
    pub risk: Risk,
    pub risk_note: Option<String>,
    /// Two sentences: what it does, and what that means for an operator.
    pub meaning: String,
    /// What the folk remedy gets wrong.
    pub misuse: Option<String>,
    /// Where these facts are from.
    pub source: String,
}

/// What is different for the key of `all`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfAll {
    pub default: Option<String>,
    pub typical: Option<String>,
}

const fn one() -> usize {
    1
}

impl Key {
    /// A sentence: when a change shows.
    pub fn takes_effect(&self) -> String {
        match &self.effect_note {
            Some(note) => format!("{}: {note}.", self.effect.sentence()),
            None => format!("{}.", self.effect.sentence()),
        }
    }

    /// Why a kernel (`uname -r`) ignores the key. One whose version cannot be read counts as new.
    pub fn inert_on(&self, kernel: &str) -> Option<&str> {
        let is_older = self.inert_since.as_deref().is_some_and(|since| is_older(kernel, since));
        self.inert.as_deref().filter(|_| !is_older)
    }

    /// Whether a kernel is surely too old to have the key: its distribution adds nothing of newer kernels to it.
    pub fn is_newer_than(&self, kernel: &str) -> bool {
        self.can_be_newer_than(kernel) && !has_newer_parts(kernel) && self.since.as_deref().is_some_and(is_exact)
    }

    /// Whether a kernel can lack the key because it is too old for it.
    pub fn can_be_newer_than(&self, kernel: &str) -> bool {
        self.since.as_deref().is_some_and(|since| is_older(kernel, since))
    }

    /// Whether a kernel is so new that it surely does not have the key any more.
    pub fn is_gone_from(&self, kernel: &str) -> bool {
        self.removed.as_deref().is_some_and(|removed| !is_older(kernel, removed))
    }

    /// The key under one of its names, of an entry for all interfaces.
    pub fn of(&self, parts: &InterfaceKey<'_>) -> Self {
        let mut key = Self { name: parts.with(parts.who), ..self.clone() };
        if let Some(all) = self.all.as_ref().filter(|_| parts.who == "all") {
            key.default = all.default.clone().or(key.default);
            key.typical = all.typical.clone().or(key.typical);
        }
        if parts.folder == "neigh" && parts.who == "default" {
            key.scope = Scope::Host;
        }
        key
    }

    /// Whether a change can do anything at all: the key is not removed, inert or read-only.
    pub const fn is_useful_to_set(&self) -> bool {
        self.removed.is_none() && self.inert.is_none() && !self.read_only
    }
}

/// Keys of single interfaces that were asked for; a host has some hundreds of interfaces at most.
static OF_INTERFACES: Mutex<BTreeMap<String, &'static Key>> = Mutex::new(BTreeMap::new());
const MOST_OF_INTERFACES: usize = 8192;

/// The key under exactly this name. Unlike [`Catalogue::get`] it gives a key of one interface as that interface's, and not the entry
/// for all. It stays in memory, so only names that are to be set are asked for.
pub fn named(name: &str) -> Option<&'static Key> {
    let key = catalogue().get(name)?;
    let Some(parts) = InterfaceKey::of(name).filter(|_| key.name != name) else { return Some(key) };
    let mut made = OF_INTERFACES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(key) = made.get(name) {
        return Some(key);
    }
    if made.len() >= MOST_OF_INTERFACES {
        return None;
    }
    let key: &'static Key = Box::leak(Box::new(key.of(&parts)));
    made.insert(name.to_owned(), key);
    Some(key)
}

/// All keys that we know, by name.
#[derive(Debug)]
pub struct Catalogue {
    entries: BTreeMap<&'static str, Entry>,
}

/// A key, and those of `all` and `default` if it stands for all interfaces, made when they are first asked for: an audit
/// asks for a few of the many.
#[derive(Debug)]
struct Entry {
    area: &'static str,
    json: &'static str,
    key: OnceLock<Option<Box<Key>>>,
    all: OnceLock<Box<Key>>,
    default: OnceLock<Box<Key>>,
}

impl Entry {
    /// `None` for one that cannot be parsed; a test proves that there is none.
    fn key(&self, name: &str) -> Option<&Key> {
        let parse = || {
            let key: Key = serde_json::from_str(self.json).ok()?;
            Some(Box::new(Key { name: name.to_owned(), area: self.area, ..key }))
        };
        self.key.get_or_init(parse).as_deref()
    }
}

/// Name, area and content (as JSON) of every key in `rules/keys`, by name; the build makes this table.
const KEYS: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/keys.rs"));

/// The catalogue that is compiled in.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let entry = |&(name, area, json): &(&'static str, &'static str, &'static str)| {
            let (key, all, default) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
            (name, Entry { area, json, key, all, default })
        };
        Catalogue { entries: KEYS.iter().map(entry).collect() }
    })
}

impl Catalogue {
    /// Looks a key up by its full name, with dots: `net.ipv4.tcp_rmem`, `net.ipv4.conf.all.rp_filter`. The key of one interface
    /// is the entry for all of them, whose name has `*`.
    pub fn get(&self, name: &str) -> Option<&Key> {
        if let Some(entry) = self.entries.get(name) {
            return entry.key(name);
        }
        let parts = InterfaceKey::of(name)?;
        let general = parts.general();
        let entry = self.entries.get(general.as_str())?;
        let key = entry.key(&general)?;
        let made = match parts.who {
            // The neighbour tables have no such folder.
            "all" if parts.folder == "neigh" => return None,
            "all" => &entry.all,
            "default" => &entry.default,
            _ => return Some(key),
        };
        Some(made.get_or_init(|| Box::new(key.of(&parts))))
    }

    /// All entries, by name. Those for all interfaces have `*` in it.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.entries.iter().filter_map(|(name, entry)| entry.key(name))
    }

    /// The names of all entries, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().copied()
    }

    /// The known key that a misspelt or shortened name most likely means; `None` when none is near.
    pub fn suggest(&self, name: &str) -> Option<String> {
        let (general, interface) = interface::general(name);
        let near = suggest::nearest_by(self.names(), NEAR_ENOUGH, |name: &&str| closeness(name, &general))?;
        Some(near.replacen('*', interface.unwrap_or("*"), 1))
    }
}

/// Two letters wrong in a name of ten.
const NEAR_ENOUGH: f64 = 0.8;

/// How alike two names are, from 0 to 1. The last part counts most, since people mistake the directory
/// (`net.ipv4.somaxconn`) or leave it out altogether (`tcp_tw_reuse`).
fn closeness(known: &str, given: &str) -> f64 {
    match (known.rsplit_once('.'), given.rsplit_once('.')) {
        (Some((directory, last)), Some((other_directory, other_last))) => {
            0.75 * suggest::likeness(last, other_last) + 0.25 * suggest::likeness(directory, other_directory)
        }
        _ => suggest::name_likeness(known, given),
    }
}

/// Keys that must never be stored or shown: their values are secrets.
pub fn is_secret(name: &str) -> bool {
    name == "net.ipv4.tcp_fastopen_key"
        // Whoever knows it can aim packets at one receive queue.
        || name == "net.core.netdev_rss_key"
        || (name.starts_with("net.ipv6.conf.") && name.ends_with(".stable_secret"))
}

#[cfg(test)]
mod tests;
