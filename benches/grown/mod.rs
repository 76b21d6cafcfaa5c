//! Folders and files that grow: rules, findings, a history, configuration files.
//!
//! In: a folder of the benchmark's own, and how many. Out: what is in it then. Must not: write SQL, or anything outside of the folder.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use sysctl_advisor::audit::model::Audit;
use sysctl_advisor::audit::{self, waivers::Waivers};
use sysctl_advisor::history::{DATABASE, HoldOff, Retention, Run, Sample, Store, samples};
use sysctl_advisor::rules::set::RuleSet;
use sysctl_advisor::session;
use sysctl_advisor::snapshot::Snapshot;

use crate::measure::Result;

const STARTER: &str = include_str!("../../src/rules/starter.toml");
const QUIET: &str = "tcp.established >= params.sockets\n";
const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/ports.json");
/// Rules that fire for each listener.
pub(crate) const FIRING: usize = 10;
/// Of the listeners, below the ports that the kernel gives out.
const FIRST_PORT: u16 = 10_000;
const HOUR: i64 = 3600;
const DAY: usize = 24;
/// Between two boots.
const UPTIME: usize = 30 * DAY;
/// Keys that files of many packages set.
const KEYS: [(&str, &str); 8] = [
    ("net.core.somaxconn", "4096"),
    ("net.core.netdev_max_backlog", "2000"),
    ("net.ipv4.tcp_max_syn_backlog", "4096"),
    ("net.ipv4.tcp_fin_timeout", "60"),
    ("net.ipv4.tcp_keepalive_time", "7200"),
    ("net.ipv4.ip_local_port_range", "32768 60999"),
    ("net.ipv4.tcp_syncookies", "1"),
    ("net.ipv4.tcp_timestamps", "1"),
];

/// Rule files that `rules new` would write, which find nothing on an idle host.
pub(crate) fn rules(folder: &Path, count: usize) -> Result<PathBuf> {
    rule_files(&folder.join(format!("rules-{count}")), count, STARTER)
}

/// Rules of which each has a finding for each listener.
pub(crate) fn firing_rules(folder: &Path) -> Result<PathBuf> {
    let text = STARTER.replacen("for_each = \"namespace\"", "for_each = \"listener\"", 1);
    rule_files(&folder.join("firing"), FIRING, &text.replacen(QUIET, &format!("listener.port > 0 || {QUIET}"), 1))
}

fn rule_files(folder: &Path, count: usize, text: &str) -> Result<PathBuf> {
    let text = text.replace("<version>", env!("CARGO_PKG_VERSION"));
    fs::create_dir(folder)?;
    for number in 0..count {
        fs::write(folder.join(format!("grown-{number:05}.toml")), &text)?;
    }
    Ok(folder.to_owned())
}

/// The snapshot of a namespace with so many findings: a listening socket for each ten.
pub(crate) fn snapshot(folder: &Path, findings: usize) -> Result<PathBuf> {
    let last = FIRST_PORT + u16::try_from(findings / FIRING)?;
    let listeners: Vec<TcpListener> =
        (FIRST_PORT..last).map(|port| TcpListener::bind(("127.0.0.1", port))).collect::<std::io::Result<_>>()?;
    let file = folder.join(format!("findings-{findings}.json"));
    let command = ["snapshot", "--window", "100ms", "--output"];
    let status = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor")).args(command).arg(&file).status()?;
    drop(listeners);
    if status.success() { Ok(file) } else { Err(format!("snapshot: {status}").into()) }
}

/// A tree whose etc/sysctl.d has so many files: each sets a key that others set too, and one of an interface of its own.
pub(crate) fn tree(folder: &Path, count: usize) -> Result<PathBuf> {
    let tree = folder.join(format!("tree-{count}"));
    fs::create_dir_all(tree.join("etc/sysctl.d"))?;
    for number in 0..count {
        let (key, value) = KEYS[number % KEYS.len()];
        let text = format!("# Package {number}\n{key} = {value}\nnet.ipv4.conf.grown{number}.rp_filter = 2\n");
        fs::write(file(&tree, number), text)?;
    }
    Ok(tree)
}

pub(crate) fn file(tree: &Path, number: usize) -> PathBuf {
    tree.join(format!("etc/sysctl.d/{number:05}-grown.conf"))
}

/// What the runs of a history see: a stored snapshot, hour after hour.
pub(crate) struct Seen {
    snapshot: Snapshot,
    rules: RuleSet,
}

impl Seen {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { snapshot: session::read(Path::new(SNAPSHOT))?, rules: RuleSet::shipped() })
    }

    pub(crate) fn audit(&self) -> Audit<'_> {
        audit::run(&self.snapshot, &self.rules, &Waivers::default())
    }

    /// A state directory with a history of so many hours, the last one an hour ago.
    pub(crate) fn state(&self, state: &Path, runs: usize, retention: &Retention) -> Result<()> {
        fs::create_dir(state)?;
        let agent = state.join("agent");
        let (mut store, _) = Store::open(&agent)?;
        let audit = self.audit();
        let samples = samples::of(&self.snapshot, &self.rules);
        let begin = Timestamp::now().as_second() - i64::try_from(runs)? * HOUR;
        for hour in 0..runs {
            self.remember(&mut store, begin, hour, &audit, &samples)?;
            if hour % DAY == 0 {
                store.prune(retention)?;
            }
        }
        Ok(store.prune(retention)?)
    }

    /// Of the hours of a day the numbers differ, and each finding is there on every fourth day.
    fn remember(
        &self,
        store: &mut Store,
        begin: i64,
        hour: usize,
        audit: &Audit<'_>,
        samples: &[Sample],
    ) -> Result<()> {
        let mut snapshot = self.snapshot.clone();
        snapshot.taken_at = Timestamp::from_second(begin + i64::try_from(hour)? * HOUR)?.to_string();
        snapshot.system.boot_id = Some(format!("boot-{}", hour / UPTIME));
        let is_there = |number: usize| (hour / DAY + number).is_multiple_of(4);
        let findings = audit.findings.iter().enumerate().filter(|(number, _)| is_there(*number));
        let findings = findings.map(|(_, finding)| finding.clone()).collect();
        let wave = 1.0 + (hour % DAY) as f64 / 37.0;
        let value = |sample: &Sample| match sample.metric.starts_with("rate.") {
            true => (sample.value + 0.1) * wave,
            false => (sample.value * wave).round(),
        };
        let samples: Vec<Sample> = samples.iter().map(|it| Sample { value: value(it), ..it.clone() }).collect();
        let run = Run { rules: &self.rules, duration: Duration::from_millis(50) };
        let audit = Audit { snapshot: &snapshot, findings, ..audit.clone() };
        store.remember(&run, &audit, &samples, &HoldOff::default())?;
        let events: Vec<i64> = store.unpublished()?.iter().map(|event| event.id).collect();
        Ok(store.mark_published(&events)?)
    }
}

/// Adds a run to a history as the agent does: with `whole` as every 24th, which checks the whole file; with `none` everything but that.
pub(crate) fn add(state: &str, days: &str, check: &str) -> Result<()> {
    let seen = Seen::new()?;
    let (audit, samples) = (seen.audit(), samples::of(&seen.snapshot, &seen.rules));
    let agent = Path::new(state).join("agent");
    let (mut store, _) = match check {
        "none" => return Ok(()),
        "whole" => Store::open_whole(&agent)?,
        _ => Store::open(&agent)?,
    };
    let newest = store.newest()?.map_or(0, |(_, at)| at);
    seen.remember(&mut store, newest + HOUR, 0, &audit, &samples)?;
    Ok(store.prune(&retention(days.parse()?))?)
}

pub(crate) fn retention(days: u64) -> Retention {
    Retention { age: Duration::from_secs(days * 86_400), ..Retention::default() }
}

/// Bytes of the history in a state directory.
pub(crate) fn size(state: &Path) -> Result<u64> {
    Ok(fs::metadata(state.join("agent").join(DATABASE))?.len())
}
