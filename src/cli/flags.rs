//! Flags of the configuration's options.
//!
//! In: the declarations, the commands as they are parsed. Out: the commands with the flags, and what was typed of them, as
//! the layer of the configuration that counts most. Must not: name an option.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::config::{self, Declared, Flag, Shape, Typed};

/// The same command with the flags of all options.
pub(super) fn added_to(program: Command) -> Command {
    flags().fold(program, |program, (option, flag)| {
        flag.commands.iter().fold(program, |program, command| {
            let path: Vec<&str> = command.split(' ').collect();
            add(program, &path, option, flag)
        })
    })
}

fn flags() -> impl Iterator<Item = (&'static Declared, Flag)> {
    config::declared().filter_map(|option| Some((option, option.flag?)))
}

fn add(command: Command, path: &[&str], option: &'static Declared, flag: Flag) -> Command {
    match path.split_first() {
        None => command.arg(arg(option, flag)),
        Some((name, rest)) => command.mut_subcommand(name, |inner| add(inner, rest, option, flag)),
    }
}

fn arg(option: &'static Declared, flag: Flag) -> Arg {
    let action = if option.shape == Shape::List { ArgAction::Append } else { ArgAction::Set };
    let check = |text: &str| (option.check)(text).map(|()| text.to_owned());
    Arg::new(id(flag))
        .long(flag.name)
        .value_name(option.value_name)
        .help(help(option))
        .action(action)
        .value_parser(check)
}

/// As clap names an argument by the field of its struct, so that others can exclude it.
fn id(flag: Flag) -> String {
    flag.name.replace('-', "_")
}

fn help(option: &Declared) -> String {
    let mut help = option.summary();
    if option.default != "[]" {
        help.push_str(&format!(" [default: {}]", option.default.trim_matches('"')));
    }
    if let Some(variable) = option.variable {
        help.push_str(&format!(" [env: {variable}]"));
    }
    help
}

/// What was typed.
pub(super) fn typed(matches: &ArgMatches) -> Vec<Typed> {
    let (mut matches, mut path) = (matches, Vec::new());
    while let Some((name, inner)) = matches.subcommand() {
        (matches, path) = (inner, [path, vec![name]].concat());
    }
    let command = path.join(" ");
    let here = flags().filter(|(_, flag)| flag.commands.contains(&command.as_str()));
    here.filter_map(|(option, flag)| {
        let values: Vec<&str> = matches.get_many::<String>(&id(flag))?.map(String::as_str).collect();
        // Several values of a list are as a variable has them.
        Some((option, values.join(":")))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_flag_is_on_a_command_that_exists_and_clap_accepts_the_whole() {
        let program = added_to(crate::cli::Cli::command());
        program.clone().debug_assert();
        for (_, flag) in flags() {
            for command in flag.commands {
                let found = command.split(' ').try_fold(&program, |at, name| at.find_subcommand(name));
                let has = found.is_some_and(|found| found.get_arguments().any(|arg| arg.get_long() == Some(flag.name)));
                assert!(has, "{command} --{}", flag.name);
            }
        }
    }

    #[test]
    fn what_is_typed_reaches_the_configuration() {
        let program = added_to(crate::cli::Cli::command());
        let matches = program.get_matches_from(["sysctl-advisor", "audit", "--window", "7s", "--fail-on", "notice"]);
        let typed: Vec<_> = typed(&matches).into_iter().map(|(option, text)| (option.name, text)).collect();
        assert_eq!(typed, [("window", "7s".to_owned()), ("fail_on", "notice".to_owned())]);
    }
}
