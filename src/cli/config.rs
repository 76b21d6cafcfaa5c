//! `config`: the effective configuration, and what a configuration file may hold.

use std::process::ExitCode;

use clap::Subcommand;

use super::exit::Outcome;
use super::output;
use crate::config::{self, Config, ConfigError, TypedRules};

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print each option with its value and its source: a file and line, or an environment variable
    #[command(after_help = "\
The output is a valid configuration file. Options with their default value are commented out. The command also \
checks the configuration: an error shows the file and line (exit code 2).

/etc/sysctl-advisor/sysctl-advisor.toml is read first, then /etc/sysctl-advisor/config.d/*.toml in the order of \
their names. A later value replaces an earlier one; a list is replaced as a whole. --config FILE reads only that \
file. Command-line options override environment variables, which override files.")]
    Show,
    /// Print the JSON Schema of the configuration file, for editors and programs
    Schema,
}

/// `config` is read by those that need it: a schema may be of help where the file is wrong.
pub(super) fn run(command: &ConfigCommand, config: impl FnOnce() -> Result<Config, ConfigError>) -> Outcome {
    output::print(&match command {
        ConfigCommand::Show => {
            let config = config()?;
            // Parameters and ids are checked against the rules here too.
            config.rules(TypedRules::default())?;
            config::shown(&config)
        }
        ConfigCommand::Schema => config::schema(),
    })?;
    Ok(ExitCode::SUCCESS)
}
