//! What `history` and `audit` print.

use insta::assert_snapshot;
use serde_json::Value as Json;
use sysctl_advisor::host::Host;
use sysctl_advisor::host::netns::Which;
use sysctl_advisor::snapshot::{FirstReading, Snapshot, capture};

use super::{HOUR, State, now, set_time, six_days};

macro_rules! assert_shown {
    ($text:expr, $($rest:tt)*) => {
        insta::with_settings!({ filters => vec![
            (r"\d{4}-\d\d-\d\d \d\d:\d\d", "DATE TIME"),
            (r"\d{4}-\d\d-\d\d", "DATE"),
        ]}, { assert_snapshot!($text, $($rest)*) });
    };
}

#[test]
fn the_overview_shows_trends_what_is_open_what_came_and_went_and_changes() {
    let state = six_days();
    assert_shown!(state.text(&["history"]), @"
    History since DATE TIME UTC
    133 runs from DATE TIME to DATE TIME UTC, 1 reboot

    TCP sockets of host: now, trend, least to most
      LISTEN         1  ▁▁▁▁▁▁▁██▁▁▁▁▁·│▁█████████  0 to 1
      ESTABLISHED   10  ▁▁▁▁▁▁▁██▁▁▁▁▁·│▁█████████  0 to 10
      TIME_WAIT    190  ▁▁▁▁▁▁▁██▁▁▁▁▁·│▁█████████  0 to 190

    Open findings
      CRITICAL  195 of 200 ephemeral ports (98 %) are in use toward 127.0.0.1:9000:
                new connections will soon fail
                for 2 days (since DATE); ephemeral-ports in host: 127.0.0.1 ->
                  127.0.0.1:9000
      NOTICE    ip_local_port_range 40000 40199 has 200 ports, fewer than the
                default
                for 2 days (since DATE); port-range-narrow in host

    Resolved findings
      CRITICAL  195 of 200 ephemeral ports (98 %) are in use toward 127.0.0.1:9000:
                new connections will soon fail
                DATE TIME for 9 hours; ephemeral-ports in host: 127.0.0.1 ->
                  127.0.0.1:9000
      NOTICE    ip_local_port_range 40000 40199 has 200 ports, fewer than the
                default
                DATE TIME for 9 hours; port-range-narrow in host

    Changes of this host
      DATE TIME change 2: permanent
          net.ipv4.ip_local_port_range
      DATE TIME change 1: rolled back
          net.ipv4.ip_local_port_range

    `sysctl-advisor history NAME` shows one metric, TCP state or rule; --since 30d
    shows a longer time.
    ");
    assert_shown!(state.text(&["history", "--since", "1d"]), @"
    History since DATE TIME UTC
    25 runs from DATE TIME to DATE TIME UTC

    TCP sockets of host: now, trend, least to most
      LISTEN         1  █████████████████████████   1 to 1
      ESTABLISHED   10  █████████████████████████   10 to 10
      TIME_WAIT    190  █████████████████████████   190 to 190

    Open findings
      CRITICAL  195 of 200 ephemeral ports (98 %) are in use toward 127.0.0.1:9000:
                new connections will soon fail
                for 2 days (since DATE); ephemeral-ports in host: 127.0.0.1 ->
                  127.0.0.1:9000
      NOTICE    ip_local_port_range 40000 40199 has 200 ports, fewer than the
                default
                for 2 days (since DATE); port-range-narrow in host

    `sysctl-advisor history NAME` shows one metric, TCP state or rule; --since 30d
    shows a longer time.
    ");
}

#[test]
fn a_metric_a_state_and_a_counter_are_shown_as_a_trend() {
    let state = six_days();
    assert_shown!(state.text(&["history", "time-wait"]), @"
    tcp.time_wait of host
    sockets in TIME_WAIT; sockstat's tw also counts FIN_WAIT2 orphans
    133 runs from DATE TIME to DATE TIME UTC, 1 reboot

      last      190 sockets  DATE TIME UTC
      least       0 sockets  DATE TIME UTC
      median      0 sockets
      most      190 sockets  DATE TIME UTC

      ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁·····│▁███████████████████████████
      from 0 to 190 sockets; each character: largest value in 1 h 56 min; │ reboot;
      · no value
    ");
    assert_shown!(state.text(&["history", "ListenOverflows"]), @"
    rate.TcpExt.ListenOverflows of host
    A SYN, or the ACK that ends a handshake, was dropped because the listener's
    accept queue was full (queue > backlog, so backlog + 1 connections wait).
    133 runs from DATE TIME to DATE TIME UTC, 1 reboot

      last      0/s  DATE TIME UTC
      least     0/s  DATE TIME UTC
      median    0/s
      most      0/s  DATE TIME UTC

      ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁·····│▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
      all 0; each character: largest value in 1 h 56 min; │ reboot; · no value
    ");
    assert_shown!(state.text(&["history", "ports.largest_destination", "--since", "12h"]), @"
    ports.largest_destination of host
    ports that the largest destination uses
    13 runs from DATE TIME to DATE TIME UTC

      last      195 ports  DATE TIME UTC
      least     195 ports  DATE TIME UTC
      median    195 ports
      most      195 ports  DATE TIME UTC

      █████████████
      from 0 to 195 ports; each character: largest value in 1 h; · no value
    ");
    // A metric that no rule uses is known, and has no values.
    assert_shown!(state.text(&["history", "rate.Ip.InUnknownProtos"]), @"
    rate.Ip.InUnknownProtos of host
    133 runs from DATE TIME to DATE TIME UTC, 1 reboot

    None of these runs has a value: it could not be read, or no rule used it.
    ");
}

#[test]
fn a_rule_is_shown_by_its_episodes() {
    let state = six_days();
    assert_shown!(state.text(&["history", "ephemeral-ports"]), @"
    ephemeral-ports: 2 episodes since DATE TIME UTC
    133 runs from DATE TIME to DATE TIME UTC, 1 reboot

    CRITICAL  195 of 200 ephemeral ports (98 %) are in use toward 127.0.0.1:9000:
              new connections will soon fail
      where   host: 127.0.0.1 -> 127.0.0.1:9000
      seen    DATE TIME to DATE TIME UTC, 2 days
      runs    seen in 51, not seen in 0
      now     open

    CRITICAL  195 of 200 ephemeral ports (98 %) are in use toward 127.0.0.1:9000:
              new connections will soon fail
      where   host: 127.0.0.1 -> 127.0.0.1:9000
      seen    DATE TIME to DATE TIME UTC, 9 hours
      runs    seen in 10, not seen in 2
      now     resolved at DATE TIME UTC

    sysctl-advisor explain ephemeral-ports explains what the rule detects.
    ");
}

#[test]
fn an_unknown_name_gets_a_suggestion_and_a_missing_history_the_way_to_one() {
    let state = State::new();
    assert_shown!(state.text(&["history"]), @"
    There is no history yet: STATE/agent/history.db does not exist.
    Each run of `sysctl-advisor agent` adds to it. The timer sysctl-advisor.timer
    starts a run every hour. A new finding is reported after two runs (`hold_off`).
    A trend needs a few more runs.
    ");
    assert_shown!(state.text(&["history", "--format", "json", "--since", "1d"]).lines().take(2).collect::<String>(), @r#"{  "schema": "sysctl-advisor/history/1","#);
    let state = six_days();
    for (arguments, said) in [
        (&["history", "ephemeral-prots"][..], "did you mean `ephemeral-ports`?"),
        (&["history", "tcp.time_wiat"], "did you mean `tcp.time_wait`?"),
        (&["history", "bananas"], "unknown name `bananas`: not a metric of the history, TCP state, counter or rule\n"),
        (&["history", "--netns", "blue"], "it has host"),
        (&["history", "--since", "soon"], "is not a duration"),
    ] {
        let output = state.output(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn the_json_keeps_to_the_published_schema() {
    let schema: Json = serde_json::from_str(include_str!("../../../docs/schema/history-1.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let state = six_days();
    for name in [&[][..], &["TIME_WAIT"], &["ephemeral-ports"]] {
        let text = state.text(&[&["history", "--format", "json"], name].concat());
        let json: Json = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(json["runs"].as_array().unwrap().len(), 133);
    }
    let mut damaged: Json = serde_json::from_str(&state.text(&["history", "--format", "json"])).unwrap();
    damaged["runs"][0]["at"] = Json::Null;
    assert!(!validator.is_valid(&damaged));
}

#[test]
fn an_audit_says_since_when_a_finding_is_there_and_what_is_gone() {
    // Values of a namespace of this thread's own.
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("this test has to run as root");
    std::fs::write("/proc/sys/net/ipv4/tcp_timestamps", "0").unwrap();
    let state = State::new();
    let mut snapshot = capture::capture(
        &Host::live(),
        &Which::Current,
        std::time::Duration::ZERO,
        &FirstReading::default().into(),
        |_| {},
    )
    .unwrap();
    let seen = |text: &str| {
        let lines = text.lines().skip_while(|line| !line.contains("TCP timestamps are off"));
        lines.take(2).map(|line| line.trim_end().to_owned() + "\n").collect::<String>()
    };
    let audit = ["audit", "--full", "--window", "0"];
    let without = state.text(&audit);
    assert!(!without.contains("seen "), "{without}");

    // With a history the finding is new until a run of the agent saw it.
    let mut quiet = snapshot.clone();
    quiet.namespaces[0].sysctls.insert("net.ipv4.tcp_timestamps".to_owned(), "1".to_owned());
    let remember = |snapshot: &mut Snapshot, hours: i64| {
        set_time(snapshot, now() - hours * HOUR);
        state.remember(snapshot).unwrap();
    };
    remember(&mut quiet, 80);
    assert_shown!(seen(&state.text(&audit)), @"
    WARNING   TCP timestamps are off
      seen      new
    ");
    // A second one is there for some hours, and gone.
    let mut both = snapshot.clone();
    both.namespaces[0].sysctls.insert("net.ipv4.tcp_window_scaling".to_owned(), "0".to_owned());
    for hours in [75, 74] {
        remember(&mut snapshot, hours);
    }
    for hours in [6, 5, 4] {
        remember(&mut both, hours);
    }
    for hours in [3, 2] {
        remember(&mut snapshot, hours);
    }
    assert_shown!(seen(&state.text(&audit)), @"
    WARNING   TCP timestamps are off
      seen      for 3 days (since DATE)
    ");
    let text = state.text(&audit);
    assert_shown!(text.lines().find(|line| line.contains("Resolved")).unwrap_or_default(), @"Resolved in the last day: window-scaling-off.");

    // A history that is no use is no reason to say anything, unless asked.
    std::fs::write(state.agent().join("history.db"), "no database").unwrap();
    let output = state.output(&audit);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("seen "));
    let told = state.output(&["audit", "--full", "--window", "0", "-v"]);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("the history is damaged: file is not a database"), "{told}");
    assert_eq!(std::fs::read(state.agent().join("history.db")).unwrap(), b"no database", "a reader changes nothing");
}
