//! One run taken into the history, in one transaction.
//!
//! In: an audit, the rules it was made with, its samples. Out: rows, and the events that follow. Must not: take a rule
//! that was not evaluated for one that found nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::samples::Sample;
use super::track::{EventKind, HoldOff, Sight, Told, Track};
use super::{HistoryError, Store};
use crate::audit::model::{Audit, Finding};
use crate::model::Severity;
use crate::rules::set::RuleSet;

/// Findings of one run that are followed; a host with more has other troubles.
const MOST_FINDINGS: usize = 5_000;
/// Findings that are followed at all.
const MOST_TRACKS: i64 = 20_000;
/// Beyond these the runs of an episode are not counted on: a larger number would be no integer any more.
const MOST_RUNS: i64 = 1 << 40;
/// Characters of a subject, title or name that are kept.
const LONGEST_TEXT: usize = 500;

/// What an audit does not say of its run.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// With which the audit was made: what they do not name any more is no finding any more.
    pub rules: &'a RuleSet,
    /// How long the whole run took.
    pub duration: Duration,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remembered {
    /// The run's number.
    Run(i64),
    /// The newest run is of the same boot and second: this is that run, and nothing was written.
    Known(i64),
}

impl Store {
    /// Takes a run in: its facts, samples, the episodes of its findings, and the events to publish. All of it is on
    /// the disk when this returns, or nothing is.
    ///
    /// # Errors
    ///
    /// The disk is full, the file cannot be written, is damaged, or is held by another; the snapshot has no time.
    pub fn remember(
        &mut self,
        run: &Run<'_>,
        audit: &Audit<'_>,
        samples: &[Sample],
        hold: &HoldOff,
    ) -> Result<Remembered, HistoryError> {
        let taken_at = &audit.snapshot.taken_at;
        let at = taken_at.parse::<jiff::Timestamp>().map_err(|_| HistoryError::NoTime(short(taken_at)))?.as_second();
        let _as_owner = self.enter()?;
        let failed = self.failed();
        let mut write = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let boot_id = audit.snapshot.system.boot_id.clone().unwrap_or_default();
            match newest(&transaction)? {
                Some((known, then, boot)) if then == at && boot == short(&boot_id) => {
                    return Ok(Remembered::Known(known));
                }
                _ => {}
            }
            let number = insert_run(&transaction, run, audit, at, &boot_id)?;
            insert_samples(&transaction, number, samples)?;
            follow(&Following { transaction: &transaction, run: number, at, hold }, run.rules, audit)?;
            transaction.commit()?;
            Ok(Remembered::Run(number))
        };
        write().map_err(failed)
    }
}

/// Number, time and boot of the newest run.
fn newest(connection: &Connection) -> rusqlite::Result<Option<(i64, i64, String)>> {
    connection
        .query_row("SELECT id, at, boot_id FROM run ORDER BY id DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()
}

fn insert_run(
    transaction: &Transaction<'_>,
    run: &Run<'_>,
    audit: &Audit<'_>,
    at: i64,
    boot_id: &str,
) -> rusqlite::Result<i64> {
    let snapshot = audit.snapshot;
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let skipped: BTreeSet<&str> = audit.skipped.iter().map(|skip| &*skip.rule).collect();
    transaction.execute(
        "INSERT INTO run (at, boot_id, uptime, window_seconds, window_source, duration, version, kernel, rules, skipped,
                          broken, findings)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            at,
            short(boot_id),
            snapshot.system.uptime_seconds.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX)),
            snapshot.window.seconds,
            snapshot.window.source.name(),
            run.duration.as_secs_f64(),
            short(&snapshot.written_by),
            short(&snapshot.system.kernel),
            count(audit.rules),
            count(skipped.len()),
            count(audit.broken_rules.len()),
            count(audit.open().count()),
        ],
    )?;
    Ok(transaction.last_insert_rowid())
}

fn insert_samples(transaction: &Transaction<'_>, run: i64, samples: &[Sample]) -> rusqlite::Result<()> {
    let mut ids: BTreeMap<&str, i64> = BTreeMap::new();
    let mut find = transaction.prepare("SELECT id FROM name WHERE text = ?1")?;
    let mut make = transaction.prepare("INSERT INTO name (text) VALUES (?1)")?;
    let mut insert =
        transaction.prepare("INSERT OR IGNORE INTO sample (run, namespace, metric, value) VALUES (?1, ?2, ?3, ?4)")?;
    let mut id = |text: &str| -> rusqlite::Result<i64> {
        let text = short(text);
        match find.query_row([&text], |row| row.get(0)).optional()? {
            Some(id) => Ok(id),
            None => make.insert([&text]),
        }
    };
    for sample in samples.iter().filter(|sample| sample.value.is_finite()) {
        for text in [sample.namespace.as_str(), sample.metric.as_str()] {
            if !ids.contains_key(text) {
                ids.insert(text, id(text)?);
            }
        }
        let (namespace, metric) = (ids.get(sample.namespace.as_str()), ids.get(sample.metric.as_str()));
        insert.execute(params![run, namespace, metric, sample.value])?;
    }
    Ok(())
}

/// A finding that is followed from run to run.
struct Followed {
    fingerprint: String,
    rule: String,
    severity: Severity,
    namespace: String,
    subject: String,
    title: String,
    first_seen: i64,
    episode: Option<i64>,
    track: Track,
}

struct Following<'a> {
    transaction: &'a Transaction<'a>,
    run: i64,
    at: i64,
    hold: &'a HoldOff,
}

fn follow(following: &Following<'_>, rules: &RuleSet, audit: &Audit<'_>) -> rusqlite::Result<()> {
    let mut known = followed(following.transaction)?;
    for finding in audit.findings.iter().take(MOST_FINDINGS) {
        let before = known.remove(&finding.fingerprint);
        // One that was never told and is accepted is nothing to follow.
        if before.is_none() && finding.waived.is_some() {
            continue;
        }
        let mut followed = before.unwrap_or_else(|| begun(finding, following.at));
        followed.severity = finding.severity;
        followed.title = short(&finding.title);
        // A process that was restarted has another number.
        followed.namespace = short(&finding.namespace);
        followed.subject = short(&finding.subject);
        let sight = if finding.waived.is_some() { Sight::Waived } else { Sight::Seen(finding.severity) };
        following.step(followed, sight)?;
    }
    let seen: BTreeSet<&str> = audit.snapshot.namespaces.iter().map(|namespace| namespace.name.as_str()).collect();
    let skipped: BTreeSet<(&str, &str)> =
        audit.skipped.iter().map(|skip| (&*skip.rule, skip.namespace.as_str())).collect();
    let all_followed = audit.findings.len() <= MOST_FINDINGS;
    for followed in known.into_values() {
        let (rule, namespace) = (followed.rule.as_str(), followed.namespace.as_str());
        // What is not there any more has no fault; what was not looked at may have.
        let gone = audit.snapshot.all_namespaces && !seen.contains(namespace);
        let looked_at = seen.contains(namespace) && !skipped.contains(&(rule, namespace));
        let evaluated = rules.get(rule).is_some() && (gone || looked_at);
        let sight = match (rules.is_withdrawn(rule), evaluated && all_followed) {
            (true, _) => Sight::Withdrawn,
            (false, true) => Sight::Absent,
            (false, false) => Sight::Unknown,
        };
        following.step(followed, sight)?;
    }
    Ok(())
}

fn begun(finding: &Finding, at: i64) -> Followed {
    Followed {
        fingerprint: short(&finding.fingerprint),
        rule: short(&finding.rule),
        severity: finding.severity,
        namespace: short(&finding.namespace),
        subject: short(&finding.subject),
        title: short(&finding.title),
        first_seen: at,
        episode: None,
        track: Track::default(),
    }
}

impl Following<'_> {
    /// Takes one finding's sight in, with its episode, its track and its event.
    fn step(&self, mut followed: Followed, sight: Sight) -> rusqlite::Result<()> {
        let was_present = followed.track.present;
        if !was_present && matches!(sight, Sight::Seen(_)) {
            followed.first_seen = self.at;
        }
        let before = followed.track.clone();
        let event = followed.track.step(sight, self.at, self.hold);
        if sight == Sight::Unknown && followed.track == before {
            return Ok(());
        }
        match (was_present, followed.track.present) {
            (false, true) => followed.episode = Some(self.begin(&followed)?),
            (false, false) => {}
            (true, _) => self.go_on(&followed, sight)?,
        }
        if let Some(kind) = event {
            self.record_event(&followed, kind)?;
        }
        if !followed.track.present {
            followed.episode = None;
        }
        self.keep(&followed)
    }

    fn begin(&self, followed: &Followed) -> rusqlite::Result<i64> {
        let Followed { fingerprint, rule, severity, namespace, subject, title, first_seen, .. } = followed;
        self.transaction.execute(
            "INSERT INTO episode (fingerprint, rule, severity, namespace, subject, title, first_seen, last_seen,
                                  last_run, seen, missed, published)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, 1, 0, 0)",
            params![fingerprint, rule, severity.name(), namespace, subject, title, first_seen, self.run],
        )?;
        Ok(self.transaction.last_insert_rowid())
    }

    fn go_on(&self, followed: &Followed, sight: Sight) -> rusqlite::Result<()> {
        let resolved_at = (!followed.track.present).then_some(self.at);
        let episode = followed.episode;
        match sight {
            Sight::Seen(severity) => self.transaction.execute(
                "UPDATE episode SET last_seen = ?2, last_run = ?3, seen = min(seen, ?6) + 1, severity = ?4, title = ?5,
                                    namespace = ?7, subject = ?8
                 WHERE id = ?1",
                params![
                    episode,
                    self.at,
                    self.run,
                    severity.name(),
                    followed.title,
                    MOST_RUNS,
                    followed.namespace,
                    followed.subject
                ],
            )?,
            Sight::Absent => self.transaction.execute(
                "UPDATE episode SET missed = min(missed, ?3) + 1, resolved_at = ?2 WHERE id = ?1",
                params![episode, resolved_at, MOST_RUNS],
            )?,
            Sight::Unknown | Sight::Waived | Sight::Withdrawn => self
                .transaction
                .execute("UPDATE episode SET resolved_at = ?2 WHERE id = ?1", params![episode, resolved_at])?,
        };
        Ok(())
    }

    fn record_event(&self, followed: &Followed, kind: EventKind) -> rusqlite::Result<()> {
        let Followed { fingerprint, rule, severity, namespace, subject, title, first_seen, .. } = followed;
        self.transaction.execute(
            "INSERT INTO event (run, at, kind, fingerprint, rule, severity, namespace, subject, title, first_seen,
                                published)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0)",
            params![
                self.run,
                self.at,
                kind.name(),
                fingerprint,
                rule,
                severity.name(),
                namespace,
                subject,
                title,
                first_seen
            ],
        )?;
        if kind == EventKind::New {
            self.transaction.execute("UPDATE episode SET published = 1 WHERE id = ?1", [followed.episode])?;
        }
        Ok(())
    }

    fn keep(&self, followed: &Followed) -> rusqlite::Result<()> {
        let Followed { fingerprint, rule, severity, namespace, subject, title, first_seen, episode, track } = followed;
        if track.is_over() {
            self.transaction.execute("DELETE FROM track WHERE fingerprint = ?1", [fingerprint])?;
            return Ok(());
        }
        let (told, told_severity) = match track.told {
            Told::Nothing => ("nothing", *severity),
            Told::Open(severity) => ("open", severity),
            Told::Flapping => ("flapping", *severity),
        };
        let news: Vec<String> = track.news.iter().map(i64::to_string).collect();
        self.transaction.execute(
            "INSERT OR REPLACE INTO track (fingerprint, rule, severity, namespace, subject, title, first_seen, episode,
                                           held, missed, told, told_severity, news, changed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            params![
                fingerprint,
                rule,
                severity.name(),
                namespace,
                subject,
                title,
                first_seen,
                episode,
                track.held,
                track.missed,
                told,
                told_severity.name(),
                news.join(" "),
                track.changed_at
            ],
        )?;
        Ok(())
    }
}

/// Whether everything that a run reads can be read: what a check of the file's structure does not see.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<()> {
    newest(connection)?;
    followed(connection)?;
    Ok(())
}

/// Everything that is followed, by fingerprint.
fn followed(transaction: &Connection) -> rusqlite::Result<BTreeMap<String, Followed>> {
    let mut statement = transaction.prepare(
        "SELECT fingerprint, rule, severity, namespace, subject, title, first_seen, episode, held, missed, told,
                told_severity, news, changed_at
         FROM track ORDER BY changed_at DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([MOST_TRACKS], |row| followed_of(row).map(|one| (one.fingerprint.clone(), one)))?;
    rows.collect()
}

fn followed_of(row: &Row<'_>) -> rusqlite::Result<Followed> {
    let told: String = row.get(10)?;
    let told_severity = severity_of(row, 11)?;
    let news: String = row.get(12)?;
    let number = |column: usize| row.get::<_, i64>(column).map(|value| u32::try_from(value).unwrap_or(u32::MAX));
    let episode: Option<i64> = row.get(7)?;
    Ok(Followed {
        fingerprint: row.get(0)?,
        rule: row.get(1)?,
        severity: severity_of(row, 2)?,
        namespace: row.get(3)?,
        subject: row.get(4)?,
        title: row.get(5)?,
        first_seen: row.get(6)?,
        episode,
        track: Track {
            present: episode.is_some(),
            held: number(8)?,
            missed: number(9)?,
            told: match told.as_str() {
                "open" => Told::Open(told_severity),
                "flapping" => Told::Flapping,
                _ => Told::Nothing,
            },
            news: news.split(' ').filter_map(|time| time.parse().ok()).collect(),
            changed_at: row.get(13)?,
        },
    })
}

/// A severity by its name; one that is none is an error as a wrong type is.
pub(super) fn severity_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Severity> {
    let name: String = row.get(column)?;
    Severity::named(&name).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, 0))
}

/// The text, not longer than is kept.
pub(super) fn short(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}
