//! Everything that `explain` knows, by area.
//!
//! In: the rules, the catalogue, the dictionary. Out: a page of names. Must not: explain any of them.

use std::collections::BTreeMap;

use crate::keys;
use crate::reference::{counters, states};
use crate::report::page::{Cell, GAP, Page};
use crate::report::theme::Theme;
use crate::rules::set::RuleSet;
use crate::units;

/// Of an area's name.
const AREA: usize = 12;

/// The page for `explain` without a name.
pub fn page(rules: &RuleSet, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    page.paragraph(0, theme.heading, "sysctl-advisor explain NAME explains one of these");
    page.blank();
    let states: Vec<&str> = states::iter().map(|state| state.name.as_str()).collect();
    group(&mut page, "TCP states", [("", states)].into());
    group(&mut page, "Pictures", [("", vec!["handshake", "close"])].into());

    let mut by_area: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for rule in rules.iter() {
        by_area.entry(if rule.area.is_empty() { "yours" } else { &rule.area }).or_default().push(&rule.id);
    }
    group(&mut page, "Rules", by_area);

    let mut by_folder: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for key in keys::catalogue().iter() {
        let (folder, name) = key.name.rsplit_once('.').unwrap_or(("", &key.name));
        by_folder.entry(folder).or_default().push(name);
    }
    group(&mut page, "Sysctl keys", by_folder);

    let mut by_group: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for counter in counters::iter() {
        let (group, name) = counter.group_and_name();
        by_group.entry(group).or_default().push(name);
    }
    group(&mut page, "Kernel counters", by_group);
    page.paragraph(
        0,
        theme.heading,
        "Other words are looked for in all texts: `sysctl-advisor explain too many open files`",
    );
    page.finish()
}

/// A heading with the number of names, and a row for each part: beside its name, or below a name that is too long.
fn group(page: &mut Page<'_>, heading: &str, parts: BTreeMap<&str, Vec<&str>>) {
    let theme = page.theme;
    let names = parts.values().map(Vec::len).sum::<usize>();
    let number = units::count(i64::try_from(names).unwrap_or(i64::MAX));
    page.paragraph(0, theme.heading, &format!("{heading} ({number})"));
    for (part, names) in parts {
        let names = names.join("  ");
        if part.is_empty() {
            page.row(2, &[Cell::new(&names, page.width() - 2).painted(theme.key)]);
        } else if part.len() <= AREA {
            let room = page.width() - 2 - AREA - GAP;
            page.row(2, &[Cell::new(part, AREA), Cell::new(&names, room).painted(theme.key)]);
        } else {
            page.row(2, &[Cell::new(part, page.width() - 2)]);
            page.row(2 + AREA + GAP, &[Cell::new(&names, page.width() - 2 - AREA - GAP).painted(theme.key)]);
        }
    }
    page.blank();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_everything_once_and_no_line_is_wider_than_the_page() {
        let theme = Theme::plain();
        let rules = RuleSet::shipped();
        let text = page(&rules, &theme);
        let words: Vec<&str> = text.split_whitespace().collect();
        for rule in rules.iter() {
            let found = words.iter().filter(|word| **word == rule.id).count();
            assert!(found >= 1, "{}", rule.id);
        }
        assert!(words.contains(&"somaxconn") && words.contains(&"TIME_WAIT") && words.contains(&"ListenOverflows"));
        assert!(text.lines().all(|line| line.chars().count() <= theme.width), "{text}");
    }
}
