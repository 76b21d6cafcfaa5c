//! The conversation on the terminal: keys become steps of the [machine](super::machine).
//!
//! In: keys. Out: how the conversation ended; the answers, kept at once. Must not: decide what a key means for the answers, or
//! write a sysctl.

#![cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, reason = "the name of the person, as the environment has it")
)]

use jiff::civil::Date;

use super::desk::Desk;
use super::keep::{Found, Keeper, Kept};
use super::machine::{Accepted, Answer, Machine, Step};
use super::screen::{self, Look};
use super::summary::{self, Chosen};
use crate::cli::console::{Console, Pressed, Stop};
use crate::cli::questions;
use crate::plan::model::Plan;

/// Days that a waiver lasts unless the person says otherwise: long enough to plan the repair, short enough to be asked again.
const USUAL_WAIVER: i64 = 90;

/// How a conversation ended.
#[derive(Debug)]
pub(super) enum End {
    /// What was chosen is to be written.
    Write(Box<Chosen>),
    Quit,
    ThrownAway,
}

/// A conversation that goes on.
pub(super) struct Talk<'a> {
    pub(super) console: Console,
    pub(super) machine: Machine<'a>,
    pub(super) keeper: Keeper,
    pub(super) desk: &'a Desk<'a>,
    pub(super) offered: &'a Plan,
    /// What the overview says besides.
    notes: Vec<String>,
    /// What the summary says of the last thing that was done.
    pub(super) note: String,
    /// What is to be said when the terminal is given back.
    pub(super) farewell: Vec<String>,
}

impl<'a> Talk<'a> {
    pub(super) fn new(
        console: Console,
        machine: Machine<'a>,
        keeper: Keeper,
        desk: &'a Desk<'a>,
        offered: &'a Plan,
    ) -> Self {
        let (notes, farewell) = (desk.notes(offered), Vec::new());
        Self { console, machine, keeper, desk, offered, notes, note: String::new(), farewell }
    }

    /// Asks what becomes of the answers of an earlier conversation; `false`: the person quits.
    pub(super) fn begin(&mut self, found: Found) -> Result<bool, Stop> {
        match found {
            Found::Nothing => Ok(true),
            Found::Foreign(why) => {
                self.notes.push(format!("Note: the answers of this run are not kept: {why}. Move this file away."));
                Ok(true)
            }
            Found::Kept(kept) => self.resume(&kept),
        }
    }

    fn resume(&mut self, kept: &Kept) -> Result<bool, Stop> {
        let now = jiff::Timestamp::now();
        loop {
            let are = if kept.number() == 1 { "1 answer is" } else { &format!("{} answers are", kept.number()) };
            let question = format!("{are} kept from an earlier run, the last of {}.", kept.when(now));
            let keys = [("c", "ontinue with them"), ("n", "ew: forget them"), ("q", "uit")];
            self.console.draw(&self.look().screen(Vec::new(), &question, &keys))?;
            match self.console.key()? {
                Pressed::Char('c') | Pressed::Enter => break,
                Pressed::Char('n') => {
                    self.keeper.forget()?;
                    return Ok(true);
                }
                Pressed::Char('q') | Pressed::Escape => return Ok(false),
                _ => {}
            }
        }
        let dropped = kept.give_to(&mut self.machine, today());
        if !dropped.is_empty() {
            let which = dropped.join(", ");
            let note = format!("Not kept, because the finding or the proposal is another one now: {which}.");
            self.notes.push(format!("Note: {note}"));
            self.note = note;
        }
        Ok(true)
    }

    /// Asks until the person writes, quits or throws the answers away.
    pub(super) fn run(&mut self) -> Result<End, Stop> {
        loop {
            let ended = match self.machine.at() {
                Step::Start => self.start()?,
                Step::Item(place) => self.item(place)?,
                Step::Others => self.others()?,
                Step::Summary => self.summary()?,
            };
            if let Some(end) = ended {
                return Ok(end);
            }
        }
    }

    pub(super) fn look(&self) -> Look {
        Look { theme: self.console.theme(), rows: self.console.rows() }
    }

    fn start(&mut self) -> Result<Option<End>, Stop> {
        self.console.draw(&screen::overview(&self.machine, &self.notes, &self.look()))?;
        let has_safe = self.machine.safe().next().is_some();
        match self.console.key()? {
            Pressed::Char('y') if has_safe => self.answer_safe(&Answer::Apply),
            Pressed::Char('r') if has_safe => self.answer_safe(&Answer::Runtime),
            Pressed::Char('n') if has_safe => self.answer_safe(&Answer::Skip),
            Pressed::Char('e') if has_safe => {
                self.machine.ask_each();
                self.keep();
            }
            key => return self.common(key),
        }
        Ok(None)
    }

    fn answer_safe(&mut self, answer: &Answer) {
        self.machine.answer_safe(answer);
        self.keep();
    }

    fn item(&mut self, place: usize) -> Result<Option<End>, Stop> {
        let Some(item) = self.machine.item(place) else {
            self.machine.forward();
            return Ok(None);
        };
        let (number, count) = self.machine.count();
        let head = match self.machine.is_picked() {
            true => "Change your answer".to_owned(),
            false => format!("Question {number} of {count}"),
        };
        let (answer, warnings) = (self.machine.answer_to(place), self.desk.warnings(item));
        self.console.draw(&screen::item(&head, item, answer, &warnings, &self.look()))?;
        let (changes, lasts) = (item.has_changes(), item.lasts());
        let answer = match self.console.key()? {
            Pressed::Char('a') if changes && lasts => Answer::Apply,
            Pressed::Char('r') if changes => Answer::Runtime,
            Pressed::Char('s') => Answer::Skip,
            Pressed::Char('w') => match self.waive()? {
                Some(accepted) => Answer::Waive(accepted),
                None => return Ok(None),
            },
            Pressed::Char('m') => {
                let text = self.machine.item(place).map(|item| screen::in_full(item, &self.look().theme));
                self.console.read(&text.unwrap_or_default())?;
                return Ok(None);
            }
            key => return self.common(key),
        };
        self.machine.answer(answer);
        self.keep();
        Ok(None)
    }

    /// What a waiver needs; `None`: Esc.
    fn waive(&mut self) -> Result<Option<Accepted>, Stop> {
        let today = today();
        let usual = today.checked_add(jiff::Span::new().days(USUAL_WAIVER)).unwrap_or(Date::MAX).to_string();
        let person = ["SUDO_USER", "LOGNAME", "USER"].iter().find_map(|name| std::env::var(name).ok());
        let console = &mut self.console;
        let Some(reason) = console.line("Why do you accept this finding?", "", None, questions::text)? else {
            return Ok(None);
        };
        let who = console.line("Who is responsible for this decision?", "", person.as_deref(), questions::text)?;
        let Some(who) = who else { return Ok(None) };
        let day = |line: &str| questions::day(line, today);
        let until = console.line("Until which day is it accepted?", "", Some(&usual), day)?;
        Ok(until.map(|until| Accepted { reason, who, until }))
    }

    fn others(&mut self) -> Result<Option<End>, Stop> {
        self.console.draw(&screen::others(&self.machine, &self.look()))?;
        match self.console.key()? {
            Pressed::Char(digit) if digit.is_ascii_digit() => {
                let others = self.machine.others();
                self.pick(digit, &others)?;
            }
            Pressed::Char('m') => {
                let theme = self.look().theme;
                let items = self.machine.others().into_iter().filter_map(|place| self.machine.item(place));
                let text: Vec<String> = items.map(|item| screen::in_full(item, &theme)).collect();
                self.console.read(&text.join("\n"))?;
            }
            key => return self.common(key),
        }
        Ok(None)
    }

    /// Asks for the rest of a number, and goes to what has it in a list.
    fn pick(&mut self, digit: char, places: &[usize]) -> Result<(), Stop> {
        let read = |line: &str| questions::number(line, places.len());
        let number = self.console.line("Number:", &digit.to_string(), None, read)?;
        if let Some(place) = number.and_then(|number| places.get(number - 1)) {
            self.machine.pick(*place);
        }
        Ok(())
    }

    fn summary(&mut self) -> Result<Option<End>, Stop> {
        let chosen = self.desk.chosen(&self.machine, self.offered);
        let text = summary::screen(&self.machine, &chosen, self.desk.waivers, &self.note, &self.look());
        self.console.draw(&text)?;
        let key = self.console.key()?;
        if key != Pressed::Redraw {
            self.note.clear();
        }
        match key {
            Pressed::Char('y') if summary::has_something(&self.machine, &chosen) => {
                return Ok(Some(End::Write(Box::new(chosen))));
            }
            Pressed::Char('n') => {
                self.note = "Nothing was written. Press q to leave: the answers are kept.".to_owned();
            }
            Pressed::Char('s') if !chosen.is_empty() => self.save(&chosen)?,
            Pressed::Char('x') if !chosen.is_empty() => self.export(&chosen)?,
            Pressed::Char('t') => return self.throw_away(),
            Pressed::Char('m') => {
                let text = summary::text(&self.machine, &chosen, self.desk.waivers, &self.look().theme);
                self.console.read(&text)?;
            }
            Pressed::Char(digit) if digit.is_ascii_digit() => {
                let listed = self.machine.listed();
                self.pick(digit, &listed)?;
            }
            key => return self.common(key),
        }
        Ok(None)
    }

    fn throw_away(&mut self) -> Result<Option<End>, Stop> {
        loop {
            let question = "Throw all answers away? Nothing is written.";
            self.console.draw(&self.look().screen(Vec::new(), question, &[("y", "es"), ("n", "o")]))?;
            match self.console.key()? {
                Pressed::Char('y') => {
                    self.machine.throw_away();
                    self.keeper.forget()?;
                    return Ok(Some(End::ThrownAway));
                }
                Pressed::Redraw => {}
                _ => return Ok(None),
            }
        }
    }

    /// What a key does on every screen.
    fn common(&mut self, key: Pressed) -> Result<Option<End>, Stop> {
        match key {
            Pressed::Char('q') | Pressed::Escape => return Ok(Some(End::Quit)),
            Pressed::Char('f') | Pressed::Enter | Pressed::Forward => self.machine.forward(),
            Pressed::Char('b') | Pressed::Back => self.machine.back(),
            Pressed::Char('?' | 'h') => self.help()?,
            _ => {}
        }
        Ok(None)
    }

    fn help(&mut self) -> Result<(), Stop> {
        loop {
            self.console.draw(&screen::help(&self.look()))?;
            if self.console.key()? != Pressed::Redraw {
                return Ok(());
            }
        }
    }

    /// Keeps the answers. That it is not possible is said once, and stops nobody.
    fn keep(&mut self) {
        if let Err(error) = self.keeper.keep(&self.machine) {
            let why = crate::diagnostic::io_words(&error);
            let path = self.keeper.path().map(|path| path.display().to_string()).unwrap_or_default();
            self.note = format!("The answers cannot be kept: {path}: {why}");
        }
    }
}

/// The day of waivers: UTC.
fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}
