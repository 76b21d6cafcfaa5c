//! Findings that were accepted: how the report shows them, what they do to the exit code, and mistakes in their file.

use insta::assert_snapshot;
use serde_json::Value as Json;

use super::{Run, data, run, scratch, without};

/// Both findings of `ports.json`, which was taken on 2026-01-01, one of them by its destination.
const BOTH: &str = r#"[[waiver]]
rule = "ephemeral-ports"
namespace = "current"
subject = "127.0.0.1 -> *:9000"
reason = "load test until the release"
who = "maria"
until = "2026-01-01"

[[waiver]]
rule = "port-range-narrow"
reason = "the firewall knows these ports"
who = "kim"
until = "2027-01-31"
"#;

/// The audit of a snapshot with this waivers file; the folder's name replaced.
fn audit(name: &str, waivers: impl AsRef<[u8]>, options: &[&str]) -> Run {
    let (folder, file) = scratch("waivers.toml", waivers);
    let snapshot = data(name);
    let mut run =
        run(&[&["audit", "--full", "--snapshot", &snapshot, "--waivers", file.to_str().unwrap()], options].concat());
    run.out = without(&folder, &run.out);
    run.err = without(&folder, &run.err);
    run
}

/// The text without its line breaks: where they are depends on the length of the scratch folder's name.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn changed(old: &str, new: &str) -> String {
    assert!(BOTH.contains(old), "{old}");
    BOTH.replacen(old, new, 1)
}

fn refused(waivers: impl AsRef<[u8]>) -> String {
    let run = audit("ports.json", waivers, &[]);
    assert_eq!((run.code, run.out.as_str()), (2, ""), "{run:?}");
    run.err
}

#[test]
fn what_is_waived_stands_after_the_others_with_who_and_why() {
    let only_critical = BOTH.split_once("\n\n").unwrap().0;
    let run = audit("ports.json", only_critical, &[]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_snapshot!(run.out, @"
    sysctl-advisor on web-1 at 2026-01-01T00:00:00Z
    Linux 6.12.0, 4 CPUs, 16.0 GiB, up 1 d, counters over 3 s

    NOTICE    ip_local_port_range 40000 40199 has 200 ports, fewer than the default
      evidence  ip_local_port_range    40000 40199 ports
                usable ports                   200 ports
                distinct ports in use          195 ports
      change    net.ipv4.ip_local_port_range  40000 40199 -> 16384 65535
                  Risk medium. At once: the next connect() or bind() to port 0 uses
                  the new range; existing sockets keep their port.
                  Side effects: When a service that uses a port in the new part of
                  the range starts, an outgoing connection may already use its port.
                  If TCP listeners have ports there now, this finding proposes to
                  reserve them. Add those of stopped services, of UDP services and
                  Kubernetes NodePorts (30000-32767) to
                  net.ipv4.ip_local_reserved_ports first. Firewall rules that
                  contain the old source port range must be changed too. UDP uses
                  the same range.
      why       sysctl-advisor explain port-range-narrow

    Waived
      195 of 200 ephemeral ports (98 %) are in use toward 127.0.0.1:9000: new
        connections will soon fail
          critical ephemeral-ports, waived until 2026-01-01 by maria: load test
          until the release

    TCP sockets of this network namespace: 201 (read through sock_diag)
      LISTEN         1  ▏
      ESTABLISHED   10  ██
      TIME_WAIT    190  ████████████████████████████████████████

      TIME_WAIT    This host closed these connections first, 3 a second on the
                   average of the last minute. 190 went to 127.0.0.1:9000. They take
                   some 76.1 KiB of kernel memory. They matter here: 127.0.0.1:9000
                   has 98 % of the ephemeral ports.

    0 critical, 0 warnings, 1 notice, 1 waived from N rules.
    audit --details shows how each number is computed, why it matters, and the
    sources.
    ");
    assert_snapshot!(audit("ports.json", only_critical, &["-q"]).out, @"
    NOTICE    ip_local_port_range 40000 40199 has 200 ports, fewer than the default
    0 critical, 0 warnings, 1 notice, 1 waived from N rules.
    ");
}

#[test]
fn a_waived_finding_does_not_count_for_the_exit_code() {
    let code = |waivers: &str, limit: &str| audit("ports.json", waivers, &["--fail-on", limit]).code;
    assert_eq!(code("", "critical"), 10);
    assert_eq!(code(BOTH, "notice"), 0);
    assert_eq!(code(&changed("port-range-narrow", "timestamps-off"), "critical"), 0);
    assert_eq!(code(&changed("port-range-narrow", "timestamps-off"), "notice"), 10);
    assert_eq!(code(&changed("\"current\"", "\"host\""), "critical"), 10);
    assert_eq!(code(&changed("*:9000", "*:900"), "critical"), 10);
    assert_eq!(code(&changed("2026-01-01", "2025-12-31"), "critical"), 10);
}

#[test]
fn the_json_keeps_the_finding_whole_with_its_waiver() {
    let schema: Json = serde_json::from_str(&run(&["rules", "schema", "report"]).out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let report = |waivers: &str| -> Json {
        let first = audit("ports.json", waivers, &["--format", "json"]);
        assert_eq!((first.code, first.err.as_str()), (0, ""));
        assert_eq!(first.out, audit("ports.json", waivers, &["--format", "json"]).out);
        let report = serde_json::from_str(&first.out).unwrap();
        assert!(validator.is_valid(&report), "{report}");
        report
    };
    let (without, with) = (report(""), report(&changed("2026-01-01", "2025-12-31")));
    assert_eq!(with["summary"]["waived"], 1);
    assert_eq!((&with["summary"]["critical"], &with["summary"]["notice"]), (&1.into(), &0.into()));
    let waived = &with["findings"][1]["waived"];
    let wanted = serde_json::json!({"reason": "the firewall knows these ports", "who": "kim", "until": "2027-01-31"});
    assert_eq!(*waived, wanted);
    assert_eq!(with["findings"][1]["recommendations"][0]["proposed"], "16384 65535");
    let mut same = with["findings"].clone();
    same[1]["waived"] = Json::Null;
    same[1]["recommendations"][0]["proposed"] = without["findings"][1]["recommendations"][0]["proposed"].clone();
    // The open finding follows from the other one; what is waived explains nothing.
    assert_eq!(without["findings"][0]["follows_from"]["rule"], "port-range-narrow");
    same[0]["follows_from"] = without["findings"][0]["follows_from"].clone();
    assert_eq!(same, without["findings"], "nothing else of a finding changes");

    let problem = &with["waiver_problems"][0];
    assert_eq!(with["waiver_problems"].as_array().unwrap().len(), 1);
    assert_eq!((&problem["code"], &problem["line"]), (&"waiver-expired".into(), &1.into()));
    assert_eq!(problem["rule"], "ephemeral-ports");
    assert!(problem["file"].as_str().unwrap().ends_with("/waivers.toml"));
    assert_eq!(without["waiver_problems"], serde_json::json!([]));
}

#[test]
fn expired_and_unused_waivers_are_told_and_change_no_exit_code() {
    let run = audit("quiet.json", BOTH.replace("2026-01-01", "2025-12-31"), &["--fail-on", "notice"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_eq!(run.out.matches("2 waivers expired or unused.").count(), 1, "{}", run.out);
    let (_, section) = run.out.split_once("\n\nWaivers that waive nothing\n").unwrap();
    assert_eq!(
        joined(section.split_once("\n\n").unwrap().0),
        "DIR/waivers.toml:1: waiver-expired ephemeral-ports: ended on 2025-12-31 (by maria: load test \
         until the release); no finding matches it now \
         DIR/waivers.toml:9: waiver-unused port-range-narrow: the rule has no finding now"
    );
}

#[test]
fn the_command_line_wins_over_the_configuration() {
    let (folder, file) = scratch("waivers.toml", BOTH);
    let config = file.with_file_name("c.toml");
    std::fs::write(&config, format!("[audit]\nfail_on = \"notice\"\nwaivers = \"{}\"\n", file.display())).unwrap();
    let snapshot = data("ports.json");
    let base = ["audit", "-q", "--snapshot", &snapshot, "--config", config.to_str().unwrap()];
    assert_eq!(run(&base).code, 0);
    assert_eq!(run(&[&base[..], &["--waivers", "/dev/null"]].concat()).code, 10);
    std::fs::remove_file(&file).unwrap();
    let missing = run(&base);
    assert_eq!(missing.code, 2, "a file that is named must exist");
    assert_snapshot!(without(&folder, &missing.err), @"error: DIR/waivers.toml: these waivers cannot be read: No such file or directory");
}

#[test]
fn mistakes_are_errors_with_their_place() {
    assert_snapshot!(refused(changed("reason", "raeson")), @r#"
    error: unknown field `raeson`
     --> DIR/waivers.toml:5:1
      |
    5 | raeson = "load test until the release"
      | ^^^^^^
      |
      = help: did you mean `reason`?
    "#);
    assert_snapshot!(refused(changed("narrow", "narow")), @r#"
    error: there is no rule `port-range-narow`
      --> DIR/waivers.toml:10:8
       |
    10 | rule = "port-range-narow"
       |        ^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean `port-range-narrow`?
    "#);
    assert_snapshot!(refused(changed("2027-01-31", "2027-02-31")), @r#"
    error: `2027-02-31` is not a date
      --> DIR/waivers.toml:13:9
       |
    13 | until = "2027-02-31"
       |         ^^^^^^^^^^^^
       |
       = help: expected a day such as "2027-01-31"
    "#);
    assert_snapshot!(refused(changed("who = \"kim\"\nuntil = \"2027-01-31\"\n", "")), @"
    error: this waiver has no `who`: the person who is responsible for this decision
     --> DIR/waivers.toml:9:1
      |
    9 | [[waiver]]
      | ^^^^^^^^^^

    error: this waiver has no `until`: the last day of the waiver
     --> DIR/waivers.toml:9:1
      |
    9 | [[waiver]]
      | ^^^^^^^^^^
    ");
    assert_snapshot!(refused("waiver = 1"), @"
    error: invalid type: integer `1`, expected a sequence
     --> DIR/waivers.toml:1:10
      |
    1 | waiver = 1
      |          ^
    ");
    assert_snapshot!(refused(vec![b'#'; 2 << 20]), @"error: DIR/waivers.toml: these waivers cannot be read: this file is larger than 1 MiB, the limit for rules and configuration files");
}

#[test]
fn a_waiver_of_a_rule_that_is_switched_off_or_broken_is_no_error() {
    let (_folder, config) = scratch("c.toml", "[rules]\ndisable = [\"port-range-narrow\"]\n");
    let off = audit("ports.json", BOTH, &["-q", "--config", config.to_str().unwrap()]);
    assert_eq!((off.code, off.err.as_str()), (0, ""));
    let summary = joined(&off.out);
    assert!(summary.contains("1 waived from") && summary.ends_with("; 1 waiver expired or unused."), "{summary}");

    let (rules, _) = scratch("mine.toml", "x");
    let text = changed("port-range-narrow", "mine");
    let broken = audit("ports.json", text, &["-q", "--rules", rules.path().to_str().unwrap()]);
    assert_eq!(broken.code, 2);
    let summary = joined(&broken.out);
    assert!(summary.ends_with("; 1 rule file broken, 1 waiver expired or unused."), "the audit ran: {broken:?}");
}

#[test]
fn what_is_no_file_is_no_trap() {
    let (folder, file) = scratch("w.toml", "");
    let pipe = file.with_file_name("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let snapshot = data("quiet.json");
    for path in ["/nonexistent", "/dev/zero", "/", pipe.to_str().unwrap()] {
        let run = run(&["audit", "--snapshot", &snapshot, "--waivers", path]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{run:?}");
        assert!(run.err.starts_with(&format!("error: {path}: these waivers cannot be read: ")), "{run:?}");
    }
    drop(folder);
}
