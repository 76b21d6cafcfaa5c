//! One run of the timer: observe, audit, remember, tell what is new, leave.
//!
//! In: rules, waivers, settings, a state directory. Out: a line in the journal for what is new, gauges for Prometheus, a
//! report, the history; and with `--apply` changes of the host that are watched. Must not: stay, run twice at a time, or
//! let one step that fails keep the others from being done.
//!
//! ```text
//! folder (lock) -> observe (the window since the previous run) -> audit -> history -> tell -> textfile, report
//!                                                                 \-> watch -> unattended      (agent --apply)
//! ```

pub mod folder;
pub mod journald;
pub mod made;
pub mod message;
pub mod previous;
pub mod reporter;
pub mod run;
pub mod unattended;
pub mod watch;
