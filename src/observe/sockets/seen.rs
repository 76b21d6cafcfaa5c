//! What the kernel says of one socket, as it is counted.
//!
//! In: a message of a dump. Out: [`Seen`]. Must not: allocate.

use super::collect::{Keepalive, Seen, Tally};
use super::progress::Step;
use crate::netlink::socket::{SocketView, timer};
use crate::netlink::state;

/// Counts a socket once.
#[inline]
pub(super) fn count(tally: &mut Tally<'_>, socket: SocketView<'_>) {
    if let Some(seen) = seen(socket) {
        tally.add(&seen);
    }
}

/// What is counted of a socket. The kernel's ages of things that never happened are too large, never too small, so the
/// least of them holds.
#[inline]
pub(super) fn seen(socket: SocketView<'_>) -> Option<Seen> {
    let state = socket.state();
    let keepalive = match socket.timer() {
        timer::KEEPALIVE => Keepalive::Yes,
        timer::NONE => Keepalive::No,
        _ => Keepalive::Hidden,
    };
    let has_ages = matches!(state, state::ESTABLISHED | state::CLOSE_WAIT | state::FIN_WAIT2);
    let info = if has_ages { socket.tcp_info() } else { None };
    let ages = info.and_then(|info| {
        Some((info.last_data_sent_ms()?, info.last_data_received_ms()?, info.last_ack_received_ms()?))
    });
    // FIN_WAIT2 of which only a small record is left has the timer of TIME_WAIT.
    let was_established = has_ages || matches!(state, state::FIN_WAIT1 | state::CLOSING | state::LAST_ACK);
    let (idle_ms, probe_after_ms) = match ages {
        Some((sent, received, acked)) => {
            let data = sent.min(received);
            // The peer's kernel answers keepalive probes with an ACK, whatever its application does.
            let acks_count = state != state::ESTABLISHED && keepalive != Keepalive::Yes;
            // tcp_keepalive_timer(): the probe comes when nothing has been received for the whole time.
            let after = (keepalive == Keepalive::Yes).then(|| socket.expires_ms().saturating_add(received.min(acked)));
            (Some(if acks_count { data.min(acked) } else { data }), after)
        }
        None => (None, None),
    };
    Some(Seen {
        state,
        local: socket.local_address()?.into(),
        local_port: socket.local_port(),
        remote: socket.remote_address()?.into(),
        remote_port: socket.remote_port(),
        inode: socket.inode().into(),
        uid: socket.uid(),
        keepalive,
        probe_after_ms,
        is_repeated: socket.retransmits() > 0,
        remaining_ms: (state == state::TIME_WAIT).then(|| socket.expires_ms()),
        idle_ms,
        step: if was_established { Step::of(socket, info) } else { Step::default() },
        unread: if was_established { socket.receive_queue() } else { 0 },
        unsent: if was_established { socket.send_queue() } else { 0 },
    })
}
