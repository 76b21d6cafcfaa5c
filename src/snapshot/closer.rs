//! A second look at the connections of namespaces in which the first one was at a sample.
//!
//! In: a snapshot, and in which of its namespaces the sample is not enough. Out: the same snapshot with all connections of these.
//! Must not: read anything else again; the counters and queues are those of the window.

use crate::host::Host;
use crate::host::netns::{self, Places, Which};
use crate::observe::owners::{self, Search};
use crate::observe::sockets::{self, Queue, Queues, Sockets, Unowned};
use crate::snapshot::Snapshot;

/// Looks at each connection of the namespaces with these ids. Where that fails the sample remains.
pub fn look(host: &Host, which: &Which, snapshot: &mut Snapshot, ids: &[String]) {
    let places = if host.is_live() { netns::resolve(which).ok() } else { Some(Places::here(host)) };
    let mut places = places.map(|found| found.places).unwrap_or_default();
    places.retain(|place| ids.contains(&place.id));
    let known = &snapshot.namespaces;
    let read = netns::visit(&places, |_, place| {
        let namespace = known.iter().find(|namespace| namespace.id == place.id)?;
        sockets::read(host, &namespace.sysctls, None, None).ok()
    });
    let (mut searches, mut seen) = (Vec::new(), Vec::new());
    for (place, read) in places.iter().zip(read) {
        let Ok(Some((unowned, gaps))) = read else {
            tracing::info!(namespace = %place.name, "there is no second look at its connections");
            continue;
        };
        let namespace = snapshot.namespaces.iter_mut().find(|namespace| namespace.id == place.id);
        let Some(namespace) = namespace else { continue };
        namespace.gaps.retain(|gap| !sockets::is_of_a_sample(gap));
        namespace.gaps.extend(gaps);
        searches.push(search(unowned, namespace.sockets.as_ref()));
        seen.push(&place.id);
    }
    for (id, found) in seen.into_iter().zip(owners::find(host, searches)) {
        if let Some(namespace) = snapshot.namespaces.iter_mut().find(|namespace| namespace.id == *id) {
            namespace.sockets = found.sockets;
            namespace.gaps.extend(found.gap);
        }
    }
}

/// With the accept queues of the start of the window, as the first look has them.
fn search(mut unowned: Unowned, first: Option<&Sockets>) -> Search {
    let queues = first.into_iter().flat_map(|sockets| &sockets.listeners).filter_map(|listener| {
        Some((listener.inode, Queue { waiting: listener.queue_before?, drops: listener.drops_before }))
    });
    unowned.begin_with(&Queues(queues.collect()));
    Search::from(unowned)
}
