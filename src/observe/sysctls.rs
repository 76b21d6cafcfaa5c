//! Sysctl values, as text.
//!
//! In: `/proc/sys/net` as a whole, and the few keys outside it that the catalogue names.
//! Out: key name to the raw text, trailing newline removed.
//! Must not: read keys that hold secrets (`tcp_fastopen_key`, `stable_secret`), or give a meaning to a value.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use nix::errno::Errno;

use crate::host::{Buffer, Directory, Host, ReadError};
use crate::keys;
use crate::observe::gap::Gap;

/// Key (`net.ipv4.tcp_rmem`; a `.` inside an interface name is written `/`) to its raw text.
pub type Sysctls = BTreeMap<String, String>;

const ROOT: &str = "/proc/sys";

/// Directories with one directory an interface in them; a host with thousands of containers has thousands.
const BY_INTERFACE: [&str; 4] = ["net.ipv4.conf", "net.ipv4.neigh", "net.ipv6.conf", "net.ipv6.neigh"];
/// How many interfaces of each of these are read, `all` and `default` not counted.
const INTERFACES_READ: usize = 64;

/// Which keys below `net` are read. To list a directory of `/proc/sys` costs the kernel more than to read what is in it.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// All, and those of as many interfaces as may be.
    All,
    /// All but those of interfaces; of these, the ones whose last part is among the names.
    OfInterfaces(&'a BTreeSet<String>),
    /// Those with these names, none of which has an interface in it but `all` and `default`.
    Named(&'a BTreeSet<String>),
}

/// Bounds for a tree that is no real `/proc/sys`; that one has four levels and, with 64 interfaces, 10,000 keys.
const DEEPEST: usize = 8;
const MOST_KEYS: usize = 20_000;
const MOST_BYTES: usize = 16 << 20;

/// Reads the sysctls of the calling thread's network namespace. Left out without a word: secrets, keys that can only
/// be written, and keys that hold no value at the moment. What this process may not read is a gap each.
pub fn read(host: &Host) -> (Sysctls, Vec<Gap>) {
    let ((mut values, mut gaps), (machine, machine_gaps)) = (read_net(host, Wanted::All), read_machine(host));
    values.extend(machine);
    gaps.extend(machine_gaps);
    gaps.sort();
    (values, gaps)
}

/// Those of [`read`] below `net`: what the network namespace shows, its own keys and the machine's.
pub fn read_net(host: &Host, wanted: Wanted<'_>) -> (Sysctls, Vec<Gap>) {
    let mut reading = Reading::new(host);
    match (host.directory(&format!("{ROOT}/net")), wanted) {
        (Ok(net), Wanted::All) => reading.directory("net", net, DEEPEST),
        (Ok(net), Wanted::OfInterfaces(parts)) => {
            reading.of_interfaces = Some(parts);
            reading.directory("net", net, DEEPEST);
        }
        (Ok(net), Wanted::Named(names)) => {
            let below_net = names.iter().filter_map(|name| name.strip_prefix("net."));
            reading.named("net", &net, &below_net.collect::<Vec<_>>());
        }
        (Err(error), _) => reading.failed("net", &error),
    }
    reading.gaps.sort();
    (reading.values, reading.gaps)
}

/// Those of [`read`] outside of `net`, which are the same in every network namespace.
pub fn read_machine(host: &Host) -> (Sysctls, Vec<Gap>) {
    let mut reading = Reading::new(host);
    for key in keys::catalogue().names().filter(|key| !key.starts_with("net.")) {
        let path = format!("{ROOT}/{}", key.replace('.', "/"));
        match host.read_sysctl(&path) {
            Ok(text) => reading.keep(key.to_owned(), &text),
            Err(error) => reading.unread(key, &error),
        }
    }
    reading.gaps.sort();
    (reading.values, reading.gaps)
}

/// Whether an entry of such a directory is one.
fn is_interface(entry: &str) -> bool {
    entry != "all" && entry != "default"
}

struct Reading<'a> {
    host: &'a Host,
    buffer: Buffer,
    /// What is read of an interface; `None`: all.
    of_interfaces: Option<&'a BTreeSet<String>>,
    values: Sysctls,
    bytes: usize,
    full: bool,
    gaps: Vec<Gap>,
}

impl<'a> Reading<'a> {
    fn new(host: &'a Host) -> Self {
        Self {
            host,
            buffer: Buffer::default(),
            of_interfaces: None,
            values: Sysctls::new(),
            bytes: 0,
            full: false,
            gaps: Vec::new(),
        }
    }

    fn directory(&mut self, name: &str, mut directory: Directory, levels: usize) {
        let mut entries = directory.list();
        if BY_INTERFACE.contains(&name) {
            self.limit_interfaces(name, &mut entries);
        }
        for (entry, is_directory) in entries {
            // As sysctl(8) writes it: the dot of `eth0.100` must not look like a level.
            let key = format!("{name}.{}", entry.replace('.', "/"));
            if !is_directory {
                self.key(key, &directory, &entry);
            } else if levels > 1 {
                match (directory.directory(&entry), self.of_interfaces) {
                    (Ok(interface), Some(parts)) if BY_INTERFACE.contains(&name) && is_interface(&entry) => {
                        parts.iter().for_each(|part| self.key(format!("{key}.{part}"), &interface, part));
                    }
                    (Ok(inner), _) => self.directory(&key, inner, levels - 1),
                    (Err(error), _) => self.failed(&key, &error),
                }
            }
        }
    }

    /// The keys below this directory with these names, which are sorted: `core.somaxconn` below `net`.
    fn named(&mut self, above: &str, directory: &Directory, names: &[&str]) {
        let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        for group in names.chunk_by(|one, other| first(one) == first(other)) {
            let part = first(group[0]);
            let key = format!("{above}.{part}");
            let below: Vec<&str> = group.iter().filter_map(|name| name.split_once('.').map(|(_, rest)| rest)).collect();
            if below.len() < group.len() {
                self.key(key.clone(), directory, &part);
            }
            if !below.is_empty() {
                match directory.directory(&part) {
                    Ok(inner) => self.named(&key, &inner, &below),
                    Err(error) => self.failed(&key, &error),
                }
            }
        }
    }

    fn limit_interfaces(&mut self, name: &str, entries: &mut Vec<(String, bool)>) {
        let interfaces = entries.iter().filter(|(entry, _)| is_interface(entry)).count();
        if interfaces <= INTERFACES_READ {
            return;
        }
        let mut kept = 0;
        entries.retain(|(entry, _)| {
            kept += usize::from(is_interface(entry));
            !is_interface(entry) || kept <= INTERFACES_READ
        });
        let why = format!("only {INTERFACES_READ} of {interfaces} interfaces were read");
        self.gaps.push(Gap { what: name.to_owned(), why });
    }

    fn key(&mut self, name: String, directory: &Directory, entry: &str) {
        if keys::is_secret(&name) || self.full {
            return;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        match directory.sysctl(entry, &mut buffer) {
            Ok(text) => self.keep(name, &text),
            Err(error) => self.unread(&name, &error),
        }
        self.buffer = buffer;
    }

    fn keep(&mut self, name: String, text: &str) {
        let text = text.trim_end_matches(['\n', '\0']);
        self.bytes += name.len() + text.len();
        if self.values.len() >= MOST_KEYS || self.bytes > MOST_BYTES {
            self.full = true;
            let why =
                format!("there are more than {MOST_KEYS} keys or {} MiB; the rest was not read", MOST_BYTES >> 20);
            return self.gaps.push(Gap { what: "net".to_owned(), why });
        }
        self.values.insert(name, text.to_owned());
    }

    /// A key that could not be read; one that can only be written has nothing to read.
    fn unread(&mut self, name: &str, error: &ReadError) {
        if error.kind != ErrorKind::PermissionDenied || self.host.is_readable_by_mode(&error.path) {
            self.failed(name, error);
        }
    }

    fn failed(&mut self, name: &str, error: &ReadError) {
        // An interface can go away between two looks, and the kernel answers EIO for a value that was never set.
        let vanished = error.kind == ErrorKind::NotFound && name != "net";
        if !vanished && error.number != Some(Errno::EIO as i32) {
            self.gaps.push(Gap { what: name.to_owned(), why: error.to_string() });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            write(root.path(), path, content);
        }
        root
    }

    fn write(root: &Path, path: &str, content: &str) {
        let path = root.join("proc/sys").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[test]
    fn the_text_is_kept_as_it_is_but_for_the_newline() {
        let root = tree(&[("net/ipv4/tcp_rmem", "4096\t131072\t6291456\n"), ("net/nf_conntrack_max", "1\n")]);
        let (values, gaps) = read(&Host::recorded(root.path()));
        assert_eq!(values["net.ipv4.tcp_rmem"], "4096\t131072\t6291456");
        assert_eq!(values["net.nf_conntrack_max"], "1");
        assert_eq!(gaps, []);
    }

    #[test]
    fn a_dot_in_an_interface_s_name_becomes_a_slash() {
        let root = tree(&[("net/ipv4/conf/eth0.100/rp_filter", "1\n")]);
        let (values, _) = read(&Host::recorded(root.path()));
        assert_eq!(values["net.ipv4.conf.eth0/100.rp_filter"], "1");
    }

    #[test]
    fn secrets_are_not_read() {
        let root = tree(&[
            ("net/ipv4/tcp_fastopen_key", "1-2-3-4\n"),
            ("net/ipv6/conf/eth0/stable_secret", "::1\n"),
            ("net/ipv4/tcp_fastopen", "1\n"),
        ]);
        let (values, gaps) = read(&Host::recorded(root.path()));
        assert_eq!(values.into_keys().collect::<Vec<_>>(), ["net.ipv4.tcp_fastopen"]);
        assert_eq!(gaps, []);
    }

    #[test]
    fn a_key_outside_net_is_read_only_when_the_catalogue_names_it() {
        let root = tree(&[("net/core/somaxconn", "1"), ("fs/nr_open", "1048576\n"), ("kernel/panic", "0\n")]);
        let (values, _) = read(&Host::recorded(root.path()));
        assert_eq!(values.into_keys().collect::<Vec<_>>(), ["fs.nr_open", "net.core.somaxconn"]);
    }

    #[test]
    fn of_many_interfaces_the_first_are_read_and_the_rest_is_one_gap() {
        let root = tree(&[("net/ipv4/conf/all/rp_filter", "0"), ("net/ipv4/conf/default/rp_filter", "0")]);
        for number in 0..100 {
            write(root.path(), &format!("net/ipv4/conf/veth{number:03}/rp_filter"), "0");
        }
        let (values, gaps) = read(&Host::recorded(root.path()));
        assert_eq!(values.len(), 66);
        assert!(values.contains_key("net.ipv4.conf.all.rp_filter"));
        assert!(values.contains_key("net.ipv4.conf.veth063.rp_filter"));
        assert_eq!(
            gaps,
            [Gap { what: "net.ipv4.conf".to_owned(), why: "only 64 of 100 interfaces were read".to_owned() }]
        );
    }

    #[test]
    fn of_interfaces_only_what_is_asked_for_is_read() {
        let files = ["conf/all/a", "conf/all/b", "conf/eth0/a", "conf/eth0/b", "neigh/eth0/b", "c"];
        let root = tree(
            &files.map(|file| (format!("net/ipv4/{file}"), "0")).each_ref().map(|(file, text)| (file.as_str(), *text)),
        );
        let parts = ["a".to_owned(), "z".to_owned()].into();
        let (values, gaps) = read_net(&Host::recorded(root.path()), Wanted::OfInterfaces(&parts));
        let read = ["net.ipv4.c", "net.ipv4.conf.all.a", "net.ipv4.conf.all.b", "net.ipv4.conf.eth0.a"];
        assert_eq!(values.into_keys().collect::<Vec<_>>(), read);
        assert_eq!(gaps, []);
    }

    #[test]
    fn named_keys_are_read_wherever_they_are_and_one_that_does_not_exist_is_no_gap() {
        let files =
            ["net/core/a", "net/core/b", "net/ipv4/a", "net/ipv4/a_b", "net/ipv4/conf/all/x", "net/ipv4/conf/all/y"];
        let root = tree(&files.map(|file| (file, "0")));
        let names = ["net.core.b", "net.ipv4.a", "net.ipv4.a_b", "net.ipv4.conf.all.y", "net.ipv4.c", "net.no.such"];
        let names = names.map(str::to_owned).into();
        let (values, gaps) = read_net(&Host::recorded(root.path()), Wanted::Named(&names));
        assert_eq!(
            values.into_keys().collect::<Vec<_>>(),
            ["net.core.b", "net.ipv4.a", "net.ipv4.a_b", "net.ipv4.conf.all.y"]
        );
        assert_eq!(gaps, []);
    }

    /// Read-only: however the keys of the running kernel are asked for, they are the same.
    #[test]
    fn named_keys_of_this_machine_are_those_of_the_whole_reading() {
        let (all, _) = read_net(&Host::live(), Wanted::All);
        let is_general = |name: &&String| !BY_INTERFACE.iter().any(|by| name.starts_with(by));
        let names: BTreeSet<String> = all.keys().filter(is_general).cloned().collect();
        let (named, gaps) = read_net(&Host::live(), Wanted::Named(&names));
        assert!(named.keys().eq(&names), "{gaps:?}");
    }

    #[test]
    fn a_tree_that_is_missing_is_one_gap() {
        let root = tempfile::tempdir().unwrap();
        let (values, gaps) = read(&Host::recorded(root.path()));
        assert_eq!(values.len(), 0);
        assert_eq!(gaps.len(), 1);
        assert_eq!((gaps[0].what.as_str(), gaps[0].why.as_str()), ("net", "/proc/sys/net: No such file or directory"));
    }

    #[test]
    fn a_value_is_bounded_and_a_long_one_comes_whole() {
        let long = "1000,".repeat(30_000);
        let root = tree(&[("net/ipv4/a", &long), ("net/ipv4/b", &"x".repeat(300 << 10))]);
        let (values, gaps) = read(&Host::recorded(root.path()));
        assert_eq!(values["net.ipv4.a"], long);
        assert_eq!(gaps.iter().map(|gap| gap.what.as_str()).collect::<Vec<_>>(), ["net.ipv4.b"]);
    }

    #[test]
    fn a_file_that_only_can_be_written_is_no_gap() {
        let root = tree(&[("net/ipv4/route/flush", ""), ("net/ipv4/kept", "1")]);
        fs::set_permissions(root.path().join("proc/sys/net/ipv4/route/flush"), fs::Permissions::from_mode(0o200))
            .unwrap();
        let (values, gaps) = read(&Host::recorded(root.path()));
        assert!(values.contains_key("net.ipv4.kept"));
        assert_eq!(gaps, []);
    }

    #[test]
    fn the_machine_s_own_sysctls_are_read_without_a_gap_for_write_only_or_unset_keys() {
        let (values, gaps) = read(&Host::live());
        assert!(values.contains_key("net.ipv4.tcp_rmem"), "{gaps:?}");
        assert!(values.keys().all(|name| !keys::is_secret(name)));
        for silent in ["net.ipv4.route.flush", "net.ipv6.conf.all.stable_secret"] {
            assert!(gaps.iter().all(|gap| gap.what != silent), "{gaps:?}");
        }
    }

    /// Read-only: the values of the machine that runs the tests must be values as the catalogue describes them.
    #[test]
    fn the_values_of_this_machine_parse_with_the_catalogue_s_types() {
        let (values, _) = read(&Host::live());
        let mut seen = 0;
        for key in keys::catalogue().iter() {
            let Some(text) = values.get(&key.name) else { continue };
            seen += 1;
            if let Err(error) = keys::parse(key, text) {
                panic!("{} = {text:?}: {error}", key.name);
            }
        }
        assert!(seen > 20, "only {seen} keys of the catalogue exist on this machine");
    }

    /// The kernel gives a sysctl's text to the first read only; a reader that begins with a small piece gets a part.
    #[test]
    fn a_long_value_of_the_running_kernel_comes_whole() {
        let list: Vec<String> = (0..3000).map(|number| (20_000 + 2 * number).to_string()).collect();
        let list = list.join(",");
        let read_back = std::thread::spawn({
            let list = list.clone();
            move || {
                // A namespace of this thread's own. Where none can be made or written there is nothing to test.
                nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).ok()?;
                fs::write("/proc/sys/net/ipv4/ip_local_reserved_ports", list).ok()?;
                Some(read(&Host::live()).0.remove("net.ipv4.ip_local_reserved_ports"))
            }
        })
        .join()
        .unwrap();
        if let Some(read_back) = read_back {
            assert_eq!(read_back, Some(list));
        }
    }
}
