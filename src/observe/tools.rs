//! The tools of this host that show more of one connection or one packet than the program does.
//!
//! In: the folders where programs are. Out: the names of those of [`TOOLS`] that are there. Must not: run any.

use crate::host::Host;

/// What a finding may give a command of, in the order of the alphabet.
pub const TOOLS: &[&str] =
    &["bpftrace", "cat", "conntrack", "ethtool", "ip", "journalctl", "ls", "nstat", "ss", "tc", "tcpdump"];

/// The last is that of NixOS.
const FOLDERS: [&str; 5] = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/run/current-system/sw/bin"];

/// Those that are there.
pub fn read(host: &Host) -> Vec<String> {
    let is_there = |tool: &&&str| FOLDERS.iter().any(|folder| host.is_regular(&format!("{folder}/{tool}")));
    TOOLS.iter().filter(is_there).map(|tool| (*tool).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_the_tools_that_are_files_in_its_folders() {
        let root = tempfile::tempdir().unwrap();
        for (folder, tool) in [("usr/bin", "ss"), ("usr/sbin", "tcpdump"), ("usr/bin", "vi")] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
            std::fs::write(root.path().join(folder).join(tool), "").unwrap();
        }
        std::fs::create_dir(root.path().join("usr/bin/ip")).unwrap();
        assert_eq!(read(&Host::recorded(root.path())), ["ss", "tcpdump"]);
    }
}
