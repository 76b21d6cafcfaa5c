//! Lines of a file, as each loader cuts them up.
//!
//! In: the text of a file. Out: its assignments and exclusions with their places, and what is wrong with the rest.
//! Must not: know other files, or which keys exist.
//!
//! The loaders differ (systemd 252, procps 4.0): systemd ends a line at a carriage return and at a NUL too, and gives a
//! file up at a line of 1 MiB; procps forgets what follows a NUL in a line, and takes a form feed for white space.
//! systemd takes `- key = 1`, procps makes a name of ` key` of it, which no key has.

use std::ops::Range;

use crate::drift::model::codes;
use crate::observe::persisted::Loader;

/// systemd's `LONG_LINE_MAX`, in bytes.
pub const LONGEST_LINE: usize = 1 << 20;

/// One line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedLine {
    /// From 1.
    pub line: u32,
    /// Bytes of the text from the key (without `-`) to the end of the value.
    pub span: Range<usize>,
    /// As written, without `-` and outer white space.
    pub name: String,
    /// `None`: the line excludes the key or the pattern.
    pub value: Option<String>,
    pub ignore_failure: bool,
}

/// A line that the loader does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub line: u32,
    pub span: Range<usize>,
    pub code: &'static str,
    pub text: String,
}

/// Cuts a file into entries. Of the faults only the first of each kind come, at most [`MOST_FAULTS`]: a binary file
/// would have thousands.
pub fn entries(text: &str, loader: Loader) -> (Vec<ParsedLine>, Vec<Fault>) {
    let mut reading = Reading { loader, entries: Vec::new(), faults: Vec::new(), left_out: 0 };
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let number = u32::try_from(number + 1).unwrap_or(u32::MAX);
        if !reading.line(text, start..start + line.len(), number) {
            break;
        }
        start += line.len();
    }
    if reading.left_out > 0 {
        let text = format!("{} more lines are neither assignments nor comments", reading.left_out);
        reading.faults.push(Fault { line: 0, span: 0..0, code: codes::NOT_AN_ASSIGNMENT, text });
    }
    (reading.entries, reading.faults)
}

/// How many faults of one file are told one by one.
pub const MOST_FAULTS: usize = 20;

struct Reading {
    loader: Loader,
    entries: Vec<ParsedLine>,
    faults: Vec<Fault>,
    left_out: usize,
}

/// White space for systemd's `strstrip`, and for `isspace` in the C locale.
const fn is_space(loader: Loader, character: char) -> bool {
    match loader {
        Loader::Systemd => matches!(character, ' ' | '\t' | '\n' | '\r'),
        Loader::Procps => matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c'),
    }
}

impl Reading {
    /// One line of the text, its `\n` included. False: the loader gives the file up.
    fn line(&mut self, text: &str, range: Range<usize>, number: u32) -> bool {
        match self.loader {
            Loader::Procps => {
                let line = &text[range.clone()];
                let end = line.find('\0').map_or(range.end, |at| range.start + at);
                self.piece(text, range.start..end, number);
                true
            }
            Loader::Systemd => {
                let mut start = range.start;
                for piece in text[range].split_inclusive(['\n', '\r', '\0']) {
                    let content = piece.trim_end_matches(['\n', '\r', '\0']);
                    if content.len() >= LONGEST_LINE {
                        let why = "systemd-sysctl stops reading a file at a line of 1 MiB: it sets no key from here on";
                        self.fault(number, start..start + 40, codes::LINE_TOO_LONG, why.to_owned());
                        return false;
                    }
                    self.piece(text, start..start + content.len(), number);
                    start += piece.len();
                }
                true
            }
        }
    }

    fn piece(&mut self, text: &str, range: Range<usize>, number: u32) {
        let range = self.trimmed(text, range);
        let piece = &text[range.clone()];
        if piece.is_empty() || piece.starts_with(['#', ';']) {
            return;
        }
        if number == 1 && piece.starts_with('\u{feff}') {
            let why = "a byte order mark is before the first key and becomes part of its name";
            self.fault(number, range.clone(), codes::BAD_KEY, why.to_owned());
        }
        let (name_end, value) = match piece.find('=') {
            Some(at) => (range.start + at, Some(self.trimmed(text, range.start + at + 1..range.end))),
            None if piece.starts_with('-') => (range.end, None),
            None => {
                // procps does not even look at a single character at the end of the file.
                let why = "this line is neither an assignment nor a comment; the loader ignores it".to_owned();
                return self.fault(number, range, codes::NOT_AN_ASSIGNMENT, why);
            }
        };
        let dash = piece.starts_with('-');
        let after_dash = range.start + usize::from(dash);
        let name = self.trimmed(text, after_dash..name_end);
        let is_key = self.check_name(text, number, after_dash, &name);
        if is_key {
            self.entries.push(ParsedLine {
                line: number,
                span: name.start..value.as_ref().map_or(name.end, |value| value.end.max(name_end + 1)),
                name: text[name].to_owned(),
                ignore_failure: dash && value.is_some(),
                value: value.map(|value| text[value].to_owned()),
            });
        }
    }

    /// Whether the name can be that of a key at all.
    fn check_name(&mut self, text: &str, number: u32, after_dash: usize, name: &Range<usize>) -> bool {
        let (written, procps) = (&text[name.clone()], self.loader == Loader::Procps);
        let why = if written.is_empty() {
            "there is no key before the `=`"
        } else if procps && name.start > after_dash {
            "procps reads the space after `-` as part of the name, and finds no such key"
        } else if written.starts_with('-') && !procps {
            "a second `-` becomes part of the name"
        } else {
            return true;
        };
        self.fault(number, name.start..name.end.max(name.start + 1), codes::BAD_KEY, why.to_owned());
        false
    }

    fn fault(&mut self, line: u32, span: Range<usize>, code: &'static str, text: String) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault { line, span, code, text });
        } else {
            self.left_out += 1;
        }
    }

    fn trimmed(&self, text: &str, range: Range<usize>) -> Range<usize> {
        let piece = &text[range.clone()];
        let left = piece.trim_start_matches(|character| is_space(self.loader, character));
        let start = range.end - left.len();
        start..start + left.trim_end_matches(|character| is_space(self.loader, character)).len()
    }
}

#[cfg(test)]
mod tests;
