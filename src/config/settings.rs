//! What the configuration says of the agent.
//!
//! In: nothing; the record that the `[agent]` section fills. Must not: read a file.

use std::path::PathBuf;
use std::time::Duration;

use crate::history::{HoldOff, Retention};
use crate::host::netns::Which;

/// Where the gauges go unless the configuration says otherwise.
pub const TEXTFILE: &str = "/run/sysctl-advisor/sysctl-advisor.prom";

/// The `[agent]` section, with its defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentSettings {
    pub hold: HoldOff,
    pub retention: Retention,
    /// The file for node_exporter; `None`: none is written.
    pub textfile: Option<PathBuf>,
    /// Whether events go to the journal; else they are lines on standard error.
    pub journal: bool,
    /// Network namespaces to look at.
    pub netns: Which,
    /// Whether `agent --apply` may change anything.
    pub apply: bool,
    /// How long after a change its guards are judged; later it is left alone.
    pub watch: Duration,
    /// Age at which a change whose guards are not worse is made permanent; `None`: never by itself.
    pub confirm_after: Option<Duration>,
}

impl Default for AgentSettings {
    fn default() -> Self {
        Self {
            hold: HoldOff::default(),
            retention: Retention::default(),
            textfile: Some(PathBuf::from(TEXTFILE)),
            journal: true,
            netns: Which::All,
            apply: false,
            watch: Duration::from_secs(24 * 3600),
            confirm_after: None,
        }
    }
}
