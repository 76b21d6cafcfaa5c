//! What an audit costs beside the other ways to look at the same sockets.
//!
//! `cargo bench --bench audit [-- SOCKETS...]`, as root; 10,000 and 100,000 sockets unless said otherwise.
//!
//! In a network namespace of its own it opens that many ESTABLISHED sockets on loopback and then runs, in turn and
//! several rounds in one go, `sysctl-advisor audit` (less its window), `ss -tan | awk` by state, `ss -s`, and the
//! kernel's dump read and thrown away, each as a process of its own. It prints the median of wall time and CPU time, the
//! peak memory, and the ratio to the bare dump. Only the ratios of one run mean something; no test depends on them.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints what it measured")]

use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};
use sysctl_advisor::netlink::request::{Family, Query};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const ROUNDS: usize = 11;
/// Descriptors that a worker leaves free for itself.
const SPARE_FILES: u64 = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["hold", pairs, index] => hold(pairs, index),
        ["measure", ..] => measure(&words[1..]),
        ["bare-dump", "plain"] => bare_dump(Query { extensions: 0, ..Query::CONNECTIONS }),
        ["bare-dump", "with-tcp-info"] => bare_dump(Query::CONNECTIONS),
        _ => compare(&words),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(counts: &[&str]) -> Result<()> {
    let mut sockets = Vec::new();
    for count in if counts.is_empty() { &["0", "10000", "100000"] } else { counts } {
        sockets.push(count.replace(['_', ','], "").parse::<u64>()?);
    }
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| format!("this needs root for a network namespace: {error}"))?;
    sh("ip link set lo up")?;
    std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "1024 65535")?;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    let per_worker = (hard - SPARE_FILES) / 2;
    let mut workers = Vec::new();
    let mut held = 0;
    for count in sockets {
        while held < count {
            let pairs = per_worker.min((count - held).div_ceil(2));
            workers.push(Worker::start(pairs, workers.len())?);
            held += pairs * 2;
        }
        table(held)?;
    }
    Ok(())
}

/// Runs every way in turn, round after round, and prints a line for each.
fn table(sockets: u64) -> Result<()> {
    let advisor = env!("CARGO_BIN_EXE_sysctl-advisor");
    let myself = std::env::current_exe()?.to_string_lossy().into_owned();
    let ways: [(&str, Vec<String>); 6] = [
        ("bare dump", [&myself, "bare-dump", "plain"].map(String::from).to_vec()),
        ("bare dump with tcp_info", [&myself, "bare-dump", "with-tcp-info"].map(String::from).to_vec()),
        ("audit", [advisor, "audit", "--window", "0"].map(String::from).to_vec()),
        ("snapshot (no rules, no report)", [advisor, "snapshot", "--window", "0"].map(String::from).to_vec()),
        (
            "ss -tan | awk",
            ["sh", "-c", "ss -tan | awk '{ n[$1]++ } END { for (s in n) print s, n[s] }'"].map(String::from).to_vec(),
        ),
        ("ss -s", ["ss", "-s"].map(String::from).to_vec()),
    ];
    let mut samples = vec![Vec::new(); ways.len()];
    for _ in 0..ROUNDS {
        for (way, samples) in ways.iter().zip(&mut samples) {
            samples.push(Sample::take(&way.1)?);
        }
    }
    let medians: Vec<Sample> = samples.into_iter().map(Sample::median).collect();
    println!("\n{sockets} ESTABLISHED sockets, median of {ROUNDS}");
    println!("{:<36}{:>10}{:>10}{:>12}{:>12}", "", "wall ms", "CPU ms", "peak MiB", "CPU ratio");
    for ((name, _), sample) in ways.iter().zip(&medians) {
        println!(
            "{name:<36}{:>10.1}{:>10.1}{:>12.1}{:>12.2}",
            sample.wall_ms,
            sample.cpu_ms,
            sample.peak_kib as f64 / 1024.0,
            sample.cpu_ms / medians[0].cpu_ms
        );
    }
    std::io::stdout().flush()?;
    Ok(())
}

/// One run of a command.
#[derive(Clone, Copy)]
struct Sample {
    wall_ms: f64,
    cpu_ms: f64,
    peak_kib: i64,
}

impl Sample {
    /// Runs the command below a process that does nothing else, so that its resources are told apart.
    fn take(command: &[String]) -> Result<Self> {
        let output = Command::new(std::env::current_exe()?).arg("measure").args(command).output()?;
        let text = String::from_utf8(output.stderr)?;
        let line = text.lines().last().ok_or("no measurement")?;
        let mut numbers = line.split_whitespace().map(str::parse::<f64>);
        let mut next = || numbers.next().ok_or_else(|| format!("not a measurement: {line}"));
        Ok(Self { wall_ms: next()??, cpu_ms: next()??, peak_kib: next()?? as i64 })
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

/// Runs a command and prints wall ms, CPU ms and peak KiB of it and its children as the last line of standard error.
fn measure(command: &[&str]) -> Result<()> {
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

/// Asks the kernel for the sockets, IPv4 and then IPv6, and throws them away.
fn bare_dump(query: Query<'_>) -> Result<()> {
    let netlink = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag)?;
    let mut buffer = vec![0; 32 * 1024];
    for family in [Family::V4, Family::V6] {
        send(netlink.as_raw_fd(), &query.one_family(family, 1), MsgFlags::empty())?;
        // Type 3 is NLMSG_DONE; the last message of a dump stands at the beginning of its own read.
        loop {
            let length = recv(netlink.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            if length < 6 || u16::from_ne_bytes([buffer[4], buffer[5]]) == 3 {
                break;
            }
        }
    }
    Ok(())
}

/// A process that holds connections until it is dropped.
struct Worker(Child);

impl Worker {
    fn start(pairs: u64, index: usize) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["hold", &pairs.to_string(), &index.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("no pipe")?;
        BufReader::new(output).read_line(&mut line)?;
        let worker = Self(child);
        if line.trim() == "ready" { Ok(worker) } else { Err(format!("worker {index} did not start").into()) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The worker ends when its standard input does.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Opens connections to a listener of its own, says `ready`, and holds them until standard input ends.
fn hold(pairs: &str, index: &str) -> Result<()> {
    let (pairs, index): (usize, u8) = (pairs.parse()?, index.parse()?);
    let address = format!("127.1.{index}.1:900");
    let listener = TcpListener::bind(&address)?;
    let mut sockets = Vec::with_capacity(pairs * 2);
    for _ in 0..pairs {
        sockets.push(TcpStream::connect(&address)?);
        sockets.push(listener.accept()?.0);
    }
    println!("ready");
    std::io::stdout().flush()?;
    std::io::stdin().lines().for_each(drop);
    Ok(())
}

fn sh(command: &str) -> Result<()> {
    let status = Command::new("sh").args(["-c", command]).status()?;
    if status.success() { Ok(()) } else { Err(format!("{command}: {status}").into()) }
}
