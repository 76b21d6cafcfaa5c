//! What an audit costs beside the other ways to look at the same sockets.
//!
//! `cargo bench --bench audit [-- POPULATION=SOCKETS...]`, as root. Populations are `incoming`, `mixed`, `mixed6` and `time-wait`
//! (`population/mod.rs`); without arguments none, 10,000 and 100,000 sockets of `incoming` and `mixed`.
//!
//! In a network namespace of its own each population is made, and then run in turn, several rounds in one go:
//! `sysctl-advisor audit` (less its window) as it is and with every connection looked at, `ss -tan | awk` by state, `ss -tain`,
//! `ss -s`, the procfs crate, and the kernel's dump read and thrown away, each as a process of its own. A table has the medians of wall
//! time and CPU time, the peak memory, and the ratio to the audit. Only the ratios of one run mean something; no test depends on them.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints what it measured")]

mod measure;
mod population;

use std::os::fd::AsRawFd;
use std::process::{Command, ExitCode};

use measure::{Result, Way, measure, table, way};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};
use population::{Held, Kind};
use sysctl_advisor::netlink::request::{Family, Query};

const ROUNDS: usize = 11;
/// Rounds with so many sockets that each takes seconds.
const FEWER_ROUNDS: usize = 5;
const MANY: u64 = 500_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["hold", kind, sockets, index] => population::hold(kind, sockets, index),
        ["measure", ..] => measure(&words[1..]),
        ["bare-dump", "plain"] => bare_dump(Query { extensions: 0, ..Query::CONNECTIONS }),
        ["bare-dump", "with-tcp-info"] => bare_dump(Query::CONNECTIONS),
        ["procfs"] => procfs_crate(),
        ["in", kind, ref counts @ ..] => Kind::named(kind).and_then(|kind| compare(kind, counts)),
        _ => each(&words),
    };
    measure::exit(&outcome)
}

/// Each population in a process of its own, and so in a namespace of its own.
fn each(words: &[&str]) -> Result<()> {
    let default = ["incoming=0", "incoming=10000", "incoming=100000", "mixed=10000", "mixed=100000"];
    let mut by_kind: Vec<(&str, Vec<&str>)> = Vec::new();
    for word in if words.is_empty() { &default[..] } else { words } {
        let (kind, count) = word.split_once('=').ok_or_else(|| format!("expected POPULATION=SOCKETS, not `{word}`"))?;
        match by_kind.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, counts)) => counts.push(count),
            None => by_kind.push((kind, vec![count])),
        }
    }
    for (kind, counts) in by_kind {
        let status = Command::new(std::env::current_exe()?).args(["in", kind]).args(counts).status()?;
        if !status.success() {
            return Err(format!("{kind}: {status}").into());
        }
    }
    Ok(())
}

fn compare(kind: Kind, counts: &[&str]) -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| format!("this needs root for a network namespace: {error}"))?;
    kind.prepare()?;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    let mut held = Held::default();
    for count in counts {
        let count = count.replace(['_', ','], "").parse::<u64>()?;
        // A process near its limit of files would be a finding.
        held.grow(kind, count, hard * 2 / 5)?;
        let rounds = if count < MANY { ROUNDS } else { FEWER_ROUNDS };
        table(&format!("{count} sockets, {}", kind.name()), &ways()?, rounds)?;
    }
    Ok(())
}

fn ways() -> Result<Vec<Way>> {
    let myself = std::env::current_exe()?.to_string_lossy().into_owned();
    let own = |name, words: &[&str]| way(name, &[&[myself.as_str()], words].concat());
    let advisor = |name, words: &[&str]| way(name, &[&[env!("CARGO_BIN_EXE_sysctl-advisor")], words].concat());
    let shell = |name, command| way(name, &["sh", "-c", command]);
    Ok(vec![
        advisor("audit", &["audit", "--window", "0"]),
        advisor("audit --connections all", &["audit", "--window", "0", "--connections", "all"]),
        own("bare dump", &["bare-dump", "plain"]),
        own("bare dump with tcp_info", &["bare-dump", "with-tcp-info"]),
        shell("ss -tan | awk", "ss -tan | awk '{ n[$1]++ } END { for (s in n) print s, n[s] }'"),
        shell("ss -tain", "ss -tain"),
        shell("ss -s", "ss -s"),
        own("procfs crate", &["procfs"]),
    ])
}

/// Asks the kernel for the sockets, and throws them away.
fn bare_dump(query: Query<'_>) -> Result<()> {
    let netlink = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag)?;
    let mut buffer = vec![0; 32 * 1024];
    let requests = match query.both_families(1) {
        Some(request) => vec![request],
        None => [Family::V4, Family::V6].map(|family| query.one_family(family, 1)).to_vec(),
    };
    for request in requests {
        send(netlink.as_raw_fd(), &request, MsgFlags::empty())?;
        // Type 3 is NLMSG_DONE; the last message of a dump is at the beginning of its own read.
        loop {
            let length = recv(netlink.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            if length < 6 || u16::from_ne_bytes([buffer[4], buffer[5]]) == 3 {
                break;
            }
        }
    }
    Ok(())
}

/// Sockets by state, as a program does that reads the text tables with the usual crate.
fn procfs_crate() -> Result<()> {
    let mut states = [0_u64; 16];
    for entry in procfs::net::tcp()?.into_iter().chain(procfs::net::tcp6()?) {
        states[usize::from(entry.state.to_u8())] += 1;
    }
    println!("{states:?}");
    Ok(())
}
