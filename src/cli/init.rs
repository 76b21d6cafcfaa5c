//! `init`: write the commented configuration file.
//!
//! In: the file as shipped, compiled in. Out: the same in its place, whole or not at all. Must not: lose a file that is
//! there, or write through a link.

use std::fs::DirBuilder;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;

use super::exit::{Failure, Outcome};
use super::output::{self, Undelivered};
use crate::config::{DEFAULT_FILE, commented};
use crate::diagnostic::io_words;
use crate::files::{self, Access};

/// The service, which is another user, reads the file, whatever the umask is.
const MODE: u32 = 0o644;

/// Write the commented configuration file.
#[derive(Debug, Args)]
#[command(after_help = "\
The file lists every option with its default value, commented out, so the new file changes nothing. An existing \
file is not overwritten. With --force, the existing file is kept as FILE.bak and a new one is written.

Examples:
  sysctl-advisor init                     write the default file
  sysctl-advisor init -o -                print the file
  sysctl-advisor --config my.toml config show
                                          check a file")]
pub(super) struct InitArgs {
    /// File to write; `-` prints it
    #[arg(short, long, value_name = "FILE", default_value = DEFAULT_FILE)]
    output: PathBuf,
    /// Replace an existing file, and keep a copy of it
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &InitArgs) -> Outcome {
    let path = args.output.as_path();
    if path.as_os_str() == "-" {
        output::print(&commented())?;
        return Ok(ExitCode::SUCCESS);
    }
    let copy = write(path, args.force)?;
    if let Some(copy) = copy {
        output::say(&format!("The previous file is now {}.\n", copy.display()));
    }
    output::say(&format!(
        "Wrote {}. All options are commented out. To set an option, delete the # in front of it.\n\
         `sysctl-advisor config show` prints the effective value of each option and its source.\n",
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Writes the file, and says where the one that was there has gone.
fn write(path: &Path, force: bool) -> Result<Option<PathBuf>, Failure> {
    let unwritten = |error| Failure::from(Undelivered::to_file(path, error));
    let kept = |why: &str| Failure::usage(anyhow!("cannot write {}: {why}", path.display()));
    DirBuilder::new().recursive(true).mode(0o755).create(files::folder_of(path)).map_err(unwritten)?;
    let copy = match path.symlink_metadata() {
        Ok(facts) if !facts.is_file() => return Err(kept("it exists and is not a regular file; nothing was changed")),
        Ok(_) if force => Some(keep(path).map_err(unwritten)?),
        _ => None,
    };
    if copy.is_some() {
        files::replace(path, commented().as_bytes(), Access::Mode(MODE)).map_err(unwritten)?;
    } else {
        files::create(path, commented().as_bytes(), MODE).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                kept("it exists already and was not changed; --force replaces it and keeps a copy")
            }
            _ => unwritten(error),
        })?;
    }
    Ok(copy)
}

/// Gives the file a second name, which nothing has yet: `FILE.bak`, else `FILE.bak.1` and so on.
fn keep(path: &Path) -> io::Result<PathBuf> {
    for number in 0..1000 {
        let mut name = path.as_os_str().to_owned();
        name.push(if number == 0 { ".bak".to_owned() } else { format!(".bak.{number}") });
        let copy = PathBuf::from(name);
        match std::fs::hard_link(path, &copy) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(io::Error::new(
                    error.kind(),
                    format!("the copy of the existing file could not be made: {}", io_words(&error)),
                ));
            }
            Ok(()) => return Ok(copy),
        }
    }
    Err(io::Error::other(
        "the copy of the existing file could not be made: 1,000 copies (FILE.bak, FILE.bak.1, ...) exist already",
    ))
}
