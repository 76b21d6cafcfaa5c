//! The configuration from several places: drop-ins under an `/etc` of the test's own, the environment, what is typed; who
//! is trusted with it; and `init`, which writes the first file.
//!
//! In: root, for a mount namespace with an `/etc` of its own. Nothing is written to the machine's.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not in a #[test] function")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use insta::assert_snapshot;
use sysctl_advisor::config::declared;

const PROGRAM: &str = env!("CARGO_BIN_EXE_sysctl-advisor");
const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/quiet.json");

/// Runs a shell script with an empty `/etc`, our folders in it, and `$p` for the program.
fn with_etc(script: &str) -> Output {
    assert!(nix::unistd::geteuid().is_root(), "\n\nTHIS TEST NEEDS ROOT: it mounts an /etc of its own.\n\n");
    let set_up = format!(
        "mount -t tmpfs -o mode=755 tmpfs /etc; mkdir -p /etc/sysctl-advisor/config.d; cd /etc/sysctl-advisor\n\
         p={PROGRAM}; s={SNAPSHOT}\n{script}"
    );
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "--propagation", "private", "sh", "-euc", &set_up]);
    shell.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").output().unwrap()
}

fn said(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{err}exit code {}", output.status.code().unwrap_or(-1))
}

const TWO_FILES: &str = r#"
printf '[audit]\nwindow = "1s"\nfail_on = "critical"\n[rules]\ndisable = ["close-wait-leak"]\n' > sysctl-advisor.toml
printf '# Site.\n[audit]\nfail_on = "warning"\n' > config.d/50-site.toml
printf '[audit]\nfail_on = "notice"\n[params.close-wait-leak]\nsockets = 7\n' > config.d/60-host.toml
printf 'this is no TOML' > config.d/60-host.toml~
printf 'nor is this' > config.d/.60-host.toml.swp
"#;

/// The lines without those of options that have their default; what the defaults are is another test.
fn set(shown: &str) -> String {
    shown.lines().filter(|line| !line.ends_with("# default")).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_value_is_shown_with_the_place_that_it_is_from() {
    let shown = with_etc(&format!("{TWO_FILES} SYSCTL_ADVISOR_WINDOW=9s SYSCTL_ADVISOR_WAIVERS= $p config show"));
    assert_snapshot!(set(&said(&shown)), @r#"
    # These sources were read. Each one overrides the previous ones:
    #   /etc/sysctl-advisor/sysctl-advisor.toml
    #   /etc/sysctl-advisor/config.d/50-site.toml
    #   /etc/sysctl-advisor/config.d/60-host.toml
    #   $SYSCTL_ADVISOR_WINDOW

    [audit]
    window = "9s"                             # $SYSCTL_ADVISOR_WINDOW
    fail_on = "notice"                        # /etc/sysctl-advisor/config.d/60-host.toml:2

    [rules]
    disable = ["close-wait-leak"]             # /etc/sysctl-advisor/sysctl-advisor.toml:5

    [apply]

    [agent]

    [params.close-wait-leak]
    sockets = 7                               # /etc/sysctl-advisor/config.d/60-host.toml:4
    exit code 0
    "#);
}

#[test]
fn without_files_all_is_default() {
    let shown = said(&with_etc("$p config show"));
    let first = "# No configuration file and no environment variable was found: each option has its default value.\n";
    assert!(shown.starts_with(first) && shown.ends_with("exit code 0"), "{shown}");
    for option in declared() {
        let line = format!("#{} = {} ", option.name, option.default);
        assert!(shown.lines().any(|shown| shown.starts_with(&line) && shown.ends_with("# default")), "{line}");
    }
    let lines = shown.lines().filter(|line| line.ends_with("# default")).count();
    assert_eq!(lines, declared().count(), "{shown}");
}

#[test]
fn an_error_in_a_drop_in_is_underlined_in_that_file() {
    let wrong =
        with_etc(&format!("{TWO_FILES} printf '[audit]\\nwindw = \"1s\"\\n' > config.d/70-x.toml; $p config show"));
    assert_snapshot!(said(&wrong), @r#"
    error: unknown field `windw`
     --> /etc/sysctl-advisor/config.d/70-x.toml:2:1
      |
    2 | windw = "1s"
      | ^^^^^
      |
      = help: did you mean `window`?
    exit code 2
    "#);
    let wrong = with_etc(&format!(
        "{TWO_FILES} printf '[rules]\\ndisable = [\"nope\"]\\n' > config.d/70-x.toml; $p config show"
    ));
    assert_snapshot!(said(&wrong), @r#"
    error: there is no rule `nope`
     --> /etc/sysctl-advisor/config.d/70-x.toml:2:12
      |
    2 | disable = ["nope"]
      |            ^^^^^^
    exit code 2
    "#);
    let wrong = with_etc(&format!("{TWO_FILES} ln -s nowhere config.d/70-x.toml; $p config show"));
    assert_snapshot!(said(&wrong), @"
    error: /etc/sysctl-advisor/config.d/70-x.toml: cannot read this configuration file: No such file or directory
    exit code 2
    ");
}

#[test]
fn a_named_file_is_read_alone() {
    let shown = with_etc(&format!(
        "{TWO_FILES} printf '[audit]\\n' > /etc/other.toml; $p --config /etc/other.toml config show"
    ));
    assert!(
        said(&shown)
            .starts_with("# These sources were read. Each one overrides the previous ones:\n#   /etc/other.toml\n\n"),
        "{}",
        said(&shown)
    );
    assert!(said(&shown).contains("#window = "), "{}", said(&shown));
}

#[test]
fn what_is_typed_counts_more_than_the_environment_and_that_more_than_the_files() {
    // Two findings, the worst of them critical.
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/does-not-accept.json");
    let code = |run: &str| with_etc(&format!("{TWO_FILES} {run} >/dev/null")).status.code();
    assert_eq!(code(&format!("$p audit --snapshot {file}")), Some(10));
    assert_eq!(code(&format!("SYSCTL_ADVISOR_FAIL_ON=never $p audit --snapshot {file}")), Some(0));
    assert_eq!(code(&format!("SYSCTL_ADVISOR_FAIL_ON=never $p audit --snapshot {file} --fail-on warning")), Some(10));
    assert_eq!(code(&format!("SYSCTL_ADVISOR_FAIL_ON= $p audit --snapshot {file}")), Some(10), "empty is not set");
    assert_eq!(code(&format!("SYSCTL_ADVISOR_WINDOW=5s $p audit --snapshot {file} --fail-on never")), Some(0));
    assert_eq!(code("SYSCTL_ADVISOR_CONFIG= $p config show"), Some(0), "the default files are read");
}

#[test]
fn an_error_in_a_variable_names_the_variable() {
    assert_snapshot!(said(&with_etc("SYSCTL_ADVISOR_FAIL_ON=bad $p audit --snapshot $s")), @"
    error: expected notice, warning, critical or never
     --> $SYSCTL_ADVISOR_FAIL_ON:1:1
      |
    1 | bad
      | ^^^
    exit code 2
    ");
    assert_snapshot!(said(&with_etc("SYSCTL_ADVISOR_RULES=/etc:/nonexistent $p rules list")), @"
    error: rules folder /nonexistent: No such file or directory
    exit code 2
    ");
    assert_snapshot!(said(&with_etc("SYSCTL_ADVISOR_WAIVERS=$(printf '\\377') $p audit --snapshot $s")), @"
    error: $SYSCTL_ADVISOR_WAIVERS: the value is not UTF-8 text
    exit code 2
    ");
}

#[test]
fn apply_trusts_no_configuration_that_others_could_have_written() {
    for (spoil, told) in [
        ("chmod 777 config.d", "/etc/sysctl-advisor/config.d: others may write to it (mode 777)"),
        ("chmod 777 .", "/etc/sysctl-advisor: others may write to it (mode 777)"),
        ("chown 65534 config.d/50-site.toml", "50-site.toml: it belongs to user 65534"),
        ("chmod o+w config.d/60-host.toml", "60-host.toml: others may write to it"),
        ("chmod g+w sysctl-advisor.toml", "sysctl-advisor.toml: others may write to it"),
        ("mv config.d real; ln -s real config.d", "config.d: this is a symbolic link"),
        ("ln -s /etc/elsewhere config.d/10-a.toml; : > /etc/elsewhere", "10-a.toml: this is a symbolic link"),
    ] {
        let refused = with_etc(&format!("{TWO_FILES} {spoil}\n $p apply /etc/plan.json --yes"));
        let text = said(&refused);
        assert!(text.contains(told) && text.ends_with("exit code 2"), "{spoil}: {text}");
        let audit = with_etc(&format!("{TWO_FILES} {spoil}\n $p audit --snapshot $s"));
        assert!(audit.status.success(), "an audit reads it all the same: {}", said(&audit));
    }
    let good = with_etc(&format!("{TWO_FILES} $p apply /etc/plan.json --yes"));
    assert!(said(&good).contains("/etc/plan.json: No such file"), "{}", said(&good));
}

#[test]
fn init_writes_a_file_that_changes_nothing() {
    let made = with_etc(
        "rm -r /etc/sysctl-advisor; umask 077; $p init; stat -c '%a %n' /etc/sysctl-advisor/*; $p config show | grep -v '^#' | grep . | grep -v '^\\['",
    );
    let text = said(&made);
    assert!(text.starts_with("Wrote /etc/sysctl-advisor/sysctl-advisor.toml."), "{text}");
    assert!(text.contains("644 /etc/sysctl-advisor/sysctl-advisor.toml\n") && text.ends_with("exit code 1"), "{text}");
}

#[test]
fn init_keeps_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/er/c.toml");
    let init = |more: &[&str]| {
        let output = Command::new(PROGRAM).args(["init", "-o"]).arg(&file).args(more).output().unwrap();
        said(&output).replace(folder.path().to_str().unwrap(), "DIR")
    };
    assert!(init(&[]).ends_with("exit code 0"));
    std::fs::write(&file, "# mine\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_snapshot!(init(&[]), @"
    error: cannot write DIR/deep/er/c.toml: it exists already and was not changed; --force replaces it and keeps a copy
    exit code 2
    ");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "# mine\n");
    assert_snapshot!(init(&["--force"]), @"
    The previous file is now DIR/deep/er/c.toml.bak.
    Wrote DIR/deep/er/c.toml. All options are commented out. To set an option, delete the # in front of it.
    `sysctl-advisor config show` prints the effective value of each option and its source.
    exit code 0
    ");
    let read = |name: &str| std::fs::read_to_string(folder.path().join("deep/er").join(name)).unwrap();
    assert_eq!(read("c.toml.bak"), "# mine\n");
    assert!(read("c.toml").contains("[audit]"));
    assert!(init(&["--force"]).contains("c.toml.bak.1"), "an older copy is kept too");
    assert_eq!(read("c.toml.bak"), "# mine\n");
    let names = std::fs::read_dir(folder.path().join("deep/er")).unwrap().count();
    assert_eq!(names, 3, "nothing temporary is left");
}

#[test]
fn init_writes_through_no_link_and_into_no_device() {
    let folder = tempfile::tempdir().unwrap();
    let (link, target) = (folder.path().join("link"), folder.path().join("target"));
    std::os::unix::fs::symlink(&target, &link).unwrap();
    for path in [link.as_path(), folder.path(), Path::new("/dev/null")] {
        for force in [&["--force"][..], &[]] {
            let output = Command::new(PROGRAM).args(["init", "-o"]).arg(path).args(force).output().unwrap();
            assert!(said(&output).ends_with("exit code 2"), "{}", said(&output));
        }
    }
    assert!(!target.exists());
}

#[test]
fn init_prints_the_file_that_it_would_write() {
    let printed = Command::new(PROGRAM).args(["init", "-o", "-"]).output().unwrap();
    assert_eq!(printed.stdout, include_bytes!("../../config/sysctl-advisor.toml"));
}
