//! A network namespace that was found, and work done inside it.
//!
//! In: the door to a namespace. Out: what was asked of it. Must not: let the calling thread end up elsewhere, except by
//! [`Place::enter`], which says so.

use std::fmt;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::str::FromStr;

use nix::sched::{CloneFlags, setns};

use crate::diagnostic::io_words;
use crate::host::Host;
use crate::model::NamespaceName;

/// Where `ip netns add` keeps its namespaces.
pub const FOLDER: &str = "/run/netns";

/// What the caller's own namespace is called, unless it is the machine's first one or `ip netns` gave it a name.
pub const CURRENT: &str = "current";
/// What the machine's first namespace is called.
pub const HOST: &str = "host";

/// Names after which an unknown one is not told more.
const TOLD: usize = 20;

/// Which namespaces are wanted: `all`, `current`, a name, or the number of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one that the caller is in.
    Current,
    /// Every one that can be found.
    All,
    /// The one with this name, or of the process with this number.
    Named(String),
}

impl fmt::Display for Which {
    /// As [`FromStr`] takes it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Current => "current",
            Self::All => "all",
            Self::Named(name) => name,
        })
    }
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("expected all, current, a name or the PID of a process".to_owned()),
            "all" => Ok(Self::All),
            CURRENT => Ok(Self::Current),
            name => Ok(Self::Named(name.to_owned())),
        }
    }
}

/// A namespace that was found. As long as this lives the namespace does, and no other one gets its number.
#[derive(Debug)]
pub struct Place {
    /// As `/proc/thread-self/ns/net` reads inside: `net:[4026531840]`. Empty where `/proc` does not tell.
    pub id: String,
    /// Unique among those that were found together, and printable. [`CURRENT`] for the caller's own if it has no name; that
    /// it is the machine's first one shows only inside.
    pub name: NamespaceName,
    /// `None`: the caller is there.
    pub(super) door: Option<File>,
}

/// A namespace that is there and cannot be looked at, or a part of the list that could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    pub name: String,
    pub why: String,
}

/// What was found: the caller's own first, then those with a name, then those of processes by number.
#[derive(Debug)]
pub struct Places {
    pub places: Vec<Place>,
    pub hidden: Vec<Hidden>,
    /// Whether one that is not here does not exist, as far as names, processes and mounts can tell.
    pub complete: bool,
}

/// Why a namespace was not entered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnterError {
    #[error("there is no network namespace `{name}`: {FOLDER} has no such name, and no process has this PID{}", there_are(.known))]
    Unknown { name: String, known: Vec<String> },
    #[error("cannot enter the network namespace `{name}`: {why}")]
    Refused { name: String, why: String },
}

fn there_are(names: &[String]) -> String {
    match names.len() {
        0 => String::new(),
        number if number > TOLD => {
            format!("; known namespaces: {} and {} more", names[..TOLD].join(", "), number - TOLD)
        }
        _ => format!("; known namespaces: {}", names.join(", ")),
    }
}

/// The namespace of the calling thread, as its link reads; `None` where `/proc` does not tell.
pub fn own_id(host: &Host) -> Option<String> {
    // A captured tree has no threads.
    let of_thread = host.read_link("/proc/thread-self/ns/net").ok();
    of_thread.or_else(|| host.read_link("/proc/self/ns/net").ok().filter(|_| !host.is_live()))
}

impl Places {
    /// Only the caller's own, without a look at any other.
    pub fn here(host: &Host) -> Self {
        Self { places: vec![Place::here(host)], hidden: Vec::new(), complete: false }
    }
}

impl Place {
    /// The caller's own namespace, without a look at any other.
    pub fn here(host: &Host) -> Self {
        let id = own_id(host).unwrap_or_default();
        let name = name_of(host, &id).map_or_else(NamespaceName::current, NamespaceName::from);
        Self { id, name, door: None }
    }

    /// The number that the kernel knows it by, where `/proc` has it.
    pub fn inode(&self) -> Option<u32> {
        inode_of(&self.id)?.try_into().ok()
    }

    /// Whether the caller was there when it was found.
    pub const fn is_here(&self) -> bool {
        self.door.is_none()
    }

    /// Puts the calling thread, and the threads and processes that it starts from now on, into the namespace for good.
    pub fn enter(&self) -> Result<(), EnterError> {
        let refused = |why: String| EnterError::Refused { name: self.name.to_string(), why };
        if let Some(door) = &self.door {
            setns(door, CloneFlags::CLONE_NEWNET).map_err(|errno| refused(io_words(&errno.into())))?;
        }
        // Whoever writes there relies on it.
        match own_id(&Host::live()) {
            Some(id) if id == self.id => Ok(()),
            None if self.is_here() => Ok(()),
            _ => Err(refused("after setns() the thread is still in another namespace".to_owned())),
        }
    }

    /// Does `work` inside, on a thread of its own; the calling thread stays where it is.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, EnterError> {
        let refused = |why: &str| EnterError::Refused { name: self.name.to_string(), why: why.to_owned() };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().spawn_scoped(scope, || self.enter().map(|()| work()));
            let thread = thread.map_err(|error| refused(&io_words(&error)))?;
            thread.join().map_err(|_| refused("the work in the namespace was interrupted"))?
        })
    }
}

/// Does `work` in each place, one after the other, on one thread that ends when this returns; where there is only the
/// caller's own, on the calling thread. `work` is given the place's number in the list. The answers are in that order.
pub fn visit<T: Send>(places: &[Place], work: impl FnMut(usize, &Place) -> T + Send) -> Vec<Result<T, EnterError>> {
    visit_some(places, |_| true, work).into_iter().filter_map(Result::transpose).collect()
}

/// The same in those places only whose numbers are `wanted`; of the others there is no answer.
pub fn visit_some<T: Send>(
    places: &[Place],
    wanted: impl Fn(usize) -> bool + Send,
    work: impl FnMut(usize, &Place) -> T + Send,
) -> Vec<Result<Option<T>, EnterError>> {
    if places.iter().all(Place::is_here) {
        let mut work = work;
        let visits = places.iter().enumerate();
        return visits.map(|(number, place)| Ok(wanted(number).then(|| work(number, place)))).collect();
    }
    let all = |why: &str| {
        let refused = |place: &Place| Err(EnterError::Refused { name: place.name.to_string(), why: why.to_owned() });
        places.iter().map(refused).collect()
    };
    std::thread::scope(|scope| match std::thread::Builder::new().spawn_scoped(scope, || round(places, wanted, work)) {
        Err(error) => all(&io_words(&error)),
        Ok(thread) => thread.join().unwrap_or_else(|_| all("the work in the namespace was interrupted")),
    })
}

/// The caller's own stands first in every list, so that the thread need not find its way back there.
fn round<T>(
    places: &[Place],
    wanted: impl Fn(usize) -> bool,
    mut work: impl FnMut(usize, &Place) -> T,
) -> Vec<Result<Option<T>, EnterError>> {
    let mut visit = |(number, place): (usize, &Place)| {
        if wanted(number) { place.enter().map(|()| Some(work(number, place))) } else { Ok(None) }
    };
    places.iter().enumerate().map(&mut visit).collect()
}

/// The number of a namespace, of its file.
pub(super) fn inode_of(id: &str) -> Option<u64> {
    id.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()
}

pub(super) fn id_of(facts: &std::fs::Metadata) -> String {
    format!("net:[{}]", facts.ino())
}

/// The name under `/run/netns` of a namespace, when it has one.
fn name_of(host: &Host, id: &str) -> Option<String> {
    let inode = inode_of(id)?;
    let names = host.list(FOLDER).unwrap_or_default();
    let is_it =
        |name: &String| std::fs::metadata(host.locate(&format!("{FOLDER}/{name}"))).is_ok_and(|it| it.ino() == inode);
    names.into_iter().find(is_it).map(|name| plain(&name))
}

/// `TASK_COMM_LEN` less the final zero, and room for what a hostile `/run/netns` may hold.
pub(super) const LONGEST_NAME: usize = 100;

/// A stranger's text as a name: what is not a plain letter, digit or sign becomes `?`.
pub(super) fn plain(text: &str) -> String {
    let plain = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    text.chars().take(LONGEST_NAME).map(plain).collect()
}
