//! `--root` over trees that try to lead out of themselves: links, fifos and folders in the place of each file that is read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Files that `drift --root` reads where they are there.
const READ: [&str; 22] = [
    "etc/sysctl.conf",
    "etc/sysctl.d/50.conf",
    "etc/ufw/sysctl.conf",
    "etc/default/ufw",
    "etc/modules",
    "etc/modules-load.d/a.conf",
    "proc/cmdline",
    "proc/meminfo",
    "proc/modules",
    "proc/stat",
    "proc/uptime",
    "proc/1/comm",
    "proc/1/mountinfo",
    "proc/self/limits",
    "proc/sys/fs/protected_links",
    "proc/sys/kernel/hostname",
    "proc/sys/kernel/osrelease",
    "proc/sys/kernel/random/boot_id",
    "proc/sys/net/core/somaxconn",
    "proc/sys/net/ipv4/tcp_fin_timeout",
    "proc/sys/net/ipv4/conf/all/rp_filter",
    "var/lib/dpkg/status",
];

/// A tree with the usual files, and `make` in the place of one.
fn with(place: &str, make: impl FnOnce(&Path)) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for path in READ {
        fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
        if path != place {
            let text = if path.starts_with("etc/sysctl") { "net.ipv4.tcp_fin_timeout = 61\n" } else { "1\n" };
            fs::write(root.path().join(path), text).unwrap();
        }
    }
    make(&root.path().join(place));
    root
}

/// What a command says about a tree, both outputs; it has to end by itself.
fn said(arguments: &[&str], root: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"));
    command.args(arguments).arg("--root").arg(root).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        let waits = begun.elapsed() > Duration::from_secs(60);
        if waits {
            child.kill().unwrap();
        }
        assert!(!waits, "{arguments:?} waits: {}", root.display());
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

const COMMANDS: [&[&str]; 2] = [&["drift"], &["drift", "--format", "json"]];

#[test]
fn a_link_out_of_the_root_shows_nothing_of_what_it_leads_to() {
    const SECRET: &str = "a9f3secret = a9f3secret";
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("shadow");
    fs::write(&secret, SECRET).unwrap();
    for place in READ {
        // Out by the whole path, and out by as many steps up as there can be.
        let up = format!("{}{}", "../".repeat(20), secret.display());
        for target in [secret.to_str().unwrap(), &up] {
            let root = with(place, |path| symlink(target, path).unwrap());
            for command in COMMANDS {
                let said = said(command, root.path());
                assert!(!said.contains("a9f3secret"), "{command:?} {place} -> {target}:\n{said}");
            }
        }
        let folder = place.rsplit_once('/').unwrap().0;
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(folder).parent().unwrap()).unwrap();
        fs::copy(&secret, outside.path().join(place.rsplit_once('/').unwrap().1)).unwrap();
        symlink(outside.path(), root.path().join(folder)).unwrap();
        let said = said(&["drift"], root.path());
        assert!(!said.contains("a9f3secret"), "the folder of {place} leads out:\n{said}");
    }
}

#[test]
fn a_link_that_stays_inside_is_followed_as_the_system_would() {
    let root = with("proc/sys/net/ipv4/tcp_fin_timeout", |path| symlink("/etc/value", path).unwrap());
    fs::write(root.path().join("etc/value"), "77\n").unwrap();
    let said = said(&["drift", "--format", "json"], root.path());
    assert!(said.contains("\"77\""), "{said}");
}

#[test]
fn a_fifo_a_folder_or_an_endless_device_in_the_place_of_a_file_is_passed_over() {
    for place in READ {
        let fifo = with(place, |path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap());
        let folder = with(place, |path| fs::create_dir(path).unwrap());
        // Root may make devices: 1,5 is /dev/zero.
        let device = with(place, |path| {
            let made = Command::new("mknod").arg(path).args(["c", "1", "5"]).status().unwrap();
            assert!(made.success(), "mknod needs root");
        });
        for root in [fifo, folder, device] {
            said(&["drift"], root.path());
        }
    }
}
