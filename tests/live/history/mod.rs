//! The history on real files: `history` and `audit` through the real program, full disks, killed writers, other users.
//!
//! Root is needed for the tests of `hard`; without it they fail, for then they prove nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod hard;
mod shown;

use crate::support::history::{HOUR, State, data, now, remember, set_time, six_days};
