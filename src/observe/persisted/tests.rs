//! Trees of files, good and hostile, below a root of their own.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::*;

fn tree(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, content) in files {
        write(root.path(), path, content);
    }
    root
}

fn write(root: &Path, path: &str, content: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn read_in(root: &tempfile::TempDir) -> (Persisted, Vec<Gap>) {
    read(&Host::recorded(root.path()))
}

fn file<'a>(persisted: &'a Persisted, path: &str) -> &'a File {
    persisted.files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path} is not in {persisted:?}"))
}

#[test]
fn every_candidate_is_read_and_what_no_loader_reads_is_named() {
    let root = tree(&[
        ("etc/sysctl.d/a.conf", b"a.b=1\n"),
        ("etc/sysctl.d/README", b""),
        ("run/sysctl.d/b.conf", b"a.b=2\n"),
        ("usr/local/lib/sysctl.d/c.conf", b"a.b=3\n"),
        ("usr/lib/sysctl.d/d.conf", b"a.b=4\n"),
        ("etc/sysctl.conf", b"a.b=5\n"),
        ("run/credentials/@system/sysctl.extra", b"a.b=6\n"),
        ("proc/cmdline", b"quiet sysctl.a.b=7\n"),
    ]);
    symlink("usr/lib", root.path().join("lib")).unwrap();
    let (persisted, gaps) = read_in(&root);
    assert_eq!(gaps, []);
    let paths: Vec<_> = persisted.files.iter().map(|file| (file.path.as_str(), file.source)).collect();
    assert_eq!(
        paths,
        [
            ("/etc/sysctl.d/a.conf", Source::Directory),
            ("/run/sysctl.d/b.conf", Source::Directory),
            ("/usr/local/lib/sysctl.d/c.conf", Source::Directory),
            ("/usr/lib/sysctl.d/d.conf", Source::Directory),
            ("/etc/sysctl.conf", Source::SysctlConf),
            ("/run/credentials/@system/sysctl.extra", Source::Credential),
        ]
    );
    assert_eq!(persisted.directories[0].passed_over, ["README"]);
    assert_eq!(persisted.directories[4].real.as_deref(), Some("/usr/lib/sysctl.d"));
    assert_eq!(persisted.command_line.as_deref(), Some("sysctl.a.b=7"));
    assert_eq!(file(&persisted, "/etc/sysctl.conf").text.as_deref(), Some("a.b=5\n"));
}

#[test]
fn secrets_are_not_kept_and_places_stay_what_they_are() {
    let text =
        b"a.b=1\nnet.ipv4.tcp_fastopen_key = 1-2\n-net/ipv6/conf/all/stable_secret=::1\r\nc.d=2 # stable_secret\n";
    let (persisted, _) = read_in(&tree(&[
        ("etc/sysctl.d/a.conf", text),
        ("proc/cmdline", b"root=x luks.key=secret \"sysctl.a.b=1 2\" sysctl/c.d=3 -- sysctl.e.f=1 password\n"),
    ]));
    assert_eq!(
        persisted.files[0].text.as_deref(),
        Some("a.b=1\nnet.ipv4.tcp_fastopen_key = ***\n-net/ipv6/conf/all/stable_secret=***\r\nc.d=2 # stable_secret\n")
    );
    assert_eq!(persisted.command_line.as_deref(), Some("\"sysctl.a.b=1 2\" sysctl/c.d=3"));
}

#[test]
fn links_are_followed_inside_the_root_and_the_null_device_is_known_without_one() {
    let root = tree(&[("srv/real.conf", b"a.b=1\n")]);
    fs::create_dir_all(root.path().join("etc/sysctl.d")).unwrap();
    let at = |name: &str| root.path().join("etc/sysctl.d").join(name);
    symlink("/srv/real.conf", at("a.conf")).unwrap();
    symlink("/dev/null", at("b.conf")).unwrap();
    symlink("/etc/passwd", at("c.conf")).unwrap();
    symlink("../../../../../../etc/passwd", at("d.conf")).unwrap();
    let (persisted, _) = read_in(&root);
    let a = file(&persisted, "/etc/sysctl.d/a.conf");
    assert_eq!((a.link.as_deref(), a.text.as_deref()), (Some("/srv/real.conf"), Some("a.b=1\n")));
    assert_eq!(file(&persisted, "/etc/sysctl.d/b.conf").kind, FileKind::Null);
    for outside in ["/etc/sysctl.d/c.conf", "/etc/sysctl.d/d.conf"] {
        assert_eq!(file(&persisted, outside).kind, FileKind::Dangling);
    }
}

#[test]
fn hostile_entries_neither_hang_nor_grow() {
    let root = tree(&[
        ("etc/sysctl.d/binary.conf", &[0xff, 0xfe, 0, 1, b'=', 0x80, b'\n']),
        ("etc/sysctl.d/one-line.conf", &vec![b'x'; 3 << 20]),
        ("etc/sysctl.d/z.conf", b"a.b=1\n"),
    ]);
    let at = |name: &str| root.path().join("etc/sysctl.d").join(name);
    let mut huge = b"a.b=1\n".repeat(1000);
    huge.resize(50 << 20, b'\n');
    fs::write(at("huge.conf"), huge).unwrap();
    nix::unistd::mkfifo(&at("fifo.conf"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    symlink("loop.conf", at("loop.conf")).unwrap();
    symlink(".", at("up")).unwrap();
    symlink("up/up/up/up/fifo.conf", at("far.conf")).unwrap();
    fs::create_dir(at("directory.conf")).unwrap();
    let (persisted, gaps) = read_in(&root);
    assert_eq!(gaps, []);
    let is = |name: &str| file(&persisted, &format!("/etc/sysctl.d/{name}.conf"));
    assert!(is("binary").not_utf8);
    let huge = is("huge");
    assert!(huge.cut && huge.bytes == 50 << 20 && huge.text.as_ref().is_some_and(|text| text.len() <= 2 << 20));
    assert!(is("one-line").cut && is("one-line").text.as_ref().is_some_and(|text| text.len() == 2 << 20));
    assert_eq!((&is("fifo").kind, &is("far").kind), (&FileKind::Fifo, &FileKind::Fifo));
    assert_eq!((&is("loop").kind, &is("directory").kind), (&FileKind::LinkLoop, &FileKind::Directory));
    assert_eq!(is("z").text.as_deref(), Some("a.b=1\n"));
    let stored = serde_json::to_string(&persisted).unwrap();
    assert_eq!(serde_json::from_str::<Persisted>(&stored).unwrap(), persisted);
}

#[test]
fn the_texts_together_are_bounded() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..8 {
        write(root.path(), &format!("etc/sysctl.d/{number}.conf"), &b"a.b=1\n".repeat(400_000));
    }
    let (persisted, _) = read_in(&root);
    let bytes: usize = persisted.files.iter().filter_map(|file| file.text.as_ref()).map(String::len).sum();
    assert!(bytes <= 8 << 20 && persisted.files.iter().all(|file| file.cut));
}

#[test]
fn a_directory_that_is_none_is_said_to_be() {
    let root = tree(&[("etc/sysctl.d", b"a.b=1\n"), ("run/sysctl.d/a.conf", b"")]);
    let (persisted, _) = read_in(&root);
    assert_eq!(persisted.directories[0].state, DirectoryState::Unreadable("this is not a directory".to_owned()));
    assert_eq!(persisted.directories[1].state, DirectoryState::Read);
    assert_eq!(persisted.directories[2].state, DirectoryState::Absent);
}

/// As nobody, in a thread of its own: root may read everything.
#[test]
fn what_may_not_be_read_is_a_gap_and_is_said_in_the_record() {
    let root = tree(&[("etc/sysctl.d/a.conf", b"a.b=1\n"), ("run/sysctl.d/b.conf", b"a.b=2\n")]);
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(root.path().join("etc/sysctl.d/a.conf"), fs::Permissions::from_mode(0o0)).unwrap();
    fs::set_permissions(root.path().join("run/sysctl.d"), fs::Permissions::from_mode(0o0)).unwrap();
    let host = Host::recorded(root.path());
    let (persisted, gaps) = std::thread::spawn(move || {
        if nix::unistd::geteuid().is_root() {
            // Of this thread only, unlike setresuid().
            nix::unistd::setfsuid(nix::unistd::Uid::from_raw(65_534));
        }
        read(&host)
    })
    .join()
    .unwrap();
    let denied = "Permission denied";
    assert_eq!(file(&persisted, "/etc/sysctl.d/a.conf").kind, FileKind::Unreadable(denied.to_owned()));
    assert_eq!(persisted.directories[1].state, DirectoryState::Unreadable(denied.to_owned()));
    let why: Vec<_> = gaps.iter().map(|gap| (gap.what.as_str(), gap.why.as_str())).collect();
    assert_eq!(
        why,
        [("persisted", "/etc/sysctl.d/a.conf: Permission denied"), ("persisted", "/run/sysctl.d: Permission denied")]
    );
}

#[test]
fn ufw_s_file_counts_only_where_its_settings_name_it() {
    let root = tree(&[
        ("etc/default/ufw", b"# IPT_SYSCTL=/etc/no\nIPT_SYSCTL=\"/etc/ufw/sysctl.conf\" # yes\n"),
        ("etc/ufw/ufw.conf", b"ENABLED=yes\n"),
        ("etc/ufw/sysctl.conf", b"net/ipv4/ip_forward=1\n"),
    ]);
    let (persisted, _) = read_in(&root);
    assert_eq!(persisted.ufw, Some(Ufw { enabled: true, file: Some("/etc/ufw/sysctl.conf".to_owned()) }));
    assert_eq!(file(&persisted, "/etc/ufw/sysctl.conf").source, Source::Ufw);
    write(root.path(), "etc/default/ufw", b"#IPT_SYSCTL=/etc/ufw/sysctl.conf\n");
    let (persisted, _) = read_in(&root);
    assert_eq!((persisted.ufw.unwrap().file, persisted.files.len()), (None, 0));
}

#[test]
fn the_loader_is_told_from_what_is_installed() {
    let loader = |files: &[(&str, &[u8])]| read_in(&tree(files)).0.loader.loader;
    let systemd: (&str, &[u8]) = ("usr/lib/systemd/systemd-sysctl", b"");
    let script: (&str, &[u8]) = ("etc/init.d/procps", b"");
    assert_eq!(loader(&[]), None);
    assert_eq!(loader(&[systemd]), Some(Loader::Systemd));
    assert_eq!(loader(&[("usr/sbin/sysctl", b"")]), Some(Loader::Procps));
    assert_eq!(loader(&[systemd, script]), Some(Loader::Procps));
    let root = tree(&[systemd, script, ("usr/lib/systemd/systemd", b"")]);
    fs::create_dir_all(root.path().join("sbin")).unwrap();
    symlink("/usr/lib/systemd/systemd", root.path().join("sbin/init")).unwrap();
    let found = read_in(&root).0.loader;
    assert_eq!(
        (found.loader, found.evidence),
        (Some(Loader::Systemd), vec!["/sbin/init is /usr/lib/systemd/systemd".to_owned()])
    );
    fs::create_dir_all(root.path().join("etc/systemd/system")).unwrap();
    symlink("/dev/null", root.path().join("etc/systemd/system/systemd-sysctl.service")).unwrap();
    let found = read_in(&root).0.loader;
    assert_eq!((found.loader, found.evidence.len()), (None, 2));
}

#[test]
fn the_version_of_procps_comes_from_the_package_database() {
    let status: &[u8] =
        b"Package: a\nVersion: 1\n\nPackage: procps\nStatus: ok\nVersion: 2:4.0.2-3\nDescription: x\n\nPackage: z\n";
    assert_eq!(read_in(&tree(&[("var/lib/dpkg/status", status)])).0.procps_version.as_deref(), Some("2:4.0.2-3"));
    let status: &[u8] = b"P:a\nV:1\n\nP:procps-ng\nV:4.0.4-r2\n";
    assert_eq!(read_in(&tree(&[("lib/apk/db/installed", status)])).0.procps_version.as_deref(), Some("4.0.4-r2"));
    assert_eq!(read_in(&tree(&[("var/lib/dpkg/status", b"Package: procps\n\nVersion: 1\n")])).0.procps_version, None);
}

/// The database is searched in pieces of 32 KiB.
#[test]
fn the_package_may_stand_anywhere_in_the_database() {
    for before in [0, 1, (64 << 10) - 20, (64 << 10) - 9, (64 << 10) - 1, 64 << 10, 200 << 10] {
        let mut status = vec![b'x'; before];
        status.extend_from_slice(b"\nPackage: procps-base\nVersion: 1\n\nPackage: procps\nVersion: 2\n");
        let found = read_in(&tree(&[("var/lib/dpkg/status", &status)])).0.procps_version;
        assert_eq!(found.as_deref(), Some("2"), "{before}");
    }
    assert_eq!(read_in(&tree(&[("var/lib/dpkg/status", b"xPackage: procps\nVersion: 1\n")])).0.procps_version, None);
}

#[test]
fn this_machine_is_read_without_a_gap() {
    let (persisted, gaps) = read(&Host::live());
    assert_eq!(gaps, []);
    assert!(persisted.loader.evidence.iter().all(|why| !why.is_empty()));
    assert!(persisted.command_line.is_some());
}
