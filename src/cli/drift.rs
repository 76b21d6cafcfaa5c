//! `drift`: what the files say, what a boot would do, what is in force, and why they differ.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};

use super::args::{Format, Global, RemarkFormat, RuleArgs};
use super::exit::{Exit, Failure, Outcome, as_check};
use super::output::{self, Terminal};
use crate::config::{Config, ConfigError};
use crate::declared::{Declared, Group};
use crate::drift::model::Drift;
use crate::drift::select::select;
use crate::host::netns::Which;
use crate::keys;
use crate::observe::persisted::{Loader, Persisted};
use crate::observe::sysctls::Sysctls;
use crate::report;
use crate::report::drift::DriftPage;
use crate::report::remarks;
use crate::report::theme::Theme;
use crate::session;
use crate::session::drift::{Scene, Target};
use crate::session::lint;
use crate::session::review::{BootFinding, review, without_repetition};
use crate::suggest::nearest_name;

/// Compare the values that files set with the effective values, and explain each difference.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sysctl-advisor drift                           all keys that are not in sync
  sysctl-advisor drift net.ipv4.tcp_rmem         one key: which file sets it
  sysctl-advisor drift 'net.ipv4.conf.*'         keys by pattern
  sysctl-advisor drift --loader procps           as `sysctl --system` loads them
  sysctl-advisor drift --when now                what a run of the loader by hand would set
  sysctl-advisor drift --root /mnt --netns none  what an image would set at boot
  sysctl-advisor drift --file 90-tuning.conf     review one file
  sysctl-advisor drift --against web.yml         values that Ansible would set
  sysctl-advisor drift --snapshot host.json      a saved state of any host

Status of a key: not_in_force (the kernel has another value than the file), dead (the key does not exist), invalid \
(the kernel rejects the value), wrong_scope (this network namespace cannot set the key), runtime_only (no file sets \
the value, so a reboot reverts it), unread (the value cannot be read), in_sync.

With --format nagios the exit codes are those of a Nagios plugin: 0 OK, 1 warning, 2 critical, 3 unknown. \
--fail-on-drift has no effect.")]
pub(super) struct DriftArgs {
    /// Keys, or patterns with `*` [default: all keys]
    #[arg(value_name = "KEY|GLOB")]
    keys: Vec<String>,
    /// Compare the files and values of this snapshot instead of the running host (`-`: standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["root", "netns"])]
    snapshot: Option<PathBuf>,
    /// Read the files under another root, such as an image. If it has a proc/sys, its values are compared
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Review this file alone: what it would set here, what is wrong with it, and what the rules say of its values. Can be
    /// repeated
    #[arg(long = "file", value_name = "FILE", conflicts_with_all = ["root", "snapshot"])]
    files: Vec<PathBuf>,
    /// Compare the values that a file of Ansible, Puppet, Salt, Kubernetes and others declares (see `lint --help`) with the
    /// effective ones: what it would change here, what is wrong with it, and what the audit recommends instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["root", "files", "loader"])]
    against: Option<PathBuf>,
    /// Only the values at this place of the file of --against, such as `spec.securityContext.sysctls`
    #[arg(long, value_name = "PLACE", requires = "against")]
    at: Option<String>,
    /// Load the files as this loader does: systemd-sysctl or `sysctl --system` of procps [default: the loader that this
    /// system uses]
    #[arg(long, value_name = "LOADER")]
    loader: Option<LoaderArg>,
    /// When the loader runs: at the next boot, or now by hand, with the interfaces and values as they are
    #[arg(long, value_name = "WHEN", default_value = "boot", conflicts_with_all = ["root", "snapshot"])]
    when: WhenArg,
    /// Network namespace to compare with: current, a name from `ip netns`, the PID of a process in it, or none (show only
    /// what a boot would set)
    #[arg(long, value_name = "WHICH", default_value = "current", value_parser = which)]
    netns: NetnsArg,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = RemarkFormat::parser(Format::value_variants()))]
    format: RemarkFormat,
    /// Write the report to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with code 10 if a key is not in sync; in a review (--file, --netns none), if there is any remark
    #[arg(long, alias = "fail-on")]
    fail_on_drift: bool,
    /// Do not try values in a scratch network namespace
    #[arg(long)]
    no_rehearsal: bool,
    #[command(flatten)]
    rules: RuleArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LoaderArg {
    Systemd,
    Procps,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WhenArg {
    Boot,
    Now,
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
        "" | "all" => Err("expected one network namespace: current, none, a name or the PID of a process".to_owned()),
        "none" => Ok(NetnsArg::None),
        _ => text.parse().map(NetnsArg::Of),
    }
}

pub(super) fn run(
    args: &DriftArgs,
    global: &Global,
    config: impl FnOnce() -> Result<Config, ConfigError>,
    terminal: &Terminal,
) -> Outcome {
    let outcome = config().map_err(Failure::from).and_then(|config| report(args, global, &config, terminal));
    if args.format.is_check() { as_check(outcome) } else { outcome }
}

fn report(args: &DriftArgs, global: &Global, config: &Config, terminal: &Terminal) -> Outcome {
    let root = root(args.root.as_deref()).map_err(Failure::usage)?;
    let declared = args.against.as_deref().map(|file| Against::read(file, args.at.as_deref())).transpose()?;
    let files = args.files.iter().map(|file| Ok(std::path::absolute(file)?.display().to_string()));
    let mut files: Vec<String> = files.collect::<anyhow::Result<_>>().map_err(Failure::usage)?;
    files.extend(declared.as_ref().map(|declared| declared.document.file.clone()));
    let now = args.when == WhenArg::Now;
    if now && args.netns.which().is_none() {
        return Err(Failure::usage(anyhow!(
            "--when now needs the values of a network namespace: leave out --netns none"
        )));
    }
    let snapshot = args.snapshot.as_deref().map(|file| session::read(file).map(|snapshot| (file, snapshot)));
    let snapshot = snapshot.transpose()?;
    let scene = match &snapshot {
        Some((file, snapshot)) => Scene::of_snapshot(snapshot, file).map(|scene| match &declared {
            Some(declared) => scene.with_files(declared.alone()),
            None => scene,
        }),
        None => Scene::of_host(&Target {
            root: root.as_deref(),
            files: &files,
            declared: declared.as_ref().map(Against::alone).as_ref(),
            which: args.netns.which(),
            now,
        }),
    };
    let mut scene = scene?;
    let mut drift = scene.compare(args.loader.map(LoaderArg::loader), !args.no_rehearsal);
    if !files.is_empty() {
        drift.keys.retain(|key| key.boot.is_some());
    }
    let criteria = super::session::criteria(config, &args.rules, terminal)?;
    let observed = match (&declared, &snapshot, args.netns.which()) {
        (Some(_), None, Some(which)) => Some(super::session::judged_in(which, &criteria, global, config)?),
        _ => None,
    };
    let stored = snapshot.as_ref().map(|(_, snapshot)| snapshot).filter(|_| declared.is_some());
    let mut review = review(&scene, &drift, &criteria, observed.as_ref().or(stored));
    without_repetition(&mut drift, &review);
    if let Some(declared) = &declared {
        declared.show_places(&mut scene.persisted, &mut drift, &mut review);
    }
    for name in select(&mut drift, scene.sysctls.as_ref(), &args.keys) {
        let known = scene.sysctls.iter().flat_map(Sysctls::keys).map(String::as_str);
        let known = known.chain(keys::catalogue().names());
        let near = nearest_name(&name, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        tracing::warn!("no file sets {name}, and this system has no value for it{near}");
    }

    review.retain(|finding| finding.lines.iter().any(|(key, _)| drift.keys.iter().any(|kept| kept.key == *key)));
    let view = DriftPage {
        drift: &drift,
        persisted: &scene.persisted,
        root: args.root.as_deref().unwrap_or(Path::new("/")).display().to_string(),
        files: &files,
        namespace: scene.namespace.as_deref(),
        own_values: scene.own_values,
        snapshot: snapshot.as_ref().map(|(_, snapshot)| snapshot),
        gaps: &scene.gaps,
        is_boot: scene.moment().is_boot(),
        review: &review,
        system: scene.system(),
        declared: declared.is_some(),
        all: !args.keys.is_empty(),
    };
    let theme = if args.output.is_some() { Theme::plain() } else { terminal.theme() };
    let usual = code(args, &view);
    let file = args.output.as_deref();
    match args.format {
        RemarkFormat::Own(Format::Json) => output::deliver(&report::drift::json(&view)?, file)?,
        RemarkFormat::Own(Format::Text) => output::deliver(&report::drift::text(&view, &theme), file)?,
        RemarkFormat::Shared(format) => {
            let named: Vec<PathBuf> = args.files.iter().chain(&args.against).cloned().collect();
            let remarks = remarks::of_drift(&view, &named);
            output::stream(file, |output| format.write(&remarks, output))?;
            if remarks::is_check(format) {
                return Ok(ExitCode::from(remarks::state_of(&remarks).number()));
            }
        }
    }
    Ok(usual)
}

/// A document, and the values in it that are compared.
struct Against {
    document: Declared,
    group: Group,
}

impl Against {
    fn read(file: &Path, place: Option<&str>) -> Result<Self, Failure> {
        let document = lint::read(file, None)?;
        let group = document.at(place)?;
        Ok(Self { document, group })
    }

    fn alone(&self) -> Persisted {
        lint::alone(&self.document, &self.group)
    }

    /// The places of the document itself, and what is wrong with its writing.
    fn show_places(&self, persisted: &mut Persisted, drift: &mut Drift, review: &mut [BootFinding]) {
        lint::in_document(&self.group, drift, review);
        drift.problems.extend(self.document.problems.iter().cloned());
        drift.problems.sort();
        for file in &mut persisted.files {
            file.text = Some(self.document.text.clone());
        }
    }
}

/// The exit code by `--fail-on-drift`.
fn code(args: &DriftArgs, view: &DriftPage<'_>) -> ExitCode {
    let DriftPage { drift, review, .. } = view;
    let drifted = drift.keys.iter().any(|key| view.is_wrong(key.status));
    let objected = view.is_review() && !(drift.problems.is_empty() && review.is_empty());
    if args.fail_on_drift && (drifted || objected) { Exit::Found.code() } else { ExitCode::SUCCESS }
}

impl NetnsArg {
    const fn which(&self) -> Option<&Which> {
        match self {
            Self::Of(which) => Some(which),
            Self::None => None,
        }
    }
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
