//! Takes a snapshot: asks every source in turn, twice for the counters.
//!
//! In: a host, the namespaces that are wanted, the window, and a way to wait for it. Out: a [`Snapshot`] with a gap for
//! each thing that was not read.
//! Must not: fail because one source or one namespace fails; it fails only when nothing at all could be seen. Leave the
//! calling thread in another namespace.

use std::time::{Duration, Instant};

use super::{Namespace, SCHEMA, Snapshot, Window, WindowSource};
use crate::host::Host;
use crate::host::netns::{self, EnterError, Hidden, Place, Places, Which};
use crate::observe::counters::Counters;
use crate::observe::gap::Gap;
use crate::observe::owners;
use crate::observe::persisted::Persisted;
use crate::observe::surroundings::{self, Surroundings};
use crate::observe::sysctls::{self, Interfaces, Sysctls};
use crate::observe::{counters, persisted, sockets, system};
use crate::units;

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// No sockets, no counters, no sysctls.
    #[error("nothing of this host's network could be read: {0}")]
    NothingSeen(String),
    /// The namespace that was wanted does not exist, or cannot be entered.
    #[error(transparent)]
    Netns(#[from] EnterError),
}

/// Observes the namespaces that are wanted, the calling thread's own first. `wait` lets the window pass, once for all of
/// them, and may show that it does; a window of zero takes one reading and no deltas. Namespaces that are there and cannot
/// be looked at are gaps of the machine. Of a captured tree there is only its own namespace.
pub fn take(host: &Host, which: &Which, window: Duration, wait: impl FnOnce(Duration)) -> Result<Snapshot, TakeError> {
    let Places { places, hidden, complete } = if host.is_live() { netns::resolve(which)? } else { Places::here(host) };
    let mut first = None;
    if !window.is_zero() {
        // A gap of the first look shows in the second again. Each round takes as long as its counterpart after the window,
        // so that the time between two readings is the same for the first namespace and the last.
        let queues = netns::visit(&places, |_, _| sockets::read_queues(host).ok());
        let started = Instant::now();
        let counters = netns::visit(&places, |_, _| counters::read(host).0);
        wait(window);
        first = Some((queues, counters, started.elapsed().as_secs_f64()));
    }
    let counters = netns::visit(&places, |_, _| counters::read(host));
    let (system, mut gaps) = system::read(host);
    let (files, file_gaps) = persisted::read(host);
    let (machine_keys, key_gaps) = sysctls::read_machine(host);
    gaps.extend(file_gaps);
    gaps.extend(key_gaps);
    let mut machine = Machine { host, files: &files, keys: &machine_keys, around: None };
    let empty = |number: usize| match counters.get(number) {
        Some(Ok((counters, _))) => sockets::is_not_worth_it(counters),
        _ => false,
    };
    let looks = netns::visit(&places, |number, _| machine.look(number == 0, empty(number)));

    let around = machine.around;
    let (queues, before, seconds) = first.map_or((None, None, 0.0), |(q, c, s)| (Some(q), Some(c), s));
    let mut before = before.map(Vec::into_iter);
    let mut queues = queues.map(Vec::into_iter);
    let mut seen = Vec::new();
    let mut unseen = Vec::new();
    for ((place, counters), look) in places.iter().zip(counters).zip(looks) {
        let before = before.as_mut().and_then(Iterator::next).transpose();
        let queues = queues.as_mut().and_then(Iterator::next).transpose();
        match (before, queues, counters, look) {
            (Ok(before), Ok(queues), Ok((counters, gaps)), Ok(mut look)) => {
                look.gaps.splice(0..0, gaps);
                match nothing(&counters, &look) {
                    None => seen.push(Seen { place, before, queues: queues.flatten(), counters, look }),
                    Some(why) => unseen.push(Hidden { name: place.name.clone(), why }),
                }
            }
            (Err(error), ..) | (_, Err(error), ..) | (_, _, Err(error), _) | (.., Err(error)) => {
                let EnterError::Refused { name, why } = error else { return Err(error.into()) };
                unseen.push(Hidden { name, why });
            }
        }
    }
    match (&seen[..], &unseen[..], which) {
        ([], [Hidden { name, why }], Which::Named(_)) => {
            return Err(EnterError::Refused { name: name.clone(), why: why.clone() }.into());
        }
        ([], unseen, _) => {
            let why: Vec<_> = unseen.iter().take(3).map(|hidden| hidden.why.as_str()).collect();
            return Err(TakeError::NothingSeen(why.join("; ")));
        }
        _ => {}
    }
    let all_namespaces = *which == Which::All && complete && unseen.is_empty();
    gaps.extend(hidden.into_iter().chain(unseen).map(gap));
    Ok(Snapshot {
        schema: SCHEMA.to_owned(),
        written_by: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at: units::now(),
        system,
        window: Window {
            seconds: (seconds * 1000.0).round() / 1000.0,
            source: if window.is_zero() { WindowSource::None } else { WindowSource::Sample },
        },
        namespaces: namespaces(host, seen, &machine_keys),
        all_namespaces,
        persisted: Some(files),
        surroundings: around,
        rehearsal: None,
        gaps,
    })
}

/// What is the same in every namespace, read already, and what only the first one is asked for.
struct Machine<'a> {
    host: &'a Host,
    files: &'a Persisted,
    keys: &'a Sysctls,
    around: Option<Surroundings>,
}

/// What one namespace shows after the window, besides its counters.
struct Look {
    sysctls: Sysctls,
    sockets: Option<sockets::Unowned>,
    gaps: Vec<Gap>,
}

/// Everything that is known of one namespace.
struct Seen<'a> {
    place: &'a Place,
    before: Option<Counters>,
    queues: Option<sockets::Queues>,
    counters: Counters,
    look: Look,
}

impl Machine<'_> {
    /// Looks at the namespace of the calling thread.
    fn look(&mut self, is_first: bool, is_empty: bool) -> Look {
        let interfaces = if is_first { Interfaces::Read } else { Interfaces::LeftOut };
        let (sysctls, mut gaps) = sysctls::read_net(self.host, interfaces);
        let read = if is_empty && !is_first {
            let (none, gap) = sockets::none();
            Ok((none, vec![gap]))
        } else {
            sockets::read(self.host, &sysctls)
        };
        let sockets = match read {
            Ok((seen, socket_gaps)) => {
                gaps.extend(socket_gaps);
                Some(seen)
            }
            Err(gap) => {
                gaps.push(gap);
                None
            }
        };
        // The files are those of one namespace, that of a boot; what is around them is held against the first.
        if self.around.is_none() && !sysctls.is_empty() {
            let all = sysctls.iter().chain(self.keys).map(|(key, text)| (key.clone(), text.clone())).collect();
            self.around = Some(surroundings::read(self.host, self.files, &all));
        }
        Look { sysctls, sockets, gaps }
    }
}

/// Why a namespace that shows nothing does so.
fn nothing(counters: &Counters, look: &Look) -> Option<String> {
    if look.sockets.is_some() || !counters.is_empty() || !look.sysctls.is_empty() {
        return None;
    }
    let why: Vec<_> = look.gaps.iter().take(3).map(|gap| gap.why.as_str()).collect();
    Some(why.join("; "))
}

fn gap(Hidden { name, why }: Hidden) -> Gap {
    Gap { what: "netns".to_owned(), why: format!("{name}: {why}") }
}

/// Enters the owners, found for all at once, the queues of before, and what the machine's namespace is called.
fn namespaces(host: &Host, seen: Vec<Seen<'_>>, machine_keys: &Sysctls) -> Vec<Namespace> {
    let mut unowned = Vec::new();
    let mut rest = Vec::new();
    for Seen { place, before, queues, counters, look: Look { sysctls, sockets, gaps } } in seen {
        let has_sockets = sockets.is_some();
        unowned.extend(sockets);
        rest.push((place, before, queues, counters, sysctls, gaps, has_sockets));
    }
    let mut owned = owners::find(host, unowned).into_iter();
    rest.into_iter()
        .map(|(place, counters_before, queues, counters, mut sysctls, mut gaps, has_sockets)| {
            let (mut sockets, gap) = if has_sockets { owned.next().unzip() } else { (None, None) };
            gaps.extend(gap.flatten());
            if let (Some(sockets), Some(queues)) = (&mut sockets, queues) {
                queues.enter(sockets);
            }
            let initial = is_initial(&sysctls);
            sysctls.extend(machine_keys.iter().map(|(key, text)| (key.clone(), text.clone())));
            let name = if initial { netns::HOST.to_owned() } else { place.name.clone() };
            Namespace { id: place.id.clone(), name, initial, sockets, counters_before, counters, sysctls, gaps }
        })
        .collect()
}

/// Which namespace the calling thread is in.
#[derive(Debug)]
pub struct Identity {
    /// As `/proc/thread-self/ns/net` reads.
    pub id: String,
    pub name: String,
    /// Whether it is the machine's first.
    pub initial: bool,
}

/// Tells the namespace by its sysctls and its names.
pub fn identity(host: &Host, sysctls: &Sysctls) -> Identity {
    let initial = is_initial(sysctls);
    let Place { id, name, .. } = Place::here(host);
    let name = if initial { netns::HOST.to_owned() } else { name };
    Identity { id, name, initial }
}

/// Some keys exist only in the machine's first namespace (kernel: `net_eq(net, &init_net)` in `sysctl_net_ipv4.c`), so
/// that their presence tells more than comparing with process 1, which may itself live in a container.
fn is_initial(sysctls: &Sysctls) -> bool {
    ["net.ipv4.tcp_mem", "net.core.netdev_max_backlog"].iter().any(|key| sysctls.contains_key(*key))
}
