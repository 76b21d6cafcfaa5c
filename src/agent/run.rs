//! The steps of one run, in their order.
//!
//! In: [`RunOptions`]. Out: [`RunOutcome`]. Must not: stop because one step fails: each failure is said once, and the others go
//! on.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::folder::{self, Folder, Lock};
use super::message;
use super::previous::{LAST_SNAPSHOT, earlier};
use super::reporter::{self, Reporter};
use crate::audit::model::{Audit, Finding};
use crate::config::AgentOptions;
use crate::diagnostic::io_words;
use crate::files::{self, Access};
use crate::history::{self, ChangeNote, EventKind, HistoryError, Store, samples};
use crate::host::Host;
use crate::report;
use crate::report::audit::{Look, Reported, Run};
use crate::session::{self, Criteria, Stated};
use crate::snapshot::capture::CaptureError;
use crate::snapshot::looks::Budget;
use crate::snapshot::{Snapshot, store};

/// The report, as `audit --format json` prints it, in the agent's folder.
pub const REPORT: &str = "report.json";
/// Half-written files of this age beside the gauges are nobody's: writing one takes no seconds.
const ABANDONED: Duration = Duration::from_secs(600);

/// What a run needs.
#[derive(Debug, Clone, Copy)]
pub struct RunOptions<'a> {
    /// The state directory; the agent's folder is in it.
    pub state: &'a Path,
    /// Between two readings, where no earlier run begins the window.
    pub sample: Duration,
    /// CPU time for all namespaces, as predicted.
    pub budget: Budget,
    pub stated: Stated<'a>,
    /// What is found, and what of it a person accepted.
    pub criteria: &'a Criteria,
    pub settings: &'a AgentOptions,
    /// The journal's socket.
    pub journal: &'a Path,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunOutcome {
    /// Another run is at it, and nothing was done.
    Busy,
    Done {
        /// Whether anybody can know of what was found: by the report, the gauges or a message.
        published: bool,
    },
}

/// Standard error, and how often something failed.
struct Troubles<'a> {
    say: &'a mut dyn FnMut(&str),
    count: usize,
}

impl Troubles<'_> {
    /// What came of a step; a failure is said.
    fn of<T, E: std::fmt::Display>(&mut self, what: &str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.count += 1;
                (self.say)(&format!("{what}: {error}"));
                None
            }
        }
    }
}

/// One run. `say` takes lines for standard error.
pub fn run(options: &RunOptions<'_>, say: &mut dyn FnMut(&str)) -> Result<RunOutcome, CaptureError> {
    let started = Instant::now();
    let mut troubles = Troubles { say, count: 0 };
    let folder = open_folder(options.state, folder::NAME, &mut troubles);
    let _lock = match folder.as_ref().map(|folder| take_lock(folder, &mut troubles)) {
        Some(Locked::Busy) => return Ok(RunOutcome::Busy),
        Some(Locked::Held(lock)) => Some(lock),
        Some(Locked::Failed) | None => None,
    };
    let before =
        folder.as_ref().and_then(|folder| troubles.of("the previous snapshot is not used", earlier(folder)).flatten());
    let snapshot = session::since(
        &Host::live(),
        &options.settings.netns,
        before.as_ref(),
        options.criteria,
        options.sample,
        options.stated,
        options.budget,
    )?;
    let audit = options.criteria.audit(&snapshot);

    let history = folder.as_ref().map(|folder| remember(folder, options, &audit, started, &mut troubles));
    let mut history = history.flatten();
    let published_events = history.as_mut().is_some_and(|history| publish(history, &audit, options, &mut troubles));
    let reported = folder.as_ref().is_some_and(|folder| write_report(folder, &audit, &mut troubles));
    if let Some(folder) = &folder {
        keep(folder, &snapshot, &mut troubles);
    }
    if let Some(history) = &mut history {
        troubles.of("old results were not deleted from the history", history.prune(&options.settings.retention()));
    }
    let shown = options.settings.textfile.as_ref();
    let shown =
        shown.is_some_and(|file| write_gauges(file, options.state, &audit, history.as_ref(), started, &mut troubles));
    Ok(RunOutcome::Done { published: published_events || reported || shown })
}

fn open_folder(state: &Path, name: &str, troubles: &mut Troubles<'_>) -> Option<Folder> {
    let opened = Folder::open(state, name).map_err(|error| io_words(&error));
    troubles.of(&format!("cannot use {}, so no result is recorded", state.join(name).display()), opened)
}

enum Locked {
    Busy,
    Held(Lock),
    /// Said already. Two runs would be in each other's way at worst: each file is replaced in one step.
    Failed,
}

fn take_lock(folder: &Folder, troubles: &mut Troubles<'_>) -> Locked {
    let what = format!("cannot lock {}", folder.path().display());
    match troubles.of(&what, folder.lock().map_err(|error| io_words(&error))) {
        Some(Some(lock)) => {
            folder.sweep(&lock);
            Locked::Held(lock)
        }
        Some(None) => Locked::Busy,
        None => Locked::Failed,
    }
}

/// Takes the run into the history.
fn remember(
    folder: &Folder,
    options: &RunOptions<'_>,
    audit: &Audit<'_>,
    started: Instant,
    troubles: &mut Troubles<'_>,
) -> Option<Store> {
    let what = "cannot report what changed";
    let (mut store, mut aside) = troubles.of(what, Store::open(folder.path()))?;
    let samples = samples::of(audit.snapshot, &options.criteria.rules);
    let run = history::Run { rules: &options.criteria.rules, duration: started.elapsed() };
    let mut remembered = store.remember(&run, audit, &samples, &options.settings.hold());
    if matches!(remembered, Err(HistoryError::Damaged { .. })) {
        drop(store);
        (store, aside) = troubles.of(what, Store::open_whole(folder.path()))?;
        remembered = store.remember(&run, audit, &samples, &options.settings.hold());
    }
    if let Some(aside) = aside {
        let text = format!(
            "a new history was started, and the previous one is kept as {}: {}",
            aside.path.display(),
            aside.why
        );
        troubles.of("the history", Err::<(), _>(text));
    }
    // Even then what earlier runs left to tell is published_events.
    troubles.of(what, remembered);
    Some(store)
}

/// Tells every event that was not published_events yet; whether that could be done.
fn publish(history: &mut Store, audit: &Audit<'_>, options: &RunOptions<'_>, troubles: &mut Troubles<'_>) -> bool {
    let what = "cannot report what changed";
    let Some(events) = troubles.of(what, history.unpublished()) else { return false };
    let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
    let journal = options.settings.journal.then_some(options.journal);
    if events.is_empty() {
        reporter::note(journal, &message::of_run(audit, &kinds));
        return true;
    }
    let findings: BTreeMap<&str, &Finding> =
        audit.findings.iter().map(|finding| (finding.fingerprint.as_str(), finding)).collect();
    let mut reporter = Reporter::new(journal, &mut *troubles.say);
    for event in &events {
        reporter.report(&message::of_event(event, findings.get(event.fingerprint.as_str()).copied()));
    }
    reporter::note(journal, &message::of_run(audit, &kinds));
    let ids: Vec<i64> = events.iter().map(|event| event.id).collect();
    troubles.of("the next run reports these events again", history.mark_published(&ids));
    true
}

fn write_report(folder: &Folder, audit: &Audit<'_>, troubles: &mut Troubles<'_>) -> bool {
    let text = report::audit::JSON.text(Reported::of(audit), &Look::plain()).map_err(|error| error.to_string());
    let written = text.and_then(|text| folder.write(REPORT, &text).map_err(|error| io_words(&error)));
    troubles.of(&format!("cannot write {}", folder.path().join(REPORT).display()), written).is_some()
}

/// Keeps the snapshot for the next run.
fn keep(folder: &Folder, snapshot: &Snapshot, troubles: &mut Troubles<'_>) {
    let text = store::render(snapshot).map_err(|error| error.to_string());
    let written = text.and_then(|text| folder.write(LAST_SNAPSHOT, &text).map_err(|error| io_words(&error)));
    troubles.of(&format!("cannot write {}", folder.path().join(LAST_SNAPSHOT).display()), written);
}

fn write_gauges(
    file: &Path,
    state: &Path,
    audit: &Audit<'_>,
    history: Option<&Store>,
    started: Instant,
    troubles: &mut Troubles<'_>,
) -> bool {
    let noted = history.and_then(|history| troubles.of("cannot count the changes", history.changes(0)));
    let boot_id = audit.snapshot.system.boot_id.as_deref().unwrap_or_default();
    let changes = noted.map(|noted| ChangeNote::counts(&ChangeNote::with_journals(noted, state, boot_id, 0)));
    let run = Run { seconds: started.elapsed().as_secs_f64(), failed_steps: troubles.count, changes };
    let reported = Reported { run: Some(run), ..Reported::of(audit) };
    let text = report::audit::PROMETHEUS.text(reported, &Look::plain()).map_err(|error| error.to_string());
    let written = text.and_then(|text| replace(file, &text));
    troubles.of(&format!("cannot write {}", file.display()), written).is_some()
}

/// Replaces the file, readable by everybody: the collector runs as a user of its own.
fn replace(file: &Path, text: &str) -> Result<(), String> {
    if file.file_name().is_none() {
        return Err("this is not the name of a file".to_owned());
    }
    files::remove_unfinished(files::folder_of(file), ABANDONED);
    files::replace(file, text.as_bytes(), Access::Mode(0o644)).map_err(|error| io_words(&error))
}
