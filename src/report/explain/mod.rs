//! What `explain` says of a state, a counter or a key.
//!
//! In: an entry of the reference data or the catalogue, and a snapshot where this host's numbers are wanted.
//! Out: text for a terminal, or Markdown for a page of `docs`, its last line ended.
//! Must not: judge the numbers; the rules do.

pub mod counter;
pub mod find;
pub mod index;
pub mod key;
pub mod picture;
pub mod rule;
pub mod state;

mod block;
mod boot;
mod interface;
mod markdown;
mod sections;

#[cfg(test)]
mod fixture;
