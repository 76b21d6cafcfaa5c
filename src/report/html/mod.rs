//! A page of HTML in one file: for a ticket, a mail, a colleague.
//!
//! In: markup of `maud`, which escapes every text that is put into it. Out: a page that needs no network, no font and no script,
//! for screens of any width, light or dark, and for paper.
//! Must not: take text as markup. A policy in the page lets nothing run but the script of this folder, and nothing load.

mod plot;

pub(super) use plot::{Bar, Caption, Mark, Stretch, Whole, bars, trend};

use std::io;

use maud::{Markup, html};

use crate::model::Severity;
use crate::text::one_line;

/// How the page looks.
pub(super) const STYLE: &str = include_str!("page.css");
/// What a reader can do where scripts may run: sort a table, filter the findings. Nothing is missing without.
pub(super) const SCRIPT: &str = include_str!("page.js");

/// A page in the making. Each piece is written as it is added.
pub(super) struct Page<'o> {
    output: &'o mut dyn io::Write,
}

impl<'o> Page<'o> {
    /// Writes what is before the sections; `header` has the one heading of the first level.
    pub(super) fn begin(output: &'o mut dyn io::Write, title: &str, header: &Markup) -> io::Result<Self> {
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
            hash(STYLE),
            hash(SCRIPT),
        );
        let mut page = Self { output };
        page.as_it_is(&["<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"])?;
        page.add(&html! {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="referrer" content="no-referrer";
            title { (title) }
        })?;
        page.as_it_is(&["<style>", STYLE, "</style>\n</head>\n<body>\n"])?;
        page.add(&html! { header { (header) } })?;
        page.as_it_is(&["<main>\n"])?;
        Ok(page)
    }

    /// A section with its heading, of pieces that are made one after the other; nothing if there are none.
    pub(super) fn section(
        &mut self,
        heading: &str,
        class: &'static str,
        pieces: impl IntoIterator<Item = Markup>,
    ) -> io::Result<()> {
        let mut pieces = pieces.into_iter().peekable();
        if pieces.peek().is_none() {
            return Ok(());
        }
        self.as_it_is(&["<section class=\"", class, "\">\n"])?;
        self.add(&html! { h2 { (heading) } })?;
        pieces.try_for_each(|piece| self.add(&piece))?;
        self.as_it_is(&["</section>\n"])
    }

    /// Writes what is after the sections.
    pub(super) fn end(mut self, footer: &Markup) -> io::Result<()> {
        self.as_it_is(&["</main>\n"])?;
        self.add(&html! { footer { (footer) } })?;
        self.as_it_is(&["<script>", SCRIPT, "</script>\n</body>\n</html>\n"])
    }

    /// A piece on a line of its own. No character in it has a meaning to a terminal, and no text begins a line.
    fn add(&mut self, markup: &Markup) -> io::Result<()> {
        self.as_it_is(&[&one_line(&markup.0), "\n"])
    }

    fn as_it_is(&mut self, pieces: &[&str]) -> io::Result<()> {
        pieces.iter().try_for_each(|piece| self.output.write_all(piece.as_bytes()))
    }
}

/// A text of ours in which backquotes mark code.
pub(super) fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    let is_code = |place: usize| place % 2 == 1 && place + 1 < parts.len();
    html! {
        @for (place, part) in parts.iter().enumerate() {
            @if is_code(place) { code { (part) } }
            @else { @if place % 2 == 1 { "`" } (part) }
        }
    }
}

/// A severity as a mark and a word; the colour only says it again.
pub(super) fn severity(severity: Severity) -> Markup {
    html! {
        span .severity .(severity.name()) {
            span .sign aria-hidden="true" { (severity.mark()) } " " (capital(severity.name()))
        }
    }
}

/// A word as it begins a line.
pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

/// The head of a table whose columns can be sorted; numbers are to the right.
pub(super) fn columns(heads: &[(&str, bool)]) -> Markup {
    html! {
        thead { tr { @for (head, is_number) in heads { th scope="col" .number[*is_number] { (head) } } } }
    }
}

/// A cell with a number, and what it is sorted by.
pub(super) fn number(value: f64, text: &str) -> Markup {
    html! { td .number data-value=(value) { (text) } }
}

/// SHA-256 in base64, as a policy names what may run.
fn hash(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digest = hmac_sha256::Hash::hash(text.as_bytes());
    let mut base64 = String::with_capacity(44);
    for bytes in digest.chunks(3) {
        let bits = bytes.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - bytes.len()));
        for place in 0..4 {
            let digit = char::from(DIGITS[bits >> (18 - 6 * place) & 63]);
            base64.push(if place > bytes.len() { '=' } else { digit });
        }
    }
    base64
}

#[cfg(test)]
mod tests;
