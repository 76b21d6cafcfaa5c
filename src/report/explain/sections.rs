//! The few shapes that the explanations are made of.

use crate::reference::counters;
use crate::report::theme::Theme;
use crate::report::wrap::{wrap, wrap_hanging};
use crate::snapshot::{Namespace, Snapshot};
use crate::units;

/// Text under construction.
pub(super) struct Explanation {
    theme: Theme,
    text: String,
}

impl Explanation {
    /// Begins with the name of what is explained.
    pub(super) fn new(theme: Theme, name: &str) -> Self {
        let mut page = Self { theme, text: String::new() };
        page.line(&theme.paint(theme.heading, name));
        page
    }

    /// A paragraph under what stands above it, without a heading.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.line(&wrap(text, 0));
    }

    /// Something for the reader to act on or beware of, set apart by its colour.
    pub(super) fn warn(&mut self, text: &str) {
        let wrapped = wrap(text, 0);
        // Line by line, so that the colour does not fill the rest of a line in terminals that extend it.
        for line in wrapped.lines() {
            self.line(&self.theme.paint(self.theme.warning, line));
        }
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A heading; what belongs to it follows.
    pub(super) fn heading(&mut self, heading: &str) {
        self.blank();
        self.line(&self.theme.paint(self.theme.heading, heading));
    }

    /// A heading with a text below it; nothing at all when there is no text.
    pub(super) fn section(&mut self, heading: &str, text: &str) {
        if !text.is_empty() {
            self.heading(heading);
            self.line(&wrap(text, 2));
        }
    }

    /// One name with what is to be said beside it and below it.
    pub(super) fn item(&mut self, name: &str, beside: &str, below: &str) {
        let theme = self.theme;
        let name = theme.paint(theme.key, name);
        self.line(&if beside.is_empty() { format!("  {name}") } else { format!("  {name} {beside}") });
        if !below.is_empty() {
            self.line(&wrap(below, 6));
        }
    }

    /// One of the values that a key can have, with its meaning beside it.
    pub(super) fn choice(&mut self, value: &str, meaning: &str) {
        let wrapped = wrap_hanging(&format!("{value}: {meaning}"), 4, 8);
        let painted = self.theme.paint(self.theme.key, value);
        self.line(&wrapped.replacen(value, &painted, 1));
    }

    /// Where the facts are from, one line each.
    pub(super) fn sources<'a>(&mut self, sources: impl IntoIterator<Item = &'a str>) {
        self.heading("Sources");
        for source in sources {
            for line in wrap(source, 2).lines() {
                self.line(&self.theme.paint(self.theme.dim, line));
            }
        }
    }

    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// What this host has of something, by namespace: `this host has 3 now`, or a list when there are several.
pub(super) fn here(snapshot: &Snapshot, of: impl Fn(&Namespace) -> Option<String>) -> Vec<String> {
    match snapshot.namespaces.as_slice() {
        [only] => of(only).into_iter().collect(),
        several => {
            several.iter().filter_map(|namespace| Some(format!("{}: {}", namespace.name, of(namespace)?))).collect()
        }
    }
}

/// The present value of a counter in a namespace, and its growth where there were two readings:
/// `4,021 since boot, +12 in 10 s`, `350 now`. `None` when it was not read.
pub(super) fn counter_value(snapshot: &Snapshot, namespace: &Namespace, full_name: &str) -> Option<String> {
    let (group, name) = full_name.split_once('.')?;
    let total = *namespace.counters.get(group)?.get(name)?;
    let shown = units::count(total);
    if counters::is_gauge(group, name) {
        return Some(format!("{shown} now"));
    }
    let since = if namespace.initial { "since boot" } else { "since the namespace was made" };
    let before = namespace.counters_before.as_ref().and_then(|counters| counters.get(group)?.get(name));
    Some(match before {
        Some(&before) => {
            let growth = units::count(total.saturating_sub(before));
            format!("{shown} {since}, {growth} of them in the last {}", units::duration(snapshot.window.seconds))
        }
        None => format!("{shown} {since}"),
    })
}

/// The present value of a key in each namespace; one value when all agree.
pub(super) fn key_value(snapshot: &Snapshot, key: &str) -> Option<String> {
    let mut values: Vec<(&str, String)> = snapshot
        .namespaces
        .iter()
        .filter_map(|namespace| Some((namespace.name.as_str(), one_line(namespace.sysctls.get(key)?))))
        .collect();
    values.dedup_by(|(_, second), (_, first)| second == first);
    match values.as_slice() {
        [] => None,
        [(_, value)] => Some(format!("= {value}")),
        several => {
            let each: Vec<String> = several.iter().map(|(name, value)| format!("{value} ({name})")).collect();
            Some(format!("= {}", each.join(", ")))
        }
    }
}

/// The kernel separates numbers by tabs.
pub(super) fn one_line(value: &str) -> String {
    let words: Vec<&str> = value.split_whitespace().collect();
    if words.is_empty() { "(empty)".to_owned() } else { words.join(" ") }
}
