//! `lint` through the real binary: the files of other tools, reviewed without a host.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::Run;

/// A folder with files, in which the program runs.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn lint(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = super::command(super::PROGRAM);
    super::finish(command.env("SYSCTL_ADVISOR_CONFIG", "/dev/null").current_dir(folder).arg("lint").args(arguments))
}

const VARS: &str = "\
- hosts: web
  vars:
    sysctls:
      net.ipv4.tcp_tw_recycle: 1
      net.core.somaxconn: 65535
      net.ipv4.tcp_rmem: 4096 131072 6291456
      net.ipv4.tcp_syncookies: off
      net.ipv4.tcp_keepalive_tim: 600
      net.ipv4.ip_local_port_range: \"{{ range }}\"
";

const POD: &str = "\
kind: Pod
spec:
  securityContext:
    sysctls:
      - {name: net.core.somaxconn, value: \"1024\"}
      - name: net.core.rmem_max
        value: 16777216
";

#[test]
fn each_remark_has_its_place_and_the_line_is_underlined() {
    let folder = folder(&[("web.yml", VARS), ("pod.yaml", POD)]);
    let run = lint(folder.path(), &["web.yml", "pod.yaml"]);
    assert_eq!((run.code, run.err.as_str()), (10, ""));
    insta::assert_snapshot!(run.out, @r#"
    pod.yaml:5:16
      NOTICE  net.core.somaxconn is not a safe sysctl in Kubernetes 1.37: a pod
              starts only on nodes whose kubelet has it in allowedUnsafeSysctls.
      5 |       - {name: net.core.somaxconn, value: "1024"}
        |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      The kubelet rejects a pod with this key unless its node allows the key
      (allowedUnsafeSysctls).

    pod.yaml:7:16
      WARNING  net.core.rmem_max: Kubernetes wants a text here and rejects the
               manifest. Write "16777216" with quotation marks.
      7 |         value: 16777216
        |                ^^^^^^^^
      The values of securityContext.sysctls are texts. The API server rejects a
      number. Use quotation marks.

    pod.yaml:7:16
      WARNING  net.core.rmem_max belongs to the whole machine: a container with a
               network namespace of its own cannot set it.
      7 |         value: 16777216
        |                ^^^^^^^^
      The key is not part of a network namespace, so the container does not start or
      the value is not set. Set it on the node.

    web.yml:4:7
      WARNING  net.ipv4.tcp_tw_recycle: Linux 4.12 removed the key. The line does
               nothing.
      4 |       net.ipv4.tcp_tw_recycle: 1
        |       ^^^^^^^^^^^^^^^^^^^^^^^^^^
      A file sets a key that this kernel does not have, so the line has no effect.
      Remove the line or correct the name.

    web.yml:7:7
      WARNING  SYN cookies are off, so a full SYN queue refuses real clients.
      7 |       net.ipv4.tcp_syncookies: off
        |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      sysctl-advisor explain syncookies-off

    web.yml:7:7
      WARNING  net.ipv4.tcp_syncookies: YAML reads `off` as a boolean. Some tools
               then write the word `False`, which the kernel rejects. Write "0" with
               quotation marks.
      7 |       net.ipv4.tcp_syncookies: off
        |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      Without quotation marks the word is a boolean, which not every tool turns into
      0 or 1. Write the number with quotation marks.

    web.yml:8:7
      WARNING  No kernel known to this program has the key
               net.ipv4.tcp_keepalive_tim. Did you mean net.ipv4.tcp_keepalive_time?
      8 |       net.ipv4.tcp_keepalive_tim: 600
        |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      No known kernel has the key, so the line has no effect. Correct the name.

    7 values in 2 files, for Linux 6.18; 1 value that a template makes, not
    examined: 6 warnings, 1 notice.
    "#);
}

#[test]
fn quiet_is_a_line_for_each_remark_as_editors_take_it() {
    let folder = folder(&[("web.yml", VARS)]);
    insta::assert_snapshot!(lint(folder.path(), &["-q", "web.yml"]).out, @r#"
    web.yml:4:7: warning: net.ipv4.tcp_tw_recycle: Linux 4.12 removed the key. The line does nothing. [dead]
    web.yml:7:7: warning: SYN cookies are off, so a full SYN queue refuses real clients. [syncookies-off]
    web.yml:7:7: warning: net.ipv4.tcp_syncookies: YAML reads `off` as a boolean. Some tools then write the word `False`, which the kernel rejects. Write "0" with quotation marks. [yaml_boolean]
    web.yml:8:7: warning: No kernel known to this program has the key net.ipv4.tcp_keepalive_tim. Did you mean net.ipv4.tcp_keepalive_time? [unknown_key]
    "#);
}

#[test]
fn the_exit_code_follows_the_worst_remark_and_the_threshold() {
    let folder = folder(&[(
        "pod.yaml",
        "spec:\n  securityContext:\n    sysctls:\n    - {name: net.core.somaxconn, value: '4096'}\n",
    )]);
    let code = |arguments: &[&str]| lint(folder.path(), &[arguments, &["pod.yaml"]].concat()).code;
    assert_eq!(code(&[]), 0, "a notice");
    assert_eq!(code(&["--fail-on", "notice"]), 10);
    assert_eq!(code(&["--fail-on", "critical"]), 0);
    assert_eq!(code(&["--fail-on", "never"]), 0);
    assert_eq!(code(&["--fail-on", "bad"]), 2);
}

#[test]
fn a_file_of_nothing_has_no_remark() {
    let folder = folder(&[("a.yml", "a: [b, {c: d}]\n"), ("b.conf", "# nothing\n")]);
    let run = lint(folder.path(), &["a.yml", "b.conf"]);
    assert_eq!(
        (run.code, run.out.as_str()),
        (0, "0 values in 2 files, for Linux 6.18: nothing to remark.\n"),
        "{}",
        run.err
    );
}

#[test]
fn what_a_kernel_has_depends_on_its_version() {
    let folder = folder(&[("a.conf", "net.ipv4.tcp_tso_rtt_log = 1\n")]);
    let said = |kernel: &str| lint(folder.path(), &["-q", "--kernel", kernel, "a.conf"]).out;
    assert!(
        said("5.15").contains("a.conf:1:1: warning: net.ipv4.tcp_tso_rtt_log has no effect on Linux 5.15"),
        "{}",
        said("5.15")
    );
    assert!(!said("6.12.9-amd64").contains("5.15") && !said("6.12").contains("has no effect"), "{}", said("6.12"));
    assert_eq!(lint(folder.path(), &["--kernel", "new", "a.conf"]).code, 2);
}

#[test]
fn standard_input_is_a_file_too() {
    let mut command = super::command(super::PROGRAM);
    command
        .env("SYSCTL_ADVISOR_CONFIG", "/dev/null")
        .args(["lint", "-q", "-"])
        .write_stdin("{\"net.ipv4.tcp_syncookies\": 0}");
    let run = super::finish(&mut command);
    assert!(run.code == 10 && run.out.starts_with("-:1:2: warning: SYN cookies are off"), "{run:?}");
}

#[test]
fn a_broken_file_is_refused_with_its_place_and_the_others_are_reviewed() {
    let folder =
        folder(&[("bad.yml", "a:\n  - b\n c: d\n"), ("a.sls", "{% if x %}\n"), ("web.yml", VARS), ("c.nix", "{ }")]);
    let run = lint(folder.path(), &["-q", "bad.yml", "web.yml", "a.sls", "c.nix", "missing.yml", "."]);
    assert!(run.code == 2 && run.out.contains("web.yml:4:7: warning"), "{run:?}");
    for part in [
        "--> bad.yml:3:2",
        "this is not YAML",
        "--> a.sls:1:2",
        "render it first",
        "c.nix: a Nix file is a program",
        "missing.yml: No such file",
        ".: ",
    ] {
        assert!(run.err.contains(part), "{part}: {}", run.err);
    }
}

#[test]
fn a_stranger_s_text_stays_text() {
    let folder = folder(&[(
        "a.yml",
        "net.core.somaxconn: \"1\\e[31m\\n2\"\nnet.ipv4.\u{202e}x: \"\\u0000\"\nvm.swappiness: \"`$(id)`\"\n",
    )]);
    for format in [&[][..], &["-q"]] {
        let run = lint(folder.path(), &[format, &["a.yml"]].concat());
        assert!(run.code != 101 && !run.out.contains(['\u{1b}', '\u{202e}', '\0']), "{run:?}");
    }
}
