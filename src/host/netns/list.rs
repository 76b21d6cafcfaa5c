//! The list of network namespaces.
//!
//! In: names under `/run/netns`, the namespaces of processes, mounts of namespaces. Out: [`Places`].
//! Must not: enter one, or leave one out without a word. One that is held by nothing but an open file or a socket shows
//! nowhere.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "part of the door to the machine's files"))]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::place::{CURRENT, FOLDER, HOST, Hidden, Place, Places, id_of, inode_of, own_id, plain};
use crate::diagnostic::io_words;
use crate::host::Host;
use crate::model::NamespaceName;

/// Namespaces that are listed one by one; the rest is counted. A host with more runs more than a thousand containers.
const MOST: usize = 1024;
/// Files that may be open besides the doors.
const OTHER_FILES: u64 = 256;

/// Every namespace that can be found. Those of other users' processes show to root only; the others are told as hidden.
pub fn list() -> Places {
    let host = Host::live();
    make_room_for_doors();
    let mut finder = Finder::new(&host);
    finder.names();
    finder.processes();
    finder.mounts();
    finder.done()
}

/// Each place holds its door open. Failing is told where a door cannot be opened.
fn make_room_for_doors() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let wanted = (MOST as u64 + OTHER_FILES).min(hard);
        if soft < wanted {
            let _ = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard);
        }
    }
}

struct Finder<'a> {
    host: &'a Host,
    places: Vec<Place>,
    hidden: Vec<Hidden>,
    ids: BTreeSet<String>,
    names: BTreeSet<String>,
    /// The file system that namespaces are files of.
    device: Option<u64>,
    complete: bool,
    /// Beyond [`MOST`].
    more: BTreeSet<String>,
}

impl<'a> Finder<'a> {
    fn new(host: &'a Host) -> Self {
        let own = Place { id: own_id(host).unwrap_or_default(), name: NamespaceName::current(), door: None };
        let device = std::fs::metadata("/proc/thread-self/ns/net").ok().map(|facts| facts.dev());
        Self {
            host,
            ids: [own.id.clone()].into(),
            // Words that mean something else.
            names: [CURRENT, HOST, "all", "none"].map(str::to_owned).into(),
            places: vec![own],
            hidden: Vec::new(),
            device,
            complete: device.is_some(),
            more: BTreeSet::new(),
        }
    }

    fn names(&mut self) {
        let names = match self.host.list(FOLDER) {
            Ok(names) => names,
            Err(error) if error.kind == ErrorKind::NotFound => return,
            Err(error) => return self.hide("names of network namespaces", &error.to_string()),
        };
        for name in names {
            let path = format!("{FOLDER}/{name}");
            match std::fs::metadata(&path) {
                Ok(facts) if Some(facts.dev()) != self.device => {
                    // What `ip netns` leaves behind where the mount is not seen.
                    self.hide(&plain(&name), &format!("no namespace is mounted at {}", plain(&path)));
                }
                Ok(facts) if id_of(&facts) == self.places[0].id => {
                    if self.places[0].name == CURRENT {
                        self.places[0].name = self.unique(&plain(&name), &id_of(&facts)).into();
                    }
                }
                Ok(facts) => self.add(&id_of(&facts), &plain(&name), &path),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => self.hide(&plain(&name), &io_words(&error)),
            }
        }
    }

    fn processes(&mut self) {
        let numbers = self.host.list("/proc").unwrap_or_default();
        let mut numbers: Vec<u32> = numbers.iter().filter_map(|name| name.parse().ok()).collect();
        numbers.sort_unstable();
        let mut refused = Vec::new();
        let mut seen = BTreeMap::new();
        for number in numbers {
            let path = format!("/proc/{number}/ns/net");
            match std::fs::read_link(&path) {
                Ok(target) => {
                    let id = target.to_string_lossy().into_owned();
                    seen.entry(id.clone()).or_insert(number);
                    if !self.ids.contains(&id) {
                        self.add(&id, &process_name(self.host, number), &path);
                    }
                }
                Err(error) if error.kind() == ErrorKind::PermissionDenied => refused.push(number),
                // It ended, or is about to.
                Err(_) => {}
            }
        }
        if !refused.is_empty() {
            self.unseen_processes(&refused, seen.values());
        }
    }

    /// Whose namespace may not be looked at. Which processes share one shows all the same: a file of `/proc/PID/net` has
    /// a number for each namespace, and anybody may ask for it.
    fn unseen_processes<'n>(&mut self, refused: &[u32], seen: impl Iterator<Item = &'n u32>) {
        let mut marks: BTreeSet<u64> = mark("thread-self").into_iter().collect();
        marks.extend(seen.filter_map(|number| mark(&number.to_string()).ok()));
        for &number in refused {
            match mark(&number.to_string()) {
                Ok(mark) if marks.insert(mark) => {
                    let name = process_name(self.host, number);
                    self.hide(&name, &io_words(&io::Error::from(nix::errno::Errno::EACCES)));
                }
                Err(error) if error.kind() == ErrorKind::PermissionDenied => self.complete = false,
                _ => {}
            }
        }
    }

    /// Namespaces that stand in the file system elsewhere than in `/run/netns`; container runtimes have them there.
    fn mounts(&mut self) {
        let text = self.host.read_text("/proc/thread-self/mountinfo").unwrap_or_default();
        for (id, path) in text.lines().filter_map(mounted) {
            if !self.ids.contains(id) && std::fs::metadata(path).is_ok_and(|facts| id_of(&facts) == id) {
                self.add(id, &plain(path), path);
            }
        }
    }

    fn add(&mut self, id: &str, name: &str, path: &str) {
        if self.ids.contains(id) {
            return;
        }
        if self.places.len() >= MOST {
            self.more.insert(id.to_owned());
            return;
        }
        match open(id, name, path) {
            // A process may have ended since, and another one may have its number.
            Ok(None) => {}
            Ok(Some(place)) => {
                let name = self.unique(name, id);
                self.ids.insert(id.to_owned());
                self.places.push(Place { name: name.into(), ..place });
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                self.ids.insert(id.to_owned());
                self.hide(name, &io_words(&error));
            }
        }
    }

    fn hide(&mut self, name: &str, why: &str) {
        self.complete = false;
        if self.hidden.len() < MOST {
            self.hidden.push(Hidden { name: name.to_owned(), why: why.to_owned() });
        }
    }

    fn unique(&mut self, name: &str, id: &str) -> String {
        let mut name = name.to_owned();
        if !self.names.insert(name.clone()) {
            name = format!("{name} {id}");
            self.names.insert(name.clone());
        }
        name
    }

    fn done(mut self) -> Places {
        if !self.more.is_empty() {
            let name = format!("{} more namespaces", self.more.len());
            self.hide(&name, &format!("only the first {MOST} are observed"));
        }
        Places { places: self.places, hidden: self.hidden, complete: self.complete }
    }
}

/// The number of a file that each namespace has for itself; anybody may ask for it.
fn mark(process: &str) -> io::Result<u64> {
    std::fs::metadata(format!("/proc/{process}/net/dev")).map(|facts| facts.ino())
}

/// Whether a process that may not be looked at is where the calling thread is.
pub(super) fn is_in_our_namespace(process: u32) -> bool {
    let marks = (mark(&process.to_string()).ok(), mark("thread-self").ok());
    marks.0.is_some() && marks.0 == marks.1
}

/// Opens the door to a namespace; `None` when something else stands at the path by now.
pub(super) fn open(id: &str, name: &str, path: &str) -> io::Result<Option<Place>> {
    let door = File::open(path)?;
    let is_it = id_of(&door.metadata()?) == id;
    Ok(is_it.then(|| Place { id: id.to_owned(), name: name.into(), door: Some(door) }))
}

pub(super) fn process_name(host: &Host, number: u32) -> String {
    let program = host.read_text(&format!("/proc/{number}/comm")).unwrap_or_default();
    NamespaceName::of_process(number, &plain(program.trim_end_matches('\n'))).into()
}

/// The namespace and the mount point of a line of `mountinfo`, when it is one of a network namespace. A path with a
/// space or the like in it is written with `\`, and is not ours to take apart.
fn mounted(line: &str) -> Option<(&str, &str)> {
    let (fields, kind) = line.split_once(" - ")?;
    let mut fields = fields.split(' ').skip(3);
    let (id, path) = (fields.next()?, fields.next()?);
    (kind.starts_with("nsfs ") && inode_of(id).is_some() && !path.contains('\\')).then_some((id, path))
}

#[cfg(test)]
mod tests {
    use super::super::place::LONGEST_NAME;
    use super::*;

    #[test]
    fn a_mounted_network_namespace_is_told_from_other_mounts() {
        let line = "623 28 0:4 net:[4026532207] /run/docker/netns/1a rw shared:300 - nsfs nsfs rw";
        assert_eq!(mounted(line), Some(("net:[4026532207]", "/run/docker/netns/1a")));
        for other in [
            "623 28 0:4 mnt:[4026532207] /run/snapd/ns/a.mnt rw - nsfs nsfs rw",
            "623 28 0:4 net:[4026532207] /x rw - tmpfs nsfs rw",
            "623 28 0:4 net:[x] /x rw - nsfs nsfs rw",
            "28 1 0:4 / / rw - ext4 /dev/sda rw",
            "",
        ] {
            assert_eq!(mounted(other), None, "{other}");
        }
    }

    #[test]
    fn a_hostile_name_cannot_reach_the_terminal() {
        assert_eq!(plain("a\u{1b}[2J\nb\u{202e}"), "a?[2J?b?");
        assert_eq!(plain(&"x".repeat(1000)).len(), LONGEST_NAME);
    }

    proptest::proptest! {
        #[test]
        fn no_line_of_mounts_panics(line in "(\\PC| - |nsfs |net:\\[|[0-9 \\]/]){0,30}") {
            let _ = mounted(&line);
        }
    }
}
