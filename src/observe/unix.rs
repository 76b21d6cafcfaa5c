//! Listening Unix sockets of one network namespace, with what waits for `accept()` at each.
//!
//! In: `NETLINK_SOCK_DIAG`. Out: [`UnixListeners`], at most [`KEPT`] of them. Must not: look at connections; take the name of a
//! socket for text that can be shown as it is.
//!
//! The name is the one that the program gave to `bind()`: a path of its own file system, which may be relative. Where the
//! kernel has the part of sock_diag as a module (`unix_diag`), the question loads it, as `ss -x` does. It answers such questions
//! and does nothing else.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use nix::errno::Errno;
use nix::sys::socket::SockProtocol;
use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::netlink::message::Malformed;
use crate::netlink::request::{unix_listeners, unix_waiting};
use crate::netlink::state;
use crate::netlink::unix::UnixView;
use crate::observe::gap::Gap;
use crate::observe::holder::Holder;
use crate::observe::netlink::{DumpError, buffer, exchange, insist};

/// How many listeners are kept, those with the longest queues first.
pub const KEPT: usize = 4096;
/// Of how many full queues the first client is asked for.
const ASKED: usize = 64;

/// The listening Unix sockets of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnixListeners {
    /// The ones with the longest queues first, then by inode; at most [`KEPT`].
    pub kept: Vec<UnixListener>,
    pub others: u64,
}

/// One listening Unix socket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnixListener {
    /// Its path, or `@` and its name if it is an abstract one; each zero byte is an `@`.
    pub path: String,
    pub inode: u64,
    /// The user who made it; absent on kernels before 5.3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The process that holds it, where that was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
    /// The effective backlog: `min(listen(backlog), net.core.somaxconn)` at the time of `listen()`. The queue is full at
    /// `limit + 1`.
    pub limit: u32,
    /// What waits for `accept()` at the end of the window.
    pub now: Waiting,
    /// The same at its start; absent when there was one look only, or the socket was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Waiting>,
}

/// What waits for `accept()` at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Waiting {
    /// Connections.
    pub queue: u32,
    /// Inode of the client that waits longest; known only where the queue is full, and has fewer than some 900 connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<u32>,
}

impl UnixListener {
    /// Whether the next `connect()` blocks, or fails with EAGAIN.
    pub const fn is_full(&self) -> bool {
        self.now.queue > self.limit
    }
}

impl UnixListeners {
    /// Enters what waited at the start of the window, beside what waits at its end.
    pub fn begin_with(&mut self, earlier: &Self) {
        let before: BTreeMap<u64, &UnixListener> = earlier.kept.iter().map(|other| (other.inode, other)).collect();
        for listener in &mut self.kept {
            let same = before.get(&listener.inode).filter(|other| other.path == listener.path);
            listener.before = same.map(|other| other.now);
        }
    }

    /// The inodes of listeners whose process a finding may name.
    pub fn worth_a_look(&self) -> impl Iterator<Item = u64> {
        self.kept.iter().filter(|listener| listener.is_full()).map(|listener| listener.inode)
    }

    /// Enters the processes, by the inodes of the sockets.
    pub fn enter(&mut self, holders: &BTreeMap<u64, Holder>) {
        for listener in &mut self.kept {
            listener.holder = holders.get(&listener.inode).cloned();
        }
    }
}

/// Reads the listeners of the namespace that this thread is in. `None` where that is not possible, which is a gap.
pub fn read(host: &Host) -> (Option<UnixListeners>, Option<Gap>) {
    let gap = |why: String| Some(Gap { what: "unix_listener".to_owned(), why });
    if !host.is_live() {
        return (None, gap("a recorded tree has no netlink".to_owned()));
    }
    match insist(Longest::default, listeners) {
        Ok(dump) => {
            let found = dump.record.finish();
            let gap = (found.others > 0).then(|| {
                let why = format!(
                    "the namespace has {} more listening Unix sockets; the {KEPT} with the longest queues are examined",
                    found.others
                );
                Gap { what: "unix_listener.others".to_owned(), why }
            });
            (Some(found), gap)
        }
        Err(DumpError::Refused(Errno::ENOENT)) => {
            (None, gap("this kernel cannot list Unix sockets (no unix_diag)".to_owned()))
        }
        Err(error) => (None, gap(error.to_string())),
    }
}

/// The listeners with the longest queues so far, each with the kernel's own number of it.
#[derive(Default)]
struct Longest {
    found: Vec<(UnixListener, u64)>,
    others: u64,
}

impl Longest {
    fn add(&mut self, listener: UnixListener, cookie: u64) {
        self.found.push((listener, cookie));
        if self.found.len() >= 2 * KEPT {
            self.prune();
        }
    }

    fn prune(&mut self) {
        let all = self.found.len();
        self.found.sort_by_key(|(listener, _)| (Reverse(listener.now.queue), listener.inode));
        self.found.truncate(KEPT);
        self.others += (all - self.found.len()) as u64;
    }

    fn finish(mut self) -> UnixListeners {
        self.prune();
        let mut buffer = buffer();
        for (listener, cookie) in self.found.iter_mut().filter(|(listener, _)| listener.is_full()).take(ASKED) {
            listener.now.first = first_waiting(listener.inode, *cookie, &mut buffer);
        }
        UnixListeners { kept: self.found.into_iter().map(|(listener, _)| listener).collect(), others: self.others }
    }
}

fn listeners(longest: &mut Longest, buffer: &mut [u8]) -> Result<bool, DumpError> {
    exchange(SockProtocol::NetlinkSockDiag, &unix_listeners(1), 1, buffer, &mut |payload: &[u8]| {
        let short = Malformed::ShortHeader { have: payload.len() };
        if let Some((listener, cookie)) = found(UnixView::new(payload).ok_or(short)?) {
            longest.add(listener, cookie);
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// `None` for what does not listen; kernels are asked for listening sockets only.
fn found(view: UnixView<'_>) -> Option<(UnixListener, u64)> {
    let (queue, limit) = view.queue().filter(|_| view.state() == state::LISTEN)?;
    let listener = UnixListener {
        path: shown(view.name().unwrap_or_default()),
        inode: view.inode().into(),
        uid: view.uid(),
        holder: None,
        limit,
        now: Waiting { queue, first: None },
        before: None,
    };
    Some((listener, view.cookie()))
}

/// As `ss` shows it.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).replace('\0', "@")
}

/// The client that waits longest, by its inode. The kernel refuses to say it of a queue that does not fit into a page. A socket
/// that is gone by now has none.
fn first_waiting(inode: u64, cookie: u64, buffer: &mut [u8]) -> Option<u32> {
    let mut first = None;
    let request = unix_waiting(u32::try_from(inode).ok()?, cookie, 1);
    let asked = exchange(SockProtocol::NetlinkSockDiag, &request, 1, buffer, &mut |payload: &[u8]| {
        first = UnixView::new(payload).and_then(UnixView::first_waiting).filter(|inode| *inode != 0);
        Ok::<_, Malformed>(ControlFlow::Break(()))
    });
    if let Err(error) = asked {
        tracing::debug!(inode, %error, "the first client of a Unix socket is unknown");
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(inode: u64, queue: u32) -> UnixListener {
        let now = Waiting { queue, first: None };
        UnixListener { path: format!("/run/{inode}"), inode, limit: 4, now, ..UnixListener::default() }
    }

    #[test]
    fn the_longest_queues_are_kept_and_the_others_are_counted() {
        let mut longest = Longest::default();
        (0..3 * KEPT as u64 + 10).for_each(|inode| longest.add(listener(inode, u32::from(inode == 9000) * 3), 0));
        let UnixListeners { kept, others } = longest.finish();
        assert_eq!((kept.len(), others), (KEPT, 2 * KEPT as u64 + 10));
        assert_eq!(kept[..3].iter().map(|kept| kept.inode).collect::<Vec<_>>(), [9000, 0, 1]);
    }

    #[test]
    fn the_start_of_the_window_is_that_of_the_same_socket() {
        let earlier = UnixListeners { kept: vec![listener(1, 5), listener(2, 6)], others: 0 };
        let renamed = UnixListener { path: "/run/other".to_owned(), ..listener(2, 1) };
        let mut now = UnixListeners { kept: vec![listener(1, 4), renamed, listener(3, 0)], others: 0 };
        now.begin_with(&earlier);
        let before: Vec<_> = now.kept.iter().map(|kept| kept.before.map(|before| before.queue)).collect();
        assert_eq!(before, [Some(5), None, None]);
    }

    #[test]
    fn a_name_of_any_bytes_becomes_text() {
        assert_eq!(shown(b"/run/app.sock"), "/run/app.sock");
        assert_eq!(shown(b"\0app\0x"), "@app@x");
        assert_eq!(shown(b"/run/\xff"), "/run/\u{fffd}");
    }

    #[test]
    fn a_snapshot_keeps_both_looks() {
        let (before, first) = (Some(Waiting { queue: 5, first: None }), Some(7));
        let listener = UnixListener { now: Waiting { queue: 5, first }, before, ..listener(1, 0) };
        let json = serde_json::to_string(&listener).unwrap();
        assert_eq!(serde_json::from_str::<UnixListener>(&json).unwrap(), listener, "{json}");
    }
}
