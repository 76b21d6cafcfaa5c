//! A Debian with systemd as process 1, booted in a container with a network of its own.
//!
//! In: root, systemd-nspawn and mmdebstrap (`systemd-container`, `mmdebstrap`); the root file system is made once, by
//! `tests/container/rootfs`. Out: [`Container`]. Must not: be skipped silently, or wait longer than [`PATIENCE`].

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// A booted container; it is stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Container {
    nspawn: Child,
    /// Process 1 of the container, as this system numbers it.
    leader: u32,
    /// Its control group, which bears our name.
    group: Option<PathBuf>,
    _config: tempfile::TempDir,
}

static BOOTED: AtomicU32 = AtomicU32::new(0);

impl Container {
    /// Boots the root file system with `conf` as its one file of the administrator's, and the program as it was built.
    /// What is written inside is lost.
    pub(crate) fn boot(conf: &str) -> Self {
        let config = tempfile::tempdir().unwrap();
        let file = config.path().join("50-test.conf");
        fs::write(&file, conf).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_sysctl-advisor"));
        Self::boot_with(&[(&file, "/etc/sysctl.d/50-test.conf"), (program, "/usr/bin/sysctl-advisor")], config)
    }

    /// Boots the root file system as it is, without the program, with a folder of ours to be read under `/mnt`.
    pub(crate) fn boot_bare(folder: &Path) -> Self {
        Self::boot_with(&[(folder, "/mnt")], tempfile::tempdir().unwrap())
    }

    fn boot_with(binds: &[(&Path, &str)], config: tempfile::TempDir) -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "\n\nTHIS TEST NEEDS ROOT: it boots a container. Run it as root, or leave it out by name.\n\n"
        );
        let root = rootfs();
        let log = fs::File::create(config.path().join("log")).unwrap();
        let name = format!("sysctl-advisor-{}-{}", std::process::id(), BOOTED.fetch_add(1, Ordering::Relaxed));
        // Containers that share a control group would be in each other's way.
        let group = control_groups().map(|all| all.join(&name)).filter(|group| fs::create_dir(group).is_ok());
        let enter = group.as_ref().map_or_else(|| "/dev/null".into(), |group| group.join("cgroup.procs"));
        let mut nspawn = Command::new("sh")
            .args(["-c", "echo $$ > \"$0\"; exec systemd-nspawn \"$@\""])
            .arg(enter)
            .env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")
            .env("SYSTEMD_NSPAWN_API_VFS_WRITABLE", "network")
            .env("SYSTEMD_NSPAWN_LOCK", "0")
            .args(["--boot", "--quiet", "--register=no", "--keep-unit", "--private-network", "--volatile=overlay"])
            .args(["--console=read-only", "--link-journal=no"])
            .arg(format!("--machine={name}"))
            .arg(format!("--directory={}", root.display()))
            .args(binds.iter().map(|(here, inside)| format!("--bind-ro={}:{inside}", here.display())))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("systemd-nspawn could not be started; install systemd-container");
        let deadline = Instant::now() + PATIENCE;
        let leader = loop {
            if let Some(leader) = first_child(nspawn.id()).filter(|&leader| has_booted(leader)) {
                break leader;
            }
            let ended = nspawn.try_wait().unwrap();
            if ended.is_some() || Instant::now() > deadline {
                let _ = nspawn.kill();
                let _ = nspawn.wait();
                let log = fs::read_to_string(config.path().join("log")).unwrap_or_default();
                panic!("the container did not boot ({ended:?}):\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        Self { nspawn, leader, group, _config: config }
    }

    /// Puts a file of this system into the container, readable by everybody; its folder is made.
    pub(crate) fn put(&self, from: &Path, to: &str) {
        self.write(to, &fs::read_to_string(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())));
    }

    /// Writes a file inside the container, readable by everybody; its folder is made.
    pub(crate) fn write(&self, to: &str, text: &str) {
        let file = format!("/proc/{}/root{to}", self.leader);
        fs::create_dir_all(Path::new(&file).parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    }

    /// Writes `/root/plan.json`, a plan for `net.core.somaxconn` from 4096 to 8192, from what the container says of itself.
    pub(crate) fn write_plan(&self) {
        let script = r#"
            host=$(cat /proc/sys/kernel/hostname) boot=$(cat /proc/sys/kernel/random/boot_id) id=$(readlink /proc/self/ns/net)
            printf '{"schema":"sysctl-advisor/plan/1","made_at":"2026-11-23T00:00:00Z",
                "host":{"hostname":"%s","boot_id":"%s"},"changes":[{"namespace":"current","namespace_id":"%s",
                "key":"net.core.somaxconn","expected":"4096","proposed":"8192","risk":"low","takes_effect":"At once.",
                "side_effects":"None.","rules":["a-rule"],"findings":[],"rehearsed":null}]}' "$host" "$boot" "$id" >/root/plan.json
        "#;
        self.run(&["sh", "-ec", script]);
    }

    /// What the program remembers, as text: what is written inside is lost with the container, which is no boot's doing.
    pub(crate) fn state(&self) -> String {
        self.run(&[
            "sh",
            "-ec",
            "cd /var/lib; tar -c $(ls -d sysctl-advisor private/sysctl-advisor 2>&-) | base64 -w 0",
        ])
    }

    /// Gives it to the next boot.
    pub(crate) fn put_state(&self, state: &str) {
        self.write("/root/state", state);
        self.run(&["sh", "-ec", "base64 -d /root/state | tar -C /var/lib -x"]);
    }

    /// Runs a command inside; it must succeed.
    pub(crate) fn run(&self, command: &[&str]) -> String {
        let output = inside(self.leader, command);
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command inside, whatever it comes to.
    pub(crate) fn attempt(&self, command: &[&str]) -> Output {
        inside(self.leader, command)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // A container that powers off takes its mounts and its control groups along.
        let _ = inside(self.leader, &["systemctl", "poweroff", "--force"]);
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline && self.nspawn.try_wait().is_ok_and(|ended| ended.is_none()) {
            std::thread::sleep(Duration::from_millis(20));
        }
        if self.nspawn.try_wait().is_ok_and(|ended| ended.is_none()) {
            // The container's processes live in a PID namespace, which ends with its first process.
            let leader = nix::unistd::Pid::from_raw(i32::try_from(self.leader).unwrap());
            let _ = nix::sys::signal::kill(leader, nix::sys::signal::Signal::SIGKILL);
            let _ = self.nspawn.kill();
            let _ = self.nspawn.wait();
        }
        if let Some(group) = &self.group {
            remove_groups(group);
        }
    }
}

/// Where the hierarchy of control groups (version 2) is mounted.
fn control_groups() -> Option<PathBuf> {
    let places = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(PathBuf::from);
    places.into_iter().find(|place| place.join("cgroup.controllers").exists())
}

/// Control groups are removed from the innermost outward; the files in them go along.
fn remove_groups(group: &Path) {
    let inner = fs::read_dir(group).into_iter().flatten().flatten().map(|entry| entry.path());
    inner.filter(|path| path.is_dir()).for_each(|path| remove_groups(&path));
    let _ = fs::remove_dir(group);
}

/// The root file system, made when it is not there yet; by the first test that wants it, while the others wait.
pub(crate) fn rootfs() -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = project.join("target/rootfs");
    fs::create_dir_all(project.join("target")).unwrap();
    let turn = fs::File::create(project.join("target/rootfs.lock")).unwrap();
    turn.lock().unwrap();
    if !root.join("usr/lib/systemd/systemd-sysctl").exists() {
        let made = Command::new(project.join("tests/container/rootfs")).arg(&root).status();
        assert!(made.is_ok_and(|made| made.success()), "tests/container/rootfs failed; is mmdebstrap installed?");
    }
    root
}

fn first_child(process: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    let leader: u32 = children.split_whitespace().next()?.parse().ok()?;
    let comm = fs::read_to_string(format!("/proc/{leader}/comm")).ok()?;
    (comm.trim() == "systemd").then_some(leader)
}

fn has_booted(leader: u32) -> bool {
    let state = inside(leader, &["systemctl", "is-system-running"]);
    ["running", "degraded"].contains(&String::from_utf8_lossy(&state.stdout).trim())
}

fn inside(leader: u32, command: &[&str]) -> Output {
    Command::new("timeout")
        .args(["60", "nsenter", "--all", "--target", &leader.to_string(), "env", "--ignore-environment"])
        .args(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"])
        .args(command)
        .stdin(Stdio::null())
        .output()
        .expect("nsenter and timeout could not be run")
}
