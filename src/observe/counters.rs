//! Kernel counters of one network namespace.
//!
//! In: `/proc/net/{netstat,snmp,snmp6,sockstat,sockstat6,softnet_stat}` and `/proc/net/stat/*`.
//! Out: numbers by group and name. A column that this kernel lacks is simply not in the map.
//! Must not: compute rates; that is for `metrics`, which has both readings.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use crate::host::Host;
use crate::observe::gap::Gap;

/// Group (`TcpExt`, `Tcp`, `Ip6`, `softnet`, `arp_cache`, ...) to counter name to value.
/// Values are signed because the kernel prints some as `-1` (`Tcp.MaxConn`).
/// `softnet` and the files of `/proc/net/stat` hold the sum over all CPUs. `softnet`, and `orphan`, `alloc` and `mem` of
/// `sockstat_TCP`, are of the whole machine in every namespace.
pub type Counters = BTreeMap<String, BTreeMap<String, i64>>;

/// Names of counters by group.
pub type CounterNames = BTreeMap<String, BTreeSet<String>>;

/// Which counters are read.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    All,
    /// Those with these names, of a namespace beside another one that was read whole. What is the machine's, or is in the
    /// machine's first namespace only, is not read again.
    Named(&'a CounterNames),
}

/// How a file is laid out.
#[derive(Debug, Clone, Copy)]
enum Layout {
    /// A line of names and a line of values, both beginning with the group: `TcpExt: ...`.
    Pairs,
    /// A name and a value a line; the group is the name's beginning: `Ip6InReceives 1`.
    Named,
    /// `TCP: inuse 5 orphan 0`, which becomes the group `sockstat_TCP`.
    Sockstat,
    /// Hexadecimal columns without names, a line a CPU.
    Softnet,
    /// A line of names, then hexadecimal columns, a line a CPU.
    PerCpu,
}

struct CounterFile {
    /// Under `/proc/net`.
    file: &'static str,
    layout: Layout,
    /// Groups that rules rely on; one that is missing is a gap.
    groups: &'static [&'static str],
    /// Absent for a good reason on some systems: IPv6 is off, a module is not loaded, or the table is the machine's and
    /// only the initial namespace shows it (the neighbours).
    optional: bool,
    /// The same in each namespace, or only in the initial one.
    of_machine: bool,
}

const fn source(file: &'static str, layout: Layout, groups: &'static [&'static str], optional: bool) -> CounterFile {
    CounterFile { file, layout, groups, optional, of_machine: false }
}

const fn of_machine(source: CounterFile) -> CounterFile {
    CounterFile { of_machine: true, ..source }
}

const SOURCES: [CounterFile; 10] = [
    source("netstat", Layout::Pairs, &["TcpExt", "IpExt"], false),
    source("snmp", Layout::Pairs, &["Ip", "Icmp", "Tcp", "Udp"], false),
    source("snmp6", Layout::Named, &["Ip6", "Icmp6", "Udp6"], true),
    source("sockstat", Layout::Sockstat, &["sockstat_TCP", "sockstat_UDP"], false),
    source("sockstat6", Layout::Sockstat, &["sockstat_TCP6"], true),
    of_machine(source("softnet_stat", Layout::Softnet, &["softnet"], false)),
    of_machine(source("stat/arp_cache", Layout::PerCpu, &["arp_cache"], true)),
    of_machine(source("stat/ndisc_cache", Layout::PerCpu, &["ndisc_cache"], true)),
    of_machine(source("stat/rt_cache", Layout::PerCpu, &["rt_cache"], false)),
    source("stat/nf_conntrack", Layout::PerCpu, &["nf_conntrack"], true),
];

/// Reads all counters of the calling thread's network namespace. A group that should be there and is not is a gap
/// named `counters.GROUP`, whether its file could not be read or does not hold it.
pub fn read(host: &Host) -> (Counters, Vec<Gap>) {
    read_wanted(host, Wanted::All)
}

/// The same of these counters.
pub fn read_wanted(host: &Host, wanted: Wanted<'_>) -> (Counters, Vec<Gap>) {
    read_files(host, wanted, |_| true)
}

/// Only the numbers of sockets.
pub fn read_sockstat(host: &Host) -> Counters {
    read_files(host, Wanted::All, |file| ["sockstat", "sockstat6"].contains(&file)).0
}

fn read_files(host: &Host, wanted: Wanted<'_>, which: impl Fn(&str) -> bool) -> (Counters, Vec<Gap>) {
    let mut found = Found { counters: Counters::new(), wanted };
    let mut gaps = Vec::new();
    for source in SOURCES.iter().filter(|source| is_worth(source, wanted) && which(source.file)) {
        let why = match host.read_text(&host.proc_net(source.file)) {
            Ok(text) => {
                parse(source.layout, source.groups, &text, &mut found);
                format!("/proc/net/{} does not contain this group", source.file)
            }
            Err(error) if source.optional && error.kind == ErrorKind::NotFound => continue,
            Err(error) => format!("/proc/net/{}: {}", source.file, error.why),
        };
        let missing = source.groups.iter().filter(|&&group| !found.counters.contains_key(group) && found.wants(group));
        gaps.extend(missing.map(|group| Gap { what: format!("counters.{group}"), why: why.clone() }));
    }
    gaps.sort();
    (found.counters, gaps)
}

/// Gives a namespace that was read by names what is the machine's, as another one has it.
pub fn copy_of_machine(from: &Counters, to: &mut Counters) {
    for group in ["softnet", "rt_cache"] {
        if let Some(values) = from.get(group) {
            to.entry(group.to_owned()).or_insert_with(|| values.clone());
        }
    }
}

const fn is_worth(source: &CounterFile, wanted: Wanted<'_>) -> bool {
    matches!(wanted, Wanted::All) || !source.of_machine
}

/// The counters as far as they are read.
struct Found<'a> {
    counters: Counters,
    wanted: Wanted<'a>,
}

impl Found<'_> {
    fn wants(&self, group: &str) -> bool {
        match self.wanted {
            Wanted::All => true,
            Wanted::Named(names) => names.contains_key(group),
        }
    }

    /// Those of a group that are read; `None`: all.
    fn names(&self, group: &str) -> Option<&BTreeSet<String>> {
        const NOTHING: &BTreeSet<String> = &BTreeSet::new();
        match self.wanted {
            Wanted::All => None,
            Wanted::Named(names) => Some(names.get(group).unwrap_or(NOTHING)),
        }
    }

    fn put(&mut self, group: &str, name: &str, value: i64) {
        if self.names(group).is_some_and(|names| !names.contains(name)) {
            return;
        }
        // Most counters follow another one of their group.
        match self.counters.get_mut(group) {
            Some(counters) => counters.insert(name.to_owned(), value),
            None => self.counters.entry(group.to_owned()).or_default().insert(name.to_owned(), value),
        };
    }
}

fn parse(layout: Layout, groups: &[&str], text: &str, found: &mut Found<'_>) {
    match (layout, groups) {
        (Layout::Pairs, _) => pairs(text, found),
        (Layout::Named, _) => named(text, groups, found),
        (Layout::Sockstat, _) => sockstat(text, found),
        (Layout::Softnet, &[group]) => softnet(text, group, found),
        (Layout::PerCpu, &[group]) => per_cpu(text, group, found),
        (Layout::Softnet | Layout::PerCpu, _) => {}
    }
}

/// A counter is unsigned with 64 bits to the kernel; what exceeds `i64::MAX` is taken for that.
fn number(text: &str) -> Option<i64> {
    match text.parse::<u64>() {
        Ok(value) => Some(i64::try_from(value).unwrap_or(i64::MAX)),
        Err(_) => text.parse().ok(),
    }
}

fn pairs(text: &str, found: &mut Found<'_>) {
    let mut lines = text.lines().filter_map(|line| line.split_once(':')).peekable();
    while let Some((group, names)) = lines.next() {
        // A line whose partner is missing must not become the partner of another group's line.
        let Some((_, values)) = lines.next_if(|(next, _)| *next == group) else { continue };
        if !found.wants(group) {
            continue;
        }
        // Where one line is longer the surplus has no partner and is left out.
        for (name, value) in names.split_ascii_whitespace().zip(values.split_ascii_whitespace()) {
            if let Some(value) = number(value) {
                found.put(group, name, value);
            }
        }
    }
}

/// `Udp6InDatagrams` belongs to `Udp6`, `UdpLite6InDatagrams` to `UdpLite6`: all up to the first 6.
fn named(text: &str, groups: &[&str], found: &mut Found<'_>) {
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(full), Some(value)) = (words.next(), words.next().and_then(number)) else { continue };
        let Some((family, name)) = full.split_once('6') else { continue };
        let group = format!("{family}6");
        if !name.is_empty() && (groups.contains(&group.as_str()) || group == "UdpLite6") {
            found.put(&group, name, value);
        }
    }
}

fn sockstat(text: &str, found: &mut Found<'_>) {
    for (protocol, values) in text.lines().filter_map(|line| line.split_once(':')) {
        let group = format!("sockstat_{}", protocol.trim());
        let mut words = values.split_ascii_whitespace();
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            if let Some(value) = number(value) {
                found.put(&group, name, value);
            }
        }
    }
}

/// Columns of `softnet_stat` by their position; those between are no longer used by the kernel.
pub(super) const SOFTNET: [(usize, &str); 5] =
    [(0, "processed"), (1, "dropped"), (2, "time_squeeze"), (9, "received_rps"), (10, "flow_limit_count")];

fn softnet(text: &str, group: &str, found: &mut Found<'_>) {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for line in text.lines() {
        let columns: Vec<Option<i64>> = line.split_ascii_whitespace().map(hexadecimal).collect();
        for (position, name) in SOFTNET {
            if let Some(&Some(value)) = columns.get(position) {
                add(sums.entry(name).or_default(), value);
            }
        }
    }
    for (name, value) in sums {
        found.put(group, name, value);
    }
}

/// The one column of `/proc/net/stat` that is the same on every line: a count of the whole table.
const OF_THE_TABLE: &str = "entries";

fn per_cpu(text: &str, group: &str, found: &mut Found<'_>) {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split_ascii_whitespace().collect();
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for (cpu, line) in lines.enumerate() {
        for (&name, value) in names.iter().zip(line.split_ascii_whitespace()) {
            let Some(value) = hexadecimal(value) else { continue };
            if cpu == 0 || name != OF_THE_TABLE {
                add(sums.entry(name).or_default(), value);
            }
        }
    }
    for (name, value) in sums {
        found.put(group, name, value);
    }
}

fn add(sum: &mut i64, value: i64) {
    *sum = sum.saturating_add(value);
}

fn hexadecimal(text: &str) -> Option<i64> {
    u64::from_str_radix(text, 16).ok().map(|value| i64::try_from(value).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn parsed(layout: Layout, groups: &[&str], text: &str) -> Counters {
        let mut found = Found { counters: Counters::new(), wanted: Wanted::All };
        parse(layout, groups, text, &mut found);
        found.counters
    }

    #[test]
    fn names_and_values_are_paired_by_group() {
        let text = "Tcp: RtoMin MaxConn InSegs\nTcp: 200 -1 17\nIpExt: InOctets\nIpExt: 18446744073709551615\n";
        let counters = parsed(Layout::Pairs, &[], text);
        assert_eq!(
            counters["Tcp"],
            BTreeMap::from([("RtoMin".into(), 200), ("MaxConn".into(), -1), ("InSegs".into(), 17)])
        );
        assert_eq!(counters["IpExt"]["InOctets"], i64::MAX, "beyond the signed range it stays at its end");
    }

    #[test]
    fn a_line_without_its_partner_spoils_no_other_group() {
        let counters = parsed(Layout::Pairs, &[], "TcpExt: A B\nIpExt: C D\nIpExt: 1 2\nTcp: E\n");
        assert_eq!(counters, Counters::from([("IpExt".into(), BTreeMap::from([("C".into(), 1), ("D".into(), 2)]))]));
    }

    #[test]
    fn columns_without_a_partner_and_values_that_are_no_numbers_are_left_out() {
        let counters = parsed(Layout::Pairs, &[], "Tcp: A B C D\nTcp: 1 x 3\n");
        assert_eq!(counters["Tcp"], BTreeMap::from([("A".into(), 1), ("C".into(), 3)]));
    }

    #[test]
    fn names_of_ipv6_are_split_after_the_6() {
        let text = "Ip6InReceives   \t1\nIcmp6OutType133 2\nUdp6InDatagrams 3\nUdpLite6InErrors 4\nTcp 5\n6 6\nX6Y 7\nIp6Bad x\n";
        let counters = parsed(Layout::Named, &["Ip6", "Icmp6", "Udp6"], text);
        let flat: Vec<_> = counters
            .iter()
            .flat_map(|(group, names)| names.iter().map(move |(name, v)| (group.as_str(), name.as_str(), *v)))
            .collect();
        assert_eq!(
            flat,
            [
                ("Icmp6", "OutType133", 2),
                ("Ip6", "InReceives", 1),
                ("Udp6", "InDatagrams", 3),
                ("UdpLite6", "InErrors", 4)
            ]
        );
    }

    #[test]
    fn gauges_of_sockstat_are_grouped_by_protocol() {
        let counters = parsed(
            Layout::Sockstat,
            &[],
            "sockets: used 15\nTCP: inuse 5 orphan 0 tw 2 alloc 6 mem 1\nFRAG: inuse 0 odd\n",
        );
        assert_eq!(counters["sockstat_TCP"]["tw"], 2);
        assert_eq!(counters["sockstat_TCP"].len(), 5);
        assert_eq!(counters["sockstat_sockets"]["used"], 15);
        assert_eq!(counters["sockstat_FRAG"], BTreeMap::from([("inuse".into(), 0)]));
    }

    #[test]
    fn softnet_columns_are_hexadecimal_and_summed_over_the_cpus() {
        let text = "00000010 00000001 00000002 0 0 0 0 0 0 00000003 00000004 0 0\n000000ff 00000000 00000001 0 0 0 0 0 0 00000001 00000000 0 1\n";
        let counters = parsed(Layout::Softnet, &["softnet"], text);
        let expected =
            [("processed", 271), ("dropped", 1), ("time_squeeze", 3), ("received_rps", 4), ("flow_limit_count", 4)];
        assert_eq!(counters["softnet"], expected.map(|(name, value)| (name.to_owned(), value)).into());
    }

    #[test]
    fn a_kernel_with_fewer_softnet_columns_has_fewer_counters() {
        let counters = parsed(Layout::Softnet, &["softnet"], "0a 01\n0b 02\n");
        assert_eq!(counters["softnet"], BTreeMap::from([("processed".into(), 21), ("dropped".into(), 3)]));
    }

    #[test]
    fn the_entries_of_a_table_are_counted_once() {
        let text = "entries\tallocs   table_fulls\n00000005 0000000a 00000001\n00000005 00000001 00000002\n";
        let counters = parsed(Layout::PerCpu, &["arp_cache"], text);
        let expected = [("entries", 5), ("allocs", 11), ("table_fulls", 3)];
        assert_eq!(counters["arp_cache"], expected.map(|(name, value)| (name.to_owned(), value)).into());
    }

    #[test]
    fn named_counters_are_those_of_the_whole_reading_and_what_is_the_machine_s_is_copied() {
        let (all, _) = read(&Host::live());
        let names =
            [("TcpExt", "ListenOverflows"), ("Tcp", "OutSegs"), ("sockstat_TCP", "alloc"), ("softnet", "dropped")];
        let wanted = names.map(|(group, name)| (group.to_owned(), [name.to_owned()].into())).into();
        let (mut named, gaps) = read_wanted(&Host::live(), Wanted::Named(&wanted));
        assert_eq!(gaps, []);
        let read: Vec<_> =
            named.iter().flat_map(|(group, values)| values.keys().map(move |name| (&**group, &**name))).collect();
        assert_eq!(read, [("Tcp", "OutSegs"), ("TcpExt", "ListenOverflows"), ("sockstat_TCP", "alloc")]);
        copy_of_machine(&all, &mut named);
        assert_eq!(named["softnet"], all["softnet"]);
    }

    #[test]
    fn sums_stay_within_the_signed_range() {
        let counters = parsed(Layout::PerCpu, &["t"], "n\nffffffffffffffff\nffffffffffffffff\n");
        assert_eq!(counters["t"]["n"], i64::MAX);
    }

    #[test]
    fn a_file_and_a_group_that_are_missing_are_gaps_by_group() {
        let root = tempfile::tempdir().unwrap();
        let net = root.path().join("proc/net");
        fs::create_dir_all(net.join("stat")).unwrap();
        fs::write(net.join("snmp"), "Ip: A\nIp: 1\nIcmp: A\nIcmp: 1\nTcp: A\nTcp: 1\n").unwrap();
        fs::write(net.join("softnet_stat"), "").unwrap();
        fs::write(net.join("stat/rt_cache"), "entries\n1\n").unwrap();
        let (counters, gaps) = read(&Host::recorded(root.path()));
        assert_eq!(counters["Tcp"]["A"], 1);
        let gaps: Vec<_> = gaps.iter().map(|gap| (gap.what.as_str(), gap.why.as_str())).collect();
        assert_eq!(
            gaps,
            [
                ("counters.IpExt", "/proc/net/netstat: No such file or directory"),
                ("counters.TcpExt", "/proc/net/netstat: No such file or directory"),
                ("counters.Udp", "/proc/net/snmp does not contain this group"),
                ("counters.sockstat_TCP", "/proc/net/sockstat: No such file or directory"),
                ("counters.sockstat_UDP", "/proc/net/sockstat: No such file or directory"),
                ("counters.softnet", "/proc/net/softnet_stat does not contain this group"),
            ],
            "IPv6, conntrack and the neighbours may be missing for a good reason"
        );
    }

    #[test]
    fn this_machine_s_counters_are_read() {
        let (counters, gaps) = read(&Host::live());
        assert!(counters["TcpExt"].contains_key("ListenOverflows"), "{gaps:?}");
        assert!(counters["Tcp"].contains_key("RetransSegs"));
        assert!(counters["sockstat_TCP"].contains_key("tw"));
        assert!(counters["softnet"]["processed"] > 0);
    }

    #[test]
    fn a_thread_in_another_namespace_reads_that_one_s_counters() {
        let reading = std::thread::spawn(|| {
            // Where no namespace can be made there is nothing to test.
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).ok()?;
            Some(read(&Host::live()))
        });
        if let Some((counters, gaps)) = reading.join().unwrap() {
            assert_eq!(counters["IpExt"]["InOctets"], 0, "nothing was received in a namespace that was made just now");
            assert_eq!(gaps, []);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([A-Za-z0-9]{0,6}[: \\t\\n-]{0,2}){0,40}|\\PC{0,80}") {
            for layout in [Layout::Pairs, Layout::Named, Layout::Sockstat, Layout::Softnet, Layout::PerCpu] {
                for counters in [parsed(layout, &["x"], &text), parsed(layout, &[], &text)] {
                    prop_assert!(counters.values().all(|group| !group.is_empty()));
                }
            }
        }
    }
}
