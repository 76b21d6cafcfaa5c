//! Every scenario in one table of Markdown, for `docs/lab.md`.
//!
//! In: outcomes. Out: a page. Must not: hold what differs from one run to the next, but for the measured numbers.

use crate::lab::event::{Change, Effect, Kind, Measured, Outcome, Tried};
use crate::report::markdown;

const HEAD: &str = "\
# What the lab shows

`sysctl-advisor lab run --all --format markdown` makes this page. Each scenario makes its fault for real in network
namespaces of its own. The audit has to find it, and what the audit recommends, or what the application or the network
does, has to end it. A healthy look-alike resembles a fault, and no rule may say anything. `lab run NAME` plays one.

";

/// The page.
pub fn table(kernel: &str, outcomes: &[Outcome]) -> String {
    let of_kind = |kind| outcomes.iter().filter(|it| it.kind == kind).collect::<Vec<_>>();
    let [faults, healthy, lessons] = [Kind::Fault, Kind::LookAlike, Kind::Lesson].map(of_kind);
    let mut text = HEAD.to_owned();
    let good = |outcomes: &[&Outcome]| outcomes.iter().filter(|outcome| outcome.as_expected).count();
    text.push_str(&format!(
        "Measured on kernel {}: {} of {} faults found and ended, {} of {} healthy look-alikes quiet.\n\n",
        markdown::literal(kernel),
        good(&faults),
        faults.len(),
        good(&healthy),
        healthy.len()
    ));
    text.push_str("## Faults\n\n");
    text.push_str(
        "| Scenario | Found | Changed | Measured, before and after | Folk remedies |\n|---|---|---|---|---|\n",
    );
    for outcome in faults {
        text.push_str(&format!(
            "| `{}`: {} | {} | {} | {} | {} |\n",
            outcome.name,
            markdown::inline(&outcome.title),
            codes(&outcome.expected),
            lines(outcome.changes.iter().map(change)),
            lines(outcome.measured.iter().map(measured)),
            lines(outcome.wrong.iter().map(tried)),
        ));
    }
    for (title, outcomes) in [("Healthy look-alikes", healthy), ("Lessons", lessons)] {
        text.push_str(&format!("\n## {title}\n\n| Scenario | What it is |\n|---|---|\n"));
        for outcome in outcomes {
            text.push_str(&format!("| `{}` | {} |\n", outcome.name, markdown::inline(&outcome.title)));
        }
    }
    text
}

fn codes(rules: &[String]) -> String {
    lines(rules.iter().map(|rule| format!("`{rule}`")))
}

fn lines(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("<br>")
}

fn change(Change { key, from, to }: &Change) -> String {
    format!("`{key}` {} to {}", markdown::literal(from), markdown::literal(to))
}

fn measured(Measured { what, before, after }: &Measured) -> String {
    let number = |number: &Option<String>| markdown::literal(number.as_deref().unwrap_or("-"));
    match after {
        Some(_) => format!("{}: {}, {}", markdown::inline(what), number(before), number(after)),
        None => format!("{}: {}", markdown::inline(what), number(before)),
    }
}

fn tried(Tried { advice, effect, .. }: &Tried) -> String {
    let effect = match effect {
        Effect::None => "does not help",
        Effect::Harm => "does harm",
        Effect::Hides => "hides it",
        Effect::Helps => "did end it",
    };
    format!("{}: {effect}", markdown::inline(advice))
}
