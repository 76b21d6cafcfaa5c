//! A place where a consumer may change sysctls and files: a network, mount and process namespace of the test's own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value as Json;

/// What `tests/run-all` installs from PyPI.
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-tools/python/bin");
/// Folders that are empty in the place, whatever the machine has there.
const EMPTY: [&str; 2] = ["/etc/sysctl.d", "/etc/modules-load.d"];
/// Values that make a finding each, among them a triple, a range and one that is wanted *at least*.
pub(crate) const FAULTS: [(&str, &str); 5] = [
    ("net.ipv4.tcp_sack", "0"),
    ("net.ipv4.tcp_timestamps", "0"),
    ("net.ipv4.tcp_max_tw_buckets", "100"),
    ("net.ipv4.ip_local_port_range", "40000 40400"),
    ("net.ipv4.tcp_rmem", "4096 87380 174760"),
];

pub(crate) struct Place {
    keeper: Child,
    pid: u32,
    pub(crate) work: tempfile::TempDir,
}

impl Place {
    /// A fresh one, with [`FAULTS`] in force.
    pub(crate) fn new() -> Self {
        let mounts: String = EMPTY.map(|folder| format!("mount -t tmpfs none {folder}\n")).concat();
        let faults: String = FAULTS.map(|(key, value)| format!("sysctl -qw {key}='{value}'\n")).concat();
        let script = format!("set -e\n{mounts}ip link set lo up\n{faults}echo ready\nexec sleep infinity");
        for folder in EMPTY {
            std::fs::create_dir_all(folder).unwrap();
        }
        let mut keeper = Command::new("unshare")
            .args(["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL", "sh", "-c", &script])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "the namespaces could not be made; this test has to run as root");
        let children = format!("/proc/{0}/task/{0}/children", keeper.id());
        let pid = std::fs::read_to_string(children).unwrap().trim().parse().unwrap();
        Self { keeper, pid, work: tempfile::tempdir().unwrap() }
    }

    /// Runs a line of shell in the place; `$W` is the folder for the test's files, `sysctl-advisor` the program.
    pub(crate) fn sh(&self, line: &str) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_sysctl-advisor")).parent().unwrap();
        let pid = self.pid.to_string();
        Command::new("nsenter")
            .args(["-t", &pid, "-n", "-m", "-p", "sh", "-c", &format!("cd \"$W\" && {{ {line}\n}}")])
            .env("PATH", format!("{}:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin:{TOOLS}", program.display()))
            .env("W", self.work.path())
            .env("ADVISOR_DEPLOY", concat!(env!("CARGO_MANIFEST_DIR"), "/deploy"))
            .env("HOME", self.work.path())
            // The machine of the tests is root already, and has no sudo.
            .env("ANSIBLE_BECOME_METHOD", "su")
            .env("NIX_STATE_DIR", self.work.path().join("nix"))
            .env("LC_ALL", "C.UTF-8")
            .env_remove("SYSCTL_ADVISOR_CONFIG")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The standard output of a line that succeeds.
    pub(crate) fn ok(&self, line: &str) -> String {
        let output = self.sh(line);
        let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{line}: {:?}\n{text}\n{errors}", output.status);
        text.into_owned()
    }

    /// Makes a plan for the faults, in `$W/plan.json`; key and proposed value of each change.
    pub(crate) fn plan(&self) -> Vec<(String, String)> {
        self.ok("sysctl-advisor plan --window 0 -o plan.json");
        let plan: Json = serde_json::from_slice(&std::fs::read(self.work.path().join("plan.json")).unwrap()).unwrap();
        let text = |change: &Json, name: &str| change[name].as_str().unwrap().to_owned();
        let changes = plan["changes"].as_array().unwrap();
        let changes: Vec<_> = changes.iter().map(|it| (text(it, "key"), text(it, "proposed"))).collect();
        for (key, _) in FAULTS {
            assert!(changes.iter().any(|(planned, _)| planned == key), "{key}: {changes:?}");
        }
        changes
    }

    /// What a key holds, its numbers one space apart.
    pub(crate) fn value(&self, key: &str) -> String {
        self.ok(&format!("sysctl -n {key} | xargs"))[..].trim_end().to_owned()
    }

    /// Each change of the plan is in force, and a new audit recommends none of its keys.
    pub(crate) fn assert_mended(&self, plan: &[(String, String)]) {
        for (key, proposed) in plan {
            assert_eq!(&self.value(key), proposed, "{key}");
        }
        let report: Json = serde_json::from_str(&self.ok("sysctl-advisor audit --window 0 --format json")).unwrap();
        let again: Vec<&str> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|finding| finding["recommendations"].as_array().unwrap())
            .map(|change| change["key"].as_str().unwrap())
            .filter(|key| plan.iter().any(|(planned, _)| planned == key))
            .collect();
        assert_eq!(again, Vec::<&str>::new());
    }

    /// Every fault is still there.
    pub(crate) fn assert_untouched(&self) {
        for (key, value) in FAULTS {
            assert_eq!(self.value(key), value, "{key}");
        }
    }

    /// Sets the faults again.
    pub(crate) fn break_again(&self) {
        for (key, value) in FAULTS {
            self.ok(&format!("sysctl -qw {key}='{value}'"));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // With `--kill-child` everything in the place ends with it.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// A consumer of PyPI that has to be there.
pub(crate) fn needs_tool(program: &str) {
    let path = Path::new(TOOLS).join(program);
    assert!(path.exists(), "{} is missing: tests/run-all installs it", path.display());
}

/// A consumer that has to be there.
pub(crate) fn needs(program: &str, package: &str) {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    assert!(found.status.success(), "{program} is missing: tests/run-all installs the package {package}");
}
