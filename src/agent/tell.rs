//! Telling: each message to the journal, or as a line on standard error where there is none.
//!
//! In: messages. Out: each of them told once, and how. Must not: lose a message because the journal does not take it.

use std::io;
use std::path::Path;

use super::journal::Journal;
use super::message::Message;
use crate::diagnostic::io_words;

/// Where messages go.
pub struct Teller<'a> {
    journal: Option<Journal>,
    say: &'a mut dyn FnMut(&str),
}

impl std::fmt::Debug for Teller<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Teller").field("journal", &self.journal).finish_non_exhaustive()
    }
}

impl<'a> Teller<'a> {
    /// Connects to the journal at `socket`, if there is to be one. `say` takes lines for standard error.
    pub fn new(socket: Option<&Path>, say: &'a mut dyn FnMut(&str)) -> Self {
        let mut teller = Self { journal: None, say };
        match socket.map(Journal::connect) {
            Some(Ok(journal)) => teller.journal = Some(journal),
            Some(Err(error)) => teller.no_journal(&error),
            None => {}
        }
        teller
    }

    /// Tells one message.
    pub fn tell(&mut self, message: &Message) {
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
        let mut teller = Teller::new(Some(&path), &mut say);
        teller.tell(&message("first"));
        drop(listener);
        teller.tell(&message("second"));
        teller.tell(&message("third"));
        let expected =
            ["the journal does not accept messages (Connection refused), so they are printed here", "second", "third"];
        assert_eq!(said, expected);
    }

    #[test]
    fn without_a_journal_the_reason_is_said_once_and_when_none_is_wanted_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let mut said = Vec::new();
        let mut say = |line: &str| said.push(line.to_owned());
        Teller::new(Some(&folder.path().join("nobody")), &mut say).tell(&message("a"));
        Teller::new(None, &mut say).tell(&message("b"));
        assert_eq!(said.len(), 3, "{said:?}");
        assert_eq!(said[1..], ["a", "b"]);
    }
}
