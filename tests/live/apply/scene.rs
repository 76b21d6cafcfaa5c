//! The host that plans are carried out on: the lab's network namespace, with mounts and process numbers of its own.
//!
//! In: keys and values. Out: [`Scene`], which writes plans and runs the binary. Must not: let anything under test write the
//! machine's own sysctls or `/etc`; both are checked before the first run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside #[test] functions"
)]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::{Lab, lab, wait_until};

/// Key, value before, value after.
pub(crate) type Changes<'a> = &'a [(&'a str, &'a str, &'a str)];

/// What most tests change.
pub(crate) const THREE: Changes<'static> = &[
    ("net.core.somaxconn", "4096", "8192"),
    ("net.ipv4.tcp_fin_timeout", "60", "30"),
    ("net.ipv4.ip_local_port_range", "32768\t60999", "20000 60999"),
];

pub(crate) const DROP_IN: &str = "/etc/sysctl.d/90-sysctl-advisor.conf";

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) struct Scene {
    pub(crate) lab: Lab,
    /// `unshare`; its child is process 1 of the scene and dies with it.
    holder: Child,
    first: u32,
    pub(crate) folder: tempfile::TempDir,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

impl Scene {
    pub(crate) fn enter() -> Self {
        let lab = Lab::enter();
        let holder = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sleep", "600"])
            .stdin(Stdio::null())
            .spawn()
            .expect("unshare(1) is needed");
        let children = format!("/proc/{0}/task/{0}/children", holder.id());
        let mut first = 0;
        wait_until("the scene has its first process", || {
            first = fs::read_to_string(&children).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
            fs::read_to_string(format!("/proc/{first}/comm")).is_ok_and(|name| name == "sleep\n")
        });
        let scene = Self { lab, holder, first, folder: tempfile::tempdir().unwrap() };
        scene.mount();
        scene
    }

    fn mount(&self) {
        let mounts = |process: &str| fs::metadata(format!("/proc/{process}/ns/mnt")).unwrap().ino();
        assert_ne!(mounts(&self.first.to_string()), mounts("self"), "these would be the machine's own mounts");
        self.shell("mount -t tmpfs tmpfs /etc/sysctl.d && chmod 755 /etc/sysctl.d && mkdir -p /etc/sysctl-advisor");
        // Where the tests run under systemd, its timers would act outside of the scene.
        self.shell("if [ -d /run/systemd ]; then mount -t tmpfs tmpfs /run/systemd; fi");
        assert!(
            self.path("/etc/sysctl.d").read_dir().unwrap().next().is_none(),
            "the machine's own drop-ins are covered"
        );
    }

    /// Gives the scene a `/run/netns` of its own, and a network namespace in it that belongs to nobody.
    pub(crate) fn add_namespace(&self, name: &str) {
        self.cover_names();
        self.shell(&format!("ip netns add {name}"));
    }

    /// Covers the machine's `/run/netns`, once.
    pub(crate) fn cover_names(&self) {
        // The machine's own may be a mount too: `ip netns` makes it one.
        self.shell("mkdir -p /run/netns; grep -q '^scene /run/netns ' /proc/mounts || mount -t tmpfs scene /run/netns");
    }

    /// A command inside a namespace that has a name.
    fn shell_in(&self, name: &str, script: &str) -> String {
        let namespace = format!("--net=/run/netns/{name}");
        lab::run(self.inside("nsenter").args([&namespace, "--", "sh", "-ec", script]))
    }

    /// The id of a namespace that has a name.
    pub(crate) fn id_of(&self, name: &str) -> String {
        self.shell_in(name, "readlink /proc/self/ns/net").trim_end().to_owned()
    }

    /// A sysctl of a namespace that has a name.
    pub(crate) fn sysctl_in(&self, name: &str, key: &str) -> String {
        self.shell_in(name, &format!("sysctl -n {key}")).trim_end().to_owned()
    }

    pub(crate) fn set_in(&self, name: &str, key: &str, value: &str) {
        assert_ne!(self.id_of(name), fs::read_link("/proc/self/ns/net").unwrap().to_str().unwrap());
        self.shell_in(name, &format!("sysctl -qw '{key}={value}'"));
    }

    /// The changes of a plan, for a namespace that has a name.
    pub(crate) fn changes_in(&self, name: &str, changes: Changes<'_>) -> Vec<serde_json::Value> {
        let id = self.id_of(name);
        let mut changes = self.plan_json(changes)["changes"].as_array().unwrap().clone();
        for change in &mut changes {
            change["namespace"] = name.into();
            change["namespace_id"] = id.clone().into();
        }
        changes
    }

    /// A path as a process of the scene sees it.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.first))
    }

    pub(crate) fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.first.to_string(), "-m", "-p", "--", program]).stdin(Stdio::null());
        command.env_remove("SYSCTL_ADVISOR_CONFIG").env_remove("STATE_DIRECTORY").env("NO_COLOR", "1");
        command
    }

    pub(crate) fn shell(&self, script: &str) -> String {
        lab::run(self.inside("sh").args(["-ec", script]))
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Runs the binary: a command, its arguments, and the scene's state directory.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        finish(self.inside(env!("CARGO_BIN_EXE_sysctl-advisor")).args(arguments).arg("--state-dir").arg(self.state()))
    }

    /// The same, and it has to succeed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "{arguments:?}: {run:?}");
        run
    }

    /// Runs it under strace, which changes what some of its system calls come to.
    pub(crate) fn under_strace(&self, strace: &[String], arguments: &[&str]) -> Run {
        let mut command = self.inside("strace");
        command.args(["-qq", "-o"]).arg(self.trace()).args(strace).arg(env!("CARGO_BIN_EXE_sysctl-advisor"));
        finish(command.args(arguments).arg("--state-dir").arg(self.state()))
    }

    /// What strace wrote.
    pub(crate) fn trace(&self) -> PathBuf {
        self.folder.path().join("trace")
    }

    pub(crate) fn plan_json(&self, changes: Changes<'_>) -> serde_json::Value {
        let fact = |path: &str| fs::read_to_string(path).unwrap().trim_end().to_owned();
        let namespace = fs::read_link("/proc/thread-self/ns/net").unwrap();
        let change = |&(key, expected, proposed): &(&str, &str, &str)| {
            serde_json::json!({
                "namespace": "current", "namespace_id": namespace, "key": key, "expected": expected,
                "proposed": proposed, "risk": "low", "takes_effect": "At once.", "side_effects": "None.",
                "rules": ["a-rule"], "findings": [], "rehearsed": null,
            })
        };
        serde_json::json!({
            "schema": "sysctl-advisor/plan/1",
            "made_at": "2026-11-23T00:00:00Z",
            "host": {"hostname": fact("/proc/sys/kernel/hostname"), "boot_id": fact("/proc/sys/kernel/random/boot_id")},
            "changes": changes.iter().map(change).collect::<Vec<_>>(),
        })
    }

    /// Writes a plan to a file and returns its name.
    pub(crate) fn plan(&self, changes: Changes<'_>) -> String {
        self.write_plan(&self.plan_json(changes))
    }

    pub(crate) fn write_plan(&self, plan: &serde_json::Value) -> String {
        let path = self.folder.path().join("plan.json");
        fs::write(&path, plan.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Whether all keys have their values of before.
    pub(crate) fn is_old(&self, changes: Changes<'_>) -> bool {
        changes.iter().all(|(key, old, _)| same(&self.lab.sysctl(key), old))
    }

    /// Whether all keys have their new values.
    pub(crate) fn is_new(&self, changes: Changes<'_>) -> bool {
        changes.iter().all(|(key, _, new)| same(&self.lab.sysctl(key), new))
    }

    /// The scene as it was before anything was applied.
    pub(crate) fn reset(&self, changes: Changes<'_>) {
        changes.iter().for_each(|(key, old, _)| self.lab.set(key, old));
        if self.state().exists() {
            fs::remove_dir_all(self.state()).unwrap();
        }
        let _ = fs::remove_file(self.path(DROP_IN));
    }

    /// The drop-in's text.
    pub(crate) fn drop_in(&self) -> Option<String> {
        fs::read_to_string(self.path(DROP_IN)).ok()
    }

    /// `changes/1/NAME`.
    pub(crate) fn journal(&self, name: &str) -> PathBuf {
        self.state().join("changes/1").join(name)
    }

    /// What lies in a folder, sorted; nothing when it is missing.
    pub(crate) fn names(folder: &Path) -> Vec<String> {
        let Ok(entries) = folder.read_dir() else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

pub(crate) fn finish(command: &mut Command) -> Run {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let run = Run { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) };
    assert!(!run.err.contains("panicked"), "{run:?}");
    run
}
