//! The pass itself: loads the program, starts it slice by slice, and reads its counts.
//!
//! In: how many namespaces there are. Out: counts by the inode of the namespace, of all that hold a socket.
//! Must not: attach to anything but a socket of its own, or leave something in the kernel: program and counts go with the
//! descriptors.
//!
//! The program is a filter of one end of a pair of Unix sockets. Whoever sends a byte to that end runs it, in the own
//! context and network namespace. Programs that trace or iterate could count as well, but the loader would read the kernel's
//! types a second time for them, which takes longer than the pass.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::net::UnixDatagram;

use aya::maps::{Array, HashMap, MapError};
use aya::programs::{ProgramError, SocketFilter};
use aya::{Ebpf, EbpfError, EbpfLoader, VerifierLogLevel, include_bytes_aligned};

use super::model::{Counted, Why};
use crate::diagnostic::io_words;
use crate::netlink::state;
use crate::observe::sockets::StateCounts;
use crate::text::printable;

static OBJECT: &[u8] = include_bytes_aligned!("walk.bpf.o");

/// Namespaces that may hold sockets besides those that are asked about: without a name, or without a process.
const OTHERS: u32 = 1024;
/// Slices of a table of 16 million heads, more than a kernel makes by itself.
const MOST_SLICES: usize = 2048;
/// Characters of the loader's message.
const LONGEST: usize = 200;

/// `struct counts` of the program: sockets by the kernel's number of their state.
type ByState = [u32; 16];

/// `struct progress` of the program.
struct Progress {
    next: u64,
    heads: u64,
    strayed: u64,
    lost: u64,
}

/// Counts the sockets of all namespaces whose connections are in the table of the calling thread's namespace.
pub(super) fn count(namespaces: usize) -> Result<BTreeMap<u32, Counted>, Why> {
    let room = u32::try_from(namespaces).unwrap_or(u32::MAX).saturating_mul(2).saturating_add(OTHERS);
    let mut program = load(room)?;
    walk(&mut program)?;
    let counts: HashMap<_, u32, ByState> = program.map("namespaces").ok_or_else(missing)?.try_into()?;
    counts.iter().map(|entry| entry.map(|(inode, by_state)| (inode, counted(by_state))).map_err(Why::from)).collect()
}

fn load(room: u32) -> Result<Ebpf, Why> {
    Ok(EbpfLoader::new()
        .verifier_log_level(VerifierLogLevel::DISABLE)
        .map_max_entries("namespaces", room)
        .load(OBJECT)?)
}

/// Lets the program run until it has seen every chain.
fn walk(program: &mut Ebpf) -> Result<(), Why> {
    let (near, far) = UnixDatagram::pair()?;
    let filter: &mut SocketFilter = program.program_mut("slice").ok_or_else(missing)?.try_into()?;
    filter.load()?;
    filter.attach(&far)?;
    for _ in 0..MOST_SLICES {
        near.send(&[0])?;
        let Progress { next, heads, strayed, lost } = progress(program)?;
        if lost > 0 {
            return Err(Why::TooLarge);
        }
        if next >= heads {
            tracing::debug!(heads, strayed, "counted the sockets inside the kernel");
            return Ok(());
        }
    }
    Err(Why::TooLarge)
}

fn progress(program: &Ebpf) -> Result<Progress, Why> {
    let map: Array<_, [u64; 4]> = program.map("progress").ok_or_else(missing)?.try_into()?;
    let [next, heads, strayed, lost] = map.get(&0, 0)?;
    Ok(Progress { next, heads, strayed, lost })
}

fn counted(by_state: ByState) -> Counted {
    let of = |state: u8| u64::from(by_state[usize::from(state)]);
    // The kernel keeps what is left of a FIN_WAIT2 socket as it keeps a TIME_WAIT one; the program counts it apart.
    let small_fin_wait2 = of(0);
    let states = StateCounts {
        established: of(state::ESTABLISHED),
        syn_sent: of(state::SYN_SENT),
        syn_recv: of(state::SYN_RECV) + of(state::NEW_SYN_RECV),
        fin_wait1: of(state::FIN_WAIT1),
        fin_wait2: of(state::FIN_WAIT2) + small_fin_wait2,
        time_wait: of(state::TIME_WAIT),
        close: of(state::CLOSE),
        close_wait: of(state::CLOSE_WAIT),
        last_ack: of(state::LAST_ACK),
        listen: of(state::LISTEN),
        closing: of(state::CLOSING),
    };
    Counted { small: states.time_wait + small_fin_wait2, half_open: of(state::NEW_SYN_RECV), states }
}

/// The object is part of the program and has them.
fn missing() -> Why {
    Why::Refused("a part of the object is missing".to_owned())
}

fn shown(error: &dyn std::error::Error) -> Why {
    // The loader's own text often says only that something failed; the cause says what.
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    Why::Refused(printable(text.lines().next().unwrap_or_default(), LONGEST))
}

impl From<EbpfError> for Why {
    fn from(error: EbpfError) -> Self {
        match error {
            EbpfError::MapError(error) => error.into(),
            EbpfError::ProgramError(error) => error.into(),
            error => shown(&error),
        }
    }
}

impl From<ProgramError> for Why {
    fn from(error: ProgramError) -> Self {
        match error {
            ProgramError::LoadError { io_error, .. } => io_error.into(),
            error => shown(&error),
        }
    }
}

impl From<MapError> for Why {
    fn from(error: MapError) -> Self {
        match error {
            MapError::CreateError { io_error, .. } => io_error.into(),
            error => shown(&error),
        }
    }
}

impl From<io::Error> for Why {
    fn from(error: io::Error) -> Self {
        Self::Refused(io_words(&error))
    }
}
