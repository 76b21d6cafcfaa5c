//! `init`: write the commented configuration file.
//!
//! In: the file as shipped, compiled in. Out: the same in its place, whole or not at all. Must not: lose a file that is
//! there, or write through a link.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::Args;

use super::config::DEFAULT_FILE;
use super::{Outcome, output};
use crate::diagnostic::io_words;

/// The file that is installed.
pub(super) const SHIPPED: &str = include_str!("../../config/sysctl-advisor.toml");

/// Write the commented configuration file.
#[derive(Debug, Args)]
#[command(after_help = "\
Every option stands in it with its default, commented out, so that writing it changes nothing. A file that is there \
is kept; with --force it is kept under a name that ends in .bak, and the new one takes its place.

Examples:
  sysctl-advisor init                     /etc/sysctl-advisor/sysctl-advisor.toml
  sysctl-advisor init -o -                print it
  sysctl-advisor --config my.toml config show")]
pub(super) struct InitArgs {
    /// File to write; `-` prints it
    #[arg(short, long, value_name = "FILE", default_value = DEFAULT_FILE)]
    output: PathBuf,
    /// Replace a file that is there, and keep a copy of it
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &InitArgs) -> Outcome {
    let path = args.output.as_path();
    if path.as_os_str() == "-" {
        output::print(SHIPPED)?;
        return Ok(ExitCode::SUCCESS);
    }
    let copy = write(path, args.force).with_context(|| format!("cannot write {}", path.display()))?;
    if let Some(copy) = copy {
        output::say(&format!("The former file is now {}.\n", copy.display()));
    }
    output::say(&format!(
        "Wrote {}. Every option in it is commented out; take the # away from those to change.\n\
         `sysctl-advisor config show` prints what is in force and where it is from.\n",
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Writes the file, and says where the one that was there has gone.
fn write(path: &Path, force: bool) -> anyhow::Result<Option<PathBuf>> {
    let words = |error: io::Error| anyhow!("{}", io_words(&error));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o755).create(folder).map_err(words)?;
    // Finished and on the disk before it gets its name. The mode is set, not left to the umask: the service, which is
    // another user, reads this file.
    let mut file = tempfile::Builder::new().prefix(".sysctl-advisor-").tempfile_in(folder).map_err(words)?;
    file.write_all(SHIPPED.as_bytes())
        .and_then(|()| file.as_file().set_permissions(Permissions::from_mode(0o644)))
        .and_then(|()| file.as_file().sync_all())
        .map_err(words)?;
    let copy = match path.symlink_metadata() {
        Ok(facts) if !facts.is_file() => return Err(anyhow!("what is there is no regular file, and is kept")),
        Ok(_) if force => Some(keep(path)?),
        _ => None,
    };
    if copy.is_some() {
        file.persist(path).map_err(|error| words(error.error))?;
    } else {
        file.persist_noclobber(path).map_err(|error| match error.error.kind() {
            ErrorKind::AlreadyExists => {
                anyhow!("it is there already, and is kept; --force replaces it and keeps a copy")
            }
            _ => words(error.error),
        })?;
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(words)?;
    Ok(copy)
}

/// Gives the file a second name, which nothing has yet: `FILE.bak`, else `FILE.bak.1` and so on.
fn keep(path: &Path) -> anyhow::Result<PathBuf> {
    for number in 0..1000 {
        let mut name = path.as_os_str().to_owned();
        name.push(if number == 0 { ".bak".to_owned() } else { format!(".bak.{number}") });
        let copy = PathBuf::from(name);
        match std::fs::hard_link(path, &copy) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(anyhow!("no copy can be kept: {}", io_words(&error))),
            Ok(()) => return Ok(copy),
        }
    }
    Err(anyhow!("no copy can be kept: there are a thousand already"))
}
