//! `agent --apply`: carries out, with nobody there, what the configuration allows and the history bears out.
//!
//! In: what a run needs, the policy, somebody who tries values in a scratch namespace. Out: changes that are watched, and
//! taken back when they made it worse. Must not: do what a person took back, trust what the agent's own user wrote with
//! more than a veto, or try a value that the kernel was not seen to accept.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;

use super::folder::{self, Folder};
use super::made;
use super::message::{self, ChangeKind, Message};
use super::previous::{LAST_SNAPSHOT, earlier};
use super::reporter::Reporter;
use super::run;
use super::watch::{self, Watch};
use crate::apply::change::journal::{ChangeStatus, RecordedChange};
use crate::apply::change::state;
use crate::apply::check::policy::Policy;
use crate::apply::judge::cool_down;
use crate::apply::run::apply::ApplyOptions;
use crate::apply::run::here::Here;
use crate::apply::{self, ApplyError};
use crate::audit::model::Audit;
use crate::diagnostic::io_words;
use crate::history::{ChangeNote, DATABASE, HistoryError, Store};
use crate::host::Host;
use crate::host::rehearse::Answer;
use crate::keys;
use crate::keys::Risk;
use crate::model::RehearsalResult;
use crate::plan::build;
use crate::plan::model::Plan;
use crate::plan::rehearsal::{self, Trial};
use crate::plan::select::Selection;
use crate::session;
use crate::snapshot::capture::CaptureError;
use crate::snapshot::{Snapshot, WindowSource, store};

/// Changes that are noted in the history, the newest.
const NOTED: usize = 100;

/// Who tries values in a scratch network namespace.
pub type Ask<'a> = &'a dyn Fn(&[Trial]) -> Result<Vec<Answer>, String>;

/// What it needs.
#[derive(Clone, Copy)]
pub struct UnattendedOptions<'a> {
    pub run: run::RunOptions<'a>,
    pub policy: &'a Policy,
    pub ask: Ask<'a>,
}

impl std::fmt::Debug for UnattendedOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnattendedOptions")
            .field("run", &self.run)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Why it was not done, or not to the end.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error(transparent)]
    Take(#[from] CaptureError),
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error("{0}")]
    History(#[from] HistoryError),
}

/// One run; whether it was this one's turn. `say` takes lines for standard error.
pub fn run(options: &UnattendedOptions<'_>, say: &mut dyn FnMut(&str)) -> Result<run::RunOutcome, Failed> {
    let (state, host) = (options.run.state, Host::live());
    let folder = Folder::open(state, folder::UNATTENDED).map_err(|error| not_usable(state, &error))?;
    let Some(lock) = folder.lock().map_err(|error| not_usable(state, &error))? else {
        return Ok(run::RunOutcome::Busy);
    };
    folder.sweep(&lock);
    let here = Here::read(&host)?;
    let before = earlier(&folder).unwrap_or_else(|why| {
        say(&format!("the previous snapshot is not used: {why}"));
        None
    });
    let settings = options.run.settings;
    let now = session::since(
        &host,
        &settings.netns,
        before.as_ref(),
        options.run.criteria,
        options.run.sample,
        options.run.stated,
        options.run.budget,
    )?;
    keep(&folder, &now, say);

    let made = made::read(&folder).unwrap_or_else(|why| {
        say(&format!("changes of the agent are not confirmed automatically: {why}"));
        Vec::new()
    });
    let (watch, confirm_after) = (settings.watched_for(), settings.confirm_after);
    let watched = Watch { host: &host, state, here: &here, now: &now, watch, confirm_after, made: &made }.run()?;
    let mut messages = watched.messages;
    let mut failed: Option<Failed> = None;
    for error in watched.errors {
        failed.get_or_insert(error.into());
    }
    if !watched.rolled_back && failed.is_none() {
        match apply_what_holds(options, &host, &here, &now) {
            Ok(Some((id, message))) => {
                messages.push(message);
                if let Err(why) = made::note(&folder, made, id, &now) {
                    say(&format!("change {id} will not be confirmed automatically: {why}"));
                }
            }
            Ok(None) => {}
            Err(error) => failed = Some(error),
        }
    }
    let mut reporter = Reporter::new(settings.journal.then_some(options.run.journal), say);
    messages.iter().for_each(|message| reporter.report(message));
    note_changes(state, &here.boot_id);
    failed.map_or(Ok(run::RunOutcome::Done { published: true }), Err)
}

fn not_usable(state: &Path, error: &std::io::Error) -> ApplyError {
    ApplyError::NothingDone(format!("{}: {}", state.join(folder::UNATTENDED).display(), io_words(error)))
}

fn keep(folder: &Folder, snapshot: &Snapshot, say: &mut dyn FnMut(&str)) {
    let text = store::render(snapshot).map_err(|error| error.to_string());
    if let Err(why) = text.and_then(|text| folder.write(LAST_SNAPSHOT, &text).map_err(|error| io_words(&error))) {
        say(&format!("cannot write {}: {why}", folder.path().join(LAST_SNAPSHOT).display()));
    }
}

/// Applies what may be applied, if anything.
fn apply_what_holds(
    options: &UnattendedOptions<'_>,
    host: &Host,
    here: &Here,
    now: &Snapshot,
) -> Result<Option<(u64, Message)>, Failed> {
    let state = options.run.state;
    let audit = options.run.criteria.audit(now);
    let held = held(state)?;
    let left_alone = LeftAlone::read(state, here, options.policy)?;
    let plan = plan(options, host, here, &audit, &Limits { held: &held, left_alone: &left_alone });
    if plan.changes.is_empty() {
        return Ok(None);
    }
    let baseline = (now.window.source != WindowSource::None).then_some(now);
    let how = ApplyOptions { state, policy: options.policy, runtime_only: false, confirm_within: None, baseline };
    let id = watch::apart(|| apply::run::apply::apply(host, &plan, &how, &mut |_| {}))?;
    let values = watch::values(&RecordedChange::read(state, id)?);
    let rules: BTreeSet<&str> = plan.changes.iter().flat_map(|change| &change.rules).map(String::as_str).collect();
    let why = rules.into_iter().collect::<Vec<_>>().join(", ");
    Ok(Some((id, message::of_change(ChangeKind::Applied, id, &values, &why))))
}

/// Fingerprints of findings that held long enough to have been told, and are not resolved. The history belongs to the
/// agent's user, and is a veto only: what is applied is what this run found itself.
fn held(state: &Path) -> Result<BTreeSet<String>, HistoryError> {
    let Some(history) = Store::read(&state.join(folder::NAME))? else { return Ok(BTreeSet::new()) };
    let open = history.episodes(None, i64::MAX)?;
    let told = open.into_iter().filter(|episode| episode.published && episode.resolved_at.is_none());
    Ok(told.map(|episode| episode.fingerprint).collect())
}

/// What was tried before and is not tried now.
#[derive(Debug, Default)]
struct LeftAlone {
    /// Rules whose guard said worse, and until when they cool down.
    rules: BTreeMap<String, String>,
    /// Keys that a change which still waits has, and those that somebody took back.
    keys: BTreeSet<String>,
}

impl LeftAlone {
    fn read(state: &Path, here: &Here, policy: &Policy) -> Result<Self, ApplyError> {
        let (cool_down, now) = (policy.cool_down, Timestamp::now());
        let entries: Vec<RecordedChange> =
            state::ids(state)?.into_iter().map(|id| RecordedChange::read(state, id)).collect::<Result<_, _>>()?;
        let cooling = cool_down::cooling(&entries, now, cool_down);
        let mut keys = BTreeSet::new();
        for entry in entries {
            let alone = match entry.status() {
                // One of an earlier boot is gone.
                ChangeStatus::Applied => entry.is_of_boot(&here.boot_id),
                ChangeStatus::RolledBack => entry.records.last().is_some_and(|last| {
                    let until = last.at.parse::<Timestamp>().ok().and_then(|at| at.checked_add(cool_down).ok());
                    until.is_none_or(|until| until > now)
                }),
                _ => false,
            };
            if alone {
                keys.extend(entry.plan.changes.into_iter().map(|change| change.key.name.clone()));
            }
        }
        let rules = cooling.into_iter().map(|(rule, found)| (rule, found.to_string())).collect();
        Ok(Self { rules, keys })
    }
}

struct Limits<'a> {
    held: &'a BTreeSet<String>,
    left_alone: &'a LeftAlone,
}

/// The plan of what may be done now; often an empty one.
fn plan(options: &UnattendedOptions<'_>, host: &Host, here: &Here, audit: &Audit<'_>, limits: &Limits<'_>) -> Plan {
    let (policy, rules) = (options.policy, &options.run.criteria.rules);
    let chosen = audit
        .open()
        .filter(|finding| limits.held.contains(&finding.fingerprint))
        .map(|finding| finding.fingerprint.clone());
    let wanted = build::PlanOptions {
        // With nobody there to look, only what can do little harm, unless the configuration says more.
        max_risk: policy.max_risk.unwrap_or(Risk::Low),
        selection: Selection::default(),
        findings: Some(chosen.collect()),
        cooling: limits.left_alone.rules.clone(),
    };
    let mut plan = build::build(audit, rules, &wanted);
    let writable = |key: &str| keys::path(key).is_some_and(|path| host.can_write_sysctl(&path).is_ok());
    plan.changes.retain(|change| {
        change.namespace_id == here.namespace_id
            && !limits.left_alone.keys.contains(change.name())
            && policy.allows(change.name(), change.risk).is_ok()
            && writable(change.name())
    });
    rehearsal::rehearse(&mut plan, audit.snapshot, options.ask);
    let accepted = |said: &Option<crate::plan::model::Rehearsed>| {
        said.as_ref().is_some_and(|said| said.result == RehearsalResult::Accepted)
    };
    plan.changes.retain(|change| accepted(&change.rehearsed));
    // The order of a plan is such that its beginning stands without its end.
    plan.changes.truncate(policy.max_changes.unwrap_or(usize::MAX));
    plan
}

/// Writes into the history how each change stands, those of persons too. A history that cannot be written misses them.
fn note_changes(state: &Path, boot_id: &str) {
    let folder = state.join(folder::NAME);
    let Ok(ids) = state::ids(state) else { return };
    if ids.is_empty() || folder.join(DATABASE).symlink_metadata().is_err() {
        return;
    }
    let Ok((mut history, _)) = Store::open(&folder) else { return };
    for entry in ids.into_iter().rev().take(NOTED).filter_map(|id| RecordedChange::read(state, id).ok()) {
        if let Err(error) = history.note_change(&ChangeNote::of(&entry, boot_id)) {
            tracing::info!(%error, "cannot write the changes to the history");
            return;
        }
    }
}
