//! `apply`: carry out a plan.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::again::{self, Again};
use super::args::{Global, StateArgs};
use super::confirm::{LONGEST_NAME, cooling, failure, teller};
use super::exit::{Failure, Outcome};
use super::{output, progress, questions};
use crate::apply::Progress;
use crate::apply::check;
use crate::apply::judge::cool_down::Cooling;
use crate::apply::judge::guards;
use crate::apply::run::apply::ApplyOptions;
use crate::apply::run::namespaces::{self, Part};
use crate::config::Config;
use crate::host::Host;
use crate::model::{in_words, with_article};
use crate::plan::model::{Plan, PlannedChange};
use crate::report::wrap::{WIDTH, wrap_hanging};
use crate::session;
use crate::snapshot::{FirstReading, Snapshot};
use crate::text::printable;
use crate::units;

/// Apply a plan. You can roll it back at any time.
#[derive(Debug, Args)]
#[command(after_help = "\
Either all values are written or none. If the kernel rejects a value, or reads back another one, the values \
written before are restored. The change lasts until the next boot: `confirm` makes it permanent, `rollback` \
restores the previous values. If rules of the plan have guards, rates are measured over --window before the first \
write (0: no rates). Exit code 4: nothing is changed, because the plan no longer matches this host or a value was \
rejected. Exit code 5: a value was written and could not be restored.")]
pub(super) struct ApplyArgs {
    /// Plan file from `plan -o FILE`. It must belong to root, and nobody else may be able to write to it
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Do not ask for confirmation
    #[arg(short, long)]
    yes: bool,
    /// Check everything and print what would be written, but write nothing
    #[arg(long)]
    dry_run: bool,
    /// Roll back automatically unless `confirm` is run within this time: 30s, 10m
    #[arg(long, value_name = "DURATION", value_parser = within)]
    confirm_within: Option<Duration>,
    /// Change only the running system: `confirm` writes no file for the next boot
    #[arg(long)]
    runtime_only: bool,
    #[command(flatten)]
    state: StateArgs,
}

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) fn within(text: &str) -> Result<Duration, String> {
    let within = units::parse_duration(text).map_err(|error| error.to_string())?;
    if (SHORTEST..=LONGEST).contains(&within) { Ok(within) } else { Err("expected 1s to 7d".to_owned()) }
}

pub(super) fn run(args: &ApplyArgs, global: &Global, config: &Config, again: &Again) -> Outcome {
    let failed = |error| failure(error, false);
    let host = Host::live();
    let state = args.state.directory();
    let plan = check::read(&args.plan).map_err(failed)?;
    let options = ApplyOptions {
        state: &state,
        policy: config.policy(),
        runtime_only: args.runtime_only,
        confirm_within: args.confirm_within,
        baseline: None,
    };
    let parts = namespaces::preflight(&host, &plan, &options).map_err(failed)?;
    questions::show(&listing(&parts), args.yes)?;
    tell_cooling(&plan, &cooling(&args.state, config), args.yes)?;
    if args.dry_run {
        output::print("\nDry run: all checks passed. Nothing was written.\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.yes && !questions::typed_yes("Write these values now?")? {
        output::print("Nothing was written.\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let baseline = measure(&plan, config.options.audit.window, global);
    let options = ApplyOptions { baseline: baseline.as_ref(), ..options };
    let mut before = None;
    let mut tell = teller(global.quiet);
    let ids = namespaces::apply(&host, &parts, &options, &mut |event| {
        if let Progress::Armed { before: at, .. } = event {
            before = Some((*at).to_owned());
        }
        tell(event);
    })
    .map_err(failed)?;
    output::say(&farewell(&parts, &ids, args, before.as_deref(), again));
    Ok(ExitCode::SUCCESS)
}

/// Says which rules behind the plan made something worse not long ago. It is no refusal: a person decides.
fn tell_cooling(plan: &Plan, cooling: &BTreeMap<String, Cooling>, yes: bool) -> Result<(), Failure> {
    for (rule, found) in cooling {
        if plan.changes.iter().any(|change| change.rules.contains(rule)) {
            questions::show(&(wrap_hanging(&format!("Note: {rule}: {found}"), WIDTH, 2, 4) + "\n"), yes)?;
        }
    }
    Ok(())
}

/// What the plan's guards will compare with; nothing when there are none, or the host cannot be observed.
pub(super) fn measure(plan: &Plan, window: Duration, global: &Global) -> Option<Snapshot> {
    if !guards::has_guards(plan) {
        return None;
    }
    let which = guards::namespaces(&Host::live(), plan);
    match session::observe(&which, window, &FirstReading::WHOLE.into(), |window| progress::wait(window, global.quiet)) {
        Ok(snapshot) => Some(snapshot),
        Err(error) => {
            output::note(&format!(
                "the guards of this plan cannot be judged, because the host cannot be observed: {error}"
            ));
            None
        }
    }
}

fn listing(parts: &[Part]) -> String {
    let changes = || parts.iter().flat_map(|part| &part.plan.changes);
    let width = changes().map(|change| change.name().len()).max().unwrap_or_default();
    let mut text = match changes().count() {
        1 => "1 change".to_owned(),
        many => format!("{many} changes, in this order"),
    };
    text.push_str(&if parts.len() > 1 {
        format!(", in {} network namespaces:\n", parts.len())
    } else {
        ":\n".to_owned()
    });
    for part in parts {
        if parts.len() > 1 || !part.is_here() {
            text.push_str(&format!("In {}:\n", with_article(&printable(&part.namespace(), LONGEST_NAME))));
        }
        for PlannedChange { key, before, after, risk, rules, .. } in &part.plan.changes {
            text.push_str(&format!("  {:width$}  {before} -> {after}\n", key.name));
            text.push_str(&format!("  {:width$}  {risk} risk; {}\n", "", rules.join(", ")));
        }
    }
    text
}

fn farewell(parts: &[Part], ids: &[u64], args: &ApplyArgs, before: Option<&str>, again: &Again) -> String {
    let end = match before {
        Some(at) => format!("is rolled back automatically at {at}"),
        None => "lasts until the next boot".to_owned(),
    };
    let permanent = if args.runtime_only { "keep it until the next boot" } else { "make it permanent" };
    let mut text = String::new();
    for (part, id) in parts.iter().zip(ids) {
        let place = if parts.len() > 1 {
            format!(" in {}", in_words(&printable(&part.namespace(), LONGEST_NAME)))
        } else {
            String::new()
        };
        let word = id.to_string();
        let commands =
            [(again.command("confirm", &[&word]), permanent), (again.command("rollback", &[&word]), "roll it back")];
        text.push_str(&format!("Change {id}{place} is effective and {end}.\n{}", again::list(&commands)));
    }
    text
}
