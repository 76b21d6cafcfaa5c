//! One question on a terminal: a line that the person types, and lines below it that change with each key.
//!
//! In: the question, what to show below it, what Enter makes of the line. Out: the answer; `None` when the person
//! stopped by Esc, Ctrl-C or the end of the input. Must not: know what is asked, or leave the terminal other than it was.

use std::io::{self, Write};
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};

use crate::report::theme::Theme;
use crate::report::wrap::{WIDTH, columns, fitting};

/// The bytes of a key that sends several follow each other without a pause; the person's own Esc is alone.
const REST_OF_A_KEY: u8 = 50;

/// What the person did so far.
#[derive(Debug, Default)]
pub(super) struct Typed {
    pub(super) text: String,
    /// How often the arrow down was pressed more than the arrow up, since the text changed last.
    pub(super) down: isize,
}

/// Asks until Enter gives an answer. `below` makes the lines below the question; `enter` makes the answer and the words
/// for it, or says what is wrong.
pub(super) fn ask<T>(
    question: &str,
    theme: &Theme,
    below: impl Fn(&Typed) -> Vec<String>,
    enter: impl Fn(&Typed) -> Result<(T, String), String>,
) -> io::Result<Option<T>> {
    let _raw = Raw::enter()?;
    let (mut typed, mut wrong) = (Typed::default(), None);
    loop {
        let mut lines = below(&typed);
        lines.extend(wrong.take().map(|wrong: String| theme.paint(theme.critical, &format!("# {wrong}"))));
        draw(question, theme, &typed.text, &lines)?;
        match key()? {
            Key::Enter => match enter(&typed) {
                Ok((answer, words)) => {
                    finish(question, theme, &words)?;
                    return Ok(Some(answer));
                }
                Err(why) => wrong = Some(why),
            },
            Key::Stop => {
                finish(question, theme, "(stopped)")?;
                return Ok(None);
            }
            Key::Up => typed.down -= 1,
            Key::Down => typed.down += 1,
            Key::Erase => change(&mut typed, |text| _ = text.pop()),
            Key::EraseAll => change(&mut typed, String::clear),
            Key::Char(c) => change(&mut typed, |text| text.push(c)),
            Key::Other => {}
        }
    }
}

fn change(typed: &mut Typed, how: impl FnOnce(&mut String)) {
    how(&mut typed.text);
    typed.down = 0;
}

/// Draws over what was drawn before, and leaves the cursor behind the typed text. Of a text longer than the line the end
/// is shown.
fn draw(question: &str, theme: &Theme, text: &str, below: &[String]) -> io::Result<()> {
    let before = columns(question) + 3;
    let room = WIDTH.saturating_sub(before + 1);
    let mut shown = text;
    while columns(shown) > room {
        let mut rest = shown.chars();
        rest.next();
        shown = rest.as_str();
    }
    let mut screen = format!("\r\x1b[J{} {shown}", heading(question, theme));
    for line in below {
        screen.push('\n');
        screen.push_str(line);
    }
    if !below.is_empty() {
        screen.push_str(&format!("\x1b[{}A", below.len()));
    }
    screen.push_str(&format!("\r\x1b[{}C", before + columns(shown)));
    put(&screen)
}

/// Leaves the question and its answer as one line.
fn finish(question: &str, theme: &Theme, words: &str) -> io::Result<()> {
    let (words, _) = fitting(words, WIDTH.saturating_sub(columns(question) + 4));
    put(&format!("\r\x1b[J{} {}\n", heading(question, theme), theme.paint(theme.key, words)))
}

fn heading(question: &str, theme: &Theme) -> String {
    format!("{} {question}", theme.paint(theme.ok, "?"))
}

fn put(screen: &str) -> io::Result<()> {
    let mut terminal = io::stderr().lock();
    terminal.write_all(screen.as_bytes())?;
    terminal.flush()
}

/// The terminal gives each key at once and shows none by itself, until this is dropped.
struct Raw {
    before: Termios,
}

impl Raw {
    fn enter() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG | LocalFlags::IEXTEN);
        raw.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        raw.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        tcsetattr(io::stdin(), SetArg::TCSADRAIN, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.before);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Key {
    Char(char),
    Enter,
    Stop,
    Up,
    Down,
    Erase,
    EraseAll,
    Other,
}

fn key() -> io::Result<Key> {
    decode(&mut byte, &mut || more_within(REST_OF_A_KEY))
}

/// The next key. `next` gives a byte, `None` at the end of the input; `more` says whether a byte follows at once.
fn decode(
    next: &mut impl FnMut() -> io::Result<Option<u8>>,
    more: &mut impl FnMut() -> io::Result<bool>,
) -> io::Result<Key> {
    let Some(first) = next()? else { return Ok(Key::Stop) };
    Ok(match first {
        b'\r' | b'\n' => Key::Enter,
        // Ctrl-C and Ctrl-D.
        0x03 | 0x04 => Key::Stop,
        0x08 | 0x7f => Key::Erase,
        // Ctrl-U.
        0x15 => Key::EraseAll,
        0x1b if !more()? => Key::Stop,
        0x1b => match next()? {
            Some(b'[' | b'O') => loop {
                match next()? {
                    Some(b'A') => break Key::Up,
                    Some(b'B') => break Key::Down,
                    Some(0x20..=0x3f) => {}
                    _ => break Key::Other,
                }
            },
            _ => Key::Other,
        },
        // Other control characters, and what begins no character in UTF-8.
        0x00..=0x1f | 0x80..=0xc1 | 0xf5..=0xff => Key::Other,
        _ => {
            let mut bytes = vec![first];
            // The first byte of UTF-8 says by its leading ones how many belong to the character.
            for _ in 1..first.leading_ones() {
                bytes.extend(next()?);
            }
            std::str::from_utf8(&bytes).ok().and_then(|text| text.chars().next()).map_or(Key::Other, Key::Char)
        }
    })
}

/// One byte at a time: what is typed ahead stays in the terminal for the next question.
fn byte() -> io::Result<Option<u8>> {
    let mut buffer = [0];
    loop {
        match nix::unistd::read(io::stdin(), &mut buffer) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(buffer[0])),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn more_within(milliseconds: u8) -> io::Result<bool> {
    let input = io::stdin();
    let mut descriptors = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
    match poll(&mut descriptors, PollTimeout::from(milliseconds)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// The keys that these bytes are.
    fn keys(bytes: &[u8]) -> Vec<Key> {
        let left = RefCell::new(bytes.iter().copied());
        let mut keys = Vec::new();
        while left.borrow().len() > 0 {
            let mut next = || Ok(left.borrow_mut().next());
            keys.push(decode(&mut next, &mut || Ok(left.borrow().len() > 0)).unwrap());
        }
        keys
    }

    #[test]
    fn bytes_are_read_as_the_keys_that_send_them() {
        use Key::{Char, Down, Enter, Erase, EraseAll, Other, Stop, Up};
        assert_eq!(keys("aé世\u{7f}\r\n".as_bytes()), [Char('a'), Char('é'), Char('世'), Erase, Enter, Enter]);
        assert_eq!(keys(b"\x1b[A\x1bOB\x1b[1;5A\x1b[3~x"), [Up, Down, Up, Other, Char('x')]);
        assert_eq!(keys(b"\x15\x03\x04\x1b"), [EraseAll, Stop, Stop, Stop]);
        // Neither an unknown control character nor a byte that is not UTF-8 is taken for text.
        assert_eq!(keys(b"\x01\xffa"), [Other, Other, Char('a')]);
        assert_eq!(decode(&mut || Ok(None), &mut || Ok(false)).unwrap(), Stop);
    }
}
