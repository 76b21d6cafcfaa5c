//! The last line of the report, and what it means that nothing was found.
//!
//! In: the numbers of an audit. Out: sentences. Must not: let "could not be checked" look like "is fine".

use anstyle::Style;

use crate::model::in_words;
use crate::report::audit::sections::Summary;
use crate::report::theme::Theme;
use crate::units;

/// The whole report in one line.
pub(super) fn sentence(summary: &Summary<'_>, theme: &Theme) -> (Style, String) {
    let (style, line) =
        if summary.open() + summary.waived == 0 { verdict(summary, theme) } else { (theme.heading, counts(summary)) };
    let gaps = match summary.gaps {
        0 => String::new(),
        number => format!(" {} could not be read.", counted(number, "things")),
    };
    (style, line + &gaps)
}

/// What it means that there are no findings. Only where rules could be checked is that good news.
pub(super) fn verdict(summary: &Summary<'_>, theme: &Theme) -> (Style, String) {
    if summary.rules == 0 || summary.namespaces.is_empty() {
        let missing = if summary.rules == 0 { "there are no rules" } else { "no network namespace could be read" };
        return (theme.warning, format!("Nothing was checked: {missing}."));
    }
    if summary.rules_skipped >= summary.rules {
        return (
            theme.warning,
            "No findings, but every rule was skipped in at least one namespace. See the reasons above.".to_owned(),
        );
    }
    let places = match summary.namespaces.as_slice() {
        // One line is enough for this, also with --quiet.
        [own] if in_words(own) != *own => "here".to_owned(),
        few if few.len() <= 3 => format!("of {}", few.iter().map(|name| in_words(name)).collect::<Vec<_>>().join(", ")),
        many => format!("of {}", counted(many.len(), "namespaces")),
    };
    let rules = counted(summary.rules, "rules");
    let verdict =
        format!("No findings from {rules} on the sockets, counters and sysctls {places}{}.", missing(summary));
    (if summary.broken_rules == 0 { theme.ok } else { theme.warning }, verdict)
}

/// `; 3 checks skipped, 1 rule file broken`, or nothing.
fn missing(summary: &Summary<'_>) -> String {
    let parts = [
        (summary.skipped, "checks", "skipped"),
        (summary.broken_rules, "rule files", "broken"),
        (summary.waiver_problems, "waivers", "expired or unused"),
    ];
    let said = parts.iter().filter(|(number, ..)| *number > 0);
    let said: Vec<String> = said.map(|(number, what, how)| format!("{} {how}", counted(*number, what))).collect();
    if said.is_empty() { String::new() } else { format!("; {}", said.join(", ")) }
}

pub(super) fn counted(number: usize, units: &str) -> String {
    units::quantity_of(number, units)
}

/// `1 critical, 2 warnings, 1 notice, 1 waived from 35 rules; 3 checks skipped.`
pub(super) fn counts(summary: &Summary<'_>) -> String {
    let waived = match summary.waived {
        0 => String::new(),
        number => format!(", {number} waived"),
    };
    format!(
        "{} critical, {}, {}{waived} from {}{}.",
        summary.critical,
        counted(summary.warning, "warnings"),
        counted(summary.notice, "notices"),
        counted(summary.rules, "rules"),
        missing(summary),
    )
}
