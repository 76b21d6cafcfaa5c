//! From here on the thread can open only the named files for writing.
//!
//! In: paths. Out: what the kernel made of it, in words. Must not: stop a change because the kernel has no Landlock; it
//! is a second wall, the first one is what [`check`](crate::apply::check) lets through.

use std::path::PathBuf;

use landlock::{
    ABI, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus,
};

use crate::host::Host;

/// The newest rights that we know; an older kernel enforces those that it has.
const RIGHTS: ABI = ABI::V5;

/// Confines the calling thread, and what it starts, for the rest of its life. Files that are open already stay usable.
pub fn confine(files: &[PathBuf]) -> &'static str {
    match enforce(files) {
        Ok(RulesetStatus::FullyEnforced) => "enforced by Landlock",
        Ok(RulesetStatus::PartiallyEnforced) => "enforced by Landlock, as far as this kernel supports it",
        Ok(RulesetStatus::NotEnforced) => without_landlock(&status_of_this_process()),
        Err(_) => "not enforced: the kernel refused the Landlock rules",
    }
}

fn status_of_this_process() -> String {
    Host::live().read_text("/proc/thread-self/status").unwrap_or_default()
}

/// Why Landlock cannot be had: a seccomp filter gives the same answers as a kernel without it.
fn without_landlock(status: &str) -> &'static str {
    let mode = status.lines().find_map(|line| line.strip_prefix("Seccomp:")).map(str::trim);
    match mode {
        Some("2") => "not enforced: a seccomp filter hides Landlock, or this kernel has no Landlock",
        _ => "not enforced: this kernel has no Landlock",
    }
}

fn enforce(files: &[PathBuf]) -> Result<RulesetStatus, RulesetError> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_write(RIGHTS))?
        .create()?;
    for file in files {
        // One that is not there cannot be written either.
        if let Ok(file) = PathFd::new(file) {
            rules = rules.add_rule(PathBeneath::new(file, AccessFs::WriteFile | AccessFs::Truncate))?;
        }
    }
    Ok(rules.restrict_self()?.ruleset)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::{ErrorKind, Write};

    use super::*;

    #[test]
    fn a_kernel_is_said_to_have_no_landlock_only_where_no_filter_can_hide_it() {
        assert_eq!(without_landlock("Name:\tx\nSeccomp:\t0\n"), "not enforced: this kernel has no Landlock");
        assert!(without_landlock("Seccomp:\t2\nSeccomp_filters:\t1\n").contains("a seccomp filter hides Landlock, or"));
    }

    /// Needs a kernel with Landlock; where there is none it fails, for then it proves nothing.
    #[test]
    fn inside_only_the_named_file_and_what_was_open_before_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["key", "other", "journal"] {
            fs::write(path(name), "0").unwrap();
        }
        let mut journal = OpenOptions::new().append(true).open(path("journal")).unwrap();
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                assert_eq!(confine(&[path("key"), path("missing")]), "enforced by Landlock");
                fs::write(path("key"), "1").unwrap();
                journal.write_all(b"1").unwrap();
                assert_eq!(fs::read_to_string(path("other")).unwrap(), "0", "reading is not restricted");
                for refused in [
                    fs::write(path("other"), "1"),
                    fs::write(path("new"), "1"),
                    fs::create_dir(path("newer")),
                    fs::remove_file(path("other")),
                    fs::rename(path("key"), path("other")),
                    OpenOptions::new().append(true).open(path("journal")).map(drop),
                ] {
                    assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
                }
            });
            inside.join().unwrap();
        });
        assert_eq!(fs::read_to_string(path("key")).unwrap(), "1");
        assert_eq!(fs::read_to_string(path("other")).unwrap(), "0");
        fs::write(path("other"), "2").unwrap();
    }
}
