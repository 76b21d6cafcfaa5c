//! Takes a snapshot: asks every source in turn, twice for the counters.
//!
//! In: a host, the window, and a way to wait for it. Out: a [`Snapshot`] with a gap for each thing that was not read.
//! Must not: fail because one source fails; it fails only when nothing at all could be seen.

use std::time::{Duration, Instant};

use super::{Namespace, SCHEMA, Snapshot, Window, WindowSource};
use crate::host::Host;
use crate::observe::{counters, persisted, sockets, surroundings, sysctls, system};

/// Nothing of the network could be read: no sockets, no counters, no sysctls.
#[derive(Debug, thiserror::Error)]
#[error("nothing of this host's network could be read: {0}")]
pub struct NothingSeen(String);

/// Observes the namespace of the calling process. `wait` lets the window pass, and may show that it does; a window of
/// zero takes one reading and no deltas.
pub fn take(host: &Host, window: Duration, wait: impl FnOnce(Duration)) -> Result<Snapshot, NothingSeen> {
    let mut gaps = Vec::new();
    let mut first = None;
    let started = Instant::now();
    if !window.is_zero() {
        // A gap of the first look shows in the second again.
        first = Some((counters::read(host).0, sockets::read_queues(host).ok()));
        wait(window);
    }
    let seconds = if first.is_some() { started.elapsed().as_secs_f64() } else { 0.0 };
    let (counters, counter_gaps) = counters::read(host);
    gaps.extend(counter_gaps);
    let (sysctls, sysctl_gaps) = sysctls::read(host);
    gaps.extend(sysctl_gaps);
    let (before, queues) = first.map_or((None, None), |(counters, queues)| (Some(counters), queues));
    let seen = match sockets::read(host, &sysctls) {
        Ok((mut seen, socket_gaps)) => {
            gaps.extend(socket_gaps);
            if let Some(queues) = queues {
                queues.enter(&mut seen);
            }
            Some(seen)
        }
        Err(gap) => {
            gaps.push(gap);
            None
        }
    };
    if seen.is_none() && counters.is_empty() && sysctls.is_empty() {
        let why: Vec<_> = gaps.iter().take(3).map(|gap| gap.why.as_str()).collect();
        return Err(NothingSeen(why.join("; ")));
    }
    let (system, mut machine_gaps) = system::read(host);
    let (files, file_gaps) = persisted::read(host);
    machine_gaps.extend(file_gaps);
    let around = surroundings::read(host, &files, &sysctls);
    let Identity { id, name, initial } = identity(host, &sysctls);
    Ok(Snapshot {
        schema: SCHEMA.to_owned(),
        written_by: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at: now(),
        system,
        window: Window {
            seconds: (seconds * 1000.0).round() / 1000.0,
            source: if before.is_some() { WindowSource::Sample } else { WindowSource::None },
        },
        namespaces: vec![Namespace {
            name,
            id,
            initial,
            sockets: seen,
            counters_before: before,
            counters,
            sysctls,
            gaps,
        }],
        persisted: Some(files),
        surroundings: Some(around),
        gaps: machine_gaps,
    })
}

/// Which namespace the calling process is in.
#[derive(Debug)]
pub struct Identity {
    /// As `/proc/self/ns/net` reads.
    pub id: String,
    pub name: String,
    /// Whether it is the machine's first.
    pub initial: bool,
}

/// Tells the namespace by its sysctls and its names.
pub fn identity(host: &Host, sysctls: &sysctls::Sysctls) -> Identity {
    let initial = is_initial(sysctls);
    let id = host.read_link("/proc/self/ns/net").unwrap_or_default();
    let name = if initial { "host".to_owned() } else { name_of(host, &id) };
    Identity { id, name, initial }
}

/// Some keys exist only in the machine's first namespace (kernel: `net_eq(net, &init_net)` in `sysctl_net_ipv4.c`), so
/// that their presence tells more than comparing with process 1, which may itself live in a container.
fn is_initial(sysctls: &sysctls::Sysctls) -> bool {
    ["net.ipv4.tcp_mem", "net.core.netdev_max_backlog"].iter().any(|key| sysctls.contains_key(*key))
}

/// The name that `ip netns` gave to the namespace, when it did.
fn name_of(host: &Host, id: &str) -> String {
    use std::os::unix::fs::MetadataExt;
    let inode: Option<u64> = id.strip_prefix("net:[").and_then(|rest| rest.strip_suffix(']')?.parse().ok());
    let names = host.list("/run/netns").unwrap_or_default();
    names
        .into_iter()
        .find(|name| {
            let facts = std::fs::metadata(host.locate(&format!("/run/netns/{name}")));
            inode.is_some() && facts.ok().map(|facts| facts.ino()) == inode
        })
        .unwrap_or_else(|| "current".to_owned())
}

/// The present time, to the second.
fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}
