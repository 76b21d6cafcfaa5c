//! A bar while the window passes.
//!
//! In: how long. Out: the same time later; a bar on standard error when that is a terminal.
//! Must not: draw anything into a file or a pipe.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::errors_are_seen;

/// Shorter waits show nothing.
const WORTH_SHOWING: Duration = Duration::from_millis(500);
const STEP: Duration = Duration::from_millis(50);

/// Waits for `window`.
pub(super) fn wait(window: Duration, quiet: bool) {
    if quiet || window < WORTH_SHOWING || !errors_are_seen() {
        return std::thread::sleep(window);
    }
    let total = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template("reading the counters {bar:30} {msg}") {
        bar.set_style(style);
    }
    let started = Instant::now();
    while let Some(left) = window.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) {
        bar.set_position(total - u64::try_from(left.as_millis()).unwrap_or(0));
        bar.set_message(format!("{:.1} s", left.as_secs_f64()));
        std::thread::sleep(left.min(STEP));
    }
    bar.finish_and_clear();
}
