//! A virtual machine with Debian's kernel, on which the lab plays the scenarios that need a whole machine.
//!
//! In: root, mmdebstrap and qemu (`qemu-system-x86`); the image is made once, by `tests/vm/image`, below `target`. Out:
//! [`machines`], what each reported. Must not: need hardware that virtualises, give a machine a network, wait longer than
//! [`PATIENCE`], or pass silently what was not played.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::support::Report;

/// All scenarios of one machine, with its boot. Without hardware the machine is some fifteen times slower than this one.
const PATIENCE: Duration = Duration::from_secs(600);
/// Time until a machine has booted and begins to play; it needs some 20 s beside the other one.
const BOOTED: Duration = Duration::from_secs(120);
/// How often a machine is started that does not get there.
const BOOTS: usize = 3;
/// So many machines share the scenarios: most of the time only one CPU of a machine works.
const MACHINES: usize = 2;

/// What a machine reported.
#[derive(Debug)]
pub(crate) struct Machine {
    /// The scenarios that it had to play.
    pub(crate) scenarios: Vec<String>,
    /// What the lab says of each that was played.
    pub(crate) played: Vec<Json>,
    /// Audits of the machine at rest: before the first scenario, and after the last one.
    pub(crate) rest: Vec<Report>,
    /// Sysctls that had another value afterwards; none if it did not come to its end.
    pub(crate) changed: Option<Vec<String>>,
    /// What its console said, and how it ended.
    pub(crate) console: String,
}

/// The machines, when all of them have ended. The first test that asks runs them.
pub(crate) fn machines() -> &'static [Machine] {
    static ALL: OnceLock<Vec<Machine>> = OnceLock::new();
    ALL.get_or_init(run_all)
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The scenarios that need a machine, by their names; those of `VM_SCENARIOS`, if it is set.
fn scenarios() -> Vec<String> {
    let mut names = Vec::new();
    for area in fs::read_dir(project("lab")).unwrap().map(|area| area.unwrap().path()) {
        for file in fs::read_dir(area).unwrap().map(|file| file.unwrap().path()) {
            let scenario: toml::Table = fs::read_to_string(&file).unwrap().parse().unwrap();
            if scenario.get("host").and_then(toml::Value::as_bool) == Some(true) {
                names.push(file.file_stem().unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    names.sort();
    let Ok(wanted) = std::env::var("VM_SCENARIOS") else { return names };
    let wanted: Vec<&str> = wanted.split_whitespace().collect();
    for name in &wanted {
        assert!(
            names.iter().any(|known| known == name),
            "VM_SCENARIOS: no scenario with `host = true` is called {name}"
        );
    }
    names.retain(|name| wanted.contains(&name.as_str()));
    names
}

fn run_all() -> Vec<Machine> {
    assert!(
        nix::unistd::geteuid().is_root(),
        "\n\nTHIS TEST NEEDS ROOT: it makes the image of a virtual machine. Run it as root, or leave it out by name.\n\n"
    );
    let (image, scenarios) = (image(), scenarios());
    let count = scenarios.len().clamp(1, MACHINES);
    std::thread::scope(|threads| {
        let started: Vec<_> = (0..count)
            .map(|number| {
                let share = scenarios.iter().skip(number).step_by(count).cloned().collect();
                let image = &image;
                threads.spawn(move || run(image, number, share))
            })
            .collect();
        started.into_iter().map(|machine| machine.join().unwrap()).collect()
    })
}

/// The folder with the kernel and the root file system, made when it is not there yet or its recipe has changed.
fn image() -> PathBuf {
    let folder = project("target/vm/image");
    fs::create_dir_all(project("target/vm")).unwrap();
    let turn = File::create(project("target/vm/lock")).unwrap();
    turn.lock().unwrap();
    let recipe =
        ["tests/vm/image", "tests/vm/guest/init"].map(|file| fs::read_to_string(project(file)).unwrap()).concat();
    if !fs::read_to_string(folder.join("recipe")).is_ok_and(|made| made == recipe) {
        let made = Command::new(project("tests/vm/image")).arg(&folder).status();
        assert!(made.is_ok_and(|made| made.success()), "tests/vm/image failed; is mmdebstrap installed?");
        fs::write(folder.join("recipe"), recipe).unwrap();
    }
    folder
}

/// Boots a machine that plays these scenarios and powers off.
fn run(image: &Path, number: usize, scenarios: Vec<String>) -> Machine {
    let folder = project(&format!("target/vm/machine{number}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("scenarios"), scenarios.iter().map(|name| format!("{name}\n")).collect::<String>()).unwrap();
    disk(&folder);
    let ended = boot(image, &folder);
    let said = String::from_utf8_lossy(&fs::read(folder.join("console")).unwrap()).into_owned();
    let console = format!("{said}\n({ended})");
    let mut machine = Machine { scenarios, played: Vec::new(), rest: Vec::new(), changed: None, console };
    machine.read(&fs::read(folder.join("reports")).unwrap_or_default());
    machine
}

/// The program as it was built last: optimised, if the packages were tested before, for without hardware that virtualises
/// each audit takes seconds.
fn program() -> PathBuf {
    let debug = PathBuf::from(env!("CARGO_BIN_EXE_sysctl-advisor"));
    let optimised = debug.parent().unwrap().with_file_name("release").join(debug.file_name().unwrap());
    let built = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    if built(&optimised) >= built(&debug) { optimised } else { debug }
}

/// The disk that the machine reads: an archive with the program as it was built, and the list of scenarios.
fn disk(folder: &Path) {
    let program = program();
    let archived = Command::new("tar")
        .arg("-cf")
        .arg(folder.join("disk"))
        .args(["-C".as_ref(), project("tests/vm").as_os_str(), "guest".as_ref()])
        .args(["-C".as_ref(), folder.as_os_str(), "scenarios".as_ref()])
        .args(["-C".as_ref(), program.parent().unwrap().as_os_str(), program.file_name().unwrap()])
        .status();
    assert!(archived.is_ok_and(|status| status.success()), "tar could not make the disk of the machine");
    // A scenario fills the memory of a container with what it reads from the disk, however small the program is.
    let disk = File::options().write(true).open(folder.join("disk")).unwrap();
    disk.set_len(disk.metadata().unwrap().len().max(128 << 20)).unwrap();
}

/// Runs the machine until it powers off, and says how it ended. One that never gets to its own first line is started again: the
/// emulation of several CPUs hangs before the kernel's first word once in many boots.
#[expect(clippy::print_stderr, reason = "whoever reads the log of the tests has to see it")]
fn boot(image: &Path, folder: &Path) -> String {
    let mut said = String::new();
    for _ in 0..BOOTS {
        match boot_once(image, folder) {
            Some(ended) => return said + &ended,
            None => {
                eprintln!("A VIRTUAL MACHINE SAID NOTHING IN {BOOTED:?} AND IS STARTED AGAIN");
                said += &format!("the machine said nothing in {BOOTED:?}; ");
            }
        }
    }
    said + "that was the last try"
}

/// `None`: it does not get on.
fn boot_once(image: &Path, folder: &Path) -> Option<String> {
    let console = File::create(folder.join("console")).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().replace(',', ",,");
    let mut machine = Command::new("qemu-system-x86_64")
        .args(["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "4", "-m", "1024"])
        .args(["-nodefaults", "-no-user-config", "-nographic", "-no-reboot", "-nic", "none", "-serial", "stdio"])
        .arg("-kernel")
        .arg(image.join("kernel"))
        .arg("-initrd")
        .arg(image.join("root.cpio"))
        .args(["-append", "console=ttyS0 quiet mitigations=off no_timer_check panic=-1"])
        .args(["-drive", &format!("file={},if=virtio,format=raw,readonly=on", path("disk"))])
        .args(["-chardev", &format!("file,id=reports,path={}", path("reports"))])
        .args(["-device", "virtio-serial", "-device", "virtserialport,chardev=reports"])
        .stdin(Stdio::null())
        .stdout(console.try_clone().unwrap())
        .stderr(console)
        .spawn()
        .expect("qemu-system-x86_64 could not be started; install qemu-system-x86");
    let begun = Instant::now();
    let speaks = || fs::read(folder.join("console")).is_ok_and(|said| String::from_utf8_lossy(&said).contains("== "));
    let mut has_spoken = false;
    while begun.elapsed() < PATIENCE {
        if let Some(status) = machine.try_wait().unwrap() {
            return Some(format!("the machine ended with {status}"));
        }
        has_spoken = has_spoken || speaks();
        if !has_spoken && begun.elapsed() > BOOTED {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let _ = machine.kill();
    let _ = machine.wait();
    has_spoken.then(|| format!("the machine was stopped after {PATIENCE:?}"))
}

impl Machine {
    /// What came through the port of the machine, as `tests/vm/guest/run` wrote it.
    fn read(&mut self, port: &[u8]) {
        // A machine that was stopped may have left half an object behind: what is missing is told of when a test asks for it.
        for mut object in serde_json::Deserializer::from_slice(port).into_iter::<Json>().map_while(Result::ok) {
            if let Some(scenarios) = object["scenarios"].as_array_mut() {
                self.played.append(scenarios);
            } else if let Some(changed) = object["changed"].as_array() {
                self.changed = Some(changed.iter().filter_map(|key| Some(key.as_str()?.to_owned())).collect());
            } else {
                self.rest.push(Report::new(object));
            }
        }
    }
}
