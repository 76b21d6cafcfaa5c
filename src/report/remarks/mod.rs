//! The remarks of `drift` and `lint` for other tools, one file a format.
//!
//! In: a [`Remarks`], which [`of_drift`] makes of a drift. Out: text.
//! Must not: decide what is wrong; read a file for the line that a remark is about.

mod codes;
mod drift;
#[cfg(test)]
mod example;
mod lint;
mod record;
mod text;

pub use codes::{Grade, grade_of, severity};
pub use drift::of_drift;
pub use lint::of_lint;
pub use record::{Checked, Host, Origin, Remark, Remarks, What};
pub use text::text;
