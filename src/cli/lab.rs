//! `lab`: play scenarios, and the hidden commands that a stage is made of.
//!
//! In: names. Out: the story, a table or JSON. Must not: know what a scenario does.

#![cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, reason = "a door: the stage is another process of this program")
)]

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use clap::{Args, Subcommand, ValueEnum};

use super::exit::{Exit, Failure, Outcome as Ended};
use super::output::{self, Terminal};
use crate::lab::act::{self, Job};
use crate::lab::event::{Event, Outcome};
use crate::lab::play::{self, Wishes};
use crate::lab::scenario::{self, Scenario};
use crate::lab::stage::{self, THIS_PROGRAM};
use crate::lab::{DOOR, LabError, STAGE};
use crate::report::lab::{self as report, Story};

/// Nothing takes longer; a stage that does is ended.
const LONGEST: Duration = Duration::from_secs(90);
/// For a stage that has come to its end.
const UNDOING: Duration = Duration::from_secs(5);
/// After each sentence on a terminal.
const READING: Duration = Duration::from_millis(900);

#[derive(Debug, Subcommand)]
pub(super) enum LabCommand {
    /// Print the scenarios by area, and the rules that each shows
    List {
        /// Only those that have this word in their area, name, title or rules
        #[arg(value_name = "WORD")]
        word: Option<String>,
    },
    /// Play scenarios
    Run(RunArgs),
}

/// Make a fault for real in scratch network namespaces, find it, end it, and measure it again.
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing outside of the scratch namespaces is changed, and they end with the program. As another user than root a user \
namespace is made first, where the kernel allows it. The lab needs iproute2, and nftables for some scenarios.

Examples:
  sysctl-advisor lab run accept-queue
  sysctl-advisor lab run one-destination-time-wait --wrong
  sysctl-advisor lab run --rule close-wait-leak
  sysctl-advisor lab run --all")]
pub(super) struct RunArgs {
    /// Scenarios, as `lab list` names them, or files of your own (FILE.toml)
    #[arg(value_name = "NAME", required_unless_present_any = ["all", "rule"])]
    names: Vec<String>,
    /// Every scenario
    #[arg(long, conflicts_with_all = ["names", "rule"])]
    all: bool,
    /// The scenarios that show this rule
    #[arg(long, value_name = "ID", conflicts_with = "names")]
    rule: Option<String>,
    /// Play the scenarios that need a whole machine, on this one. They change its sysctls and its network
    #[arg(long, requires = "throw_away")]
    host: bool,
    /// Say that this machine is a throw-away one, for --host
    #[arg(long)]
    throw_away: bool,
    /// Also try what people recommend on the web, and show what it does
    #[arg(long)]
    wrong: bool,
    /// Leave the stage open at the end, and say how to enter it
    #[arg(long)]
    keep: bool,
    /// Do not wait after each sentence on a terminal
    #[arg(long)]
    fast: bool,
    /// Scenarios that are played at the same time; more than one only with --format json or markdown
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u8).range(1..=16))]
    jobs: u8,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: LabFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LabFormat {
    /// The story as it happens
    Text,
    /// Machine-readable; docs/schema has the JSON Schema
    Json,
    /// A page with a table, as docs/lab.md
    Markdown,
}

/// What the hidden commands are given.
#[derive(Debug, Args)]
pub(super) struct StageArgs {
    name: String,
    #[arg(long)]
    wrong: bool,
    #[arg(long, default_value = "0")]
    pause_ms: u64,
    /// The process that shows; the door ends with it
    #[arg(long, default_value = "0")]
    parent: u32,
    /// The mount namespace of the door's parent
    #[arg(long, default_value = "0")]
    outside: u64,
    /// That the machine is a throw-away one, for a scenario that needs a machine
    #[arg(long)]
    throw_away: bool,
}

/// What a worker of a server is given.
#[derive(Debug, Args)]
pub(super) struct WorkerArgs {
    process: String,
    #[arg(long)]
    files: Option<u64>,
    #[arg(long)]
    each: Option<usize>,
    #[arg(long)]
    reads: bool,
    /// The control group that it joins
    #[arg(long)]
    group: Option<PathBuf>,
    /// What it reads again and again
    #[arg(long)]
    disk: Option<PathBuf>,
}

pub(super) fn run(command: &LabCommand, terminal: &Terminal) -> Ended {
    match command {
        LabCommand::List { word } => {
            let mut all = scenario::all().map_err(|error| Failure::usage(anyhow!(error)))?;
            if let Some(word) = word {
                all.retain(|scenario| scenario.mentions(word));
                if all.is_empty() {
                    return Err(Failure::usage(anyhow!("no scenario mentions `{word}`; `lab list` has them all")));
                }
            }
            output::print(&report::list(&all, &terminal.theme()))?;
            Ok(ExitCode::SUCCESS)
        }
        LabCommand::Run(args) => run_all(args, terminal),
    }
}

fn run_all(args: &RunArgs, terminal: &Terminal) -> Ended {
    let chosen = chosen(args).map_err(|error| Failure::usage(anyhow!(error)))?;
    let outcomes = if args.format == LabFormat::Text { told(&chosen, args, terminal)? } else { quietly(&chosen, args) };
    match args.format {
        LabFormat::Text => {}
        LabFormat::Json => output::stream(None, |output| report::json(&kernel(), &outcomes, output))?,
        LabFormat::Markdown => output::print(&report::table(&kernel(), &outcomes))?,
    }
    let good = outcomes.iter().all(|outcome| outcome.as_expected);
    Ok(if good { ExitCode::SUCCESS } else { Exit::NotAsExpected.code() })
}

fn chosen(args: &RunArgs) -> Result<Vec<Scenario>, String> {
    if args.all {
        let all = scenario::all()?;
        return Ok(all.into_iter().filter(|scenario| scenario.host == args.host).collect());
    }
    let chosen: Vec<Scenario> = match &args.rule {
        None => args.names.iter().map(|name| scenario::named(name)).collect::<Result<_, _>>()?,
        Some(rule) => scenario::of_rule(rule).into_iter().map(scenario::named).collect::<Result<_, _>>()?,
    };
    if let Some(rule) = args.rule.as_ref().filter(|_| chosen.is_empty()) {
        return Err(format!("no scenario shows the rule `{rule}`; `lab list` has them all"));
    }
    match chosen.iter().find(|scenario| scenario.host != args.host) {
        Some(other) if other.host => Err(format!(
            "`{}` changes what a machine has only once. Run it on a throw-away machine, with --host --throw-away",
            other.name
        )),
        Some(other) => Err(format!("`{}` needs no machine of its own: run it without --host", other.name)),
        None => Ok(chosen),
    }
}

fn kernel() -> String {
    nix::sys::utsname::uname().map(|name| name.release().to_string_lossy().into_owned()).unwrap_or_default()
}

/// One after the other, as text.
fn told(chosen: &[Scenario], args: &RunArgs, terminal: &Terminal) -> Result<Vec<Outcome>, Failure> {
    let (live, theme) = (io::stdout().is_terminal(), terminal.theme());
    let mut outcomes = Vec::new();
    for scenario in chosen {
        let mut story = Story::new(&theme, live);
        let mut undelivered = None;
        let pause = if live && !args.fast { READING } else { Duration::ZERO };
        let outcome = stage(scenario, args, pause, &mut |event| {
            let text = story.add(event);
            undelivered = undelivered.take().or_else(|| output::print(&text).err());
        });
        match undelivered {
            Some(error) => return Err(error.into()),
            None => output::print("\n")?,
        }
        outcomes.push(outcome);
    }
    if outcomes.len() > 1 {
        let good = outcomes.iter().filter(|outcome| outcome.as_expected).count();
        output::print(&format!("{good} of {} scenarios were as expected.\n", outcomes.len()))?;
        let others = outcomes.iter().filter(|outcome| !outcome.as_expected);
        for outcome in others {
            output::print(&format!("  not as expected: {}\n", outcome.name))?;
        }
    }
    Ok(outcomes)
}

/// Several at a time, without a story.
fn quietly(chosen: &[Scenario], args: &RunArgs) -> Vec<Outcome> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some((place, scenario)) = {
            let place = next.fetch_add(1, Ordering::Relaxed);
            chosen.get(place).map(|scenario| (place, scenario))
        } {
            let outcome = stage(scenario, args, Duration::ZERO, &mut |_| {});
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((place, outcome));
            if output::errors_are_seen() {
                output::note(&format!("{} of {}: {}", done.len(), chosen.len(), scenario.name));
            }
        }
    };
    std::thread::scope(|scope| (0..args.jobs).for_each(|_| drop(scope.spawn(work))));
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Plays one scenario on a stage of its own, and hands on each event.
fn stage(scenario: &Scenario, args: &RunArgs, pause: Duration, each: &mut dyn FnMut(&Event)) -> Outcome {
    let broken = |why: String| Outcome { broken: Some(why), ..scenario.outcome() };
    let mut command = Command::new(THIS_PROGRAM);
    command.arg(DOOR).arg(&scenario.name).args(["--pause-ms", &pause.as_millis().to_string()]);
    command.args(["--parent", &std::process::id().to_string()]);
    command.args(args.wrong.then_some("--wrong")).args(args.throw_away.then_some("--throw-away"));
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return broken(format!("the stage did not start: {error}")),
    };
    let ended = follow(&mut child, args.keep, each);
    end(child);
    ended.unwrap_or_else(|why| {
        let outcome = broken(why);
        each(&Event::End(Box::new(outcome.clone())));
        outcome
    })
}

/// Gives the stage a moment to undo what does not end with it, then ends the door, and the stage with it.
fn end(mut child: Child) {
    drop(child.stdin.take());
    let deadline = Instant::now() + UNDOING;
    while Instant::now() < deadline && matches!(child.try_wait(), Ok(None)) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn follow(child: &mut Child, keep: bool, each: &mut dyn FnMut(&Event)) -> Result<Outcome, String> {
    let stdout = child.stdout.take().ok_or("the stage has no output")?;
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    let (deadline, mut entrance) = (Instant::now() + LONGEST, None);
    loop {
        let line = match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => return Err(format!("it took longer than {} s", LONGEST.as_secs())),
            Err(RecvTimeoutError::Disconnected) => return Err("the stage ended before the scenario did".to_owned()),
        };
        let event: Event =
            serde_json::from_str(&line).map_err(|error| format!("the stage said what nobody knows: {error}"))?;
        each(&event);
        match event {
            Event::Stage { pid, user } => entrance = Some((pid, user)),
            Event::End(outcome) => {
                if let Some((pid, user)) = entrance.filter(|_| keep) {
                    output::note(&report::kept(pid, user));
                    // Enter, or the end of the input: both end it.
                    let _ = io::stdin().lock().read_line(&mut String::new());
                }
                return Ok(*outcome);
            }
            _ => {}
        }
    }
}

/// The scenario of a hidden command. One that needs a machine is refused here too, whoever started the command.
fn needed(args: &StageArgs) -> Result<Scenario, Failure> {
    let scenario = scenario::named(&args.name).map_err(|error| Failure::usage(anyhow!(error)))?;
    if scenario.host && !args.throw_away {
        return Err(Failure::usage(anyhow!("`{}` is for a throw-away machine", scenario.name)));
    }
    Ok(scenario)
}

/// The door: a process that makes the namespaces and runs the stage in them. It must have one thread only.
pub(super) fn run_door(args: &StageArgs) -> Ended {
    let pause = args.pause_ms.to_string();
    let scenario = needed(args)?;
    let mut arguments: Vec<&OsStr> = [STAGE, &args.name, "--pause-ms", &pause].map(OsStr::new).into();
    arguments.extend(args.wrong.then_some(OsStr::new("--wrong")));
    arguments.extend(args.throw_away.then_some(OsStr::new("--throw-away")));
    match stage::open(&arguments, args.parent, scenario.host, |pid, user| say(&Event::Stage { pid, user })) {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            let outcome = Outcome {
                not_here: matches!(error, LabError::NotHere(_)).then(|| error.to_string()),
                broken: matches!(error, LabError::Broken(_)).then(|| error.to_string()),
                ..scenario.outcome()
            };
            say(&Event::End(Box::new(outcome)));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The stage: plays the scenario, and says what happens on standard output.
pub(super) fn run_stage(args: &StageArgs) -> Ended {
    let scenario = needed(args)?;
    let wishes = Wishes { wrong: args.wrong, pause: Duration::from_millis(args.pause_ms), outside: args.outside };
    play::play(&scenario, wishes, &mut |event| say(&event), || {
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
    });
    Ok(ExitCode::SUCCESS)
}

/// A worker of a server on the stage, until the stage ends it.
pub(super) fn run_worker(args: &WorkerArgs) -> Ended {
    let WorkerArgs { process, files, each, reads, group, disk } = args;
    let (group, disk) = (group.as_deref(), disk.as_deref());
    let job = Job { process, files: *files, each: *each, reads: *reads, group, disk };
    act::work(&job).map_err(|error| Failure::usage(anyhow!(error)))?;
    Ok(ExitCode::SUCCESS)
}

/// One event on a line. Who does not read it any more ends this process soon.
fn say(event: &Event) {
    if let Ok(line) = serde_json::to_string(event) {
        let _ = output::print(&format!("{line}\n"));
    }
}
