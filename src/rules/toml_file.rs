//! Files that a person writes in TOML: rules and the configuration.
//!
//! In: a path, or what the TOML reader found wrong. Out: text, or words for a person who made a mistake.
//! Must not: wait (a pipe in the place of a file), read without end, or know what stands in the file.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the door to TOML files"))]

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use crate::diagnostic::{Diagnostic, io_words};
use crate::suggest::nearest;

/// No such file may be larger, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// Reads such a file. `/dev/null` is an empty one.
pub fn read(path: &Path) -> Result<String, String> {
    let kind = path.metadata().map_err(|error| io_words(&error))?.file_type();
    if kind.is_dir() {
        return Err("this is a folder, not a file".to_owned());
    }
    // Opening a pipe waits for somebody to write into it.
    if kind.is_fifo() || kind.is_socket() {
        return Err("this is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(|error| io_words(&error))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err("this file is larger than 1 MiB, the limit for rules and configuration files".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(good).filter(|&&byte| byte == b'\n').count() + 1;
        format!("this is not UTF-8 in line {line} (byte {good})")
    })
}

/// What the TOML reader says, in words for a person, with what was probably meant.
pub fn diagnostic(file: &str, text: &str, error: &toml::de::Error) -> Diagnostic {
    let (message, help) = words(error.message());
    Diagnostic { file: file.to_owned(), source: text.into(), span: error.span().unwrap_or(0..0), message, help }
}

fn words(message: &str) -> (String, Option<String>) {
    // How the reader asks for one of a few words, where a number or the like stands.
    if message == "wanted string or table" {
        return ("expected a word in quotes here".to_owned(), None);
    }
    let Some((what, expected)) = message.split_once(", expected ") else { return (message.to_owned(), None) };
    let Some(typed) = what.strip_prefix("unknown field `").or_else(|| what.strip_prefix("unknown variant `")) else {
        return (message.to_owned(), None);
    };
    // The known names stand in back quotes: "one of `a`, `b`" or "`a` or `b`".
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let help = match nearest(typed.trim_end_matches('`'), known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("expected one of: {}", known.join(", ")),
    };
    (what.replacen("unknown variant", "unknown word", 1), Some(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_is_set_right_and_a_strange_one_gets_the_list() {
        let known = "expected one of `title`, `severity`, `kind`";
        let (message, help) = words(&format!("unknown field `severty`, {known}"));
        assert_eq!((message.as_str(), help.as_deref()), ("unknown field `severty`", Some("did you mean `severity`?")));
        let (message, help) = words("unknown variant `fatal`, expected `a` or `b`");
        assert_eq!((message.as_str(), help.as_deref()), ("unknown word `fatal`", Some("expected one of: a, b")));
        assert_eq!(words("wanted string or table").0, "expected a word in quotes here");
        assert_eq!(words("unclosed array, expected `]`"), ("unclosed array, expected `]`".to_owned(), None));
    }

    #[test]
    fn devices_folders_and_pipes_are_no_trap() {
        assert_eq!(read(Path::new("/dev/null")).unwrap(), "");
        assert!(read(Path::new("/dev/zero")).unwrap_err().contains("1 MiB"));
        assert_eq!(read(Path::new("/")).unwrap_err(), "this is a folder, not a file");
    }
}
