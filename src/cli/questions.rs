//! The questions that are answered with a line of text.
//!
//! In: a line. Out: what it means, or what is wrong with it. Must not: take silence for a yes.

use std::io::{IsTerminal, Write};

use anyhow::anyhow;
use jiff::civil::Date;

use super::exit::{Exit, Failure};
use super::output;

/// A line that is not empty and holds nothing that a terminal acts on.
pub(super) fn text(line: &str) -> Result<String, String> {
    let is_good = !line.is_empty() && !line.contains(char::is_control);
    is_good.then(|| line.to_owned()).ok_or_else(|| "expected a line of text without control characters".to_owned())
}

/// A day, `today` or later.
pub(super) fn day(line: &str, today: Date) -> Result<Date, String> {
    match line.parse::<Date>().ok().filter(|day| day.to_string() == line) {
        Some(day) if day >= today => Ok(day),
        Some(_) => Err("this day is in the past".to_owned()),
        None => Err("expected a day like 2027-01-31".to_owned()),
    }
}

/// One of so many, from 1.
pub(super) fn number(line: &str, count: usize) -> Result<usize, String> {
    let number = line.parse().ok().filter(|number| (1..=count).contains(number));
    number.ok_or_else(|| format!("expected a number from 1 to {count}"))
}

/// Shows what a yes is asked for. If nobody reads it, nobody can say yes, and nothing is done. With a yes that was given
/// before, it is done.
pub(super) fn show(text: &str, yes: bool) -> Result<(), Failure> {
    match output::print(text) {
        Err(gone) if gone.is_reader_gone() && yes => Ok(()),
        Err(gone) if gone.is_reader_gone() => Err(Exit::NotApplied.because(gone)),
        other => Ok(other?),
    }
}

/// Asks on the terminal; only the whole word is a yes.
pub(super) fn typed_yes(question: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        let why = "cannot ask for confirmation, because standard input is not a terminal; to run without a question, add --yes";
        return Err(Failure::usage(anyhow!(why)));
    }
    let mut output = std::io::stdout().lock();
    let _ = write!(output, "\n{question} Type yes: ").and_then(|()| output.flush());
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_text_a_day_or_a_number_or_is_refused_with_what_was_expected() {
        assert_eq!(text("old peers"), Ok("old peers".to_owned()));
        assert!(text("").is_err() && text("a\u{1b}[2J").is_err());
        let today: Date = "2026-11-30".parse().unwrap();
        assert_eq!(day("2026-11-30", today), Ok(today));
        assert!(day("2026-11-29", today).unwrap_err().contains("past"));
        assert!(day("2026-11-31", today).is_err() && day("tomorrow", today).is_err());
        assert_eq!(number("3", 3), Ok(3));
        assert!(["0", "4", "x", ""].iter().all(|line| number(line, 3).is_err()));
    }
}
