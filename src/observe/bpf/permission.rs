//! Whether the pass can work here, asked before the kernel's types are read, which is most of its cost.
//!
//! In: the capabilities of the calling thread, and whether the kernel describes its types. Out: [`Why`] it cannot.
//! Must not: be taken for a promise. In a user namespace the capabilities are there, and the kernel refuses.

use super::model::Why;
use crate::host::Host;

/// Numbers of `linux/capability.h`.
const SYS_ADMIN: u32 = 21;
const PERFMON: u32 = 38;
const BPF: u32 = 39;

/// Where the kernel describes its types (BTF).
pub(super) const TYPES: &str = "/sys/kernel/btf/vmlinux";

const CAPABILITIES: &str = "the capabilities CAP_BPF and CAP_PERFMON";

/// What is missing on this host for the calling thread.
pub(super) fn check(host: &Host) -> Result<(), Why> {
    let status = host.read_text("/proc/thread-self/status").unwrap_or_default();
    if !suffices(&status) {
        return Err(Why::NotPermitted(CAPABILITIES));
    }
    match host.open(TYPES) {
        Ok(_) => Ok(()),
        Err(error) => Err(Why::NoTypes(error.to_string())),
    }
}

/// Whether the effective capabilities of this `status` file are enough.
fn suffices(status: &str) -> bool {
    let set = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0);
    let has = |capability: u32| set >> capability & 1 == 1;
    has(SYS_ADMIN) || (has(BPF) && has(PERFMON))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_capabilities_or_the_one_that_holds_them_are_enough() {
        let status = |set: u64| format!("Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t{set:016x}\nCapBnd:\t0\n");
        for set in [1 << SYS_ADMIN, 1 << BPF | 1 << PERFMON, u64::MAX] {
            assert!(suffices(&status(set)), "{set:x}");
        }
        for set in [0, 1 << BPF, 1 << PERFMON, 1 << 12] {
            assert!(!suffices(&status(set)), "{set:x}");
        }
        assert!(!suffices("") && !suffices("CapEff:\tx\n"));
    }

    #[test]
    fn a_host_that_does_not_describe_its_types_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let thread = folder.path().join("proc/thread-self");
        std::fs::create_dir_all(&thread).unwrap();
        let host = Host::recorded(folder.path());
        assert_eq!(check(&host), Err(Why::NotPermitted(CAPABILITIES)));
        std::fs::write(thread.join("status"), "CapEff:\t000001ffffffffff\n").unwrap();
        let why = check(&host).unwrap_err().to_string();
        assert_eq!(why, "/sys/kernel/btf/vmlinux: No such file or directory");
    }
}
