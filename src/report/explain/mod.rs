//! What `explain` says of a state, a counter or a key.
//!
//! In: an entry of the reference data or the catalogue, and a snapshot where this host's numbers are wanted.
//! Out: text for a terminal, its last line ended.
//! Must not: look names up, or judge the numbers; the rules do.

pub mod counter;
pub mod key;
pub mod rule;
pub mod state;

mod sections;

#[cfg(test)]
mod fixture;

use crate::report::theme::Theme;

/// How the text is to look.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub theme: Theme,
    /// Characters in a line.
    pub width: usize,
}

impl Style {
    /// 80 columns without colours: for a file or a pipe.
    pub const fn plain() -> Self {
        Self { theme: Theme::plain(), width: 80 }
    }
}
