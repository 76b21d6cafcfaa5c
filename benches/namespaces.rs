//! What an audit of many network namespaces costs.
//!
//! `cargo bench --bench namespaces [-- N...]`, as root; 1, 100 and 1,000 namespaces unless said otherwise. `hold N` makes them and
//! waits for the end of standard input, so that something else can look at them.
//!
//! Each namespace has a listener and five connections to it: 11 sockets. Every round runs each way once, as a process of its
//! own; the table has medians. Then one namespace with 100,000 sockets is added to the largest number.
//!
//! `cargo bench --features bpf --bench namespaces` compares ways to count the sockets of all of them by state
//! as well: a dump in each, and one pass inside the kernel, beside the files that have only sums.
//!
//! The benchmark has a mount namespace of its own with an empty `/run/netns` in it. So no other program sees its namespaces,
//! their number is exact, and they go with the last process that is in it, however that ends.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints what it measured")]

mod measure;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};

use measure::{Result, Way, measure, table, way};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sysctl_advisor::host::Host;
use sysctl_advisor::host::netns::{self, Place};
use sysctl_advisor::netlink::request::Query;
use sysctl_advisor::netlink::state::ALL;
use sysctl_advisor::observe::bpf::states_by_namespace;
use sysctl_advisor::observe::counters;
use sysctl_advisor::observe::sockets::netlink::{Walk, dump};
use sysctl_advisor::observe::tcp_summary::TcpSummary;

const ROUNDS: usize = 5;
const SUMS: &str = "sockstat and sockstat6, by this program";
const DUMPS: &str = "a dump in each, by this program";
const PASS: &str = "one pass inside the kernel";
const FOLDER: &str = "/run/netns";
const BUSY: &str = "busy";
/// Sockets of the busy namespace.
const MANY: usize = 100_000;
/// Connections of each other namespace, with two sockets each.
const PAIRS: usize = 5;
/// Descriptors that a worker leaves free for itself.
const SPARE_FILES: u64 = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["connect", pairs, index] => connect(pairs, index),
        ["measure", ..] => measure(&words[1..]),
        ["hold", number] => hold(number),
        ["count", way] => count(way),
        _ => compare(&words),
    };
    measure::exit(&outcome)
}

fn compare(numbers: &[&str]) -> Result<()> {
    let numbers = if numbers.is_empty() { &["1", "100", "1000"] } else { numbers };
    let numbers = numbers.iter().map(|number| number.replace(['_', ','], "").parse());
    let numbers: Vec<usize> = numbers.collect::<std::result::Result<_, _>>()?;
    apart()?;
    let mut all = Namespaces::default();
    for number in numbers {
        all.grow_to(number)?;
        let mut ways = vec![
            advisor("audit of the caller's own", &[]),
            advisor("audit --netns all", &["--netns", "all"]),
            advisor("audit --netns all --budget unlimited", &["--netns", "all", "--budget", "unlimited"]),
            loop_of("ss -tan in each", "ss -tan -N $name"),
            loop_of("their sockstat and sockstat6", "ip netns exec $name cat /proc/net/sockstat /proc/net/sockstat6"),
        ];
        if cfg!(feature = "bpf") {
            let myself = std::env::current_exe()?.to_string_lossy().into_owned();
            ways.extend([SUMS, DUMPS, PASS].map(|how| way(how, &[&myself, "count", how])));
        }
        let title = format!("{number} namespaces with {} sockets each", 2 * PAIRS + 1);
        table(&title, &ways, ROUNDS)?;
    }
    let number = all.held.len();
    let _busy = busy()?;
    let ways = [
        advisor("audit of the one with many", &["--netns", BUSY]),
        advisor("audit --netns all", &["--netns", "all"]),
        loop_of("ss -tan in each", "ss -tan -N $name"),
    ];
    let title = format!("{number} such namespaces and one with {MANY} sockets");
    table(&title, &ways, ROUNDS)
}

/// Counts the TCP sockets of all namespaces, and fails where there are none.
fn count(way: &str) -> Result<()> {
    let host = Host::live();
    let counted = if way == PASS {
        // Nothing to compare with: that is the next way's cost.
        states_by_namespace(&host, &BTreeMap::new()).map(|_| 1)?
    } else {
        let sockets = |_, _: &Place| match way {
            SUMS => Ok(TcpSummary::of(&counters::read_sockstat(&host)).map_or(0, |summary| summary.in_use)),
            _ => dump(
                Query { extensions: 0, states: ALL, ..Query::CONNECTIONS },
                Walk::Together,
                || 0,
                |seen, _| *seen += 1,
            )
            .map(|dump| dump.record),
        };
        let visits = netns::visit(&netns::list().places, sockets);
        visits.into_iter().map(|visit| Ok(visit??)).sum::<Result<u64>>()?
    };
    if counted > 0 { Ok(()) } else { Err("no sockets".into()) }
}

/// A mount namespace without any name of a network namespace in it.
fn apart() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(|error| format!("this needs root for a mount namespace: {error}"))?;
    let nothing = None::<&str>;
    mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing)?;
    fs::create_dir_all(FOLDER)?;
    mount(Some("tmpfs"), FOLDER, Some("tmpfs"), MsFlags::empty(), nothing)?;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
}

/// Namespaces `n0`, `n1`, ..., with their sockets.
#[derive(Default)]
struct Namespaces {
    held: Vec<(TcpListener, Vec<TcpStream>)>,
}

impl Namespaces {
    fn grow_to(&mut self, number: usize) -> Result<()> {
        for number in self.held.len()..number {
            self.held.push(make(&format!("n{number}"), || sockets().map_err(|error| error.to_string()))??);
        }
        Ok(())
    }
}

/// Makes a namespace and does `work` in it.
fn make<T: Send>(name: &str, work: impl FnOnce() -> T + Send) -> Result<T> {
    let path = format!("{FOLDER}/{name}");
    File::create(&path)?;
    let made = std::thread::scope(|scope| {
        let thread = scope.spawn(|| -> std::result::Result<T, String> {
            unshare(CloneFlags::CLONE_NEWNET).map_err(|error| error.to_string())?;
            let (own, nothing) = (Some("/proc/thread-self/ns/net"), None::<&str>);
            mount(own, path.as_str(), nothing, MsFlags::MS_BIND, nothing).map_err(|error| error.to_string())?;
            let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
            if up.map_err(|error| error.to_string())?.success() { Ok(work()) } else { Err("lo is down".to_owned()) }
        });
        thread.join()
    });
    made.map_err(|_| "the thread in the namespace ended")?.map_err(|error| format!("{name}: {error}").into())
}

fn sockets() -> std::io::Result<(TcpListener, Vec<TcpStream>)> {
    let listener = TcpListener::bind("127.0.0.1:900")?;
    let mut streams = Vec::new();
    for _ in 0..PAIRS {
        streams.push(TcpStream::connect("127.0.0.1:900")?);
        streams.push(listener.accept()?.0);
    }
    Ok((listener, streams))
}

/// The namespace with many sockets, as processes that hold them.
fn busy() -> Result<Vec<Worker>> {
    make(BUSY, || ())?;
    let per_worker = usize::try_from(getrlimit(Resource::RLIMIT_NOFILE)?.1 - SPARE_FILES)? / 2;
    let mut workers = Vec::new();
    let mut left = MANY / 2;
    while left > 0 {
        let pairs = left.min(per_worker);
        workers.push(Worker::start(pairs, workers.len())?);
        left -= pairs;
    }
    Ok(workers)
}

/// A process that holds connections until it is dropped.
struct Worker(Child);

impl Worker {
    fn start(pairs: usize, index: usize) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["connect", &pairs.to_string(), &index.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("no pipe")?;
        let worker = Self(child);
        BufReader::new(output).read_line(&mut line)?;
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

/// Opens connections in the busy namespace, says `ready`, and holds them until standard input ends.
fn connect(pairs: &str, index: &str) -> Result<()> {
    let (pairs, index): (usize, u8) = (pairs.parse()?, index.parse()?);
    setns(File::open(format!("{FOLDER}/{BUSY}"))?, CloneFlags::CLONE_NEWNET)?;
    let address = format!("127.1.{index}.1:900");
    let listener = TcpListener::bind(&address)?;
    let mut streams = Vec::with_capacity(pairs * 2);
    for _ in 0..pairs {
        streams.push(TcpStream::connect(&address)?);
        streams.push(listener.accept()?.0);
    }
    println!("ready");
    std::io::stdout().flush()?;
    std::io::stdin().lines().for_each(drop);
    Ok(())
}

/// Makes namespaces and waits. A number of the form `1000+` has the busy one too.
fn hold(number: &str) -> Result<()> {
    apart()?;
    let mut all = Namespaces::default();
    all.grow_to(number.trim_end_matches('+').parse()?)?;
    let _busy = if number.ends_with('+') { busy()? } else { Vec::new() };
    println!("ready; nsenter --mount --target {}", std::process::id());
    std::io::stdin().lines().for_each(drop);
    Ok(())
}

fn advisor(name: &str, words: &[&str]) -> Way {
    way(name, &[&[env!("CARGO_BIN_EXE_sysctl-advisor"), "audit", "--window", "100ms"], words].concat())
}

fn loop_of(name: &str, command: &str) -> Way {
    way(name, &["sh", "-c", &format!("for name in $(ls {FOLDER}); do {command}; done")])
}
