//! `audit --set`, `audit --if-file` and `drift --against` on stored hosts: what other values would do there.

use serde_json::Value as Json;

use super::{data, run, scratch};

#[test]
fn the_findings_that_a_value_would_bring_and_remove_are_told_apart() {
    let ports = data("ports.json");
    let run = run(&[
        "audit",
        "--snapshot",
        &ports,
        "--set",
        "net.ipv4.ip_local_port_range=1024 65000",
        "--set",
        "net.ipv4.tcp_sack=0",
    ]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    insta::assert_snapshot!(run.out, @"
    If these values were effective
      net.ipv4.ip_local_port_range  40000 40199 -> 1024 65000
      net.ipv4.tcp_sack             1 -> 0

    Findings that would appear
      WARNING  Outgoing connections can use the ports of services:
               ip_local_port_range starts at 1024 (port-range-swallows-services)
        net.ipv4.ip_local_port_range: 1024 65000 -> 16384 65535
      WARNING  Selective acknowledgements (SACK) are off (sack-off)
        net.ipv4.tcp_sack: 0 -> 1

    Findings that would vanish
      CRITICAL  195 of 200 ephemeral ports (98 %) are in use toward 127.0.0.1:9000:
                new connections will soon fail (ephemeral-ports)
        net.ipv4.ip_local_port_range: 40000 40199 -> 16384 65535
      NOTICE  ip_local_port_range 40000 40199 has 200 ports, fewer than the default
              (port-range-narrow)
        net.ipv4.ip_local_port_range: 40000 40199 -> 16384 65535

    Sockets and counters are those of the snapshot: what already happened counts in
    both audits. No value was changed.

    2 findings would appear, 2 would vanish, 0 would stay.
    ");
}

#[test]
fn the_exit_code_is_that_of_the_worst_finding_that_would_appear() {
    let quiet = data("quiet.json");
    let code = |set: &str, limit: &str| run(&["audit", "--snapshot", &quiet, "--set", set, "--fail-on", limit]).code;
    assert_eq!(code("net.ipv4.tcp_sack=0", "notice"), 10);
    assert_eq!(code("net.ipv4.tcp_sack=1", "notice"), 0);
    assert_eq!(code("net.ipv4.tcp_sack=0", "critical"), 0);
}

#[test]
fn a_value_that_could_not_be_in_force_is_refused() {
    let quiet = data("quiet.json");
    for (set, said) in [
        ("net.ipv4.tcp_sackk=0", "Did you mean net.ipv4.tcp_sack?"),
        ("net.ipv4.tcp_sack=off", "Expected an integer, got `off`"),
        ("net.ipv4.tcp_tw_recycle=1", "Linux 4.12 removed the key"),
        ("net.ipv4.tcp_sack", "expected KEY=VALUE"),
        ("=1", "expected KEY=VALUE"),
    ] {
        let run = run(&["audit", "--snapshot", &quiet, "--set", set]);
        assert!(run.code == 2 && run.err.contains(said) && run.out.is_empty(), "{set}: {run:?}");
    }
    let run = run(&["audit", "--snapshot", &quiet, "--set", "net.ipv4.tcp_sack=0", "--format", "csv"]);
    assert!(run.code == 2 && run.err.contains("formats text and json"), "{run:?}");
}

#[test]
fn a_file_is_asked_about_by_its_place_and_the_json_keeps_to_the_published_schema() {
    let (_folder, file) = scratch(
        "roles.yml",
        "web:\n  sysctls: {net.ipv4.tcp_sack: 0, net.ipv4.no_such_key: 1}\ndb:\n  sysctls: {net.ipv4.tcp_timestamps: 0}\n",
    );
    let (file, quiet) = (file.to_str().unwrap(), data("quiet.json"));
    let asked =
        |at: &[&str]| run(&[&["audit", "--snapshot", &quiet, "--format", "json", "--if-file", file], at].concat());
    let schema: Json = serde_json::from_str(&run(&["rules", "schema", "what-if"]).out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (at, keys) in [(&[][..], 2), (&["--at", "web"], 1), (&["--at", "db.sysctls"], 1)] {
        let run = asked(at);
        let json: Json = serde_json::from_str(&run.out).unwrap();
        assert!(validator.is_valid(&json), "{json:#}");
        assert_eq!(json["changed"].as_array().unwrap().len(), keys, "{json:#}");
        assert_eq!(run.err.contains("no_such_key"), at != ["--at", "db.sysctls"], "{}", run.err);
    }
    let wrong = asked(&["--at", "app"]);
    assert!(wrong.code == 2 && wrong.err.contains("there are values at `web.sysctls`, `db.sysctls`"), "{wrong:?}");
}

#[test]
fn what_a_document_would_change_here_is_compared_with_what_the_load_needs() {
    let (folder, file) = scratch(
        "web.yml",
        "web:\n  net.ipv4.ip_local_port_range: 40000 45000\n  net.ipv4.tcp_timestamps: \"1\"\n  net.ipv4.tcp_tw_recycle: yes\n",
    );
    let run = run(&["drift", "--against", file.to_str().unwrap(), "--snapshot", &data("ports.json")]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    insta::assert_snapshot!(super::without(&folder, &run.out), @r#"
    The values of DIR/web.yml, compared with this network namespace

    Values that it sets
      net.ipv4.ip_local_port_range  40000 45000, now 40000 40199
                                      (DIR/web.yml:2)
      net.ipv4.tcp_timestamps       1 (DIR/web.yml:3)

    DEAD  net.ipv4.tcp_tw_recycle
      value     1 from DIR/web.yml:4
      why       Linux 4.12 removed the key. The line does nothing.
      4 |   net.ipv4.tcp_tw_recycle: yes
        |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    What is wrong with the files
      DIR/web.yml:4
        YAML reads `yes` as a boolean. Some tools then write the word `True`, which
        the kernel rejects. Write "1" with quotation marks.
      4 |   net.ipv4.tcp_tw_recycle: yes
        |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    Findings for these values

      NOTICE  ip_local_port_range 40000 45000 has 5,001 ports, fewer than the
              default
        net.ipv4.ip_local_port_range = 40000 45000 from DIR/web.yml:2
        The audit recommends net.ipv4.ip_local_port_range = 16384 65535.
        sysctl-advisor explain port-range-narrow

    1 dead; 3 keys; 2 problems in the files; 1 finding for these values.
    "#);
}
