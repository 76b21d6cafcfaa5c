//! Which names in a document are keys of the kernel.
//!
//! In: a name. Out: whether it is meant as a key. Must not: ask whether such a key exists: a misspelt one is to be told.

/// Folders of `/proc/sys` with names that nothing else has.
const OWN: [&str; 4] = ["kernel", "net", "sunrpc", "vm"];

/// Folders whose name other programs use too (`fs.defaultFS`, `user.name`), with what is below them.
const SHARED: [(&str, &[&str]); 6] = [
    ("abi", &["vsyscall32", "cp15_barrier", "setend", "swp", "tagged_addr_disabled"]),
    ("crypto", &["fips_enabled", "fips_name", "fips_version"]),
    ("debug", &["exception-trace", "kprobes-optimization"]),
    ("dev", &["cdrom", "hpet", "i915", "mac_hid", "parport", "raid", "scsi", "tty", "xe"]),
    (
        "fs",
        &[
            "aio-max-nr",
            "aio-nr",
            "binfmt_misc",
            "dentry-negative",
            "dentry-state",
            "dir-notify-enable",
            "epoll",
            "fanotify",
            "file-max",
            "file-nr",
            "fuse",
            "inode-nr",
            "inode-state",
            "inotify",
            "lease-break-time",
            "leases-enable",
            "mount-max",
            "mqueue",
            "nfs",
            "nr_open",
            "overflowgid",
            "overflowuid",
            "pipe-max-size",
            "pipe-user-pages-hard",
            "pipe-user-pages-soft",
            "protected_fifos",
            "protected_hardlinks",
            "protected_regular",
            "protected_symlinks",
            "quota",
            "suid_dumpable",
            "verity",
            "xfs",
        ],
    ),
    ("user", &[]),
];

/// Whether a name is meant as a key, in either way of writing it.
pub(super) fn is_key(name: &str) -> bool {
    let name = name.strip_prefix('-').unwrap_or(name);
    let mut parts = name.split(['.', '/']);
    let (Some(first), Some(second)) = (parts.next(), parts.next()) else { return false };
    let known = match SHARED.iter().find(|(folder, _)| *folder == first) {
        Some(("user", _)) => second.starts_with("max_"),
        Some((_, below)) => below.contains(&second),
        None => OWN.contains(&first),
    };
    known && !second.is_empty() && name.chars().all(is_of_name) && !is_domain(name)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-/*?[]@".contains(c)
}

/// `net.example.com/role`, as labels are called.
fn is_domain(name: &str) -> bool {
    let before = name.split('/').next().unwrap_or_default();
    before != name
        && [".io", ".com", ".org", ".net", ".dev", ".cloud", ".local"].iter().any(|end| before.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_other_dotted_names() {
        for key in [
            "net.ipv4.tcp_rmem",
            "net/ipv4/tcp_rmem",
            "net.ipv4.conf.eth0/100.rp_filter",
            "net.ivp4.tcp_rmem",
            "vm.swappiness",
            "kernel.pid_max",
            "fs.file-max",
            "user.max_net_namespaces",
            "-net.ipv4.conf.*.rp_filter",
            "net.nf_conntrack_max",
        ] {
            assert!(is_key(key), "{key}");
        }
        for other in [
            "net",
            "net.",
            "network.ipv4",
            "fs.defaultFS",
            "user.name",
            "dev.example.com/role",
            "net.example.io/zone",
            "kernel",
            "net.ipv4.tcp rmem",
            "vm.a=b",
            "name",
            "",
        ] {
            assert!(!is_key(other), "{other}");
        }
    }
}
