//! What follows from the snapshot beside the findings: roles, and what is used up of a limit.
//!
//! In: a snapshot. Out: records for the formats that show them; worked out only for a format that asks.
//! Must not: judge; that a limit is near is for the rules.

use crate::metrics::roles::{self, Roles};
use crate::metrics::subjects::Subject;
use crate::metrics::value::Value;
use crate::metrics::view::{Item, View};
use crate::snapshot::{Namespace, Snapshot};

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Derived<'a>(Option<&'a Snapshot>);

/// How much of the ephemeral ports the connections toward one destination use.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct PortUse<'a> {
    pub(super) namespace: &'a str,
    pub(super) source: String,
    /// Address and port.
    pub(super) remote: String,
    /// Those that the next connection cannot have.
    pub(super) ports: i64,
    /// That there are.
    pub(super) usable: i64,
    /// From 0 to 1.
    pub(super) share: f64,
}

/// How full the accept queue of a listening socket is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct QueueUse<'a> {
    pub(super) namespace: &'a str,
    /// Address and port.
    pub(super) listener: String,
    pub(super) owner: String,
    /// Connections that wait.
    pub(super) queue: i64,
    /// It is full when one more than these wait.
    pub(super) limit: i64,
}

impl QueueUse<'_> {
    /// From 0 to 1.
    pub(super) fn share(&self) -> f64 {
        self.queue as f64 / (self.limit as f64 + 1.0)
    }
}

impl<'a> Derived<'a> {
    pub(super) const fn of(snapshot: &'a Snapshot) -> Self {
        Self(Some(snapshot))
    }

    /// What a namespace is for.
    pub(super) fn roles(self, namespace: &Namespace) -> Roles {
        self.0.map(|snapshot| roles::of(snapshot, namespace)).unwrap_or_default()
    }

    /// The largest share first. A destination whose share could not be computed is left out.
    pub(super) fn by_port_use(self) -> Vec<PortUse<'a>> {
        let mut all: Vec<PortUse<'a>> = self.namespaces().flat_map(|(snapshot, it)| port_use(snapshot, it)).collect();
        all.sort_by(|one, other| other.share.total_cmp(&one.share));
        all
    }

    /// The fullest first. A listener whose limit is not known is left out.
    pub(super) fn by_queue_use(self) -> Vec<QueueUse<'a>> {
        let mut all: Vec<QueueUse<'a>> = self.namespaces().flat_map(|(snapshot, it)| queue_use(snapshot, it)).collect();
        all.sort_by(|one, other| other.share().total_cmp(&one.share()));
        all
    }

    fn namespaces(self) -> impl Iterator<Item = (&'a Snapshot, &'a Namespace)> {
        self.0.into_iter().flat_map(|snapshot| snapshot.namespaces.iter().map(move |it| (snapshot, it)))
    }
}

fn port_use<'a>(snapshot: &'a Snapshot, namespace: &'a Namespace) -> Vec<PortUse<'a>> {
    let view = View::new(snapshot, namespace);
    let usable = whole(view.value(Item::NAMESPACE, "ports.usable"));
    let use_of = |item| {
        let text = |name| view.value(item, name).map(|value| value.to_string());
        let Some(Value::Double(share)) = view.value(item, "destination.port_use") else { return None };
        let (source, remote) = (text("destination.source")?, text("destination.remote")?);
        let ports = whole(view.value(item, "destination.ports_blocked"))?;
        Some(PortUse { namespace: &namespace.name, source, remote, ports, usable: usable?, share })
    };
    view.items(Subject::Destination).unwrap_or_default().into_iter().filter_map(use_of).collect()
}

fn queue_use<'a>(snapshot: &'a Snapshot, namespace: &'a Namespace) -> Vec<QueueUse<'a>> {
    let view = View::new(snapshot, namespace);
    let use_of = |item| {
        let text = |name| view.value(item, name).map(|value| value.to_string());
        let (listener, owner) = (text("listener.address")?, text("listener.owner")?);
        let (queue, limit) = (whole(view.value(item, "listener.queue"))?, whole(view.value(item, "listener.limit"))?);
        Some(QueueUse { namespace: &namespace.name, listener, owner, queue, limit })
    };
    view.items(Subject::Listener).unwrap_or_default().into_iter().filter_map(use_of).collect()
}

fn whole(value: Option<Value>) -> Option<i64> {
    match value {
        Some(Value::Int(number)) => Some(number),
        _ => None,
    }
}
