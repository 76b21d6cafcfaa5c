//! What each format costs: reports of 10,000 findings or remarks, exports of a plan of 256 changes.
//!
//! `cargo bench --bench reports [-- NAME...]`. Each format is written in a process of its own, some rounds in one go; printed are
//! the median of the elapsed time, the most memory that writing needed beside the data, and the size of the text. The goal
//! is 100 ms and 64 MiB. No test depends on it. `cargo bench --bench reports -- text WHAT NAME` writes the text, to compare it
//! with that of another version.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints what it measured")]

use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use sysctl_advisor::audit::model::{Audit, Finding};
use sysctl_advisor::audit::waivers::Waivers;
use sysctl_advisor::plan::build::{self, PlanOptions};
use sysctl_advisor::plan::model::{Plan, PlannedChange};
use sysctl_advisor::report::audit::{FORMATS, Look, Reported};
use sysctl_advisor::report::remarks::{self, Checked, Origin, Remark, Remarks, What};
use sysctl_advisor::rules::set::RuleSet;
use sysctl_advisor::snapshot::Snapshot;
use sysctl_advisor::{audit, export, keys, model, report, session};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const ROUNDS: usize = 5;
const FINDINGS: usize = 10_000;
const CHANGES: usize = 256;
const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/ports.json");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let outcome = match &arguments[..] {
        [one, what, name] if one == "one" => measure(what, name),
        [text, what, name] if text == "text" => show(what, name),
        named => table(named),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn table(named: &[String]) -> Result<()> {
    let all = FORMATS.iter().map(|format| ("audit", format.name));
    let all = all
        .chain(["drift"].into_iter().flat_map(|what| remarks::FORMATS.iter().map(move |format| (what, format.name))));
    let all = all.chain(export::FORMATS.iter().map(|format| ("export", format.name)));
    println!("{:<8} {:<16} {:>10} {:>12} {:>12}", "", "format", "time", "memory", "text");
    for (what, name) in all.filter(|(_, name)| named.is_empty() || named.iter().any(|wanted| wanted == name)) {
        let output = Command::new(std::env::current_exe()?).args(["one", what, name]).output()?;
        if !output.status.success() {
            return Err(format!("{what} {name}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}

/// Writes one report or export.
type Write<'a> = dyn Fn(&mut dyn io::Write) -> Result<()> + 'a;

/// Gives `then` what writes the format.
fn prepared(what: &str, name: &str, then: impl FnOnce(&Write<'_>) -> Result<()>) -> Result<()> {
    let rules = RuleSet::shipped();
    let snapshot = session::read(Path::new(SNAPSHOT))?;
    match what {
        "audit" => {
            let format = report::audit::named(name).ok_or("no such format")?;
            let audit = many_findings(&snapshot, &rules);
            then(&|output| Ok(format.write(Reported::of(&audit), &Look::plain(), output)?))
        }
        "drift" => {
            let format = remarks::named(name).ok_or("no such format")?;
            let remarks = many_remarks();
            then(&|output| Ok(format.write(&remarks, output)?))
        }
        _ => {
            let format = export::named(name)?;
            let plan = many_changes(&snapshot, &rules)?;
            let options = export::Options::default();
            then(&|output| {
                let exported = export::write(&plan, format, &options)?;
                exported.files.iter().try_for_each(|file| Ok(output.write_all(file.text.as_bytes())?))
            })
        }
    }
}

/// Prints the line of one format.
fn measure(what: &str, name: &str) -> Result<()> {
    prepared(what, name, |write| timed(what, name, || counted(write)))
}

/// Prints the text of one format.
fn show(what: &str, name: &str) -> Result<()> {
    prepared(what, name, |write| write(&mut io::BufWriter::new(io::stdout().lock())))
}

/// The size of what is written to an output that keeps nothing, as standard output does.
fn counted(write: &Write<'_>) -> Result<usize> {
    let mut output = io::BufWriter::new(Counter(0));
    write(&mut output)?;
    Ok(output.into_inner()?.0)
}

#[derive(Debug)]
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0 += piece.len();
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn timed(what: &str, name: &str, mut write: impl FnMut() -> Result<usize>) -> Result<()> {
    // The most that was ever in memory begins again with this.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let before = most_memory()?;
    let size = write()?;
    let memory = most_memory()?.saturating_sub(before);
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        write()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    println!("{}", line(what, name, times[ROUNDS / 2], memory, size));
    Ok(())
}

fn line(what: &str, name: &str, time: Duration, kib: u64, size: usize) -> String {
    let (time, memory, size) = (time.as_secs_f64() * 1e3, kib as f64 / 1024.0, size as f64 / 1024.0 / 1024.0);
    format!("{what:<8} {name:<16} {time:>7.1} ms {memory:>8.1} MiB {size:>8.2} MiB")
}

/// `VmHWM`, in KiB.
fn most_memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// The findings of the snapshot, again and again, each about another subject.
fn many_findings<'a>(snapshot: &'a Snapshot, rules: &RuleSet) -> Audit<'a> {
    let mut audit = audit::run(snapshot, rules, &Waivers::default());
    let few = std::mem::take(&mut audit.findings);
    let numbered = |(number, finding): (usize, &Finding)| Finding {
        subject: format!("10.0.0.1 -> 10.{}.{}.{}:443", number >> 16, (number >> 8) & 255, number & 255),
        fingerprint: format!("{number:016x}"),
        ..finding.clone()
    };
    audit.findings = few.iter().cycle().take(FINDINGS).enumerate().map(numbered).collect();
    // As an audit has them: by severity, and those of one rule together.
    audit.findings.sort_by(|a, b| (b.severity, &a.rule).cmp(&(a.severity, &b.rule)));
    audit
}

fn many_remarks() -> Remarks {
    let key = |number: usize| format!("net.ipv4.conf.eth{number}.rp_filter");
    let remark = |number: usize| Remark {
        severity: model::Severity::Warning,
        code: "duplicates_disagree".into(),
        origin: Origin::File,
        cause: "",
        key: Some(key(number)),
        file: Some(format!("etc/sysctl.d/{:03}.conf", number / 100)),
        line: u32::try_from(number % 100 + 1).unwrap_or(1),
        columns: Some(1..40),
        snippet: format!("{} = 1", key(number)),
        text: format!("{} is set to `1` here and to `2` in line 4096, which overrides this line.", key(number)),
        explain: remarks::grade_of("duplicates_disagree").map_or("", |grade| grade.explain).into(),
        references: Vec::new(),
    };
    Remarks {
        command: "drift",
        observed_at: "2026-01-01T00:00:00Z".to_owned(),
        host: None,
        about: "The files".to_owned(),
        checked: (0..FINDINGS).map(|number| Checked { what: What::Key(key(number)), unread: None }).collect(),
        remarks: (0..FINDINGS).map(remark).collect(),
        gaps: Vec::new(),
    }
    .arranged()
}

/// The changes of the snapshot's plan, for other keys of the catalogue.
fn many_changes(snapshot: &Snapshot, rules: &RuleSet) -> Result<Plan> {
    let audit = audit::run(snapshot, rules, &Waivers::default());
    let mut plan = build::build(&audit, rules, &PlanOptions::default());
    let sample = plan.changes.first().ok_or("the snapshot has no change")?.clone();
    let with_default = keys::catalogue().iter().filter_map(|key| {
        let value = keys::parse(key, key.default.as_deref()?).ok()?;
        Some(PlannedChange { key, before: value.clone(), after: value, ..sample.clone() })
    });
    let few: Vec<PlannedChange> = with_default.collect();
    // The catalogue has fewer: the same keys again, which no writer minds.
    plan.changes = few.iter().cycle().take(CHANGES).cloned().collect();
    Ok(plan)
}
