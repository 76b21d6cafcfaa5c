//! What we say that the kernel does with a text (`keys::written`) against what it does: every key of the catalogue that a
//! network namespace has for itself, and hundreds of texts for each.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt;

use sysctl_advisor::drift::load::limits::{self, Around};
use sysctl_advisor::host::Host;
use sysctl_advisor::keys::{self, Key, Scope, ValueType, Written};

use sysctl_advisor::observe::system;

use crate::support::Lab;
use crate::support::random::Random;

/// A failure names the text; the texts are the same in each run.
const SEED: u64 = 11;
/// For each key, beside those of [`COMMON`].
const TEXTS: usize = 400;

#[test]
fn the_kernel_does_with_a_text_what_we_say() {
    let lab = Lab::enter();
    let ticks = system::read(&Host::live()).0.ticks_per_second.unwrap();
    let mut seen = Seen { ticks: ticks.into(), ..Seen::default() };
    for key in keys::catalogue().iter().filter(|key| is_asked(key)) {
        seen.keys.push(key.kind.name());
        seen.key(&lab, key);
    }
    println!("{}", seen.summary());
    assert!(seen.differences.is_empty(), "seed {SEED}\n{}", seen.differences);
    assert!(seen.keys.len() >= 50 && seen.texts >= 20_000, "{}", seen.summary());
    assert!(seen.refused > 5000 && seen.partly > 20 && seen.accepted > 5000, "{}", seen.summary());
}

/// Keys of interfaces, which are in the catalogue once for all of them. Only folders that a namespace certainly has for itself.
#[test]
fn the_kernel_reads_the_texts_of_keys_of_interfaces_as_we_say() {
    const FOLDERS: [&str; 7] = [
        "net.ipv4.conf.all",
        "net.ipv4.conf.default",
        "net.ipv4.conf.lo",
        "net.ipv4.neigh.lo",
        "net.ipv6.conf.all",
        "net.ipv6.conf.default",
        "net.ipv6.conf.lo",
    ];
    let lab = Lab::enter();
    let ticks = system::read(&Host::live()).0.ticks_per_second.unwrap().into();
    let (mut keys, mut texts, mut refused, mut by_range, mut differences) = (0, 0, 0, 0, String::new());
    for folder in FOLDERS {
        for entry in fs::read_dir(path(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{folder}.{}", entry.file_name().into_string().unwrap());
            let is_ours = entry.metadata().unwrap().mode() & 0o200 != 0 && !keys::is_secret(&name);
            let Ok(original) = fs::read_to_string(entry.path()) else { continue };
            if !is_ours {
                continue;
            }
            keys += 1;
            let mut random = Random(SEED + keys);
            let some = keys::catalogue().get("net.ipv4.tcp_reordering").unwrap();
            let generated = (0..60).map(|_| text(&mut random, some)).collect::<Vec<_>>();
            for text in COMMON.iter().map(|text| (*text).to_owned()).chain(generated) {
                let present = lab.sysctl(&name);
                let ours = keys::written(&name, Some(&present), &text);
                let number = ours.value.as_deref().and_then(keys::number::integer);
                // Beyond this range numbers wrap around when they become ticks; nobody sets a time like that.
                let too_long = matches!(&ours.refused, Some(refused)
                    if matches!(refused.why, keys::ValueError::OutOfRange { got, .. } if got >= 1 << 31));
                if is_time(&name) && (too_long || number.is_none_or(|number| !(0..1 << 31).contains(&number))) {
                    continue;
                }
                let (taken, after) = (write(&name, &text).is_ok(), words(&lab.sysctl(&name)));
                texts += 1;
                refused += u32::from(!taken);
                by_range += u32::from(!taken && ours.refused.is_none());
                let shown = ours.value.as_deref().map(|value| ticked(&name, value, ticks));
                let is_same = if taken { shown.as_ref() == Some(&after) } else { after == words(&present) };
                if !is_same || (taken && ours.refused.is_some()) {
                    writeln!(differences, "{name}: {text:?} on `{present}`: {taken} `{after}`; we say {ours:?}")
                        .unwrap();
                }
            }
            write(&name, &original).unwrap();
        }
    }
    let summary = format!("{keys} keys, {texts} texts: {refused} refused, {by_range} of them for their range");
    println!("{summary}");
    assert!(differences.is_empty(), "seed {SEED}\n{differences}");
    assert!(keys >= 150 && refused > 5000 && by_range < texts / 20, "{summary}");
}

fn is_time(name: &str) -> bool {
    name.contains(".neigh.") || name.ends_with("_unsolicited_report_interval")
}

/// A value as the kernel shows it that keeps it in ticks.
fn ticked(name: &str, value: &str, ticks: i64) -> String {
    let number = keys::number::integer(value);
    // A number that does not fit our own type is in no key of ticks.
    let shown = number.map(|number| (number, keys::rounded(name, number, ticks)));
    shown.filter(|(number, shown)| number != shown).map_or_else(|| value.to_owned(), |(_, shown)| shown.to_string())
}

/// Whether this kernel has the key, a namespace owns it, and it can be read again. Not those that are 1 for the whole machine
/// until the next boot, that store every number as 0 or 1, or that store an empty range for one that falls.
fn is_asked(key: &Key) -> bool {
    const OTHERS: [&str; 3] = ["net.bridge.", "net.ipv4.ping_group_range", "net.netfilter.nf_hooks_lwtunnel"];
    !OTHERS.iter().any(|begin| key.name.starts_with(begin))
        && key.scope == Scope::Namespace
        && !key.read_only
        && fs::read_to_string(path(&key.name)).is_ok()
}

#[derive(Default)]
struct Seen {
    ticks: i64,
    /// The kind of each.
    keys: Vec<&'static str>,
    texts: usize,
    accepted: usize,
    refused: usize,
    partly: usize,
    /// Numbers that other kernels refuse; the catalogue has what all of them accept.
    left_out: usize,
    differences: String,
}

impl Seen {
    fn key(&mut self, lab: &Lab, key: &Key) {
        let (original, modules) = (lab.sysctl(&key.name), BTreeSet::new());
        let mut random =
            Random(SEED ^ key.name.bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(31) + u64::from(byte)));
        let generated = (0..TEXTS).map(|_| text(&mut random, key)).collect::<Vec<_>>();
        for text in COMMON.iter().map(|text| (*text).to_owned()).chain(generated) {
            let text = if key.kind == ValueType::Text { without_modules(&text) } else { text };
            let present = lab.sysctl(&key.name);
            let ours = keys::written(&key.name, Some(&present), &text);
            let around = Around { value: &|key| Some(lab.sysctl(key)), loadable: Some(&modules), restricted: true };
            let ours = limits::check(&key.name, Some(&present), ours, &around);
            // Nobody says what the kernel makes of a text that is no name and no number.
            if only_here(key, &text) || ours == Written::default() {
                self.left_out += 1;
                continue;
            }
            let errno = write(&key.name, &text).err().and_then(|error| error.raw_os_error());
            self.compare(key, &text, &present, &ours, errno, &lab.sysctl(&key.name));
        }
        write(&key.name, &original).unwrap();
        assert_eq!(lab.sysctl(&key.name), original);
    }

    fn compare(&mut self, key: &Key, text: &str, present: &str, ours: &Written, errno: Option<i32>, after: &str) {
        let expected = ours.refused.as_ref().map(|refused| match refused.errno {
            "EINVAL" => nix::libc::EINVAL,
            "ENOENT" => nix::libc::ENOENT,
            other => panic!("{other}"),
        });
        let value = ours.value.as_deref();
        let shown = value.map(|value| ticked(&key.name, value, self.ticks));
        if errno != expected || shown != Some(words(after)) {
            let name = &key.name;
            writeln!(self.differences, "{name}: {text:?} on `{present}`: {errno:?} `{after}`; we say {ours:?}")
                .unwrap();
        }
        self.texts += 1;
        self.accepted += usize::from(errno.is_none());
        self.refused += usize::from(errno.is_some());
        self.partly += usize::from(errno.is_some() && words(after) != words(present));
    }

    fn summary(&self) -> String {
        let mut kinds = String::new();
        for kind in ["int", "ints", "port_range", "port_list", "text"] {
            write!(kinds, " {kind} {}", self.keys.iter().filter(|other| **other == kind).count()).unwrap();
        }
        let Self { keys, texts, accepted, refused, partly, left_out, .. } = self;
        format!(
            "{} keys ({}), {texts} texts: {accepted} accepted, {refused} refused, {partly} of them in part; {left_out} not asked",
            keys.len(),
            kinds.trim()
        )
    }
}

/// A number out of the catalogue's range that this kernel may accept: the limit depends on `CONFIG_HZ` or the version.
fn only_here(key: &Key, text: &str) -> bool {
    const WIDER: [&str; 11] = [
        "net.ipv4.icmp_ratelimit",
        "net.ipv4.route.mtu_expires",
        "net.ipv4.tcp_comp_sack_delay_ns",
        "net.ipv4.tcp_comp_sack_slack_ns",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_invalid_ratelimit",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_probe_interval",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_tso_rtt_log",
    ];
    let refused = keys::written(&key.name, None, text).refused;
    let by_range = refused.is_some_and(|refused| matches!(refused.why, keys::ValueError::OutOfRange { .. }));
    by_range && (WIDER.contains(&key.name.as_str()) || key.unit == "s" || key.unit == "ms")
}

/// The kernel loads the module of a congestion control that is asked for: no word may be one that exists.
fn without_modules(text: &str) -> String {
    let names = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase()) && word != "reno";
    let words = text
        .split(' ')
        .map(|word| if names(word) && !word.is_empty() { format!("{word}_no") } else { word.to_owned() });
    words.collect::<Vec<_>>().join(" ")
}

/// As a loader does: with a line feed, and again with the rest where the kernel has used only a part.
fn write(name: &str, text: &str) -> io::Result<()> {
    fs::OpenOptions::new().write(true).open(path(name))?.write_all(format!("{text}\n").as_bytes())
}

fn path(name: &str) -> String {
    format!("/proc/sys/{}", name.replace('.', "/"))
}

fn words(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Texts that every key is given.
const COMMON: [&str; 34] = [
    "",
    " ",
    "\t",
    "0",
    "1",
    "-0",
    "-1",
    "- 1",
    "+1",
    "0x",
    "0x0",
    "0X1F",
    "08",
    "010",
    "1e3",
    "1.0",
    "1k",
    "1#",
    "1 #",
    "1 # x",
    "1\t; x",
    "# 1",
    "1 2 3",
    "1 2 3 4",
    "1\r",
    "1\u{b}",
    "\u{c}1",
    "1\0",
    "1\u{a0}",
    "１",
    "true",
    "\"1\"",
    "000000000000000000001",
    "18446744073709551616",
];

/// Mostly one to four numbers, so that all kinds are met; about one in three has something wrong.
fn text(random: &mut Random, key: &Key) -> String {
    if key.kind == ValueType::Text {
        return [name(random), random.one(&["", "", " ", " # x", " reno"]).to_owned()].concat();
    }
    let separators: &[&str] = match key.kind {
        ValueType::PortList => &[",", ",", ",", "-", "-", ", ", ",,", " ", "\n", "\n\n", "\0", ";"],
        _ => &[" ", " ", " ", "\t", "  ", "\n", "\u{b}", "\r", ",", "-", "\0", ""],
    };
    let mut text = random.one(&["", "", "", "", " ", "\t", "\n", "\u{c}", ",", "\"", "#"]).to_owned();
    for position in 0..1 + random.below(5) {
        if position > 0 {
            text.push_str(random.one(separators));
        }
        text.push_str(&number(random, key));
    }
    text + random.one(&[
        "",
        "",
        "",
        "",
        " ",
        "\t",
        ",",
        " # comment",
        "# comment",
        " ; x",
        " \\",
        "\\",
        "x",
        "\r",
        "\u{1}",
        "é",
    ])
}

fn name(random: &mut Random) -> String {
    random
        .one(&[
            "reno",
            "reno",
            " reno",
            "reno\0x",
            "reno\nx",
            "renoreno",
            "nosuch_no",
            "reno#",
            "renorenorenoreno_no",
            "7",
        ])
        .to_owned()
}

fn number(random: &mut Random, key: &Key) -> String {
    let [low, high] = key.accepted.unwrap_or([i64::from(i32::MIN), i64::from(i32::MAX)]);
    let within = |random: &mut Random| {
        let width = u64::try_from(i128::from(high) - i128::from(low)).unwrap_or(u64::MAX).min(1 << 20);
        i128::from(low) + random.below(usize::try_from(width).unwrap() + 1) as i128
    };
    let number = match random.below(12) {
        0 => i128::from(low),
        1 => i128::from(high),
        2 => i128::from(low) - 1,
        3 => i128::from(high) + 1,
        4 => i128::from(random.below(4) as u32) - 1,
        5 => 1 << 32,
        _ => within(random),
    };
    let (sign, magnitude) = (if number < 0 { "-" } else { "" }, number.unsigned_abs());
    match random.below(12) {
        0 => format!("{sign}0x{magnitude:x}"),
        1 => format!("{sign}0X{magnitude:X}"),
        2 => format!("{sign}0{magnitude:o}"),
        3 => format!("{sign}0{magnitude}"),
        4 => format!("{sign}{magnitude}{}", random.one(&["k", "K", "s", "%", ".", "_", "x", "f"])),
        _ => format!("{sign}{magnitude}"),
    }
}
