//! The drop-in: what makes confirmed changes permanent.
//!
//! In: its present text, the changes of one confirmation. Out: its new text; the file read, written, taken back.
//! Must not: lose a line that an earlier confirmation or a person wrote, or write through a symbolic link.

use nix::unistd::{AccessFlags, access};

use crate::apply::{ApplyError, trust};
use crate::diagnostic::io_words;
use crate::files;
use crate::host::Host;
use crate::host::write::WriteError;
use crate::plan::model::PlannedChange;

/// The file. `90-` comes after what distributions ship.
pub const DROP_IN: &str = "/etc/sysctl.d/90-sysctl-advisor.conf";

const HEADER: &str = "\
# Written by `sysctl-advisor confirm`. The line above each value has the change, its date, its rules and the previous value.
# `sysctl-advisor rollback ID` removes a change from this file.

";

/// The present text, `None` when there is no such file. A link, or a file that others may write, is refused.
pub fn read(host: &Host) -> Result<Option<String>, ApplyError> {
    let path = host.locate(DROP_IN);
    match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        _ => trust::read(&path).map(Some),
    }
}

/// Whether this process may put the file in place: the same question as for a first file in its folder.
pub fn can_write(host: &Host) -> Result<(), String> {
    let path = host.locate(DROP_IN);
    let folder = files::folder_of(&path);
    let folder = if folder.exists() { folder } else { files::folder_of(folder) };
    access(folder, AccessFlags::W_OK | AccessFlags::X_OK).map_err(|error| io_words(&error.into()))
}

/// Writes the text, or removes the file when there is to be none.
pub fn write(host: &Host, text: Option<&str>) -> Result<(), WriteError> {
    match text {
        Some(text) => host.replace_file(DROP_IN, text.as_bytes()),
        None => host.remove_file(DROP_IN),
    }
}

/// The text with the changes in it: a key that stands there already is replaced, everything else stays.
pub fn with(present: Option<&str>, changes: &[PlannedChange], id: u64, date: &str) -> String {
    let mut text = without(present.unwrap_or(HEADER), |key, _| changes.iter().any(|change| change.key.name == key));
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for change in changes {
        let rules = match change.rules.as_slice() {
            [] => String::new(),
            rules => format!(", rule {}", rules.join(", ")),
        };
        text.push_str(&format!(
            "# change {id}, {date}{rules}; was {}\n{} = {}\n",
            change.before, change.key.name, change.after
        ));
    }
    text
}

/// The text without the lines that give these keys the values of these changes. What stood there before an earlier
/// confirmation of the same key does not come back.
pub fn taken_out(present: &str, changes: &[PlannedChange]) -> String {
    without(present, |key, value| {
        changes.iter().any(|change| change.key.name == key && change.after.to_string() == value)
    })
}

/// Leaves out the assignments that `drop` picks by key and value, each with the comments right above it.
fn without(text: &str, drop: impl Fn(&str, &str) -> bool) -> String {
    let mut kept = String::new();
    let mut comments = String::new();
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        if content.starts_with(['#', ';']) {
            comments.push_str(line);
            continue;
        }
        let assignment = content.split_once('=');
        let dropped = assignment.is_some_and(|(key, value)| {
            let key = key.trim().trim_start_matches('-').replace('/', ".");
            drop(&key, &value.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
        });
        if !dropped {
            kept.push_str(&comments);
            kept.push_str(line);
        }
        comments.clear();
    }
    kept + &comments
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::apply::check::tests::planned;

    fn changes(list: &[(&str, &str, &str)]) -> Vec<PlannedChange> {
        list.iter().map(|(key, before, after)| planned(key, before, after)).collect()
    }

    #[test]
    fn each_line_says_where_it_is_from_and_earlier_lines_stay() {
        let first = with(None, &changes(&[("net.core.somaxconn", "4096", "8192")]), 1, "2026-11-23");
        assert_eq!(
            first,
            format!("{HEADER}# change 1, 2026-11-23, rule a-rule; was 4096\nnet.core.somaxconn = 8192\n")
        );
        let by_hand = format!("{first}\n# mine\nnet/ipv4/tcp_sack = 1");
        let second = with(Some(&by_hand), &changes(&[("net.ipv4.tcp_fin_timeout", "60", "30")]), 2, "2026-11-24");
        assert_eq!(
            second,
            format!("{by_hand}\n# change 2, 2026-11-24, rule a-rule; was 60\nnet.ipv4.tcp_fin_timeout = 30\n")
        );
        let third = with(Some(&second), &changes(&[("net.core.somaxconn", "8192", "9000")]), 3, "2026-11-25");
        assert_eq!(third.matches("somaxconn").count(), 1, "{third}");
        assert!(
            third.ends_with("was 8192\nnet.core.somaxconn = 9000\n")
                && third.contains("# mine\nnet/ipv4/tcp_sack = 1\n")
        );
        assert!(!third.contains("change 1,"));
        assert_eq!(
            with(Some("-net/core/somaxconn=5\n"), &changes(&[("net.core.somaxconn", "5", "6")]), 1, "d")
                .lines()
                .count(),
            2
        );
    }

    #[test]
    fn only_lines_that_still_have_our_value_are_taken_out() {
        let list = changes(&[("net.core.somaxconn", "4096", "8192"), ("net.ipv4.ip_local_port_range", "1 2", "3 4")]);
        let text = with(None, &list, 1, "2026-11-23");
        assert_eq!(taken_out(&text, &list), HEADER);
        let edited = text.replace("= 8192", "= 8193").replace("3 4", "3\t4");
        let left = taken_out(&edited, &list);
        assert!(left.contains("= 8193") && !left.contains("port_range"), "{left}");
    }

    #[test]
    fn a_link_in_its_place_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let host = Host::recorded(root.path());
        assert_eq!(read(&host).unwrap(), None);
        write(&host, Some("")).unwrap_err();
        fs::create_dir(root.path().join("etc")).unwrap();
        write(&host, Some("a = 1\n")).unwrap();
        assert_eq!(read(&host).unwrap().as_deref(), Some("a = 1\n"));
        write(&host, None).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", host.locate(DROP_IN)).unwrap();
        assert!(read(&host).unwrap_err().to_string().contains("symbolic link"));
    }
}
