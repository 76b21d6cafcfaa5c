//! `drift` through the real program, on trees of files and the values of a network namespace of the test's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output};

use nix::sched::{CloneFlags, unshare};
use serde_json::Value as Json;

/// A root with systemd as its loader.
struct Tree(tempfile::TempDir);

/// Runs a program as process 1 of the calling thread's network namespace, as in a container that boots: process 1 of the
/// machine lives in another one, and a boot sets nothing here.
fn booted() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--mount-proc"]);
    command
}

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::Builder::new().prefix("drift").tempdir().unwrap());
        tree.write("usr/lib/systemd/systemd-sysctl", "");
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        // The program's own configuration must not come from the machine.
        let mut command = booted();
        command
            .arg(env!("CARGO_BIN_EXE_sysctl-advisor"))
            .arg("drift")
            .arg("--root")
            .arg(self.path())
            .args(arguments)
            .env_remove("SYSCTL_ADVISOR_CONFIG");
        command.output().unwrap()
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().replace(&self.path().display().to_string(), "ROOT")
    }

    /// The JSON, which the published schema must allow.
    fn json(&self, arguments: &[&str]) -> Json {
        let json: Json = serde_json::from_str(&self.text(&[&["--format", "json"], arguments].concat())).unwrap();
        let errors: Vec<String> = validator().iter_errors(&json).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        json
    }
}

fn validator() -> jsonschema::Validator {
    let schema: Json = serde_json::from_str(include_str!("../../docs/schema/drift-1.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// Moves this thread, and what it starts, into a fresh network namespace.
fn enter_namespace() {
    let inode = || fs::metadata("/proc/thread-self/ns/net").unwrap().ino();
    let before = inode();
    unshare(CloneFlags::CLONE_NEWNET).expect("THIS TEST NEEDS ROOT, to make a network namespace of its own");
    assert_ne!(before, inode(), "this is the machine's own network namespace: nothing is written");
}

fn write_sysctl(key: &str, value: &str) {
    fs::write(format!("/proc/sys/{}", key.replace('.', "/")), value).unwrap();
}

fn key<'a>(drift: &'a Json, name: &str) -> &'a Json {
    let keys = drift["keys"].as_array().unwrap();
    keys.iter().find(|key| key["key"] == name).unwrap_or_else(|| panic!("no {name} in {drift:#}"))
}

fn problems(drift: &Json) -> Vec<(String, u64, String)> {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let all = drift["problems"].as_array().unwrap();
    all.iter().map(|one| (text(&one["file"]), one["line"].as_u64().unwrap_or(0), text(&one["code"]))).collect()
}

fn mixed() -> Tree {
    let tree = Tree::new(&[
        ("usr/lib/sysctl.d/10-b.conf", "# of a package\nnet.ipv4.tcp_fin_timeout = 15\nnet.ipv4.tcp_sack=1\n"),
        (
            "etc/sysctl.d/50-a.conf",
            "# ours\n\
             net.ipv4.tcp_fin_timeout = 30\n\
             net.ipv4.tcp_tw_recycle = 1\n\
             net.ipv4.tcp_tw_reuse = 9\n\
             net.ipv4.somaxconn = 65535\n\
             net.ipv4.conf.eth9.rp_filter = 1\n\
             net.ipv4.tcp_mem = 1000000000 1500000000 2000000000\n\
             net.ipv4.tcp_fack = 0\n\
             net.ipv4.tcp_retries2 = 15\n\
             net.ipv4.tcp_retries2 = 8\n",
        ),
        ("etc/sysctl.conf", "net.ipv4.tcp_sack = 0\n"),
    ]);
    let ours = tree.path().join("etc/sysctl.d/50-a.conf");
    fs::set_permissions(ours, fs::Permissions::from_mode(0o666)).unwrap();
    tree
}

#[test]
fn every_key_has_its_line_its_value_in_force_and_a_status() {
    enter_namespace();
    let drift = mixed().json(&[]);
    let statuses: Vec<(&str, &str, &str)> = drift["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| {
            let text = |value: &'static str| key[value].as_str().unwrap_or_default();
            (text("key"), text("status"), key["cause"]["code"].as_str().unwrap_or_default())
        })
        .filter(|(name, ..)| *name != "net.ipv4.tcp_fin_timeout" && *name != "net.ipv4.tcp_retries2")
        .collect();
    assert_eq!(
        statuses,
        [
            ("net.ipv4.conf.eth9.rp_filter", "not_in_force", "interface_missing"),
            ("net.ipv4.somaxconn", "dead", "unknown_key"),
            ("net.ipv4.tcp_fack", "in_sync", ""),
            ("net.ipv4.tcp_mem", "wrong_scope", "host_only"),
            ("net.ipv4.tcp_sack", "in_sync", ""),
            ("net.ipv4.tcp_tw_recycle", "dead", "removed"),
            ("net.ipv4.tcp_tw_reuse", "invalid", "refused"),
        ]
    );
    let timeout = key(&drift, "net.ipv4.tcp_fin_timeout");
    assert_eq!(timeout["status"], "not_in_force");
    assert_eq!((&timeout["boot"]["value"], &timeout["boot"]["line"]), (&Json::from("30"), &Json::from(2)));
    assert_eq!(timeout["boot"]["file"], "/etc/sysctl.d/50-a.conf");
    assert_eq!(timeout["runtime"], "60");
    assert_eq!(timeout["shadowed"][0]["value"], "15");
    assert_eq!(timeout["shadowed"][0]["file"], "/usr/lib/sysctl.d/10-b.conf");
    assert_eq!(timeout["shadowed"][0]["line"], 2);
    assert!(key(&drift, "net.ipv4.somaxconn")["cause"]["text"].as_str().unwrap().contains("net.core.somaxconn"));

    let ours = "/etc/sysctl.d/50-a.conf";
    let expected = [
        ("/etc/sysctl.conf", 0, "not_read_by_loader"),
        (ours, 0, "world_writable"),
        (ours, 3, "dead_key"),
        (ours, 4, "invalid_value"),
        (ours, 5, "unknown_key"),
        (ours, 7, "bytes_for_pages"),
        (ours, 8, "without_effect"),
        (ours, 9, "duplicates_disagree"),
    ];
    let expected: Vec<_> = expected.map(|(file, line, code)| (file.to_owned(), line, code.to_owned())).into();
    assert_eq!(problems(&drift), expected);
}

#[test]
fn a_damaged_report_is_refused_by_the_schema() {
    enter_namespace();
    let drift = mixed().json(&[]);
    let damages = [
        ("/schema", Json::from("sysctl-advisor/drift/2")),
        ("/loader", Json::from("busybox")),
        ("/keys/0/status", Json::from("fine")),
        ("/keys/0/boot/line", Json::from(-1)),
        ("/keys/0/cause/code", Json::Null),
        ("/problems/0/file", Json::Null),
    ];
    for (place, wrong) in damages {
        let mut damaged = drift.clone();
        *damaged.pointer_mut(place).unwrap() = wrong;
        assert!(!validator().is_valid(&damaged), "{place}");
    }
}

#[test]
fn the_text_begins_with_the_worst_and_underlines_the_administrators_line() {
    enter_namespace();
    // Neither the default nor the files' value: what is said of that is the same on every machine.
    write_sysctl("net.ipv4.tcp_fin_timeout", "61");
    write_sysctl("net.ipv4.tcp_retries2", "9");
    let text = mixed().text(&[]);
    let (header, rest) = text.split_once("\n\n").unwrap();
    assert!(header.contains("as systemd-sysctl loads them") && header.contains("ROOT"), "{header}");
    insta::assert_snapshot!(rest);
}

#[test]
fn a_change_at_runtime_is_told_from_files_that_were_never_loaded() {
    enter_namespace();
    let tree = Tree::new(&[("etc/sysctl.d/a.conf", "net.ipv4.tcp_fin_timeout = 30\n")]);
    let of = |drift: Json| {
        let key = key(&drift, "net.ipv4.tcp_fin_timeout").clone();
        (key["status"].as_str().unwrap().to_owned(), key["cause"]["code"].as_str().unwrap_or_default().to_owned())
    };
    let (status, code) = of(tree.json(&[]));
    assert_eq!(status, "not_in_force");
    assert!(["at_default", "loader_did_not_run", "namespace_defaults"].contains(&code.as_str()), "{code}");

    write_sysctl("net.ipv4.tcp_fin_timeout", "30");
    assert_eq!(of(tree.json(&[])), ("in_sync".to_owned(), String::new()));

    write_sysctl("net.ipv4.tcp_fin_timeout", "45");
    assert_eq!(of(tree.json(&[])), ("runtime_only".to_owned(), "changed_at_runtime".to_owned()));
}

#[test]
fn what_no_file_sets_and_somebody_changed_is_runtime_only() {
    enter_namespace();
    let tree = Tree::new(&[]);
    let fresh = tree.json(&[]);
    assert_eq!(fresh["keys"], Json::Array(Vec::new()), "a fresh namespace has nothing to tell");
    write_sysctl("net.ipv4.tcp_keepalive_time", "600");
    let drift = tree.json(&[]);
    let changed = key(&drift, "net.ipv4.tcp_keepalive_time");
    assert_eq!(changed["status"], "runtime_only");
    assert_eq!(changed["boot"], Json::Null);
    assert_eq!(changed["cause"]["code"], "not_persisted");
}

#[test]
fn white_space_is_no_difference() {
    enter_namespace();
    let tree = Tree::new(&[("etc/sysctl.d/a.conf", "net.ipv4.tcp_rmem =  4096 \t 131072   6291456  \n")]);
    write_sysctl("net.ipv4.tcp_rmem", "4096 131072 6291456");
    assert_eq!(key(&tree.json(&[]), "net.ipv4.tcp_rmem")["status"], "in_sync");
}

#[test]
fn what_ip_forward_takes_back_is_said_at_the_line_that_loses() {
    enter_namespace();
    let text = "net.ipv4.conf.all.accept_redirects = 1\nnet.ipv4.ip_forward = 1\n";
    let tree = Tree::new(&[("etc/sysctl.d/a.conf", text)]);
    write_sysctl("net.ipv4.conf.all.accept_redirects", "1");
    write_sysctl("net.ipv4.ip_forward", "1");
    let drift = tree.json(&[]);
    let redirects = key(&drift, "net.ipv4.conf.all.accept_redirects");
    assert_eq!((&redirects["status"], &redirects["boot"]["value"]), (&Json::from("in_sync"), &Json::from("0")));
    assert_eq!(redirects["boot"]["spread_from"], "net.ipv4.ip_forward");
    assert_eq!(problems(&drift), [("/etc/sysctl.d/a.conf".to_owned(), 1, "never_wins".to_owned())]);
}

#[test]
fn a_rehearsal_changes_nothing_here() {
    enter_namespace();
    let tree = Tree::new(&[("etc/sysctl.d/a.conf", "net.ipv4.tcp_fin_timeout = 30\nnet.ipv4.ip_forward = 7x\n")]);
    let drift = tree.json(&[]);
    assert_eq!(key(&drift, "net.ipv4.ip_forward")["status"], "invalid");
    let now = fs::read_to_string("/proc/sys/net/ipv4/tcp_fin_timeout").unwrap();
    assert_eq!(now.trim(), "60");
    let untried = tree.json(&["--no-rehearsal"]);
    assert_eq!(key(&untried, "net.ipv4.ip_forward")["cause"]["code"], "out_of_range", "the catalogue knows as well");
}

#[test]
fn keys_can_be_named_in_any_spelling_and_by_pattern() {
    enter_namespace();
    let tree = mixed();
    let names = |drift: &Json| -> Vec<String> {
        drift["keys"].as_array().unwrap().iter().map(|key| key["key"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&tree.json(&["net/ipv4/tcp_fin_timeout"])), ["net.ipv4.tcp_fin_timeout"]);
    assert_eq!(names(&tree.json(&["net.ipv4.tcp_tw_*"])), ["net.ipv4.tcp_tw_recycle", "net.ipv4.tcp_tw_reuse"]);
    let untouched = tree.json(&["net.ipv4.tcp_dsack"]);
    assert_eq!(key(&untouched, "net.ipv4.tcp_dsack")["status"], "in_sync");
    assert_eq!(key(&untouched, "net.ipv4.tcp_dsack")["runtime"], "1");
    assert!(tree.text(&["net.ipv4.tcp_sack"]).contains("IN SYNC  net.ipv4.tcp_sack"), "a named key is always shown");
}

#[test]
fn an_image_is_compared_with_nothing_or_with_its_own_values() {
    let tree = mixed();
    let image = tree.json(&["--netns", "none"]);
    assert_eq!(image["namespace"], Json::Null);
    let keys = image["keys"].as_array().unwrap();
    assert!(keys.iter().all(|key| key["runtime"].is_null()));
    let judged = |status: &str| keys.iter().filter(|key| key["status"] == status).count();
    assert_eq!(key(&image, "net.ipv4.tcp_tw_recycle")["status"], "dead", "no kernel of today has it, whichever it is");
    assert_eq!(judged("unread") + judged("dead"), keys.len());
    tree.write("proc/sys/net/ipv4/tcp_fin_timeout", "30\n");
    let captured = tree.json(&[]);
    assert_eq!(key(&captured, "net.ipv4.tcp_fin_timeout")["status"], "in_sync");
}

#[test]
fn drift_can_fail_a_pipeline() {
    enter_namespace();
    let tree = Tree::new(&[("etc/sysctl.d/a.conf", "net.ipv4.tcp_fin_timeout = 60\n")]);
    assert_eq!(tree.run(&["--fail-on-drift"]).status.code(), Some(0));
    tree.write("etc/sysctl.d/b.conf", "net.ipv4.tcp_fin_timeout = 61\n");
    assert_eq!(tree.run(&["--fail-on-drift"]).status.code(), Some(10));
    assert_eq!(tree.run(&[]).status.code(), Some(0));
    let nowhere = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor")).args(["drift", "--root", "/nonexistent"]).output();
    assert_eq!(nowhere.unwrap().status.code(), Some(2));
}

#[test]
fn a_secret_in_a_file_is_not_shown() {
    enter_namespace();
    let tree =
        Tree::new(&[("etc/sysctl.d/a.conf", "net.ipv4.tcp_fastopen_key = 01234567-89abcdef-01234567-89abcdef\n")]);
    for arguments in [&["--format", "json"][..], &[], &["net.ipv4.tcp_fastopen_key"]] {
        let text = tree.text(arguments);
        assert!(!text.contains("89abcdef"), "{text}");
    }
}

#[test]
fn an_audit_points_at_the_line() {
    enter_namespace();
    let tree = mixed();
    let audit = |format: &str| {
        let program = env!("CARGO_BIN_EXE_sysctl-advisor");
        let script = "mount --bind \"$1\" /etc/sysctl.d && exec \"$2\" audit --full --window 0 --format \"$3\"";
        let folder = tree.path().join("etc/sysctl.d");
        let mut command = booted();
        command.args(["sh", "-c", script, "sh"]).arg(folder).args([program, format]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let report: Json = serde_json::from_str(&audit("json")).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let dead = findings.iter().find(|finding| finding["rule"] == "persisted-dead-key").expect("tcp_tw_recycle is dead");
    assert_eq!(dead["subject"], "net.ipv4.tcp_tw_recycle");
    assert_eq!(dead["location"]["file"], "/etc/sysctl.d/50-a.conf");
    assert_eq!(dead["location"]["line"], 3);
    assert_eq!(dead["location"]["text"], "net.ipv4.tcp_tw_recycle = 1");
    let rules: Vec<&str> = findings.iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    for rule in [
        "persisted-bytes-for-pages",
        "persisted-duplicates",
        "persisted-file-writable",
        "persisted-invalid",
        "persisted-unknown-key",
        "persisted-waits",
        "persisted-without-effect",
        "persisted-wrong-scope",
    ] {
        assert!(rules.contains(&rule), "{rule} is missing in {rules:?}");
    }
    let text = audit("text");
    assert!(text.contains("3 | net.ipv4.tcp_tw_recycle = 1\n              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^"), "{text}");
}

#[test]
fn an_audit_finds_what_a_loader_reads_and_the_kernel_does_not_take_as_it_was_meant() {
    enter_namespace();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("10-early.conf", "net.ipv4.tcp_fin_timeout = 30\n");
    write("20-late.conf", "net.ipv4.tcp_fin_timeout = 100000\nnet.ipv4.tcp_rmem = 131072 4096 1000\n");
    write("30-text.conf", "net.ipv4.tcp_syn_retries = 4 # fewer\n");
    std::os::unix::fs::symlink("nowhere", folder.path().join("40-gone.conf")).unwrap();
    let script = "mount --bind \"$1\" /etc/sysctl.d && exec \"$2\" audit --window 0 --format json";
    let mut command = booted();
    command.args(["sh", "-c", script, "sh"]).arg(folder.path()).arg(env!("CARGO_BIN_EXE_sysctl-advisor"));
    let output = command.output().unwrap();
    let report: Json = serde_json::from_slice(&output.stdout).unwrap();
    let rules: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    for rule in [
        "persisted-file-unreadable",
        "persisted-meaningless",
        "persisted-never-wins",
        "persisted-not-ascending",
        "persisted-text-ignored",
    ] {
        assert!(rules.contains(&rule), "{rule} is missing in {rules:?}");
    }
}

/// A network namespace with a name, removed by that name.
struct Named(String);

impl Named {
    fn new() -> Self {
        let named = Self(format!("sysctl-advisor-test-{}", std::process::id()));
        assert!(Command::new("ip").args(["netns", "add", &named.0]).status().unwrap().success());
        named
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

#[test]
fn the_values_of_a_named_namespace_can_be_compared() {
    let named = Named::new();
    let set = ["netns", "exec", &named.0, "sysctl", "-qw", "net.ipv4.tcp_fin_timeout=33"];
    assert!(Command::new("ip").args(set).status().unwrap().success());
    let tree = Tree::new(&[("etc/sysctl.d/a.conf", "net.ipv4.tcp_fin_timeout = 30\n")]);
    let drift = tree.json(&["--netns", &named.0]);
    assert_eq!(drift["namespace"], named.0.as_str());
    assert_eq!(key(&drift, "net.ipv4.tcp_fin_timeout")["runtime"], "33");
    for wrong in ["no-such-namespace", "../../etc", "/proc/self/ns/net", ""] {
        let refused = tree.run(&["--netns", wrong]);
        assert_eq!(refused.status.code(), Some(2), "{wrong}");
    }
}

/// Runs commands of the program where the tree's files are those of `/etc/sysctl.d`, in this thread's network namespace.
/// `%` stands for the program.
fn with_files_of(tree: &Tree, script: &str) -> Output {
    let script = format!("mount --bind \"$1\" /etc/sysctl.d && {}", script.replace('%', "\"$2\""));
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script, "sh"]).arg(tree.path().join("etc/sysctl.d"));
    command.arg(env!("CARGO_BIN_EXE_sysctl-advisor")).env_remove("SYSCTL_ADVISOR_CONFIG");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The drift of the running host, and that of a snapshot taken a moment later, both with these arguments.
fn live_and_replayed(tree: &Tree, arguments: &str) -> (Json, Json) {
    let live = tree.path().join("live.json");
    let (live, snapshot) = (live.to_str().unwrap(), tree.path().join("snapshot.json"));
    let script = format!(
        "% drift --format json {arguments} -o {live} && % snapshot --window 0 -o {snapshot}",
        snapshot = snapshot.display()
    );
    with_files_of(tree, &script);
    let replayed = replay(&snapshot, &format!("--format json {arguments}"));
    assert_eq!(replayed.status.code(), Some(0), "{}", String::from_utf8_lossy(&replayed.stderr));
    let read = |text: &[u8]| -> Json {
        let json = serde_json::from_slice(text).unwrap();
        let errors: Vec<String> = validator().iter_errors(&json).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        json
    };
    (read(&fs::read(live).unwrap()), read(&replayed.stdout))
}

/// Replays a snapshot, in the machine's own namespaces and with its own files.
fn replay(snapshot: &Path, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"));
    command.args(["drift", "--snapshot"]).arg(snapshot).args(arguments.split_whitespace()).output().unwrap()
}

#[test]
fn a_snapshot_gives_the_same_drift_as_the_host_that_it_was_taken_of() {
    enter_namespace();
    write_sysctl("net.ipv4.tcp_keepalive_time", "600");
    write_sysctl("net.ipv4.tcp_retries2", "9");
    let tree = mixed();
    // The kernel refuses 7x; that it says so is known from a rehearsal only.
    tree.write("etc/sysctl.d/60-c.conf", "net.ipv4.conf.all.accept_redirects = 1\nnet.ipv4.ip_forward = 7x\n");
    for arguments in ["", "--loader procps --no-rehearsal", "net.ipv4.tcp_* net.ipv4.tcp_dsack"] {
        let (live, mut replayed) = live_and_replayed(&tree, arguments);
        let of = replayed.as_object_mut().unwrap().remove("snapshot").expect("a replay says what it replays");
        assert_eq!(of["hostname"], fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim());
        assert!(live["keys"].as_array().unwrap().len() > 5, "{live:#}");
        assert_eq!(live, replayed, "{arguments}");
    }
    let (live, _) = live_and_replayed(&tree, "");
    assert_eq!(key(&live, "net.ipv4.tcp_tw_reuse")["cause"]["code"], "refused", "the rehearsal is recorded");
}

#[test]
fn a_replay_says_what_was_not_asked_of_the_kernel() {
    enter_namespace();
    let tree = mixed();
    let snapshot = tree.path().join("snapshot.json");
    with_files_of(&tree, &format!("% snapshot --window 0 -o {}", snapshot.display()));
    let gaps = |arguments: &str| -> Vec<String> {
        let output = replay(&snapshot, &format!("--format json {arguments}"));
        let json: Json = serde_json::from_slice(&output.stdout).unwrap();
        let gaps = json["gaps"].as_array().unwrap().iter().filter(|gap| gap["what"] == "rehearsal");
        gaps.map(|gap| gap["why"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(gaps(""), Vec::<String>::new());
    assert_eq!(gaps("--loader procps --no-rehearsal"), Vec::<String>::new(), "nobody asked for one");
    let other = gaps("--loader procps");
    assert!(other.len() == 1 && other[0].contains("in the order of the loader of systemd"), "{other:?}");

    // A snapshot of a version that did not record it.
    let mut former: Json = serde_json::from_slice(&fs::read(&snapshot).unwrap()).unwrap();
    former.as_object_mut().unwrap().remove("rehearsal").expect("the rehearsal is recorded");
    fs::write(&snapshot, former.to_string()).unwrap();
    let former = gaps("");
    assert!(
        former.len() == 1 && former[0].starts_with("the snapshot does not contain the kernel's answers"),
        "{former:?}"
    );
    let text = String::from_utf8(replay(&snapshot, "").stdout).unwrap();
    assert!(text.contains("the snapshot does not contain the kernel's answers"), "{text}");
    assert!(text.contains("from a snapshot of"), "{text}");
}

#[test]
fn a_snapshot_of_a_former_version_is_replayed_as_far_as_it_goes() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let replayed = replay(&data.join("former/snapshot-1.json"), "--format json");
    assert_eq!(replayed.status.code(), Some(0), "{}", String::from_utf8_lossy(&replayed.stderr));
    let drift: Json = serde_json::from_slice(&replayed.stdout).unwrap();
    assert_eq!(drift["snapshot"]["taken_at"], "2026-11-26T22:09:02Z");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("older.json");
    let mut older: Json = serde_json::from_slice(&fs::read(data.join("former/snapshot-1.json")).unwrap()).unwrap();
    older.as_object_mut().unwrap().retain(|field, _| !["persisted", "surroundings"].contains(&field.as_str()));
    fs::write(&file, older.to_string()).unwrap();
    let refused = replay(&file, "");
    let error = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{error}");
    assert_eq!(
        error,
        format!(
            "error: {}: this snapshot contains no configuration files, because an older version wrote it. Take a new one with \
             `sysctl-advisor snapshot`\n",
            file.display()
        )
    );
    fs::write(&file, "{}").unwrap();
    assert_eq!(replay(&file, "").status.code(), Some(2));
}

#[test]
fn a_snapshot_is_not_mixed_with_what_is_here() {
    for with in ["--root /", "--netns current"] {
        let refused = replay(Path::new("x.json"), with);
        assert_eq!(refused.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("cannot be used with"), "{with}");
    }
}

/// Keys, a value that slows or breaks connections after the next boot, and the kernel's own one.
const VALUES: [(&str, &str, &str); 9] = [
    ("net.ipv4.tcp_timestamps", "0", "1"),
    ("net.ipv4.tcp_sack", "0", "1"),
    ("net.ipv4.tcp_window_scaling", "0", "1"),
    ("net.ipv4.tcp_max_tw_buckets", "5000", "262144"),
    ("net.ipv4.tcp_synack_retries", "1", "5"),
    ("net.ipv4.ip_no_pmtu_disc", "1", "0"),
    ("net.ipv4.tcp_rmem", "4096 16777216 16777216", "4096 131072 33554432"),
    ("net.ipv4.tcp_syncookies", "0", "1"),
    ("net.ipv4.tcp_fin_timeout", "15", "60"),
];

fn harmful() -> String {
    VALUES.iter().map(|(key, harmful, _)| format!("{key} = {harmful}\n")).collect()
}

fn harmless() -> String {
    VALUES.iter().map(|(key, _, harmless)| format!("{key} = {harmless}\n")).collect()
}

/// The lines of the files that findings are about.
fn objected(json: &Json) -> Vec<u64> {
    let mut lines: Vec<u64> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|finding| finding["lines"].as_array().unwrap())
        .map(|line| line["line"].as_u64().unwrap())
        .collect();
    lines.sort_unstable();
    lines
}

#[test]
fn an_image_with_harmful_values_says_so_before_it_boots_and_one_without_says_nothing() {
    let tree = Tree::new(&[("etc/sysctl.d/a.conf", &harmful())]);
    let json = tree.json(&["--netns", "none"]);
    assert_eq!(objected(&json), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(json["findings"][0]["severity"], "warning", "the worst first");
    let text = tree.text(&["--netns", "none"]);
    assert!(text.contains("net.ipv4.tcp_timestamps      0 (/etc/sysctl.d/a.conf:1)"), "{text}");
    assert!(text.contains("9 keys; 9 findings for the values of"), "{text}");
    assert_eq!(tree.run(&["--netns", "none", "--fail-on-drift"]).status.code(), Some(10));

    let tree = Tree::new(&[("etc/sysctl.d/a.conf", &harmless())]);
    assert_eq!(objected(&tree.json(&["--netns", "none"])), [0_u64; 0]);
    assert_eq!(tree.run(&["--netns", "none", "--fail-on-drift"]).status.code(), Some(0));
}

#[test]
fn names_that_no_kernel_has_are_found_without_a_kernel() {
    let lines = "net.ipv4.tcp_fin_timout = 60\nnet.ipv4.ip_conntrack_max = 9\nnet.ipv4.tcp_retries2 = 99999\n";
    let tree = Tree::new(&[("etc/sysctl.d/a.conf", lines)]);
    let json = tree.json(&["--netns", "none"]);
    let problems: Vec<_> = json["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (problem["line"].as_u64().unwrap(), problem["code"].as_str().unwrap()))
        .collect();
    assert_eq!(problems, [(1, "unknown_key"), (2, "dead_key"), (3, "invalid_value")]);
    let text = tree.text(&["--netns", "none"]);
    assert!(text.contains("net.ipv4.tcp_fin_timeout?"), "{text}");
    assert!(text.ends_with("1 dead; 3 keys; 3 problems in the files.\n"), "{text}");
}

/// The remarks on keys that a kernel ignores or does not have, of a root with the modules of these kernels.
fn of_kernels(releases: &[&str]) -> Vec<(u64, String)> {
    let lines = "net.ipv4.tcp_adv_win_scale = 2\nnet.ipv4.tcp_low_latency = 1\nnet.ipv4.tcp_tw_recycle = 1\n\
                 net.ipv4.tcp_tso_rtt_log = 9\nnet.ipv4.tcp_sack = 1\n";
    let tree = Tree::new(&[("etc/sysctl.d/a.conf", lines)]);
    for release in releases {
        tree.write(&format!("usr/lib/modules/{release}/modules.dep"), "");
    }
    let json = tree.json(&["--netns", "none"]);
    let is_of_kernel = |one: &&Json| one["code"] == "without_effect" || one["code"] == "dead_key";
    let problems = json["problems"].as_array().unwrap().iter().filter(is_of_kernel);
    problems.map(|one| (one["line"].as_u64().unwrap(), one["text"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn the_kernels_of_an_image_decide_which_keys_have_an_effect_there() {
    let on = |release: &str| of_kernels(&[release]).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
    assert_eq!(on("3.10.0"), [2, 4], "it still has tcp_tw_recycle");
    assert_eq!(on("3.10.0-1160.el7.x86_64"), [2], "Red Hat adds parts of newer kernels, so nobody knows what it lacks");
    assert_eq!(on("6.1.0-18-amd64"), [2, 3], "it still uses tcp_adv_win_scale");
    assert_eq!(on("6.12.9-cloud"), [1, 2, 3]);

    let of_several = of_kernels(&["6.12.9", "6.1.0-18-amd64", "6.6.0"]);
    assert_eq!(of_several.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(
        of_several[0]
            .1
            .starts_with("net.ipv4.tcp_adv_win_scale has no effect on Linux 6.6.0, 6.12.9: Obsolete since 6.6")
    );
    assert!(!of_several[1].1.contains("on Linux"), "every kernel ignores it: {}", of_several[1].1);
    let of_old_and_new = of_kernels(&["3.10.0", "5.10.0"]);
    assert_eq!(
        of_old_and_new[1],
        (3, "net.ipv4.tcp_tw_recycle has no effect on Linux 5.10.0: Linux 4.12 removed the key.".to_owned())
    );
}

#[test]
fn the_kernel_that_is_assumed_for_an_image_without_one_is_named() {
    let running = nix::sys::utsname::uname().unwrap().release().to_string_lossy().into_owned();
    let found = of_kernels(&[]);
    assert!(found[0].1.contains(&format!("has no effect on Linux {running}: ")), "{found:?}");
    assert!(found[0].1.ends_with("This root has no kernel; the kernel that runs here is assumed."), "{found:?}");
    assert!(!found[1].1.contains("assumed"), "{found:?}");
}

#[test]
fn findings_of_values_are_those_of_the_keys_that_were_asked_for() {
    let tree = Tree::new(&[("etc/sysctl.d/a.conf", &harmful())]);
    assert_eq!(objected(&tree.json(&["--netns", "none", "net.ipv4.tcp_sack"])), [2]);
}

#[test]
fn one_file_is_reviewed_without_what_else_the_boot_reads() {
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.conf");
    fs::write(&file, format!("{}net.ipv4.tcp_fin_timout = 5\nnet.core.somaxconn = many\n", harmful())).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"));
        command.arg("drift").args(arguments).env_remove("SYSCTL_ADVISOR_CONFIG").output().unwrap()
    };
    let output = run(&["--file", file.to_str().unwrap(), "--format", "json"]);
    let json: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(objected(&json), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let status = |key: &str| {
        let keys = json["keys"].as_array().unwrap();
        keys.iter().find(|entry| entry["key"] == key).unwrap()["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status("net.ipv4.tcp_fin_timout"), "dead");
    assert_eq!(status("net.core.somaxconn"), "invalid");
    assert_eq!(json["keys"].as_array().unwrap().len(), 11, "only the keys of the file");
    let text = String::from_utf8(run(&["--file", file.to_str().unwrap()]).stdout).unwrap();
    assert!(text.contains("0, now 1 ("), "{text}");
    assert!(!text.contains("NOT IN FORCE"), "nobody asked whether it is in force: {text}");

    let missing = run(&["--file", "/no/such.conf"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("/no/such.conf: No such file or directory"));
}

#[test]
fn a_run_by_hand_does_not_reach_an_interface_that_is_up_and_a_boot_with_procps_does() {
    enter_namespace();
    assert!(Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.conf");
    fs::write(&file, "net.ipv4.conf.*.rp_filter = 2\n-net.ipv4.conf.lo.rp_filter\n").unwrap();
    let predicted = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"));
        command.args(["drift", "--format", "json", "--file"]).arg(&file).args(arguments);
        let output = command.env_remove("SYSCTL_ADVISOR_CONFIG").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let json: Json = serde_json::from_slice(&output.stdout).unwrap();
        assert!(validator().is_valid(&json));
        let keys = json["keys"].as_array().unwrap();
        let lo = keys.iter().find(|key| key["key"] == "net.ipv4.conf.lo.rp_filter");
        let value = lo.map(|key| key["boot"]["value"].as_str().unwrap().to_owned());
        (json["when"].as_str().unwrap().to_owned(), value, json["assumption"].as_str().unwrap().to_owned())
    };
    let (when, value, assumption) = predicted(&["--loader", "procps"]);
    assert_eq!((when.as_str(), value.as_deref()), ("boot", Some("2")));
    assert!(assumption.contains("lo is down when `sysctl --system` runs"), "{assumption}");
    let (_, value, assumption) = predicted(&["--loader", "systemd"]);
    assert_eq!(value, None);
    assert!(assumption.contains("lo is up before systemd-sysctl runs"), "{assumption}");
    let (when, value, assumption) = predicted(&["--loader", "procps", "--when", "now"]);
    assert_eq!((when.as_str(), value), ("now", None));
    assert!(assumption.starts_with("Interfaces that have an address do not follow"), "{assumption}");
}

/// Each line is one that systemd and procps hand to the kernel as it is.
const TEXTS: &str = "net.ipv4.tcp_fin_timeout = 25 # shorter
net.ipv4.tcp_keepalive_time = 900#
net.ipv4.tcp_rmem = 8192 65536 \\
net.ipv4.tcp_wmem = 8192
net.ipv4.ip_local_port_range = 0x4e20 60000 7
net.ipv4.conf.$NIC.rp_filter = 0
net.ipv4.conf.all.forwarding = 1 ; routes
sysctl -w net.ipv4.tcp_sack=1
net.ipv4.tcp_keepalive_probes = {{ probes }}
";

#[test]
fn a_line_has_the_value_that_the_kernel_makes_of_its_text() {
    enter_namespace();
    let tree = Tree::new(&[("etc/sysctl.d/a.conf", TEXTS)]);
    let drift = tree.json(&[]);
    for (name, value, code) in [
        ("net.ipv4.tcp_fin_timeout", "25", None),
        ("net.ipv4.tcp_keepalive_time", "900#", Some("refused")),
        ("net.ipv4.ip_local_port_range", "20000 60000", None),
        ("net.ipv4.conf.all.forwarding", "1", None),
        ("net.ipv4.ip_forward", "1", Some("source_not_in_force")),
        ("net.ipv4.tcp_keepalive_probes", "{{ probes }}", Some("refused")),
    ] {
        let key = key(&drift, name);
        assert_eq!(key["boot"]["value"], value, "{name}");
        let refused = key["status"] == "invalid";
        assert_eq!(refused, code == Some("refused"), "{key}");
    }
    assert_eq!(key(&drift, "net.ipv4.tcp_fin_timeout")["boot"]["text"], "25 # shorter");
    for (name, first) in [("net.ipv4.tcp_rmem", "8192 65536 "), ("net.ipv4.tcp_wmem", "8192 ")] {
        let key = key(&drift, name);
        let value = key["boot"]["value"].as_str().unwrap();
        assert!(value.starts_with(first) && value.split(' ').count() == 3, "{value}");
        assert_eq!(key["status"] == "invalid", name.ends_with("rmem"), "{key}");
    }
    let codes = |drift: &Json| problems(drift).into_iter().map(|(_, line, code)| (line, code)).collect::<Vec<_>>();
    let expected = [
        (1, "comment_in_value"),
        (2, "invalid_value"),
        (3, "invalid_value"),
        (4, "missing_numbers"),
        (5, "ignored_text"),
        (6, "placeholder"),
        (7, "comment_in_value"),
        (8, "bad_key"),
        (9, "invalid_value"),
        (9, "placeholder"),
    ];
    let expected: Vec<_> = expected.map(|(line, code)| (line, code.to_owned())).into();
    let compared: Vec<_> = codes(&drift).into_iter().filter(|(_, code)| code != "unknown_key").collect();
    assert_eq!(compared, expected);
    assert_eq!(codes(&tree.json(&["--netns", "none"])), expected, "the texts alone say as much");
}

#[test]
fn what_the_kernel_does_not_use_of_a_text_is_said_with_the_line() {
    let tree = Tree::new(&[("etc/sysctl.d/a.conf", TEXTS)]);
    let text = tree.text(&["--netns", "none"]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "The kernel uses `25` for net.ipv4.tcp_fin_timeout and ignores `# shorter`.",
        "got `900#`; a comment must be on a line of its own.",
        "a value cannot continue on the next line.",
        "does not set the last 2 numbers of net.ipv4.tcp_wmem.",
        "and ignores the rest of the value, `7`.",
        "`$NIC` is probably a placeholder",
        "a file has only `KEY = VALUE`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
