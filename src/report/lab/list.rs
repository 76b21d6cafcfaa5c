//! `lab list`: the scenarios by area.

use std::collections::BTreeMap;

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
            let mark = if scenario.is_fault() { "" } else { "  (healthy look-alike)" };
            text.push_str(&format!("  {}{mark}\n", theme.paint(theme.key, &scenario.name)));
            text.push_str(&wrap(&scenario.title, 6));
            text.push('\n');
            if scenario.is_fault() {
                text.push_str(&theme.paint(theme.dim, &wrap(&format!("shows {}", scenario.shows.join(", ")), 6)));
                text.push('\n');
            }
        }
        text.push('\n');
    }
    let faults = scenarios.iter().filter(|scenario| scenario.is_fault()).count();
    let healthy = scenarios.len() - faults;
    let all =
        format!("{}, {}.", units::quantity_of(faults, "faults"), units::quantity_of(healthy, "healthy look-alikes"));
    text.push_str(&format!("{all} `lab run NAME` plays one, `lab run --all` plays all.\n"));
    text
}
