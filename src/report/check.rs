//! What the checks of monitoring systems have in common.
//!
//! In: numbers and texts. Out: the state of a check, and texts that a server shows as they are. Must not: know what is checked.

use crate::text::one_line;
use crate::units;

/// The states of a check, with the numbers that Nagios and its relatives give them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

impl State {
    /// What is not known outweighs a warning, which it may hide more than; what is known to be critical it does not hide. A
    /// notice is nothing that somebody is called for.
    pub(super) const fn of_numbers(critical: usize, warning: usize, is_unknown: bool) -> Self {
        match (critical, warning) {
            (1.., _) => Self::Critical,
            _ if is_unknown => Self::Unknown,
            (0, 1..) => Self::Warning,
            (0, 0) => Self::Ok,
        }
    }

    pub const fn number(self) -> u8 {
        self as u8
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// Bytes of the output of a plugin; the server keeps 4 KiB with the byte that ends the text.
pub(super) const OUTPUT: usize = 4000;

/// The output of a plugin that could not check.
pub fn unknown(why: &str) -> String {
    format!("SYSCTL {} - {}\n", State::Unknown.word(), plain(why, OUTPUT / 4))
}

/// `'label'=value;warning;critical;minimum;maximum` with thresholds for what somebody is called for.
pub(super) fn thresholds(critical: usize, warning: usize) -> String {
    format!("'critical'={critical};;0;0; 'warning'={warning};0;;0;")
}

/// Numbers without thresholds.
pub(super) fn numbers(counted: &[(&'static str, usize)]) -> String {
    counted.iter().map(|(label, number)| format!(" '{label}'={number};;;0;")).collect()
}

/// Lines below what is written, as many as a server keeps, and the number of the others.
pub(super) fn fill(text: &mut String, lines: &[String], command: &str) {
    // Room for the line that counts the rest.
    let (shown, more) = within(lines, OUTPUT.saturating_sub(text.len() + 60));
    for line in shown {
        text.push_str(line);
        text.push('\n');
    }
    if more > 0 {
        text.push_str(&format!("and {more} more; run: sysctl-advisor {command}\n"));
    }
}

/// A service of a local check of Checkmk.
#[derive(Debug)]
pub(super) struct Service<'a> {
    pub(super) state: State,
    pub(super) name: &'a str,
    pub(super) metrics: &'a [String],
    pub(super) summary: &'a str,
    pub(super) details: &'a [String],
}

/// Bytes of the details of a service.
const DETAILS: usize = 4000;

impl Service<'_> {
    /// Its line. The details are lines of their own on the server, where `\n` is in the text.
    pub(super) fn line(&self) -> String {
        let (shown, more) = within(self.details, DETAILS);
        let (state, name, metrics) = (self.state.number(), self.name, self.metrics.join("|"));
        let mut text = format!("{state} \"{name}\" {metrics} {}", self.summary);
        for detail in shown {
            text.push_str("\\n");
            text.push_str(detail);
        }
        if more > 0 {
            text.push_str(&format!("\\nand {more} more"));
        }
        text + "\n"
    }
}

/// `1 critical`, `2 warnings`, `1 notice`: those that are there.
pub(super) fn in_numbers(critical: usize, warning: usize, notice: usize) -> Vec<String> {
    let mut parts = Vec::new();
    if critical > 0 {
        parts.push(format!("{} critical", units::count_u64(critical as u64)));
    }
    for (number, unit) in [(warning, "warnings"), (notice, "notices")] {
        if number > 0 {
            parts.push(units::quantity_of(number, unit));
        }
    }
    parts
}

/// Text without what a monitoring system gives a meaning to: line ends, `|` before performance data, and `\` before an
/// `n` that is a line end again.
pub(super) fn plain(text: &str, longest: usize) -> String {
    shortened(&one_line(text).replace(['|', '\\'], "/"), longest)
}

/// The first characters; `...` is there for the rest.
pub(super) fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest.saturating_sub(3)).chain("...".chars()).collect()
}

/// As many lines as have room in so many bytes, and how many there are more.
pub(super) fn within(lines: &[String], bytes: usize) -> (&[String], usize) {
    let mut used = 0;
    let fitting = lines.iter().take_while(|line| {
        // A line end is two characters where it is escaped.
        used += line.len() + 2;
        used <= bytes
    });
    let count = fitting.count();
    (&lines[..count], lines.len() - count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_one_line_and_no_sign_with_a_meaning() {
        assert_eq!(plain("a|b\nc\\nd\u{1b}", 100), "a/b c/nd\u{fffd}");
        assert_eq!(plain("äöüäöü", 5), "äö...");
        let lines = ["aa".to_owned(), "bb".to_owned()];
        assert_eq!(within(&lines, 8), (&lines[..], 0));
        assert_eq!(within(&lines, 7), (&lines[..1], 1));
    }
}
