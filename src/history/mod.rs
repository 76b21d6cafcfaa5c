//! The memory of the agent: what earlier audits saw, and what of it is worth a message.
//!
//! In: an audit and the rules that it was made with. Out: one SQLite file, `history.db`; events to publish; series,
//! episodes and changes to show. Must not: publish, print, or let a history that is damaged or full stop an audit:
//! every trouble is a typed error, and the caller decides.
//!
//! ```text
//! file (open, set aside) -> schema -> remember (one transaction a run) -> track (hold-off) -> outbox
//!                                     samples                             read, prune
//! ```

mod error;
mod file;
mod outbox;
pub mod owner;
mod prune;
pub mod read;
mod remember;
pub mod samples;
mod schema;
pub mod track;

pub use error::HistoryError;
pub use file::{DATABASE, SetAside};
pub use outbox::{ChangeCounts, ChangeNote, Event};
pub use prune::Retention;
pub use remember::{Remembered, Run};
pub use samples::Sample;
pub use track::{EventKind, HoldOff};

use std::path::PathBuf;

/// The open history. Whoever holds one for writing is the only one that needs to; readers come and go beside it.
#[derive(Debug)]
pub struct Store {
    connection: rusqlite::Connection,
    file: PathBuf,
    folder: owner::Owned,
}

impl Store {
    fn enter(&self) -> Result<owner::AsOwner, HistoryError> {
        self.folder.enter().map_err(|error| HistoryError::io(&self.file, &error))
    }

    fn failed(&self) -> impl Fn(rusqlite::Error) -> HistoryError + use<> {
        let file = self.file.clone();
        move |error| HistoryError::of(&file, &error)
    }
}

#[cfg(test)]
mod tests;
