//! `generate`: the man pages and completion scripts that a package installs.
//!
//! In: the command line as it is parsed, the configuration file as shipped. Out: files that are the same on every machine
//! for the same version. Must not: say what `--help` does not know.

mod format;
mod man;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Outcome, output};
use crate::diagnostic::io_words;

/// Write the man pages and completion scripts into a folder.
#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    /// Folder; `man` and `completions` are made in it
    folder: PathBuf,
}

/// The name under which each shell looks for the script.
const COMPLETIONS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash/sysctl-advisor"),
    (Shell::Zsh, "zsh/_sysctl-advisor"),
    (Shell::Fish, "fish/sysctl-advisor.fish"),
];

pub(super) fn run(args: &GenerateArgs) -> Outcome {
    for (name, page) in man::pages()? {
        write(&args.folder.join("man").join(name), &page)?;
    }
    write(&args.folder.join("man/sysctl-advisor.toml.5"), &format::page()?)?;
    for (shell, name) in COMPLETIONS {
        write(&args.folder.join("completions").join(name), &completions(shell))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The completion script of a shell.
pub(super) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut visible(&Cli::command()), "sysctl-advisor", &mut script);
    if shell == Shell::Bash {
        // clap_complete writes the hyphen of our name one way where it finds the command and another where it lists the
        // command's options, so that no option of a command would be offered.
        let text = String::from_utf8_lossy(&script).replace("sysctl__subcmd__advisor", "sysctl__advisor");
        script = text.into_bytes();
    }
    script
}

/// The same command without what `--help` hides, which clap_complete would offer all the same.
fn visible(command: &Command) -> Command {
    let mut copy = Command::new(command.get_name().to_owned())
        .args(command.get_arguments().filter(|argument| !argument.is_hide_set()))
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

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all);
    written.map_err(|error| anyhow!("{}: {}", path.display(), io_words(&error)))?;
    let text = std::str::from_utf8(content)?;
    output::deliver(text, Some(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_shell_offers_what_the_help_hides() {
        for (shell, _) in COMPLETIONS {
            let script = String::from_utf8(completions(shell)).unwrap();
            assert!(script.contains("audit") && script.contains("fail-on") && script.contains("version"), "{shell}");
            for hidden in ["rehearse-in", "generate", "automatic"] {
                assert!(!script.contains(hidden), "{shell} offers {hidden}");
            }
        }
    }
}
