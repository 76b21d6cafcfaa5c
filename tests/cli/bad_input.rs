//! Bad input of every kind: a clear error that names the place, exit code 2, never a panic, never a hang.

use insta::assert_snapshot;

use super::{RULE, Run, command, data, finish, run, scratch, spoilt, without};

/// An audit with this text as a rule of the administrator's: what it says on standard error.
fn with_rule(text: impl AsRef<[u8]>) -> String {
    let (folder, _) = scratch("mine.toml", text);
    let run = run(&["audit", "--full", "--snapshot", &data("quiet.json"), "--rules", folder.path().to_str().unwrap()]);
    assert_eq!(run.code, 2, "{run:?}");
    // The rest of the audit ran, and says that something is missing from it.
    assert!(run.out.contains("Rule files that could not be loaded"), "{}", run.out);
    assert!(run.out.contains("from N rules; 1 rule file broken."), "{}", run.out);
    without(&folder, &run.err)
}

fn with_config(text: impl AsRef<[u8]>) -> String {
    let (folder, file) = scratch("c.toml", text);
    let run = run(&["audit", "--snapshot", &data("quiet.json"), "--config", file.to_str().unwrap()]);
    assert_eq!((run.code, run.out.as_str()), (2, ""), "{run:?}");
    without(&folder, &run.err)
}

fn with_snapshot(text: impl AsRef<[u8]>) -> Run {
    let (folder, file) = scratch("s.json", text);
    let mut run = run(&["audit", "-q", "--snapshot", file.to_str().unwrap()]);
    run.err = without(&folder, &run.err);
    run
}

fn refused_snapshot(text: impl AsRef<[u8]>) -> String {
    let run = with_snapshot(text);
    assert_eq!((run.code, run.out.as_str()), (2, ""), "{run:?}");
    run.err
}

fn queue() -> String {
    std::fs::read_to_string(data("accept-queue.json")).unwrap()
}

/// The snapshot with one piece replaced, which must be there.
fn changed(old: &str, new: &str) -> String {
    let text = queue();
    assert!(text.contains(old), "{old}");
    text.replace(old, new)
}

#[test]
fn the_rule_that_is_spoilt_here_is_good() {
    let (folder, _) = scratch("mine.toml", RULE);
    let run = run(&["audit", "--full", "--snapshot", &data("quiet.json"), "--rules", folder.path().to_str().unwrap()]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out.contains("from N+1 rules."), "{}", run.out);
}

#[test]
fn the_shape_of_a_rule_file_is_checked() {
    assert_snapshot!(with_rule(spoilt("\"notice\"", "\"notice")), @r#"
    error: invalid basic string, expected `"`
     --> DIR/mine.toml:3:19
      |
    3 | severity = "notice
      |                   ^
    "#);
    assert_snapshot!(with_rule(spoilt("severity", "severty")), @r#"
    error: unknown field `severty`
     --> DIR/mine.toml:3:1
      |
    3 | severty = "notice"
      | ^^^^^^^
      |
      = help: did you mean `severity`?
    "#);
    assert_snapshot!(with_rule(spoilt("\"notice\"", "3")), @"
    error: expected a word in quotes here
     --> DIR/mine.toml:3:12
      |
    3 | severity = 3
      |            ^
    ");
    assert_snapshot!(with_rule(spoilt("\"notice\"", "\"fatal\"")), @r#"
    error: unknown word `fatal`
     --> DIR/mine.toml:3:12
      |
    3 | severity = "fatal"
      |            ^^^^^^^
      |
      = help: expected one of: notice, warning, critical
    "#);
    assert_snapshot!(with_rule(spoilt("[\"RFC 9293\"]", "9293")), @"
    error: invalid type: integer `9293`, expected a sequence
     --> DIR/mine.toml:7:14
      |
    7 | references = 9293
      |              ^^^^
    ");
}

#[test]
fn the_expressions_of_a_rule_are_checked() {
    assert_snapshot!(with_rule(spoilt("tcp.time_wait > params.limit", "tcp.time_wate > 5")), @"
    error: there is no metric `tcp.time_wate`
     --> DIR/mine.toml:5:9
      |
    5 | when = 'tcp.time_wate > 5'
      |         ^^^^^^^^^^^^^
      |
      = help: did you mean `tcp.time_wait`?
    ");
    assert_snapshot!(with_rule(spoilt("tcp.time_wait > params.limit", "tcp.time_wait + 1.5 > 2.0")), @"
    error: int and double cannot be mixed in arithmetic
     --> DIR/mine.toml:5:9
      |
    5 | when = 'tcp.time_wait + 1.5 > 2.0'
      |         ^^^^^^^^^^^^^^^^^^^
      |
      = help: write double(x) around the int, or a literal such as 2.0
    ");
    assert_snapshot!(with_rule(spoilt("tcp.time_wait > params.limit", "tcp.time_wait")), @"
    error: expected bool, but this is of type int
     --> DIR/mine.toml:5:9
      |
    5 | when = 'tcp.time_wait'
      |         ^^^^^^^^^^^^^
    ");
    assert_snapshot!(with_rule(spoilt("tcp.time_wait > params.limit", "tcp.time_wait > > 2")), @"
    error: `>` is not understood here
     --> DIR/mine.toml:5:25
      |
    5 | when = 'tcp.time_wait > > 2'
      |                         ^
    ");
    assert_snapshot!(with_rule(spoilt("tcp.time_wait > params.limit", "tcp.time_wait > params.limt")), @"
    error: there is no metric `params.limt`
     --> DIR/mine.toml:5:25
      |
    5 | when = 'tcp.time_wait > params.limt'
      |                         ^^^^^^^^^^^
      |
      = help: did you mean `params.limit`?
    ");
    let machine = "tcp.time_wait > default(\"net.core.rmem_max\")";
    assert_snapshot!(with_rule(spoilt("tcp.time_wait > params.limit", machine)), @r#"
    error: default() expects a key of the catalogue that each network namespace has for itself, but this is `net.core.rmem_max`
     --> DIR/mine.toml:5:33
      |
    5 | when = 'tcp.time_wait > default("net.core.rmem_max")'
      |                                 ^^^^^^^^^^^^^^^^^^^
      |
      = help: `net.core.rmem_max` belongs to the whole machine, and no new namespace shows its default
    "#);
    assert_snapshot!(with_rule(spoilt("tcp.time_wait > params.limit", "listener.queue > 1")), @r#"
    error: there is no metric `listener.queue`
     --> DIR/mine.toml:5:9
      |
    5 | when = 'listener.queue > 1'
      |         ^^^^^^^^^^^^^^
      |
      = help: `listener.queue` can be used only in a rule with for_each = "listener"
    "#);
}

#[test]
fn an_expression_without_end_is_refused() {
    let deep = [
        "(".repeat(2000) + "true" + &")".repeat(2000),
        "!".repeat(4001) + "true",
        "-".repeat(4001) + "1 > 0",
        "[".repeat(2000) + "1" + &"]".repeat(2000),
        "true?".repeat(340) + "true" + &":false".repeat(340),
        "1".to_owned() + &"+1".repeat(2000) + " > 0",
        "true".to_owned() + &"&&true".repeat(600),
        "{".repeat(2000),
        "(".repeat(500_000),
    ];
    for when in deep {
        let said = with_rule(spoilt("tcp.time_wait > params.limit", &when));
        let known = ["nested deeper than", "bytes; the limit is", "`{` is not understood here"];
        assert!(known.iter().any(|known| said.contains(known)), "{said}");
        assert!(said.contains("DIR/mine.toml:5:"), "{said}");
    }
    assert!(with_rule("a = ".to_owned() + &"[".repeat(10_000)).contains("DIR/mine.toml:1:"));
}

#[test]
fn recommendations_are_checked_against_the_catalogue() {
    assert_snapshot!(with_rule(spoilt("net.ipv4.tcp_max_tw_buckets\"", "net.ipv4.tcp_max_tw_bucket\"")), @r#"
    error: there is no key `net.ipv4.tcp_max_tw_bucket` in the catalogue
      --> DIR/mine.toml:17:7
       |
    17 | key = "net.ipv4.tcp_max_tw_bucket"
       |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean `net.ipv4.tcp_max_tw_buckets`?
    "#);
    let syncookies = spoilt("\"net.ipv4.tcp_max_tw_buckets\"", "\"net.ipv4.tcp_syncookies\"");
    let value = "'max(net.ipv4.tcp_max_tw_buckets, 200000)'";
    assert!(syncookies.contains(value));
    assert_snapshot!(with_rule(syncookies.replace(value, "'300'")), @"
    error: `net.ipv4.tcp_syncookies` cannot have this value: the kernel accepts 0 to 255, not 300
      --> DIR/mine.toml:18:9
       |
    18 | value = '300'
       |         ^^^^^
    ");
    assert_snapshot!(with_rule(syncookies.replace(value, "'\"on\"'")), @r#"
    error: expected int, but this is of type string
      --> DIR/mine.toml:18:10
       |
    18 | value = '"on"'
       |          ^^^^
    "#);
}

#[test]
fn a_bound_has_to_suit_the_values_of_the_key() {
    assert_snapshot!(with_rule(spoilt("bound = \"at_least\"", "bound = \"widen\"")), @r#"
    error: this bound does not suit the values of `net.ipv4.tcp_max_tw_buckets`: expected `at_least`, `at_most` or `exactly`
      --> DIR/mine.toml:19:9
       |
    19 | bound = "widen"
       |         ^^^^^^^
    "#);
}

/// The rule of these tests with levels in place of its own severity, title and condition.
fn leveled(levels: &str) -> String {
    let head = RULE.find("title = ").unwrap()..RULE.find("kind = ").unwrap();
    let mut text = RULE.replace("when = 'tcp.time_wait > params.limit'\n", "");
    text.replace_range(head, "");
    text.replace("[params.limit]", &format!("{levels}\n[params.limit]"))
}

const MANY: &str = r#"[[level]]
name = "many"
severity = "warning"
title = "many"
when = 'tcp.time_wait > params.limit'
"#;

#[test]
fn levels_are_named_tested_and_ordered_the_worst_first() {
    let good = leveled(MANY).replace("expect = \"fires\"", "expect = \"fires\"\nlevel = \"many\"");
    let (folder, _) = scratch("mine.toml", &good);
    let tested = run(&["rules", "test", folder.path().to_str().unwrap()]);
    assert_eq!((tested.code, tested.err.as_str()), (0, ""), "{good}");

    let worse_last = MANY.to_owned() + &MANY.replace("many", "worse").replace("warning", "critical");
    let same_name = MANY.to_owned() + MANY;
    for (text, wrong) in [
        (leveled(MANY), "the level `many` must have a [[test]] in which it fires"),
        (leveled(MANY), "this test must name the level that it expects to fire"),
        (good.replace("level = \"many\"", "level = \"few\""), "this rule has no level `few`"),
        (
            good.replace("expect = \"quiet\"", "expect = \"quiet\"\nlevel = \"many\""),
            "`level` is allowed only in a test with expect =",
        ),
        (good.replace("kind = ", "severity = \"notice\"\nkind = "), "`severity` is not allowed here"),
        (good.replace("kind = ", "title = \"t\"\nkind = "), "`title` is not allowed here"),
        (good.replace("name = \"many\"", "name = \"Many\""), "`Many` is not a name of a level"),
        (leveled(&worse_last), "this level is more severe than the one before it"),
        (leveled(&same_name), "there is a level `many` already"),
    ] {
        let said = with_rule(&text);
        assert!(said.contains(wrong) && said.contains("DIR/mine.toml:"), "{wrong}: {said}\n{text}");
    }
}

#[test]
fn a_summary_is_one_short_line_without_values() {
    let summary = "many sockets are in TIME_WAIT";
    for (text, wrong) in [
        ("".to_owned(), "`summary` is empty"),
        ("x".repeat(81), "at most 80 characters"),
        ("{tcp.time_wait} sockets".to_owned(), "must be one line without { and }"),
        ("Many sockets.".to_owned(), "must not end with a full stop"),
    ] {
        let said = with_rule(spoilt(summary, &text));
        assert!(said.contains(wrong) && said.contains("DIR/mine.toml:1:11"), "{said}");
    }
}

#[test]
fn a_rule_must_be_documented_and_tested() {
    let (without_tests, _) = RULE.split_once("[[test]]").unwrap();
    assert_snapshot!(with_rule(without_tests), @r#"
    error: a rule must have a [[test]] in which it fires
     --> DIR/mine.toml:1:11
      |
    1 | summary = "many sockets are in TIME_WAIT"
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: a rule must have a [[test]] in which it is quiet
     --> DIR/mine.toml:1:11
      |
    1 | summary = "many sockets are in TIME_WAIT"
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(with_rule(spoilt("explain = ", "# ")), @r#"
    error: missing field `explain`
     --> DIR/mine.toml:1:1
      |
    1 | summary = "many sockets are in TIME_WAIT"
      | ^
    "#);
    assert_snapshot!(with_rule(spoilt("long enough to count as an explanation of itself", "short")), @r#"
    error: `explain` must have at least one full sentence
     --> DIR/mine.toml:6:11
      |
    6 | explain = "A rule for tests, short."
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(with_rule(spoilt("[\"RFC 9293\"]", "[]")), @"
    error: a rule must have at least one source in `references`
     --> DIR/mine.toml:7:14
      |
    7 | references = []
      |              ^^
    ");
    assert_snapshot!(with_rule(spoilt("given.\"tcp.time_wait\"", "given.\"tcp.time_wate\"")), @r#"
    error: `given` names `tcp.time_wate`, which does not exist; did you mean `tcp.time_wait`?
      --> DIR/mine.toml:25:1
       |
    25 | given."tcp.time_wate" = 1001
       | ^^^^^
    "#);
}

#[test]
fn a_file_that_is_no_text_is_named() {
    assert_snapshot!(with_rule([RULE.as_bytes(), b"\xff\xfe"].concat()), @"error: DIR/mine.toml: this is not UTF-8 in line 32 (byte 644)");
    assert_snapshot!(with_rule(vec![b'#'; 50 << 20]), @"error: DIR/mine.toml: this file is larger than 1 MiB, the limit for rules and configuration files");
}

#[test]
fn a_folder_a_pipe_or_a_loose_link_in_place_of_a_rule_does_not_stop_the_audit() {
    let (folder, file) = scratch("z.toml", RULE);
    let at = |name: &str| file.with_file_name(name);
    std::fs::create_dir(at("a.toml")).unwrap();
    nix::unistd::mkfifo(&at("b.toml"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    std::os::unix::fs::symlink("/nonexistent", at("c.toml")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", at("d.toml")).unwrap();
    std::os::unix::fs::symlink(".", at("loop")).unwrap();
    let run = run(&["audit", "-q", "--snapshot", &data("quiet.json"), "--rules", folder.path().to_str().unwrap()]);
    assert_eq!(run.code, 2);
    assert_snapshot!(without(&folder, &run.err), @r"
    error: DIR/a.toml: this is a folder, not a file

    error: DIR/b.toml: this is not a regular file

    error: DIR/c.toml: No such file or directory

    error: DIR/d.toml: this file is larger than 1 MiB, the limit for rules and configuration files
    ");
    assert!(run.out.contains("N+1 rules"), "{}", run.out);
}

#[test]
fn one_broken_rule_among_good_ones_takes_only_itself_away() {
    let (folder, file) = scratch("broken.toml", "x");
    std::fs::write(file.with_file_name("good.toml"), spoilt("> params.limit", ">= 0")).unwrap();
    let run = run(&["audit", "--full", "--snapshot", &data("quiet.json"), "--rules", folder.path().to_str().unwrap()]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("broken.toml:1:"), "{}", run.err);
    assert!(run.out.contains("NOTICE    0 sockets in TIME_WAIT"), "{}", run.out);
    assert!(run.out.contains("broken.toml:1:"), "{}", run.out);
    assert!(run.out.contains("1 notice from N+1 rules; 1 rule file broken."), "{}", run.out);
}

#[test]
fn the_later_folder_replaces_a_rule_of_the_same_id() {
    let (first, _) = scratch("mine.toml", spoilt("> params.limit", ">= 0"));
    let (second, _) = scratch("mine.toml", RULE);
    let folders = [first.path().to_str().unwrap(), second.path().to_str().unwrap()];
    let audit = |order: [&str; 2]| {
        run(&["audit", "-q", "--snapshot", &data("quiet.json"), "--rules", order[0], "--rules", order[1]])
    };
    let (one, other) = (audit(folders), audit([folders[1], folders[0]]));
    assert_eq!((one.code, other.code), (0, 0));
    assert!(one.out.contains("No findings from N+1 rules"), "{}", one.out);
    assert!(other.out.contains("NOTICE"), "{}", other.out);
}

#[test]
fn a_division_by_zero_skips_the_rule_with_the_reason() {
    let (folder, _) = scratch("mine.toml", spoilt("tcp.time_wait > params.limit", "10 / tcp.syn_sent > 1"));
    let run = run(&["audit", "--full", "--snapshot", &data("quiet.json"), "--rules", folder.path().to_str().unwrap()]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_snapshot!(run.out, @r"
    sysctl-advisor on web-1 at 2026-01-01T00:00:00Z
    Linux 6.12.0, 4 CPUs, 16.0 GiB, up 1 d, counters over 3 s

    No findings from N+1 rules on the sockets, counters and sysctls here; 1 check
    skipped.

    TCP sockets of this network namespace: 0 (read through sock_diag)

    Not checked
      this network namespace: division by zero in `10 / tcp.syn_sent > 1`
          mine

    0 critical, 0 warnings, 0 notices from N+1 rules; 1 check skipped.
    ");
}

#[test]
fn the_configuration_is_checked() {
    assert_snapshot!(with_config("[audit]\nwindw = \"2s\"\n"), @r#"
    error: unknown field `windw`
     --> DIR/c.toml:2:1
      |
    2 | windw = "2s"
      | ^^^^^
      |
      = help: did you mean `window`?
    "#);
    assert_snapshot!(with_config("[audit]\nwindow = 2\n"), @r"
    error: invalid type: integer `2`, expected a string
     --> DIR/c.toml:2:10
      |
    2 | window = 2
      |          ^
    ");
    assert_snapshot!(with_config("[audit]\nwindow = \"2 parsecs\"\n"), @r#"
    error: `2 parsecs` is not a duration; write a number and a unit, such as 500ms, 2s, 10m, 1h or 1d (no unit: seconds)
     --> DIR/c.toml:2:10
      |
    2 | window = "2 parsecs"
      |          ^^^^^^^^^^^
    "#);
    assert_snapshot!(with_config("[audit]\nfail_on = \"bad\"\n"), @r#"
    error: expected notice, warning, critical or never
     --> DIR/c.toml:2:11
      |
    2 | fail_on = "bad"
      |           ^^^^^
    "#);
    assert_snapshot!(with_config("[rules]\ndisable = [\"close-wait-leek\"]\n"), @r#"
    error: there is no rule `close-wait-leek`; did you mean `close-wait-leak`?
     --> DIR/c.toml:2:12
      |
    2 | disable = ["close-wait-leek"]
      |            ^^^^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(with_config("[params.close-wait-leek]\nsockets = 1\n"), @r"
    error: there is no rule `close-wait-leek`; did you mean `close-wait-leak`?
     --> DIR/c.toml:1:9
      |
    1 | [params.close-wait-leek]
      |         ^^^^^^^^^^^^^^^
    ");
    assert_snapshot!(with_config("[params.close-wait-leak]\nsocketz = 1\n"), @r"
    error: rule `close-wait-leak` has no parameter `socketz`; did you mean `sockets`?
     --> DIR/c.toml:2:1
      |
    2 | socketz = 1
      | ^^^^^^^
    ");
    assert_snapshot!(with_config("[params.close-wait-leak]\nsockets = \"many\"\n"), @r#"
    error: `close-wait-leak.sockets` must be of type int, but `many` is not
     --> DIR/c.toml:2:11
      |
    2 | sockets = "many"
      |           ^^^^^^
    "#);
    assert_snapshot!(with_config("[rules]\nfolders = [\"/nonexistent\"]\n"), @"error: rules folder /nonexistent: No such file or directory");
    assert_snapshot!(with_config("a = [\n"), @r"
    error: unclosed array, expected `]`
     --> DIR/c.toml:1:6
      |
    1 | a = [
      |      ^
    ");
    assert_snapshot!(with_config(b"[audit]\n\xff"), @"error: DIR/c.toml: cannot read this configuration file: this is not UTF-8 in line 2 (byte 8)");
}

#[test]
fn a_configuration_that_cannot_be_read_is_no_trap() {
    let (folder, file) = scratch("c.toml", "");
    let pipe = file.with_file_name("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for path in ["/nonexistent", "/dev/zero", "/", pipe.to_str().unwrap()] {
        let run = run(&["rules", "list", "--config", path]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{run:?}");
        assert!(run.err.starts_with(&format!("error: {path}: cannot read this configuration file: ")), "{run:?}");
    }
    drop(folder);
}

#[test]
fn parameters_of_the_command_line_are_checked() {
    let said = |param: &str| {
        let run = run(&["audit", "--snapshot", &data("quiet.json"), "--param", param]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{run:?}");
        run.err
    };
    assert_snapshot!(said("nonsense"), @"error: --param nonsense: expected RULE.NAME=VALUE");
    assert_snapshot!(said("a=b"), @"error: --param a=b: expected RULE.NAME=VALUE");
    assert_snapshot!(said("close-wait-leek.sockets=5"), @"error: --param close-wait-leek.sockets=5: there is no rule `close-wait-leek`; did you mean `close-wait-leak`?");
    assert_snapshot!(said("close-wait-leak.sockets=many"), @"error: --param close-wait-leak.sockets=many: `close-wait-leak.sockets` must be of type int, but `many` is not");
    assert_snapshot!(said("close-wait-leak.sockets=1.5"), @"error: --param close-wait-leak.sockets=1.5: `close-wait-leak.sockets` must be of type int, but `1.5` is not");
    assert_snapshot!(said("=.="), @"error: --param =.=: expected RULE.NAME=VALUE");
}

#[test]
fn a_window_must_be_a_sane_duration() {
    for window in ["nonsense", "-1s", "1e9s", "99999999999999999999s", "2h", "", "NaN", "inf", "2 s s", "∞"] {
        let run = run(&["audit", &format!("--window={window}")]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{run:?}");
        assert!(run.err.contains("--window <DURATION>"), "{run:?}");
    }
}

#[test]
fn a_file_that_is_no_snapshot_is_refused_with_the_place() {
    assert_snapshot!(refused_snapshot(queue().get(..2000).unwrap()), @"
    error: DIR/s.json:104:0: this is not a snapshot, or the file is damaged: EOF while parsing an object
    ");
    assert_snapshot!(refused_snapshot(""), @"error: DIR/s.json: this file is empty");
    assert_snapshot!(refused_snapshot("{}"), @"error: DIR/s.json:1:2: this is not a snapshot, or the file is damaged: missing field `schema`");
    assert_snapshot!(refused_snapshot(changed("snapshot/1", "snapshot/2")), @"error: DIR/s.json: a newer version of sysctl-advisor wrote this file (sysctl-advisor/snapshot/2); this version reads sysctl-advisor/snapshot/1");
    assert_snapshot!(refused_snapshot(changed("snapshot/1", "report/1")), @"error: DIR/s.json: this is `sysctl-advisor/report/1`, not a snapshot (sysctl-advisor/snapshot/1)");
    assert_snapshot!(refused_snapshot(vec![b' '; (64 << 20) + 1]), @"error: DIR/s.json: this file is larger than 64 MiB, the limit for a snapshot");
    assert_snapshot!(refused_snapshot(b"\xff\xfe"), @"error: DIR/s.json:1:1: this is not a snapshot, or the file is damaged: expected value");
    assert_snapshot!(run(&["audit", "--snapshot", "/nonexistent"]).err, @"error: /nonexistent: No such file or directory");
    assert_snapshot!(run(&["audit", "--snapshot", "/"]).err, @"error: /: is a directory");
}

#[test]
fn impossible_numbers_in_a_snapshot_are_refused() {
    assert_snapshot!(refused_snapshot(changed("\"seconds\": 3.0", "\"seconds\": NaN")), @"error: DIR/s.json:16:14: this is not a snapshot, or the file is damaged: expected value");
    assert_snapshot!(refused_snapshot(changed("\"seconds\": 3.0", "\"seconds\": 1e999")), @"error: DIR/s.json:16:18: this is not a snapshot, or the file is damaged: number out of range");
    assert_snapshot!(refused_snapshot(changed("\"seconds\": 3.0", "\"seconds\": -5")), @"error: DIR/s.json: the length of its window is negative or not finite");
    assert_snapshot!(refused_snapshot(changed("\"seconds\": 3.0", "\"seconds\": 1e300")), @"error: DIR/s.json: the length of its window is negative or not finite");
    assert_snapshot!(refused_snapshot(changed("\"close_wait\": 120", "\"close_wait\": -1")), @"error: DIR/s.json:36:21: this is not a snapshot, or the file is damaged: invalid value: integer `-1`, expected u64");
    assert_snapshot!(refused_snapshot(changed("\"port\": 9001", "\"port\": 70000")), @"
    error: DIR/s.json:97:19: this is not a snapshot, or the file is damaged: invalid value: integer `70000`, expected u16
    ");
}

#[test]
fn absurd_numbers_in_a_snapshot_are_survived() {
    for (old, new) in [
        ("\"seconds\": 3.0", "\"seconds\": 1e-320"),
        ("\"seconds\": 3.0", "\"seconds\": 0"),
        ("\"close_wait\": 120", "\"close_wait\": 18446744073709551615"),
        ("\"cpus\": 4", "\"cpus\": 18446744073709551615"),
        ("\"page_bytes\": 4096", "\"page_bytes\": 0"),
        ("\"ListenOverflows\": 18", "\"ListenOverflows\": -9223372036854775808"),
        ("\"ListenOverflows\": 18", "\"ListenOverflows\": 9223372036854775807"),
        ("\"queue\": 5", "\"queue\": 4294967295"),
        ("\"limit\": 4", "\"limit\": 0"),
    ] {
        let run = with_snapshot(changed(old, new));
        assert!(run.code == 0 || (run.code == 2 && run.err.contains("s.json:")), "{new}: {run:?}");
    }
}

#[test]
fn nesting_without_end_is_refused() {
    for text in ["[".repeat(10_000), "{\"a\":".repeat(10_000), format!("{{\"schema\":{}", "[".repeat(10_000))] {
        assert!(refused_snapshot(text).contains("s.json:1:"));
    }
}

#[test]
fn escape_sequences_in_a_snapshot_do_not_reach_the_terminal() {
    let hostile =
        changed("\"web-1\"", r#""a\u001b[31mred\u0007\nb""#).replace("\"backend\"", r#""x\u001b]0;y\u0007\u202e""#);
    let (_folder, file) = scratch("s.json", hostile);
    for options in [&["--color", "never"][..], &["-q"], &["--format", "json"]] {
        let run = run(&[&["audit", "--full", "--snapshot", file.to_str().unwrap()], options].concat());
        assert_eq!(run.code, 0, "{run:?}");
        assert!(!run.out.contains(['\x1b', '\x07', '\u{202e}']) || options.contains(&"json"), "{}", run.out);
        assert!(!run.out.contains(['\x1b', '\x07']), "{}", run.out);
    }
}

#[test]
fn a_missing_default_configuration_is_none_at_all() {
    // The machine that runs the tests has no configuration of its own, or a good one.
    let run = finish(command(super::PROGRAM).args(["rules", "list"]));
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn errors_are_json_for_who_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "[audit]\nwindw = 1\n").unwrap();
    let config = config.to_str().unwrap();
    for (arguments, code, said) in [
        (&["audit", "--snapshot", "/nonexistent"][..], 2, "/nonexistent: "),
        (&["audit", "--config", config], 2, "config.toml:2:1: "),
        (&["rollback", "7", "--yes", "--state-dir", "/nonexistent"], 2, "/nonexistent"),
        (&["-q", "plan", "--only", "nonsense"], 2, "matches no key and no rule"),
    ] {
        let run = run(&[arguments, &["--log-format", "json"]].concat());
        assert_eq!(run.code, code, "{run:?}");
        let lines: Vec<serde_json::Value> = run.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 1, "{run:?}");
        assert_eq!(lines[0]["level"], "ERROR");
        assert!(lines[0]["fields"]["message"].as_str().unwrap().contains(said), "{run:?}");
    }
}

/// Escape sequences in what was typed, in the name of a file and in its text: nothing of them reaches a terminal.
#[test]
fn no_message_has_a_character_that_a_terminal_acts_on() {
    let folder = tempfile::tempdir().unwrap();
    let rule = folder.path().join("a\u{1b}[2J.toml");
    std::fs::write(&rule, "title = \"\u{9b}2J\"\nseverty = 1\n").unwrap();
    let good =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/values/timestamps-off.toml")).unwrap();
    let turned = folder.path().join("turned.toml");
    std::fs::write(&turned, good.replacen("summary = \"", "summary = \"\\u202e", 1)).unwrap();
    let snapshot = folder.path().join("s.json");
    std::fs::write(&snapshot, r#"{"schema":"\u001b]0;pwn\u0007\u009b"}"#).unwrap();
    let [rule, turned, snapshot] = [&rule, &turned, &snapshot].map(|path| path.to_str().unwrap());
    for arguments in [
        &["explain", "x\u{1b}[2J\u{202e}"][..],
        &["rules", "check", rule],
        &["rules", "check", turned],
        &["rules", "test", rule],
        &["audit", "--snapshot", snapshot],
        &["audit", "--snapshot", "\u{1b}[2J"],
        &["plan", "--from", "\u{9b}2J"],
        &["audit", "--config", rule],
    ] {
        let run = run(arguments);
        assert_ne!(run.code, 0, "{arguments:?}");
        let bad = |c: &char| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c);
        let found = run.out.chars().chain(run.err.chars()).find(bad);
        assert_eq!(found, None, "{arguments:?}: {:?}", run.err);
    }
    let refused = run(&["rules", "check", turned]).err;
    assert!(refused.contains("U+202E") && refused.contains("turned.toml:1"), "{refused}");
}
