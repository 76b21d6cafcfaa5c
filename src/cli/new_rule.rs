//! `rules new`: a rule file to begin from.
//!
//! In: an id, and the file to write. Out: the file, whole or not at all, or its text on standard output. Must not: replace
//! a file that is there, or write one whose name is another id.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;

use super::exit::{Failure, Outcome};
use super::output::{self, Undelivered};
use crate::files;
use crate::rules;

/// The service, which is another user, reads the file, whatever the umask is.
const MODE: u32 = 0o644;

#[derive(Debug, Args)]
#[command(after_help = "\
The new file is a complete rule, and `rules test FILE` passes on it. Replace its texts, names and numbers from the top \
down, and run `rules test FILE` after each step. docs/add-a-rule.md explains each step.

Examples:
  sysctl-advisor rules new my-rule           print a new rule
  sysctl-advisor rules new my-rule -o my-rules/my-rule.toml
  sysctl-advisor rules test my-rules         check the rules, run their tests
  sysctl-advisor rules metrics               print the names for conditions
  sysctl-advisor audit --rules my-rules      use the new rules")]
pub(super) struct NewArgs {
    /// Id of the rule: lower case letters, digits and hyphens, not the id of a shipped rule
    id: String,
    /// File to write, `FOLDER/ID.toml`; an existing file is not overwritten [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &NewArgs) -> Outcome {
    let text = rules::starter(&args.id).map_err(Failure::usage)?;
    match args.output.as_deref().filter(|path| path.as_os_str() != "-") {
        None => output::print(&text)?,
        Some(path) => {
            write(path, &args.id, &text)?;
            output::say(&format!(
                "Wrote {0}. It is a complete rule. Replace its texts, names and numbers.\n\
                 `sysctl-advisor rules test {0}` checks it and runs its tests.\n",
                path.display()
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, id: &str, text: &str) -> Result<(), Failure> {
    let refused = |why: &str| Failure::usage(anyhow!("cannot write {}: {why}", path.display()));
    let unwritten = |error| Failure::from(Undelivered::to_file(path, error));
    let name = format!("{id}.toml");
    if path.file_name().is_none_or(|found| found != name.as_str()) {
        let expected = if path.is_dir() { path.join(&name) } else { path.with_file_name(&name) };
        return Err(refused(&format!("the file must have the name of the rule; use --output {}", expected.display())));
    }
    DirBuilder::new().recursive(true).mode(0o755).create(files::folder_of(path)).map_err(unwritten)?;
    files::create(path, text.as_bytes(), MODE).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => refused("it exists already and was not changed; use another id or another folder"),
        _ => unwritten(error),
    })
}
