//! What one guard of a change says.
//!
//! In: a guard and what came of it. Out: [`Verdict`], a line of text. Must not: judge.

use std::fmt;

use crate::audit::guard::{Number, Said};
use crate::plan::model::Guard;
use crate::text::printable;
use crate::units;

/// Characters of a rule's name that are shown.
const LONGEST_NAME: usize = 100;

/// What one guard says.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Without what a terminal acts on: the name comes from a file that a person may have edited.
    pub rule: String,
    /// Its condition.
    pub worse_if: String,
    pub said: Said,
    /// Seconds over which rates were measured before the change, and have been since; 0 where they were not.
    pub seconds_before: f64,
    pub seconds_after: f64,
}

impl Verdict {
    pub fn new(guard: &Guard, said: Said) -> Self {
        let rule = printable(&guard.rule, LONGEST_NAME);
        Self { rule, worse_if: guard.worse_if.clone(), said, seconds_before: 0.0, seconds_after: 0.0 }
    }

    pub const fn is_worse(&self) -> bool {
        matches!(self.said, Said::Worse(_))
    }
}

impl fmt::Display for Verdict {
    /// One line: `guard of RULE: worse than before: rate.x was 0/s and is 131.2/s now (2 s before, 45 s since)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "guard of {}: ", self.rule)?;
        let (what, numbers) = match &self.said {
            Said::Worse(numbers) => ("worse than before", numbers),
            Said::NotWorse(numbers) => ("not worse than before", numbers),
            Said::Unknown(why) => return write!(formatter, "cannot be judged: {why}"),
        };
        formatter.write_str(what)?;
        if !numbers.is_empty() {
            let numbers: Vec<_> = numbers.iter().map(Number::to_string).collect();
            let (before, after) = (units::duration(self.seconds_before), units::duration(self.seconds_after));
            write!(formatter, ": {} ({before} before, {after} since)", numbers.join("; "))?;
        }
        Ok(())
    }
}

/// Verdicts in a sentence, for the journal and for messages.
pub fn words(verdicts: &[Verdict]) -> String {
    verdicts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
