//! The two questions that everybody asks: does TIME_WAIT do harm here, and does data flow in ESTABLISHED?
//!
//! In: a namespace, how much of the ports its destinations use. Out: an answer in sentences for each of the two states that
//! has more than a handful of sockets. Must not: judge beyond what the numbers say; faults are for the rules.

use super::derived::{Derived, PortUse};
use crate::metrics::endpoint;
use crate::observe::ages::Ages;
use crate::observe::sockets::{Destination, Listener, Sample, Sockets};
use crate::snapshot::Namespace;
use crate::units;

/// Sockets from which on somebody asks.
const HANDFUL_ESTABLISHED: u64 = 20;
const HANDFUL_TIME_WAIT: u64 = 100;
/// Seconds of silence after which a connection no longer counts as busy, and after which as forgotten.
const IDLE: u64 = 60;
const LONG: u64 = 1800;
/// Seconds that a TIME_WAIT lasts (`TCP_TIMEWAIT_LEN`).
const TIME_WAIT_SECONDS: u64 = 60;
/// Kernel memory of one TIME_WAIT: 256 bytes for the socket, and the record of its port.
const TIME_WAIT_BYTES: u64 = 410;
/// Share of the ports toward one destination from which on TIME_WAIT may do harm: `connect()` slows down at half of the range.
const MANY_PORTS: f64 = 0.4;
/// The same for the limit of TIME_WAIT sockets, in percent.
const NEAR_LIMIT: u64 = 80;

/// An answer for one state, in a sentence or two.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) state: &'static str,
    pub(super) text: String,
}

/// What flows in the connections that are ESTABLISHED. Numbers of sockets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Established<'a> {
    /// Sent or received data in the last minute.
    pub(super) active: u64,
    /// Silent for 1 to 30 minutes.
    pub(super) idle: u64,
    /// Silent for longer.
    pub(super) silent: u64,
    /// Of the latter: nothing notices that the peer is gone.
    pub(super) silent_without_keepalive: u64,
    /// The listener with the most silent clients, and how many.
    pub(super) most_silent: Option<(&'a Listener, u64)>,
    /// In the accept queues.
    pub(super) waiting_for_accept: u64,
    /// Sent data that nobody acknowledges, and wait for a peer that does not read; none if it could not be read.
    pub(super) unacknowledged: Option<u64>,
    pub(super) peer_does_not_read: Option<u64>,
    /// What these are estimated from; none if each connection was looked at.
    pub(super) sample: Option<Sample>,
}

/// Whose the sockets in TIME_WAIT are, and what they cost. Numbers of sockets.
#[derive(Debug, PartialEq)]
pub(super) struct TimeWait<'a> {
    pub(super) total: u64,
    /// On the average of the last minute.
    pub(super) closed_per_second: u64,
    /// Came from clients, and hold no ephemeral port.
    pub(super) incoming: u64,
    pub(super) outgoing: u64,
    /// Neither to a listener nor to a destination that is counted on its own.
    pub(super) elsewhere: u64,
    /// The destination with the most of them.
    pub(super) largest: Option<&'a Destination>,
    pub(super) kernel_memory_bytes: u64,
    pub(super) harm: Harm<'a>,
}

/// Ports and the limit are all that a TIME_WAIT uses up.
#[derive(Debug, PartialEq)]
pub(super) enum Harm<'a> {
    None,
    /// Near `tcp_max_tw_buckets`, which is this.
    NearLimit(u64),
    /// A destination has used up much of the ports.
    Ports(&'a PortUse<'a>),
}

/// The answers for a namespace; `used` are the destinations of all namespaces.
pub(super) fn of(namespace: &Namespace, used: &[PortUse<'_>]) -> Vec<Answer> {
    let established = established(namespace).map(|of| Answer { state: "ESTABLISHED", text: of.text() });
    let time_wait = time_wait(namespace, used).map(|of| Answer { state: "TIME_WAIT", text: of.text() });
    established.into_iter().chain(time_wait).collect()
}

/// How the destinations use the ports, if any namespace has an answer that needs to know.
pub(super) fn ports_in_use<'a>(derived: Derived<'a>, namespaces: &[Namespace]) -> Vec<PortUse<'a>> {
    let many = |namespace: &Namespace| {
        namespace.sockets.as_ref().is_some_and(|sockets| sockets.states.time_wait >= HANDFUL_TIME_WAIT)
    };
    if namespaces.iter().any(many) { derived.by_port_use() } else { Vec::new() }
}

/// None where there is a handful only, or where ages were not read: then nothing is known of what flows.
pub(super) fn established(namespace: &Namespace) -> Option<Established<'_>> {
    let sockets = namespace.sockets.as_ref()?;
    let Sockets { states, idle, idle_no_keepalive, progress, listeners, .. } = sockets;
    if states.established < HANDFUL_ESTABLISHED || idle.total() == 0 {
        return None;
    }
    let (quiet, silent) = (idle.at_least(IDLE), idle.at_least(LONG));
    Some(Established {
        active: idle.total() - quiet,
        idle: quiet - silent,
        silent,
        silent_without_keepalive: idle_no_keepalive.at_least(LONG),
        most_silent: most_silent(listeners),
        waiting_for_accept: listeners.iter().map(|listener| u64::from(listener.queue)).sum(),
        unacknowledged: progress.as_ref().map(|progress| u64::from(progress.backoff)),
        peer_does_not_read: progress.as_ref().map(|progress| u64::from(progress.persist)),
        sample: sockets.sample,
    })
}

/// The listener with the most clients that are silent for long, and how many.
fn most_silent(listeners: &[Listener]) -> Option<(&Listener, u64)> {
    let long = |ages: &Ages| ages.at_least(LONG);
    let most = listeners.iter().max_by_key(|listener| long(&listener.idle))?;
    let number = long(&most.idle);
    (number > 0).then_some((most, number))
}

/// None where there is a handful only.
pub(super) fn time_wait<'a>(namespace: &'a Namespace, used: &'a [PortUse<'a>]) -> Option<TimeWait<'a>> {
    let sockets = namespace.sockets.as_ref()?;
    let total = sockets.states.time_wait;
    if total < HANDFUL_TIME_WAIT {
        return None;
    }
    let incoming: u64 = sockets.listeners.iter().map(|listener| listener.time_wait).sum();
    let outgoing: u64 = sockets.destinations.iter().map(|destination| destination.time_wait).sum();
    Some(TimeWait {
        total,
        closed_per_second: (total / TIME_WAIT_SECONDS).max(1),
        incoming,
        outgoing,
        elsewhere: total.saturating_sub(incoming + outgoing),
        largest: sockets.destinations.iter().max_by_key(|it| it.time_wait).filter(|it| it.time_wait > 0),
        kernel_memory_bytes: total.saturating_mul(TIME_WAIT_BYTES),
        harm: harm(namespace, total, used),
    })
}

fn harm<'a>(namespace: &Namespace, total: u64, used: &'a [PortUse<'a>]) -> Harm<'a> {
    let limit = namespace.sysctls.get("net.ipv4.tcp_max_tw_buckets").and_then(|text| text.parse::<u64>().ok());
    if let Some(limit) = limit.filter(|limit| total.saturating_mul(100) >= limit.saturating_mul(NEAR_LIMIT)) {
        return Harm::NearLimit(limit);
    }
    let most = used.iter().filter(|destination| destination.namespace == &*namespace.name);
    let most = most.max_by(|one, other| one.share.total_cmp(&other.share));
    most.filter(|most| most.share >= MANY_PORTS).map_or(Harm::None, Harm::Ports)
}

impl Established<'_> {
    pub(super) fn text(&self) -> String {
        let mut text = format!("{} sent or received data in the last minute", count(self.active));
        if self.idle + self.silent > 0 {
            text.push_str(&format!(", {} silent for 1 to 30 min, {} for longer", are(self.idle), count(self.silent)));
        }
        text.push('.');
        if self.silent > 0 {
            text.push_str(&match self.silent_without_keepalive {
                0 => " Each of the latter has keepalive, so the kernel notices a dead peer.".to_owned(),
                without => format!(
                    " {} of the latter {} no keepalive: nothing here notices a dead peer.",
                    count(without),
                    have(without)
                ),
            });
            if let Some((listener, number)) = self.most_silent {
                let name = endpoint(&listener.address, listener.port);
                text.push_str(&format!(" Most of them are clients of {name} ({}).", count(number)));
            }
        }
        if self.waiting_for_accept > 0 {
            text.push_str(&format!(" {} for accept().", wait(self.waiting_for_accept)));
        }
        if let Some(number) = self.unacknowledged.filter(|number| *number > 0) {
            text.push_str(&format!(" {} sent data that nobody acknowledges.", count(number)));
        }
        if let Some(number) = self.peer_does_not_read.filter(|number| *number > 0) {
            text.push_str(&format!(" {} for a peer that does not read.", wait(number)));
        }
        if let Some(sample) = self.sample {
            text.push_str(&format!(" Estimated from {} of {}.", count(sample.looked_at), count(sample.of)));
        }
        text
    }
}

impl TimeWait<'_> {
    pub(super) fn text(&self) -> String {
        let mut parts = Vec::new();
        if self.incoming > 0 {
            parts.push(format!("{} came from clients and hold no ephemeral port", count(self.incoming)));
        }
        if let Some(largest) = self.largest {
            parts.push(outgoing_part(self.outgoing, largest));
        }
        if self.elsewhere > 0 {
            let belong = if self.elsewhere == 1 { "belongs" } else { "belong" };
            parts.push(format!("{} {belong} to other addresses", count(self.elsewhere)));
        }
        let memory = i64::try_from(self.kernel_memory_bytes).unwrap_or(i64::MAX);
        format!(
            "This host closed these connections first, {} a second on the average of the last minute. {}. They take some {} \
             of kernel memory. {}",
            count(self.closed_per_second),
            parts.join(", "),
            units::bytes(memory),
            self.harm.text()
        )
    }
}

fn outgoing_part(outgoing: u64, largest: &Destination) -> String {
    let to = endpoint(&largest.address, largest.port);
    match largest.time_wait {
        all if all == outgoing => format!("{} went to {to}", count(outgoing)),
        most => format!("{} were outgoing, {} of them to {to}", count(outgoing), count(most)),
    }
}

impl Harm<'_> {
    fn text(&self) -> String {
        match self {
            Self::NearLimit(limit) => format!("They are near the limit of {} (tcp_max_tw_buckets).", count(*limit)),
            Self::Ports(most) => {
                format!("They matter here: {} has {} of the ephemeral ports.", most.remote, units::percent(most.share))
            }
            Self::None => {
                "This is harmless: each ends by itself after 60 s, which no sysctl changes, and ports are not short."
                    .to_owned()
            }
        }
    }
}

fn count(number: u64) -> String {
    units::count_u64(number)
}

fn are(number: u64) -> String {
    format!("{} {}", count(number), if number == 1 { "is" } else { "are" })
}

const fn have(number: u64) -> &'static str {
    if number == 1 { "has" } else { "have" }
}

fn wait(number: u64) -> String {
    format!("{} {}", count(number), if number == 1 { "waits" } else { "wait" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::sockets::{Progress, StateCounts};
    use crate::report::example;

    fn ages(of: &[(u64, u64)]) -> Ages {
        let mut ages = Ages::default();
        of.iter().for_each(|&(seconds, number)| (0..number).for_each(|_| ages.add(seconds * 1000)));
        ages
    }

    fn namespace(sockets: Sockets) -> Namespace {
        let mut namespace = example::namespace("net:[1]", "host", true);
        namespace.sockets = Some(sockets);
        namespace.sysctls.insert("net.ipv4.tcp_max_tw_buckets".to_owned(), "65536".to_owned());
        namespace
    }

    fn with(states: StateCounts) -> Sockets {
        let bare = example::sockets();
        Sockets { states, listeners: Vec::new(), destinations: Vec::new(), ..bare }
    }

    fn said(sockets: Sockets, used: &[PortUse<'_>]) -> String {
        of(&namespace(sockets), used).into_iter().map(|Answer { state, text }| format!("{state}: {text}\n")).collect()
    }

    #[test]
    fn a_handful_is_not_worth_an_answer() {
        let few = StateCounts { established: 19, time_wait: 99, ..StateCounts::default() };
        assert_eq!(said(with(few), &[]), "");
    }

    #[test]
    fn established_says_how_many_are_used_and_what_nobody_would_notice() {
        let listener = Listener {
            address: "0.0.0.0".to_owned(),
            port: 80,
            idle: ages(&[(7200, 25)]),
            queue: 3,
            ..Listener::default()
        };
        let sockets = Sockets {
            idle: ages(&[(0, 900), (300, 70), (7200, 30)]),
            idle_no_keepalive: ages(&[(7200, 12)]),
            progress: Some(Progress { backoff: 2, persist: 1, ..Progress::default() }),
            listeners: vec![listener],
            ..with(StateCounts { established: 1003, ..StateCounts::default() })
        };
        insta::assert_snapshot!(said(sockets, &[]), @"ESTABLISHED: 900 sent or received data in the last minute, 70 are silent for 1 to 30 min, 30 for longer. 12 of the latter have no keepalive: nothing here notices a dead peer. Most of them are clients of 0.0.0.0:80 (25). 3 wait for accept(). 2 sent data that nobody acknowledges. 1 waits for a peer that does not read.");
    }

    #[test]
    fn time_wait_is_harmless_unless_ports_or_the_limit_are_short() {
        let destination =
            |time_wait| Destination { address: "10.0.0.5".to_owned(), port: 5432, time_wait, ..Destination::default() };
        let listener = Listener { address: "::".to_owned(), port: 443, time_wait: 3000, ..Listener::default() };
        let sockets = |total, outgoing| Sockets {
            listeners: vec![listener.clone()],
            destinations: vec![destination(outgoing)],
            ..with(StateCounts { time_wait: total, ..StateCounts::default() })
        };
        let used = |share| {
            let (source, remote) = ("10.0.0.1".to_owned(), "10.0.0.5:5432".to_owned());
            vec![PortUse { namespace: "host", source, remote, share, ..PortUse::default() }]
        };
        let texts = [
            said(sockets(3400, 400), &used(0.02)),
            said(sockets(20_000, 17_000), &used(0.6)),
            said(sockets(60_000, 400), &used(0.02)),
        ];
        insta::assert_snapshot!(texts.concat(), @"
        TIME_WAIT: This host closed these connections first, 56 a second on the average of the last minute. 3,000 came from clients and hold no ephemeral port, 400 went to 10.0.0.5:5432. They take some 1.3 MiB of kernel memory. This is harmless: each ends by itself after 60 s, which no sysctl changes, and ports are not short.
        TIME_WAIT: This host closed these connections first, 333 a second on the average of the last minute. 3,000 came from clients and hold no ephemeral port, 17,000 went to 10.0.0.5:5432. They take some 7.8 MiB of kernel memory. They matter here: 10.0.0.5:5432 has 60 % of the ephemeral ports.
        TIME_WAIT: This host closed these connections first, 1,000 a second on the average of the last minute. 3,000 came from clients and hold no ephemeral port, 400 went to 10.0.0.5:5432, 56,600 belong to other addresses. They take some 23.5 MiB of kernel memory. They are near the limit of 65,536 (tcp_max_tw_buckets).
        ");
    }
}
