//! The live view: what the host does now, look after look, on a terminal.
//!
//! In: looks at the host (`session::follow`) or lines of a recording, keys. Out: frames for a terminal, and what a key asks
//! the caller to do. Must not: own the terminal, wait, or change the host.
//!
//! Data flows one way: a snapshot with its audit becomes [`seen::Seen`], the looks become a [`model::Model`], and
//! [`view::draw`] draws the model.

pub mod explain;
pub mod keys;
mod lines;
pub mod model;
pub mod recording;
pub mod replay;
pub mod screen;
pub mod seen;
pub mod view;
pub mod waiting;

#[cfg(test)]
pub(crate) mod example;
