//! A place where the real loaders may load: a mount and a network namespace of one thread's own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, unshare};
use sysctl_advisor::drift::load::start::{Moment, Start};
use sysctl_advisor::drift::model::{Resolution, Status};
use sysctl_advisor::drift::resolve::resolve_from;
use sysctl_advisor::drift::{self, Facts};
use sysctl_advisor::host::Host;
use sysctl_advisor::keys::number::integer;
use sysctl_advisor::observe::addresses;
use sysctl_advisor::observe::kernels::Kernels;
use sysctl_advisor::observe::persisted::{self, Loader, Persisted};
use sysctl_advisor::observe::surroundings::Surroundings;
use sysctl_advisor::observe::sysctls::{self, Sysctls};
use sysctl_advisor::observe::system;

pub(crate) const LOADERS: [Loader; 2] = [Loader::Systemd, Loader::Procps];
/// One that has a dot in its name.
const INTERFACE: &str = "eth0.100";
/// Covered with empty file systems. Neither the loaders nor `ip` need anything of them.
const DIRECTORIES: [&str; 4] = ["/etc", "/run", "/usr/local/lib", "/usr/lib/sysctl.d"];
const CREDENTIALS: &str = "/run/credentials/systemd-sysctl.service";

/// Runs `work` in a thread whose files below the loaders' directories, and whose sysctls, are nobody else's.
pub(crate) fn inside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    for program in ["/lib/systemd/systemd-sysctl", "/sbin/sysctl", "/usr/bin/mount", "/sbin/ip"] {
        assert!(Path::new(program).exists(), "{program} is missing: install systemd, procps, mount and iproute2");
    }
    let thread = std::thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET).expect("this test has to run as root");
        run("mount", &["--make-rprivate", "/"]);
        for directory in DIRECTORIES {
            run("mount", &["-t", "tmpfs", "none", directory]);
        }
        work()
    });
    match thread.join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A fresh network namespace with `lo`, which is down, and an interface with a dot in its name.
fn fresh_namespace() {
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    // The process as a whole stays where it was started.
    let (own, initial) =
        (fs::read_link("/proc/thread-self/ns/net").unwrap(), fs::read_link("/proc/self/ns/net").unwrap());
    assert_ne!(own, initial, "this would write to the machine's own sysctls");
    assert!(!Path::new("/proc/sys/net/ipv4/tcp_mem").exists(), "this is a first network namespace");
    run("/sbin/ip", &["link", "add", INTERFACE, "type", "veth", "peer", "name", "other"]);
}

/// Lays a tree of files down. Each begins with a line `== PATH`, `== PATH -> TARGET` or `== PATH/`.
pub(crate) fn lay(tree: &str) {
    for directory in DIRECTORIES {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            let is_directory = entry.file_type().unwrap().is_dir();
            if is_directory { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }.unwrap();
        }
    }
    for directory in ["/etc", "/run", "/usr/local/lib"] {
        fs::create_dir_all(format!("{directory}/sysctl.d")).unwrap();
    }
    let tree = tree.trim_start();
    for file in tree.split("== ").filter(|file| !file.is_empty()) {
        let (path, content) = file.split_once('\n').unwrap();
        let (path, target) = path.split_once(" -> ").map_or((path, None), |(path, target)| (path, Some(target)));
        fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
        match target {
            Some(target) => {
                // The empty directory that stands there already.
                let _ = fs::remove_dir(path);
                symlink(target, path).unwrap();
            }
            None if path.ends_with('/') => fs::create_dir_all(path).unwrap(),
            None => fs::write(path, bytes(content)).unwrap(),
        }
    }
}

/// The characters that a source file cannot show.
fn bytes(content: &str) -> Vec<u8> {
    let mut content = content.replace("<LONG>", &"x".repeat(1 << 20));
    for (name, character) in [("<CR>", "\r"), ("<NUL>", "\0"), ("<FF>", "\x0c"), ("<VT>", "\x0b"), ("<TAB>", "\t")] {
        content = content.replace(name, character);
    }
    if let Some(at) = content.find("<END>") {
        content.truncate(at);
    }
    content.into_bytes()
}

/// What a tree came to.
pub(crate) struct Outcome {
    pub(crate) before: Sysctls,
    pub(crate) after: Sysctls,
    pub(crate) ours: Resolution,
    pub(crate) persisted: Persisted,
    /// The keys of the writes that the kernel refused, as the loader says.
    complaints: BTreeSet<String>,
}

/// Lets a loader load what has been laid down in a namespace that `prepare` has set up, and asks the program's own function
/// for what it foretells of a boot, or of a run now.
pub(crate) fn load_in(prepare: &str, loader: Loader, is_boot: bool) -> Outcome {
    fresh_namespace();
    ip(prepare);
    let (before, _) = sysctls::read(&Host::live());
    let persisted = read_files();
    let addressed = addresses::read();
    let facts = Facts {
        persisted: &persisted,
        sysctls: Some(&before),
        surroundings: &Surroundings { congestion_controls: Some(BTreeSet::new()), ..Surroundings::default() },
        system: &system::read(&Host::live()).0,
        kernels: &Kernels::running(""),
        initial: false,
        moment: if is_boot { Moment::Boot } else { Moment::Now(&addressed) },
    };
    let ours = drift::resolution(&facts, loader);
    let complaints = run_loader(loader);
    let (after, _) = sysctls::read(&Host::live());
    Outcome { before, after, ours, persisted, complaints }
}

/// Commands for `ip`, a line each.
pub(crate) fn ip(commands: &str) {
    let mut child = Command::new("/sbin/ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), commands.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{commands}");
}

fn read_files() -> Persisted {
    let (mut persisted, gaps) = persisted::read(&Host::live());
    assert_eq!(gaps, []);
    // The machine's own.
    persisted.command_line = None;
    persisted
}

/// Lets a loader load what has been laid down, and resolves the same.
pub(crate) fn load(loader: Loader) -> Outcome {
    fresh_namespace();
    let (before, _) = sysctls::read(&Host::live());
    let persisted = read_files();
    let present: BTreeSet<String> = present();
    // The interfaces are down: they follow `default` still. Other namespaces begin with the values of the first one.
    let values: BTreeMap<String, String> =
        before.iter().filter(|(key, _)| key.contains(".conf.") || *key == "net.ipv4.ip_forward").map(owned).collect();
    // No module has such a name as the corpus asks for.
    let ticks = system::read(&Host::live()).0.ticks_per_second;
    let start = Start { values, ticks, loadable: Some(BTreeSet::new()), restricted: true, ..Start::default() };
    let ours = resolve_from(&persisted, &present, &before, loader, &start);
    for key in ours.keys.keys() {
        // Only what a namespace owns may be written here.
        assert!(key.starts_with("net.") || !present.contains(key), "{key} belongs to the machine");
    }
    let complaints = run_loader(loader);
    if let Some(file) = persisted.ufw.as_ref().filter(|ufw| ufw.enabled).and_then(|ufw| ufw.file.as_deref()) {
        // As its start script does.
        Command::new("/sbin/sysctl").args(["-e", "-q", "-p", file]).stderr(Stdio::null()).status().unwrap();
    }
    let (after, _) = sysctls::read(&Host::live());
    Outcome { before, after, ours, persisted, complaints }
}

/// Runs the real loader; the keys of which it complains.
fn run_loader(loader: Loader) -> BTreeSet<String> {
    let mut command = match loader {
        Loader::Systemd => Command::new("/lib/systemd/systemd-sysctl"),
        Loader::Procps => Command::new("/sbin/sysctl"),
    };
    if loader == Loader::Procps {
        command.arg("--system");
    }
    command.env_remove("CREDENTIALS_DIRECTORY");
    if Path::new(CREDENTIALS).exists() {
        command.env("CREDENTIALS_DIRECTORY", CREDENTIALS);
    }
    // Both fail when a single key fails; what they have done is what counts.
    command.env("SYSTEMD_LOG_LEVEL", "debug").env("SYSTEMD_LOG_TARGET", "console");
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stderr).lines().filter_map(refused_key).collect()
}

/// The key of a complaint: the last word in quotes of systemd's, a path, or of procps', which has the line's own separators.
fn refused_key(line: &str) -> Option<String> {
    if line.starts_with("Couldn't write") {
        return drift::key::from_path(line.rsplit('\'').nth(1)?, Loader::Systemd);
    }
    let name = line.strip_prefix("sysctl: setting key \"")?.split('"').next()?;
    Some(name.split('.').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("."))
}

fn owned((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

/// Every file below `/proc/sys`, readable or not.
fn present() -> BTreeSet<String> {
    fn walk(directory: &Path, key: &str, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap().replace('.', "/");
            let key = if key.is_empty() { name } else { format!("{key}.{name}") };
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), &key, found);
            } else {
                found.insert(key);
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(Path::new("/proc/sys"), "", &mut found);
    found
}

impl Outcome {
    /// The kernel's values that are not those that we foretold.
    pub(crate) fn differences(&self) -> Vec<String> {
        let mut differences = Vec::new();
        for (key, after) in &self.after {
            let before = self.before.get(key).map_or("", String::as_str);
            let expected = self.expected(key).unwrap_or_default();
            if numbers(after) != numbers(expected) {
                let winner = self.ours.keys.get(key).map(|resolved| &resolved.winner);
                differences.push(format!("{key}: before `{before}`, now `{after}`, we said `{expected}`: {winner:?}"));
            }
        }
        differences
    }

    /// Keys that the kernel refused and we did not, or the reverse; and keys that drift after the load, though they were
    /// not refused. Of those that a line names.
    pub(crate) fn false_verdicts(&self) -> Vec<String> {
        let facts = Facts {
            persisted: &self.persisted,
            sysctls: Some(&self.after),
            surroundings: &Surroundings::default(),
            system: &system::read(&Host::live()).0,
            kernels: &Kernels::running(""),
            initial: false,
            moment: Moment::Boot,
        };
        let drift = drift::run(&facts, self.ours.clone(), &BTreeMap::new());
        let named = drift.keys.iter().filter(|drift| self.after.contains_key(&drift.key));
        let wrong = named.filter_map(|drift| {
            let resolved = self.ours.keys.get(&drift.key).filter(|resolved| resolved.winner.spread_from.is_none())?;
            let lines = [&resolved.winner].into_iter().chain(&resolved.if_refused);
            let ours = lines.into_iter().any(|line| line.written.refused.is_some());
            // A text that is refused and says what the key has already is no difference.
            let says_the_same =
                self.after.get(&drift.key).is_some_and(|after| numbers(after) == numbers(&resolved.winner.text));
            // procps does not complain of all failures that a line tells it to ignore.
            let is_silent =
                resolved.winner.ignore_failure || resolved.if_refused.iter().any(|line| line.ignore_failure);
            let real = self.complaints.contains(&drift.key) || (ours && (is_silent || says_the_same));
            let is_invalid = resolved.winner.written.refused.is_some() && !says_the_same;
            let expected = if is_invalid { Status::Invalid } else { Status::InSync };
            let key = &drift.key;
            (ours != real || drift.status != expected)
                .then(|| format!("{key}: refused: {real}, we say {ours} and {:?}: {:?}", drift.status, drift.cause))
        });
        wrong.collect()
    }

    /// What an interface has that is made after the loader ran and is not what we foretold of `default`. Each family has its
    /// own `default`; the ones of `neigh` are the machine's.
    pub(crate) fn differences_of_later_interface(&self, name: &str) -> Vec<String> {
        let (now, _) = sysctls::read(&Host::live());
        let mut differences = Vec::new();
        for (key, value) in now.iter().filter(|(key, _)| key.contains(&format!(".conf.{name}."))) {
            let default = key.replace(&format!(".{name}."), ".default.");
            // The interface's own, whatever `default` has.
            let is_own = key.ends_with(".mtu");
            if !is_own && self.expected(&default).is_some_and(|expected| numbers(value) != numbers(expected)) {
                differences.push(format!("later {key}: `{value}`, {default}: {:?}", self.expected(&default)));
            }
        }
        differences
    }

    /// The value that we foretold of a key.
    fn expected(&self, key: &str) -> Option<&str> {
        let mut lines =
            self.ours.keys.get(key).into_iter().flat_map(|key| [&key.winner].into_iter().chain(&key.if_refused));
        // A text that is refused leaves what was there, or has changed a part of it.
        let stored = lines.find(|line| line.written.is_stored()).map(|line| line.value.as_str());
        stored.or_else(|| self.before.get(key).map(String::as_str))
    }

    /// How many keys the loader has changed.
    pub(crate) fn changed(&self) -> usize {
        self.after.iter().filter(|(key, value)| self.before.get(*key) != Some(value)).count()
    }
}

/// As the kernel understands a text; white space does not matter.
fn numbers(text: &str) -> Vec<Result<i64, &str>> {
    text.split_ascii_whitespace().map(|word| integer(word).ok_or(word)).collect()
}
