//! The values of metrics, computed from a snapshot.
//!
//! In: a snapshot and one of its namespaces. Out: values by name, for the namespace and for each listener, interface and
//! so on; their changes over the window. Must not: read the system, or stand in a default for what was not read.

use super::defaults;
use super::effective;
use super::names::{change_parts, counter_parts};
use super::reading::Reading;
use super::subjects::{Subject, tcp};
use super::sysctl::key_value;
use super::value::Value;
use crate::drift::{self, SourceLine};
use crate::keys;
use crate::observe::gap::Gap;
use crate::reference::counters;
use crate::snapshot::{Namespace, Snapshot};

/// One namespace of a snapshot, ready to be asked for metrics.
#[derive(Debug)]
pub struct View<'a> {
    now: Reading<'a>,
    before: Option<Reading<'a>>,
}

/// The thing that a rule is evaluated on: one of its subject's records in a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    subject: Subject,
    place: usize,
}

impl Item {
    /// The namespace as a whole.
    pub const NAMESPACE: Self = Self { subject: Subject::Namespace, place: 0 };
}

impl<'a> View<'a> {
    pub fn new(snapshot: &'a Snapshot, namespace: &'a Namespace) -> Self {
        Self { now: Reading::now(snapshot, namespace), before: Reading::before(snapshot, namespace) }
    }

    /// Whether it is the namespace that the snapshot was taken in; the configuration files are this one's.
    pub fn is_first(&self) -> bool {
        self.now.snapshot.namespaces.first().is_some_and(|first| first.id == self.namespace().id)
    }

    /// Whether a tool is installed on the host. A snapshot of an older version does not know, and then the reader sees.
    pub fn has_tool(&self, name: &str) -> bool {
        self.now.snapshot.system.tools.as_ref().is_none_or(|tools| tools.iter().any(|tool| tool == name))
    }

    /// The line of a configuration file that a key's finding is about, with its text.
    pub fn source_line(&self, item: Item) -> Option<SourceLine> {
        let drift = self.now.drift().filter(|_| item.subject == Subject::Key)?;
        let line = drift.keys.get(item.place)?.boot.as_ref()?;
        Some(drift::source_line(self.now.snapshot.persisted.as_ref()?, &line.file, line.line, &line.span))
    }

    pub const fn namespace(&self) -> &'a Namespace {
        self.now.namespace
    }

    /// The things of a kind that this namespace has; the reason where they were not read. What belongs to the machine is
    /// there once: the machine and its neighbour tables in its own namespace, its CPUs in the one that the snapshot was taken in.
    pub fn items(&self, subject: Subject) -> Result<Vec<Item>, String> {
        let elsewhere = match subject {
            Subject::Host | Subject::NeighbourTable => !self.namespace().initial,
            Subject::Cpu => !self.is_first(),
            _ => false,
        };
        if elsewhere {
            return Ok(Vec::new());
        }
        // An empty list of what was not read is no list.
        if let Some(why) =
            self.namespace().beyond_budget().filter(|_| !subject.is_of_every_rule() && subject != Subject::Key)
        {
            return Err(why.to_owned());
        }
        let table = subject.main_table();
        match table.len(&self.now) {
            Some(count) => Ok((0..count).map(|place| Item { subject, place }).collect()),
            None => Err(self.why_missing(&format!("{}.*", table.prefix()))),
        }
    }

    /// What reports call the thing.
    pub fn label(&self, item: Item) -> String {
        item.subject.main_table().label(&self.now, item.place)
    }

    /// What stays the same of the thing from one run to the next: of a process its name and user, since a restart gives
    /// it another number; of everything else the label. Several things may have the same.
    pub fn identity(&self, item: Item) -> String {
        item.subject.main_table().identity(&self.now, item.place)
    }

    /// Whether a name was not read because the namespace is beyond the budget: everything but its counters, and what is the
    /// machine's.
    pub fn is_unread(&self, name: &str) -> bool {
        const OF_MACHINE: [&str; 4] = ["params.", "host.", "netns.", "window."];
        let is_of_machine = || OF_MACHINE.iter().any(|start| name.starts_with(start));
        self.namespace().beyond_budget().is_some() && counter_parts(name).is_none() && !is_of_machine()
    }

    /// The value of a name; `None` when it was not read or does not exist here.
    pub fn value(&self, item: Item, name: &str) -> Option<Value> {
        if let Some(text) = self.namespace().sysctls.get(name) {
            return key_value(keys::catalogue().get(name)?, text).ok();
        }
        if let Some(key) = defaults::key_of(name) {
            return defaults::value(&self.now, key);
        }
        if effective::key_of(name).is_some() {
            return effective::value(&self.now, place_in(item, Subject::Interface)?, name);
        }
        if let Some((reading, metric)) = change_parts(name) {
            return self.change(item, reading, metric);
        }
        if let Some((reading, group, counter)) = counter_parts(name) {
            return self.counter(reading, group, counter);
        }
        if self.gap_of(name).is_some() {
            return None;
        }
        let (subject, table) = Subject::of_name(name)?;
        let value = table.value(&self.now, place_in(item, subject)?, name);
        value.or_else(|| tcp::counted(self.namespace().counted.as_ref()?, name))
    }

    /// How far a metric of the thing came between the two readings.
    fn change(&self, item: Item, reading: &str, metric: &str) -> Option<Value> {
        if self.gap_of(metric).is_some() {
            return None;
        }
        let (subject, table) = Subject::of_name(metric)?;
        let (place, before) = (place_in(item, subject)?, self.before.as_ref()?);
        let from = match table.place_before(&self.now, place, before) {
            Some(place_before) => table.value(before, place_before, metric)?,
            None => table.value_of_absent(before, metric)?,
        };
        let pair = (from, table.value(&self.now, place, metric)?);
        let delta = match pair {
            // One that went backwards was reset: how far it came in between nobody knows.
            (Value::Int(from), Value::Int(to)) => {
                let delta = to.checked_sub(from)?;
                let grows = table.find(metric).is_some_and(|row| row.grows);
                Value::Int(Some(delta).filter(|delta| *delta >= 0 || !grows)?)
            }
            (Value::Double(from), Value::Double(to)) => Value::Double(to - from),
            _ => return None,
        };
        match (reading, delta) {
            ("delta", delta) => Some(delta),
            (_, Value::Int(delta)) => self.per_second(delta as f64),
            (_, Value::Double(delta)) => self.per_second(delta),
            _ => None,
        }
    }

    fn counter(&self, reading: &str, group: &str, counter: &str) -> Option<Value> {
        let now = *self.namespace().counters.get(group)?.get(counter)?;
        if reading == "total" {
            return Some(Value::Int(now));
        }
        let before = *self.namespace().counters_before.as_ref()?.get(group)?.get(counter)?;
        // One that went backwards was reset, or wrapped: how far it came in between nobody knows.
        let delta = now.checked_sub(before).filter(|delta| *delta >= 0 || counters::is_gauge(group, counter))?;
        if reading == "delta" { Some(Value::Int(delta)) } else { self.per_second(delta as f64) }
    }

    fn per_second(&self, delta: f64) -> Option<Value> {
        let seconds = self.now.snapshot.window.seconds;
        (seconds > 0.0).then(|| Value::Double(delta / seconds))
    }

    /// Why a name has no value, for the report's list of skipped rules.
    pub fn why_missing(&self, name: &str) -> String {
        // One reason for all that was not read of the namespace, not one for each name.
        if let Some(why) = self.namespace().beyond_budget().filter(|_| counter_parts(name).is_none()) {
            return why.to_owned();
        }
        let gap = |what: &str| self.gap_of(what).map(|gap| format!("{name}: {}", gap.why));
        if let Some(key) = defaults::key_of(name) {
            return defaults::why_missing(&self.now, key);
        }
        if let Some(key) = effective::key_of(name) {
            return gap(key).unwrap_or_else(|| format!("{name} has no value: the keys of the interface were not read"));
        }
        if let Some((_, metric)) = change_parts(name) {
            let one_reading = || match self.before {
                None => format!("{name} needs a reading at both ends of the window, and there is one reading"),
                Some(_) => {
                    format!("{name} has no value: {metric} was not read at both ends of the window, or was reset")
                }
            };
            return gap(metric).unwrap_or_else(one_reading);
        }
        if let Some((reading, group, counter)) = counter_parts(name) {
            if reading != "total" && self.namespace().counters_before.is_none() {
                return format!("{name} needs a reading at both ends of the window, and there is one reading");
            }
            if reading != "total" && self.counter("total", group, counter).is_some() {
                return format!("{name} has no value: the counter was reset, or not read at the start of the window");
            }
            return gap(&format!("counters.{group}"))
                .unwrap_or_else(|| format!("this kernel has no counter {group}.{counter}"));
        }
        if let Some(text) = self.namespace().sysctls.get(name) {
            return format!("{name} has an invalid value: {}", crate::text::printable(text, 40));
        }
        if keys::catalogue().get(name).is_some() {
            let scope = if self.namespace().initial { "kernel" } else { "namespace" };
            return gap(name).unwrap_or_else(|| format!("this {scope} has no key {name}"));
        }
        gap(name).or_else(|| self.why_unseen(name)).unwrap_or_else(|| format!("{name} could not be read"))
    }

    /// Why nothing was seen of the sockets or of the configuration files.
    fn why_unseen(&self, name: &str) -> Option<String> {
        match name.split('.').next()? {
            "tcp" | "ports" | "listener" | "destination" | "owner" => {
                let gap = self.gap_of("sockets").map(|gap| format!("{name}: {}", gap.why));
                Some(gap.unwrap_or_else(|| format!("{name} could not be read")))
            }
            "udp" | "udp_socket" => Some(format!("{name}: the UDP sockets were not read")),
            "unix_listener" => Some(format!("{name}: the listening Unix sockets were not read")),
            "persisted" | "key" => {
                let unread = self.now.drift().is_none();
                let why = if unread { "the configuration files were not read" } else { "no loader was found" };
                Some(format!("{name}: {why}"))
            }
            _ => None,
        }
    }

    /// The gap that a name falls into: its own, or one of the beginning of its name.
    fn gap_of(&self, name: &str) -> Option<&Gap> {
        self.namespace().gaps.iter().chain(&self.now.snapshot.gaps).find(|gap| {
            name.strip_prefix(gap.what.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// The place of the record that a metric of this subject is asked of, for a rule on this item.
fn place_in(item: Item, subject: Subject) -> Option<usize> {
    if subject.is_of_every_rule() { Some(0) } else { (subject == item.subject).then_some(item.place) }
}

#[cfg(test)]
mod tests;
