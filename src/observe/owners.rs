//! Which process holds a socket.
//!
//! In: the inodes of listeners, and of connections in CLOSE_WAIT or with much data in their buffers; those of other sockets that a
//! finding may name. Out: [`Owner`] records, and the [`Holder`] of each of the latter, by one pass over `/proc/*/fd`.
//! Must not: look when there is nothing to look for: the pass costs some 5 us an open file of the machine. It is made
//! where a rule may have something to say of a process: from [`CLOSE_WAIT_WORTH`] sockets in CLOSE_WAIT on, and for
//! listeners as `is_reported` says. For a listener that merely has many connections, only the files of a process near its limit
//! are looked at.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use procfs::process::{FDTarget, LimitValue, Process};

use crate::host::Host;
use crate::observe::gap::Gap;
use crate::observe::holder::Holder;
use crate::observe::sockets::{Listener, Owner, Queued, Sockets, Unowned, Waiting, is_filling};

/// CLOSE_WAIT sockets from which their owners are looked for; a few are always on their way through that state.
pub const CLOSE_WAIT_WORTH: u64 = 10;
/// Silent connections without keepalive from which the process of their listener is looked for, and how long they are
/// silent.
const SILENT_WORTH: u64 = 20;
const SILENT_SECONDS: u64 = 1800;
/// Connections of a listener from which its process is looked for: the usual limit is 1,024 open files.
const CONNECTIONS_WORTH: u64 = 500;
/// Open files among which a listener is looked for, where only its process is of interest: it is opened before its connections, and
/// the kernel lists the lowest numbers first. To look at a million costs seconds.
const FILES_FOR_A_LISTENER: usize = 4_096;
/// Open files up to which the limit of a process is not even asked for.
const FEW_FILES: usize = 32;
/// A wait for `accept()` that no healthy server causes.
const WAIT_MS: u32 = 1000;
/// Connections with much unread data, or bytes in the buffers of full connections, from which their owners are looked for.
const FULL_WORTH: (u64, u64) = (20, 16 << 20);
/// Owners that are kept, those with the most CLOSE_WAIT first. The sockets of the others count as unowned.
pub const OWNERS_KEPT: usize = 256;

/// What is looked for in one namespace.
#[derive(Debug, Default)]
pub struct Search {
    /// Its TCP sockets, where they were read.
    pub sockets: Option<Unowned>,
    /// Inodes of other sockets.
    pub inodes: BTreeSet<u64>,
}

impl From<Unowned> for Search {
    fn from(sockets: Unowned) -> Self {
        Self { sockets: Some(sockets), inodes: BTreeSet::new() }
    }
}

/// What was found of it.
#[derive(Debug, Default)]
pub struct Searched {
    pub sockets: Option<Sockets>,
    /// By inode; of several processes the one with the lowest number.
    pub holders: BTreeMap<u64, Holder>,
    /// What could not be seen, once.
    pub gap: Option<Gap>,
}

/// How much of the processes is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    Nothing,
    /// Those that may be near their limit of open files.
    NearLimit,
    Everything,
}

/// What an inode is to us.
enum Held<'a> {
    Connection(&'a Waiting),
    Listener(&'a Listener),
    Other,
}

/// What is looked for: the inode of a socket, the namespace that it is in by its place among the readings.
type Wanted<'a> = HashMap<u64, (usize, Held<'a>)>;

/// Finds the owners and enters them into the readings, in one pass for all of them.
///
/// A connection that several processes hold counts for the one with the lowest number. A listener is told of each
/// process that holds it, for the workers of a pre-forking server all accept from it. Sockets whose process cannot be
/// seen are grouped by user.
pub fn find(host: &Host, searches: Vec<Search>) -> Vec<Searched> {
    let of = |search: &Search| search.sockets.as_ref().filter(|_| host.is_live()).map_or(Worth::Nothing, worth);
    let worth: Vec<Worth> = searches.iter().map(of).collect();
    let found = look_up(host, &searches, &worth);
    let all = searches.into_iter().zip(found).zip(worth);
    all.map(|((search, found), worth)| {
        let mut sockets = search.sockets.map(|reading| reading.sockets);
        if let Some(sockets) = sockets.as_mut().filter(|_| worth > Worth::Nothing) {
            enter(sockets, found.owners, found.listening);
        }
        Searched { sockets, holders: found.holders, gap: found.gap }
    })
    .collect()
}

fn worth(reading: &Unowned) -> Worth {
    let Unowned { sockets, exposed, .. } = reading;
    let is_everything = *exposed
        || sockets.states.close_wait >= CLOSE_WAIT_WORTH
        || sockets.queued.is_some_and(are_full)
        || sockets.listeners.iter().any(is_reported);
    let many = || sockets.listeners.iter().any(|listener| listener.established >= CONNECTIONS_WORTH);
    match () {
        () if is_everything => Worth::Everything,
        () if many() => Worth::NearLimit,
        () => Worth::Nothing,
    }
}

/// Whether a finding may name who holds so much data.
const fn are_full(queued: Queued) -> bool {
    queued.unread_sockets >= FULL_WORTH.0 || queued.unread_bytes + queued.unsent_bytes >= FULL_WORTH.1
}

/// Whether a finding may name the process of this listener: its queue fills, a client waits in it for seconds, it dropped
/// packets (in the window, or since listen() where the start of the window is not known yet), or clients of it are silent.
fn is_reported(listener: &Listener) -> bool {
    let dropped = listener.drops.is_some_and(|drops| drops != listener.drops_before.unwrap_or(0));
    let silent = listener.idle_no_keepalive.at_least(SILENT_SECONDS) >= SILENT_WORTH;
    let waits = listener.queue > 0 && listener.waited_ms.is_some_and(|waited| waited >= WAIT_MS);
    dropped || silent || waits || is_filling(listener.queue, listener.limit)
}

fn enter(sockets: &mut Sockets, mut owners: Vec<Owner>, mut listening: BTreeMap<u64, Option<Holder>>) {
    for listener in &mut sockets.listeners {
        listener.holder = listening.remove(&listener.inode).flatten();
    }
    let bytes = |owner: &Owner| owner.queued.map_or(0, |queued| queued.unread_bytes + queued.unsent_bytes);
    owners.sort_by_cached_key(|owner| {
        (Reverse(owner.close_wait), Reverse(bytes(owner)), owner.pid.unwrap_or(u32::MAX), owner.uid)
    });
    owners.truncate(OWNERS_KEPT);
    let owned: u64 = owners.iter().map(|owner| owner.close_wait).sum();
    sockets.close_wait_unowned = sockets.states.close_wait.saturating_sub(owned);
    sockets.owners = owners;
}

/// The owners of one namespace's sockets.
#[derive(Default)]
struct Found {
    owners: Vec<Owner>,
    holders: BTreeMap<u64, Holder>,
    /// Of listening sockets by inode; `None` where several processes hold one.
    listening: BTreeMap<u64, Option<Holder>>,
    gap: Option<Gap>,
}

impl Found {
    fn listens(&mut self, inode: u64, process: &Process) {
        let is_other = |holder: &Holder| i32::try_from(holder.pid) != Ok(process.pid());
        let known = self.listening.entry(inode).or_insert_with(|| Some(holder(process)));
        known.take_if(|known| is_other(known));
    }
}

/// The TCP sockets only where they are `worth` it.
fn wanted<'a>(searches: &'a [Search], worth: &[Worth]) -> Wanted<'a> {
    let mut wanted = Wanted::new();
    for (place, (search, worth)) in searches.iter().zip(worth).enumerate() {
        wanted.extend(search.inodes.iter().map(|inode| (*inode, (place, Held::Other))));
        let Some(reading) = search.sockets.as_ref().filter(|_| *worth > Worth::Nothing) else { continue };
        wanted.extend(reading.waiting.iter().map(|socket| (socket.inode, (place, Held::Connection(socket)))));
        let with_inode = reading.sockets.listeners.iter().filter(|listener| listener.inode != 0);
        wanted.extend(with_inode.map(|listener| (listener.inode, (place, Held::Listener(listener)))));
    }
    wanted
}

fn look_up(host: &Host, searches: &[Search], worth: &[Worth]) -> Vec<Found> {
    let mut found: Vec<Found> = searches.iter().map(|_| Found::default()).collect();
    let mut wanted = if host.is_live() { wanted(searches, worth) } else { Wanted::new() };
    let is_all = worth.contains(&Worth::Everything) || searches.iter().any(|search| !search.inodes.is_empty());
    if !is_all && !worth.contains(&Worth::NearLimit) {
        return found;
    }
    let mut seen_listeners = BTreeSet::new();
    let mut hidden = 0_u64;
    for process in processes(host).filter(|process| is_all || may_be_near_limit(process)) {
        let Ok(files) = process.fd() else {
            hidden += 1;
            continue;
        };
        let (most, known) = if is_all { (usize::MAX, None) } else { (FILES_FOR_A_LISTENER, process.fd_count().ok()) };
        let mut count = 0;
        // A process may hold sockets of several namespaces.
        let mut parts: BTreeMap<usize, (Owner, BTreeSet<String>)> = BTreeMap::new();
        for file in files.take(most) {
            count += 1;
            let Ok(FDTarget::Socket(inode)) = file.map(|file| file.target) else { continue };
            match wanted.get(&inode) {
                Some((place, Held::Connection(socket))) => {
                    add(&mut parts.entry(*place).or_default().0, socket);
                    wanted.remove(&inode);
                }
                Some((place, Held::Listener(listener))) => {
                    parts.entry(*place).or_default().1.insert(name_of(listener));
                    found[*place].listens(inode, &process);
                    seen_listeners.insert(inode);
                }
                Some((place, Held::Other)) => {
                    found[*place].holders.insert(inode, holder(&process));
                    wanted.remove(&inode);
                }
                None => {}
            }
        }
        for (place, (mut owner, names)) in parts {
            owner.listeners.extend(names);
            describe(&mut owner, &process, known.map_or(count, |known| known as u64));
            found[place].owners.push(owner);
        }
    }
    if !is_all {
        // Others that hold the same listener may not have been looked at.
        found.iter_mut().for_each(|found| found.listening.clear());
        return found;
    }
    wanted.retain(|inode, _| !seen_listeners.contains(inode));
    for (place, found) in found.iter_mut().enumerate() {
        let left: Vec<&Held<'_>> = wanted.values().filter(|(there, _)| *there == place).map(|(_, held)| held).collect();
        // Not `owner`: the sockets are still told of, by user, and rules on owners hold for them.
        found.gap = (!left.is_empty()).then(|| Gap { what: "owners".to_owned(), why: unseen(left.len(), hidden) });
        found.owners.extend(by_user(left));
    }
    found
}

/// All processes, by number. One that ends meanwhile is passed over.
fn processes(host: &Host) -> impl Iterator<Item = Process> {
    let mut numbers: Vec<u32> =
        host.list("/proc").unwrap_or_default().iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    let root = host.locate("/proc");
    numbers.into_iter().filter_map(move |number| Process::new_with_root(root.join(number.to_string())).ok())
}

/// Whether a process has half as many files open as it may: by their number, which costs little (since Linux 6.2 the kernel
/// has it ready). At nine tenths a rule speaks of it.
fn may_be_near_limit(process: &Process) -> bool {
    let Ok(files) = process.fd_count() else { return false };
    files >= FEW_FILES && file_limit(process).is_some_and(|limit| files as u64 * 2 >= limit)
}

/// The soft limit of open files; none where there is none, or it cannot be read.
fn file_limit(process: &Process) -> Option<u64> {
    match process.limits().ok()?.max_open_files.soft_limit {
        LimitValue::Value(limit) => Some(limit),
        LimitValue::Unlimited => None,
    }
}

fn holder(process: &Process) -> Holder {
    let name = process.stat().map(|stat| stat.comm).unwrap_or_default();
    Holder { pid: u32::try_from(process.pid()).unwrap_or_default(), name }
}

fn describe(owner: &mut Owner, process: &Process, files: u64) {
    owner.pid = u32::try_from(process.pid()).ok();
    owner.name = process.stat().ok().map(|stat| stat.comm);
    owner.uid = process.uid().unwrap_or(owner.uid);
    owner.fds = Some(files);
    owner.fd_limit = file_limit(process);
}

fn add(owner: &mut Owner, socket: &Waiting) {
    if socket.close_wait {
        owner.close_wait += 1;
        owner.close_wait_idle.add_known(socket.idle_ms);
    }
    owner.queued.get_or_insert_default().add(socket.unread, socket.unsent, socket.others + 1);
}

/// What no visible process holds, one owner a user.
fn by_user(left: Vec<&Held<'_>>) -> impl Iterator<Item = Owner> {
    let mut users: BTreeMap<u32, (Owner, BTreeSet<String>)> = BTreeMap::new();
    for held in left {
        match held {
            Held::Connection(socket) => add(&mut users.entry(socket.uid).or_default().0, socket),
            Held::Listener(listener) => {
                users.entry(listener.uid).or_default().1.insert(name_of(listener));
            }
            // Who made it is known from the socket itself.
            Held::Other => {}
        }
    }
    users.into_iter().map(|(uid, (owner, names))| Owner { uid, listeners: names.into_iter().collect(), ..owner })
}

fn name_of(listener: &Listener) -> String {
    let Listener { address, port, .. } = listener;
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

fn unseen(sockets: usize, hidden: u64) -> String {
    if hidden > 0 {
        format!("the process of {sockets} sockets is unknown; {hidden} processes cannot be examined without privileges")
    } else {
        format!("{sockets} sockets belong to no process of this PID namespace")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_of_unseen_processes_are_grouped_by_user() {
        let waiting = [(1, 33), (2, 33), (3, 1000)].map(|(inode, uid)| Waiting {
            inode,
            uid,
            close_wait: true,
            idle_ms: Some(5000),
            ..Waiting::default()
        });
        let listener = Listener { address: "::".to_owned(), port: 80, inode: 9, uid: 33, ..Listener::default() };
        let mut left: Vec<Held<'_>> = waiting.iter().map(Held::Connection).collect();
        left.push(Held::Listener(&listener));
        let owners: Vec<Owner> = by_user(left.iter().collect()).collect();
        let [web, user] = &owners[..] else { panic!("{owners:?}") };
        assert_eq!((web.uid, web.close_wait, web.close_wait_idle.at_least(5)), (33, 2, 2));
        assert_eq!((web.name.as_deref(), web.pid, &web.listeners[..]), (None, None, &["[::]:80".to_owned()][..]));
        assert_eq!((user.uid, user.close_wait, user.listeners.len()), (1000, 1, 0));
    }

    #[test]
    fn a_listener_that_a_finding_may_name_is_worth_a_look() {
        let healthy = Listener { limit: Some(128), drops: Some(0), ..Listener::default() };
        let mut silent = healthy.clone();
        (0..SILENT_WORTH).for_each(|_| silent.idle_no_keepalive.add(SILENT_SECONDS * 1000));
        let dropped = |before, now| Listener { drops_before: before, drops: Some(now), ..healthy.clone() };
        let all = [
            (healthy.clone(), false),
            (dropped(Some(7), 7), false),
            (dropped(Some(7), 8), true),
            (dropped(None, 8), true),
            (Listener { queue: 65, ..healthy.clone() }, true),
            (Listener { queue: 1, waited_ms: Some(WAIT_MS), ..healthy.clone() }, true),
            (silent, true),
        ];
        for (listener, worth) in all {
            assert_eq!(is_reported(&listener), worth, "{listener:?}");
        }
    }

    #[test]
    fn a_listener_with_many_connections_is_worth_a_look_at_processes_near_their_limit_only() {
        let of = |established, queue| {
            let listener = Listener { limit: Some(128), drops: Some(0), established, queue, ..Listener::default() };
            let bare = crate::report::example::sockets();
            let sockets = Sockets { listeners: vec![listener], states: Default::default(), queued: None, ..bare };
            worth(&Unowned { sockets, waiting: Vec::new(), exposed: false })
        };
        assert_eq!(of(CONNECTIONS_WORTH - 1, 0), Worth::Nothing);
        assert_eq!(of(CONNECTIONS_WORTH, 0), Worth::NearLimit);
        assert_eq!(of(CONNECTIONS_WORTH, 65), Worth::Everything, "its queue fills");
    }

    #[test]
    fn a_listening_socket_has_a_holder_only_where_that_is_one_process_alone() {
        let me = Process::myself().unwrap();
        let parent = Process::new(me.stat().unwrap().ppid).unwrap();
        let mut found = Found::default();
        [(1, &me), (1, &me), (2, &parent), (2, &me), (2, &me)].iter().for_each(|(inode, by)| found.listens(*inode, by));
        let pid = found.listening[&1].as_ref().map(|holder| holder.pid);
        assert_eq!((pid, &found.listening[&2]), (Some(std::process::id()), &None), "twice the same process is one");
    }

    #[test]
    fn an_inode_that_nobody_holds_is_a_gap_of_its_namespace_and_told_once() {
        // Inode numbers of sockets are far below this one.
        let waiting = vec![u64::MAX, u64::MAX - 1];
        let waiting = waiting
            .into_iter()
            .map(|inode| Waiting { inode, uid: 7, close_wait: true, ..Waiting::default() })
            .collect();
        let reading = |waiting: Vec<Waiting>| {
            let sockets = Sockets { listeners: Vec::new(), ..crate::report::example::sockets() };
            Search::from(Unowned { sockets, waiting, exposed: false })
        };
        let other = Search { sockets: None, inodes: [u64::MAX - 2].into() };
        let found = look_up(
            &Host::live(),
            &[reading(Vec::new()), reading(waiting), other],
            &[Worth::Nothing, Worth::Everything, Worth::Nothing],
        );
        let [quiet, found, other] = &found[..] else { panic!("one for each namespace") };
        assert!(other.gap.as_ref().is_some_and(|gap| gap.why.contains("1 sockets")) && other.owners.is_empty());
        assert!(quiet.owners.is_empty() && quiet.gap.is_none());
        assert_eq!(found.owners.iter().map(|owner| (owner.uid, owner.close_wait)).collect::<Vec<_>>(), [(7, 2)]);
        assert!(found.gap.as_ref().is_some_and(|gap| gap.what == "owners" && gap.why.contains("2 sockets")));
    }
}
