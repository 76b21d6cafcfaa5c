//! `lab list`: the scenarios by area.

use std::collections::BTreeMap;

use crate::lab::event::Kind;
use crate::lab::scenario::Scenario;
use crate::report::theme::Theme;
use crate::report::wrap::wrap;
use crate::units;

/// A scenario in two lines: its name and its title, then the rules that it shows.
pub fn list(scenarios: &[Scenario], theme: &Theme) -> String {
    let mut areas: BTreeMap<&str, Vec<&Scenario>> = BTreeMap::new();
    for scenario in scenarios {
        areas.entry(&scenario.area).or_default().push(scenario);
    }
    let mut text = String::new();
    for (area, scenarios) in areas {
        text.push_str(&theme.paint(theme.heading, area));
        text.push('\n');
        for scenario in scenarios {
            let mark = match scenario.kind() {
                Kind::Fault => "",
                Kind::LookAlike => "  (healthy look-alike)",
                Kind::Lesson => "  (lesson)",
            };
            let mark = if scenario.host { "  (needs a machine: --host)" } else { mark };
            text.push_str(&format!("  {}{mark}\n", theme.paint(theme.key, &scenario.name)));
            text.push_str(&wrap(&scenario.title, theme.width, 6));
            text.push('\n');
            if scenario.is_fault() {
                text.push_str(
                    &theme.paint(theme.dim, &wrap(&format!("shows {}", scenario.shows.join(", ")), theme.width, 6)),
                );
                text.push('\n');
            }
        }
        text.push('\n');
    }
    let count = |kind| scenarios.iter().filter(|scenario| scenario.kind() == kind).count();
    let parts = [(Kind::Fault, "faults"), (Kind::LookAlike, "healthy look-alikes"), (Kind::Lesson, "lessons")];
    let parts = parts.map(|(kind, name)| units::quantity_of(count(kind), name)).join(", ");
    text.push_str(&wrap(&format!("{parts}. `lab run NAME` plays one, `lab run --all` plays all."), theme.width, 0));
    text.push('\n');
    text
}
