//! The whole way: the agent's file, a real node_exporter, a real Prometheus, a query.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::scene::Scene;
use crate::support::wait_until;

const EXPORTER: &str = "127.0.0.1:19100";
const SERVER: &str = "127.0.0.1:19090";

/// A program that is ended when the test is.
struct Program(Child);

impl Program {
    fn start(name: &str, arguments: &[String], log: &Path) -> Self {
        let log = fs::File::create(log).unwrap();
        let mut command = Command::new(name);
        command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Self(command.spawn().unwrap_or_else(|error| panic!("{name} (Debian's package of that name): {error}")))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The body of an answer; `None` while nobody answers.
fn get(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address.parse().unwrap(), Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

/// Labels and value of each series that the query gives.
fn query(name: &str) -> Vec<(Value, String)> {
    let Some(body) = get(SERVER, &format!("/api/v1/query?query={name}")) else { return Vec::new() };
    let answer: Value = serde_json::from_str(&body).unwrap_or_default();
    let series = answer["data"]["result"].as_array().cloned().unwrap_or_default();
    series.into_iter().map(|one| (one["metric"].clone(), one["value"][1].as_str().unwrap().to_owned())).collect()
}

#[test]
fn a_prometheus_that_scrapes_a_node_exporter_answers_with_our_findings() {
    let scene = Scene::enter("hold_off = 1");
    scene.lab.set("net.ipv4.tcp_timestamps", "0");
    scene.ok(&[]);
    // As docs/agent.md tells an administrator to do it.
    let collector = scene.path("collector");
    fs::create_dir(&collector).unwrap();
    symlink(scene.gauges(), collector.join("sysctl-advisor.prom")).unwrap();
    let _exporter = Program::start(
        "prometheus-node-exporter",
        &[
            format!("--web.listen-address={EXPORTER}"),
            "--collector.disable-defaults".to_owned(),
            "--collector.textfile".to_owned(),
            format!("--collector.textfile.directory={}", collector.display()),
        ],
        &scene.path("exporter.log"),
    );
    wait_until("node_exporter shows the findings", || {
        get(EXPORTER, "/metrics").is_some_and(|text| text.contains("sysctl_advisor_finding{"))
    });
    let metrics = get(EXPORTER, "/metrics").unwrap();
    assert!(metrics.contains("node_textfile_scrape_error 0"), "{metrics}");

    let config = scene.path("prometheus.yml");
    let text = format!(
        "global:\n  scrape_interval: 1s\nscrape_configs:\n- job_name: node\n  static_configs:\n  - targets: ['{EXPORTER}']\n"
    );
    fs::write(&config, text).unwrap();
    let _server = Program::start(
        "prometheus",
        &[
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", scene.path("data").display()),
            format!("--web.listen-address={SERVER}"),
        ],
        &scene.path("prometheus.log"),
    );
    wait_until("Prometheus has the findings", || !query("sysctl_advisor_finding").is_empty());
    let findings = query("sysctl_advisor_finding");
    let found = findings.iter().find(|(labels, _)| labels["rule"] == "timestamps-off");
    let (labels, value) = found.unwrap_or_else(|| panic!("{findings:?}"));
    assert_eq!((labels["severity"].as_str(), value.as_str()), (Some("warning"), "1"));
    assert!(query("sysctl_advisor_sockets").len() >= 11);
    let at: f64 = query("sysctl_advisor_last_run_timestamp_seconds")[0].1.parse().unwrap();
    assert!(at > 1.7e9, "{at}");
}
