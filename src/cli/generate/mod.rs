//! `generate`: the man pages and completion scripts that a package installs.
//!
//! In: the command line as it is parsed, the configuration file as shipped. Out: files that are the same on every machine
//! for the same version. Must not: say what `--help` does not know.

mod format;
mod man;
mod names;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Args, Command};
use clap_complete::Shell;

use super::exit::Outcome;
use super::output::{self, Undelivered};

/// Write the man pages and completion scripts into a folder.
#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    /// Folder to create `man` and `completions` in
    folder: PathBuf,
}

/// The name under which each shell looks for the script.
const COMPLETIONS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash/sysctl-advisor"),
    (Shell::Zsh, "zsh/_sysctl-advisor"),
    (Shell::Fish, "fish/sysctl-advisor.fish"),
];

pub(super) fn run(args: &GenerateArgs, program: &Command) -> Outcome {
    for (name, page) in man::pages(program)? {
        write(&args.folder.join("man").join(name), &page)?;
    }
    write(&args.folder.join("man/sysctl-advisor.toml.5"), &format::page(program))?;
    for (shell, name) in COMPLETIONS {
        write(&args.folder.join("completions").join(name), &completions(shell, program))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `completions`: prints the script of a shell.
pub(super) fn print_completions(shell: Shell, program: &Command) -> Outcome {
    output::print(&completions(shell, program))?;
    Ok(ExitCode::SUCCESS)
}

/// The completion script of a shell.
fn completions(shell: Shell, program: &Command) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut visible(program), "sysctl-advisor", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Fish {
        // clap_complete gives fish the names that options take, and not those of arguments.
        fish_arguments(program, &[], &mut script);
    }
    let script = names::listed_by(shell, script);
    if shell == Shell::Bash {
        // clap_complete writes the hyphen of our name one way where it finds the command and another where it lists the
        // command's options, so that no option of a command would be offered.
        return script.replace("sysctl__subcmd__advisor", "sysctl__advisor");
    }
    script
}

/// A line for each argument without a hyphen that takes names, below the commands of `path`.
fn fish_arguments(command: &Command, path: &[&str], script: &mut String) {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        let path = [path, &[inner.get_name()]].concat();
        let seen = path[1..].iter().map(|name| format!("; and __fish_seen_subcommand_from {name}"));
        let place = format!("__fish_sysctl_advisor_using_subcommand {}{}", path[0], seen.collect::<String>());
        for argument in inner.get_positionals() {
            let words = names::of(inner.get_name(), argument.get_id().as_str());
            if !words.is_empty() {
                script.push_str(&format!("complete -c sysctl-advisor -n \"{place}\" -f -a \"{}\"\n", words.join(" ")));
            }
        }
        fish_arguments(inner, &path, script);
    }
}

/// What the help shows, each with the names that it takes where we know them. The command line itself takes more: a name that
/// somebody's own rules have, a part of one, or words.
fn arguments(command: &Command) -> impl Iterator<Item = Arg> + '_ {
    let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    shown.map(|argument| match names::of(command.get_name(), argument.get_id().as_str()) {
        names if names.is_empty() => argument.clone(),
        names => argument.clone().value_parser(PossibleValuesParser::new(names)),
    })
}

/// The same command without what `--help` hides, which clap_complete would offer all the same.
fn visible(command: &Command) -> Command {
    let mut copy = Command::new(command.get_name().to_owned())
        .args(arguments(command))
        .groups(command.get_groups())
        .subcommands(command.get_subcommands().filter(|inner| !inner.is_hide_set()).map(visible));
    if let Some(about) = command.get_about() {
        copy = copy.about(about.clone());
    }
    if let Some(version) = command.get_version() {
        copy = copy.version(version.to_owned());
    }
    copy
}

fn write(path: &Path, content: &str) -> Result<(), Undelivered> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.map_err(|error| Undelivered::to_file(path, error))?;
    output::deliver(content, Some(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_where_they_are_known() {
        for (shell, _) in COMPLETIONS {
            let script = completions(shell, &crate::cli::program());
            for name in ["close-wait-leak", "net.ipv4.tcp_fin_timeout", "TIME_WAIT", "handshake", "accept-queue"] {
                assert!(script.contains(name), "{shell} does not offer {name}");
            }
            assert!(!script.contains("conf.*"), "{shell}: a pattern is no name");
        }
    }

    #[test]
    fn what_a_host_has_is_listed_when_the_shell_completes() {
        for (shell, namespaces) in [
            (Shell::Bash, "all current $(ls /run/netns 2>/dev/null)"),
            (Shell::Zsh, "{compadd all current $(ls /run/netns 2>/dev/null)}"),
            (Shell::Fish, "(ls /run/netns 2>/dev/null)"),
        ] {
            let script = completions(shell, &crate::cli::program());
            assert!(script.contains(namespaces), "{shell}");
            assert!(script.contains("(ls /var/lib/sysctl-advisor/changes 2>/dev/null)"), "{shell}");
            for left in ["NAMES-OF", "NUMBERS-OF"] {
                assert!(!script.contains(left), "{shell} has {left}");
            }
        }
    }

    #[test]
    fn no_shell_offers_what_the_help_hides() {
        for (shell, _) in COMPLETIONS {
            let script = completions(shell, &crate::cli::program());
            assert!(script.contains("audit") && script.contains("fail-on") && script.contains("version"), "{shell}");
            for hidden in ["rehearse-in", "generate", "--automatic"] {
                assert!(!script.contains(hidden), "{shell} offers {hidden}");
            }
        }
    }
}
