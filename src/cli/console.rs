//! A conversation on a terminal: screens, single keys, lines that a person types.
//!
//! In: what to show, what to ask. Out: keys and lines, or why there will be none. Must not: know what is asked.

use std::io::{self, Write as _};
use std::time::Duration;

use nix::sys::signal::Signal;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::args::Global;
use super::exit::Failure;
use super::held::{self, Held, Use, Woken};
use super::output::{self, Terminal};
use super::{charset, pager};
use crate::report::theme::Theme;
use crate::report::wrap::{columns, wrap};

/// A key, as far as a conversation knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressed {
    Char(char),
    Enter,
    Escape,
    /// The arrow to the left, or up; to the right, or down.
    Back,
    Forward,
    Erase,
    EraseAll,
    /// No key: the screen has to be drawn again.
    Redraw,
    Other,
}

/// Why a conversation ends before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// Ctrl-C, Ctrl-D.
    Asked,
    /// The terminal is gone.
    Closed,
    Signal(Signal),
    Failed(Failure),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(Failure::io(error))
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Longer than a person waits; a signal or a key ends it sooner.
const WITHOUT_END: Duration = Duration::from_secs(3600);
/// The narrowest page; on a narrower terminal its lines break.
const NARROWEST: usize = 40;
/// Prose of wider lines is hard to read.
const WIDEST: usize = 120;
/// Columns that an answer has beside its question.
const ANSWER: usize = 16;

/// The terminal of a conversation, until this is dropped.
#[derive(Debug)]
pub(super) struct Console {
    held: Held,
    theme: Theme,
    /// Whether the cursor can be moved.
    moves: bool,
    pages: bool,
}

impl Console {
    pub(super) fn take(terminal: &Terminal, global: &Global) -> io::Result<Self> {
        let moves = held::not_a_screen().is_none();
        let held = Held::take(if moves { Use::Conversation } else { Use::Keys })?;
        Ok(Self { held, theme: terminal.theme(), moves, pages: !global.no_pager })
    }

    /// The theme, as wide as the terminal is now.
    pub(super) fn theme(&self) -> Theme {
        let (columns, _) = output::size();
        Theme { width: columns.clamp(NARROWEST, WIDEST), ..self.theme }
    }

    /// Lines of the terminal now.
    pub(super) fn rows(&self) -> usize {
        output::size().1
    }

    /// Shows a screen in place of the last one. The cursor stays behind its end.
    pub(super) fn draw(&self, text: &str) -> io::Result<()> {
        let shown = charset::shown(text);
        let lines: Vec<&str> = shown.split('\n').collect();
        put(&match self.moves {
            true => format!("\x1b[H{}\x1b[K\x1b[J", lines.join("\x1b[K\r\n")),
            false => format!("\r\n{}", lines.join("\r\n")),
        })
    }

    /// The next key.
    pub(super) fn key(&mut self) -> Result<Pressed, Stop> {
        loop {
            match self.held.wait(WITHOUT_END)? {
                Woken::Time => {}
                Woken::Closed => return Err(Stop::Closed),
                Woken::Redraw => return Ok(Pressed::Redraw),
                Woken::Signal(Signal::SIGTSTP) => return self.suspend(),
                Woken::Signal(Signal::SIGCONT) => {
                    self.held.again()?;
                    return Ok(Pressed::Redraw);
                }
                Woken::Signal(signal) => return Err(Stop::Signal(signal)),
                Woken::Key(key) if key.kind == KeyEventKind::Release => {}
                Woken::Key(key) => match (key.modifiers.contains(KeyModifiers::CONTROL), key.code) {
                    (true, KeyCode::Char('c' | 'd')) => return Err(Stop::Asked),
                    (true, KeyCode::Char('z')) => return self.suspend(),
                    _ => return Ok(pressed(key)),
                },
            }
        }
    }

    fn suspend(&mut self) -> Result<Pressed, Stop> {
        self.held.suspend()?;
        Ok(Pressed::Redraw)
    }

    /// Asks for a line below what is shown, which begins with `begun`; an empty one is the default. `None`: Esc. `read`
    /// makes the answer of it, or says what is wrong.
    pub(super) fn line<T>(
        &mut self,
        question: &str,
        begun: &str,
        default: Option<&str>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Stop> {
        let mut question = default.map_or_else(|| question.to_owned(), |default| format!("{question} [{default}]"));
        let mut typed = begun.to_owned();
        put("\r\n")?;
        let width = self.theme().width;
        if columns(&question) + ANSWER > width {
            // Only one line can be drawn over.
            put(&format!("{}\r\n", wrap(&question, width, 0).replace('\n', "\r\n")))?;
            question = ">".to_owned();
        }
        self.draw_line(&question, &typed, None, None)?;
        loop {
            let before = typed.clone();
            let mut wrong = None;
            match self.key()? {
                Pressed::Escape => {
                    put("\r\n")?;
                    return Ok(None);
                }
                Pressed::Enter => {
                    match read(Some(typed.trim()).filter(|it| !it.is_empty()).or(default).unwrap_or("")) {
                        Ok(answer) => {
                            put("\r\n")?;
                            return Ok(Some(answer));
                        }
                        Err(why) => wrong = Some(why),
                    }
                }
                Pressed::Char(c) => typed.push(c),
                Pressed::Erase => _ = typed.pop(),
                Pressed::EraseAll => typed.clear(),
                Pressed::Redraw => {}
                Pressed::Back | Pressed::Forward | Pressed::Other => continue,
            }
            self.draw_line(&question, &typed, Some(&before), wrong.as_deref())?;
        }
    }

    /// Draws the line over what it was before. Of a text longer than the terminal the end is shown.
    fn draw_line(&self, question: &str, typed: &str, before: Option<&str>, wrong: Option<&str>) -> io::Result<()> {
        let theme = self.theme();
        let heading = theme.paint(theme.heading, question);
        let wrong = wrong.map(|wrong| theme.paint(theme.critical, wrong));
        if !self.moves {
            // Only what is added can be shown as it is typed.
            let added = before.filter(|_| wrong.is_none()).and_then(|before| typed.strip_prefix(before));
            return put(&match (added, wrong) {
                (Some(added), _) => added.to_owned(),
                (None, Some(wrong)) => format!("\r\n{wrong}\r\n{heading} {typed}"),
                (None, None) => format!("\r\n{heading} {typed}"),
            });
        }
        let room = theme.width.saturating_sub(columns(question) + 2).max(8);
        let mut shown = typed;
        while columns(shown) > room {
            let mut rest = shown.chars();
            rest.next();
            shown = rest.as_str();
        }
        // What is wrong is in the line below, and the cursor behind what was typed.
        let below = wrong.map(|wrong| format!("\r\n{wrong}\x1b[1A\r\x1b[{}C", columns(question) + 1 + columns(shown)));
        put(&format!("\r\x1b[J{}{}", charset::shown(&format!("{heading} {shown}")), below.unwrap_or_default()))
    }

    /// Shows a text of any length: in the pager, else a screen at a time.
    pub(super) fn read(&mut self, text: &str) -> Result<(), Stop> {
        let is_long = text.lines().count() + 2 > self.rows();
        if is_long && self.moves && self.pages && self.held.lend(|| pager::page(text, pager::WITH_A_SCREEN))? {
            return Ok(());
        }
        let rows = self.rows().saturating_sub(2).max(4);
        let lines: Vec<&str> = text.lines().collect();
        let pages: Vec<&[&str]> = lines.chunks(rows).collect();
        for (place, page) in pages.iter().enumerate() {
            let more = if place + 1 < pages.len() { "Any key: the next page. Esc: back" } else { "Any key: back" };
            let screen = format!("{}\n\n{more} ", page.join("\n"));
            loop {
                self.draw(&screen)?;
                match self.key()? {
                    Pressed::Redraw => {}
                    Pressed::Escape => return Ok(()),
                    _ => break,
                }
            }
        }
        Ok(())
    }

    /// Ends the process as the signal would have.
    pub(super) fn end_by(self, signal: Signal) -> io::Result<()> {
        self.held.end_by(signal)
    }
}

fn pressed(key: KeyEvent) -> Pressed {
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('u') if is_control => Pressed::EraseAll,
        // What was typed before the terminal was ours: its Enter is a new line.
        KeyCode::Char('j') if is_control => Pressed::Enter,
        KeyCode::Char('h') if is_control => Pressed::Erase,
        KeyCode::Char(_) if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => Pressed::Other,
        KeyCode::Char(c) => Pressed::Char(c),
        KeyCode::Enter => Pressed::Enter,
        KeyCode::Esc => Pressed::Escape,
        KeyCode::Left | KeyCode::Up => Pressed::Back,
        KeyCode::Right | KeyCode::Down => Pressed::Forward,
        KeyCode::Backspace => Pressed::Erase,
        _ => Pressed::Other,
    }
}

fn put(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_a_conversation_knows_them_as() {
        let plain = |code| pressed(KeyEvent::new(code, KeyModifiers::NONE));
        let control = |c| pressed(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL));
        assert_eq!(plain(KeyCode::Char('é')), Pressed::Char('é'));
        assert_eq!([plain(KeyCode::Left), plain(KeyCode::Right)], [Pressed::Back, Pressed::Forward]);
        assert_eq!([control('j'), control('h'), control('u')], [Pressed::Enter, Pressed::Erase, Pressed::EraseAll]);
        // Neither an unknown control character nor a function key is text.
        assert_eq!([control('a'), plain(KeyCode::F(1))], [Pressed::Other, Pressed::Other]);
    }
}
