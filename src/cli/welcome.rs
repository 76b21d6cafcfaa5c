//! The program without an argument: what the last audit said, and the commands that matter.
//!
//! In: the last audit of this user, the time. Out: less than a screen. Must not: look at the host.

use super::last::{self, Last};
use crate::report::theme::Theme;
use crate::report::wrap::fitting;
use crate::units;

const COMMANDS: [(&str, &str); 6] = [
    ("audit", "what is wrong on this host, on one screen"),
    ("audit 1", "the first finding in full: the numbers, what to do"),
    ("watch", "the host live: states, ports, queues, findings"),
    ("remediate", "decide what to change, and change it"),
    ("explain TIME_WAIT", "a TCP state, sysctl, counter, rule, or other words"),
    ("lab run accept-queue", "a fault made for real, found and ended"),
];

/// Titles of the last audit that are shown.
const SHOWN: usize = 3;

pub(super) fn page(now: i64, theme: &Theme) -> String {
    let mut text = match last::recall() {
        Some(last) => of_last(&last, now, theme),
        None => "No audit was made here yet.\n".to_owned(),
    };
    text.push('\n');
    for (command, what) in COMMANDS {
        let command = format!("sysctl-advisor {command}");
        text.push_str(&format!(
            "  {}{}\n",
            theme.paint(theme.key, &format!("{command:<37}")),
            theme.paint(theme.dim, what)
        ));
    }
    text.push_str(&format!("\n  {} has all commands.\n", theme.paint(theme.key, "sysctl-advisor --help")));
    text
}

fn of_last(last: &Last<'_>, now: i64, theme: &Theme) -> String {
    let taken_at = last.snapshot.taken_at.parse::<jiff::Timestamp>().ok();
    let age = taken_at.map(|at| now.saturating_sub(at.as_second()).max(0));
    let when = age.map(|age| format!(", {} ago", units::span(age))).unwrap_or_default();
    let number = units::quantity_of(last.findings.len(), "findings");
    let found = if last.findings.is_empty() { "nothing was found".to_owned() } else { number };
    let rules = units::quantity_of(last.rules, "rules");
    let mut text = theme.paint(theme.heading, &format!("The last audit here{when}: {found} from {rules}."));
    text.push('\n');
    for (place, shown) in last.findings.iter().enumerate().take(SHOWN) {
        let line = format!("{:>3}  {:<8}  {}", place + 1, shown.severity, shown.title);
        let (line, _) = fitting(&line, theme.width);
        text.push_str(&format!("{}\n", line.trim_end()));
    }
    text
}
