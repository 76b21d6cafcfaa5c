//! Where text goes: standard output, standard error, files.
//!
//! In: finished text, or what writes it. Out: the same; a file is written whole or not at all. Must not: format.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "devices and pipes are written in place"))]

use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::OnceLock;

use super::args::{Color, LogFormat};
use super::charset;
use crate::diagnostic::{Diagnostic, Diagnostics, io_words};
use crate::files::{self, Access};
use crate::report::theme::Theme;
use crate::text;

/// Whether messages on standard error are for a program; like the subscriber of the log it is one for the process.
static JSON_LOG: OnceLock<bool> = OnceLock::new();

/// What the terminal can show.
#[derive(Debug)]
pub(super) struct Terminal {
    output_coloured: bool,
    errors_coloured: bool,
    /// Messages on standard error are for a program.
    json_log: bool,
    /// Columns and lines, where standard output is a terminal.
    size: Option<(usize, usize)>,
}

impl Terminal {
    pub(super) fn new(color: Color, log: LogFormat) -> Self {
        let coloured = |choice: anstream::ColorChoice| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => choice != anstream::ColorChoice::Never,
        };
        Self {
            output_coloured: coloured(anstream::AutoStream::choice(&io::stdout())),
            errors_coloured: coloured(anstream::AutoStream::choice(&io::stderr())),
            size: io::stdout().is_terminal().then(size),
            json_log: *JSON_LOG.get_or_init(|| log == LogFormat::Json),
        }
    }

    pub(super) fn theme(&self) -> Theme {
        let theme = if self.output_coloured { Theme::coloured() } else { Theme::plain() };
        match self.size {
            Some((columns, _)) => theme.of_width(columns),
            None => theme,
        }
    }

    /// Lines of the terminal that standard output is; none where it is none.
    pub(super) fn lines(&self) -> Option<usize> {
        self.size.map(|(_, lines)| lines)
    }

    pub(super) const fn error_theme(&self) -> Theme {
        if self.errors_coloured { Theme::coloured() } else { Theme::plain() }
    }

    pub(super) const fn errors_coloured(&self) -> bool {
        self.errors_coloured
    }
}

/// Columns and lines of the terminal that standard output is. A serial console does not know.
pub(super) fn size() -> (usize, usize) {
    let size = terminal_size::terminal_size_of(io::stdout());
    size.map_or((80, 24), |(columns, lines)| (columns.0.into(), lines.0.into()))
}

/// Whether progress may be shown.
pub(super) fn errors_are_seen() -> bool {
    io::stderr().is_terminal()
}

/// Text that did not arrive.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {to}: {}", io_words(error))]
pub(super) struct Undelivered {
    to: String,
    error: io::Error,
}

impl Undelivered {
    const fn new(to: String, error: io::Error) -> Self {
        Self { to, error }
    }

    pub(super) fn to_output(error: io::Error) -> Self {
        Self::new("to standard output".to_owned(), error)
    }

    pub(super) fn to_file(path: &Path, error: io::Error) -> Self {
        Self::new(path.display().to_string(), error)
    }

    /// Whether it is nothing but a reader that had enough.
    pub(super) fn is_reader_gone(&self) -> bool {
        self.error.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Writes to standard output; on a terminal in the signs that its locale has.
pub(super) fn print(text: &str) -> Result<(), Undelivered> {
    let text = if io::stdout().is_terminal() { charset::shown(text) } else { text.into() };
    deliver(&text, None)
}

/// Writes to standard output what must not stop the work when nobody reads it any more.
pub(super) fn say(text: &str) {
    let _ = print(text);
}

/// Says what went wrong, on standard error. If even that cannot be written there is nobody left to tell.
pub(super) fn error(terminal: &Terminal, error: &anyhow::Error) {
    if terminal.json_log && error.downcast_ref::<Diagnostics>().is_none() {
        return tracing::error!("{error:#}");
    }
    if let Some(diagnostic) = error.downcast_ref::<Diagnostic>() {
        return note(&diagnostic.render(terminal.errors_coloured()));
    }
    if let Some(Diagnostics(diagnostics)) = error.downcast_ref::<Diagnostics>() {
        return notes(diagnostics, terminal);
    }
    let theme = terminal.error_theme();
    let words = format!("{error:#}");
    let _ = writeln!(io::stderr(), "{} {}", theme.paint(theme.critical, "error:"), text::cleaned(&words));
}

/// Says something on standard error as it is; as a line of JSON where messages are to be that.
pub(super) fn note(message: &str) {
    if JSON_LOG.get() == Some(&true) {
        return tracing::warn!("{message}");
    }
    let _ = writeln!(io::stderr(), "{message}");
}

/// Says what is wrong with files, an empty line between the errors.
pub(super) fn notes(diagnostics: &[Diagnostic], terminal: &Terminal) {
    if terminal.json_log {
        diagnostics.iter().for_each(|diagnostic| tracing::error!("{diagnostic}"));
    } else if !diagnostics.is_empty() {
        let texts: Vec<_> =
            diagnostics.iter().map(|diagnostic| diagnostic.render(terminal.errors_coloured())).collect();
        note(&texts.join("\n\n"));
    }
}

/// Writes to standard output, or to a file that appears whole or not at all.
pub(super) fn deliver(text: &str, file: Option<&Path>) -> Result<(), Undelivered> {
    stream(file, |output| output.write_all(text.as_bytes()))
}

/// The same with text that is written as it is made, in pieces of any size.
pub(super) fn stream(
    file: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Undelivered> {
    match file.filter(|path| path.as_os_str() != "-") {
        None => buffered(io::stdout().lock(), write).map_err(Undelivered::to_output),
        Some(path) => write_file(path, write).map_err(|error| Undelivered::to_file(path, error)),
    }
}

fn buffered(output: impl Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut output = io::BufWriter::new(output);
    write(&mut output)?;
    output.flush()
}

/// Makes the folder that a file is to be in, and those above it.
pub(super) fn make_folder_of(path: &Path) -> Result<(), Undelivered> {
    let folder = files::folder_of(path);
    std::fs::create_dir_all(folder).map_err(|error| Undelivered::to_file(folder, error))
}

/// Whether somebody else, but root, chose which file it is.
fn is_link_of_another(path: &Path) -> bool {
    let link = path.symlink_metadata().ok().filter(std::fs::Metadata::is_symlink);
    link.is_some_and(|link| link.uid() != 0 && link.uid() != nix::unistd::geteuid().as_raw())
}

fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    if is_link_of_another(path) {
        let why = "this is a symbolic link of another user, which is not followed";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    // A device, a pipe or /dev/stdout is written in place; a file is replaced by one that is complete.
    if path.metadata().is_ok_and(|facts| !facts.is_file()) {
        return buffered(std::fs::OpenOptions::new().write(true).open(path)?, write);
    }
    // A link stays a link: the file it points to is replaced.
    let target = if path.is_symlink() { path.canonicalize()? } else { path.to_owned() };
    files::replace_with(&target, Access::AsBefore(0o644), write)
}
