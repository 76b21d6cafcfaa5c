//! A bar while the window passes.
//!
//! In: how long. Out: the same time later; a bar on standard error when that is a terminal.
//! Must not: draw anything into a file or a pipe, or leave anything on the line.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::charset;
use super::output::errors_are_seen;

/// Shorter waits show nothing.
const WORTH_SHOWING: Duration = Duration::from_millis(500);
const STEP: Duration = Duration::from_millis(100);
/// Characters of the bar.
const BAR: usize = 30;

/// Waits for `window`.
pub(super) fn wait(window: Duration, quiet: bool) {
    if quiet || window < WORTH_SHOWING || !errors_are_seen() {
        return std::thread::sleep(window);
    }
    let started = Instant::now();
    while let Some(left) = window.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) {
        draw(&bar(window, left));
        std::thread::sleep(left.min(STEP));
    }
    draw("");
}

/// What is shown when so much of the window is left.
fn bar(window: Duration, left: Duration) -> String {
    let empty = ((left.as_secs_f64() / window.as_secs_f64()) * BAR as f64).ceil() as usize;
    let full = BAR.saturating_sub(empty);
    format!("watching counters and queues {}{} {:.1} s", "█".repeat(full), "░".repeat(BAR - full), left.as_secs_f64())
}

/// Draws over what the line shows. A terminal that is gone is no reason to stop the work.
fn draw(text: &str) {
    let _ = write!(io::stderr(), "\r{}\x1b[K", charset::shown(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_while_the_time_goes_down() {
        let window = Duration::from_secs(10);
        let at = |left| bar(window, Duration::from_secs(left));
        assert_eq!(at(10), format!("watching counters and queues {} 10.0 s", "░".repeat(30)));
        assert_eq!(at(5), format!("watching counters and queues {}{} 5.0 s", "█".repeat(15), "░".repeat(15)));
        assert_eq!(at(0), format!("watching counters and queues {} 0.0 s", "█".repeat(30)));
    }
}
