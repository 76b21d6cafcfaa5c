//! `remediate`: a person is led through the findings, decides on each, and sees everything once more before it is written.

#![cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, reason = "the name of the person, as the environment has it")
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use jiff::civil::Date;

use super::apply::{self, within};
use super::args::{Global, RuleArgs, StateArgs, risk};
use super::confirm::{cooling, failure, teller};
use super::exit::{Exit, Failure, Outcome};
use super::output::{self, Terminal};
use super::questions::{Choice, Questions};
use super::session;
use crate::apply::check::policy::Policy;
use crate::apply::run::apply::ApplyOptions;
use crate::apply::run::namespaces;
use crate::apply::{ApplyError, trust};
use crate::audit::model::{Audit, Finding, Waiver};
use crate::audit::waivers;
use crate::config::Config;
use crate::host::Host;
use crate::keys::Risk;
use crate::plan::build::{self, PlanOptions};
use crate::plan::model::{LeftOut, Plan, PlannedChange};
use crate::plan::select::Selection;
use crate::plan::{order, rehearsal};
use crate::report::{self, audit::Detail};
use crate::rules::set::RuleSet;
use crate::session::rehearse;
use crate::snapshot::Snapshot;

/// Days that a waiver lasts unless the person says otherwise: long enough to plan the repair, short enough to be asked again.
const USUAL_WAIVER: i64 = 90;

/// Decide on the findings one by one, then apply what you chose.
#[derive(Debug, Args)]
#[command(after_help = "\
Each finding is shown with its numbers, the change with its risk, and what the kernel answered in a scratch \
network namespace. You can apply the change, apply it until the next boot, skip it, waive the finding, read the \
explanation, or quit. The last question shows all changes again. Nothing is written unless you answer it with \
yes. Needs a terminal and root.")]
pub(super) struct RemediateArgs {
    /// Do not offer changes with a higher risk than this: low, medium, high
    #[arg(long, value_name = "RISK", default_value = "high", value_parser = risk)]
    max_risk: Risk,
    /// Roll back automatically unless `confirm` is run within this time: 30s, 10m
    #[arg(long, value_name = "DURATION", value_parser = within)]
    confirm_within: Option<Duration>,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    rules: RuleArgs,
}

/// What the person decided, by the findings' fingerprints.
#[derive(Debug, Default)]
struct Decisions {
    apply: BTreeSet<String>,
    runtime: BTreeSet<String>,
    waivers: Vec<Waiver>,
}

/// What is planned from, and what limits it.
struct Desk<'a> {
    audit: &'a Audit<'a>,
    rules: &'a RuleSet,
    policy: &'a Policy,
    max_risk: Risk,
    terminal: &'a Terminal,
    questions: Questions,
}

pub(super) fn run(args: &RemediateArgs, global: &Global, config: &Config, terminal: &Terminal) -> Outcome {
    if ![std::io::stdin().is_terminal(), std::io::stdout().is_terminal(), std::io::stderr().is_terminal()]
        .iter()
        .all(|is_terminal| *is_terminal)
    {
        return Err(Failure::usage(anyhow!(
            "remediate asks questions, so it needs a terminal; without a terminal, use `plan` and `apply`"
        )));
    }
    if !nix::unistd::geteuid().is_root() {
        return Err(Failure::usage(anyhow!(
            "remediate writes sysctls, so it must be run as root; `plan` shows the same changes without root"
        )));
    }
    let criteria = session::criteria(config, &args.rules, terminal)?;
    trusted(&criteria.rules).map_err(|error| failure(error, false))?;
    let snapshot = session::judged(None, &criteria, global, config)?;
    let audit = criteria.audit(&snapshot);
    let desk = Desk {
        audit: &audit,
        rules: &criteria.rules,
        policy: config.policy(),
        max_risk: args.max_risk,
        terminal,
        questions: Questions { theme: terminal.error_theme() },
    };
    let Some(decisions) = desk.walk()? else {
        output::print("Nothing was written.\n")?;
        return Ok(ExitCode::SUCCESS);
    };
    let file = config.options.audit.waivers.as_path();
    let (lasting, passing) = desk.plans(&decisions);
    let cooling = cooling(&args.state, config);
    for plan in [&lasting, &passing] {
        apply::tell_cooling(plan, &cooling)?;
    }
    if !desk.agreed(&lasting, &passing, &decisions.waivers, file)? {
        output::print("Nothing was written.\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut parts = [(&lasting, false), (&passing, true)];
    if order::precedes(&passing.changes, &lasting.changes) && !order::precedes(&lasting.changes, &passing.changes) {
        parts.reverse();
    }
    for (plan, runtime_only) in parts {
        if !plan.changes.is_empty() {
            let window = config.options.audit.window;
            let baseline = apply::measure(plan, window, global);
            apply_chosen(plan, baseline.as_ref(), runtime_only, args, global, desk.policy)?;
        }
    }
    for waiver in &decisions.waivers {
        waivers::append(file, waiver)?;
        output::say(&format!("{} is waived until {} in {}.\n", waiver.rule, waiver.until, file.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// What decides about writing must not be in the hands of others: rules that are not compiled in, like the configuration.
pub(super) fn trusted(rules: &RuleSet) -> Result<(), ApplyError> {
    for rule in rules.iter().filter(|rule| rule.area.is_empty()) {
        trust::read(Path::new(&rule.origin))?;
    }
    Ok(())
}

impl Desk<'_> {
    /// Asks about every finding; `None` when the person quits, or there is nothing to decide.
    fn walk(&self) -> Result<Option<Decisions>, Failure> {
        let mut decisions = Decisions::default();
        let offered = self.plan(None);
        let open: Vec<&Finding> = self.audit.open().collect();
        if open.is_empty() {
            output::print("There are no findings.\n")?;
            return Ok(None);
        }
        for (place, finding) in open.iter().enumerate() {
            output::print(&format!("\n[{} of {}]\n", place + 1, open.len()))?;
            if !self.decide(finding, &offered, &mut decisions)? {
                return Ok(None);
            }
        }
        Ok(Some(decisions))
    }

    /// Asks about one finding until there is a decision; `false` when the person quits.
    fn decide(&self, finding: &Finding, offered: &Plan, decisions: &mut Decisions) -> Result<bool, Failure> {
        self.show(finding, Detail::Glance)?;
        let behind = |change: &&PlannedChange| change.findings.contains(&finding.fingerprint);
        let changes: Vec<&PlannedChange> = offered.changes.iter().filter(behind).collect();
        let theme = self.terminal.theme();
        for change in &changes {
            output::print(&report::plan::answer(change, &theme))?;
        }
        let is_ours = |left: &&LeftOut| {
            left.namespace == finding.namespace && finding.recommendations.iter().any(|change| change.key == left.key)
        };
        for left in offered.left_out.iter().filter(is_ours) {
            output::print(&report::wrap::wrap_hanging(
                &format!("{} cannot be applied here: {}", left.key, left.why),
                report::wrap::WIDTH,
                2,
                4,
            ))?;
            output::print("\n")?;
        }
        loop {
            output::print("\n")?;
            let Some(choice) = self.questions.choice(!changes.is_empty())? else { return Ok(false) };
            match choice {
                Choice::Quit => return Ok(false),
                Choice::Explain => self.show(finding, Detail::Full)?,
                Choice::Skip => return Ok(true),
                Choice::Apply => {
                    decisions.apply.insert(finding.fingerprint.clone());
                    return Ok(true);
                }
                Choice::Runtime => {
                    decisions.runtime.insert(finding.fingerprint.clone());
                    return Ok(true);
                }
                Choice::Waive => {
                    let Some(waiver) = waiver(finding, &self.questions)? else { return Ok(false) };
                    decisions.waivers.push(waiver);
                    return Ok(true);
                }
            }
        }
    }

    fn show(&self, finding: &Finding, detail: Detail) -> Result<(), Failure> {
        let text = report::audit::text::one(finding, detail, &self.terminal.theme());
        Ok(output::print(&text)?)
    }

    /// What these findings wish for (all, without any named), as far as the policy and the kernel let it.
    fn plan(&self, findings: Option<BTreeSet<String>>) -> Plan {
        let options = PlanOptions {
            max_risk: self.max_risk,
            selection: Selection::default(),
            findings,
            cooling: BTreeMap::new(),
        };
        let mut plan = build::build(self.audit, self.rules, &options);
        rehearsal::rehearse(&mut plan, self.audit.snapshot, rehearse::ask);
        rehearsal::drop_refused(&mut plan);
        let Plan { changes, left_out, .. } = &mut plan;
        changes.retain(|change| match self.policy.allows(change.name(), change.risk) {
            Ok(()) => true,
            Err(why) => {
                left_out.push(LeftOut::of(change, why));
                false
            }
        });
        plan
    }

    /// What lasts once it is confirmed, and what is for the running system only. The values are merged from both, so
    /// that a key has one; it lasts when one of the findings behind it is to.
    fn plans(&self, decisions: &Decisions) -> (Plan, Plan) {
        let all = self.plan(Some(decisions.apply.union(&decisions.runtime).cloned().collect()));
        let lasts = |change: &PlannedChange| change.findings.iter().any(|finding| decisions.apply.contains(finding));
        let (lasting, passing) = all.changes.iter().cloned().partition(lasts);
        (Plan { changes: lasting, ..all.clone() }, Plan { changes: passing, ..all })
    }

    /// Shows everything that would be written, and asks the last question.
    fn agreed(&self, lasting: &Plan, passing: &Plan, waived: &[Waiver], file: &Path) -> Result<bool, Failure> {
        let theme = self.terminal.theme();
        let mut text = String::new();
        for (title, plan) in [
            ("Now, and at each boot after you confirm it:", lasting),
            ("Only in the running system, until the next boot:", passing),
        ] {
            if !plan.changes.is_empty() {
                let diff = report::plan::diff(&plan.changes, &theme);
                text.push_str(&format!("\n{}\n{diff}", theme.paint(theme.heading, title)));
            }
        }
        if !waived.is_empty() {
            let title = format!("Waived in {}:", file.display());
            text.push_str(&format!("\n{}\n", theme.paint(theme.heading, &title)));
            for Waiver { rule, who, until, reason, .. } in waived {
                let line = format!("{rule} until {until}, by {who}: {reason}");
                text.push_str(&(report::wrap::wrap_hanging(&line, report::wrap::WIDTH, 2, 4) + "\n"));
            }
        }
        if text.is_empty() {
            return Ok(false);
        }
        output::print(&(text + "\n"))?;
        self.questions.agreed("Write all of this now?")
    }
}

/// Asks for what a waiver needs. A process is waived under whatever number it has next time.
fn waiver(finding: &Finding, questions: &Questions) -> Result<Option<Waiver>, Failure> {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let default = today.checked_add(jiff::Span::new().days(USUAL_WAIVER)).unwrap_or(Date::MAX);
    let person = ["SUDO_USER", "LOGNAME", "USER"].iter().find_map(|name| std::env::var(name).ok());
    let Some(reason) = questions.line("Why do you accept this finding?", None)? else { return Ok(None) };
    let Some(who) = questions.line("Who is responsible for this decision?", person.as_deref())? else {
        return Ok(None);
    };
    let Some(until) = questions.day("Until which day is it accepted?", today, default)? else { return Ok(None) };
    Ok(Some(Waiver {
        rule: finding.rule.clone(),
        namespace: Some(finding.namespace.without_pid()),
        subject: (finding.namespace != *finding.subject).then(|| without_pid(&finding.subject)),
        reason,
        who,
        until,
    }))
}

/// `nginx (pid 12)` as `nginx (pid *)`.
fn without_pid(subject: &str) -> String {
    match subject.split_once(" (pid ") {
        Some((name, rest)) => {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            format!("{name} (pid *{}", rest.get(digits..).unwrap_or_default())
        }
        None => subject.to_owned(),
    }
}

/// Applies on a thread of its own: it confines itself to the plan's keys, and others are still to be written.
fn apply_chosen(
    plan: &Plan,
    baseline: Option<&Snapshot>,
    runtime_only: bool,
    args: &RemediateArgs,
    global: &Global,
    policy: &Policy,
) -> Result<(), Failure> {
    let state = args.state.directory();
    let options = ApplyOptions { state: &state, policy, runtime_only, confirm_within: args.confirm_within, baseline };
    let host = Host::live();
    let work = || {
        let parts = namespaces::preflight(&host, plan, &options)?;
        namespaces::apply(&host, &parts, &options, &mut teller(global.quiet))
    };
    let ids = std::thread::scope(|scope| scope.spawn(work).join())
        .map_err(|_| {
            Exit::NotApplied
                .because(anyhow!("the change was interrupted; `sysctl-advisor changes` shows what was done"))
        })?
        .map_err(|error| failure(error, false))?;
    let permanent = if runtime_only { "keep it until the next boot" } else { "make it permanent" };
    for id in ids {
        output::say(&format!(
            "Change {id} is effective.\n  sysctl-advisor confirm {id}    {permanent}\n  \
             sysctl-advisor rollback {id}   roll it back\n"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_waived_whatever_its_number() {
        assert_eq!(without_pid("nginx (pid 4711)"), "nginx (pid *)");
        assert_eq!(without_pid("0.0.0.0:80"), "0.0.0.0:80");
    }
}
