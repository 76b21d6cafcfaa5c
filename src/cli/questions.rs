//! The questions of `remediate`, on a terminal.
//!
//! In: what to ask. Out: the answer; `None` when the person pressed Esc or Ctrl-C, which always means to stop.
//! Must not: write anything but prompts, or take silence for a yes.

use std::fmt;
use std::io::{IsTerminal, Write};

use anyhow::anyhow;
use jiff::civil::Date;

use super::exit::Failure;
use super::prompt::{self, Typed};
use crate::report::theme::Theme;

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

/// Asks in the colours of a theme.
#[derive(Debug)]
pub(super) struct Questions {
    pub(super) theme: Theme,
}

impl Questions {
    pub(super) fn choice(&self, changes: bool) -> Result<Option<Choice>, Failure> {
        use Choice::{Apply, Explain, Quit, Runtime, Skip, Waive};
        let choices: &[Choice] =
            if changes { &[Apply, Runtime, Skip, Waive, Explain, Quit] } else { &[Skip, Waive, Explain, Quit] };
        let below = |typed: &Typed| menu(&matching(choices, &typed.text), typed.down, &self.theme);
        let enter = |typed: &Typed| {
            let left = matching(choices, &typed.text);
            let choice = place(&left, typed.down).ok_or("no choice contains this text")?;
            Ok((choice, choice.to_string()))
        };
        prompt::ask("What do you want to do?", &self.theme, below, enter).map_err(Failure::io)
    }

    /// A line that is not empty and holds nothing that a terminal acts on.
    pub(super) fn line(&self, question: &str, default: Option<&str>) -> Result<Option<String>, Failure> {
        self.text(question, default, |text| {
            let good = !text.is_empty() && !text.contains(char::is_control);
            good.then(|| text.to_owned()).ok_or_else(|| "expected a line of text without control characters".to_owned())
        })
    }

    /// A day, `today` or later.
    pub(super) fn day(&self, question: &str, today: Date, default: Date) -> Result<Option<Date>, Failure> {
        self.text(question, Some(&default.to_string()), |text| {
            match text.parse::<Date>().ok().filter(|day| day.to_string() == text) {
                Some(day) if day >= today => Ok(day),
                Some(_) => Err("this day is in the past".to_owned()),
                None => Err("expected a day like 2027-01-31".to_owned()),
            }
        })
    }

    /// No unless it is said.
    pub(super) fn agreed(&self, question: &str) -> Result<bool, Failure> {
        let enter = |typed: &Typed| match typed.text.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok((true, "yes".to_owned())),
            "" | "n" | "no" => Ok((false, "no".to_owned())),
            _ => Err("expected y or n".to_owned()),
        };
        let said = prompt::ask(&format!("{question} (y/N)"), &self.theme, |_| Vec::new(), enter);
        Ok(said.map_err(Failure::io)?.unwrap_or(false))
    }

    /// A text without the blanks around it, or the default for an empty one.
    fn text<T>(
        &self,
        question: &str,
        default: Option<&str>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Failure> {
        let enter = |typed: &Typed| {
            let text = Some(typed.text.trim()).filter(|text| !text.is_empty()).or(default).unwrap_or_default();
            Ok((read(text)?, text.to_owned()))
        };
        let question = default.map_or_else(|| question.to_owned(), |default| format!("{question} ({default})"));
        prompt::ask(&question, &self.theme, |_| Vec::new(), enter).map_err(Failure::io)
    }
}

/// The choices that contain what was typed.
fn matching(choices: &[Choice], typed: &str) -> Vec<Choice> {
    let typed = typed.trim().to_lowercase();
    choices.iter().copied().filter(|choice| choice.to_string().to_lowercase().contains(&typed)).collect()
}

/// Where the arrows lead from the first choice; behind the last one the first follows.
fn place(choices: &[Choice], down: isize) -> Option<Choice> {
    let count = isize::try_from(choices.len()).ok()?;
    choices.get(usize::try_from(down.checked_rem_euclid(count)?).ok()?).copied()
}

fn menu(choices: &[Choice], down: isize, theme: &Theme) -> Vec<String> {
    let chosen = place(choices, down);
    let row = |choice: &Choice| match Some(*choice) == chosen {
        true => theme.paint(theme.key, &format!("> {choice}")),
        false => format!("  {choice}"),
    };
    let help = theme.paint(theme.dim, "[select with arrow keys and Enter, or type; Esc quits]");
    choices.iter().map(row).chain([help]).collect()
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
    fn arrows_and_letters_choose_among_what_is_offered() {
        let all = [Choice::Apply, Choice::Skip, Choice::Quit];
        assert_eq!(place(&all, 0), Some(Choice::Apply));
        assert_eq!((place(&all, -1), place(&all, 4)), (Some(Choice::Quit), Some(Choice::Skip)));
        assert_eq!(matching(&all, "Skip"), [Choice::Skip]);
        assert_eq!(place(&matching(&all, "zzz"), 0), None);
        let shown = menu(&all, 1, &Theme::plain());
        assert_eq!(shown[0], "  apply: now, and at each boot after you confirm it");
        assert_eq!(shown[1], "> skip: change nothing for this finding");
    }
}
