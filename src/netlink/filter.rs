//! A condition on the local port of a socket, which the kernel checks before it fills a message.
//!
//! In: ranges of ports. Out: the program for `INET_DIAG_REQ_BYTECODE`. Must not: ask the kernel.
//!
//! The program is that of `net/ipv4/inet_diag.c`, `inet_diag_bc_run()`: each step says how many bytes further it goes on if its
//! comparison holds, and if not. Who arrives exactly at the end is sent, who would go beyond it is not.

use std::ops::RangeInclusive;

/// `INET_DIAG_REQ_BYTECODE`.
const ATTRIBUTE: u16 = 1;
/// Codes of steps, `INET_DIAG_BC_*` of `linux/inet_diag.h`.
const JUMP: u8 = 1;
const LOCAL_PORT_AT_LEAST: u8 = 2;
const LOCAL_PORT_AT_MOST: u8 = 3;
/// `struct inet_diag_bc_op`; a comparison has a second one that holds the port.
const STEP: u16 = 4;
const COMPARISON: u16 = 2 * STEP;
/// Bytes of the steps for one range; the last one needs no jump.
const RANGE: u16 = 2 * COMPARISON + STEP;
/// Attributes begin at multiples of this; steps are multiples of it anyway.
const HEADER: u16 = 4;

/// Sockets whose local port lies in one of these ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortFilter(Vec<RangeInclusive<u16>>);

impl PortFilter {
    /// How many ranges one filter may have: each is compared with the port of each socket of the machine.
    pub const MOST: usize = 32;

    /// The ports of a range, without some of them; `None` where that leaves nothing or too many pieces.
    pub fn range_without(range: RangeInclusive<u16>, without: impl Iterator<Item = u16>) -> Option<Self> {
        let mut left_out: Vec<u16> = without.filter(|port| range.contains(port)).collect();
        left_out.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = u32::from(*range.start());
        for end in left_out.into_iter().map(u32::from).chain([u32::from(*range.end()) + 1]) {
            if let (Ok(first), Ok(last)) = (u16::try_from(from), u16::try_from(end.saturating_sub(1)))
                && from < end
            {
                pieces.push(first..=last);
            }
            from = from.max(end + 1);
        }
        (1..=Self::MOST).contains(&pieces.len()).then_some(Self(pieces))
    }

    /// All other ports.
    pub fn others(&self) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut from = 0;
        for range in &self.0 {
            if from < u32::from(*range.start()) {
                pieces.push(from as u16..=range.start() - 1);
            }
            from = u32::from(*range.end()) + 1;
        }
        if let Ok(from) = u16::try_from(from) {
            pieces.push(from..=u16::MAX);
        }
        (!pieces.is_empty()).then_some(Self(pieces))
    }

    /// The attribute to append to a request.
    pub fn attribute(&self) -> Vec<u8> {
        let length = RANGE * self.0.len() as u16 - STEP;
        let mut bytes = Vec::with_capacity(usize::from(HEADER + length));
        bytes.extend((HEADER + length).to_ne_bytes());
        bytes.extend(ATTRIBUTE.to_ne_bytes());
        let mut left = length;
        for range in &self.0 {
            let is_last = left < RANGE;
            // The ranges ascend: a port below this one lies in none of the later ones.
            comparison(&mut bytes, LOCAL_PORT_AT_LEAST, *range.start(), left + STEP);
            left -= COMPARISON;
            let next = if is_last { left + STEP } else { COMPARISON + STEP };
            comparison(&mut bytes, LOCAL_PORT_AT_MOST, *range.end(), next);
            left -= COMPARISON;
            if !is_last {
                step(&mut bytes, JUMP, STEP as u8, left);
                left -= STEP;
            }
        }
        bytes
    }
}

fn comparison(bytes: &mut Vec<u8>, code: u8, port: u16, if_not: u16) {
    step(bytes, code, COMPARISON as u8, if_not);
    // The port is where another step has the distance.
    step(bytes, 0, 0, port);
}

fn step(bytes: &mut Vec<u8>, code: u8, if_so: u8, if_not: u16) {
    bytes.extend([code, if_so]);
    bytes.extend(if_not.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the program as the kernel does.
    fn runs(attribute: &[u8], port: u16) -> bool {
        let program = &attribute[4..];
        assert_eq!(usize::from(u16::from_ne_bytes([attribute[0], attribute[1]])), attribute.len());
        let mut at = 0;
        while at < program.len() {
            let op = &program[at..];
            let (code, if_so, if_not) = (op[0], usize::from(op[1]), usize::from(u16::from_ne_bytes([op[2], op[3]])));
            let holds = match code {
                JUMP => false,
                LOCAL_PORT_AT_LEAST => port >= u16::from_ne_bytes([op[6], op[7]]),
                LOCAL_PORT_AT_MOST => port <= u16::from_ne_bytes([op[6], op[7]]),
                other => panic!("step {other}"),
            };
            at += if holds { if_so } else { if_not };
        }
        at == program.len()
    }

    #[test]
    fn the_program_passes_the_ports_of_its_ranges_and_no_others() {
        let whole = || 32_768..=60_999;
        for (without, pieces) in
            [(vec![], 1), (vec![32_768], 1), (vec![60_999, 80], 1), (vec![40_000, 40_001, 50_000, 40_000], 3)]
        {
            let filter = PortFilter::range_without(whole(), without.iter().copied()).unwrap();
            assert_eq!(filter.0.len(), pieces, "{without:?}");
            let program = filter.attribute();
            let others = filter.others().unwrap().attribute();
            for port in 0..=u16::MAX {
                let passes = whole().contains(&port) && !without.contains(&port);
                assert_eq!((runs(&program, port), runs(&others, port)), (passes, !passes), "{port} {without:?}");
            }
        }
    }

    #[test]
    fn the_last_port_of_all_is_one_too() {
        let filter = PortFilter::range_without(65_000..=65_535, [65_534].into_iter()).unwrap();
        assert_eq!(filter.0, [65_000..=65_533, 65_535..=65_535]);
        assert!(runs(&filter.attribute(), 65_535) && !runs(&filter.attribute(), 65_534));
        assert_eq!(filter.others().unwrap().0, [0..=64_999, 65_534..=65_534]);
        let all = PortFilter::range_without(0..=65_535, std::iter::empty()).unwrap();
        assert_eq!(all.others(), None);
    }

    #[test]
    fn nothing_and_too_many_pieces_are_no_filter() {
        assert_eq!(PortFilter::range_without(10..=11, [10, 11].into_iter()), None);
        assert_eq!(PortFilter::range_without(0..=1000, (0..500).map(|half| half * 2)), None);
    }
}
