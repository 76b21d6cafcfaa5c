//! The programs that build networks.
//!
//! In: lines. Out: nothing, or why it failed. Must not: be run by a thread that is not on the stage.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a door: iproute2 and nft, on the stage only"))]

use std::io::Write;
use std::process::{Command, Stdio};

use super::LabError;

/// A program that takes its orders from standard input, and the Debian package that has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tool {
    name: &'static str,
    arguments: &'static [&'static str],
    package: &'static str,
}

pub(super) const IP: Tool = Tool { name: "ip", arguments: &["-batch", "-"], package: "iproute2" };
/// Goes on where a line fails.
pub(super) const IP_FORCED: Tool = Tool { name: "ip", arguments: &["-force", "-batch", "-"], package: "iproute2" };
pub(super) const TC: Tool = Tool { name: "tc", arguments: &["-batch", "-"], package: "iproute2" };
/// Ends the connections that no program has any more.
pub(super) const SS_KILL: Tool = Tool {
    name: "ss",
    arguments: &[
        "--kill",
        "--tcp",
        "state",
        "fin-wait-1",
        "state",
        "closing",
        "state",
        "last-ack",
        "state",
        "syn-recv",
    ],
    package: "iproute2",
};
pub(super) const NFT: Tool = Tool { name: "nft", arguments: &["-f", "-"], package: "nftables" };

/// Runs the lines in the network namespace of the calling thread.
///
/// # Errors
/// [`LabError::NotHere`]: the tool is missing, or the kernel does not have what is asked for.
pub(super) fn run(tool: Tool, lines: &str) -> Result<(), LabError> {
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
