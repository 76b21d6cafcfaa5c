//! What the steps of scenarios do: a few acts, shared by all of them.
//!
//! In: an act of a scenario, the stage. Out: sockets and threads that the cast keeps. Must not: touch anything but the two
//! namespaces of the stage; panic.

mod cast;
mod crafted;
mod datagrams;
mod group;
mod local;
mod machine;
mod network;
pub mod packets;
mod serve;
mod tcp;
mod until;
mod workers;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use cast::Cast;
pub use workers::{Job, work};

use super::LabError;
use super::stage::{Place, Stage};
use super::tools::{IP, NFT, TC};

/// One act, as `do.NAME = ...` writes it. Addresses are those of the stage (see [`super::stage`]).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Sysctls of this host, in the order of their names.
    Set(BTreeMap<String, String>),
    /// Sysctls of the far host.
    FarSet(BTreeMap<String, String>),
    /// Lines for `ip -batch -`; `{far}` in them is the far host's network namespace.
    Ip(String),
    FarIp(String),
    /// Lines for `tc -batch -`.
    Tc(String),
    FarTc(String),
    /// Lines for `nft -f -`.
    Nft(String),
    FarNft(String),
    /// Makes so many percent of the TCP packets that arrive at the far host vanish, at random.
    Lose(u8),
    /// Packets that this host sends from now on toward the far host vanish.
    Cut(bool),
    Listen(serve::Listen),
    /// Calls listen() once more.
    ListenAgain(serve::ListenAgain),
    /// A server whose workers are processes of their own.
    Workers(workers::Workers),
    Connect(tcp::Connect),
    Churn(tcp::Churn),
    Send(tcp::Send),
    /// A listener takes what waits, once.
    Accept(String),
    /// A listener closes all that it has and all that waits, and accepts no more.
    Empty(String),
    /// A listener, or sockets, begin to do what they are told.
    Serve(serve::Serve),
    Close(tcp::Close),
    /// Ends a listener, or what goes on in the background, with its sockets.
    End(String),
    /// Sockets bound to an address and a port that the kernel chose, never connected.
    Bind(tcp::Bind),
    UdpListen(datagrams::UdpListen),
    UdpSend(datagrams::UdpSend),
    UdpBind(datagrams::UdpBind),
    UnixListen(local::UnixListen),
    UnixConnect(local::UnixConnect),
    /// TCP SYNs by hand, from ever new addresses.
    Flood(packets::Flood),
    /// Other packets by hand, such as those that are damaged.
    Packets(crafted::Packets),
    /// Texts of lines for `ip -batch -` or `tc -batch -`, in turn, again and again in the background.
    Repeat(network::Repeat),
    /// A TCP segment that arrives late.
    OldSegment(packets::OldSegment),
    /// Open files that this process may have from now on.
    Files(u64),
    OpenFiles(machine::OpenFiles),
    FillTcp(machine::FillTcp),
    LimitMemory(machine::LimitMemory),
    /// The CPUs that process what near0 receives, as a mask.
    ReceiveOn(String),
    /// Seconds.
    Wait(f64),
    Until(until::Until),
    /// Shows the sockets one by one that are in these states.
    Look(Vec<String>),
}

impl Act {
    /// What it does, as a line shows it; none where it only looks or waits.
    pub fn words(&self) -> Option<String> {
        let pairs = |pairs: &BTreeMap<String, String>| {
            pairs.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ")
        };
        Some(match self {
            Self::Set(values) => pairs(values),
            Self::FarSet(values) => format!("far host: {}", pairs(values)),
            Self::Lose(percent) => format!("the line loses {percent} % of the packets"),
            Self::Cut(true) => "the cable is cut".to_owned(),
            Self::Cut(false) => "the cable is whole again".to_owned(),
            _ => return None,
        })
    }

    /// Does it.
    ///
    /// # Errors
    /// Says what could not be done and why.
    pub fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        match self {
            Self::Set(values) => stage.set_all(Place::Near, values),
            Self::FarSet(values) => stage.set_all(Place::Far, values),
            Self::Ip(lines) => network::batch(stage, Place::Near, IP, lines),
            Self::FarIp(lines) => network::batch(stage, Place::Far, IP, lines),
            Self::Tc(lines) => network::batch(stage, Place::Near, TC, lines),
            Self::FarTc(lines) => network::batch(stage, Place::Far, TC, lines),
            Self::Nft(lines) => network::batch(stage, Place::Near, NFT, lines),
            Self::FarNft(lines) => network::batch(stage, Place::Far, NFT, lines),
            Self::Lose(percent) => network::lose(stage, *percent),
            Self::Cut(cut) => network::cut(stage, *cut),
            Self::Listen(listen) => listen.perform(stage, cast),
            Self::ListenAgain(again) => again.perform(cast),
            Self::Workers(workers) => workers.perform(stage, cast),
            Self::Connect(connect) => connect.perform(stage, cast),
            Self::Churn(churn) => churn.perform(stage, cast),
            Self::Send(send) => send.perform(cast),
            Self::Accept(name) => serve::accept_all(cast, name),
            Self::Empty(name) => serve::empty(cast, name),
            Self::Serve(serve) => serve.perform(cast),
            Self::Close(close) => close.perform(cast),
            Self::End(name) => cast.end(name),
            Self::Bind(bind) => bind.perform(stage, cast),
            Self::UdpListen(listen) => listen.perform(stage, cast),
            Self::UdpSend(send) => send.perform(stage, cast),
            Self::UdpBind(bind) => bind.perform(stage, cast),
            Self::UnixListen(listen) => listen.perform(cast),
            Self::UnixConnect(connect) => connect.perform(cast),
            Self::Flood(flood) => flood.perform(stage, cast),
            Self::Packets(packets) => packets.perform(stage, cast),
            Self::Repeat(repeat) => repeat.perform(stage, cast),
            Self::OldSegment(segment) => segment.perform(stage),
            Self::Files(number) => network::limit_files(*number),
            Self::OpenFiles(open) => open.perform(stage, cast),
            Self::FillTcp(fill) => fill.perform(stage, cast),
            Self::LimitMemory(limit) => limit.perform(cast),
            Self::ReceiveOn(mask) => machine::spread(stage, mask),
            Self::Wait(seconds) => {
                std::thread::sleep(std::time::Duration::from_secs_f64(seconds.clamp(0.0, 15.0)));
                Ok(())
            }
            Self::Until(until) => until.perform(),
            Self::Look(_) => Ok(()),
        }
    }
}
