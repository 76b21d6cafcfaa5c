//! What the host looks like: its sockets by state, its ports and accept queues against their limits, its namespaces.
//!
//! In: namespaces, and what follows from them. Out: pictures, each with a table of its numbers, and the answers on ESTABLISHED
//! and TIME_WAIT. Must not: judge; a long bar is not a finding.

use maud::{Markup, html};

use crate::model::in_words;
use crate::reference::states as reference;
use crate::report::audit::answers::{self, Answer};
use crate::report::audit::derived::{Derived, PortUse, QueueUse};
use crate::report::audit::text::chart;
use crate::report::audit::{states, words};
use crate::report::html::{Bar, Caption, Whole, bars, columns, number};
use crate::snapshot::Namespace;
use crate::units;

/// Bars of one picture; the table beside it has more.
const DRAWN: usize = 12;
/// Rows of a table of ports or queues, of which a host may have thousands.
const LISTED: usize = 100;

/// The first namespace and those with the most sockets.
pub(super) fn sockets<'a>(namespaces: &'a [Namespace], derived: Derived<'a>) -> impl Iterator<Item = Markup> {
    let used = answers::ports_in_use(derived, namespaces);
    let (shown, _) = chart::shown(namespaces);
    shown.into_iter().map(move |(place, namespace)| {
        html! {
            h3 { (words::sockets_heading(namespace)) }
            (by_state(place, namespace))
            @let answers = answers::of(namespace, &used);
            @if !answers.is_empty() {
                dl .answers { @for Answer { state, text } in &answers { dt { (state) } dd { (text) } } }
            }
        }
    })
}

fn by_state(place: usize, namespace: &Namespace) -> Markup {
    let Some(sockets) = &namespace.sockets else { return html! {} };
    let mut some: Vec<_> = states::in_order(&sockets.states).into_iter().filter(|(_, number)| *number > 0).collect();
    some.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let Some(&(_, largest)) = some.first() else { return html! {} };
    let total = sockets.states.total() as f64;
    let bar = |&(state, count): &(&str, u64)| Bar {
        label: state.to_owned(),
        value: units::count_u64(count),
        from: 0.0,
        share: count as f64 / largest as f64,
    };
    let drawn: Vec<Bar> = some.iter().map(bar).collect();
    let caption = Caption {
        id: &format!("states-{place}"),
        title: "Sockets by state",
        about: &states::listed(&sockets.states, units::count_u64),
    };
    html! {
        div .pair {
            figure { (bars(&caption, &drawn, Whole::Largest, &[])) }
            div .wide { table .sortable {
                (columns(&[("State", false), ("Sockets", true), ("Share", true), ("Meaning", false)]))
                tbody { @for (state, count) in &some {
                    tr {
                        th scope="row" { (state) }
                        (number(*count as f64, &units::count_u64(*count)))
                        (number(*count as f64, &units::percent(*count as f64 / total)))
                        td .small { @if let Some(doc) = reference::doc(state) { (doc.summary) } }
                    }
                } }
            } }
        }
    }
}

/// The destinations with the most ports.
pub(super) fn ports(used: &[PortUse<'_>], has_many: bool) -> Option<Markup> {
    let drawn: Vec<Bar> = used
        .iter()
        .take(DRAWN)
        .map(|one| Bar { label: one.remote.clone(), value: units::percent(one.share), from: 0.0, share: one.share })
        .collect();
    let about = "Each bar shows how much of the ephemeral ports the connections toward one destination use. The whole \
                 width is all ports that can be used.";
    let caption = Caption { id: "ports", title: "Ports in use by destination", about };
    (!used.is_empty()).then(|| html! {
        p .dim { (about) }
        div .pair {
            figure { (bars(&caption, &drawn, Whole::Limit, &[])) }
            div .wide { table .sortable {
                (columns(&some_of(&[("Destination", false), ("From", false), NAMESPACE, ("Ports", true), ("Of", true)], has_many)))
                tbody { @for one in used.iter().take(LISTED) {
                    tr {
                        th scope="row" { (one.remote) }
                        td { (one.source) }
                        @if has_many { td { (in_words(one.namespace)) } }
                        (number(one.ports as f64, &units::count(one.ports)))
                        (number(one.usable as f64, &units::count(one.usable)))
                    }
                } }
            } }
        }
        (more(used.len()))
    })
}

/// The listeners with the fullest queues.
pub(super) fn queues(used: &[QueueUse<'_>], has_many: bool) -> Option<Markup> {
    let waiting = used.iter().take(DRAWN).filter(|one| one.queue > 0);
    let drawn: Vec<Bar> = waiting
        .map(|one| Bar {
            label: format!("{} {}", one.listener, one.owner),
            value: format!("{} of {}", units::count(one.queue), units::count(one.limit)),
            from: 0.0,
            share: one.share(),
        })
        .collect();
    let about = match drawn.len() {
        0 => "No connection waits for accept().",
        _ => "Each bar shows how many connections wait for accept(). The whole width is the limit of the queue.",
    };
    let caption = Caption { id: "queues", title: "Accept queues by listener", about };
    let heads = [("Listener", false), ("Process", false), NAMESPACE, ("Waiting", true), ("Limit", true)];
    (!used.is_empty()).then(|| {
        html! {
            p .dim { (about) }
            div .pair[!drawn.is_empty()] {
                @if !drawn.is_empty() { figure { (bars(&caption, &drawn, Whole::Limit, &[])) } }
                div .wide { table .sortable {
                    (columns(&some_of(&heads, has_many)))
                    tbody { @for one in used.iter().take(LISTED) {
                        tr {
                            th scope="row" { (one.listener) }
                            td { (one.owner) }
                            @if has_many { td { (in_words(one.namespace)) } }
                            (number(one.queue as f64, &units::count(one.queue)))
                            (number(one.limit as f64, &units::count(one.limit)))
                        }
                    } }
                } }
            }
            (more(used.len()))
        }
    })
}

/// A column that is left out where there is one namespace only.
const NAMESPACE: (&str, bool) = ("Namespace", false);

fn some_of<'a>(heads: &[(&'a str, bool)], has_many: bool) -> Vec<(&'a str, bool)> {
    heads.iter().copied().filter(|head| has_many || *head != NAMESPACE).collect()
}

fn more(all: usize) -> Markup {
    html! {
        @if let Some(more) = all.checked_sub(LISTED).filter(|more| *more > 0) {
            p .dim { "And " (units::count_u64(more as u64)) " more. A snapshot has them all." }
        }
    }
}

/// All of them, with what they are for.
pub(super) fn namespaces(namespaces: &[Namespace], derived: Derived<'_>) -> Option<Markup> {
    (!namespaces.is_empty()).then(|| {
        html! {
            div .wide { table .sortable {
                (columns(&[("Name", false), ("Roles", false), ("Sockets", true), ("By state", false), ("Id", false)]))
                tbody { @for namespace in namespaces {
                    @let states = namespace.states();
                    tr {
                        th scope="row" { (in_words(&namespace.name)) }
                        td { (words::roles(&derived.roles(namespace), true).unwrap_or_default()) }
                        @match states {
                            Some(states) => {
                                (number(states.total() as f64, &units::count_u64(states.total())))
                                td { (states::listed(states, units::count_u64)) }
                            },
                            None => {
                                (number(-1.0, "not read"))
                                td {}
                            }
                        }
                        td { code .dim { (namespace.id) } }
                    }
                } }
            } }
        }
    })
}
