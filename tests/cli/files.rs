//! `-o FILE`: whole or not at all.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use super::{PROGRAM, Run, command, counted, data, finish, run, scratch};

fn audit_into(file: &Path) -> Run {
    run(&["audit", "--snapshot", &data("ports.json"), "--color", "always", "-o", file.to_str().unwrap()])
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_file_gets_what_standard_output_would_have_without_colours() {
    let (folder, file) = scratch("report.txt", "old");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let written = audit_into(&file);
    assert_eq!((written.code, written.out.as_str(), written.err.as_str()), (0, "", ""));
    let printed = run(&["audit", "--snapshot", &data("ports.json")]).out;
    assert_eq!(counted(&std::fs::read_to_string(&file).unwrap()), printed);
    assert_eq!(file.metadata().unwrap().mode() & 0o7777, 0o640, "the old file's mode is kept");
    assert_eq!(names(folder.path()), ["report.txt"]);

    let new = file.with_file_name("new.txt");
    assert_eq!(audit_into(&new).code, 0);
    assert_eq!(counted(&std::fs::read_to_string(&new).unwrap()), printed);
}

#[test]
fn a_link_stays_a_link() {
    let (_folder, file) = scratch("report.txt", "old");
    let link = file.with_file_name("latest");
    symlink("report.txt", &link).unwrap();
    assert_eq!(audit_into(&link).code, 0);
    assert!(link.is_symlink());
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("sysctl-advisor on web-1"));
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    let (folder, file) = scratch("report.txt", "old");
    let missing = folder.path().join("missing/report.txt");
    for (place, why) in [
        (missing.as_path(), "No such file or directory"),
        (folder.path(), "Is a directory"),
        (Path::new("/dev/full"), "No space left on device"),
        (&file.join("below"), "Not a directory"),
    ] {
        let run = audit_into(place);
        assert_eq!(run.code, 1, "{run:?}");
        assert_eq!(run.out, "");
        // The message is coloured here, as asked.
        assert!(run.err.ends_with(&format!(" cannot write {}: {why}\n", place.display())), "{run:?}");
    }
    assert_eq!(names(folder.path()), ["report.txt"]);
}

#[test]
fn a_full_standard_output_is_an_error() {
    let line = format!("{PROGRAM} audit --config /dev/null --snapshot {} > /dev/full", data("ports.json"));
    let run = finish(command("sh").args(["-c", &line]));
    assert_eq!((run.code, run.err.as_str()), (1, "error: cannot write to standard output: No space left on device\n"));
}

/// In mount namespaces of their own: a file system without room, and one that is read-only.
#[test]
fn a_full_or_read_only_file_system_keeps_the_old_file() {
    let (folder, _) = scratch("x", "");
    let place = folder.path().to_str().unwrap();
    let script = r#"
        set -u
        mount -t tmpfs -o "$1" none "$2" && cd "$2" || exit 99
        echo old > report.txt
        [ "$1" = size=64k ] && dd if=/dev/zero of=filler bs=1k 2> /dev/null
        [ "$1" = size=1m ] && mount -o remount,ro "$2"
        "$3" audit --config /dev/null --snapshot "$4" -o report.txt; first=$?
        "$3" audit --config /dev/null --snapshot "$4" -o new.txt; second=$?
        echo "$first $second $(cat report.txt) $(ls -A | tr '\n' ' ')"
    "#;
    for (options, why, left) in [
        ("size=64k", "No space left on device", "filler report.txt"),
        ("size=1m", "Read-only file system", "report.txt"),
    ] {
        let run = finish(
            command("unshare")
                .args(["--mount", "sh", "-c", script, "sh", options, place, PROGRAM])
                .arg(data("ports.json")),
        );
        assert_eq!(run.out, format!("1 1 old {left}\n"), "{run:?}");
        assert_eq!(
            run.err,
            format!("error: cannot write report.txt: {why}\nerror: cannot write new.txt: {why}\n"),
            "{run:?}"
        );
    }
}

/// In a folder such as /tmp another user may have put a link where root writes a report.
#[test]
fn a_link_of_another_user_is_not_followed_and_one_s_own_is() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("victim"), folder.path().join("report.json"));
    std::fs::write(&file, "precious").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    std::os::unix::fs::lchown(&link, Some(65534), None).unwrap();
    let snapshot = ["snapshot", "--window", "0", "-o", link.to_str().unwrap()];
    let refused = run(&snapshot);
    assert!(refused.code != 0 && refused.err.contains("a symbolic link of another user"), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    std::os::unix::fs::lchown(&link, Some(0), None).unwrap();
    assert_eq!(run(&snapshot).code, 0);
    assert!(link.is_symlink() && std::fs::read_to_string(&file).unwrap().contains("sysctl-advisor/snapshot/1"));
}
