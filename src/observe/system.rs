//! Facts about the machine: kernel, boot, CPUs, memory, file limits.
//!
//! In: files of `/proc`. Out: [`SystemFacts`], and a gap for each fact that could not be had.
//! Must not: fail as a whole because one file is missing; each fact is optional.

use std::collections::BTreeMap;
use std::time::Duration;

use procfs::{FromRead, Uptime};
use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::observe::gap::Gap;
use crate::observe::tools;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SystemFacts {
    pub hostname: String,
    /// `uname -r`. No rule decides on it; `drift` asks it whether the kernel still uses a key.
    pub kernel: String,
    pub boot_id: Option<String>,
    /// An id of this installation, in hexadecimal digits; see [`machine_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine_id: Option<String>,
    /// What people call this host by, from the configuration.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    pub cpus: Option<u64>,
    pub memory_bytes: Option<u64>,
    pub uptime_seconds: Option<u64>,
    /// The same to the hundredth of a second, as the kernel prints it: what lies between two snapshots of one boot. Not
    /// in snapshots of older versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_ms: Option<u64>,
    pub page_bytes: Option<u64>,
    /// `CONFIG_HZ`: the kernel keeps some keys in ticks of its clock, and rounds. Not in snapshots of older versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticks_per_second: Option<u32>,
    /// First number of `fs.file-nr`.
    pub open_files: Option<u64>,
    /// Those of [`tools::TOOLS`] that are installed. Not in snapshots of older versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
}

/// Names and values that a person gave a host.
pub type Labels = BTreeMap<String, String>;

/// Reads what can be read; each fact that cannot is a gap with the name of its metric.
pub fn read(host: &Host) -> (SystemFacts, Vec<Gap>) {
    let mut reading = Reading { host, gaps: Vec::new() };
    let word = |text: &str| text.split_ascii_whitespace().next().map(str::to_owned);
    let uptime = reading.fact("host.uptime_seconds", "/proc/uptime", uptime);
    let facts = SystemFacts {
        hostname: reading.fact("host.name", "/proc/sys/kernel/hostname", word).unwrap_or_default(),
        kernel: reading.fact("host.kernel", "/proc/sys/kernel/osrelease", word).unwrap_or_default(),
        boot_id: reading.fact("host.boot_id", "/proc/sys/kernel/random/boot_id", word),
        machine_id: machine_id(host),
        labels: Labels::new(),
        cpus: reading.fact("host.cpus", "/proc/stat", cpus),
        memory_bytes: reading.fact("host.memory_bytes", "/proc/meminfo", memory),
        uptime_seconds: uptime.map(|uptime| uptime.as_secs()),
        uptime_ms: uptime.and_then(|uptime| u64::try_from(uptime.as_millis()).ok()),
        page_bytes: reading.page_bytes(),
        ticks_per_second: if host.is_live() { ticks_per_second() } else { None },
        open_files: reading.fact("host.open_files", "/proc/sys/fs/file-nr", |text| word(text)?.parse().ok()),
        tools: Some(tools::read(host)),
    };
    (facts, reading.gaps)
}

struct Reading<'a> {
    host: &'a Host,
    gaps: Vec<Gap>,
}

impl Reading<'_> {
    fn fact<T>(&mut self, what: &str, path: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        // The keys among these files give their text to the first read only.
        let text = if path.starts_with("/proc/sys/") { self.host.read_sysctl(path) } else { self.host.read_text(path) };
        let why = match text {
            Ok(text) => match parse(&text) {
                Some(value) => return Some(value),
                None => format!("{path} has an unexpected format"),
            },
            Err(error) => error.to_string(),
        };
        self.gaps.push(Gap { what: what.to_owned(), why });
        None
    }

    /// A captured tree does not tell; there the fact is missing.
    fn page_bytes(&mut self) -> Option<u64> {
        let answer = if self.host.is_live() {
            nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten()
        } else {
            None
        };
        let bytes = answer.and_then(|bytes| u64::try_from(bytes).ok());
        if bytes.is_none() {
            let why = "the size of a memory page can be read only on a running system".to_owned();
            self.gaps.push(Gap { what: "host.page_bytes".to_owned(), why });
        }
        bytes
    }
}

/// The coarse clock advances with each tick.
fn ticks_per_second() -> Option<u32> {
    let tick = nix::time::clock_getres(nix::time::ClockId::CLOCK_MONOTONIC_COARSE).ok()?;
    let nanoseconds = u32::try_from(tick.tv_nsec()).ok().filter(|length| tick.tv_sec() == 0 && *length > 0)?;
    // 300 ticks do not divide a second.
    Some((1_000_000_000 + nanoseconds / 2) / nanoseconds)
}

/// CPUs online: the lines `cpu0`, `cpu1`, ... Unlike those of `/proc/cpuinfo` they look the same on all architectures.
fn cpus(text: &str) -> Option<u64> {
    let is_cpu =
        |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let count = text.lines().filter(is_cpu).count();
    u64::try_from(count).ok().filter(|&count| count > 0)
}

/// By hand, because the `procfs` crate's reader panics on texts that the kernel never writes but a captured tree can
/// hold: a name that ends in a letter of several bytes, a number that overflows as bytes.
fn memory(text: &str) -> Option<u64> {
    let mut words = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.split_ascii_whitespace();
    let kibibytes: u64 = words.next()?.parse().ok()?;
    if words.next() == Some("kB") { kibibytes.checked_mul(1024) } else { None }
}

fn uptime(text: &str) -> Option<Duration> {
    Uptime::from_read(text.as_bytes()).ok().map(|uptime| uptime.uptime_duration())
}

/// What tells this boot from every other.
pub fn boot_id(host: &Host) -> Option<String> {
    let text = host.read_sysctl("/proc/sys/kernel/random/boot_id").ok()?;
    text.split_ascii_whitespace().next().map(str::to_owned)
}

/// Of this program alone; any other number would do.
const PROGRAM: u128 = 0xe4e3_6a3e_2f1d_4f0d_b2f9_e154_a060_7bc6;

/// An id of this installation, whatever its host name. machine-id(5) asks not to hand the number itself
/// out; this is what `systemd-id128 machine-id --app-specific=e4e36a3e2f1d4f0db2f9e154a0607bc6` prints. `None` where there
/// is no number, as in many containers.
pub fn machine_id(host: &Host) -> Option<String> {
    let text = host.read_text("/etc/machine-id").ok()?;
    let number = Some(text.trim()).filter(|text| text.len() == 32)?;
    let number = u128::from_str_radix(number, 16).ok().filter(|&number| number != 0)?;
    let hash = hmac_sha256::HMAC::mac(PROGRAM.to_be_bytes(), number.to_be_bytes());
    let mut id: [u8; 16] = hash[..16].try_into().ok()?;
    // Version 4 and variant 1 of a UUID.
    id[6] = id[6] & 0x0f | 0x40;
    id[8] = id[8] & 0x3f | 0x80;
    Some(format!("{:032x}", u128::from_be_bytes(id)))
}

/// Milliseconds since the boot, suspended ones too, in steps of 10; no clock that somebody sets moves it.
pub fn uptime_ms(host: &Host) -> Option<u64> {
    uptime(&host.read_text("/proc/uptime").ok()?).and_then(|uptime| u64::try_from(uptime.as_millis()).ok())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The other witness is systemd's own tool.
    #[test]
    fn the_machine_id_is_the_one_that_systemd_makes_for_this_program() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        let of = |text: &str| {
            fs::write(root.path().join("etc/machine-id"), text).unwrap();
            machine_id(&Host::recorded(root.path()))
        };
        for none in
            ["", "uninitialized\n", "00000000000000000000000000000000\n", "abc\n", "zz3f1c0e5b7a4d0e8a6b3f2d1c4e5a77\n"]
        {
            assert_eq!(of(none), None, "{none}");
        }
        let ours = of("0123456789abcdef0123456789abcdef\n").unwrap();
        assert_ne!(of("0123456789abcdef0123456789abcdee\n").unwrap(), ours);
        let systemd = std::process::Command::new("systemd-id128")
            .args(["machine-id", "--app-specific=e4e36a3e2f1d4f0db2f9e154a0607bc6"])
            .output()
            .expect("systemd-id128 is in the package systemd");
        let expected = String::from_utf8(systemd.stdout).unwrap();
        assert_eq!(machine_id(&Host::live()).unwrap_or_default(), expected.trim());
    }

    #[test]
    fn this_machine_s_facts_are_read_without_a_gap() {
        let (facts, gaps) = read(&Host::live());
        assert_eq!(gaps, []);
        assert_eq!(facts.kernel, nix::sys::utsname::uname().unwrap().release().to_string_lossy());
        assert_eq!(facts.boot_id.map(|id| id.len()), Some(36));
        assert!(facts.page_bytes.is_some_and(u64::is_power_of_two));
        assert!(facts.ticks_per_second.is_some_and(|ticks| [100, 250, 300, 1000].contains(&ticks)));
        assert!(facts.memory_bytes.is_some_and(|bytes| bytes > 64 << 20));
        assert!(facts.open_files.is_some_and(|files| files > 0));
        let online = nix::unistd::sysconf(nix::unistd::SysconfVar::_NPROCESSORS_ONLN).unwrap().unwrap();
        assert_eq!(facts.cpus, u64::try_from(online).ok());
    }

    #[test]
    fn one_missing_or_malformed_file_costs_one_fact() {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in [
            ("proc/sys/kernel/hostname", "web1\n"),
            ("proc/stat", "cpu  1 2\ncpu0 1 2\ncpu1 1 2\nintr 5\ncpufreq 1\n"),
            ("proc/uptime", "12345.67 1.00\n"),
            ("proc/meminfo", "MemTotal: lots\n"),
            ("proc/sys/fs/file-nr", "960\t0\t9223372036854775807\n"),
        ] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let (facts, gaps) = read(&Host::recorded(root.path()));
        assert_eq!((facts.hostname.as_str(), facts.kernel.as_str()), ("web1", ""));
        assert_eq!((facts.cpus, facts.uptime_seconds, facts.open_files), (Some(2), Some(12_345), Some(960)));
        assert_eq!(facts.uptime_ms, Some(12_345_670));
        let missing: Vec<_> = gaps.iter().map(|gap| gap.what.as_str()).collect();
        assert_eq!(missing, ["host.kernel", "host.boot_id", "host.memory_bytes", "host.page_bytes"]);
        assert_eq!(gaps[2].why, "/proc/meminfo has an unexpected format");
    }

    #[test]
    fn memory_that_does_not_fit_is_not_known() {
        assert_eq!(memory("MemTotal:       16317184 kB\nMemFree: 5 kB\n"), Some(16_708_796_416));
        for text in ["", "MemTotal:", "MemTotal: 18446744073709551615 kB", "MemTotal: 5", "MemTotalé 5 kB"] {
            assert_eq!(memory(text), None, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "((cpu|MemTotal:|[0-9.]{1,25}|kB|[ \\n:-]){0,2}){0,20}|\\PC{0,80}") {
            let _ = (cpus(&text), memory(&text), uptime(&text));
        }
    }
}
