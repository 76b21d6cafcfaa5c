//! Telling: each message to the journal, or as a line on standard error where there is none.
//!
//! In: messages. Out: each of them told once, and how. Must not: lose a message because the journal does not take it.

use std::io;
use std::path::Path;

use super::journald::Journal;
use super::message::Message;
use crate::diagnostic::io_words;

/// Where messages go.
pub struct Reporter<'a> {
    journal: Option<Journal>,
    say: &'a mut dyn FnMut(&str),
}

impl std::fmt::Debug for Reporter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("journal", &self.journal).finish_non_exhaustive()
    }
}

impl<'a> Reporter<'a> {
    /// Connects to the journal at `socket`, if there is to be one. `say` takes lines for standard error.
    pub fn new(socket: Option<&Path>, say: &'a mut dyn FnMut(&str)) -> Self {
        let mut reporter = Self { journal: None, say };
        match socket.map(Journal::connect) {
            Some(Ok(journal)) => reporter.journal = Some(journal),
            Some(Err(error)) => reporter.no_journal(&error),
            None => {}
        }
        reporter
    }

    /// Tells one message.
    pub fn report(&mut self, message: &Message) {
        match self.journal.as_ref().map(|journal| journal.send(&message.fields)) {
            Some(Ok(())) => return,
            Some(Err(error)) => {
                self.no_journal(&error);
                self.journal = None;
            }
            None => {}
        }
        (self.say)(&message.text);
    }

    /// Once: what follows goes to standard error.
    fn no_journal(&mut self, error: &io::Error) {
        (self.say)(&format!("the journal does not accept messages ({}), so they are printed here", io_words(error)));
    }
}

/// Tells the journal alone. Where there is none, or it does not take the message, nothing is lost: it was no news.
pub fn note(socket: Option<&Path>, message: &Message) {
    if let Some(Ok(journal)) = socket.map(Journal::connect) {
        let _ = journal.send(&message.fields);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    fn message(text: &str) -> Message {
        Message { text: text.to_owned(), fields: vec![("MESSAGE", text.to_owned())] }
    }

    #[test]
    fn what_the_journal_does_not_take_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixDatagram::bind(&path).unwrap();
        let mut said = Vec::new();
        let mut say = |line: &str| said.push(line.to_owned());
        let mut reporter = Reporter::new(Some(&path), &mut say);
        reporter.report(&message("first"));
        drop(listener);
        reporter.report(&message("second"));
        reporter.report(&message("third"));
        let expected =
            ["the journal does not accept messages (Connection refused), so they are printed here", "second", "third"];
        assert_eq!(said, expected);
    }

    #[test]
    fn without_a_journal_the_reason_is_said_once_and_when_none_is_wanted_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let mut said = Vec::new();
        let mut say = |line: &str| said.push(line.to_owned());
        Reporter::new(Some(&folder.path().join("nobody")), &mut say).report(&message("a"));
        Reporter::new(None, &mut say).report(&message("b"));
        assert_eq!(said.len(), 3, "{said:?}");
        assert_eq!(said[1..], ["a", "b"]);
    }
}
