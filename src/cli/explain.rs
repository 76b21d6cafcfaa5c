//! `explain`: what a rule, key, state or counter means.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use super::args::{Global, RuleArgs};
use super::exit::{Failure, Outcome};
use super::output::Terminal;
use super::{last, pager};
use crate::config::Config;
use crate::drift::model::Drift;
use crate::host::netns::Which;
use crate::keys::{self, InterfaceKey};
use crate::metrics::defaults;
use crate::reference::{counters, states};
use crate::report::explain;
use crate::report::theme::Theme;
use crate::report::wrap::wrap;
use crate::rules::Rule;
use crate::rules::set::RuleSet;
use crate::session::drift::Scene;
use crate::session::{self, SessionError, rehearse};
use crate::snapshot::{FirstReading, Snapshot};
use crate::suggest::nearest_name;

/// Explain a rule, a sysctl key, a TCP state or a kernel counter.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sysctl-advisor explain TIME_WAIT
  sysctl-advisor explain net.ipv4.tcp_fin_timeout
  sysctl-advisor explain net.ipv4.conf.eth0.rp_filter
  sysctl-advisor explain ListenOverflows
  sysctl-advisor explain close-wait-leak
  sysctl-advisor explain handshake
  sysctl-advisor explain 1
  sysctl-advisor explain too many open files")]
pub(super) struct ExplainArgs {
    /// The id of a rule, a sysctl key, a TCP state, a kernel counter, `handshake`, `close`, the number of a finding of
    /// the last audit, or words to look for. Without it: everything that can be explained
    name: Vec<String>,
    /// Show the current values of this snapshot instead of the running host (`-`: standard input)
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    #[command(flatten)]
    rules: RuleArgs,
}

pub(super) fn run(args: &ExplainArgs, global: &Global, config: &Config, terminal: &Terminal) -> Outcome {
    let rules = args.rules.load(config)?;
    let theme = terminal.theme();
    let name = args.name.join(" ");
    let text = match name.trim() {
        "" => explain::index::page(&rules, &theme),
        name => explained(name, args, &rules, theme)?,
    };
    pager::show(&text, global, terminal)?;
    Ok(ExitCode::SUCCESS)
}

fn explained(name: &str, args: &ExplainArgs, rules: &RuleSet, theme: Theme) -> Result<String, Failure> {
    if let Ok(number) = name.parse::<usize>() {
        return numbered(number, rules, theme);
    }
    if explain::picture::NAMES.contains(&name.to_lowercase().as_str()) {
        let picture = explain::picture::page(name, present(args)?.as_ref(), &theme);
        return Ok(picture.unwrap_or_default());
    }
    Ok(if let Some(rule) = rules.get(name) {
        let snapshot = present(args)?.map(|snapshot| with_defaults(snapshot, rule, args));
        explain::rule::rule(rule, snapshot.as_ref(), theme)
    } else if let Some(key) = key(name) {
        let snapshot = present(args)?.map(|snapshot| with_default(snapshot, &key, args));
        let drift = snapshot.as_ref().and_then(files);
        explain::key::key(&key, snapshot.as_ref(), drift.as_ref(), theme)
    } else if let Some(state) = states::doc(name) {
        explain::state::state(state, present(args)?.as_ref(), theme)
    } else if let Some(counter) = counters::doc(name) {
        explain::counter::counter(counter, present(args)?.as_ref(), theme)
    } else {
        let answers = explain::find::find(name, rules);
        if answers.is_empty() {
            let known = rules.iter().map(|rule| rule.id.as_str()).chain(keys::catalogue().names());
            let near = nearest_name(name, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(Failure::usage(anyhow!(
                "unknown name `{name}`: not a rule, sysctl key, TCP state or documented counter{near}; `explain` \
                 without a name lists them"
            )));
        }
        explain::find::page(name, &answers, &theme)
    })
}

/// The rule of a finding that was on the screen.
fn numbered(number: usize, rules: &RuleSet, theme: Theme) -> Result<String, Failure> {
    let last = last::recall().ok_or_else(|| {
        Failure::usage(anyhow!(
            "no audit on this terminal is remembered; run `sysctl-advisor audit` on a terminal first"
        ))
    })?;
    let shown = last.finding(number)?;
    let rule = rules.get(&shown.rule).ok_or_else(|| {
        Failure::usage(anyhow!("finding {number} is of the rule `{}`, which is not loaded now", shown.rule))
    })?;
    let head = format!("{} {}", shown.severity.to_uppercase(), shown.title);
    let head = theme.paint(theme.heading, &wrap(&head, theme.width, 0));
    Ok(format!("{head}\n\n{}", explain::rule::rule(rule, Some(&*last.snapshot), theme)))
}

/// Where a name that is only a part of a key's name may begin.
const BEGINNINGS: [&str; 6] =
    ["", "net.ipv4.", "net.core.", "net.ipv4.conf.*.", "net.ipv6.conf.*.", "net.ipv4.neigh.*."];

/// A key by its name, or by the end of it; `/` serves as separator as in `sysctl`. That of one interface has its name.
fn key(name: &str) -> Option<keys::Key> {
    // A name with `*` has no form of its own.
    let own = keys::our_form(name).unwrap_or_else(|| name.replace('/', "."));
    let dotted = InterfaceKey::spelled(&own);
    let found = BEGINNINGS.iter().find_map(|begin| {
        let name = format!("{begin}{dotted}");
        Some((keys::catalogue().get(&name)?, name))
    });
    let (key, name) = found?;
    Some(match InterfaceKey::of(&name).filter(InterfaceKey::is_of_one) {
        Some(parts) => key.of(&parts),
        None => key.clone(),
    })
}

/// What the files set, where they were read.
fn files(snapshot: &Snapshot) -> Option<Drift> {
    Some(Scene::of_snapshot(snapshot, Path::new("")).ok()?.compare(None, false))
}

/// Adds the default of the running kernel, which is not that of another host's snapshot.
fn with_default(mut snapshot: Snapshot, key: &keys::Key, args: &ExplainArgs) -> Snapshot {
    if args.snapshot.is_none() && defaults::is_shown(key) {
        snapshot.defaults = Some(rehearse::defaults([key.name.as_str()]));
    }
    snapshot
}

/// Likewise those that a rule names.
fn with_defaults(mut snapshot: Snapshot, rule: &Rule, args: &ExplainArgs) -> Snapshot {
    let names: Vec<&str> = rule.names().filter_map(defaults::asked_of_the_kernel).collect();
    if args.snapshot.is_none() && !names.is_empty() {
        snapshot.defaults = Some(rehearse::defaults(names));
    }
    snapshot
}

/// This host's numbers, read once; an explanation is still worth something without them.
fn present(args: &ExplainArgs) -> Result<Option<Snapshot>, SessionError> {
    match &args.snapshot {
        Some(file) => session::read(file).map(Some),
        None => Ok(session::observe(&Which::Current, Duration::ZERO, &FirstReading::default().into(), |_| {}).ok()),
    }
}
