//! A virtual machine with Debian's kernel, in which scenarios make faults that a whole machine has only once.
//!
//! In: root, mmdebstrap and qemu (`qemu-system-x86`); the image is made once, by `tests/vm/image`, below `target`. Out:
//! [`scenario`], what the audits inside reported. Must not: need hardware that virtualises, give the machine a network, wait
//! longer than [`PATIENCE`], or pass silently what did not run.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::support::Report;

/// All scenarios of one machine, with its boot. Without hardware the machine is some fifteen times slower than this one.
const PATIENCE: Duration = Duration::from_secs(600);
/// So many machines share the scenarios: most of the time only one CPU of a machine works.
const MACHINES: usize = 2;

/// What a scenario reported.
#[derive(Debug, Default)]
pub(crate) struct Scenario {
    reports: BTreeMap<String, Report>,
    /// What the lab printed, if the scenario runs it.
    pub(crate) lab: Option<Json>,
    /// With what its shell ended; without it the scenario did not come to its end.
    status: Option<i64>,
    /// What the console of the machine said meanwhile.
    console: String,
}

impl Scenario {
    /// The audit of a step.
    pub(crate) fn at(&self, step: &str) -> &Report {
        self.reports.get(step).unwrap_or_else(|| panic!("no report of step {step}; the console:\n{}", self.console))
    }

    /// The rules that found something at a step.
    pub(crate) fn found(&self, step: &str) -> Vec<String> {
        let mut found: Vec<String> = self.at(step).findings("notice").into_iter().map(|(rule, _)| rule).collect();
        found.sort();
        found.dedup();
        found
    }

    /// Panics unless exactly these rules found something at a step.
    pub(crate) fn assert_found(&self, step: &str, rules: &[&str]) {
        self.assert_found_besides(step, rules, &[]);
    }

    /// The same where a load also has consequences that depend on the moment.
    pub(crate) fn assert_found_besides(&self, step: &str, rules: &[&str], consequences: &[&str]) {
        let mut found = self.found(step);
        found.retain(|rule| !consequences.contains(&rule.as_str()));
        assert_eq!(found, rules, "at step {step}; the console:\n{}", self.console);
    }
}

/// What the scenario of this name reported, run to its end. The first test that asks runs all of them.
pub(crate) fn scenario(name: &str) -> &'static Scenario {
    static ALL: OnceLock<BTreeMap<String, Scenario>> = OnceLock::new();
    let scenario = ALL.get_or_init(run_all).get(name).unwrap_or_else(|| panic!("the scenario {name} was not run"));
    assert_eq!(
        scenario.status,
        Some(0),
        "the scenario {name} failed in the machine; the console:\n{}",
        scenario.console
    );
    scenario
}

/// The scenarios by name.
pub(crate) fn names() -> Vec<String> {
    let files = fs::read_dir(project("tests/vm/scenarios")).unwrap().map(|file| file.unwrap().path());
    let mut names: Vec<String> = files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn run_all() -> BTreeMap<String, Scenario> {
    assert!(
        nix::unistd::geteuid().is_root(),
        "\n\nTHIS TEST NEEDS ROOT: it makes the image of a virtual machine. Run it as root, or leave it out by name.\n\n"
    );
    let image = image();
    let wanted = std::env::var("VM_SCENARIOS").ok();
    let names: Vec<String> = names()
        .into_iter()
        .filter(|name| wanted.as_ref().is_none_or(|wanted| wanted.split(' ').any(|one| one == name)))
        .collect();
    let machines = std::thread::scope(|threads| {
        let started: Vec<_> = (0..MACHINES)
            .map(|number| {
                let share: Vec<&str> = names.iter().skip(number).step_by(MACHINES).map(String::as_str).collect();
                let image = &image;
                threads.spawn(move || run(image, number, &share))
            })
            .collect();
        started.into_iter().map(|machine| machine.join().unwrap()).collect::<Vec<_>>()
    });
    machines.into_iter().flatten().collect()
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

/// Boots a machine that runs these scenarios and powers off.
fn run(image: &Path, number: usize, names: &[&str]) -> BTreeMap<String, Scenario> {
    let folder = project(&format!("target/vm/machine{number}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("scenarios")).unwrap();
    for name in names {
        let file = format!("{name}.sh");
        fs::copy(project("tests/vm/scenarios").join(&file), folder.join("scenarios").join(&file)).unwrap();
    }
    disk(&folder);
    let ended = boot(image, &folder);
    let console = String::from_utf8_lossy(&fs::read(folder.join("console")).unwrap()).into_owned();
    let mut scenarios = read(&fs::read(folder.join("reports")).unwrap_or_default());
    for name in names {
        let said = console.split("== scenario ").find(|part| part.starts_with(&format!("{name}\r\n")));
        scenarios.entry((*name).to_owned()).or_default().console =
            said.map_or_else(|| format!("{ended}: {console}"), |said| format!("{said}({ended})"));
    }
    scenarios
}

/// The program as it was built last: optimised, if the packages were tested before, for without hardware that virtualises
/// each audit takes seconds.
fn program() -> PathBuf {
    let debug = PathBuf::from(env!("CARGO_BIN_EXE_sysctl-advisor"));
    let optimised = debug.parent().unwrap().with_file_name("release").join(debug.file_name().unwrap());
    let built = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    if built(&optimised) >= built(&debug) { optimised } else { debug }
}

/// The disk that the machine reads: an archive with the program as it was built, and the scenarios.
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

/// Runs the machine until it powers off, and says how it ended.
fn boot(image: &Path, folder: &Path) -> String {
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
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = machine.try_wait().unwrap() {
            return format!("the machine ended with {status}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let _ = machine.kill();
    let _ = machine.wait();
    format!("the machine was stopped after {PATIENCE:?}")
}

/// What came through the port of the machine: one object for each report, and one for the end of each scenario.
fn read(port: &[u8]) -> BTreeMap<String, Scenario> {
    let mut scenarios = BTreeMap::<String, Scenario>::new();
    // A machine that was stopped may have left half an object behind: what is missing is told of when a test asks for it.
    for mut object in serde_json::Deserializer::from_slice(port).into_iter::<Json>().map_while(Result::ok) {
        let scenario = scenarios.entry(object["scenario"].as_str().unwrap().to_owned()).or_default();
        match object["step"].as_str().unwrap() {
            "lab" => scenario.lab = Some(object["report"].take()),
            "end" => scenario.status = object["status"].as_i64(),
            step => {
                let step = step.to_owned();
                scenario.reports.insert(step, Report::new(object["report"].take()));
            }
        }
    }
    scenarios
}
