//! Waiting for a state: the kernel needs a moment for what an act began.
//!
//! In: an act. Out: nothing, or who did not come. Must not: wait longer than the scenario says.

use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::lab::{LabError, sockets};

/// Waits until so many sockets of this host are in a state.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Until {
    state: String,
    /// So many at least.
    #[serde(default, alias = "count")]
    least: u64,
    /// So many at most.
    most: Option<u64>,
    /// Seconds to wait for it.
    #[serde(default = "usual_patience")]
    within: f64,
}

const fn usual_patience() -> f64 {
    8.0
}

impl Until {
    pub(super) fn perform(&self) -> Result<(), LabError> {
        let deadline = Instant::now() + Duration::from_secs_f64(self.within.clamp(0.0, 15.0));
        loop {
            let counts = sockets::counts()?;
            let there = counts.get(&self.state).copied().unwrap_or(0);
            if there >= self.least && self.most.is_none_or(|most| there <= most) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let most = self.most.map(|most| format!(" and at most {most}")).unwrap_or_default();
                let waited =
                    format!("waited {} s for at least {}{most} sockets, {there} are there", self.within, self.least);
                return Err(LabError::broken(&self.state, waited));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
