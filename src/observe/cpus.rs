//! What each CPU does with packets.
//!
//! In: `/proc/net/softnet_stat` and the lines `NET_RX` and `NET_TX` of `/proc/softirqs`. Out: a [`Cpu`] for each that is
//! online. Must not: add them up; the sums are in `counters`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::observe::counters::SOFTNET;
use crate::observe::gap::Gap;

/// One CPU; all numbers since boot. Both files speak of the whole machine, in every network namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cpu {
    pub number: u32,
    /// Columns of `softnet_stat`, by the names of [`SOFTNET`].
    pub softnet: BTreeMap<String, u64>,
    /// Times that the receive and the send softirq ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_rx: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_tx: Option<u64>,
}

/// Column of `softnet_stat` that has the CPU's number (Linux 5.10). Without it the lines are those of the CPUs online, in
/// order.
const NUMBER: usize = 12;

/// Reads all CPUs, by number.
pub fn read(host: &Host) -> (Vec<Cpu>, Vec<Gap>) {
    let softnet = host.read_text(&host.proc_net("softnet_stat"));
    let mut cpus = match softnet {
        Ok(text) => softnet_stat(&text),
        Err(error) => {
            let why = format!("/proc/net/softnet_stat: {}", error.why);
            return (Vec::new(), vec![Gap { what: "cpu".to_owned(), why }]);
        }
    };
    match host.read_text("/proc/softirqs") {
        Ok(text) => softirqs(&text, &mut cpus),
        Err(error) => {
            let gaps = ["cpu.net_rx", "cpu.net_tx"].map(|what| Gap { what: what.to_owned(), why: error.to_string() });
            return (cpus, gaps.into());
        }
    }
    (cpus, Vec::new())
}

fn softnet_stat(text: &str) -> Vec<Cpu> {
    let lines = text.lines().enumerate();
    let cpu = |(line, text): (usize, &str)| {
        let columns: Vec<&str> = text.split_ascii_whitespace().collect();
        let column = |place: usize| u64::from_str_radix(columns.get(place)?, 16).ok();
        let softnet = SOFTNET.into_iter().filter_map(|(place, name)| Some((name.to_owned(), column(place)?))).collect();
        let number = column(NUMBER).unwrap_or(line as u64);
        Cpu { number: u32::try_from(number).unwrap_or(u32::MAX), softnet, net_rx: None, net_tx: None }
    };
    let mut cpus: Vec<Cpu> = lines.map(cpu).collect();
    cpus.sort_by_key(|cpu| cpu.number);
    cpus
}

/// A line of names (`CPU0 CPU1`), then a line for each kind of softirq with a number for each CPU.
fn softirqs(text: &str, cpus: &mut [Cpu]) {
    let mut lines = text.lines();
    let head = lines.next().unwrap_or_default().split_ascii_whitespace();
    let numbers: Vec<Option<u32>> = head.map(|name| name.strip_prefix("CPU")?.parse().ok()).collect();
    for line in lines {
        let Some((kind, counts)) = line.split_once(':') else { continue };
        let into: fn(&mut Cpu) -> &mut Option<u64> = match kind.trim() {
            "NET_RX" => |cpu| &mut cpu.net_rx,
            "NET_TX" => |cpu| &mut cpu.net_tx,
            _ => continue,
        };
        for (number, count) in numbers.iter().zip(counts.split_ascii_whitespace()) {
            let cpu = cpus.iter_mut().find(|cpu| Some(cpu.number) == *number);
            if let Some(cpu) = cpu {
                *into(cpu) = count.parse().ok();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOFTIRQS: &str = "                    CPU0       CPU2\n          HI:          1          2\n      NET_TX:         14         45\n      NET_RX:     163803     102372\n";

    #[test]
    fn columns_belong_to_the_cpu_that_the_line_names() {
        let text = "00000010 00000001 00000002 0 0 0 0 0 0 3 4 5 00000002\n000000ff 0 1 0 0 0 0 0 0 1 0 0 00000000\n";
        let mut cpus = softnet_stat(text);
        softirqs(SOFTIRQS, &mut cpus);
        assert_eq!(cpus.iter().map(|cpu| cpu.number).collect::<Vec<_>>(), [0, 2]);
        assert_eq!((cpus[0].softnet["processed"], cpus[1].softnet["dropped"]), (255, 1));
        assert_eq!((cpus[0].net_rx, cpus[1].net_rx, cpus[1].net_tx), (Some(163_803), Some(102_372), Some(45)));
    }

    #[test]
    fn an_older_kernel_s_lines_are_counted() {
        let cpus = softnet_stat("0a 01 00\n0b 02 00\n");
        assert_eq!((cpus[1].number, cpus[1].softnet["processed"], cpus[1].softnet.len()), (1, 11, 3));
    }

    #[test]
    fn this_machine_s_cpus_are_read() {
        let (cpus, gaps) = read(&Host::live());
        assert_eq!(gaps, []);
        assert!(cpus.iter().any(|cpu| cpu.softnet["processed"] > 0));
        assert!(cpus.iter().all(|cpu| cpu.net_rx.is_some()), "{cpus:?}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "([A-Z0-9a-f]{0,6}[: \\n]{0,2}){0,40}") {
            let mut cpus = softnet_stat(&text);
            softirqs(&text, &mut cpus);
        }
    }
}
