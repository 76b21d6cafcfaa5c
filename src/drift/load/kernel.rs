//! What the kernel makes of a sequence of writes, where one write changes more than its own key.
//!
//! In: the keys that exist, the values at the start, writes in order. Out: for each key its writes and what came of them.
//! Must not: know files; know what a value is good for; read a text (`keys::written` does).
//!
//! Measured on 6.18, and in the source since before 5.4 (`net/ipv4/devinet.c`, `net/ipv6/addrconf.c`):
//! - `net.ipv4.conf.default.X` goes to each interface whose `X` was never written, until the interface gets an address
//!   (`ipv4_devconf_setall`): for `lo` that is when it comes up. `forwarding` and the keys in [`OWN_ONLY`] stay where
//!   they are.
//! - `net.ipv4.ip_forward` and `net.ipv4.conf.all.forwarding` are one value. When it changes, `default` and every
//!   interface take it over, written or not, and `conf.all.accept_redirects` becomes its opposite.
//! - `net.ipv6.conf.all.X` goes to every interface and to `default` for the few `X` in [`IPV6_FOR_ALL`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::limits::{self, Around};
use crate::keys::number::integer;
use crate::keys::{self, Written, is_rounded, rounded, written};
use crate::observe::persisted::Loader;
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

/// Keys of `net.ipv6.conf.all` that the kernel passes on to each interface; whether to `default` too.
const IPV6_FOR_ALL: [(&str, bool); 5] = [
    ("addr_gen_mode", true),
    ("disable_ipv6", true),
    ("force_forwarding", false),
    ("forwarding", true),
    ("ignore_routes_with_linkdown", true),
];

/// Keys of `net.ipv4.conf` with a kernel default other than 0.
const NOT_ZERO: [(&str, &str); 7] = [
    ("accept_redirects", "1"),
    ("arp_evict_nocarrier", "1"),
    ("igmpv2_unsolicited_report_interval", "10000"),
    ("igmpv3_unsolicited_report_interval", "1000"),
    ("secure_redirects", "1"),
    ("send_redirects", "1"),
    ("shared_media", "1"),
];

/// The state that a loader finds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// Values that are not the kernel's defaults. Only those of `net.*.conf` matter.
    pub values: BTreeMap<String, String>,
    /// Interfaces that no longer follow `net.ipv4.conf.default`.
    pub settled: BTreeSet<String>,
    /// Congestion controls that modules bring; `None`: not known.
    pub loadable: Option<BTreeSet<String>>,
    /// How often the kernel's clock ticks in a second; `None`: not known.
    pub ticks: Option<u32>,
    /// Whether the namespace is another than the machine's first.
    pub restricted: bool,
}

impl Start {
    /// As it is when the loader runs at boot. systemd brings `lo` up before it starts anything; elsewhere the network
    /// comes after the sysctls.
    pub fn at_boot(loader: Loader) -> Self {
        let settled = match loader {
            Loader::Systemd => BTreeSet::from(["lo".to_owned()]),
            Loader::Procps => BTreeSet::new(),
        };
        Self { settled, ..Self::default() }
    }

    fn value(&self, key: &str) -> Option<&str> {
        if let Some(value) = self.values.get(key) {
            return Some(value);
        }
        let (directory, last) = key.rsplit_once('.')?;
        if key == "net.ipv4.ip_forward" {
            Some("0")
        } else if !directory.starts_with("net.ipv4.conf.") {
            None
        } else if last == "accept_source_route" {
            Some(if directory == "net.ipv4.conf.all" { "0" } else { "1" })
        } else {
            Some(NOT_ZERO.iter().find(|(name, _)| *name == last).map_or("0", |(_, value)| value))
        }
    }
}

/// The write that a key has its value from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The caller's number for the write.
    pub write: usize,
    pub written: Written,
    /// The key that was written, when it was another one.
    pub spread_from: Option<String>,
}

/// Takes writes one by one.
#[derive(Debug)]
pub struct Kernel<'a> {
    present: &'a BTreeSet<String>,
    start: &'a Start,
    now: &'a Sysctls,
    /// Interfaces of `net.ipv4.conf` and of `net.ipv6.conf`, without `all` and `default`.
    interfaces: [BTreeSet<&'a str>; 2],
    written: HashSet<String>,
    /// The writes of each key, the last one last.
    origins: BTreeMap<String, Vec<Origin>>,
    /// What they hold after them, as far as that is known.
    values: HashMap<String, String>,
}

impl<'a> Kernel<'a> {
    /// `now`: the values of the running system, where there is one. They stand for those that it boots with where a text
    /// leaves a part of a value as it is.
    pub fn new(present: &'a BTreeSet<String>, start: &'a Start, now: &'a Sysctls) -> Self {
        let interfaces = ["net.ipv4.conf.", "net.ipv6.conf."].map(|prefix| {
            let names = present.range(prefix.to_owned()..).map_while(|key| key.strip_prefix(prefix));
            let names = names.filter_map(|rest| rest.split('.').next());
            names.filter(|name| *name != "all" && *name != "default").collect()
        });
        let (written, origins, values) = (HashSet::new(), BTreeMap::new(), HashMap::new());
        Self { present, start, now, interfaces, written, origins, values }
    }

    /// `only_if_new`: the loader looks at the value first and leaves the key alone when it has it already, as
    /// systemd-sysctl does. The key counts as set by this write all the same, but nothing else happens.
    pub fn write(&mut self, key: &str, text: &str, write: usize, only_if_new: bool) {
        let old = self.value(key).map(str::to_owned);
        let written = self.made_of(key, text);
        let (is_refused, value) = (written.refused.is_some(), written.value.clone());
        self.set(key, Origin { write, written, spread_from: None });
        let unchanged = old.as_deref().is_some_and(|old| same(old, text));
        if (only_if_new && unchanged) || !self.present.contains(key) {
            return;
        }
        self.written.insert(key.to_owned());
        let Some(value) = value.filter(|_| !is_refused) else { return };
        let Some(number) = integer(&value) else { return };
        let origin = || Origin { write, written: plain(&value), spread_from: Some(key.to_owned()) };
        let parts: Vec<&str> = key.split('.').collect();
        match *parts {
            ["net", "ipv4", "conf", "default", name] if !OWN_ONLY.contains(&name) => {
                self.spread(0, name, &origin(), true);
            }
            ["net", "ipv4", "ip_forward"] | ["net", "ipv4", "conf", "all", "forwarding"] => {
                self.forward(key, number, write, old.as_deref());
            }
            ["net", "ipv6", "conf", "all", name] => {
                let origin = origin();
                if let Some((_, with_default)) = IPV6_FOR_ALL.iter().find(|(known, _)| *known == name) {
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
        let origin =
            |value: i64| Origin { write, written: plain(&value.to_string()), spread_from: Some(key.to_owned()) };
        let same_value =
            if key == "net.ipv4.ip_forward" { "net.ipv4.conf.all.forwarding" } else { "net.ipv4.ip_forward" };
        self.pass_on(same_value, &origin(on));
        if old.and_then(|old| integer(old.trim_ascii())) == Some(on) {
            return;
        }
        self.pass_on("net.ipv4.conf.all.accept_redirects", &origin(i64::from(on == 0)));
        self.pass_on("net.ipv4.conf.default.forwarding", &origin(on));
        self.spread(0, "forwarding", &origin(on), false);
    }

    /// To each interface; `gently`: only to those that nobody has set.
    fn spread(&mut self, family: usize, name: &str, origin: &Origin, gently: bool) {
        let version = if family == 0 { "ipv4" } else { "ipv6" };
        let interfaces = self.interfaces.get(family).cloned().unwrap_or_default();
        for interface in interfaces {
            let key = format!("net.{version}.conf.{interface}.{name}");
            if !gently || !(self.written.contains(&key) || self.start.settled.contains(interface)) {
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

    /// What the kernel makes of a text.
    fn made_of(&self, key: &str, text: &str) -> Written {
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
            (Some(given), Some(ticks)) => Some(rounded(key, given, ticks.into())).filter(|shown| *shown != given),
            (Some(given), None) => now().filter(|now| is_rounded(key, given, *now)),
            (None, _) => None,
        };
        if let Some(shown) = shown {
            written.value = Some(shown.to_string());
        }
        written
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

    /// Each key that has been set, with its origins, the one that counts last.
    pub fn origins(self) -> BTreeMap<String, Vec<Origin>> {
        self.origins
    }
}

/// A value that the kernel itself hands on.
fn plain(value: &str) -> Written {
    Written { value: Some(value.to_owned()), ..Written::default() }
}

fn same(one: &str, other: &str) -> bool {
    one.trim_end_matches('\n') == other
}
