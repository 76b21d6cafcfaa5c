//! The questions of `remediate`, on a terminal.
//!
//! In: what to ask. Out: the answer; `None` when the person pressed Esc or Ctrl-C, which always means to stop.
//! Must not: write anything but prompts, or take silence for a yes.

use std::fmt;
use std::io::{IsTerminal, Write};

use anyhow::anyhow;
use inquire::error::InquireError;
use inquire::ui::RenderConfig;
use inquire::validator::Validation;
use inquire::{Confirm, Select, Text};
use jiff::civil::Date;

use super::exit::Failure;

/// What to do about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Apply,
    Runtime,
    Skip,
    Waive,
    Explain,
    Quit,
}

impl fmt::Display for Choice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Apply => "apply: now, and at each boot after you confirm it",
            Self::Runtime => "running system only: now, until the next boot",
            Self::Skip => "skip: change nothing for this finding",
            Self::Waive => "waive: accept the finding, with a reason and a last day",
            Self::Explain => "explain: show the full explanation",
            Self::Quit => "quit: write nothing and exit",
        })
    }
}

/// To be said once, before the first question.
pub(super) fn begin(coloured: bool) {
    inquire::set_global_render_config(if coloured { RenderConfig::default_colored() } else { RenderConfig::empty() });
}

pub(super) fn choice(changes: bool) -> Result<Option<Choice>, Failure> {
    use Choice::{Apply, Explain, Quit, Runtime, Skip, Waive};
    let choices =
        if changes { vec![Apply, Runtime, Skip, Waive, Explain, Quit] } else { vec![Skip, Waive, Explain, Quit] };
    answer(
        Select::new("What do you want to do?", choices)
            .with_help_message("select with arrow keys and Enter, or type; Esc quits")
            .prompt(),
    )
}

/// A line that is not empty and holds nothing that a terminal acts on.
pub(super) fn line(question: &str, default: Option<&str>) -> Result<Option<String>, Failure> {
    let is_line = |text: &str| {
        let good = !text.trim().is_empty() && !text.contains(char::is_control);
        Ok(if good {
            Validation::Valid
        } else {
            Validation::Invalid("expected a line of text without control characters".into())
        })
    };
    let text = Text::new(question).with_validator(is_line);
    let said = match default {
        Some(default) => text.with_default(default).prompt(),
        None => text.prompt(),
    };
    Ok(answer(said)?.map(|text| text.trim().to_owned()))
}

/// A day, `today` or later.
pub(super) fn day(question: &str, today: Date, default: Date) -> Result<Option<Date>, Failure> {
    let read = |text: &str| text.trim().parse::<Date>().ok().filter(|day| day.to_string() == text.trim());
    let is_day = move |text: &str| {
        Ok(match read(text) {
            Some(day) if day >= today => Validation::Valid,
            Some(_) => Validation::Invalid("this day is in the past".into()),
            None => Validation::Invalid("expected a day like 2027-01-31".into()),
        })
    };
    let said = Text::new(question).with_default(&default.to_string()).with_validator(is_day).prompt();
    Ok(answer(said)?.as_deref().and_then(read))
}

/// No unless it is said.
pub(super) fn agreed(question: &str) -> Result<bool, Failure> {
    Ok(answer(Confirm::new(question).with_default(false).prompt())?.unwrap_or(false))
}

fn answer<T>(said: Result<T, InquireError>) -> Result<Option<T>, Failure> {
    match said {
        Ok(said) => Ok(Some(said)),
        Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => Ok(None),
        Err(error) => Err(Failure::io(error)),
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
