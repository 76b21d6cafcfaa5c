//! Commands of other tools that a finding gives: what to look at next, where counters cannot tell the cause.
//!
//! In: the text of a command. Out: whether it only reads, and ends by itself. Must not: run anything.

use crate::observe::tools::TOOLS;

/// The longest that a command may watch, in seconds.
const LONGEST: u32 = 30;

/// Tools that watch until somebody ends them.
const ENDLESS: &[&str] = &["bpftrace", "perf", "tcpdump"];

/// Of tools that can also change something: a word that says that they do not.
const READS: &[(&str, &[&str])] = &[
    ("conntrack", &["-C", "-S", "-L"]),
    ("dmesg", &["--ctime"]),
    ("ethtool", &["--statistics", "--show-ring", "--show-channels", "--show-features", "--driver"]),
    ("ip", &["show", "get"]),
    ("journalctl", &["--lines"]),
    ("nstat", &["-az"]),
    ("ss", &["-l", "-n", "-t", "-u", "-x", "-m", "-i", "-o", "-p"]),
    ("tc", &["show"]),
];

/// Why a command cannot be given; an empty one, too.
pub(super) fn objection(command: &str) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let (limit, words) = match words.as_slice() {
        ["timeout", seconds, rest @ ..] => (seconds.parse::<u32>().ok(), rest),
        all => (None, all),
    };
    let [tool, arguments @ ..] = words else { return Some("it is empty".to_owned()) };
    if !TOOLS.contains(tool) {
        return Some(format!("`{tool}` is not one of {}", TOOLS.join(", ")));
    }
    if ENDLESS.contains(tool) && limit.is_none_or(|seconds| seconds > LONGEST) {
        return Some(format!("`{tool}` must begin with `timeout N`, N at most {LONGEST}"));
    }
    if *tool == "tcpdump" && !arguments.contains(&"-c") {
        return Some("`tcpdump` must have `-c N`".to_owned());
    }
    if ["cat", "ls"].contains(tool) && !arguments.iter().all(|word| is_option(word) || is_of_kernel(word)) {
        return Some(format!("`{tool}` may look at /proc and /sys only"));
    }
    if let Some((_, words)) = READS.iter().find(|(name, _)| name == tool)
        && !arguments.iter().any(|word| words.iter().any(|reads| reads_as(word, reads)))
    {
        return Some(format!("`{tool}` must have one of {}", words.join(", ")));
    }
    let outside = command.split('\'').step_by(2).any(|part| part.contains(['|', '>', ';', '&', '`', '$', '\n']));
    outside.then(|| "it may have | > ; & ` $ in single quotes only".to_owned())
}

fn is_option(word: &str) -> bool {
    word.starts_with('-')
}

fn is_of_kernel(word: &str) -> bool {
    (word.starts_with("/proc/") || word.starts_with("/sys/")) && !word.contains("..")
}

/// Letters of `ss` and others can be written together: `-tno`.
fn reads_as(word: &str, reads: &str) -> bool {
    let letters = |word: &str| word.strip_prefix('-').filter(|rest| !rest.starts_with('-')).map(str::to_owned);
    match (letters(word), letters(reads)) {
        (Some(all), Some(one)) if one.len() == 1 => all.contains(&one),
        _ => word == reads,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_and_ends_can_be_given() {
        for command in [
            "ss -tino state established dst {destination.address}",
            "cat /proc/{owner.pid}/wchan",
            "ip route get {destination.address}",
            "timeout 10 tcpdump -ni any -c 20 'tcp[tcpflags] & tcp-rst != 0'",
            "timeout 10 bpftrace -e 'tracepoint:skb:kfree_skb {{ @[args->reason] = count(); }}'",
        ] {
            assert_eq!(objection(command), None, "{command}");
        }
    }

    #[test]
    fn what_changes_something_or_never_ends_is_refused() {
        for (command, part) in [
            ("", "empty"),
            ("rm -rf /", "`rm` is not one of"),
            ("sysctl -w net.ipv4.ip_forward=1", "`sysctl` is not one of"),
            ("tcpdump -ni any -c 20", "must begin with `timeout N`"),
            ("timeout 600 tcpdump -ni any -c 20", "at most 30"),
            ("timeout 10 tcpdump -ni any", "`-c N`"),
            ("ip link set eth0 down", "must have one of show, get"),
            ("ss -K dst 192.0.2.1", "must have one of"),
            ("conntrack -F", "must have one of"),
            ("cat /etc/shadow", "/proc and /sys only"),
            ("cat /proc/../etc/shadow", "/proc and /sys only"),
            ("ss -tn | xargs kill", "in single quotes only"),
            ("ss -tn '' ; reboot ''", "in single quotes only"),
        ] {
            let found = objection(command);
            assert!(found.as_ref().is_some_and(|why| why.contains(part)), "{command}: {found:?}");
        }
    }
}
