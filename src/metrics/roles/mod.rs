//! What a network namespace is for, as far as its facts show: whether it forwards, hosts containers, and so on.
//!
//! In: a snapshot and one of its namespaces. Out: [`Roles`], each with the fact that shows it. Must not: guess; a role that cannot be
//! seen is unknown, unless the administrator states it.

mod facts;
mod model;

use crate::snapshot::{Namespace, Snapshot};

use facts::Scene;
pub(super) use model::is_tunnel;
pub use model::{ROLES, Role, Roles, StatedRoles, Verdict};

/// The roles that the facts show. What the administrator states counts instead, for the namespace that the snapshot was taken in.
pub fn of(snapshot: &Snapshot, namespace: &Namespace) -> Roles {
    let first = snapshot.namespaces.first().is_some_and(|first| first.id == namespace.id);
    let mut scene = Scene::of(snapshot, namespace, first);
    for role in ROLES {
        let stated = snapshot.stated_roles.get(role.name).filter(|_| first);
        let verdict = match stated {
            Some(true) => Verdict::Yes("stated by the administrator".to_owned()),
            Some(false) => Verdict::No,
            None => scene.judge(role.name),
        };
        scene.known.insert(role, verdict);
    }
    scene.known
}

#[cfg(test)]
mod tests;
