//! `drift`: what the files say, what a boot would do, what is in force, and why they differ.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};

use super::args::Format;
use super::exit::{Exit, Failure, Outcome};
use super::output::{self, Terminal};
use crate::drift::model::{Drift, KeyDrift};
use crate::drift::{self, Facts, glob, key};
use crate::host::Host;
use crate::host::netns::{self, Which};
use crate::host::rehearse::Answer;
use crate::observe::gap::Gap;
use crate::observe::persisted::{self, Loader};
use crate::observe::{surroundings, sysctls, system};
use crate::report;
use crate::report::drift::View;
use crate::report::theme::Theme;
use crate::snapshot::take;

/// What the files say, what a boot would do, what is in force, and why they differ.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sysctl-advisor drift                              everything that is not in sync
  sysctl-advisor drift net.ipv4.tcp_rmem            one key: who sets it, what it shadows
  sysctl-advisor drift 'net.ipv4.conf.*'            keys by pattern
  sysctl-advisor drift --loader procps              as `sysctl --system` would load the files
  sysctl-advisor drift --root /mnt --netns none     what an image would set at boot

Status of a key: not_in_force, dead (no such key), invalid (the kernel refuses the value), wrong_scope (not
this namespace's to set), runtime_only (a boot would not bring it back), unread, in_sync.")]
pub(super) struct DriftArgs {
    /// Keys, or patterns with `*`; none: all
    #[arg(value_name = "KEY|GLOB")]
    keys: Vec<String>,
    /// Read the files of another root, as of an image; its own proc/sys is compared if it has one
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Resolve as this loader does [default: the one that the system boots with]
    #[arg(long, value_name = "LOADER")]
    loader: Option<LoaderArg>,
    /// Network namespace whose values are compared: current, a name as of `ip netns`, the number of a process in it, or
    /// none (only what a boot would set)
    #[arg(long, value_name = "WHICH", default_value = "current", value_parser = which)]
    netns: NetnsArg,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Write the report to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with code 10 when a key is not in sync
    #[arg(long, alias = "fail-on")]
    fail_on_drift: bool,
    /// Do not try values in a scratch network namespace
    #[arg(long)]
    no_rehearsal: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LoaderArg {
    Systemd,
    Procps,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum NetnsArg {
    /// One.
    Of(Which),
    /// Nothing is compared.
    None,
}

fn which(text: &str) -> Result<NetnsArg, String> {
    match text {
        "" | "all" => Err("current, none, a name or the number of a process is wanted: one at a time".to_owned()),
        "none" => Ok(NetnsArg::None),
        _ => text.parse().map(NetnsArg::Of),
    }
}

pub(super) fn run(args: &DriftArgs, terminal: &Terminal) -> Outcome {
    let root = root(args.root.as_deref()).map_err(Failure::usage)?;
    let files = root.as_deref().map_or_else(Host::live, Host::recorded);
    // A captured tree brings the values along; an image without them is held against the kernel that runs here.
    let own_values = root.as_deref().is_some_and(|root| root.join("proc/sys/net").is_dir());
    let running = if own_values { files.clone() } else { Host::live() };

    let (persisted, mut gaps) = persisted::read(&files);
    // Only what is read of the kernel from here on is the namespace's; files are the machine's.
    let place = match &args.netns {
        NetnsArg::Of(which) => netns::resolve(which)?.places.into_iter().next(),
        NetnsArg::None => None,
    };
    if let Some(place) = &place {
        place.enter()?;
    }
    let compared = args.netns != NetnsArg::None;
    let sysctls = compared.then(|| sysctls::read(&running));
    let (sysctls, sysctl_gaps) = sysctls.map_or((None, Vec::new()), |(values, gaps)| (Some(values), gaps));
    gaps.extend(sysctl_gaps);
    let (system, _) = system::read(&running);
    let none = sysctls::Sysctls::new();
    let mut around = surroundings::read(&running, &persisted, sysctls.as_ref().unwrap_or(&none));
    if root.is_some() {
        // When another root's files were written says nothing about what this kernel has loaded.
        around.changed_at.clear();
        around.loader_ran_at = None;
    }
    let mut identity = take::identity(&running, sysctls.as_ref().unwrap_or(&none));
    if let Some(place) = place.filter(|place| !place.is_here() && !identity.initial) {
        identity.name = place.name;
    }
    if compared && sysctls.as_ref().is_some_and(sysctls::Sysctls::is_empty) {
        return Err(Exit::Unobservable.because(anyhow!("no sysctl of this namespace could be read")));
    }
    let facts = Facts {
        persisted: &persisted,
        sysctls: sysctls.as_ref(),
        surroundings: &around,
        system: &system,
        initial: identity.initial,
    };
    let loader = args.loader.map_or_else(|| drift::loader_of(&persisted), LoaderArg::loader);
    let resolution = drift::resolution(&facts, loader);
    let asked = compared && !own_values && !args.no_rehearsal;
    let rehearsed = if asked { rehearse(&facts, &resolution, &mut gaps) } else { BTreeMap::new() };
    let mut drift = drift::run(&facts, resolution, &rehearsed);
    select(&mut drift, &facts, &args.keys);

    let view = View {
        drift: &drift,
        persisted: &persisted,
        root: args.root.as_deref().unwrap_or(Path::new("/")).display().to_string(),
        namespace: compared.then_some(identity.name.as_str()),
        own_values: own_values || root.is_none(),
        gaps: &gaps,
        all: !args.keys.is_empty(),
    };
    let theme = if args.output.is_some() { Theme::plain() } else { terminal.theme() };
    let text = match args.format {
        Format::Json => report::drift::json(&view)?,
        Format::Text => report::drift::text(&view, &theme),
    };
    output::deliver(&text, args.output.as_deref())?;
    let drifted = drift.keys.iter().any(|key| key.status.is_drift());
    Ok(if args.fail_on_drift && drifted { Exit::Found.code() } else { ExitCode::SUCCESS })
}

impl LoaderArg {
    const fn loader(self) -> Loader {
        match self {
            Self::Systemd => Loader::Systemd,
            Self::Procps => Loader::Procps,
        }
    }
}

/// The other root; `None` for `/` itself.
fn root(named: Option<&Path>) -> anyhow::Result<Option<PathBuf>> {
    let Some(named) = named else { return Ok(None) };
    let root = named.canonicalize().with_context(|| format!("--root {}", named.display()))?;
    if !root.is_dir() {
        return Err(anyhow!("--root {}: this is not a directory", named.display()));
    }
    Ok((root != Path::new("/")).then_some(root))
}

/// Asks the kernel about the values, where one of them is not in force.
fn rehearse(facts: &Facts<'_>, resolution: &drift::model::Resolution, gaps: &mut Vec<Gap>) -> BTreeMap<String, Answer> {
    let trials = drift::trials(resolution);
    let differs = |trial: &drift::Trial| {
        let in_force = facts.sysctls.and_then(|sysctls| sysctls.get(&trial.key));
        in_force.is_some_and(|text| !drift::value::same(&trial.key, text, &trial.value))
    };
    if !trials.iter().any(differs) {
        return BTreeMap::new();
    }
    let lines: Vec<_> = trials.iter().map(|trial| (trial.path.clone(), trial.value.clone())).collect();
    match super::rehearse::ask(&lines) {
        Ok(answers) => trials.into_iter().map(|trial| trial.key).zip(answers).collect(),
        Err(error) => {
            let why = format!("whether the kernel takes the files' values was not tried: {error}");
            gaps.push(Gap { what: "rehearsal".to_owned(), why });
            BTreeMap::new()
        }
    }
}

/// Keeps the keys that were named, in any spelling, and the problems of their lines. A key that is named and that
/// nothing has touched is added, so that the question has an answer.
fn select(drift: &mut Drift, facts: &Facts<'_>, wanted: &[String]) {
    if wanted.is_empty() {
        return;
    }
    // Both as paths below /proc/sys, so that no separator is taken for another.
    let patterns: Vec<String> = wanted.iter().map(|typed| key::path(typed, Loader::Systemd)).collect();
    let is_wanted = |name: &str| patterns.iter().any(|pattern| glob::matches(pattern, &key::to_path(name)));
    for typed in wanted.iter().filter(|typed| !key::is_glob(typed)) {
        let name: &str = &key::normal(typed);
        if drift.keys.iter().any(|drift| drift.key == name) {
            continue;
        }
        match facts.sysctls.and_then(|sysctls| sysctls.get(name)) {
            Some(text) => drift.keys.push(KeyDrift::untouched(name, text)),
            None => tracing::warn!("no file sets {name}, and it has no value here"),
        }
    }
    drift.keys.retain(|drift| is_wanted(&drift.key));
    let lines: Vec<(&str, u32)> = drift
        .keys
        .iter()
        .flat_map(|key| key.boot.iter().chain(&key.shadowed))
        .map(|line| (line.file.as_str(), line.line))
        .collect();
    drift.problems.retain(|problem| lines.contains(&(problem.file.as_str(), problem.line)));
}
