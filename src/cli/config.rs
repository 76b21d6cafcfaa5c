//! `config`: the effective configuration, and what a configuration file may hold.

use std::process::ExitCode;

use clap::Subcommand;

use super::exit::Outcome;
use super::output;
use crate::config::{self, Config, ConfigError, TypedRules};

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print every option with its value and the file and line, or the environment variable, that set it
    #[command(after_help = "\
The output is a configuration file itself. What has its default is commented out. A file that is wrong is an \
error that shows the place (exit code 2), so this is a check of the configuration too.

/etc/sysctl-advisor/sysctl-advisor.toml is read first, then /etc/sysctl-advisor/config.d/*.toml in the order of \
their names; a later value replaces an earlier one, lists as a whole. --config FILE reads that file alone. The \
environment counts more than files, and what is typed more than the environment.")]
    Show,
    /// Print the JSON Schema of a configuration file, for editors and programs
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
