//! JSON as it is made, without its text in memory.
//!
//! In: what serde can write, and an output. Out: the text there, with a newline at its end. Must not: know what it is.

use std::io::{self, BufWriter, IntoInnerError, Write as _};
use std::rc::Rc;

use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

use crate::text::{places, push_replaced};

/// Serde writes a few bytes at a time; `output` gets so many at once.
const PIECE: usize = 64 * 1024;

/// Over many lines, for a file that a person may read too.
pub(super) fn pretty(value: &impl Serialize, output: &mut dyn io::Write) -> io::Result<()> {
    let mut pieces = BufWriter::with_capacity(PIECE, output);
    serde_json::to_writer_pretty(&mut pieces, value)?;
    end(pieces)
}

/// On one line.
pub(super) fn line(value: &impl Serialize, output: &mut dyn io::Write) -> io::Result<()> {
    let mut pieces = BufWriter::with_capacity(PIECE, output);
    write(value, &mut pieces)?;
    end(pieces)
}

fn end(mut pieces: BufWriter<&mut dyn io::Write>) -> io::Result<()> {
    pieces.write_all(b"\n")?;
    pieces.into_inner().map(drop).map_err(IntoInnerError::into_error)
}

fn write(value: &impl Serialize, output: impl io::Write) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(output, Compact))
}

/// As serde's own, but bytes are JSON already.
struct Compact;

impl Formatter for Compact {
    fn write_byte_array<W: ?Sized + io::Write>(&mut self, output: &mut W, json: &[u8]) -> io::Result<()> {
        output.write_all(json)
    }
}

/// JSON that is made already. [`line()`] and [`Lines`] can write it, [`pretty`] cannot.
#[derive(Debug, Clone)]
pub(super) struct Made(Rc<[u8]>);

impl Made {
    pub(super) fn of(value: &impl Serialize) -> serde_json::Result<Self> {
        let mut json = Vec::new();
        write(value, &mut json)?;
        Ok(Self(json.into()))
    }
}

impl Serialize for Made {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

/// For `serialize_with`: a text as serde writes it, faster where it is long. As [`Made`] not for [`pretty`].
pub(super) fn text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let is_odd = |byte: u8| (byte < b' ') & (byte != b'\n');
    if places(text, is_odd).next().is_some() {
        return serializer.serialize_str(text);
    }
    let mut json = String::with_capacity(text.len() + text.len() / 16 + 2);
    json.push('"');
    let escaped = places(text, |byte| matches!(byte, b'\n' | b'"' | b'\\'));
    push_replaced(&mut json, text, escaped, |byte| match byte {
        b'\n' => "\\n",
        b'"' => "\\\"",
        _ => "\\\\",
    });
    json.push('"');
    serializer.serialize_bytes(json.as_bytes())
}

/// A part as it is, or made already.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Part<T> {
    Whole(T),
    Made(Made),
}

/// The JSON of the last part, for the next one if it is the same: what is reported is sorted, and neighbours have most of
/// their texts in common.
#[derive(Debug)]
pub(super) struct Kept<P>(Option<(P, Made)>);

impl<P: Copy + PartialEq> Kept<P> {
    pub(super) fn json<V: Serialize>(&mut self, part: P, view: impl FnOnce(P) -> V) -> serde_json::Result<Made> {
        match &self.0 {
            Some((same, made)) if *same == part => Ok(made.clone()),
            _ => {
                let made = Made::of(&view(part))?;
                Ok(self.0.insert((part, made)).1.clone())
            }
        }
    }
}

// A derived one would be for parts only that have a default.
impl<P> Default for Kept<P> {
    fn default() -> Self {
        Self(None)
    }
}

/// Values on a line each.
pub(super) struct Lines<'o> {
    output: &'o mut dyn io::Write,
    line: Vec<u8>,
}

impl<'o> Lines<'o> {
    pub(super) fn to(output: &'o mut dyn io::Write) -> Self {
        Self { output, line: Vec::new() }
    }

    pub(super) fn add(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        write(value, &mut self.line)?;
        self.line.push(b'\n');
        self.output.write_all(&self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_as_serde_does() {
        #[derive(Serialize)]
        struct Object<'a>(#[serde(serialize_with = "text")] &'a str);
        for text in ["", "a", "ü\n\"\\\"", "\t\u{0}\u{7f}", "a\u{2028}\r"] {
            assert_eq!(Made::of(&Object(text)).unwrap().0, Made::of(&text).unwrap().0);
        }
    }

    #[test]
    fn a_part_is_made_again_where_it_differs() {
        let mut kept = Kept::default();
        let mut made = 0;
        let mut lines = Vec::new();
        for part in ["a\n", "a\n", "b", "a\n"] {
            let json = kept.json(part, |part| {
                made += 1;
                [part]
            });
            Lines::to(&mut lines).add(&(1, json.unwrap())).unwrap();
        }
        let again = "[1,[\"a\\n\"]]\n";
        assert_eq!(String::from_utf8(lines).unwrap(), format!("{again}{again}[1,[\"b\"]]\n{again}"));
        assert_eq!(made, 3);
    }
}
