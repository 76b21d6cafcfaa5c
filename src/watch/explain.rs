//! The full text about the row under the cursor.
//!
//! In: a row, the model, the snapshot that it is from. Out: a title and the text of `explain`, or the finding in full.
//! Must not: have words of its own where a report has them.

use super::keys::HELP;
use super::model::{Model, Panel};
use super::waiting::Waiting;
use crate::metrics::catalogue;
use crate::metrics::subjects::Subject;
use crate::metrics::value::Type;
use crate::metrics::view::{Item, View};
use crate::reference::{counters, states};
use crate::report::audit::{Detail, text};
use crate::report::explain;
use crate::report::measured::measured;
use crate::report::theme::Theme;
use crate::report::wrap::{WIDTH, wrap_hanging};
use crate::snapshot::Snapshot;
use crate::text::one_line;

/// Title and text of a row; `None` where there is no row, or nothing is known of it.
pub fn row(
    panel: Panel,
    row: usize,
    model: &Model,
    snapshot: Option<&Snapshot>,
    theme: Theme,
) -> Option<(String, String)> {
    let now = model.now.as_ref()?;
    match panel {
        Panel::Findings => {
            let found = &model.findings.get(row)?.finding;
            Some((found.rule.clone(), text::one(found, Detail::Full, &theme)))
        }
        Panel::States => {
            let name = model.states().get(row)?.name;
            Some((name.to_owned(), explain::state::state(states::doc(name)?, snapshot, theme)))
        }
        Panel::Rates => {
            let name = now.rates.get(row)?.name;
            Some((name.to_owned(), explain::counter::counter(counters::doc(name)?, snapshot, theme)))
        }
        Panel::Listeners => {
            let seen = now.listeners.get(row)?;
            Some((format!("listener {}", one_line(&seen.local)), thing(Subject::Listener, seen.item, snapshot?, theme)))
        }
        Panel::Destinations => {
            let seen = now.destinations.get(row)?;
            let title = format!("destination {}", one_line(&seen.remote));
            Some((title, thing(Subject::Destination, seen.item, snapshot?, theme)))
        }
        Panel::Changes => model.waiting.first().map(|_| ("changes".to_owned(), changes(&model.waiting))),
    }
}

/// The keys.
pub fn help(theme: Theme) -> String {
    let row = |(key, what): &(&str, &str)| format!("  {}{what}\n", theme.paint(theme.key, &format!("{key:<24}")));
    let keys: String = HELP.iter().map(row).collect();
    let more = "The command `sysctl-advisor explain NAME` prints the same explanations. `sysctl-advisor audit` reports \
                the findings with all numbers.";
    format!("{}\n\n{keys}\n{}\n", theme.paint(theme.heading, "Keys"), wrap_hanging(more, theme.width, 0, 0))
}

/// Every number that is known of a listener or a destination, with what it means.
fn thing(subject: Subject, item: Item, snapshot: &Snapshot, theme: Theme) -> String {
    let Some(namespace) = snapshot.namespaces.first() else { return String::new() };
    let view = View::new(snapshot, namespace);
    let mut text = String::new();
    for metric in catalogue::metrics().filter(|metric| metric.of == subject && metric.kind != Type::Ages) {
        let Some(value) = view.value(item, metric.name) else { continue };
        let value = measured(&value, metric.unit);
        let (_, short) = metric.name.split_once('.').unwrap_or_default();
        let line = format!("{}  {}", theme.paint(theme.key, short), one_line(&value));
        text.push_str(&format!("{line}\n{}\n", theme.paint(theme.dim, &wrap_hanging(metric.help, theme.width, 4, 4))));
    }
    text
}

fn changes(waiting: &[Waiting]) -> String {
    let one = |change: &Waiting| {
        let verdicts: String = change
            .verdicts
            .iter()
            .map(|verdict| wrap_hanging(&one_line(&verdict.to_string()), WIDTH, 2, 4) + "\n")
            .collect();
        format!(
            "Change {id}: {keys}\n{verdicts}\nsysctl-advisor changes {id}   shows its values and steps\n\
             sysctl-advisor confirm {id}   makes it permanent\nsysctl-advisor rollback {id}  restores the previous values\n",
            id = change.id,
            keys = change.keys.join(", "),
        )
    };
    waiting.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::watch::example;

    fn model() -> Model {
        let mut model = Model::default();
        example::looks().into_iter().for_each(|seen| model.add(Rc::new(seen)));
        model
    }

    fn text_of(panel: Panel, place: usize) -> (String, String) {
        row(panel, place, &model(), Some(&example::snapshot(10)), Theme::plain()).unwrap()
    }

    #[test]
    fn each_panel_explains_its_rows() {
        let (title, text) = text_of(Panel::Findings, 0);
        assert_eq!(title, "ephemeral-ports");
        assert!(text.contains("A second paragraph"), "in full: {text}");
        let (title, text) = text_of(Panel::Rates, 0);
        assert_eq!(title, "TcpExt.ListenOverflows");
        assert!(text.contains("accept"), "{text}");
        assert_eq!(text_of(Panel::States, 0).0, "LISTEN");
        let (title, text) = text_of(Panel::Listeners, 0);
        assert_eq!(title, "listener 0.0.0.0:8080");
        assert!(text.contains("queue  129 connections\n    connections that wait for accept()"), "{text}");
        assert!(text_of(Panel::Destinations, 0).1.contains("port_use  92 %"));
        assert!(row(Panel::Rates, 99, &model(), None, Theme::plain()).is_none());
    }

    #[test]
    fn the_help_has_every_key() {
        let text = help(Theme::plain());
        assert!(HELP.iter().all(|(key, what)| text.contains(key) && text.contains(what)));
    }
}
