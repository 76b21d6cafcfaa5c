//! A picture of a terminal: what tmux shows, as SVG.
//!
//! In: lines with the escape sequences of colours. Out: the text of an SVG. Must not: draw what was not on the terminal.

use std::fmt::Write as _;

/// Size of one character, in pixels.
const CELL: (usize, usize) = (8, 17);
/// Space around the text.
const EDGE: usize = 12;
/// Black, red, green, yellow, blue, magenta, cyan, white; readable on the background of the picture.
const COLOURS: [&str; 8] = ["#6e7681", "#ff7b72", "#7ee787", "#e3b341", "#79c0ff", "#d2a8ff", "#76e3ea", "#e6edf3"];

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Look {
    colour: Option<usize>,
    bold: bool,
    dim: bool,
    reverse: bool,
}

impl Look {
    /// Follows one escape sequence `ESC [ NUMBERS m`.
    fn follow(&mut self, numbers: &str) {
        let mut numbers = numbers.split(';').map(|text| text.parse::<usize>().unwrap_or(0));
        while let Some(number) = numbers.next() {
            match number {
                // One of the sixteen colours by its number.
                38 => {
                    let (kind, colour) = (numbers.next(), numbers.next());
                    assert!(kind == Some(5) && colour < Some(16), "a colour that not every terminal has: {colour:?}");
                    self.colour = colour.map(|colour| colour % 8);
                }
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                7 => self.reverse = true,
                22 => (self.bold, self.dim) = (false, false),
                27 => self.reverse = false,
                30..=37 => self.colour = Some(number - 30),
                39 => self.colour = None,
                // The background is the one of the picture already.
                49 => {}
                90..=97 => self.colour = Some(number - 90),
                other => panic!("the program does not use the sequence {other}"),
            }
        }
    }

    fn attributes(self) -> String {
        let colour = self.colour.map_or(COLOURS[7], |colour| COLOURS[colour]);
        let fill = if self.reverse { "#0d1117" } else { colour };
        let bold = if self.bold { " font-weight=\"bold\"" } else { "" };
        let dim = if self.dim { " opacity=\"0.65\"" } else { "" };
        format!(" fill=\"{fill}\"{bold}{dim}")
    }
}

/// The pieces of a line with how each looks.
fn pieces(line: &str, look: &mut Look) -> Vec<(Look, String)> {
    let mut pieces = Vec::new();
    let mut parts = line.split('\u{1b}');
    pieces.push((*look, parts.next().unwrap_or_default().to_owned()));
    for part in parts {
        // tmux writes the switch to and from line drawing too.
        let text = match part.strip_prefix('[').and_then(|rest| rest.split_once('m')) {
            Some((numbers, text)) => {
                look.follow(numbers);
                text
            }
            None => panic!("a sequence that is no colour: {part:?}"),
        };
        pieces.push((*look, text.to_owned()));
    }
    pieces.retain(|(_, text)| !text.is_empty());
    pieces
}

/// What is between two spaces or more, with its distance from the beginning: SVG makes one space of many.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut at = 0;
    for part in text.split("  ") {
        let word = part.trim();
        if !word.is_empty() {
            words.push((at + part.chars().take_while(|letter| *letter == ' ').count(), word));
        }
        at += part.chars().count() + 2;
    }
    words
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The screen as a picture with a name for those who cannot see it.
pub(crate) fn svg(name: &str, screen: &str) -> String {
    let lines: Vec<&str> = screen.trim_end().lines().collect();
    let mut look = Look::default();
    let rows: Vec<_> = lines.iter().map(|line| pieces(line, &mut look)).collect();
    let length = |row: &Vec<(Look, String)>| row.iter().map(|(_, text)| text.chars().count()).sum::<usize>();
    let columns = rows.iter().map(length).max().unwrap_or(0).max(80);
    let (width, height) = (columns * CELL.0 + 2 * EDGE, rows.len() * CELL.1 + 2 * EDGE);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>{}</title>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n\
         <g font-family=\"ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"13\">\n",
        escaped(name)
    );
    for (place, row) in rows.iter().enumerate() {
        let mut column = 0;
        for (look, text) in row {
            let count = text.chars().count();
            let (x, y) = (EDGE + column * CELL.0, EDGE + place * CELL.1);
            column += count;
            if look.reverse {
                let colour = look.colour.map_or(COLOURS[7], |colour| COLOURS[colour]);
                let (wide, high) = (count * CELL.0, CELL.1);
                writeln!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{high}\" fill=\"{colour}\"/>")
                    .unwrap();
            }
            for (gap, word) in words(text) {
                // Each word is as wide as its cells, whatever the reader's font.
                let (x, wide, base) = (x + gap * CELL.0, word.chars().count() * CELL.0, y + 13);
                let (attributes, word) = (look.attributes(), escaped(word));
                writeln!(svg, "<text x=\"{x}\" y=\"{base}\" textLength=\"{wide}\"{attributes}>{word}</text>").unwrap();
            }
        }
    }
    svg + "</g>\n</svg>\n"
}

/// Compares a picture with the one in the repository, or writes it there.
pub(crate) fn assert_is_current(file: &str, picture: &str) {
    let path = format!("{}/docs/pictures/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("SYSCTL_ADVISOR_WRITE").is_some() {
        std::fs::create_dir_all(format!("{}/docs/pictures", env!("CARGO_MANIFEST_DIR"))).unwrap();
        std::fs::write(&path, picture).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    // A new rule changes what the report says about all of them, and nothing else.
    let without_number = |line: &str| match line.contains(" rules found nothing") {
        true => line.replace(|letter: char| letter.is_ascii_digit(), ""),
        false => line.to_owned(),
    };
    let of = |text: &str| text.lines().map(without_number).collect::<Vec<_>>();
    let (there, now) = (of(&there), of(picture));
    let lines = there.iter().zip(&now).find(|(one, other)| one != other);
    assert!(
        there == now,
        "docs/pictures/{file} is stale at {lines:?}; write it: SYSCTL_ADVISOR_WRITE=1 cargo test --test live --test export picture"
    );
}
