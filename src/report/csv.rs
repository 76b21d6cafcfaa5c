//! Rows for a spreadsheet, as RFC 4180 quotes. Lines end as on Unix.
//!
//! In: texts. Out: rows. Must not: let a program that opens the file execute a text of it as a formula.

use std::io;

use memchr::{memchr_iter, memchr2};

use crate::text::{one_line, push_replaced};

/// Rows, cell by cell.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// A comma is after each cell.
    row: String,
    /// Bytes of the cells that all rows begin with.
    beginning: usize,
}

impl Rows {
    pub(super) fn cell(&mut self, text: &str) {
        let text = one_line(text);
        let quote = if memchr2(b',', b'"', text.as_bytes()).is_some() { "\"" } else { "" };
        // A spreadsheet executes what begins like a formula, also with the wide forms of the signs; an apostrophe before
        // it makes it a text.
        let is_formula = text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
        self.row.extend([quote, if is_formula { "'" } else { "" }]);
        push_replaced(&mut self.row, &text, memchr_iter(b'"', text.as_bytes()), |_| "\"\"");
        self.row.extend([quote, ","]);
    }

    pub(super) fn cells<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) {
        texts.into_iter().for_each(|text| self.cell(text));
    }

    /// A cell of several entries, of which `add` adds the words of one.
    pub(super) fn list<T>(&mut self, entries: impl IntoIterator<Item = T>, add: impl Fn(&mut String, T)) {
        let mut text = String::new();
        for (place, entry) in entries.into_iter().enumerate() {
            if place > 0 {
                text.push_str("; ");
            }
            add(&mut text, entry);
        }
        self.cell(&text);
    }

    /// All rows begin with the cells of this one.
    pub(super) const fn begin_so(&mut self) {
        self.beginning = self.row.len();
    }

    /// Writes the row and its line end.
    pub(super) fn end(&mut self, output: &mut dyn io::Write) -> io::Result<()> {
        self.row.pop();
        self.row.push('\n');
        output.write_all(self.row.as_bytes())?;
        self.row.truncate(self.beginning);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_a_text_and_quotes_are_doubled() {
        let cases = [
            ("=1+1", "'=1+1"),
            (" \t-2", "'-2"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("@SUM(A1,\"x\")", "\"'@SUM(A1,\"\"x\"\")\""),
            ("＝1", "'＝1"),
            ("a=1\r\nb", "a=1 b"),
            ("", ""),
        ];
        for (text, written) in cases {
            let mut rows = Rows::default();
            rows.cell(text);
            assert_eq!(rows.row, format!("{written},"));
        }
    }

    #[test]
    fn all_rows_can_begin_alike() {
        let (mut rows, mut text) = (Rows::default(), Vec::new());
        rows.cells(["", "a"]);
        rows.begin_so();
        for list in [&["x", "y"][..], &[]] {
            rows.list(list, |text, entry| text.push_str(entry));
            rows.end(&mut text).unwrap();
        }
        assert_eq!(String::from_utf8(text).unwrap(), ",a,x; y\n,a,\n");
    }
}
