//! Commands to type next, complete: with the options of this run that the next one needs too.
//!
//! In: what was typed, the commands with their options. Out: a line for a shell. Must not: leave out where changes are
//! journalled or what is looked at, or repeat what only this run is about.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::output;
use crate::report::wrap::columns;
use crate::text::shell;

/// Options that say what is looked at, what it is judged by, and where it is remembered. Others are about one run.
const CARRIED: [&str; 10] =
    ["config", "snapshot", "netns", "rules", "param", "profile", "role", "label", "waivers", "state-dir"];

/// Commands that do not read the configuration.
const WITHOUT_CONFIGURATION: [&str; 3] = ["confirm", "rollback", "changes"];

/// What was typed, as far as another command needs it.
#[derive(Debug)]
pub(super) struct Again {
    /// Option and value, as they were typed.
    options: Vec<(String, String)>,
    program: Command,
}

impl Again {
    pub(super) fn of(matches: &ArgMatches, program: Command) -> Self {
        let (mut matches, mut command, mut options) = (matches, &program, Vec::new());
        loop {
            let typed = command.get_arguments().chain(program.get_arguments().filter(|arg| arg.is_global_set()));
            for arg in typed {
                options.extend(values(arg, matches));
            }
            let next = matches.subcommand().and_then(|(name, inner)| Some((command.find_subcommand(name)?, inner)));
            match next {
                Some((found, inner)) => (command, matches) = (found, inner),
                None => break,
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        options.retain(|option| seen.insert(option.clone()));
        Self { options, program }
    }

    /// The line with which this command is run, behind its words the options that it has too.
    pub(super) fn command(&self, name: &str, words: &[&str]) -> String {
        let words = words.iter().map(|word| shell(word));
        let line: Vec<String> =
            [self.program.get_name().to_owned(), name.to_owned()].into_iter().chain(words).collect();
        line.join(" ") + &self.options(&[name])
    }

    /// The options that all of these commands have, each with a space before it.
    pub(super) fn options(&self, commands: &[&str]) -> String {
        let has = |name: &str, option: &str| {
            let is = |arg: &Arg| arg.get_long() == Some(option);
            if option == "config" && WITHOUT_CONFIGURATION.contains(&name) {
                return false;
            }
            self.program.get_arguments().any(|arg| arg.is_global_set() && is(arg))
                || self.program.find_subcommand(name).is_some_and(|command| command.get_arguments().any(is))
        };
        let shared = self.options.iter().filter(|(option, _)| commands.iter().all(|name| has(name, option)));
        shared.map(|(option, value)| format!(" --{option} {}", shell(value))).collect()
    }
}

fn values(arg: &Arg, matches: &ArgMatches) -> Vec<(String, String)> {
    let id = arg.get_id().as_str();
    let Some(option) = arg.get_long().filter(|long| CARRIED.contains(long)) else { return Vec::new() };
    let is_typed =
        matches.try_contains_id(id).unwrap_or(false) && matches.value_source(id) == Some(ValueSource::CommandLine);
    if !is_typed {
        return Vec::new();
    }
    let values = matches.get_raw(id).into_iter().flatten();
    values.map(|value| (option.to_owned(), value.to_string_lossy().into_owned())).collect()
}

/// Commands, a line each, with what they do behind them, or below where the terminal is too narrow.
pub(super) fn list(commands: &[(String, &str)]) -> String {
    let (width, _) = output::size();
    let widest = |of: &dyn Fn(&(String, &str)) -> usize| commands.iter().map(of).max().unwrap_or(0);
    let wide = widest(&|(command, _)| columns(command));
    let fits = 2 + wide + 2 + widest(&|(_, what)| columns(what)) <= width;
    let line = |(command, what): &(String, &str)| match fits {
        true => format!("  {command}{}{what}\n", " ".repeat(wide - columns(command) + 2)),
        false => format!("  {command}\n      {what}\n"),
    };
    commands.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(line: &[&str]) -> Again {
        let program = crate::cli::program();
        Again::of(&program.clone().get_matches_from(line), program)
    }

    #[test]
    fn the_next_command_has_the_options_that_it_needs_quoted_and_no_others() {
        let again = again(&[
            "sysctl-advisor",
            "--config",
            "my config.toml",
            "remediate",
            "--state-dir",
            "/tmp/a b",
            "--netns",
            "blue",
            "--window",
            "0",
            "--rules",
            "r",
            "--rules",
            "it's",
            "-q",
        ]);
        assert_eq!(
            again.command("confirm", &["1"]),
            "sysctl-advisor confirm 1 --state-dir '/tmp/a b'",
            "it does not read a configuration"
        );
        let audit = again.command("audit", &[]);
        for option in
            ["--config 'my config.toml'", "--netns blue", "--rules r", r"--rules 'it'\''s'", "--state-dir '/tmp/a b'"]
        {
            assert!(audit.contains(option), "{audit}");
        }
        assert!(!audit.contains("window") && !audit.contains("quiet"), "{audit}");
    }

    #[test]
    fn without_options_there_is_nothing_but_the_command() {
        assert_eq!(
            again(&["sysctl-advisor", "remediate"]).command("apply", &["a b.json"]),
            "sysctl-advisor apply 'a b.json'"
        );
    }

    #[test]
    fn what_a_command_does_is_in_one_column() {
        let text = list(&[("a b".to_owned(), "x"), ("a".to_owned(), "y")]);
        assert_eq!(text, "  a b  x\n  a    y\n");
        let long = "a".repeat(500);
        assert_eq!(list(&[(long.clone(), "x")]), format!("  {long}\n      x\n"));
    }
}
