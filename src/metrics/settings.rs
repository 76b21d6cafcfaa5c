//! Sysctls whose effective value is outside of what is usual, or has no meaning.
//!
//! In: a snapshot and one of its namespaces. Out: a [`Setting`] for each such key. Must not: judge a value that is the
//! kernel's own default, or one that the kernel ignores or that cannot be set in the namespace.

use crate::keys::{self, Scope, Sense, folded};
use crate::snapshot::{Namespace, Snapshot};

/// What is usual of these depends on other keys, so rules of their own judge them: the retries on the longest pause between
/// them, and the ports that need a privilege on the range of the ephemeral ports.
const JUDGED_WITH_OTHERS: [&str; 3] =
    ["net.ipv4.tcp_retries2", "net.ipv4.tcp_rto_max_ms", "net.ipv4.ip_unprivileged_port_start"];

/// A key with its effective value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    /// As the kernel shows it, its numbers one space apart.
    pub(super) value: String,
    /// Empty where the kernel computes it.
    pub(super) default: &'static str,
    /// Why somebody sets such a value, and what it costs; empty: it has no meaning.
    pub(super) why: &'static str,
}

pub(super) fn of(snapshot: &Snapshot, namespace: &Namespace) -> Vec<Setting> {
    let suspects = keys::suspects(|name| namespace.sysctls.get(name).filter(|_| !JUDGED_WITH_OTHERS.contains(&name)));
    suspects.filter_map(|(name, text)| setting(snapshot, namespace, name, text)).collect()
}

fn setting(snapshot: &Snapshot, namespace: &Namespace, name: &'static str, text: &str) -> Option<Setting> {
    let key = keys::catalogue().get(name)?;
    let value = keys::parse(key, text).ok()?;
    let can_be_set = !key.read_only && (namespace.initial || key.scope == Scope::Namespace);
    let is_default = |default: &str| keys::parse(key, default).is_ok_and(|default| default == value);
    if !can_be_set || key.default.as_deref().is_some_and(is_default) || key.inert_on(&snapshot.system.kernel).is_some()
    {
        return None;
    }
    let why = match keys::sense(key, &value) {
        Sense::None => "",
        // A small machine can have a small value of its own.
        Sense::Unusual(why) if key.default.is_some() => why,
        Sense::Unusual(_) | Sense::Useful | Sense::Costs(_) => return None,
    };
    // Rules of their own judge these.
    if key.ascending && !value.numbers().is_sorted() {
        return None;
    }
    Some(Setting { name, value: folded(text), default: key.default.as_deref().unwrap_or_default(), why })
}
