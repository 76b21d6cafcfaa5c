//! JSON files whose first field names their format and its version.
//!
//! In: bytes of unknown origin, the [`Format`] that is expected. Out: the record of that format, or what is wrong with the
//! file, with line and column. Must not: trust the file (it may be truncated, huge, of another version or hostile), or
//! know what a record means.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the door to our JSON files"))]

use std::fmt;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::diagnostic::io_words;

/// Characters of a stranger's text in a message.
const SHOWN: usize = 60;

/// What a file should be.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// For messages: `plan`.
    pub noun: &'static str,
    /// The value of the first field, `sysctl-advisor/plan/1`. The number rises when an older reader could misread a newer
    /// file.
    pub schema: &'static str,
    /// In bytes.
    pub largest: u64,
}

/// Why a file is not of the expected format.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{path}: {why}")]
    Unreadable { path: String, why: String },
    #[error("{path}: this file is larger than {} MiB, the limit for a {}", .format.largest >> 20, .format.noun)]
    TooLarge { path: String, format: Format },
    #[error("{path}: this file is empty")]
    Empty { path: String },
    #[error("{path}:{line}:{column}: this is not a {noun}, or the file is damaged: {why}")]
    Damaged { path: String, line: usize, column: usize, noun: &'static str, why: String },
    #[error("{path}: a newer version of sysctl-advisor wrote this file ({found}); this version reads {schema}")]
    Newer { path: String, found: String, schema: &'static str },
    #[error("{path}: this is `{found}`, not a {} ({})", .format.noun, .format.schema)]
    Another { path: String, found: String, format: Format },
    /// The shape is right and the content is not.
    #[error("{path}{}: {why}", .place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default())]
    Refused { path: String, place: Option<(usize, usize)>, why: String },
}

/// Only the version, before the rest is compared with this version's shape.
#[derive(Deserialize)]
struct Header {
    schema: String,
}

impl Format {
    /// Reads a file, `-` for standard input. The content is [`parse`](Self::parse)d by the caller.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>, FileError> {
        let name = path.display().to_string();
        match read_bytes(path, self.largest) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(FileError::TooLarge { path: name, format: *self }),
            Err(error) => Err(FileError::Unreadable { path: name, why: io_words(&error) }),
        }
    }

    /// The record in these bytes; `name` is for messages.
    pub fn parse<T: DeserializeOwned>(&self, name: &str, bytes: &[u8]) -> Result<T, FileError> {
        let path = || name.to_owned();
        if bytes.trim_ascii().is_empty() {
            return Err(FileError::Empty { path: path() });
        }
        let damaged = |error: serde_json::Error| self.damaged(name, &error);
        let Header { schema } = serde_json::from_slice(bytes).map_err(damaged)?;
        if schema != self.schema {
            return Err(match (version(&schema, self.family()), version(self.schema, self.family())) {
                (Some(found), Some(ours)) if found > ours => {
                    FileError::Newer { path: path(), found: schema, schema: self.schema }
                }
                _ => FileError::Another {
                    path: path(),
                    found: schema.chars().take(SHOWN).flat_map(char::escape_debug).collect(),
                    format: *self,
                },
            });
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }

    /// What is wrong with a file that is not of this format.
    pub fn damaged(&self, name: &str, error: &serde_json::Error) -> FileError {
        FileError::Damaged {
            path: name.to_owned(),
            line: error.line(),
            column: error.column(),
            noun: self.noun,
            why: error.to_string().split(" at line ").next().unwrap_or_default().to_owned(),
        }
    }

    /// `sysctl-advisor/plan/`.
    fn family(&self) -> &'static str {
        self.schema.rfind('/').map_or(self.schema, |slash| &self.schema[..=slash])
    }
}

fn version(schema: &str, family: &str) -> Option<u32> {
    schema.strip_prefix(family)?.parse().ok()
}

/// The content of a file, `-` for standard input; nothing when it has more than `largest` bytes.
pub fn read_bytes(path: &Path, largest: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(largest + 1).read_to_end(&mut bytes)?;
    } else {
        let file = std::fs::File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        file.take(largest + 1).read_to_end(&mut bytes)?;
    }
    Ok((bytes.len() as u64 <= largest).then_some(bytes))
}

/// Line and column, from 1, at which an element of a list begins; `list` is a field of the outermost object. `None` when
/// there is no such element.
pub fn place_of(bytes: &[u8], list: &str, number: usize) -> Option<(usize, usize)> {
    let mut reached = false;
    let seed = Object { list, number, reached: &mut reached };
    let error = seed.deserialize(&mut serde_json::Deserializer::from_slice(bytes)).err()?;
    // The parser stands before it.
    reached.then(|| (error.line(), error.column() + 1))
}

/// Walks to one element and fails there: the parser's error knows the place.
struct Object<'a> {
    list: &'a str,
    number: usize,
    reached: &'a mut bool,
}

struct List<'a>(usize, &'a mut bool);

struct Here<'a>(&'a mut bool);

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if name == self.list {
                return map.next_value_seed(List(self.number, self.reached));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        for _ in 0..self.0 {
            list.next_element::<IgnoredAny>()?;
        }
        list.next_element_seed(Here(self.1)).map(|_| ())
    }
}

impl<'de> DeserializeSeed<'de> for Here<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, _: D) -> Result<(), D::Error> {
        *self.0 = true;
        Err(D::Error::custom("here"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: Format = Format { noun: "list", schema: "sysctl-advisor/list/2", largest: 1 << 20 };

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Record {
        #[serde(rename = "schema")]
        _schema: String,
        numbers: Vec<u8>,
    }

    fn parse(text: &str) -> Result<Record, String> {
        FORMAT.parse("l.json", text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn each_refusal_has_its_words_and_its_place() {
        for (text, words) in [
            ("", "l.json: this file is empty"),
            (" \n", "l.json: this file is empty"),
            ("{", "l.json:1:1: this is not a list, or the file is damaged: EOF while parsing an object"),
            ("{}", "l.json:1:2: this is not a list, or the file is damaged: missing field `schema`"),
            (
                r#"{"schema":"sysctl-advisor/list/3"}"#,
                "l.json: a newer version of sysctl-advisor wrote this file (sysctl-advisor/list/3); this version reads sysctl-advisor/list/2",
            ),
            (
                r#"{"schema":"sysctl-advisor/list/1"}"#,
                "l.json: this is `sysctl-advisor/list/1`, not a list (sysctl-advisor/list/2)",
            ),
            (r#"{"schema":"\u001b[2J"}"#, r"l.json: this is `\u{1b}[2J`, not a list (sysctl-advisor/list/2)"),
            (
                "{\"schema\":\"sysctl-advisor/list/2\",\n \"numbers\":[1,\n 256]}",
                "l.json:3:4: this is not a list, or the file is damaged: invalid value: integer `256`, expected u8",
            ),
            (
                "{\"schema\":\"sysctl-advisor/list/2\",\n \"hook\":1}",
                "l.json:2:7: this is not a list, or the file is damaged: unknown field `hook`, expected `schema` or `numbers`",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err(), words, "{text}");
        }
        assert_eq!(parse(r#"{"schema":"sysctl-advisor/list/2","numbers":[7]}"#).unwrap().numbers, [7]);
    }

    #[test]
    fn a_file_that_cannot_be_read_and_one_without_end_are_refused() {
        let read = |path: &str| FORMAT.read(Path::new(path)).unwrap_err().to_string();
        assert_eq!(read("/dev/zero"), "/dev/zero: this file is larger than 1 MiB, the limit for a list");
        assert_eq!(read("/"), "/: is a directory");
        assert_eq!(read("/no/such/file"), "/no/such/file: No such file or directory");
    }

    #[test]
    fn the_place_of_an_element_is_where_it_begins() {
        let text = "{\"a\": [1, {}],\n \"list\": [\n  {\"x\": 1},\n  {\"x\": 2}]}";
        let place = |number| place_of(text.as_bytes(), "list", number);
        assert_eq!((place(0), place(1), place(2)), (Some((3, 3)), Some((4, 3)), None));
        assert_eq!(place_of(text.as_bytes(), "none", 0), None);
        assert_eq!(place_of(b"{\"list\": 1}", "list", 0), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
            let _ = FORMAT.parse::<Record>("l", &bytes);
            let _ = place_of(&bytes, "list", 1);
        }
    }
}
