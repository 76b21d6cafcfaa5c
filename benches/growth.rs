//! What more of everything costs: rules, findings, runs of the history, configuration files.
//!
//! `cargo bench --bench growth [-- KIND...]`, as root. Kinds are `rules`, `findings`, `files`, `queries` and `agent`; without arguments
//! all of them. With `SYSCTL_ADVISOR_WRITE=1` a run of all kinds also writes docs/pictures/growth.svg.
//!
//! Everything is run by the real binary, in a network and a mount namespace of the benchmark's own. The commands of a kind run in turn at
//! each size, several rounds in one go. A table in Markdown has the medians of the CPU time, user and system, and the most memory.
//!
//! The shipped rules are always loaded. Rules are the files that `rules new` writes; they find nothing. Findings are those of
//! ten rules for each of up to 1,000 real listeners, of which a snapshot is audited. A history is filled by the code that the
//! agent uses, with runs an hour apart; it is kept for ten years, and once more within the default limits.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints what it measured")]

mod grown;
mod measure;
mod plot;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use grown::Seen;
use measure::{Result, Sample, Way, measure, medians, way};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use plot::Panel;
use sysctl_advisor::agent::previous::LAST_SNAPSHOT;

const ROUNDS: usize = 7;
const RULES: [usize; 4] = [10, 100, 500, 2_000];
const FINDINGS: [usize; 4] = [10, 100, 1_000, 10_000];
const FILES: [usize; 3] = [10, 100, 2_000];
/// 8,760 hours are a year.
const RUNS: [usize; 5] = [1, 100, 1_000, 8_760, 10_000];
const KINDS: [&str; 5] = ["rules", "findings", "files", "queries", "agent"];
/// Days: as good as for ever, and the default.
const LONG: u64 = 3_650;
const DEFAULT: u64 = 90;
const WINDOW: &str = "100ms";
/// A run of the agent begins its window at the previous one, if that is older than ten seconds.
const APART: Duration = Duration::from_secs(11);
const KEEPS_ALL: &str = "`agent`, all of it kept";
const KEEPS_DEFAULT: &str = "`agent`, default limits";
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/pictures/growth.svg");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["measure", ..] => measure(&words[1..]),
        ["add", state, days, check] => grown::add(state, days, check),
        _ => each(&words),
    };
    measure::exit(&outcome)
}

fn each(kinds: &[&str]) -> Result<()> {
    let kinds = if kinds.is_empty() { &KINDS } else { kinds };
    let folder = tempfile::Builder::new().prefix("growth").tempdir_in("/dev/shm")?;
    let place = Place::enter(folder.path())?;
    let panels = kinds.iter().map(|kind| match *kind {
        "rules" => rules(&place),
        "findings" => findings(&place),
        "files" => files(&place),
        "queries" => queries(&place),
        "agent" => agent(&place),
        _ => Err(format!("expected one of {}, not `{kind}`", KINDS.join(", ")).into()),
    });
    let panels: Vec<Panel> = panels.collect::<Result<_>>()?;
    if std::env::var_os("SYSCTL_ADVISOR_WRITE").is_some() && kinds == KINDS {
        fs::write(PICTURE, plot::svg(&panels)?)?;
    }
    Ok(())
}

/// Where the benchmark is: namespaces and a folder of its own.
struct Place<'a> {
    folder: &'a Path,
    myself: String,
}

impl<'a> Place<'a> {
    fn enter(folder: &'a Path) -> Result<Self> {
        let apart = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
        unshare(apart).map_err(|error| format!("this needs root for namespaces of its own: {error}"))?;
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status()?;
        if !up.success() {
            return Err(format!("ip link set lo up: {up}").into());
        }
        let place = Self { folder, myself: std::env::current_exe()?.display().to_string() };
        for days in [LONG, DEFAULT] {
            let gauges = place.at("gauges.prom");
            // Other namespaces are not ours to look at, nor is the machine's journal ours to write.
            let agent = format!("netns = \"current\"\njournal = false\ntextfile = {gauges:?}\nkeep = \"{days}d\"\n");
            fs::write(place.config(days), format!("[rules]\nfolders = []\n[agent]\n{agent}"))?;
        }
        Ok(place)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn config(&self, days: u64) -> PathBuf {
        self.at(&format!("keep-{days}.toml"))
    }

    /// A command line of the program, without the machine's configuration.
    fn advisor(&self, days: u64, words: &[&str]) -> Vec<String> {
        let config = self.config(days).display().to_string();
        let command = [env!("CARGO_BIN_EXE_sysctl-advisor"), "--config", &config];
        command.iter().chain(words).map(|word| (*word).to_owned()).collect()
    }

    /// An audit, without a history unless the words name one.
    fn audit(&self, words: &[&str]) -> Vec<String> {
        let nothing = self.at("nothing").display().to_string();
        self.advisor(LONG, &[&["audit", "--window", WINDOW, "--state-dir", &nothing], words].concat())
    }
}

/// A command by its name, and its words at a size.
type Grown<'a> = (&'a str, Box<dyn Fn(usize) -> Vec<String> + 'a>);

/// Runs each command at each size, and prints a line for each command. `prepare` is called with the command and the size.
fn grow(
    title: &str,
    of: &'static str,
    sizes: &[usize],
    commands: &[Grown<'_>],
    prepare: impl Fn(&str, usize) -> Result<()>,
) -> Result<Panel> {
    let at_each = |(name, words): &Grown<'_>| sizes.iter().map(|size| way(name, &words(*size))).collect::<Vec<_>>();
    let ways: Vec<Way> = commands.iter().flat_map(at_each).collect();
    let medians = medians(&ways, ROUNDS, |number| prepare(&ways[number].0, sizes[number % sizes.len()]))?;
    println!("\n{title}: CPU time and peak memory, median of {ROUNDS}\n");
    println!("| {of} | {} |", cells(sizes, usize::to_string));
    println!("|---|{}", "---|".repeat(sizes.len()));
    let mut lines = Vec::new();
    for ((name, _), samples) in commands.iter().zip(medians.chunks(sizes.len())) {
        let cell = |sample: &Sample| format!("{:.1} ms, {:.1} MiB", sample.cpu_ms, sample.peak_mib());
        println!("| {name} | {} |", cells(samples, cell));
        let points = sizes.iter().zip(samples).map(|(size, sample)| (*size as f64, sample.cpu_ms));
        lines.push(((*name).to_owned(), points.collect()));
    }
    Ok(Panel { title: title.to_owned(), of, lines })
}

fn cells<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(" | ")
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn nothing(_: &str, _: usize) -> Result<()> {
    Ok(())
}

fn rules(place: &Place<'_>) -> Result<Panel> {
    for count in RULES {
        grown::rules(place.folder, count)?;
    }
    let folder = |count: usize| text(&place.at(&format!("rules-{count}")));
    let commands: [Grown<'_>; 2] = [
        ("`audit --rules`", Box::new(|count| place.audit(&["--rules", &folder(count)]))),
        ("`rules check`", Box::new(|count| place.advisor(LONG, &["rules", "check", &folder(count)]))),
    ];
    grow("Rules of an administrator", "rules", &RULES, &commands, nothing)
}

fn findings(place: &Place<'_>) -> Result<Panel> {
    let rules = text(&grown::firing_rules(place.folder)?);
    for count in FINDINGS {
        grown::snapshot(place.folder, count)?;
    }
    let audit = |count: usize, format: &str| {
        let file = text(&place.at(&format!("findings-{count}.json")));
        let nothing = text(&place.at("nothing"));
        let words = ["--rules", &rules, "--format", format, "--state-dir", &nothing];
        place.advisor(LONG, &[&["audit", "--snapshot", file.as_str()], &words[..]].concat())
    };
    let commands: [Grown<'_>; 2] = [
        ("`audit`", Box::new(|count| audit(count, "text"))),
        ("`audit --format json`", Box::new(|count| audit(count, "json"))),
    ];
    grow("Findings of one audit", "findings", &FINDINGS, &commands, nothing)
}

fn files(place: &Place<'_>) -> Result<Panel> {
    for count in FILES {
        grown::tree(place.folder, count)?;
    }
    // The files of the machine's own packages are not counted.
    let empty = place.at("empty");
    fs::create_dir(&empty)?;
    bind(&empty, "/usr/lib/sysctl.d")?;
    bind(&empty, "/etc/sysctl.d")?;
    let tree = |count: usize| place.at(&format!("tree-{count}"));
    let lint = |count: usize| {
        let names = (0..count).map(|number| text(&grown::file(&tree(count), number)));
        let lint = place.advisor(LONG, &["lint", "--fail-on", "never"]);
        lint.into_iter().chain(names).collect()
    };
    let drift = ["--netns", "none", "--root"];
    let commands: [Grown<'_>; 3] = [
        ("`audit`", Box::new(|_| place.audit(&[]))),
        (
            "`drift --root`",
            Box::new(|count| place.advisor(LONG, &[&["drift"], &drift[..], &[&text(&tree(count))]].concat())),
        ),
        ("`lint`", Box::new(lint)),
    ];
    grow("Files of sysctl.d", "files", &FILES, &commands, |name, count| {
        umount2("/etc/sysctl.d", MntFlags::empty())?;
        let files = if name == "`audit`" { tree(count).join("etc/sysctl.d") } else { empty.clone() };
        bind(&files, "/etc/sysctl.d")
    })
}

fn bind(folder: &Path, over: &str) -> Result<()> {
    mount(Some(folder), over, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .map_err(|error| format!("{over}: {error}"))?;
    Ok(())
}

/// The state directory of a history that is kept for so many days.
fn state(place: &Place<'_>, days: u64, runs: usize) -> PathBuf {
    place.at(&format!("state-{days}-{runs}"))
}

/// Fills the histories, once, and prints their sizes.
fn histories(place: &Place<'_>) -> Result<()> {
    if state(place, LONG, RUNS[0]).exists() {
        return Ok(());
    }
    let seen = Seen::new()?;
    println!(
        "\nSize of the history\n\n| runs | {} |\n|---|{}",
        cells(&RUNS, usize::to_string),
        "---|".repeat(RUNS.len())
    );
    for days in [LONG, DEFAULT] {
        let mut sizes = Vec::new();
        for runs in RUNS {
            let state = state(place, days, runs);
            seen.state(&state, runs, &grown::retention(days))?;
            sizes.push(grown::size(&state)?);
        }
        println!("| kept for {days} days | {} |", cells(&sizes, |bytes| format!("{} KiB", bytes / 1024)));
    }
    Ok(())
}

fn queries(place: &Place<'_>) -> Result<Panel> {
    histories(place)?;
    let always = format!("{LONG}d");
    let rule = Seen::new()?.audit().findings.first().ok_or("the snapshot has no finding")?.rule.clone();
    let forms = [
        ("`history`", vec!["history"]),
        ("`history RULE`", vec!["history", &rule]),
        ("`history --format html`", vec!["history", "--format", "html"]),
        ("`history --format json`", vec!["history", "--format", "json"]),
        ("`history --since 30d TIME_WAIT`", vec!["history", "--since", "30d", "TIME_WAIT"]),
        ("all of it: `history`", vec!["history", "--since", &always]),
        ("all of it: `TIME_WAIT`", vec!["history", "--since", &always, "TIME_WAIT"]),
        ("all of it: `--format html`", vec!["history", "--since", &always, "--format", "html"]),
        ("all of it: `--format json`", vec!["history", "--since", &always, "--format", "json"]),
    ];
    let commands = forms.iter().map(|(name, words)| -> Grown<'_> {
        let of = |runs| place.advisor(LONG, &[&words[..], &["--state-dir", &text(&state(place, LONG, runs))]].concat());
        (name, Box::new(of))
    });
    grow("Queries of the history", "runs", &RUNS, &commands.collect::<Vec<_>>(), nothing)
}

fn agent(place: &Place<'_>) -> Result<Panel> {
    histories(place)?;
    let agent = |days: u64, runs: usize| {
        place.advisor(days, &["agent", "--window", WINDOW, "--state-dir", &text(&state(place, days, runs))])
    };
    let previous = |days, runs| state(place, days, runs).join("agent").join(LAST_SNAPSHOT);
    let kept = |days, runs| state(place, days, runs).join("previous.json");
    for (days, runs) in [LONG, DEFAULT].into_iter().flat_map(|days| RUNS.map(|runs| (days, runs))) {
        Sample::take(&agent(days, runs))?;
        fs::copy(previous(days, runs), kept(days, runs))?;
    }
    std::thread::sleep(APART);
    let add = |runs: usize, check: &str| {
        let state = text(&state(place, LONG, runs));
        [&place.myself, "add", &state, &LONG.to_string(), check].map(str::to_owned).to_vec()
    };
    let commands: [Grown<'_>; 6] = [
        ("`audit`", Box::new(|_| place.audit(&[]))),
        (KEEPS_ALL, Box::new(|runs| agent(LONG, runs))),
        (KEEPS_DEFAULT, Box::new(|runs| agent(DEFAULT, runs))),
        ("the library adds a run", Box::new(|runs| add(runs, "when due"))),
        ("the same as every 24th run", Box::new(|runs| add(runs, "whole"))),
        ("the same without adding it", Box::new(|runs| add(runs, "none"))),
    ];
    grow("The agent", "runs", &RUNS, &commands, |name, runs| {
        for (agent, days) in [(KEEPS_ALL, LONG), (KEEPS_DEFAULT, DEFAULT)] {
            if name == agent {
                fs::copy(kept(days, runs), previous(days, runs))?;
            }
        }
        Ok(())
    })
}
