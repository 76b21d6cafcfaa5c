//! Which process holds a socket.
//!
//! In: the inodes of CLOSE_WAIT sockets and of listeners. Out: [`Owner`] records, by one pass over `/proc/*/fd`.
//! Must not: look when there is nothing to look for: the pass costs some 5 us an open file of the machine. It is made
//! when at least [`CLOSE_WAIT_WORTH`] sockets are in CLOSE_WAIT or a listener's queue is more than half full.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use procfs::process::{FDTarget, LimitValue, Process};

use crate::host::Host;
use crate::observe::gap::Gap;
use crate::observe::sockets::{Listener, Owner, Sockets, Waiting, is_filling};

/// CLOSE_WAIT sockets from which their owners are looked for; a few are always on their way through that state.
pub const CLOSE_WAIT_WORTH: u64 = 10;
/// Owners that are kept, those with the most CLOSE_WAIT first. The sockets of the others count as unowned.
pub const OWNERS_KEPT: usize = 256;

/// What an inode is to us.
enum Held<'a> {
    CloseWait(&'a Waiting),
    Listener(&'a Listener),
}

/// Finds the owners and enters them into `sockets`; tells what could not be seen, once.
///
/// A connection that several processes hold counts for the one with the lowest number. A listener is told of each
/// process that holds it, for the workers of a pre-forking server all accept from it. Sockets whose process cannot be
/// seen are grouped by user.
pub(in crate::observe) fn find(host: &Host, sockets: &mut Sockets, waiting: &[Waiting]) -> Option<Gap> {
    let filling = sockets.listeners.iter().any(|listener| is_filling(listener.queue, listener.limit));
    if !host.is_live() || !(filling || sockets.states.close_wait >= CLOSE_WAIT_WORTH) {
        return None;
    }
    let (mut owners, gap) = look_up(host, &sockets.listeners, waiting);
    owners.sort_by_cached_key(|owner| (Reverse(owner.close_wait), owner.pid.unwrap_or(u32::MAX), owner.uid));
    owners.truncate(OWNERS_KEPT);
    let owned: u64 = owners.iter().map(|owner| owner.close_wait).sum();
    sockets.close_wait_unowned = sockets.states.close_wait.saturating_sub(owned);
    sockets.owners = owners;
    gap
}

fn look_up(host: &Host, listeners: &[Listener], waiting: &[Waiting]) -> (Vec<Owner>, Option<Gap>) {
    let mut wanted: HashMap<u64, Held<'_>> =
        waiting.iter().map(|socket| (socket.inode, Held::CloseWait(socket))).collect();
    let with_inode = listeners.iter().filter(|listener| listener.inode != 0);
    wanted.extend(with_inode.map(|listener| (listener.inode, Held::Listener(listener))));
    let mut seen_listeners = BTreeSet::new();
    let mut owners = Vec::new();
    let mut hidden = 0_u64;
    for process in processes(host) {
        let Ok(files) = process.fd() else {
            hidden += 1;
            continue;
        };
        let (mut owner, mut count) = (Owner::default(), 0);
        let mut names = BTreeSet::new();
        for file in files {
            count += 1;
            let Ok(FDTarget::Socket(inode)) = file.map(|file| file.target) else { continue };
            match wanted.get(&inode) {
                Some(Held::CloseWait(socket)) => {
                    add_close_wait(&mut owner, socket);
                    wanted.remove(&inode);
                }
                Some(Held::Listener(listener)) => {
                    names.insert(name_of(listener));
                    seen_listeners.insert(inode);
                }
                None => {}
            }
        }
        owner.listeners.extend(names);
        if owner.close_wait > 0 || !owner.listeners.is_empty() {
            describe(&mut owner, &process, count);
            owners.push(owner);
        }
    }
    wanted.retain(|inode, _| !seen_listeners.contains(inode));
    // Not `owner`: the sockets are still told of, by user, and rules on owners hold for them.
    let gap = (!wanted.is_empty()).then(|| Gap { what: "owners".to_owned(), why: unseen(wanted.len(), hidden) });
    owners.extend(by_user(wanted));
    (owners, gap)
}

/// All processes, by number. One that ends meanwhile is passed over.
fn processes(host: &Host) -> impl Iterator<Item = Process> {
    let mut numbers: Vec<u32> =
        host.list("/proc").unwrap_or_default().iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    let root = host.locate("/proc");
    numbers.into_iter().filter_map(move |number| Process::new_with_root(root.join(number.to_string())).ok())
}

fn describe(owner: &mut Owner, process: &Process, files: u64) {
    owner.pid = u32::try_from(process.pid()).ok();
    owner.name = process.stat().ok().map(|stat| stat.comm);
    owner.uid = process.uid().unwrap_or(owner.uid);
    owner.fds = Some(files);
    owner.fd_limit = process.limits().ok().and_then(|limits| match limits.max_open_files.soft_limit {
        LimitValue::Value(limit) => Some(limit),
        LimitValue::Unlimited => None,
    });
}

fn add_close_wait(owner: &mut Owner, socket: &Waiting) {
    owner.close_wait += 1;
    if let Some(age) = socket.idle_ms {
        owner.close_wait_idle.add(age.into());
    }
}

/// What no visible process holds, one owner a user.
fn by_user(left: HashMap<u64, Held<'_>>) -> impl Iterator<Item = Owner> {
    let mut users: BTreeMap<u32, (Owner, BTreeSet<String>)> = BTreeMap::new();
    for held in left.into_values() {
        match held {
            Held::CloseWait(socket) => add_close_wait(&mut users.entry(socket.uid).or_default().0, socket),
            Held::Listener(listener) => {
                users.entry(listener.uid).or_default().1.insert(name_of(listener));
            }
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
        format!(
            "no process seen to hold {sockets} sockets; {hidden} processes may not be looked into without privilege"
        )
    } else {
        format!("no process in this PID namespace holds {sockets} sockets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_of_unseen_processes_are_grouped_by_user() {
        let waiting = [(1, 33), (2, 33), (3, 1000)].map(|(inode, uid)| Waiting { inode, uid, idle_ms: Some(5000) });
        let listener = Listener { address: "::".to_owned(), port: 80, inode: 9, uid: 33, ..Listener::default() };
        let mut left: HashMap<u64, Held<'_>> =
            waiting.iter().map(|socket| (socket.inode, Held::CloseWait(socket))).collect();
        left.insert(9, Held::Listener(&listener));
        let owners: Vec<Owner> = by_user(left).collect();
        let [web, user] = &owners[..] else { panic!("{owners:?}") };
        assert_eq!((web.uid, web.close_wait, web.close_wait_idle.at_least(5)), (33, 2, 2));
        assert_eq!((web.name.as_deref(), web.pid, &web.listeners[..]), (None, None, &["[::]:80".to_owned()][..]));
        assert_eq!((user.uid, user.close_wait, user.listeners.len()), (1000, 1, 0));
    }

    #[test]
    fn an_inode_that_nobody_holds_is_a_gap_and_told_once() {
        // Inode numbers of sockets are far below this one.
        let waiting = [u64::MAX, u64::MAX - 1].map(|inode| Waiting { inode, uid: 7, idle_ms: None });
        let (owners, gap) = look_up(&Host::live(), &[], &waiting);
        assert_eq!(owners.iter().map(|owner| (owner.uid, owner.close_wait)).collect::<Vec<_>>(), [(7, 2)]);
        assert!(gap.is_some_and(|gap| gap.what == "owners" && gap.why.contains("2 sockets")));
    }
}
