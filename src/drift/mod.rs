//! What the files say, and what a boot would do with them.
//!
//! In: [`Persisted`](crate::observe::persisted::Persisted), the keys that exist. Out: for each key the line that wins
//! and the lines that it shadows, for each of the two loaders.
//! Must not: read the machine; everything comes from the snapshot.

mod command_line;
pub mod glob;
pub mod kernel;
pub mod key;
mod load;
mod order;
pub mod parse;
pub mod resolve;
