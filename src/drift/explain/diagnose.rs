//! What is in force, held against what a boot would set, and why they differ.
//!
//! In: [`Evidence`]. Out: one [`KeyDrift`] a key.
//! Must not: read the machine; claim a cause without its evidence.

use super::cause;
use super::evidence::Evidence;
use super::knowledge::{self, SET_BY_INIT, interface_of, is_host_only, legacy, module_of};
use crate::drift::model::{Assignment, Cause, Diagnosis, KeyDrift, Status};
use crate::drift::value::{quoted, same};
use crate::host::rehearse::Answer;
use crate::keys::number::integer;
use crate::keys::{self, Combination, InterfaceKey, Key, Scope, folded};
use crate::observe::surroundings::KeyState;
use crate::observe::sysctls::Sysctls;
use crate::suggest;

/// Diagnoses every key that the files set, and those that something else has set. By name.
pub(in crate::drift) fn diagnose(evidence: &Evidence<'_>) -> Vec<KeyDrift> {
    let mut drifts: Vec<KeyDrift> = evidence
        .resolution
        .keys
        .iter()
        .map(|(key, resolved)| {
            let state = evidence.state(key);
            let Diagnosis { status, cause } = judge(evidence, key, &resolved.winner, &state);
            KeyDrift {
                key: key.clone(),
                boot: Some(resolved.winner.clone()),
                runtime: match state {
                    KeyState::Value(text) => Some(folded(&text)),
                    _ => None,
                },
                status,
                cause,
                shadowed: resolved.shadowed.clone(),
            }
        })
        .collect();
    drifts.extend(unmentioned(evidence));
    drifts.sort_by(|one, other| one.key.cmp(&other.key));
    drifts
}

fn judge(evidence: &Evidence<'_>, key: &str, winner: &Assignment, state: &KeyState) -> Diagnosis {
    let known = keys::catalogue().get(key);
    match state {
        // That much is certain without a look.
        KeyState::Unread(_)
            if known.is_some_and(|known| evidence.kernels.releases.iter().all(|kernel| known.is_gone_from(kernel))) =>
        {
            absent(evidence, key, known)
        }
        KeyState::Unread(_) if legacy(key).is_some() => {
            let text = format!("Kernels have no such key any more. {}", legacy(key).unwrap_or_default());
            Diagnosis::new(Status::Dead, "legacy", text)
        }
        KeyState::Unread(why) => Diagnosis::new(Status::Unread, "unread", format!("{}.", capital(why))),
        KeyState::WriteOnly => {
            let text = "The key can only be written, so there is no value to compare.";
            Diagnosis::new(Status::Unread, "write_only", text)
        }
        KeyState::Absent => absent(evidence, key, known),
        // Kernels differ: what this one has, it accepts.
        KeyState::Value(runtime) if winner.spread_from.is_none() && same(key, runtime, &winner.text) => {
            Diagnosis::in_sync()
        }
        // What is stored of a text that is refused is no success.
        KeyState::Value(runtime) if same(key, runtime, &winner.value) && !winner.written.partly => Diagnosis::in_sync(),
        KeyState::Value(_) if winner.spread_from.is_some() && has_its_effect(evidence, key) => Diagnosis::in_sync(),
        KeyState::Value(runtime) => refused(evidence, key, known, winner, runtime)
            .unwrap_or_else(|| cause::find(evidence, key, winner, runtime)),
    }
}

/// Whether an interface does now what it would do after a boot, although its own key differs: that of `all` decides.
fn has_its_effect(evidence: &Evidence<'_>, key: &str) -> bool {
    let combination = keys::catalogue().get(key).and_then(|known| known.combination);
    if !combination.is_some_and(Combination::uses_all) {
        return false;
    }
    let now = |name: &str| match evidence.state(name) {
        KeyState::Value(text) => integer(text.trim_ascii()),
        _ => None,
    };
    let after_boot = |name: &str| match evidence.resolution.keys.get(name) {
        Some(resolved) => integer(&resolved.winner.value),
        None => now(name),
    };
    let effect = keys::effective(key, now);
    effect.is_some() && effect == keys::effective(key, after_boot)
}

/// Why the kernel does not have a key.
fn absent(evidence: &Evidence<'_>, key: &str, known: Option<&Key>) -> Diagnosis {
    if let Some(removed) = known.and_then(|known| known.removed.as_deref()) {
        let text = format!("{} The line does nothing.", gone(key, removed));
        return Diagnosis::new(Status::Dead, "removed", text);
    }
    if let Some(text) = legacy(key) {
        return Diagnosis::new(Status::Dead, "legacy", format!("This kernel has no such key. {text}"));
    }
    let host_only = known.is_some_and(|known| known.scope == Scope::Host) || is_host_only(key);
    if !evidence.initial && host_only {
        let text = "The key belongs to the machine. It exists only in the host's own network namespace, so a file in this \
                    namespace cannot set it.";
        return Diagnosis::new(Status::WrongScope, "host_only", text);
    }
    if let Some(interface) = interface_of(key).filter(|name| !evidence.surroundings.interfaces.contains(name)) {
        let text = format!("Interface {interface} does not exist right now, so its keys do not exist.");
        return Diagnosis::new(Status::NotInForce, "interface_missing", text);
    }
    if let Some(module) = module_of(key).filter(|module| !evidence.is_loaded(module)) {
        let text = format!(
            "The module {module} provides this key, and it is not loaded. A boot sets the key only if the module is \
             loaded before the files (modules-load.d)."
        );
        return Diagnosis::new(Status::NotInForce, "module_not_loaded", text);
    }
    let has_ipv6 = evidence.sysctls.is_some_and(|sysctls| sysctls.keys().any(|name| name.starts_with("net.ipv6.")));
    if key.starts_with("net.ipv6.") && !has_ipv6 {
        let text = "This kernel runs without IPv6, so the IPv6 keys do not exist.";
        return Diagnosis::new(Status::NotInForce, "no_ipv6", text);
    }
    let is_too_old = |known: &&Key| evidence.kernels.releases.iter().any(|kernel| known.can_be_newer_than(kernel));
    if let Some(since) = known.filter(is_too_old).and_then(|known| known.since.as_deref()) {
        let text = format!("This kernel has no such key. Linux has had it since {}.", keys::in_words(since));
        return Diagnosis::new(Status::Dead, "newer_kernel", text);
    }
    if known.is_some() {
        let text =
            "This kernel has no such key. Other kernels have it: this one has another version or was built without it.";
        return Diagnosis::new(Status::Dead, "not_in_this_kernel", text);
    }
    let text = match suggestion(evidence, key) {
        Some(near) => format!("This kernel has no such key. Did you mean {near}?"),
        None => "This kernel has no such key.".to_owned(),
    };
    Diagnosis::new(Status::Dead, "unknown_key", text)
}

/// When a key was removed and what to use instead, in sentences.
pub(super) fn gone(key: &str, removed: &str) -> String {
    let when = match removed.strip_prefix("by ") {
        Some(version) => format!("The key was removed by Linux {version} at the latest."),
        None => format!("Linux {removed} removed the key."),
    };
    [Some(when.as_str()), legacy(key)].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The key that was probably meant: one of those in force, or of the catalogue. Nothing for a name that is none of the
/// network's, or longer than any: of garbage there may be megabytes.
fn suggestion(evidence: &Evidence<'_>, key: &str) -> Option<String> {
    const LONGEST: usize = 80;
    if !key.starts_with("net.") || key.len() > LONGEST {
        return None;
    }
    fn last(name: &str) -> &str {
        name.rsplit('.').next().unwrap_or(name)
    }
    let in_force = || evidence.sysctls.into_iter().flat_map(Sysctls::keys).filter(|name| interface_of(name).is_none());
    // The right name in the wrong directory is the most frequent mistake.
    let moved = || in_force().find(|name| last(name) == last(key)).cloned();
    let is_useful = |near: &String| keys::catalogue().get(near).is_some_and(Key::is_useful_to_set);
    let known = || keys::catalogue().suggest(key).filter(is_useful);
    let near = || suggest::nearest_by(in_force(), 0.85, |name| suggest::likeness(name, key)).cloned();
    moved().or_else(known).or_else(near)
}

/// What the kernel would say to the value: proven by rehearsal, else by what the catalogue knows.
fn refused(
    evidence: &Evidence<'_>,
    key: &str,
    known: Option<&Key>,
    winner: &Assignment,
    runtime: &str,
) -> Option<Diagnosis> {
    let is_never_written = known.is_some_and(|known| known.read_only);
    let read_only = is_never_written || evidence.surroundings.read_only.contains(key);
    if !evidence.initial && evidence.surroundings.sysctls_read_only && key.starts_with("net.") {
        let text = "/proc/sys is mounted read-only in this container, so no file in it can set the key. Whoever starts the \
                    container can.";
        return Some(Diagnosis::new(Status::WrongScope, "read_only_mount", text));
    }
    let of_machine = known.is_some_and(|known| known.scope != Scope::Namespace) || is_host_only(key);
    if !evidence.initial && !is_never_written && (of_machine || read_only) {
        let text = "The key belongs to the machine. It can be read here, and it can be written only in the host's own \
                    network namespace.";
        return Some(Diagnosis::new(Status::WrongScope, "read_only_in_namespace", text));
    }
    if read_only {
        let text = "The key is read-only. The kernel sets it.";
        return Some(Diagnosis::new(Status::Invalid, "read_only", text));
    }
    if let (true, Some(why)) = (winner.written.partly, mistake(winner)) {
        let text = format!(
            "The kernel rejects the value: {why}. It stores the numbers before the error, so the key has {} after a boot.",
            quoted(&winner.value)
        );
        return Some(Diagnosis::new(Status::Invalid, "refused_in_part", text));
    }
    match evidence.rehearsed.get(key) {
        Some(Answer::Refused(why)) => {
            let because = mistake(winner).map(|why| format!(" ({why})"));
            let text = format!(
                "The kernel rejects the value: {why}{}. It was tried in a scratch network namespace.{}",
                because.unwrap_or_default(),
                instead(evidence, key)
            );
            Some(Diagnosis::new(Status::Invalid, "refused", text))
        }
        Some(Answer::Taken { at_once, .. }) if !same(key, at_once, &winner.value) => {
            let tried = format!(
                "The kernel changes the value to {}. It was tried in a scratch network namespace.",
                quoted(&folded(at_once))
            );
            let status = if same(key, at_once, runtime) { Status::InSync } else { Status::NotInForce };
            Some(Diagnosis::new(status, "changed_by_kernel", tried))
        }
        Some(Answer::Taken { .. }) => None,
        _ => {
            let why = mistake(winner)?;
            Some(Diagnosis::new(
                Status::Invalid,
                "out_of_range",
                format!("{}.{}", capital(&why), instead(evidence, key)),
            ))
        }
    }
}

/// The line that a boot ends with when the winner's value is refused, as a sentence after another one.
fn instead(evidence: &Evidence<'_>, key: &str) -> String {
    let lines = evidence.resolution.keys.get(key).map(|resolved| resolved.if_refused.iter());
    let before = lines.and_then(|mut lines| lines.find(|line| line.written.is_stored()));
    before
        .map(|line| format!(" After a boot the value is {} from {}:{}.", quoted(&line.value), line.file, line.line))
        .unwrap_or_default()
}

/// Why we think that the kernel refuses a line's text.
pub(super) fn mistake(line: &Assignment) -> Option<String> {
    let refused = line.written.refused.as_ref()?;
    Some(format!("{}{}", refused.why, hint(&line.text)))
}

/// What the writer of a text that is refused may have expected of the loader.
fn hint(text: &str) -> &'static str {
    if knowledge::placeholder(text).is_some() {
        "; a placeholder in it was not replaced"
    } else if text.starts_with(['"', '\'']) {
        "; the loader does not remove quotes"
    } else if text.ends_with('\\') {
        "; a value cannot continue on the next line"
    } else if text.contains(['#', ';']) {
        "; a comment must be on a line of its own"
    } else {
        ""
    }
}

/// Keys that no file sets and that do not have the kernel's own default: a boot restores it. Only where the default is one
/// fixed value; a value that the catalogue's note names as another kernel's default was not set by anybody.
fn unmentioned(evidence: &Evidence<'_>) -> Vec<KeyDrift> {
    let Some(sysctls) = evidence.sysctls.filter(|_| evidence.is_booted()) else { return Vec::new() };
    let set_by_hand = |known: &&'static Key| {
        let (Some(default), Some(runtime)) = (known.default.as_deref(), sysctls.get(&known.name)) else { return false };
        let of_another_kernel = known.default_note.as_deref().is_some_and(|note| names(note, &folded(runtime)));
        // A new namespace has those of `all` from the host.
        let is_own = known.scope == Scope::Namespace && InterfaceKey::of(&known.name).is_none();
        !evidence.resolution.keys.contains_key(&known.name)
            && !known.read_only
            && (evidence.initial || is_own)
            && !SET_BY_INIT.contains(&known.name.as_str())
            && !of_another_kernel
            && !same(&known.name, runtime, default)
    };
    let drift = |known: &Key| {
        let runtime = sysctls.get(&known.name).map(|text| folded(text));
        let default = known.default.as_deref().unwrap_or_default();
        let text = match evidence.writer(&known.name) {
            Some(program) => format!("No file sets it. The kernel's default is {}. {program}", quoted(default)),
            None => {
                format!("No file sets it. The kernel's default is {}, and a reboot restores that.", quoted(default))
            }
        };
        KeyDrift {
            key: known.name.clone(),
            boot: None,
            runtime,
            status: Status::RuntimeOnly,
            cause: Some(Cause::new("not_persisted", text)),
            shadowed: Vec::new(),
        }
    };
    keys::catalogue().iter().filter_map(of_all).filter(set_by_hand).map(drift).collect()
}

/// The key itself. Of one that stands for all interfaces that of `all`: programs set those of the interfaces and of `default`.
/// Nothing where the value of `all` says nothing, or follows from another key.
fn of_all(known: &'static Key) -> Option<&'static Key> {
    const FOLLOWS: [&str; 2] = ["net.ipv4.conf.all.accept_redirects", "net.ipv4.conf.all.forwarding"];
    let Some(parts) = InterfaceKey::of(&known.name).filter(|parts| parts.who == "*") else { return Some(known) };
    let is_used =
        known.combination.is_some_and(|combination| combination.uses_all() || combination == Combination::Copied);
    let key = keys::catalogue().get(&parts.with("all")).filter(|_| is_used)?;
    (!FOLLOWS.contains(&key.name.as_str())).then_some(key)
}

/// Whether a note mentions a value as a word of its own.
fn names(note: &str, value: &str) -> bool {
    note.split(|c: char| c.is_whitespace() || ",;()".contains(c)).any(|word| word.trim_end_matches('.') == value)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
