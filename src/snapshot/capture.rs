//! Captures a snapshot: asks every source in turn, twice for what changes over a window.
//!
//! In: a host, the namespaces to look at, the window, and a way to wait for it. Out: a [`Snapshot`] with a gap for each
//! thing that was not read.
//! Must not: fail because one source or one namespace fails; it fails only when nothing at all could be seen. Leave the
//! calling thread in another namespace.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::asked::{Asked, Names};
use super::begin::{Beginning, BeginningRest, begin, read_counters};
use super::counted::which_are_whole;
use super::looks::Budget;
use super::{BEYOND_BUDGET, FirstReading, Namespace, NamespaceBefore, SCHEMA, Snapshot, Window, WindowSource};
use crate::host::Host;
use crate::host::netns::{self, EnterError, Hidden, Place, Places, Which};
use crate::model::NamespaceName;
use crate::observe::cgroups::{self, Cgroup, Placed};
use crate::observe::counters::Counters;
use crate::observe::gap::Gap;
use crate::observe::interfaces::Interface;
use crate::observe::owners::{self, Search, Searched};
use crate::observe::persisted::Persisted;
use crate::observe::qdiscs::{self, Qdisc};
use crate::observe::sockets::StateCounts;
use crate::observe::surroundings::{self, Surroundings};
use crate::observe::sysctls::{self, Sysctls};
use crate::observe::tcp_summary::TcpSummary;
use crate::observe::topology::{self, Topology};
use crate::observe::udp::{self, Udp};
use crate::observe::unix::{self, UnixListeners};
use crate::observe::{cpus, interfaces, neighbour_tables, persisted, sockets, system};
use crate::units;

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// No sockets, no counters, no sysctls.
    #[error("nothing of this host's network could be read: {0}")]
    NothingSeen(String),
    /// The namespace that was asked for does not exist, or cannot be entered.
    #[error(transparent)]
    Netns(#[from] EnterError),
}

/// Observes these namespaces, the calling thread's own first. `wait` lets the window pass, once for all of them, and may
/// show that it does; a window of zero takes one reading and no changes. Namespaces that are there and cannot be looked at
/// are gaps of the machine. Of a captured tree there is only its own namespace.
pub fn capture(
    host: &Host,
    which: &Which,
    window: Duration,
    asked: &Asked<'_>,
    wait: impl FnOnce(Duration),
) -> Result<Snapshot, CaptureError> {
    let (first, names) = (asked.first, asked.names.as_ref());
    let Places { places, hidden, complete } = if host.is_live() { netns::resolve(which)? } else { Places::here(host) };
    let begun = (!window.is_zero()).then(|| begin(host, &places, asked));
    let begun = begun.inspect(|_| wait(window));
    let seconds = begun.as_ref().map_or(0.0, |begun| begun.at.elapsed().as_secs_f64());
    let counters = read_counters(host, &places, asked);
    let (whole, mut counted) = which_are_whole(host, &places, &counters, begun.as_ref(), asked);
    let rests = netns::visit_some(
        &places,
        |number| whole[number],
        |number, _| match counters.get(number) {
            Some(Ok((counters, _))) => Some(Rest::read(host, first, counters, number == 0)),
            _ => None,
        },
    );
    let mut ends: Vec<_> = counters.into_iter().zip(rests).map(|(counters, rest)| End::of(counters, rest)).collect();
    let (cpus, mut gaps) = cpus::read(host);
    gaps.extend(counted.gap.take());
    let (cgroups, more) = if first.cgroups { cgroups::read(host) } else { (None, Vec::new()) };
    gaps.extend(more);
    for (place, end) in places.iter().zip(&mut ends) {
        if let Ok(Some(rest)) = end.as_mut().map(|end| end.rest.as_mut()) {
            rest.cgroups = cgroups.as_ref().map(|all| Placed::of(all, host, &place.id));
        }
    }
    let (neighbour_tables, more) =
        if first.neighbour_tables { neighbour_tables::read(host) } else { (None, Vec::new()) };
    gaps.extend(more);
    let (system, more) = system::read(host);
    gaps.extend(more);
    let (files, more) = persisted::read(host);
    gaps.extend(more);
    let (keys, more) = sysctls::read_machine(host);
    gaps.extend(more);
    let of_interfaces = names.and_then(|names| of_interfaces(names, &files));
    let mut machine = Machine { host, files: &files, keys: &keys, names, of_interfaces, around: None };
    let counters = |number: usize| ends.get(number).and_then(|end| end.as_ref().ok()).map(|end| &end.counters);
    let summary = |number: usize| counters(number).and_then(TcpSummary::of);
    // Then no socket anywhere is only bound, and no namespace need be asked for such.
    let all_in_use = TcpSummary::are_all_of_machine((0..places.len()).filter_map(summary));
    let summary = |number: usize| match summary(number) {
        Some(summary) if all_in_use => Some(TcpSummary { of_machine: Some(summary.in_use), ..summary }),
        summary => summary,
    };
    // How a number changes is not to be estimated.
    let one_by_one = first.one_by_one.filter(|_| !first.sockets);
    let looked = |number: usize| whole[number];
    let shown = netns::visit_some(&places, looked, |number, _| {
        let is_empty = counters(number).is_some_and(sockets::is_not_worth_it);
        machine.read(number == 0, is_empty, summary(number), one_by_one)
    });
    let shown = shown.into_iter().enumerate().map(|(number, shown)| {
        shown.map(|shown| shown.unwrap_or_else(|| Shown::left_out(asked.budget, counted.take(number))))
    });
    let shown = shown.collect();

    let surroundings = machine.around;
    let (machine_before, beginnings) = match begun {
        Some(begun) => (Some(begun.machine), begun.namespaces.into_iter().map(|begun| begun.map(Some)).collect()),
        None => (None, places.iter().map(|_| Ok(None)).collect()),
    };
    let (seen, unseen) = sorted(&places, beginnings, ends, shown)?;
    if seen.is_empty() {
        return Err(why_nothing(which, &unseen));
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
        cpus,
        neighbour_tables,
        before: machine_before,
        namespaces: namespaces(host, seen, &keys),
        all_namespaces,
        persisted: Some(files),
        surroundings,
        stated_roles: BTreeMap::new(),
        rehearsal: None,
        defaults: None,
        gaps,
    })
}

type Visited<T> = Vec<Result<T, EnterError>>;

/// Puts together what the visits of one namespace gave, and sets apart those that could not be looked at.
fn sorted<'a>(
    places: &'a [Place],
    beginnings: Visited<Option<Beginning>>,
    ends: Visited<End>,
    shown: Visited<Shown>,
) -> Result<(Vec<Seen<'a>>, Vec<Hidden>), EnterError> {
    let (mut seen, mut unseen) = (Vec::new(), Vec::new());
    for (((place, beginning), end), shown) in places.iter().zip(beginnings).zip(ends).zip(shown) {
        let all = beginning.and_then(|beginning| Ok((beginning, end?, shown?)));
        match all {
            Ok((beginning, mut end, mut shown)) => {
                shown.gaps.splice(0..0, std::mem::take(&mut end.gaps));
                match nothing(&end.counters, &shown) {
                    None => seen.push(Seen { place, beginning, end, shown }),
                    Some(why) => unseen.push(Hidden { name: place.name.to_string(), why }),
                }
            }
            Err(EnterError::Refused { name, why }) => unseen.push(Hidden { name, why }),
            Err(error) => return Err(error),
        }
    }
    Ok((seen, unseen))
}

fn why_nothing(which: &Which, unseen: &[Hidden]) -> CaptureError {
    match (unseen, which) {
        ([Hidden { name, why }], Which::Named(_)) => {
            EnterError::Refused { name: name.clone(), why: why.clone() }.into()
        }
        _ => {
            let why: Vec<_> = unseen.iter().take(3).map(|hidden| hidden.why.as_str()).collect();
            CaptureError::NothingSeen(why.join("; "))
        }
    }
}

/// What is read of a namespace at the end of the window, as soon as it has passed.
struct End {
    counters: Counters,
    gaps: Vec<Gap>,
    /// `None` beyond the budget.
    rest: Option<Rest>,
}

/// What is read at the end of the window beside the counters.
#[derive(Default)]
struct Rest {
    udp: Option<Udp>,
    unix: Option<UnixListeners>,
    interfaces: Vec<Interface>,
    qdiscs: Option<Vec<Qdisc>>,
    /// Found for all namespaces at once.
    cgroups: Option<Vec<Cgroup>>,
    gaps: Vec<Gap>,
}

impl End {
    fn of(
        counters: Result<(Counters, Vec<Gap>), EnterError>,
        rest: Result<Option<Option<Rest>>, EnterError>,
    ) -> Result<Self, EnterError> {
        let ((counters, mut gaps), mut rest) = (counters?, rest?.flatten());
        gaps.extend(rest.iter_mut().flat_map(|rest| std::mem::take(&mut rest.gaps)));
        Ok(Self { counters, gaps, rest })
    }
}

impl Rest {
    fn read(host: &Host, first: FirstReading, counters: &Counters, is_first: bool) -> Self {
        let (udp, mut gaps) = if first.udp { udp::read(host, counters) } else { (None, Vec::new()) };
        let (mut interfaces, more) = interfaces::read(host);
        if is_first {
            interfaces::read_duplex(host, &mut interfaces);
        }
        gaps.extend(more);
        let (qdiscs, more) = if first.qdiscs { qdiscs::read(host, &interfaces) } else { (None, Vec::new()) };
        gaps.extend(more);
        let (unix, gap) = if first.unix { unix::read(host) } else { (None, None) };
        gaps.extend(gap);
        Self { udp, unix, interfaces, qdiscs, cgroups: None, gaps }
    }
}

/// The last parts of the keys of interfaces that rules need, or that a boot sets; `None`: all.
fn of_interfaces(names: &Names, files: &Persisted) -> Option<BTreeSet<String>> {
    let mut parts = surroundings::last_parts(files)?;
    parts.extend(names.of_interfaces.iter().cloned());
    Some(parts)
}

/// What is the same in every namespace, read already, and what only the first one is asked for.
struct Machine<'a> {
    host: &'a Host,
    files: &'a Persisted,
    keys: &'a Sysctls,
    names: Option<&'a Names>,
    of_interfaces: Option<BTreeSet<String>>,
    around: Option<Surroundings>,
}

/// What one namespace shows after the window, besides its counters.
struct Shown {
    sysctls: Sysctls,
    sockets: Option<sockets::Unowned>,
    counted: Option<StateCounts>,
    topology: Option<Topology>,
    gaps: Vec<Gap>,
}

impl Shown {
    /// Of a namespace beyond the budget.
    fn left_out(budget: Budget, counted: Option<StateCounts>) -> Self {
        let more = if counted.is_some() { " and the numbers of its sockets by state" } else { "" };
        let why = format!(
            "only its counters{more} were read: the budget for all namespaces is {}, and --budget unlimited reads everything",
            units::duration(budget.unwrap_or_default().as_secs_f64())
        );
        let gaps = vec![Gap { what: BEYOND_BUDGET.to_owned(), why }];
        Self { sysctls: Sysctls::new(), sockets: None, counted, topology: None, gaps }
    }
}

/// Everything that is known of one namespace.
struct Seen<'a> {
    place: &'a Place,
    beginning: Option<Beginning>,
    end: End,
    shown: Shown,
}

impl Machine<'_> {
    /// Looks at the namespace of the calling thread.
    fn read(&mut self, is_first: bool, is_empty: bool, summary: Option<TcpSummary>, one_by_one: Option<u32>) -> Shown {
        let nothing = BTreeSet::new();
        let wanted = match (is_first, self.names, &self.of_interfaces) {
            (true, _, Some(parts)) => sysctls::Wanted::OfInterfaces(parts),
            (true, _, None) => sysctls::Wanted::All,
            (false, Some(names), _) => sysctls::Wanted::Named(&names.keys),
            (false, None, _) => sysctls::Wanted::OfInterfaces(&nothing),
        };
        let (sysctls, mut gaps) = sysctls::read_net(self.host, wanted);
        let read = if is_empty && !is_first {
            let (none, gap) = sockets::none();
            Ok((none, vec![gap]))
        } else {
            sockets::read(self.host, &sysctls, summary, one_by_one)
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
            self.around = Some(surroundings::read(self.host, self.files, &[&sysctls, self.keys]));
        }
        let (topology, more) = topology::read(self.host);
        gaps.extend(more);
        Shown { sysctls, sockets, counted: None, topology: Some(topology), gaps }
    }
}

/// Why a namespace that shows nothing does so.
fn nothing(counters: &Counters, shown: &Shown) -> Option<String> {
    if shown.sockets.is_some() || !counters.is_empty() || !shown.sysctls.is_empty() {
        return None;
    }
    let why: Vec<_> = shown.gaps.iter().take(3).map(|gap| gap.why.as_str()).collect();
    Some(why.join("; "))
}

fn gap(Hidden { name, why }: Hidden) -> Gap {
    Gap { what: "netns".to_owned(), why: format!("{name}: {why}") }
}

impl Seen<'_> {
    /// Enters the start of the window, and says whose processes are looked for.
    fn search(&mut self) -> Search {
        let Self { beginning, end, shown, .. } = self;
        let mut sockets = shown.sockets.take();
        let Some(end) = &mut end.rest else { return Search::default() };
        let beginning = beginning.as_ref().and_then(|beginning| beginning.rest.as_ref());
        if let Some(beginning) = beginning {
            if let (Some(sockets), Some(queues)) = (&mut sockets, &beginning.queues) {
                sockets.begin_with(queues);
            }
            if let (Some(unix), Some(earlier)) = (&mut end.unix, &beginning.unix) {
                unix.begin_with(earlier);
            }
        }
        let before = beginning.and_then(|beginning| beginning.udp.as_ref());
        let udp = end.udp.iter().flat_map(|udp| udp.worth_a_look(before));
        let unix = end.unix.iter().flat_map(UnixListeners::worth_a_look);
        Search { sockets, inodes: udp.chain(unix).collect() }
    }

    fn namespace(self, found: Searched, machine_keys: &Sysctls) -> Namespace {
        let Self { place, beginning, end, shown: Shown { mut sysctls, counted, topology, mut gaps, .. } } = self;
        let End { counters, rest, .. } = end;
        let is_whole = rest.is_some();
        let Rest { interfaces, cgroups, qdiscs, mut udp, mut unix, .. } = rest.unwrap_or_default();
        if let Some(udp) = &mut udp {
            udp.enter(&found.holders);
        }
        if let Some(unix) = &mut unix {
            unix.enter(&found.holders);
        }
        gaps.extend(found.gap);
        let initial = is_initial(&sysctls);
        sysctls.extend(machine_keys.iter().map(|(key, text)| (key.clone(), text.clone())));
        let (id, name) = (place.id.clone(), if initial { NamespaceName::host() } else { place.name.clone() });
        let (counters_before, before) = match beginning {
            Some(Beginning { counters, rest }) => (Some(counters), rest.filter(|_| is_whole)),
            None => (None, None),
        };
        let before = before.map(|BeginningRest { interfaces, cgroups, qdiscs, sockets, udp, .. }| NamespaceBefore {
            interfaces,
            cgroups,
            qdiscs,
            sockets,
            udp,
        });
        Namespace {
            id,
            name,
            initial,
            sockets: found.sockets,
            counted,
            udp,
            unix,
            counters_before,
            counters,
            interfaces,
            cgroups,
            qdiscs,
            topology,
            before,
            sysctls,
            gaps,
        }
    }
}

/// Enters the owners, found for all at once, the start of the window, and what the machine's namespace is called.
fn namespaces(host: &Host, mut seen: Vec<Seen<'_>>, machine_keys: &Sysctls) -> Vec<Namespace> {
    let searches = seen.iter_mut().map(Seen::search).collect();
    let found = owners::find(host, searches);
    seen.into_iter().zip(found).map(|(seen, found)| seen.namespace(found, machine_keys)).collect()
}

/// Which namespace the calling thread is in.
#[derive(Debug)]
pub struct Identity {
    /// As `/proc/thread-self/ns/net` reads.
    pub id: String,
    pub name: NamespaceName,
    /// Whether it is the machine's first.
    pub initial: bool,
}

/// Tells the namespace by its sysctls and its names.
pub fn identity(host: &Host, sysctls: &Sysctls) -> Identity {
    let initial = is_initial(sysctls);
    let Place { id, name, .. } = Place::here(host);
    let name = if initial { NamespaceName::host() } else { name };
    Identity { id, name, initial }
}

/// Some keys exist only in the machine's first namespace (kernel: `net_eq(net, &init_net)` in `sysctl_net_ipv4.c`), so
/// that their presence tells more than comparing with process 1, which may itself live in a container.
fn is_initial(sysctls: &Sysctls) -> bool {
    ["net.ipv4.tcp_mem", "net.core.netdev_max_backlog"].iter().any(|key| sysctls.contains_key(*key))
}
