//! Text that is longer than the screen goes through a pager, as Git does it.
//!
//! In: text, the terminal. Out: the same text, shown. Must not: page what does not go to a terminal; lose text because a pager is
//! missing.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the pager is a process of the user's choice"))]

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::args::Global;
use super::charset;
use super::output::{self, Terminal, Undelivered};

/// Shows the text, in a pager if the terminal has fewer lines.
pub(super) fn show(text: &str, global: &Global, terminal: &Terminal) -> Result<(), Undelivered> {
    let is_longer = terminal.lines().is_some_and(|lines| text.lines().count() >= lines);
    if is_longer && !global.no_pager && page(text, ON_THE_SCREEN) { Ok(()) } else { output::print(text) }
}

/// Options of `less`: colours are shown, and what fits is printed at once and stays on the screen.
const ON_THE_SCREEN: &str = "FRX";
/// The same on a screen of its own, which is gone afterwards.
pub(super) const WITH_A_SCREEN: &str = "R";

/// Whether a pager took the text. `less`: the options for that one, unless the user has others.
pub(super) fn page(text: &str, less: &str) -> bool {
    chosen().is_some_and(|pager| give(text, &pager, less))
}

/// The user's pager; none for `cat`, for an empty variable, and for a terminal that moves no cursor.
fn chosen() -> Option<String> {
    if std::env::var("TERM").is_ok_and(|term| term == "dumb") {
        return None;
    }
    let pager = std::env::var("PAGER").unwrap_or_else(|_| "less".to_owned());
    (!pager.trim().is_empty() && pager.trim() != "cat").then_some(pager)
}

/// Whether the pager took the text. It is a line for the shell, such as `less -S`.
fn give(text: &str, pager: &str, less: &str) -> bool {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", pager]).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", less);
    }
    let Ok(mut child) = command.spawn() else { return false };
    if let Some(mut input) = child.stdin.take() {
        // Who leaves the pager before the end has seen enough.
        let _ = input.write_all(charset::shown(text).as_bytes());
    }
    // 127: the shell did not find it.
    child.wait().is_ok_and(|status| status.code() != Some(127))
}
