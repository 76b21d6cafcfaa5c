//! What an audit of a stored snapshot prints and returns.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use serde_json::Value as Json;

use super::{PROGRAM, Run, command, data, finish, run};

const NAMES: [&str; 3] = ["accept-queue.json", "ports.json", "quiet.json"];

fn audit(name: &str, options: &[&str]) -> Run {
    let file = data(name);
    run(&[&["audit", "--full", "--snapshot", &file], options].concat())
}

#[test]
fn an_overflowing_accept_queue_in_full() {
    let run = audit("accept-queue.json", &[]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_snapshot!(run.out, @r"
    sysctl-advisor on web-1 at 2026-01-01T00:00:00Z
    Linux 6.12.0, 4 CPUs, 16.0 GiB, up 1 d, counters over 3 s

    WARNING   127.0.0.1:9001 (backend (pid 4000)) overflows its accept queue of 4,
              less than net.core.somaxconn (4,096) allows
      where     this network namespace: 127.0.0.1:9001
      evidence  waiting for accept()                    5 connections
                waiting at the start of the window                  0
                limit of this listener                  4 connections
                packets dropped for this listener                  18
                the oldest has waited                           1.4 s
                net.core.somaxconn                  4,096 connections
                overflows in the window                            18
      change    None: no sysctl helps here.
      do        application: Raise the backlog that backend (pid 4000) passes to
                  listen() (nginx: listen ... backlog=; Redis: tcp-backlog; Tomcat:
                  acceptCount; PHP-FPM: listen.backlog; Java: the second argument of
                  ServerSocket) and restart it. The kernel accepts a backlog up to
                  net.core.somaxconn.
                operator: If 4 is the previous value of somaxconn, the service only
                  needs a restart. Send-Q in `ss -ltn` shows the limit of a
                  listener.
      do not    net.core.somaxconn: It is already above the limit of this listener.
                  A higher value changes nothing here.
                net.ipv4.tcp_abort_on_overflow: It replaces a delay with a reset at
                  one stage of the handshake. The kernel still drops SYNs.
                net.ipv4.tcp_max_syn_backlog: It does not limit the accept queue.
                  While SYN cookies are on, it has no effect.
      look      ss -ltnp sport = :9001
                shows the queue (Recv-Q), its limit (Send-Q) and the process
      why       sysctl-advisor explain accept-queue-limited-by-application
      explains  notice: An accept queue overflowed 18 times in 3 s
                  (accept-queue-overflow)

    TCP sockets of this network namespace: 261 (read through sock_diag)
      LISTEN         2  ▋
      SYN_SENT       9  ███
      ESTABLISHED   10  ███▎
      FIN_WAIT2    120  ████████████████████████████████████████
      CLOSE_WAIT   120  ████████████████████████████████████████

    0 critical, 1 warning, 1 notice from N rules.
    audit --details shows how each number is computed, why it matters, and the
    sources.
    ");
}

#[test]
fn exhausted_ports_in_full() {
    let run = audit("ports.json", &[]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_snapshot!(run.out, @r#"
    sysctl-advisor on web-1 at 2026-01-01T00:00:00Z
    Linux 6.12.0, 4 CPUs, 16.0 GiB, up 1 d, counters over 3 s

    CRITICAL  195 of 200 ephemeral ports (98 %) are in use toward 127.0.0.1:9000:
              new connections will soon fail
      where     this network namespace: 127.0.0.1 -> 127.0.0.1:9000
      evidence  ports in use toward it              195 ports
                usable ports                        200 ports
                share in use                             98 %
                forecast for one minute from now  1,145 ports
                of its sockets: established         5 sockets
                of its sockets: TIME_WAIT         190 sockets
                closed first by this side                19/s
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
      do        application: Keep connections open and reuse them (a pool, HTTP
                  keep-alive, HTTP/2), or let the peer close first, so that its side
                  holds the TIME_WAIT.
                application: If one destination needs more connections than the
                  range has ports, spread them over several destination addresses or
                  ports, or over several source addresses bound with
                  IP_BIND_ADDRESS_NO_PORT set. A proxy can set IP_LOCAL_PORT_RANGE
                  on its sockets: connect() then scans the range in one pass and
                  does not become slow at half of it.
                operator: This destination is on loopback. The kernel's default,
                  tcp_tw_reuse = 2, lets connect() reuse the ports of TIME_WAIT
                  sockets there. The current value 0 does not allow it.
      do not    net.ipv4.tcp_fin_timeout: It only ends orphaned FIN_WAIT2 sockets.
                  TIME_WAIT lasts 60 s, a constant in the kernel.
                net.ipv4.tcp_max_tw_buckets, lowered: It frees ports, but violates
                  the protocol: connections above the limit skip TIME_WAIT, and the
                  kernel answers a late FIN with a reset.
                SO_LINGER with a timeout of 0: close() then sends a reset: data that
                  the peer has not read yet is lost, and the peer sees ECONNRESET.
      why       sysctl-advisor explain ephemeral-ports
      cause     notice: ip_local_port_range 40000 40199 has 200 ports, fewer than
                  the default (port-range-narrow)

    TCP sockets of this network namespace: 201 (read through sock_diag)
      LISTEN         1  ▏
      ESTABLISHED   10  ██
      TIME_WAIT    190  ████████████████████████████████████████

      TIME_WAIT    This host closed these connections first, 3 a second on the
                   average of the last minute. 190 went to 127.0.0.1:9000. They take
                   some 76.1 KiB of kernel memory. They matter here: 127.0.0.1:9000
                   has 98 % of the ephemeral ports.

    1 critical, 0 warnings, 1 notice from N rules.
    audit --details shows how each number is computed, why it matters, and the
    sources.
    "#);
}

#[test]
fn a_host_at_peace_in_full() {
    let run = audit("quiet.json", &[]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_snapshot!(run.out, @r"
    sysctl-advisor on web-1 at 2026-01-01T00:00:00Z
    Linux 6.12.0, 4 CPUs, 16.0 GiB, up 1 d, counters over 3 s

    No findings from N rules on the sockets, counters and sysctls here.

    TCP sockets of this network namespace: 0 (read through sock_diag)

    0 critical, 0 warnings, 0 notices from N rules.
    ");
}

#[test]
fn quiet_is_a_line_a_finding() {
    assert_snapshot!(audit("accept-queue.json", &["-q"]).out, @r"
    WARNING   127.0.0.1:9001 (backend (pid 4000)) overflows its accept queue of 4,…
    NOTICE    An accept queue overflowed 18 times in 3 s
    0 critical, 1 warning, 1 notice from N rules.
    ");
    assert_snapshot!(audit("quiet.json", &["-q"]).out, @"No findings from N rules on the sockets, counters and sysctls here.");
}

#[test]
fn the_same_snapshot_gives_the_same_json_every_time_and_it_is_valid() {
    let schema: Json = serde_json::from_str(&run(&["rules", "schema", "report"]).out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for name in NAMES {
        let first = audit(name, &["--format", "json"]);
        assert_eq!((first.code, first.err.as_str()), (0, ""));
        assert_eq!(first.out, audit(name, &["--format", "json"]).out);
        let report: Json = serde_json::from_str(&first.out).unwrap();
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
        assert_eq!(report["findings"].as_array().unwrap().is_empty(), name == "quiet.json");
    }
    assert!(!validator.is_valid(&Json::Null));
}

#[test]
fn standard_input_serves_as_a_snapshot() {
    let text = std::fs::read(data("ports.json")).unwrap();
    let piped = finish(
        command(PROGRAM).args(["audit", "--full", "--snapshot", "-", "--config", "/dev/null"]).write_stdin(text),
    );
    assert_eq!((piped.code, piped.out), (0, audit("ports.json", &[]).out));
}

#[test]
fn colours_are_for_terminals_or_on_request() {
    for name in NAMES {
        assert!(!audit(name, &[]).out.contains('\x1b'));
        let coloured = audit(name, &["--color", "always"]).out;
        assert!(coloured.contains("\x1b["));
        assert!(!audit(name, &["--color", "always", "--format", "json"]).out.contains('\x1b'));
        let plain = anstream::adapter::strip_str(&coloured).to_string();
        let trimmed: String = plain.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
        assert_eq!(trimmed, audit(name, &["--color", "never"]).out);
    }
    let wrong = run(&["audit", "--snapshot", "/nonexistent"]);
    assert!(!wrong.err.contains('\x1b'));
    assert!(run(&["--color", "always", "audit", "--snapshot", "/nonexistent"]).err.contains("\x1b["));
}

#[test]
fn no_color_is_respected_on_a_terminal() {
    // `script` gives the program a terminal.
    let on_terminal = |no_color: Option<&str>| {
        let line = format!("{PROGRAM} audit --config /dev/null --snapshot {}", data("ports.json"));
        let mut command = command("script");
        command.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm");
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        finish(&mut command).out
    };
    assert!(on_terminal(None).contains("\x1b["));
    assert!(!on_terminal(Some("1")).contains("\x1b["));
}

#[test]
fn a_finding_decides_the_exit_code_only_when_asked() {
    let cases: [(&str, &[&str], i32); 7] = [
        ("ports.json", &[], 0),
        ("ports.json", &["--fail-on", "critical"], 10),
        ("ports.json", &["--fail-on", "notice"], 10),
        ("accept-queue.json", &["--fail-on", "critical"], 0),
        ("accept-queue.json", &["--fail-on", "warning", "--format", "json"], 10),
        ("accept-queue.json", &["--fail-on", "warning", "-q"], 10),
        ("quiet.json", &["--fail-on", "notice"], 0),
    ];
    for (name, options, code) in cases {
        assert_eq!(audit(name, options).code, code, "{name} {options:?}");
    }
}

#[test]
fn the_configuration_sets_what_the_command_line_overrides() {
    let (_folder, file) = super::scratch(
        "c.toml",
        "[audit]\nfail_on = \"critical\"\n[rules]\ndisable = [\"accept-queue-overflow\"]\n\
         [params.accept-queue-limited-by-application]\n",
    );
    let config = file.to_str().unwrap();
    assert_eq!(audit("ports.json", &["--config", config]).code, 10);
    let run = audit("accept-queue.json", &["--config", config, "--fail-on", "warning", "-q"]);
    assert_eq!(run.code, 10, "{run:?}");
    assert!(!run.out.contains("An accept queue overflowed"), "{}", run.out);
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let metrics: &[&str] = &["rules", "metrics", "--config", "/dev/null"];
    let file = data("ports.json");
    let report: &[&str] = &["audit", "--config", "/dev/null", "--snapshot", &file];
    let to_file: &[&str] = &["audit", "--config", "/dev/null", "--snapshot", &file, "-o", "/dev/stdout"];
    for arguments in [metrics, report, to_file] {
        let mut child =
            Command::new(PROGRAM).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The reading end is closed before anything can have been written: loading the rules takes longer.
        drop(child.stdout.take());
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn the_gauges_of_every_snapshot_pass_promtool_whatever_a_namespace_is_called() {
    for name in NAMES {
        let snapshot = std::fs::read_to_string(data(name)).unwrap();
        let hostile = snapshot.replace(r#""current""#, r#""a\"b\\c\nd} 1 é""#);
        assert_ne!(snapshot, hostile);
        let mut audit = command(PROGRAM);
        audit.env("SYSCTL_ADVISOR_CONFIG", "/dev/null").args(["audit", "--snapshot", "-", "--format", "prometheus"]);
        let run = finish(audit.write_stdin(hostile));
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{name}");
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promtool is in Debian's package prometheus");
        promtool.stdin.take().unwrap().write_all(run.out.as_bytes()).unwrap();
        let mut said = String::new();
        promtool.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        promtool.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(promtool.wait().unwrap().success() && said.is_empty(), "{name}: {said}");
    }
}
