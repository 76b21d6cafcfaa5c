//! What a command costs: time, CPU time and memory, in a process of its own.
//!
//! In: commands. Out: a [`Sample`] of each; the medians of several rounds, as a table. Must not: say what is much.
//!
//! A benchmark that uses it gives its own arguments after `measure` to [`measure`].

use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// One run of a command.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) wall_ms: f64,
    pub(crate) cpu_ms: f64,
    peak_kib: i64,
}

impl Sample {
    /// Runs the command below a process that does nothing else, so that its resources are told apart.
    pub(crate) fn take(command: &[String]) -> Result<Self> {
        let output = Command::new(std::env::current_exe()?).arg("measure").args(command).output()?;
        let text = String::from_utf8(output.stderr)?;
        let line = text.lines().last().ok_or("no measurement")?;
        let mut numbers = line.split_whitespace().map(str::parse::<f64>);
        let mut next = || numbers.next().ok_or_else(|| format!("not a measurement: {line}"));
        Ok(Self { wall_ms: next()??, cpu_ms: next()??, peak_kib: next()?? as i64 })
    }

    pub(crate) fn peak_mib(self) -> f64 {
        self.peak_kib as f64 / 1024.0
    }

    fn median(mut samples: Vec<Self>) -> Self {
        let peak_kib = samples.iter().map(|sample| sample.peak_kib).max().unwrap_or(0);
        let middle = samples.len() / 2;
        samples.sort_by(|a, b| a.wall_ms.total_cmp(&b.wall_ms));
        let wall_ms = samples[middle].wall_ms;
        samples.sort_by(|a, b| a.cpu_ms.total_cmp(&b.cpu_ms));
        Self { wall_ms, cpu_ms: samples[middle].cpu_ms, peak_kib }
    }
}

/// A command with a name.
pub(crate) type Way = (String, Vec<String>);

pub(crate) fn way<Word: AsRef<str>>(name: &str, command: &[Word]) -> Way {
    (name.to_owned(), command.iter().map(|word| word.as_ref().to_owned()).collect())
}

/// Runs every way in turn, round after round. `prepare` is not measured: it is called with the number of a way before each of
/// its runs.
pub(crate) fn medians(
    ways: &[Way],
    rounds: usize,
    mut prepare: impl FnMut(usize) -> Result<()>,
) -> Result<Vec<Sample>> {
    let mut samples = vec![Vec::new(); ways.len()];
    for _ in 0..rounds {
        for (number, ((_, command), samples)) in ways.iter().zip(&mut samples).enumerate() {
            prepare(number)?;
            samples.push(Sample::take(command)?);
        }
    }
    Ok(samples.into_iter().map(Sample::median).collect())
}

/// Prints a line for each way.
#[allow(dead_code, reason = "a benchmark of growth has a column for each size")]
pub(crate) fn table(title: &str, ways: &[Way], rounds: usize) -> Result<()> {
    let medians = medians(ways, rounds, |_| Ok(()))?;
    println!("\n{title}, median of {rounds}");
    println!("{:<38}{:>10}{:>10}{:>12}{:>12}", "", "wall ms", "CPU ms", "peak MiB", "CPU ratio");
    for ((name, _), sample) in ways.iter().zip(&medians) {
        let ratio = sample.cpu_ms / medians[0].cpu_ms;
        let (wall, cpu, peak) = (sample.wall_ms, sample.cpu_ms, sample.peak_mib());
        println!("{name:<38}{wall:>10.1}{cpu:>10.1}{peak:>12.1}{ratio:>12.2}");
    }
    Ok(std::io::stdout().flush()?)
}

/// Runs a command and prints wall ms, CPU ms and peak KiB of it and its children as the last line of standard error.
pub(crate) fn measure(command: &[&str]) -> Result<()> {
    let (program, arguments) = command.split_first().ok_or("measure what?")?;
    let started = Instant::now();
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status()?;
    let wall = started.elapsed().as_secs_f64() * 1000.0;
    if !status.success() {
        return Err(format!("{program}: {status}").into());
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let milliseconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1000.0 + time.tv_usec() as f64 / 1000.0;
    eprintln!("{wall} {} {}", milliseconds(usage.user_time()) + milliseconds(usage.system_time()), usage.max_rss());
    Ok(())
}

/// How a benchmark ends, with the error in words.
pub(crate) fn exit(outcome: &Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
