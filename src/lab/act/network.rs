//! The hosts' network: addresses, routes, packet filters, queues, and a line that loses packets.
//!
//! In: lines for `ip`, `tc` and `nft`. Out: nothing. Must not: run one of them outside of the stage.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a door: iproute2 and nft, on the stage only"))]

use std::io::Write;
use std::process::{Command, Stdio};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::lab::LabError;
use crate::lab::stage::{Place, Stage};

/// A program that takes its orders from standard input, and the Debian package that has it.
#[derive(Debug, Clone, Copy)]
pub(in crate::lab) struct Tool {
    name: &'static str,
    arguments: &'static [&'static str],
    package: &'static str,
}

pub(in crate::lab) const IP: Tool = Tool { name: "ip", arguments: &["-batch", "-"], package: "iproute2" };
pub(super) const TC: Tool = Tool { name: "tc", arguments: &["-batch", "-"], package: "iproute2" };
pub(super) const NFT: Tool = Tool { name: "nft", arguments: &["-f", "-"], package: "nftables" };

/// Runs the lines in one of the hosts.
///
/// # Errors
/// [`LabError::NotHere`]: the tool is missing, or the kernel does not have what is asked for.
pub(in crate::lab) fn batch(stage: &Stage, place: Place, tool: Tool, lines: &str) -> Result<(), LabError> {
    stage.at(place, || run(tool, lines))?
}

fn run(tool: Tool, lines: &str) -> Result<(), LabError> {
    let not_here = |why: String| LabError::NotHere(format!("{}: {why}", tool.name));
    // An administrator's programs are not on the PATH of every user.
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(tool.name);
    command.args(tool.arguments).env("PATH", format!("{path}:/usr/sbin:/sbin")).env("LC_ALL", "C");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| not_here(format!("{error}; Debian has it in {}", tool.package)))?;
    if let Some(mut input) = child.stdin.take() {
        // A tool that ended early says why below.
        let _ = input.write_all(lines.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| not_here(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(not_here(said.lines().next().unwrap_or("it failed and did not say why").to_owned()))
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
        "neigh del 10.2.0.2 dev near0"
    };
    batch(stage, Place::Near, IP, lines)
}

/// How many files this process may have open.
pub(super) fn limit_files(number: u64) -> Result<(), LabError> {
    let failed = |error: nix::Error| LabError::broken("RLIMIT_NOFILE", error);
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed)?;
    setrlimit(Resource::RLIMIT_NOFILE, number.min(hard), hard).map_err(failed)
}
