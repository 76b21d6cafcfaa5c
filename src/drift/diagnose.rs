//! What is in force, held against what a boot would set, and why they differ.
//!
//! In: a [`Resolution`], the sysctls in force, the facts around them. Out: one [`KeyDrift`] a key.
//! Must not: read the machine; claim a cause without its evidence.

use std::collections::BTreeMap;

use super::cause::{self, Cause, Finding};
use super::knowledge::{SET_BY_INIT, interface_of, is_host_only, legacy, module_of};
use super::resolve::{Assignment, Resolution};
use crate::host::rehearse::Answer;
use crate::keys::{self, Key, Scope};
use crate::observe::surroundings::{KeyState, Surroundings};
use crate::observe::sysctls::Sysctls;
use crate::suggest;

/// How a key stands. The order is that of badness, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The files set a value that is not in force.
    NotInForce,
    /// The files set a key that this kernel does not have.
    Dead,
    /// The kernel does not take the value that the files set.
    Invalid,
    /// The files set a key that is not this network namespace's to set.
    WrongScope,
    /// The value in force was set by hand or by a program, and a boot would not bring it back.
    RuntimeOnly,
    /// The value in force could not be read, or was not asked for.
    Unread,
    InSync,
}

impl Status {
    /// All of them, the worst first.
    pub const ALL: [Self; 7] =
        [Self::NotInForce, Self::Dead, Self::Invalid, Self::WrongScope, Self::RuntimeOnly, Self::Unread, Self::InSync];

    /// As the JSON has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotInForce => "not_in_force",
            Self::Dead => "dead",
            Self::Invalid => "invalid",
            Self::WrongScope => "wrong_scope",
            Self::RuntimeOnly => "runtime_only",
            Self::Unread => "unread",
            Self::InSync => "in_sync",
        }
    }

    /// Whether something is to be done about it.
    pub const fn is_drift(self) -> bool {
        !matches!(self, Self::Unread | Self::InSync)
    }
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDrift {
    pub key: String,
    /// The line that a boot would follow; `None` when no file sets the key.
    pub boot: Option<Assignment>,
    /// As the kernel prints it, white space made single; `None` when there is none to read.
    pub runtime: Option<String>,
    pub status: Status,
    pub cause: Option<Cause>,
    /// The lines that lost, in the order in which the loader meets them.
    pub shadowed: Vec<Assignment>,
}

impl KeyDrift {
    /// A key that no file sets and that nothing is known to have changed.
    pub fn untouched(key: &str, runtime: &str) -> Self {
        let text = "No file sets it.";
        Self {
            key: key.to_owned(),
            boot: None,
            runtime: Some(folded(runtime)),
            status: Status::InSync,
            cause: Cause::new("not_in_files", text),
            shadowed: Vec::new(),
        }
    }
}

/// What the diagnosis rests on.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    pub resolution: &'a Resolution,
    /// `None`: there is nothing to compare with, as for an image that is not running.
    pub sysctls: Option<&'a Sysctls>,
    pub surroundings: &'a Surroundings,
    /// Whether the namespace is the machine's first.
    pub initial: bool,
    /// What the kernel said to the values of the files, by key.
    pub rehearsed: &'a BTreeMap<String, Answer>,
}

/// Diagnoses every key that the files set, and those that something else has set. By name.
pub fn diagnose(input: &Input<'_>) -> Vec<KeyDrift> {
    let mut drifts: Vec<KeyDrift> = input
        .resolution
        .keys
        .iter()
        .map(|(key, resolved)| {
            let state = input.state(key);
            let (status, cause) = judge(input, key, &resolved.winner, &state);
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
    drifts.extend(unmentioned(input));
    drifts.sort_by(|one, other| one.key.cmp(&other.key));
    drifts
}

impl Input<'_> {
    /// What is in force.
    pub(super) fn state(&self, key: &str) -> KeyState {
        let Some(sysctls) = self.sysctls else { return KeyState::Unread("nothing was compared".to_owned()) };
        match (sysctls.get(key), self.surroundings.keys.get(key)) {
            (Some(text), _) => KeyState::Value(text.clone()),
            (None, Some(state)) => state.clone(),
            (None, None) => KeyState::Unread("its value was not read".to_owned()),
        }
    }
}

fn judge(input: &Input<'_>, key: &str, winner: &Assignment, state: &KeyState) -> Finding {
    let known = keys::catalogue().get(key);
    match state {
        // No kernel that a host runs today has it; that much is certain without a look.
        KeyState::Unread(_) if known.is_some_and(|known| known.removed.is_some()) => absent(input, key, known),
        KeyState::Unread(why) => (Status::Unread, Cause::new("unread", format!("{}.", capital(why)))),
        KeyState::WriteOnly => {
            let text = "The key can only be written, so there is no value to compare.";
            (Status::Unread, Cause::new("write_only", text))
        }
        KeyState::Absent => absent(input, key, known),
        KeyState::Value(runtime) if same(key, runtime, &winner.value) => (Status::InSync, None),
        KeyState::Value(runtime) => {
            refused(input, key, known, winner, runtime).unwrap_or_else(|| cause::find(input, key, winner, runtime))
        }
    }
}

/// Why the kernel does not have a key.
fn absent(input: &Input<'_>, key: &str, known: Option<&Key>) -> Finding {
    if let Some(removed) = known.and_then(|known| known.removed.as_deref()) {
        let text = format!("{}; the line does nothing.", gone(removed));
        return (Status::Dead, Cause::new("removed", text));
    }
    if let Some(text) = legacy(key) {
        return (Status::Dead, Cause::new("legacy", format!("This kernel has no such key. {text}")));
    }
    let host_only = known.is_some_and(|known| known.scope == Scope::Host) || is_host_only(key);
    if !input.initial && host_only {
        let text = "The key belongs to the machine: it exists in the host's own network namespace only, and a file in \
                    here cannot set it.";
        return (Status::WrongScope, Cause::new("host_only", text));
    }
    if let Some(interface) = interface_of(key).filter(|name| !input.surroundings.interfaces.contains(name)) {
        let text = format!("There is no interface {interface} at present, so its keys do not exist.");
        return (Status::NotInForce, Cause::new("interface_missing", text));
    }
    if let Some(module) = module_of(key).filter(|module| !cause::is_loaded(input, module)) {
        let text = format!(
            "The key comes with the module {module}, which is not loaded. A boot sets it only when the module is \
             loaded before the files are (modules-load.d)."
        );
        return (Status::NotInForce, Cause::new("module_not_loaded", text));
    }
    let has_ipv6 = input.sysctls.is_some_and(|sysctls| sysctls.keys().any(|name| name.starts_with("net.ipv6.")));
    if key.starts_with("net.ipv6.") && !has_ipv6 {
        let text = "This kernel runs without IPv6, so none of its keys exist.";
        return (Status::NotInForce, Cause::new("no_ipv6", text));
    }
    let since = known.and_then(|known| known.since.as_deref());
    if let Some(since) = since {
        let text = format!("This kernel has no such key; Linux has it since {since}.");
        return (Status::Dead, Cause::new("newer_kernel", text));
    }
    if known.is_some() {
        let text = "This kernel has no such key, though others do: it is of another version, or built without it.";
        return (Status::Dead, Cause::new("not_in_this_kernel", text));
    }
    let text = match suggestion(input, key) {
        Some(near) => format!("This kernel has no such key. Was {near} meant?"),
        None => "This kernel has no such key.".to_owned(),
    };
    (Status::Dead, Cause::new("unknown_key", text))
}

/// `Linux 4.12 removed the key`, `By Linux 6.1 the key was removed`.
pub(super) fn gone(removed: &str) -> String {
    match removed.strip_prefix("by ") {
        Some(version) => format!("The key was removed by Linux {version} at the latest"),
        None => format!("Linux {removed} removed the key"),
    }
}

/// The key that was probably meant: one of those in force, or of the catalogue. Nothing for a name that is none of the
/// network's, or longer than any: of garbage there may be megabytes.
fn suggestion(input: &Input<'_>, key: &str) -> Option<String> {
    const LONGEST: usize = 80;
    if !key.starts_with("net.") || key.len() > LONGEST {
        return None;
    }
    fn last(name: &str) -> &str {
        name.rsplit('.').next().unwrap_or(name)
    }
    let in_force = || input.sysctls.into_iter().flat_map(Sysctls::keys).filter(|name| interface_of(name).is_none());
    // The right name in the wrong directory is the most frequent mistake.
    let moved = || in_force().find(|name| last(name) == last(key)).cloned();
    let known = || keys::catalogue().suggest(key).filter(|near| near.is_useful_to_set()).map(|near| near.name.clone());
    let near = || suggest::nearest_by(in_force(), 0.85, |name| suggest::likeness(name, key)).cloned();
    moved().or_else(known).or_else(near)
}

/// What the kernel would say to the value: proven by rehearsal, else by what the catalogue knows.
fn refused(input: &Input<'_>, key: &str, known: Option<&Key>, winner: &Assignment, runtime: &str) -> Option<Finding> {
    let read_only = input.surroundings.read_only.contains(key) || known.is_some_and(|known| known.read_only);
    let of_machine = known.is_some_and(|known| known.scope != Scope::Namespace) || is_host_only(key);
    if !input.initial && (of_machine || read_only) {
        let text = "The key belongs to the machine: it can be read here, and written in the host's own network \
                    namespace only.";
        return Some((Status::WrongScope, Cause::new("read_only_in_namespace", text)));
    }
    if read_only {
        return Some((
            Status::Invalid,
            Cause::new("read_only", "Nobody can write this key; the kernel sets it itself."),
        ));
    }
    match input.rehearsed.get(key) {
        Some(Answer::Refused(why)) => {
            let because = known.and_then(|known| mistake(known, &winner.value)).map(|why| format!(" ({why})"));
            let text = format!(
                "The kernel refuses the value: {why}{}. Tried in a scratch network namespace.{}",
                because.unwrap_or_default(),
                instead(input, key)
            );
            Some((Status::Invalid, Cause::new("refused", text)))
        }
        Some(Answer::Taken { at_once, .. }) if !same(key, at_once, &winner.value) => {
            let tried = format!(
                "The kernel makes {} of the value. Tried in a scratch network namespace.",
                quoted(&folded(at_once))
            );
            let status = if same(key, at_once, runtime) { Status::InSync } else { Status::NotInForce };
            Some((status, Cause::new("changed_by_kernel", tried)))
        }
        Some(Answer::Taken { .. }) => None,
        _ => {
            let why = mistake(known?, &winner.value)?;
            Some((Status::Invalid, Cause::new("out_of_range", format!("{}.{}", capital(&why), instead(input, key)))))
        }
    }
}

/// The line that a boot ends with when the winner's value is refused, as a sentence after another one.
fn instead(input: &Input<'_>, key: &str) -> String {
    let before = input.resolution.keys.get(key).and_then(|resolved| resolved.if_refused.first());
    before
        .map(|line| format!(" A boot ends with {} from {}:{}.", quoted(&line.value), line.file, line.line))
        .unwrap_or_default()
}

/// Why the catalogue thinks that the kernel does not take a value.
fn mistake(known: &Key, value: &str) -> Option<String> {
    match keys::parse(known, value) {
        Ok(value) => keys::validate(known, &value).err().map(|error| error.to_string()),
        Err(error) => Some(error.to_string()),
    }
}

/// Keys that no file sets and that do not have the kernel's own default any more. Only where that default is one fixed
/// value on all kernels; a value that the catalogue's note names as another kernel's default is none that somebody set.
fn unmentioned(input: &Input<'_>) -> Vec<KeyDrift> {
    let Some(sysctls) = input.sysctls else { return Vec::new() };
    let set_by_hand = |known: &&Key| {
        let (Some(default), Some(runtime)) = (known.default.as_deref(), sysctls.get(&known.name)) else { return false };
        let of_another_kernel = known.default_note.as_deref().is_some_and(|note| names(note, &folded(runtime)));
        !input.resolution.keys.contains_key(&known.name)
            && !known.read_only
            && (input.initial || known.scope == Scope::Namespace)
            && !SET_BY_INIT.contains(&known.name.as_str())
            && !of_another_kernel
            && !same(&known.name, runtime, default)
    };
    let drift = |known: &Key| {
        let runtime = sysctls.get(&known.name).map(|text| folded(text));
        let default = known.default.as_deref().unwrap_or_default();
        let text = match cause::writer(input, &known.name) {
            Some(program) => format!("No file sets it, and the kernel's default is {}. {program}", quoted(default)),
            None => {
                format!("No file sets it, and the kernel's default is {}: a boot brings that back.", quoted(default))
            }
        };
        KeyDrift {
            key: known.name.clone(),
            boot: None,
            runtime,
            status: Status::RuntimeOnly,
            cause: Cause::new("not_persisted", text),
            shadowed: Vec::new(),
        }
    };
    keys::catalogue().iter().filter(set_by_hand).map(drift).collect()
}

/// Whether a note mentions a value as a word of its own.
fn names(note: &str, value: &str) -> bool {
    note.split(|c: char| c.is_whitespace() || ",;()".contains(c)).any(|word| word.trim_end_matches('.') == value)
}

/// Whether the kernel would see no difference between two values of a key. Keys that the catalogue does not have, and
/// values that it cannot read, are the same when their words are.
pub fn same(key: &str, one: &str, other: &str) -> bool {
    let parsed = |text: &str| keys::catalogue().get(key).and_then(|known| keys::parse(known, text).ok());
    match (parsed(one), parsed(other)) {
        (Some(one), Some(other)) => one == other,
        _ => folded(one) == folded(other),
    }
}

/// White space made single.
pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn quoted(value: &str) -> String {
    if value.is_empty() { "empty".to_owned() } else { format!("`{value}`") }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
