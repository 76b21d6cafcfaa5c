//! What can explain that a key does not have the value that the files give it.
//!
//! In: `/proc`, `/sys`, `/run`, and the names of keys that the files mention. Out: [`Surroundings`]: facts only.
//! Must not: say which of them is the cause; `drift` does.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use serde::{Deserialize, Serialize};

use crate::host::{Buffer, Host};
use crate::keys;
use crate::observe::persisted::{FileKind, Persisted};
use crate::observe::sysctls::Sysctls;
use crate::observe::tuned;

/// Facts about the machine around its sysctls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Surroundings {
    /// Keys that the files mention and that are not among the namespace's sysctls.
    pub keys: BTreeMap<String, KeyState>,
    /// Keys that the files mention and that nobody may write here.
    pub read_only: BTreeSet<String>,
    /// Loaded modules; `None` where `/proc/modules` could not be read.
    pub modules: Option<BTreeSet<String>>,
    /// Congestion controls that modules bring: `htcp` for `tcp_htcp`. `None` where nobody can say: in a container the folder
    /// of modules is not that of the kernel.
    pub congestion_controls: Option<BTreeSet<String>>,
    /// Modules that `modules-load.d` has loaded before the sysctls are set.
    pub modules_at_boot: BTreeSet<String>,
    /// The program that process 1 runs.
    pub init: Option<String>,
    /// Running processes by the name of their program, with the lowest process number; see [`PROGRAMS`].
    pub programs: BTreeMap<String, u32>,
    /// What TuneD's active profile sets; `None` where TuneD does not run or its profile could not be read.
    pub tuned: Option<BTreeMap<String, String>>,
    pub interfaces: BTreeSet<String>,
    /// When udev took note of an interface, in seconds since 1970.
    pub interface_since: BTreeMap<String, i64>,
    /// Whether the sysctls are those of the namespace that process 1 lives in, the one that a boot sets.
    pub own_boot: Option<bool>,
    /// Whether process 1 has `/proc/sys/net` mounted read-only, as in most containers: then no boot sets its keys.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sysctls_read_only: bool,
    /// When the machine, or the container's init, started; and when the loader ran. Seconds since 1970.
    pub booted_at: Option<i64>,
    pub loader_ran_at: Option<i64>,
    /// When each configuration file was changed, in seconds since 1970.
    pub changed_at: BTreeMap<String, i64>,
}

impl Surroundings {
    /// The same without what was noted of the files: when they were changed and loaded.
    #[must_use]
    pub fn without_files(self) -> Self {
        Self { changed_at: BTreeMap::new(), loader_ran_at: None, ..self }
    }

    /// Whether a boot sets the keys of this network namespace: the machine's first one, or that of a container's process 1
    /// which can write them. Where process 1 does not let itself be looked at, nothing shows that.
    pub fn is_booted(&self, initial: bool) -> bool {
        initial || self.own_boot == Some(true) && !self.sysctls_read_only
    }
}

/// A key that is not among the sysctls which were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    Value(String),
    Absent,
    /// Can be written only.
    WriteOnly,
    /// Why it could not be read.
    Unread(String),
}

/// Programs that are known to write sysctls, and the one that applies the files to interfaces as they come.
pub const PROGRAMS: [&str; 13] = [
    "NetworkManager",
    "bpftune",
    "containerd",
    "crio",
    "dockerd",
    "firewalld",
    "k3s-server",
    "kube-proxy",
    "kubelet",
    "libvirtd",
    "systemd-network",
    "systemd-udevd",
    "tuned",
];

/// `TASK_COMM_LEN` less the final zero: what `/proc/PID/comm` holds at most.
const COMM: usize = 15;
/// Bounds against hostile files.
const MOST_KEYS: usize = 4096;
const MOST_PROCESSES: usize = 100_000;

/// Looks around. `sysctls` are the namespace's, already read.
pub fn read(host: &Host, persisted: &Persisted, sysctls: &[&Sysctls]) -> Surroundings {
    let mounts = Mounts::of_init(host);
    let mut found = Surroundings {
        sysctls_read_only: mounts.is_read_only("/proc/sys/net/ipv4"),
        modules: modules(host),
        congestion_controls: congestion_controls(host),
        modules_at_boot: modules_at_boot(host),
        programs: programs(host),
        interfaces: host.list("/proc/sys/net/ipv4/conf").unwrap_or_default().into_iter().collect(),
        init: host.read_text("/proc/1/comm").ok().map(|comm| comm.trim_end().to_owned()),
        own_boot: own_boot(host),
        booted_at: booted_at(host),
        // systemd keeps a link for each unit that is active; this unit stays so after it has run.
        loader_ran_at: host.modified("/run/systemd/units/invocation:systemd-sysctl.service"),
        ..Surroundings::default()
    };
    if found.programs.contains_key("tuned") {
        found.tuned = tuned::read(host);
    }
    found.interfaces.retain(|name| name != "all" && name != "default");
    found.interface_since = interface_since(host, &found.interfaces);
    for file in persisted.files.iter().filter(|file| file.kind == FileKind::Regular) {
        found.changed_at.extend(host.modified(&file.path).map(|time| (file.path.clone(), time)));
    }
    for key in mentioned(persisted) {
        let path = keys::path_of_listed(&key);
        if !sysctls.iter().any(|sysctls| sysctls.contains_key(&key)) {
            let state = state(host, &key, &path);
            found.keys.insert(key.clone(), state);
        }
        if host.modified(&path).is_some() && (mounts.is_read_only(&path) || !host.is_writable_by_mode(&path)) {
            found.read_only.insert(key);
        }
    }
    found
}

fn state(host: &Host, key: &str, path: &str) -> KeyState {
    if keys::is_secret(key) {
        return KeyState::Unread("it is a secret, and secrets are never read".to_owned());
    }
    match host.read_sysctl(path) {
        Ok(text) => KeyState::Value(text.trim_end_matches(['\n', '\0']).to_owned()),
        Err(error) if error.kind == ErrorKind::NotFound => KeyState::Absent,
        Err(error) if error.kind == ErrorKind::PermissionDenied && !host.is_readable_by_mode(path) => {
            KeyState::WriteOnly
        }
        Err(error) => KeyState::Unread(error.to_string()),
    }
}

/// Every word on the left of a `=`, in our form of a key's name. More than the loader takes: what is in force is read
/// for each, whether the line counts or not.
fn mentioned(persisted: &Persisted) -> BTreeSet<String> {
    let texts = persisted.files.iter().filter_map(|file| file.text.as_deref());
    let lines = texts.flat_map(str::lines).filter_map(|line| line.split_once('='));
    let words = persisted.command_line.iter().flat_map(|line| line.split_ascii_whitespace());
    let boot = words.filter_map(|word| word.strip_prefix("sysctl.")?.split_once('='));
    lines.chain(boot).filter_map(|(left, _)| keys::our_form(left)).take(MOST_KEYS).collect()
}

/// The last parts of the keys that the files mention, patterns too: `rp_filter` of `net.ipv4.conf.*.rp_filter`. `None` where a
/// pattern leaves it open.
pub fn last_parts(persisted: &Persisted) -> Option<BTreeSet<String>> {
    let files = persisted.files.iter().filter_map(|file| file.text.as_deref()).flat_map(str::lines);
    let boot = persisted.command_line.iter().flat_map(|line| line.split_ascii_whitespace());
    let left = files.chain(boot).map(|line| line.split('=').next().unwrap_or_default());
    let parts = left.filter(|left| !left.trim_start().starts_with(['#', ';']));
    let parts = parts.filter_map(|left| left.trim().trim_matches(['"', '\'']).rsplit(['.', '/']).next());
    let open = |part: &str| part.contains(['*', '?', '[', '{']);
    parts.map(|part| (!open(part)).then(|| part.to_owned())).collect()
}

fn modules(host: &Host) -> Option<BTreeSet<String>> {
    let text = host.read_text("/proc/modules").ok()?;
    Some(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

fn congestion_controls(host: &Host) -> Option<BTreeSet<String>> {
    // A kernel without this file has no modules.
    if host.read_text("/proc/modules").is_err_and(|error| error.kind == ErrorKind::NotFound) {
        return host.is_live().then(BTreeSet::new);
    }
    let release = host.read_text("/proc/sys/kernel/osrelease").ok()?;
    let folder = format!("/lib/modules/{}", release.trim_end());
    let listed = host.read_text(&format!("{folder}/modules.dep")).ok()?;
    let names = listed.lines().filter_map(|line| {
        let file = line.split(':').next()?.rsplit('/').next()?;
        file.split(".ko").next()?.strip_prefix("tcp_").map(str::to_owned)
    });
    Some(names.collect())
}

fn modules_at_boot(host: &Host) -> BTreeSet<String> {
    let directories =
        ["/etc/modules-load.d", "/run/modules-load.d", "/usr/local/lib/modules-load.d", "/usr/lib/modules-load.d"];
    let listed = directories.iter().flat_map(|directory| {
        let names = host.list(directory).unwrap_or_default();
        names.into_iter().filter(|name| name.ends_with(".conf")).map(move |name| format!("{directory}/{name}"))
    });
    let files = listed.chain(["/etc/modules".to_owned()]);
    // A fifo among them would hang a read.
    let texts = files.filter(|path| host.is_regular(path)).filter_map(|path| host.read_text(&path).ok());
    let mut names = BTreeSet::new();
    for text in texts {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
        names.extend(lines.filter_map(|line| line.split_whitespace().next()).map(|name| name.replace('-', "_")));
    }
    names
}

fn programs(host: &Host) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    let Ok(mut processes) = host.directory("/proc") else { return found };
    let names = processes.list();
    let mut numbers: Vec<u32> = names.iter().filter_map(|(name, _)| name.parse().ok()).take(MOST_PROCESSES).collect();
    numbers.sort_unstable();
    let mut buffer = Buffer::default();
    for number in numbers {
        let Ok(comm) = processes.sysctl(&format!("{number}/comm"), &mut buffer) else { continue };
        let comm = comm.trim_end();
        if let Some(name) = PROGRAMS.iter().find(|name| name.chars().take(COMM).eq(comm.chars())) {
            found.entry((*name).to_owned()).or_insert(number);
        }
    }
    found
}

/// What process 1 has mounted below `/proc`: this program's own mounts may be those of a hardened service.
struct Mounts(Vec<(String, bool)>);

impl Mounts {
    fn of_init(host: &Host) -> Self {
        let text = host.read_text("/proc/1/mountinfo").unwrap_or_default();
        let mount = |line: &str| {
            let mut words = line.split(' ').skip(4);
            let (point, options) = (words.next()?, words.next()?);
            Some((point.to_owned(), options.split(',').any(|option| option == "ro")))
        };
        Self(text.lines().filter_map(mount).filter(|(point, _)| point.starts_with("/proc")).collect())
    }

    /// As the mount says that is nearest above the file; of several at one place the last one counts.
    fn is_read_only(&self, path: &str) -> bool {
        let above = self
            .0
            .iter()
            .filter(|(point, _)| path.strip_prefix(point.as_str()).is_some_and(|rest| rest.starts_with('/')));
        above.max_by_key(|(point, _)| point.len()).is_some_and(|(_, read_only)| *read_only)
    }
}

fn own_boot(host: &Host) -> Option<bool> {
    let init = host.read_link("/proc/1/ns/net").ok()?;
    let own = host.read_link("/proc/thread-self/ns/net").or_else(|_| host.read_link("/proc/self/ns/net")).ok()?;
    Some(init == own)
}

/// The start of process 1: the machine's in general, the container's inside one.
fn booted_at(host: &Host) -> Option<i64> {
    let stat = host.read_text("/proc/1/stat").ok()?;
    // The name in parentheses may hold spaces; the 22nd field is the 20th after it.
    let ticks: i64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    Some(machine_booted_at(host)?.saturating_add(ticks / CLOCK_TICKS))
}

fn machine_booted_at(host: &Host) -> Option<i64> {
    host.read_text("/proc/stat").ok()?.lines().find_map(|line| line.strip_prefix("btime "))?.parse().ok()
}

/// `USER_HZ`, 100 on every architecture that Linux still has.
const CLOCK_TICKS: i64 = 100;

/// udev notes for each device when it came, in microseconds since the machine's boot.
fn interface_since(host: &Host, interfaces: &BTreeSet<String>) -> BTreeMap<String, i64> {
    let Some(booted_at) = machine_booted_at(host) else { return BTreeMap::new() };
    let since = |name: &String| {
        let index = host.read_text(&format!("/sys/class/net/{name}/ifindex")).ok()?;
        let notes = host.read_text(&format!("/run/udev/data/n{}", index.trim())).ok()?;
        let microseconds: i64 = notes.lines().find_map(|line| line.strip_prefix("I:"))?.parse().ok()?;
        Some((name.clone(), booted_at.saturating_add(microseconds / 1_000_000)))
    };
    interfaces.iter().take(MOST_KEYS).filter_map(since).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::observe::persisted::{File, Source};

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn persisted(text: &str) -> Persisted {
        let file = File {
            path: "/etc/sysctl.d/a.conf".to_owned(),
            source: Source::Directory,
            link: None,
            kind: FileKind::Regular,
            mode: None,
            uid: None,
            text: Some(text.to_owned()),
            bytes: 0,
            cut: false,
            not_utf8: false,
        };
        Persisted { files: vec![file], ..Persisted::default() }
    }

    #[test]
    fn the_keys_of_the_files_are_read_whatever_their_separator() {
        let root = tree(&[
            ("proc/sys/kernel/panic", "10\n"),
            ("proc/sys/net/ipv4/conf/eth0.5/rp_filter", "1\n"),
            ("etc/sysctl.d/a.conf", ""),
        ]);
        let text = "-kernel.panic = 5\nnet/ipv4/conf/eth0.5/rp_filter=1\nnet.x = 2\n# a.b = 1\nnet.*.y = 1\n..=1\n";
        let found = read(&Host::recorded(root.path()), &persisted(text), &[]);
        let expected = [
            ("kernel.panic", KeyState::Value("10".to_owned())),
            ("net.ipv4.conf.eth0/5.rp_filter", KeyState::Value("1".to_owned())),
            ("net.x", KeyState::Absent),
        ];
        let expected: BTreeMap<_, _> = expected.into_iter().map(|(key, state)| (key.to_owned(), state)).collect();
        assert_eq!(found.keys, expected);
        assert!(found.changed_at["/etc/sysctl.d/a.conf"] > 0);
    }

    #[test]
    fn the_last_parts_of_keys_are_found_in_patterns_too() {
        let parts =
            |text: &str| last_parts(&persisted(text)).map(|parts| parts.into_iter().collect::<Vec<_>>().join(" "));
        let text = "# net.x.comment = 1\nnet.ipv4.conf.*.rp_filter=1\n-net/ipv4/conf/eth0.5/arp_ignore = 2\n";
        assert_eq!(parts(text).as_deref(), Some("arp_ignore rp_filter"));
        assert_eq!(parts("net.ipv4.conf.eth0.* = 1\n"), None);
    }

    #[test]
    fn no_key_leads_out_of_proc_sys() {
        for left in ["../../etc/shadow", "net/../../x", "net...x", "/etc/x", "net.//.//.x"] {
            if let Some(key) = keys::our_form(left) {
                assert!(!keys::path_of_listed(&key).split('/').any(|part| part == ".."), "{left} becomes {key}");
            }
        }
    }

    #[test]
    fn programs_modules_and_times_are_found() {
        let root = tree(&[
            ("proc/modules", "nf_conntrack 1 0 - Live 0x0\ntcp_bbr 1 0 - Live 0x0\n"),
            ("etc/modules-load.d/a.conf", "# none\n tcp-bbr \n"),
            ("proc/1/comm", "systemd\n"),
            ("proc/1/stat", "1 (a) b) S 0 1 1 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0 250 1 1\n"),
            ("proc/7/comm", "tuned\n"),
            ("proc/9/comm", "NetworkManager\n"),
            ("proc/stat", "cpu 1\nbtime 1000\n"),
            ("proc/sys/net/ipv4/conf/eth0/rp_filter", "0\n"),
            ("proc/sys/net/ipv4/conf/all/rp_filter", "0\n"),
            ("sys/class/net/eth0/ifindex", "3\n"),
            ("run/udev/data/n3", "E:X=1\nI:5000000\n"),
        ]);
        let found = read(&Host::recorded(root.path()), &Persisted::default(), &[]);
        assert_eq!(found.modules.unwrap().len(), 2);
        assert!(found.modules_at_boot.contains("tcp_bbr"));
        let programs: Vec<_> = found.programs.into_iter().collect();
        assert_eq!(programs, [("NetworkManager".to_owned(), 9), ("tuned".to_owned(), 7)]);
        assert_eq!(found.booted_at, Some(1002));
        assert_eq!(found.interface_since["eth0"], 1005);
        assert_eq!(found.interfaces.len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn no_line_panics(text in "([a-z./*=# -]{0,30}\n?){0,8}|\\PC{0,60}") {
            let _ = mentioned(&persisted(&text));
        }
    }

    #[test]
    fn sysctls_are_read_only_as_the_mounts_of_process_1_say() {
        let keys = [("proc/sys/net/ipv4/tcp_sack", "1\n"), ("proc/sys/kernel/panic", "0\n")];
        let text = "net.ipv4.tcp_sack = 0\nkernel.panic = 5\n";
        let seen = |mounts: &str| {
            let root = tree(&[&keys[..], &[("proc/1/mountinfo", mounts)]].concat());
            let found = read(&Host::recorded(root.path()), &persisted(text), &[]);
            (found.sysctls_read_only, found.read_only.into_iter().collect::<Vec<_>>().join(" "))
        };
        let (proc, sys) =
            ("22 21 0:21 / /proc rw,nosuid - proc proc rw\n", "30 22 0:21 /sys /proc/sys ro - proc proc rw\n");
        let net = "31 30 0:21 /sys/net /proc/sys/net rw - proc proc rw\n";
        assert_eq!(seen(proc), (false, String::new()));
        assert_eq!(seen(&[proc, sys].concat()), (true, "kernel.panic net.ipv4.tcp_sack".to_owned()));
        assert_eq!(
            seen(&[proc, sys, net].concat()),
            (false, "kernel.panic".to_owned()),
            "as systemd-nspawn mounts them"
        );
    }
}
