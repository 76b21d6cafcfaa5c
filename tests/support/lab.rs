//! The scratch host: a network namespace that belongs to the calling thread, and a second one at the far end of a cable.
//!
//! In: root and iproute2. Out: [`Lab`], which reads and writes the namespace's own sysctls and counters, and runs the
//! binary under test inside. Must not: write a sysctl before it has made sure that the namespace is not the machine's.
//!
//! ```text
//!  lab (this thread, audited)                     lab.far (never audited)
//!  lo    10.1.0.1 10.1.0.2 10.1.0.3 fd00:1::1
//!  near0 10.2.0.1/24 fd00:2::1/64 --- cable ----- far0 10.2.0.2/24 fd00:2::2/64,
//!                                                 and all of 10.9.0.0/16
//!        10.3.0.0/16: packets leave and nobody takes them, nothing is ever answered
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};
use sysctl_advisor::lab::stage;

use super::report::Report;

const THREAD_NAMESPACE: &str = "/proc/thread-self/ns/net";

/// The namespace that the process was started in: the machine's, or that of the container that the tests run in. Pid 1's
/// would not do as a reference, since even root may be refused a look at it.
static OUTSIDE: OnceLock<u64> = OnceLock::new();

/// The address of the audited end of the cable.
pub(crate) const NEAR: &str = "10.2.0.1";

/// The audited namespace. Sockets made by this thread, by threads that it starts and by its child processes belong to it.
/// The kernel takes it away with the thread and its sockets.
#[derive(Debug)]
pub(crate) struct Lab {
    inode: u64,
    /// The host at the other end of the cable: clients and backends live there, so that the audited namespace holds one
    /// end of each connection only.
    pub(crate) far: Far,
}

impl Lab {
    /// Moves the calling thread into a fresh network namespace.
    ///
    /// # Panics
    /// Without root: these tests prove what the kernel does, and one that cannot run has not passed.
    pub(crate) fn enter() -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "\n\nTHE LAB NEEDS ROOT: it makes TCP faults in a private network namespace. Run the tests as root, or leave \
             them out by name; they are never skipped silently.\n\n"
        );
        raise_open_files();
        OUTSIDE.get_or_init(|| inode("/proc/self/ns/net"));
        unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace could not be made (CAP_SYS_ADMIN is needed)");
        let home = File::open(THREAD_NAMESPACE).unwrap();
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        let far = Far { namespace: File::open(THREAD_NAMESPACE).unwrap() };
        setns(&home, CloneFlags::CLONE_NEWNET).unwrap();

        let lab = Self { inode: home.metadata().unwrap().ino(), far };
        lab.assert_inside();
        lab.lay_cable();
        lab
    }

    /// One more host, with nothing but a loopback that is down.
    pub(crate) fn host(&self) -> Far {
        self.assert_inside();
        let home = File::open(THREAD_NAMESPACE).unwrap();
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        let host = Far { namespace: File::open(THREAD_NAMESPACE).unwrap() };
        setns(&home, CloneFlags::CLONE_NEWNET).expect("the way back into the lab is lost");
        host
    }

    /// Panics unless the calling thread is inside the lab, and the lab is not the namespace that the process came from.
    fn assert_inside(&self) {
        assert_ne!(Some(&self.inode), OUTSIDE.get(), "this is the machine's own network namespace: nothing is written");
        assert_eq!(self.inode, inode(THREAD_NAMESPACE), "the calling thread has left the lab: nothing is written");
    }

    /// The cable of the lab's scenarios.
    fn lay_cable(&self) {
        ip(&stage::near_end(&self.far.path()));
        self.far.inside(|| {
            ip(stage::FAR_END);
            fs::write("/proc/sys/net/core/somaxconn", "65535").unwrap();
        });
    }

    /// A sysctl of the lab, `net.ipv4.tcp_fin_timeout`, without the newline.
    pub(crate) fn sysctl(&self, key: &str) -> String {
        self.assert_inside();
        fs::read_to_string(sysctl_path(key)).unwrap_or_else(|error| panic!("{key}: {error}")).trim_end().to_owned()
    }

    /// Sets a sysctl of the lab and makes sure that the kernel took it.
    pub(crate) fn set(&self, key: &str, value: &str) {
        self.assert_inside();
        fs::write(sysctl_path(key), value).unwrap_or_else(|error| panic!("{key} = {value}: {error}"));
        let taken: Vec<String> = self.sysctl(key).split_whitespace().map(str::to_owned).collect();
        let wanted: Vec<&str> = value.split_whitespace().collect();
        assert_eq!(taken, wanted, "{key} does not read back as it was written");
    }

    /// A counter of `/proc/net/netstat` or `/proc/net/snmp`, such as `("TcpExt", "ListenOverflows")`.
    pub(crate) fn counter(&self, group: &str, name: &str) -> i64 {
        self.assert_inside();
        let file = if group.ends_with("Ext") { "netstat" } else { "snmp" };
        let text = fs::read_to_string(format!("/proc/thread-self/net/{file}")).unwrap();
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(&format!("{group}: ")));
        let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
        let column = names.split(' ').position(|column| column == name).unwrap_or_else(|| panic!("no {group}.{name}"));
        values.split(' ').nth(column).unwrap().parse().unwrap()
    }

    /// A number of `/proc/net/sockstat`, such as `("TCP", "tw")`.
    pub(crate) fn sockstat(&self, group: &str, name: &str) -> i64 {
        self.assert_inside();
        let text = fs::read_to_string("/proc/thread-self/net/sockstat").unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{group}: "))).unwrap();
        let mut words = line.split(' ').skip_while(|&word| word != name);
        words.nth(1).unwrap_or_else(|| panic!("no {group} {name}")).parse().unwrap()
    }

    /// Runs `ss` in the lab and returns the words of each line.
    pub(crate) fn ss(&self, arguments: &[&str]) -> Vec<Vec<String>> {
        let text = run(Command::new("ss").args(arguments));
        text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    }

    /// TCP sockets by state, as `ss` counts them, under the kernel's names. A state without a socket is absent.
    pub(crate) fn socket_states(&self) -> BTreeMap<String, usize> {
        let mut states = BTreeMap::new();
        for line in self.ss(&["-tanH"]) {
            *states.entry(kernel_name(&line[0]).to_owned()).or_default() += 1;
        }
        states
    }

    /// How many sockets `ss` sees in a state, under the kernel's name.
    pub(crate) fn in_state(&self, state: &str) -> usize {
        self.socket_states().get(state).copied().unwrap_or(0)
    }

    /// What `ss -ltn` shows of the listener at a port: connections that wait for `accept()`, and the effective backlog.
    pub(crate) fn accept_queue(&self, port: u16) -> (u32, u32) {
        let lines = self.ss(&["-tlnH", "sport", "=", &format!(":{port}")]);
        let [line] = lines.as_slice() else { panic!("not one listener on port {port}: {lines:?}") };
        (line[1].parse().unwrap(), line[2].parse().unwrap())
    }

    /// A listener of the lab, with exactly this `backlog`.
    pub(crate) fn listen(&self, address: &str, backlog: i32) -> TcpListener {
        self.assert_inside();
        listener(address.parse().unwrap(), backlog)
    }

    /// Runs `sysctl-advisor audit --format json ARGS` inside the lab and returns its report.
    ///
    /// # Panics
    /// When it ends with another code than 0 (nothing at or above `--fail-on`) or 10 (something).
    pub(crate) fn audit(&self, arguments: &[&str]) -> Report {
        self.assert_inside();
        let output = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"))
            .args(["audit", "--format", "json"])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 10)), "audit {arguments:?} ended with {code:?}:\n{}", both(&output));
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("audit {arguments:?} printed no JSON ({error}):\n{}", both(&output)));
        Report::new(report)
    }

    /// Carries out what the report proposes for a rule, in the lab. Returns the keys that were set.
    ///
    /// # Panics
    /// When the rule proposes nothing, or the kernel takes another value than the one proposed.
    pub(crate) fn follow(&self, report: &Report, rule: &str) -> Vec<String> {
        let proposals = report.recommendations(rule);
        assert!(!proposals.is_empty(), "{rule} proposes no sysctl");
        proposals
            .into_iter()
            .map(|(key, value)| {
                self.set(&key, &value);
                key
            })
            .collect()
    }

    /// Keeps `load` running in a thread of the lab while `measure` runs. `load` returns when its flag is set.
    pub(crate) fn during<T>(&self, load: impl FnOnce(&AtomicBool) + Send, measure: impl FnOnce() -> T) -> T {
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        self.assert_inside();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| load(&stop));
            // Dropped when `measure` panics too, else the scope would wait for the load for ever.
            let _stop = Stop(&stop);
            measure()
        })
    }

    /// Makes TCP packets to a port of the lab vanish, also those that the lab sends itself.
    pub(crate) fn drop_input(&self, port: u16) {
        self.assert_inside();
        let rules = format!(
            "add table inet lab\nadd chain inet lab in {{ type filter hook input priority 0; }}\n\
             add rule inet lab in tcp dport {port} drop\n"
        );
        run_with_input("nft", &["-f", "-"], &rules);
    }

    /// Makes packets toward the far host, sent from now on, vanish: its link address is replaced by one that nobody has.
    pub(crate) fn cut_cable(&self) {
        self.assert_inside();
        ip("neigh replace 10.2.0.2 lladdr 02:00:00:00:00:98 dev near0 nud permanent");
    }
}

/// The host at the other end of the cable: a second namespace, into which a closure is taken for its duration.
#[derive(Debug)]
pub(crate) struct Far {
    namespace: File,
}

impl Far {
    /// As `ip link set ... netns` takes it.
    pub(crate) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.namespace.as_raw_fd())
    }

    /// Runs `act` inside the far host and comes back, also when it panics. Sockets made there stay there.
    pub(crate) fn inside<T>(&self, act: impl FnOnce() -> T) -> T {
        struct Home(File);
        impl Drop for Home {
            fn drop(&mut self) {
                setns(&self.0, CloneFlags::CLONE_NEWNET).expect("the way back into the lab is lost");
            }
        }
        let _home = Home(File::open(THREAD_NAMESPACE).unwrap());
        setns(&self.namespace, CloneFlags::CLONE_NEWNET).unwrap();
        act()
    }

    /// A listener of the far host whose queue is never full here.
    pub(crate) fn listen(&self, address: SocketAddr) -> TcpListener {
        self.inside(|| listener(address, 65_535))
    }
}

/// How long a test waits for the kernel; a busy machine takes its time, and no test passes by waiting longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `done`, asking every 5 ms.
///
/// # Panics
/// After [`PATIENCE`], naming `what` was waited for.
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a command, and returns what it printed.
///
/// # Panics
/// When it cannot be started or fails.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; is the tool installed?"));
    assert!(output.status.success(), "{command:?} failed:\n{}", both(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a tool that reads its orders from standard input.
pub(crate) fn run_with_input(program: &str, arguments: &[&str], input: &str) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; is the tool installed?"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?} failed on\n{input}\n{}", both(&output));
}

/// Runs a batch of `ip` commands in the namespace of the calling thread.
pub(crate) fn ip(batch: &str) {
    run_with_input("ip", &["-batch", "-"], batch);
}

fn listener(address: SocketAddr, backlog: i32) -> TcpListener {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)).unwrap();
    socket.set_reuse_address(true).unwrap();
    // A child that another test's thread is just starting holds copies of all sockets until it execs: one that was closed
    // a moment ago may still have the address.
    wait_until(&format!("{address} can be bound"), || socket.bind(&address.into()).is_ok());
    socket.listen(backlog).unwrap();
    socket.into()
}

fn raise_open_files() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    }
}

fn inode(path: &str) -> u64 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{path}: {error}")).ino()
}

fn sysctl_path(key: &str) -> String {
    format!("/proc/sys/{}", key.replace('.', "/"))
}

fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn kernel_name(ss: &str) -> &str {
    match ss {
        "ESTAB" => "ESTABLISHED",
        "SYN-SENT" => "SYN_SENT",
        "SYN-RECV" => "SYN_RECV",
        "FIN-WAIT-1" => "FIN_WAIT1",
        "FIN-WAIT-2" => "FIN_WAIT2",
        "TIME-WAIT" => "TIME_WAIT",
        "UNCONN" => "CLOSE",
        "CLOSE-WAIT" => "CLOSE_WAIT",
        "LAST-ACK" => "LAST_ACK",
        other => other,
    }
}
