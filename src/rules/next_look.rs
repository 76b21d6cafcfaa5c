//! Commands of other tools that a finding gives: what to look at next, where counters cannot tell the cause.
//!
//! In: the text of a command. Out: whether it only reads, and ends by itself. Must not: run anything.

use crate::observe::tools::TOOLS;

/// The longest that a command may watch, in seconds.
const LONGEST: u32 = 30;

/// Tools that watch until somebody ends them.
const ENDLESS: &[&str] = &["bpftrace", "tcpdump"];

/// Of each tool the options that neither change nor write anything: letters, which can be written together (`-tno`), and words.
const OPTIONS: &[(&str, &str, &[&str])] = &[
    ("bpftrace", "e", &[]),
    ("cat", "", &[]),
    ("conntrack", "CSL", &[]),
    ("ethtool", "", &["--statistics", "--show-ring", "--show-channels", "--show-features", "--driver"]),
    ("ip", "46ds", &[]),
    ("journalctl", "k", &["--no-pager", "--lines", "--grep"]),
    ("ls", "l", &[]),
    ("nstat", "az", &[]),
    ("ss", "alntuxmiope", &[]),
    ("tc", "s", &[]),
    ("tcpdump", "nicv", &[]),
];

/// Of tools whose words say what they do: those that only look. They are behind the kind of thing: `ip route get`.
const VERBS: &[(&str, &[&str])] = &[("ip", &["show", "get"]), ("tc", &["show"])];

/// Tools that change something, or go on for ever, without one of these.
const NEEDED: &[(&str, &[&str])] = &[
    ("conntrack", &["-C", "-S", "-L"]),
    ("ethtool", &["--statistics", "--show-ring", "--show-channels", "--show-features", "--driver"]),
    ("journalctl", &["--lines"]),
    ("tcpdump", &["-c"]),
];

/// The seconds after which a command ends, if it says so, and its words from the tool on.
fn split(command: &str) -> (Option<u32>, Vec<&str>) {
    let mut words: Vec<&str> = command.split_whitespace().collect();
    if words.first() != Some(&"timeout") {
        return (None, words);
    }
    let limit = words.get(1).and_then(|seconds| seconds.parse().ok());
    words.drain(..words.len().min(2));
    (limit, words)
}

/// The tool that a command runs.
pub fn tool(command: &str) -> Option<&str> {
    split(command).1.first().copied()
}

/// Why a command cannot be given; an empty one, too.
pub(super) fn objection(command: &str) -> Option<String> {
    let (limit, words) = split(command);
    let [tool, arguments @ ..] = words.as_slice() else { return Some("it is empty".to_owned()) };
    let Some((_, letters, long)) = OPTIONS.iter().find(|(name, ..)| name == tool) else {
        return Some(format!("`{tool}` is not one of {}", TOOLS.join(", ")));
    };
    if ENDLESS.contains(tool) && limit.is_none_or(|seconds| seconds > LONGEST) {
        return Some(format!("`{tool}` must begin with `timeout N`, N at most {LONGEST}"));
    }
    let is_known = |word: &str| long.contains(&word) || word[1..].chars().all(|letter| letters.contains(letter));
    if let Some(word) = arguments.iter().find(|word| word.starts_with('-') && !is_known(word)) {
        return Some(format!("`{word}` of `{tool}` is not an option that is known to read only"));
    }
    let plain = || arguments.iter().filter(|word| !word.starts_with('-'));
    if ["cat", "ls"].contains(tool) && !plain().all(|word| is_of_kernel(word)) {
        return Some(format!("`{tool}` may look at /proc and /sys only"));
    }
    let allowed =
        |table: &'static [(&str, &[&str])]| table.iter().find(|(name, _)| name == tool).map(|(_, words)| *words);
    let lacks = |words: &[&str]| Some(format!("`{tool}` must have one of {}", words.join(", ")));
    if let Some(verbs) = allowed(VERBS).filter(|verbs| plain().nth(1).is_none_or(|verb| !verbs.contains(verb))) {
        return lacks(verbs);
    }
    if let Some(needed) = allowed(NEEDED).filter(|needed| !arguments.iter().any(|word| needed.contains(word))) {
        return lacks(needed);
    }
    let outside = command.split('\'').step_by(2).any(|part| part.contains(['|', '>', ';', '&', '`', '$', '\n']));
    outside.then(|| "it may have | > ; & ` $ in single quotes only".to_owned())
}

fn is_of_kernel(word: &str) -> bool {
    (word.starts_with("/proc/") || word.starts_with("/sys/")) && !word.contains("..")
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
            ("timeout 10 tcpdump -ni any", "must have one of -c"),
            ("timeout 10 tcpdump -ni any -c 5 -w /etc/motd", "`-w` of `tcpdump`"),
            ("ip link set eth0 down", "must have one of show, get"),
            ("ip link set show down", "must have one of show, get"),
            ("ss -K dst 192.0.2.1", "`-K` of `ss`"),
            ("ss -tnK dst 192.0.2.1", "`-tnK` of `ss`"),
            ("conntrack -F", "`-F` of `conntrack`"),
            ("conntrack", "must have one of"),
            ("journalctl --lines 5 --rotate", "`--rotate` of `journalctl`"),
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
