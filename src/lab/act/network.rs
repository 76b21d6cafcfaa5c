//! The hosts' network: addresses, routes, packet filters, queues, and a line that loses packets.
//!
//! In: lines for `ip`, `tc` and `nft`. Out: nothing. Must not: run one of them outside of the stage.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::Deserialize;

use super::cast::Cast;
use crate::lab::LabError;
use crate::lab::stage::{Place, Stage};
use crate::lab::tools::{self, IP, NFT, TC, Tool};

/// What the far host is called in lines for `ip`.
const FAR: &str = "{far}";

/// Runs the lines in one of the hosts.
pub(super) fn batch(stage: &Stage, place: Place, tool: Tool, lines: &str) -> Result<(), LabError> {
    let lines = lines.replace(FAR, &stage.path_of_far()?);
    stage.at(place, || tools::run(tool, &lines))?
}

/// Texts of lines, in turn, again and again in the background.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    name: String,
    #[serde(default)]
    far: bool,
    every_ms: u64,
    #[serde(default)]
    ip: Vec<String>,
    #[serde(default)]
    tc: Vec<String>,
}

impl Repeat {
    pub(super) fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        let place = Place::far_if(self.far);
        let of = |tool, texts: &[String]| texts.iter().map(move |text| (tool, text.clone())).collect::<Vec<_>>();
        let turns = [of(IP, &self.ip), of(TC, &self.tc)].concat();
        // The first time shows whether the lines are right.
        turns.iter().try_for_each(|(tool, lines)| batch(stage, place, *tool, lines))?;
        let (door, pause) = (stage.door(place)?, Duration::from_millis(self.every_ms));
        cast.start(&self.name, move |stop: &AtomicBool| {
            if door.enter().is_err() {
                return;
            }
            for (tool, lines) in turns.iter().cycle() {
                std::thread::sleep(pause);
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                // The scenario may have ended what they are about.
                let _ = tools::run(*tool, lines);
            }
        })
    }
}

/// Lets the far host drop TCP packets as they arrive, at random: what a sender drops itself is no loss on the line.
pub(super) fn lose(stage: &Stage, percent: u8) -> Result<(), LabError> {
    let table =
        "add table inet line\nadd chain inet line in { type filter hook input priority 0 ; }\nflush chain inet line in";
    let rule = match percent {
        0 => String::new(),
        _ => format!("add rule inet line in iifname far0 meta l4proto tcp numgen random mod 100 < {percent} drop"),
    };
    batch(stage, Place::Far, NFT, &format!("{table}\n{rule}\n"))
}

/// Gives the far host's address a link address that nobody has, or its own again.
pub(super) fn cut(stage: &Stage, cut: bool) -> Result<(), LabError> {
    let lines = if cut {
        "neigh replace 10.2.0.2 lladdr 02:00:00:00:00:98 dev near0 nud permanent"
    } else {
        // Also where it is whole already.
        "neigh flush to 10.2.0.2 dev near0 nud permanent"
    };
    batch(stage, Place::Near, IP, lines)
}

/// How many files this process may have open.
pub(super) fn limit_files(number: u64) -> Result<(), LabError> {
    let failed = |error: nix::Error| LabError::broken("RLIMIT_NOFILE", error);
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed)?;
    setrlimit(Resource::RLIMIT_NOFILE, number.min(hard), hard).map_err(failed)
}
