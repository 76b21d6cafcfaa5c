//! No signal ends the process between the first write and the last.
//!
//! In: nothing. Out: [`Undisturbed`], while which signals wait; which of them came. Must not: keep a signal back for longer than the
//! writing takes, or swallow one that came before it.
//!
//! Ctrl-C, a `kill`, and the end of the terminal that a change of network settings cut off would leave some keys with the new value and
//! some with the former one. What was begun is finished first, and the program says afterwards that it did.

use std::sync::atomic::{AtomicI32, Ordering};

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Signals that end a process, if it lets them. Those by which the kernel reports a fault of the program itself are not among them.
const ENDING: [Signal; 14] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGPIPE,
    Signal::SIGALRM,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGXCPU,
    Signal::SIGXFSZ,
    Signal::SIGIO,
    Signal::SIGPWR,
];
/// Signals that stop it. They wait too, and are obeyed afterwards.
const STOPPING: [Signal; 3] = [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU];

/// The last one that came; 0: none.
static CAME: AtomicI32 = AtomicI32::new(0);

fn ending() -> SigSet {
    ENDING.into_iter().collect()
}

/// While this is there, signals wait for the calling thread and for those that it makes. Threads that were there before would still
/// get them, so it begins in the first thread of the process.
#[derive(Debug)]
#[must_use]
pub struct Undisturbed(Option<SigSet>);

impl Undisturbed {
    pub fn begin() -> Self {
        let all: SigSet = ENDING.into_iter().chain(STOPPING).collect();
        Self(all.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok())
    }
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        let Some(before) = self.0 else { return };
        // Within another one they go on waiting.
        if !before.contains(Signal::SIGTERM) {
            asked_to_end();
        }
        let _ = before.thread_set_mask();
    }
}

/// Takes a signal that waits: somebody wants the process to end.
pub fn asked_to_end() -> Option<Signal> {
    let waiting = SignalFd::with_flags(&ending(), SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC).ok()?;
    while let Ok(Some(info)) = waiting.read_signal() {
        CAME.store(i32::try_from(info.ssi_signo).unwrap_or_default(), Ordering::Relaxed);
    }
    came()
}

/// The signal that waited until something was finished.
pub fn came() -> Option<Signal> {
    Signal::try_from(CAME.load(Ordering::Relaxed)).ok()
}
