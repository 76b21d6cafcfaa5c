//! Keys that the configuration files set for the first network namespace, and that other namespaces have at the kernel's default.
//!
//! In: a snapshot with several namespaces, the keys that a boot sets. Out: [`NotInherited`]. Must not: look at namespaces without
//! sockets, or at keys that each namespace is expected to set for itself.

use crate::keys;
use crate::snapshot::{Namespace, Snapshot};

/// What programs in a container depend on without knowing. A new namespace begins with the kernel's default of each. Keys of
/// routers are left out: a runtime sets them for its own network.
pub(super) const KEYS: [&str; 19] = [
    "net.core.somaxconn",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_ecn",
    "net.ipv4.tcp_fastopen",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_mtu_probing",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_retries2",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syn_retries",
    "net.ipv4.tcp_synack_retries",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_tw_reuse",
    "net.unix.max_dgram_qlen",
];

/// Keys and namespaces that a text names.
const NAMED: usize = 6;

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotInherited {
    key: String,
    here: String,
    default: String,
    /// The names of the namespaces that have the default.
    namespaces: Vec<String>,
}

/// Of the keys in `set` those that at least one other namespace with sockets has at its default; by key. None unless `here` is the
/// machine's first namespace.
pub(super) fn of<'k>(snapshot: &Snapshot, here: &Namespace, set: impl Iterator<Item = &'k str>) -> Vec<NotInherited> {
    if !here.initial {
        return Vec::new();
    }
    let others: Vec<&Namespace> =
        snapshot.namespaces.iter().filter(|other| other.id != here.id && is_used(other)).collect();
    set.filter(|key| KEYS.contains(key)).filter_map(|key| not_inherited(key, here, &others)).collect()
}

fn not_inherited(key: &str, here: &Namespace, others: &[&Namespace]) -> Option<NotInherited> {
    let value = |namespace: &Namespace| namespace.sysctls.get(key).map(|text| keys::folded(text));
    let default = keys::folded(keys::catalogue().get(key)?.default.as_deref()?);
    let here = value(here).filter(|value| *value != default)?;
    let left = others.iter().filter(|other| value(other).as_ref() == Some(&default));
    let namespaces: Vec<String> = left.map(|other| other.name.to_string()).collect();
    (!namespaces.is_empty()).then(|| NotInherited { key: key.to_owned(), here, default, namespaces })
}

/// Whether it has listeners or connections.
fn is_used(namespace: &Namespace) -> bool {
    namespace.sockets.as_ref().is_some_and(|sockets| sockets.states.listen > 0 || sockets.states.established > 0)
}

/// How many namespaces have at least one of the keys at its default.
pub(super) fn namespaces(all: &[NotInherited]) -> usize {
    let names: std::collections::BTreeSet<&String> = all.iter().flat_map(|one| &one.namespaces).collect();
    names.len()
}

/// `net.core.somaxconn (16384 here, 4096 in web, db)`, one after the other.
pub(super) fn text(all: &[NotInherited]) -> String {
    let shown = |NotInherited { key, here, default, namespaces }: &NotInherited| {
        format!("{key} ({here} here, {default} in {})", list(namespaces.iter().map(String::as_str)))
    };
    let all: Vec<String> = all.iter().map(shown).collect();
    list(all.iter().map(String::as_str))
}

fn list<'a>(all: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = all.len().saturating_sub(NAMED);
    let named: Vec<&str> = all.take(NAMED).collect();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    named.join(", ") + &rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    /// The host and three others: one with listeners, one with the host's own value, one without sockets.
    fn snapshot() -> Snapshot {
        let mut snapshot = example::snapshot();
        snapshot.namespaces.truncate(1);
        for (name, value, used) in [("web", "4096", true), ("tuned", "16384", true), ("idle", "4096", false)] {
            let mut other = example::namespace(name, name, false);
            other.sockets = used.then(example::sockets);
            other.sysctls.insert("net.core.somaxconn".to_owned(), value.to_owned());
            snapshot.namespaces.push(other);
        }
        let here = &mut snapshot.namespaces[0].sysctls;
        here.insert("net.core.somaxconn".to_owned(), "16384".to_owned());
        here.insert("net.ipv4.ip_forward".to_owned(), "1".to_owned());
        snapshot
    }

    fn of_keys(snapshot: &Snapshot) -> Vec<NotInherited> {
        let set = ["net.core.somaxconn", "net.ipv4.ip_forward"];
        of(snapshot, &snapshot.namespaces[0], set.into_iter())
    }

    #[test]
    fn a_container_with_sockets_that_has_the_kernel_s_default_is_named_with_both_values() {
        let found = of_keys(&snapshot());
        assert_eq!(text(&found), "net.core.somaxconn (16384 here, 4096 in web)");
        assert_eq!((found.len(), namespaces(&found)), (1, 1));
    }

    #[test]
    fn a_value_that_is_the_default_here_too_is_nothing_that_could_be_inherited() {
        let mut snapshot = snapshot();
        snapshot.namespaces[0].sysctls.insert("net.core.somaxconn".to_owned(), "4096".to_owned());
        assert_eq!(of_keys(&snapshot), []);
    }

    #[test]
    fn in_a_container_nothing_is_said_of_the_others() {
        let mut snapshot = snapshot();
        snapshot.namespaces[0].initial = false;
        assert_eq!(of_keys(&snapshot), []);
    }

    #[test]
    fn a_long_list_is_cut_with_a_number() {
        let namespaces = (0..9).map(|number| format!("n{number}")).collect();
        let one = NotInherited { key: "k".to_owned(), here: "2".to_owned(), default: "1".to_owned(), namespaces };
        assert_eq!(text(&[one]), "k (2 here, 1 in n0, n1, n2, n3, n4, n5 and 3 more)");
    }

    #[test]
    fn each_key_belongs_to_a_namespace_and_has_a_default() {
        for name in KEYS {
            let key = keys::catalogue().get(name).unwrap_or_else(|| panic!("{name}"));
            assert!(key.scope == keys::Scope::Namespace && key.default.is_some(), "{name}");
        }
    }
}
