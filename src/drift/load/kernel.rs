//! What the kernel makes of a sequence of writes, where one write changes more than its own key.
//!
//! In: the keys that exist, the values at the start, writes in order. Out: for each key its writes and what came of them.
//! Must not: know files; know what a value is good for; read a text (`keys::written` does).
//!
//! Measured on 6.18, and in the source since before 5.4 (`net/ipv4/devinet.c`, `net/ipv6/addrconf.c`, `net/core/neighbour.c`):
//! - `net.ipv4.conf.default.X` goes to each interface whose `X` was never written, until the interface gets an address:
//!   for `lo` that is when it comes up. `forwarding` and the keys in [`OWN_ONLY`] stay where they are. `neigh.default.X`
//!   of both families does the same.
//! - `net.ipv4.ip_forward` and `net.ipv4.conf.all.forwarding` are one value. When it changes, `default` and every
//!   interface take it over, written or not, and `conf.all.accept_redirects` becomes its opposite.
//! - `net.ipv6.conf.all.X` goes to every interface and to `default` for the few `X` in [`IPV6_FOR_ALL`].
//! - Other pairs of keys are one value as well (`keys::twin_shows`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::limits::{self, Around};
use super::start::{IPV6_FOR_ALL, Start};
use crate::keys::number::integer;
use crate::keys::{self, Written, is_rounded, rounded, twin, twin_shows, written};
use crate::observe::sysctls::Sysctls;

/// Keys of `net.ipv4.conf.default` that the kernel does not pass on.
const OWN_ONLY: [&str; 7] = [
    "disable_policy",
    "disable_xfrm",
    "drop_unicast_in_l2_multicast",
    "forwarding",
    "mc_forwarding",
    "promote_secondaries",
    "route_localnet",
];

/// The write that a key has its value from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The caller's number for the write.
    pub write: usize,
    pub written: Written,
    /// The key that was written, when it was another one.
    pub spread_from: Option<String>,
}

/// The folders that have one of each interface.
const FOLDERS: [&str; 4] = ["net.ipv4.conf.", "net.ipv6.conf.", "net.ipv4.neigh.", "net.ipv6.neigh."];

/// Takes writes one by one.
#[derive(Debug)]
pub struct Kernel<'a> {
    present: &'a BTreeSet<String>,
    start: &'a Start,
    now: &'a Sysctls,
    /// Interfaces of each of the [`FOLDERS`], without `all` and `default`.
    interfaces: [BTreeSet<&'a str>; 4],
    /// Whether the interfaces are as the loader finds them; the kernel's command line comes before.
    is_set_up: bool,
    written: HashSet<String>,
    /// Keys of `lo` that `default` reached, or did not reach because `lo` has an address.
    loopback: BTreeSet<String>,
    /// The writes of each key, the last one last.
    origins: BTreeMap<String, Vec<Origin>>,
    /// What they hold after them, as far as that is known.
    values: HashMap<String, String>,
}

impl<'a> Kernel<'a> {
    /// `now`: the values of the running system, where there is one. They stand for those that it boots with where a text
    /// leaves a part of a value as it is.
    pub fn new(present: &'a BTreeSet<String>, start: &'a Start, now: &'a Sysctls) -> Self {
        let interfaces = FOLDERS.map(|folder| {
            let names = present.range(folder.to_owned()..).map_while(|key| key.strip_prefix(folder));
            let names = names.filter_map(|rest| rest.split('.').next());
            names.filter(|name| *name != "all" && *name != "default").collect()
        });
        Self {
            present,
            start,
            now,
            interfaces,
            is_set_up: false,
            written: HashSet::new(),
            loopback: BTreeSet::new(),
            origins: BTreeMap::new(),
            values: HashMap::new(),
        }
    }

    /// The loader starts: what is written from now on is after the system has set up the interfaces of [`Start::settled`].
    pub const fn set_up(&mut self) {
        self.is_set_up = true;
    }

    /// `only_if_new`: the loader looks at the value first and leaves the key alone when it has it already, as
    /// systemd-sysctl does. The key counts as set by this write all the same, but nothing else happens.
    pub fn write(&mut self, key: &str, text: &str, write: usize, only_if_new: bool) {
        let old = self.value(key).map(str::to_owned);
        if only_if_new && let Some(old) = old.as_deref().filter(|old| same(old, text)) {
            self.set(key, Origin { write, written: plain(&keys::folded(old)), spread_from: None });
            return;
        }
        let (written, given) = self.made_of(key, text);
        let value = written.value.clone().filter(|_| written.refused.is_none());
        self.set(key, Origin { write, written, spread_from: None });
        if !self.present.contains(key) {
            return;
        }
        self.written.insert(key.to_owned());
        self.written.extend(twin(key));
        let (Some(value), Some(given)) = (value, given) else { return };
        let ticks = self.start.ticks.map(i64::from);
        // Forwarding has a rule of its own.
        let twin = twin_shows(key, given, ticks).filter(|_| !is_forwarding(key));
        if let Some((other, shown)) = &twin {
            self.pass_on(other, &passed(write, key, &shown.to_string()));
        }
        self.effects(key, key, &value, write, old.as_deref());
        if let Some((other, shown)) = twin {
            self.effects(&other, key, &shown.to_string(), write, None);
        }
    }

    /// What follows from a key's new value; `from` is the key that was written.
    fn effects(&mut self, key: &str, from: &str, value: &str, write: usize, old: Option<&str>) {
        let origin = passed(write, from, value);
        let parts: Vec<&str> = key.split('.').collect();
        match *parts {
            ["net", "ipv4", "conf", "default", name] if !OWN_ONLY.contains(&name) => {
                self.spread(0, name, &origin, true);
            }
            ["net", "ipv4", "neigh", "default", name] => {
                self.spread(2, name, &origin, true);
            }
            ["net", "ipv6", "neigh", "default", name] => {
                self.spread(3, name, &origin, true);
            }
            _ if is_forwarding(key) => {
                if let Some(on) = integer(value) {
                    self.forward(key, on, write, old);
                }
            }
            ["net", "ipv6", "conf", "all", name] => {
                if let Some((_, with_default)) = IPV6_FOR_ALL.iter().find(|(known, _)| *known == name) {
                    // The kernel compares with the value before for this one key only.
                    if name == "force_forwarding" && old.is_some_and(|old| same(old, value)) {
                        return;
                    }
                    self.spread(1, name, &origin, false);
                    if *with_default {
                        self.pass_on(&format!("net.ipv6.conf.default.{name}"), &origin);
                    }
                }
            }
            _ => {}
        }
    }

    fn forward(&mut self, key: &str, on: i64, write: usize, old: Option<&str>) {
        let origin = |value: i64| passed(write, key, &value.to_string());
        if let Some(other) = twin(key) {
            self.pass_on(&other, &origin(on));
        }
        if old.and_then(|old| integer(old.trim_ascii())) == Some(on) {
            return;
        }
        self.pass_on("net.ipv4.conf.all.accept_redirects", &origin(i64::from(on == 0)));
        self.pass_on("net.ipv4.conf.default.forwarding", &origin(on));
        self.spread(0, "forwarding", &origin(on), false);
    }

    /// To each interface of a folder; `gently`: only to those that nobody has set.
    fn spread(&mut self, folder: usize, name: &str, origin: &Origin, gently: bool) {
        let interfaces = self.interfaces.get(folder).cloned().unwrap_or_default();
        let settled = self.start.settled.get(folder % 2).filter(|_| self.is_set_up);
        for interface in interfaces {
            let key = format!("{}{interface}.{name}", FOLDERS.get(folder).copied().unwrap_or_default());
            if gently && self.written.contains(&key) {
                continue;
            }
            if gently && interface == "lo" && self.present.contains(&key) {
                self.loopback.insert(key.clone());
            }
            if !(gently && settled.is_some_and(|settled| settled.contains(interface))) {
                self.pass_on(&key, origin);
            }
        }
    }

    fn pass_on(&mut self, key: &str, origin: &Origin) {
        if self.present.contains(key) {
            self.set(key, origin.clone());
        }
    }

    fn set(&mut self, key: &str, origin: Origin) {
        if let Some(value) = origin.written.value.as_ref().filter(|_| origin.written.is_stored()) {
            self.values.insert(key.to_owned(), value.clone());
        }
        self.origins.entry(key.to_owned()).or_default().push(origin);
    }

    /// What the kernel makes of a text, and the number that it reads where it is one.
    fn made_of(&self, key: &str, text: &str) -> (Written, Option<i64>) {
        let before = self.known(key);
        let around = Around {
            value: &|key| self.known(key).map(str::to_owned),
            loadable: self.start.loadable.as_ref(),
            restricted: self.start.restricted,
        };
        let mut written = limits::check(key, before, written(key, before, text), &around);
        let given = written.value.as_deref().and_then(integer);
        let now = || integer(self.now.get(key)?.trim_ascii());
        let shown = match (given, self.start.ticks) {
            _ if written.refused.is_some() => None,
            (Some(given), Some(ticks)) => Some(rounded(key, given, ticks.into())).filter(|shown| *shown != given),
            (Some(given), None) => now().filter(|now| is_rounded(key, given, *now)),
            (None, _) => None,
        };
        if let Some(shown) = shown {
            written.value = Some(shown.to_string());
        }
        (written, given)
    }

    /// What a key holds before the next write; what it holds now, where nothing says what it boots with.
    fn known(&self, key: &str) -> Option<&str> {
        let default = || keys::catalogue().get(key)?.default.as_deref();
        self.value(key)
            .or_else(default)
            .or_else(|| limits::default(key))
            .or_else(|| self.now.get(key).map(String::as_str))
    }

    fn value(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str).or_else(|| self.start.value(key))
    }

    /// Keys of `lo` whose value depends on whether `lo` is up: nothing but `default` has set them.
    pub fn loopback(&self) -> Vec<String> {
        let differs = |key: &&String| {
            let default = key.replacen(".lo.", ".default.", 1);
            let own = self.origins.get(*key).and_then(|origins| origins.last());
            let is_default_s =
                own.is_none_or(|origin| origin.spread_from.as_deref().is_some_and(|from| from.contains(".default.")));
            let untouched = self.start.value(key);
            is_default_s && self.values.get(&default).is_some_and(|value| untouched.is_none_or(|old| !same(old, value)))
        };
        self.loopback.iter().filter(differs).cloned().collect()
    }

    /// Each key that has been set, with its origins, the one that counts last.
    pub fn origins(self) -> BTreeMap<String, Vec<Origin>> {
        self.origins
    }
}

fn is_forwarding(key: &str) -> bool {
    key == "net.ipv4.ip_forward" || key == "net.ipv4.conf.all.forwarding"
}

/// A value that comes with a write to another key.
fn passed(write: usize, from: &str, value: &str) -> Origin {
    Origin { write, written: plain(value), spread_from: Some(from.to_owned()) }
}

/// A value that the kernel itself hands on.
fn plain(value: &str) -> Written {
    Written { value: Some(value.to_owned()), ..Written::default() }
}

fn same(one: &str, other: &str) -> bool {
    one.trim_end_matches('\n') == other
}
