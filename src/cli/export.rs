//! `export`: a plan in the form that another tool takes.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::args::Global;
use super::exit::{Exit, Failure, Outcome};
use super::output::{self, Terminal};
use super::planning::{self, Made, PlanningArgs};
use crate::config::Config;
use crate::drift::model::Assignment;
use crate::export::{self, DROP_IN, FORMATS, Format, Options, named};
use crate::plan::model::{LeftOut, Plan};
use crate::plan::store as plans;
use crate::session::proof::{self, Files, Loses};
use crate::text::printable;

/// Write a plan in the form that another tool takes.
///
/// Without PLAN, the program audits this host and makes a plan first. Nothing on this host is changed.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", styles()))]
pub(super) struct ExportArgs {
    /// The form of the result
    #[arg(value_name = "FORMAT", value_parser = formats())]
    format: &'static Format,
    /// A plan that `plan -o` wrote (`-`: standard input) [default: audit this host and make a plan]
    #[arg(value_name = "PLAN", conflicts_with_all = [
        "snapshot", "max_risk", "only", "except", "no_rehearse", "window", "netns", "rules", "param", "waivers", "state_dir"
    ])]
    plan: Option<PathBuf>,
    /// Write to this file, or under this folder if it is one, instead of standard output
    #[arg(short, long, value_name = "FILE|DIR")]
    output: Option<PathBuf>,
    /// Which form of the format; the list is below [default: the first one]
    #[arg(long, value_name = "STYLE")]
    style: Option<String>,
    /// The file under /etc/sysctl.d that the target gets
    #[arg(long, value_name = "FILE", default_value = DROP_IN, value_parser = drop_in)]
    drop_in: String,
    /// kubernetes: the version of the cluster, such as 1.29 [default: 1.37]
    #[arg(long, value_name = "VERSION", value_parser = kubernetes_minor)]
    kubernetes_version: Option<u32>,
    /// sysctl.d: check against the files under this root that the exported values win at boot [default: this host's files,
    /// if the plan is for this host]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Exit with code 0 if a part of the plan is left out; the warnings stay
    #[arg(long)]
    partial: bool,
    /// Exit with code 12 if the export changes something
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    planning: PlanningArgs,
}

const EXAMPLES: &str = "\
Examples:
  sysctl-advisor export sysctl.d                       audit, plan, print a drop-in
  sysctl-advisor export ansible --style play p.json    a playbook from a plan
  sysctl-advisor export sysctl.d plan.json -o image    write it under a root
  sysctl-advisor export sysctl-commands | sh           set the values until the next boot

The export has only what the plan changes, in its order. A second run of the other tool changes nothing. What the format \
cannot express is left out with a warning, and the exit code is 11 unless --partial is given.";

/// The styles of each format that has several, a line each.
fn styles() -> String {
    let several = FORMATS.iter().filter(|format| format.styles.len() > 1);
    let lines = several.map(|format| {
        let names: Vec<_> = format.styles.iter().map(|style| style.name).collect();
        format!("\n  {}: {}", format.name, names.join(", "))
    });
    format!("Values of --style; the first is the default:{}", lines.collect::<String>())
}

/// The formats, by name.
fn formats() -> impl TypedValueParser<Value = &'static Format> {
    let names = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.help));
    PossibleValuesParser::new(names).try_map(|name| named(&name))
}

/// The minor version: 29 of `1.29` or `v1.29.3`.
pub(super) fn kubernetes_minor(text: &str) -> Result<u32, String> {
    let rest = text.strip_prefix('v').unwrap_or(text).strip_prefix("1.");
    let minor = rest.and_then(|rest| rest.split('.').next()?.parse().ok());
    minor.ok_or_else(|| "expected a version such as 1.29".to_owned())
}

/// A path that both loaders read, and that means the same in every language that it is written into.
fn drop_in(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("/etc/sysctl.d/").unwrap_or_default();
    let is_name = name.ends_with(".conf")
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if is_name { Ok(text.to_owned()) } else { Err("expected a path such as /etc/sysctl.d/91-tcp.conf".to_owned()) }
}

pub(super) fn run(args: &ExportArgs, global: &Global, config: &Config, terminal: &Terminal) -> Outcome {
    let mut made = match &args.plan {
        Some(file) => Made { plan: plans::read(file)?, skipped: 0, broken: false },
        None => planning::make(&args.planning, global, config, terminal)?,
    };
    let asked = Asked {
        format: args.format,
        style: args.style.as_deref(),
        drop_in: &args.drop_in,
        kubernetes_minor: args.kubernetes_version,
        root: args.root.as_deref(),
    };
    let mut warnings: Vec<String> = made.plan.left_out.iter().map(not_planned).collect();
    let mut ready = ready(&mut made.plan, &asked)?;
    warnings.append(&mut ready.warnings);
    ready.missing.extend(deliver(&ready.files, args.output.as_deref())?);
    warnings.iter().chain(&ready.missing).for_each(|warning| tracing::warn!("{warning}"));
    if ready.files.is_empty() {
        tracing::info!("there is nothing to export");
    }
    let exit = made.exit(args.detailed_exitcode);
    let is_partial = !ready.missing.is_empty() && !args.partial && exit != Exit::Usage;
    Ok(if is_partial { Exit::Partial.code() } else { exit.code() })
}

/// In which form a plan is exported, and for which files.
pub(super) struct Asked<'a> {
    pub(super) format: &'static Format,
    pub(super) style: Option<&'a str>,
    pub(super) drop_in: &'a str,
    pub(super) kubernetes_minor: Option<u32>,
    pub(super) root: Option<&'a Path>,
}

/// A plan in the form of another tool.
pub(super) struct Ready {
    pub(super) files: Vec<export::Artefact>,
    /// Changes that are not needed.
    pub(super) warnings: Vec<String>,
    /// What the format cannot express, and what would not win at boot.
    pub(super) missing: Vec<String>,
}

/// Exports a plan. What the files of the host already make needless is taken out of it.
pub(super) fn ready(plan: &mut Plan, asked: &Asked<'_>) -> Result<Ready, Failure> {
    let mut files = if asked.format.places_drop_in { files_of(asked.root, plan)? } else { None };
    let warnings = files.as_ref().map(|files| keep_what_goes_beyond(plan, files, asked.drop_in)).unwrap_or_default();
    let options = Options {
        style: asked.style.map(str::to_owned),
        drop_in: Some(asked.drop_in.to_owned()),
        kubernetes_minor: asked.kubernetes_minor,
        tuned_profile: proof::active_profile(asked.root),
    };
    let exported =
        export::write(plan, asked.format, &options).map_err(|error| Failure::usage(anyhow::anyhow!(error)))?;
    let mut missing: Vec<String> =
        exported.left_out.iter().map(|left| format!("{}: {}", left.key.name, left.why)).collect();
    if let (Some(text), Some(files)) = (&exported.drop_in, &mut files) {
        let losing = files.losing(asked.drop_in, text, &exported.changes);
        missing.extend(losing.iter().map(|losing| loses(losing, asked.drop_in)));
    }
    Ok(Ready { files: exported.files, warnings, missing })
}

/// The files that the drop-in is to win against; `None` with a word on it where they are another host's.
fn files_of(root: Option<&Path>, plan: &Plan) -> Result<Option<Files>, Failure> {
    let files = Files::read(root)?;
    if root.is_none() && files.hostname() != plan.host.hostname {
        tracing::warn!(
            "the plan is for {}, so the values were not compared with the files of that host; give them with --root",
            printable(&plan.host.hostname, 64)
        );
        return Ok(None);
    }
    Ok(Some(files))
}

/// Takes out changes that a file of the host goes beyond already, where the plan only wants *at least*.
fn keep_what_goes_beyond(plan: &mut Plan, files: &Files, drop_in: &str) -> Vec<String> {
    let mut beyond = files.beyond(&plan.changes, drop_in).into_iter();
    let mut kept = Vec::new();
    plan.changes.retain(|change| match beyond.next().flatten() {
        None => true,
        Some(Assignment { file, line, value, .. }) => {
            let (key, value) = (change.name(), printable(&value, 60));
            kept.push(format!("{key}: not exported: {file}:{line} sets {value}, which is enough; load that file"));
            false
        }
    });
    kept
}

fn not_planned(left: &LeftOut) -> String {
    format!("{} = {} is not in the plan: {}", left.key, printable(&left.proposed, 60), left.why)
}

fn loses(losing: &Loses, drop_in: &str) -> String {
    let Loses { key, loader, instead } = losing;
    let loader = loader.name();
    match instead {
        None => format!("{key}: with the loader {loader}, a boot does not set it: it does not read {drop_in}"),
        Some(Assignment { file, line, value, .. }) if file == drop_in => format!(
            "{key}: with the loader {loader}, a boot would set {} from {drop_in}:{line}, which is not the proposed value",
            printable(value, 60)
        ),
        Some(Assignment { file, line, value, .. }) => format!(
            "{key}: with the loader {loader}, {file}:{line} sets {} after {drop_in}. Change that line, or give the export a \
             name that is sorted after it (--drop-in)",
            printable(value, 60)
        ),
    }
}

/// Writes the files; what one place cannot take is returned.
pub(super) fn deliver(files: &[export::Artefact], output: Option<&Path>) -> Result<Vec<String>, Failure> {
    let folder = output.filter(|path| path.is_dir());
    if let Some(folder) = folder {
        for file in files {
            let path = folder.join(file.path.trim_start_matches('/'));
            output::make_folder_of(&path)?;
            output::deliver(&file.text, Some(&path))?;
            tracing::info!("wrote {}", path.display());
        }
        return Ok(Vec::new());
    }
    let Some((first, others)) = files.split_first() else { return Ok(Vec::new()) };
    output::deliver(&first.text, output)?;
    let missing =
        |file: &export::Artefact| format!("{} is needed too, and only a folder can take both: --output DIR", file.path);
    Ok(others.iter().map(missing).collect())
}
