//! The sockets of a namespace by state, as bars.
//!
//! In: the counts of a snapshot. Out: rows on a page, one a state that has sockets.
//! Must not: judge; a long bar is not a finding.

use std::cmp::Reverse;

use crate::model::in_words;
use crate::report::audit::answers::{self, Answer};
use crate::report::audit::derived::PortUse;
use crate::report::audit::{states, words};
use crate::report::page::{Cell, GAP, Page};
use crate::snapshot::Namespace;
use crate::units;

/// A host of containers has hundreds of namespaces; beyond these only their number is told.
const SHOWN: usize = 5;
/// Of the longest bar.
const BAR: usize = 40;
const NAME: usize = "ESTABLISHED".len();

/// A chart for the first namespace and for those with the most sockets, in the order of the snapshot; a line for the rest,
/// and for those that have none. `roles` says what a namespace is for, if that is known.
pub(super) fn write(
    page: &mut Page<'_>,
    namespaces: &[Namespace],
    used: &[PortUse<'_>],
    roles: impl Fn(&Namespace) -> Option<String>,
) {
    let (shown, rest) = shown(namespaces);
    for (_, namespace) in shown {
        page.blank();
        if let Some(roles) = roles(namespace) {
            let text = format!("Roles of {}: {roles}", in_words(&namespace.name));
            page.row(0, &[Cell::new(&text, page.width()).hanging(2)]);
            page.blank();
        }
        one(page, namespace);
        for (place, Answer { state, text }) in answers::of(namespace, used).into_iter().enumerate() {
            if place == 0 {
                page.blank();
            }
            page.row(
                2,
                &[Cell::new(state, NAME).painted(page.theme.key), Cell::new(&text, page.width() - 2 - NAME - GAP)],
            );
        }
    }
    if let [(_, quiet)] = rest[..] {
        page.blank();
        page.paragraph(0, page.theme.heading, &format!("TCP sockets of {}: {}", quiet.name, total(quiet).unwrap_or(0)));
    } else if !rest.is_empty() {
        let total: u64 = rest.iter().filter_map(|(_, namespace)| total(namespace)).sum();
        let text = format!(
            "And {} more with {}; --format json lists them.",
            units::quantity(rest.len() as i64, "namespaces"),
            units::quantity(i64::try_from(total).unwrap_or(i64::MAX), "sockets"),
        );
        page.blank();
        page.paragraph(0, page.theme.dim, &text);
    }
}

/// A namespace and its place in the snapshot.
type Placed<'a> = (usize, &'a Namespace);

/// The first namespace and those with the most sockets, in the order of the snapshot, and the rest.
pub(in crate::report::audit) fn shown(namespaces: &[Namespace]) -> (Vec<Placed<'_>>, Vec<Placed<'_>>) {
    let mut by_size: Vec<usize> = (0..namespaces.len()).collect();
    // What could not be read is no quiet place.
    by_size
        .sort_by_key(|&place| (place != 0, Reverse(namespaces.get(place).map_or(Some(0), total).unwrap_or(u64::MAX))));
    let is_told = |place: &usize| *place == 0 || namespaces.get(*place).is_some_and(|it| total(it) != Some(0));
    let told: Vec<usize> = by_size.into_iter().take(SHOWN).filter(is_told).collect();
    namespaces.iter().enumerate().partition(|(place, _)| told.contains(place))
}

/// One of which only the counters were read is passed over as one without sockets is.
fn total(namespace: &Namespace) -> Option<u64> {
    let passed_over = namespace.beyond_budget().map(|_| 0);
    passed_over.or_else(|| namespace.sockets.as_ref().map(|sockets| sockets.states.total()))
}

fn one(page: &mut Page<'_>, namespace: &Namespace) {
    let theme = page.theme;
    page.paragraph(0, theme.heading, &words::sockets_heading(namespace));
    let Some(sockets) = &namespace.sockets else { return };
    let states = states::in_order(&sockets.states);
    let largest = states.iter().map(|&(_, number)| number).max().unwrap_or(0);
    let count_width = units::count_u64(largest).len();
    let room = page.width().saturating_sub(2 + NAME + GAP + count_width + GAP).min(BAR);
    for (name, number) in states.into_iter().filter(|&(_, number)| number > 0) {
        page.row(
            2,
            &[
                Cell::new(name, NAME).painted(theme.key),
                Cell::new(&units::count_u64(number), count_width).right(),
                Cell::new(&bar(number, largest, room), room),
            ],
        );
    }
}

/// A bar in eighths of a character; what is not 0 is seen.
pub(crate) fn bar(number: u64, largest: u64, room: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let full = room as u128 * 8;
    let eighths = (u128::from(number) * full / u128::from(largest.max(1))).clamp(u128::from(number > 0), full) as usize;
    "█".repeat(eighths / 8) + PARTS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::sockets::{Sockets, StateCounts};
    use crate::report::example;
    use crate::report::theme::Theme;

    #[test]
    fn bars_are_in_proportion_and_one_socket_is_still_seen() {
        assert_eq!(bar(100, 100, 4), "████");
        assert_eq!(bar(50, 100, 3), "█▌");
        assert_eq!(bar(1, u64::MAX, 40), "▏");
        assert_eq!(bar(u64::MAX, u64::MAX, 2), "██");
        assert_eq!(bar(0, 0, 40), "");
    }

    #[test]
    fn of_quiet_namespaces_and_beyond_the_largest_only_the_sum_is_told() {
        let with_sockets = |number: usize| Namespace {
            sockets: Some(example::sockets()),
            ..example::namespace("net:[1]", &format!("pod-{number}"), false)
        };
        let mut namespaces: Vec<Namespace> = (0..SHOWN + 2).map(with_sockets).collect();
        let quiet = Sockets { states: StateCounts::default(), ..example::sockets() };
        namespaces[1].sockets = Some(quiet);
        let theme = Theme::plain();
        let shown = |namespaces: &[Namespace]| {
            let mut page = Page::new(&theme);
            write(&mut page, namespaces, &[], |_| None);
            page.finish()
        };
        let text = shown(&namespaces);
        for (number, is_told) in [(0, true), (1, false), (2, true), (5, true), (6, false)] {
            assert_eq!(text.contains(&format!("TCP sockets of pod-{number}")), is_told, "{number}: {text}");
        }
        assert!(text.contains("And 2 namespaces more with 26,836 sockets"), "{text}");
        assert!(shown(&namespaces[..2]).contains("TCP sockets of pod-1: 0"), "one quiet one needs no more than a line");
    }
}
