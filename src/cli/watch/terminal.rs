//! The terminal with a frame on it.
//!
//! In: standard input and output. Out: a terminal to draw on, keys, signals. Must not: leave the terminal other than it
//! was; [`held`] sees to that.

use std::io::{self, Stdout};
use std::time::Duration;

use nix::sys::signal::Signal;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use crate::cli::held::{self, Held, Use, Woken};

/// Why there is no screen.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoScreen {
    #[error("watch draws on a terminal, and {0}; `sysctl-advisor audit` prints a report anywhere")]
    NotATerminal(&'static str),
    #[error("the terminal cannot be used: {0}")]
    Io(#[from] io::Error),
}

/// A terminal with a frame on it, until this is dropped.
#[derive(Debug)]
pub(super) struct Framed {
    pub(super) terminal: Terminal<CrosstermBackend<Stdout>>,
    held: Held,
}

impl Framed {
    /// Takes the terminal.
    pub(super) fn take() -> Result<Self, NoScreen> {
        if let Some(why) = held::not_a_screen() {
            return Err(NoScreen::NotATerminal(why));
        }
        let held = Held::take(Use::Screen)?;
        Ok(Self { terminal: Terminal::new(CrosstermBackend::new(io::stdout()))?, held })
    }

    /// Waits for a key, a signal or the end of the time.
    pub(super) fn wait(&self, time: Duration) -> io::Result<Woken> {
        self.held.wait(time)
    }

    /// Gives the terminal back, stops, and takes it again when the process goes on.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        self.held.suspend()?;
        self.terminal.clear()
    }

    /// Takes the terminal again, after somebody else had it.
    pub(super) fn again(&mut self) -> io::Result<()> {
        self.held.again()?;
        self.terminal.clear()
    }

    /// Ends the process as the signal would have.
    pub(super) fn end_by(self, signal: Signal) -> io::Result<()> {
        self.held.end_by(signal)
    }
}
