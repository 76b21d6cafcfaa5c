//! The terminal while a screen or a conversation is on it, and the signals of the process.
//!
//! In: standard input and output. Out: keys, signals, the end of the terminal. Must not: draw, or leave the terminal other
//! than it was, whatever ends the process.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the terminal's kind is in the variable TERM"))]

use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use ratatui::crossterm::event::{self, Event, KeyEvent};
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::crossterm::{cursor, execute};

/// What woke the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Woken {
    Key(KeyEvent),
    /// The terminal has another size, or what is on it was lost.
    Redraw,
    Signal(Signal),
    /// The terminal is gone.
    Closed,
    Time,
}

/// What of the terminal is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// A screen of our own without a cursor, which is gone afterwards.
    Screen,
    /// A screen of our own on which the person types.
    Conversation,
    /// Only the keys: the terminal cannot move its cursor.
    Keys,
}

/// Signals that are read, not delivered.
const SIGNALS: [Signal; 6] =
    [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT, Signal::SIGTSTP, Signal::SIGCONT, Signal::SIGWINCH];

/// Whether a screen of ours is there. A panic asks, which knows of no [`Held`].
static HAS_SCREEN: AtomicBool = AtomicBool::new(false);

/// A terminal whose keys and signals are ours, until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    signals: SignalFd,
    used: Use,
}

impl Held {
    /// Takes the terminal.
    pub(super) fn take(used: Use) -> io::Result<Self> {
        restore_at_a_panic();
        let set = signals();
        set.thread_block()?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC);
        let signals = fd.inspect_err(|_| _ = set.thread_unblock())?;
        let held = Self { signals, used };
        enter(used)?;
        Ok(held)
    }

    /// Waits for a key, a signal or the end of the time.
    pub(super) fn wait(&self, time: Duration) -> io::Result<Woken> {
        if let Some(woken) = key()? {
            return Ok(woken);
        }
        let input = io::stdin();
        let mut ready =
            [PollFd::new(input.as_fd(), PollFlags::POLLIN), PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        // A part of a millisecond is waited for too, else the last one is spent in a loop.
        let time = i32::try_from(time.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
        match poll(&mut ready, PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX)) {
            Err(Errno::EINTR) => return Ok(Woken::Redraw),
            other => other?,
        };
        let happened = |place: usize| ready.get(place).and_then(PollFd::revents).unwrap_or(PollFlags::empty());
        let (keys, signal) = (happened(0), happened(1));
        if signal.contains(PollFlags::POLLIN)
            && let Some(info) = self.signals.read_signal()?
        {
            let signal = i32::try_from(info.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok());
            return Ok(match signal {
                None | Some(Signal::SIGWINCH) => Woken::Redraw,
                Some(signal) => Woken::Signal(signal),
            });
        }
        if !keys.is_empty() {
            return Ok(key()?.unwrap_or(Woken::Time));
        }
        Ok(Woken::Time)
    }

    /// Gives the terminal back, stops, and takes it again when the process goes on.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        leave();
        // Not SIGSTOP: a process that no shell would continue must not stop.
        raise(Signal::SIGTSTP)?;
        let set = SigSet::from(Signal::SIGTSTP);
        set.thread_unblock()?;
        set.thread_block()?;
        self.again()
    }

    /// Takes the terminal again, after somebody else had it.
    pub(super) fn again(&mut self) -> io::Result<()> {
        enter(self.used)
    }

    /// Gives the terminal and the signals to what is done meanwhile, such as a pager.
    pub(super) fn lend<T>(&mut self, meanwhile: impl FnOnce() -> T) -> io::Result<T> {
        leave();
        signals().thread_unblock()?;
        let done = meanwhile();
        signals().thread_block()?;
        self.again()?;
        Ok(done)
    }

    /// Ends the process as the signal would have.
    pub(super) fn end_by(self, signal: Signal) -> io::Result<()> {
        drop(self);
        Ok(raise(signal)?)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        leave();
        // What was sent meanwhile is delivered now.
        let _ = signals().thread_unblock();
    }
}

fn signals() -> SigSet {
    SIGNALS.into_iter().collect()
}

/// A key that is there already, or that can be read now.
fn key() -> io::Result<Option<Woken>> {
    loop {
        // crossterm would read a terminal that is gone for ever.
        if is_closed()? {
            return Ok(Some(Woken::Closed));
        }
        if !event::poll(Duration::ZERO)? {
            return Ok(None);
        }
        match event::read()? {
            Event::Key(key) => return Ok(Some(Woken::Key(key))),
            Event::Resize(..) => return Ok(Some(Woken::Redraw)),
            _ => {}
        }
    }
}

fn is_closed() -> io::Result<bool> {
    let input = io::stdin();
    let mut ready = [PollFd::new(input.as_fd(), PollFlags::empty())];
    match poll(&mut ready, PollTimeout::ZERO) {
        Err(Errno::EINTR) => Ok(false),
        other => other.map(|_| ready.iter().any(|fd| fd.any() == Some(true))).map_err(io::Error::from),
    }
}

/// Why nothing can be drawn on standard output, if so.
pub(super) fn not_a_screen() -> Option<&'static str> {
    if !io::stdout().is_terminal() {
        Some("standard output is not one")
    } else if !io::stdin().is_terminal() {
        Some("standard input is not one")
    } else {
        match std::env::var("TERM").as_deref() {
            Err(_) | Ok("") => Some("the variable TERM does not say which one this is"),
            Ok("dumb") => Some("one of the kind `dumb` cannot move its cursor"),
            Ok(_) => None,
        }
    }
}

fn enter(used: Use) -> io::Result<()> {
    enable_raw_mode()?;
    HAS_SCREEN.store(used != Use::Keys, Ordering::Relaxed);
    match used {
        Use::Screen => execute!(io::stdout(), EnterAlternateScreen, cursor::Hide),
        Use::Conversation => execute!(io::stdout(), EnterAlternateScreen),
        Use::Keys => Ok(()),
    }
    .inspect_err(|_| leave())
}

/// A terminal that is gone cannot be given back.
fn leave() {
    if HAS_SCREEN.swap(false, Ordering::Relaxed) {
        let _ = execute!(io::stdout(), LeaveAlternateScreen, cursor::Show);
    }
    let _ = disable_raw_mode();
    let _ = io::stdout().flush();
}

/// The message of a panic belongs on a terminal that can show it. A release build ends there, without a drop.
fn restore_at_a_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            leave();
            before(info);
        }));
    });
}
