//! The TCP sockets of the stage as the kernel lists them, with the timer of each.
//!
//! In: `/proc/thread-self/net/tcp` and `tcp6` of the calling thread's network namespace. Out: counts by state, and lines.
//! Must not: be used for judging; the audit reads its own.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a door: two tables of the stage"))]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::LabError;
use super::event::SocketLine;
use crate::metrics::endpoint;

/// Ticks a second in these tables (`USER_HZ`), whatever the kernel's own.
const TICKS: f64 = 100.0;
/// States by their number (`include/net/tcp_states.h`), NEW_SYN_RECV under SYN_RECV.
const STATES: [&str; 13] = [
    "",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
    "SYN_RECV",
];

/// TCP sockets by state, those that there are.
pub(super) fn counts() -> Result<BTreeMap<String, u64>, LabError> {
    let mut counts = BTreeMap::new();
    for line in lines()? {
        *counts.entry(line.state).or_default() += 1;
    }
    Ok(counts)
}

/// Each TCP socket.
pub(super) fn lines() -> Result<Vec<SocketLine>, LabError> {
    let mut lines = Vec::new();
    for table in ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"] {
        match std::fs::read_to_string(table) {
            Ok(text) => lines.extend(text.lines().skip(1).filter_map(line)),
            // A kernel without IPv6 has no such table.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(LabError::broken(table, error)),
        }
    }
    Ok(lines)
}

/// `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode ...`
fn line(text: &str) -> Option<SocketLine> {
    let mut words = text.split_whitespace().skip(1);
    let (local, peer) = (words.next()?, words.next()?);
    let state = STATES.get(usize::from_str_radix(words.next()?, 16).ok()?)?;
    let timer = words.nth(1)?;
    let repeated = u32::from_str_radix(words.next()?, 16).ok()?;
    let inode = words.nth(2)?;
    Some(SocketLine {
        state: (*state).to_owned(),
        local: address(local)?,
        peer: address(peer)?,
        timer: timer_in_words(state, timer, repeated)?,
        owned: inode != "0",
    })
}

fn address(text: &str) -> Option<String> {
    let (ip, port) = text.split_once(':')?;
    // Each word of four bytes is written as the number that it is on this machine.
    let words = ip.as_bytes().chunks(8).map(|word| u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok());
    let bytes: Vec<u8> = words.collect::<Option<Vec<u32>>>()?.into_iter().flat_map(u32::to_ne_bytes).collect();
    let ip = match (<[u8; 4]>::try_from(bytes.as_slice()), <[u8; 16]>::try_from(bytes.as_slice())) {
        (Ok(v4), _) => IpAddr::V4(Ipv4Addr::from(v4)),
        (_, Ok(v6)) => IpAddr::V6(Ipv6Addr::from(v6)),
        _ => return None,
    };
    Some(endpoint(&ip.to_string(), u16::from_str_radix(port, 16).ok()?))
}

/// `03:00000F5A`: which timer runs, and when it ends.
fn timer_in_words(state: &str, timer: &str, repeated: u32) -> Option<String> {
    let (kind, ticks) = timer.split_once(':')?;
    let seconds = f64::from(u32::from_str_radix(ticks, 16).ok()?) / TICKS;
    let left = format!("{seconds:.1} s");
    let times = match repeated {
        0 => String::new(),
        1 => ", once already".to_owned(),
        more => format!(", {more} times already"),
    };
    Some(match (kind, state) {
        ("01", "SYN_SENT") => format!("the SYN is sent again in {left}{times}"),
        ("01" | "02", "SYN_RECV") => format!("the SYN-ACK is sent again in {left}{times}"),
        ("01", "FIN_WAIT1" | "LAST_ACK" | "CLOSING") => format!("the FIN is sent again in {left}{times}"),
        ("01", _) => format!("the data is sent again in {left}{times}"),
        ("02", "FIN_WAIT2") => format!("the orphan ends in {left}"),
        ("02", _) => format!("a keepalive probe in {left}"),
        ("03", _) => format!("ends in {left}"),
        ("04", _) => format!("asks for room in {left}{times}"),
        _ => String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table_has_state_ends_timer_and_owner() {
        let text =
            "   1: 0100020A:1F90 0200020A:A1B2 06 00000000:00000000 03:00000F5A 00000000     0        0 0 3 ffff";
        let expected = SocketLine {
            state: "TIME_WAIT".to_owned(),
            local: "10.2.0.1:8080".to_owned(),
            peer: "10.2.0.2:41394".to_owned(),
            timer: "ends in 39.3 s".to_owned(),
            owned: false,
        };
        assert_eq!(line(text), Some(expected));
        let syn =
            "   0: 0100020A:8000 0100030A:01BB 02 00000001:00000000 01:00000050 00000002     0        0 4711 2 ffff";
        let found = line(syn).unwrap();
        assert_eq!((found.timer.as_str(), found.owned), ("the SYN is sent again in 0.8 s, 2 times already", true));
    }

    #[test]
    fn an_address_of_ipv6_is_written_in_brackets() {
        let found = address("000000FD000000000000000001000000:0050");
        assert_eq!(found.as_deref(), Some("[fd00::1]:80"));
        assert_eq!(line("what is no table"), None);
    }
}
