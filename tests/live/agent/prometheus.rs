//! The whole way: a fault, the agent's file, a real node_exporter, a real Prometheus with our rules, alerts that fire, and
//! the queries of our dashboard.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::scene::{GUARDED, Scene};
use crate::support::{ports, wait_until};

const EXPORTER: &str = "127.0.0.1:19100";
const SERVER: &str = "127.0.0.1:19090";

const RULES: &str = include_str!("../../../deploy/prometheus/sysctl-advisor.rules.yml");
const DASHBOARD: &str = include_str!("../../../deploy/grafana/sysctl-advisor.json");

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

/// What Prometheus answers; null while nobody does.
fn api(path: &str) -> Value {
    get(SERVER, path).and_then(|body| serde_json::from_str(&body).ok()).unwrap_or_default()
}

/// The answer to a query of one moment.
fn query(expression: &str) -> Value {
    let encoded: String = expression.bytes().map(|byte| format!("%{byte:02x}")).collect();
    api(&format!("/api/v1/query?query={encoded}"))
}

/// The alerts of this name that fire.
fn firing(name: &str) -> Vec<Value> {
    let alerts = api("/api/v1/alerts")["data"]["alerts"].as_array().cloned().unwrap_or_default();
    let is_it = |alert: &Value| alert["labels"]["alertname"] == name && alert["state"] == "firing";
    alerts.into_iter().filter(is_it).collect()
}

/// Waits for Prometheus, which has its own rhythm; each question takes a port of the lab.
fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    wait_until(what, || {
        std::thread::sleep(Duration::from_millis(100));
        done()
    });
}

/// Starts both programs; the exporter reads the agent's file as docs/agent.md tells an administrator to have it read.
fn start(scene: &Scene) -> [Program; 2] {
    let collector = scene.path("collector");
    fs::create_dir(&collector).unwrap();
    symlink(scene.gauges(), collector.join("sysctl-advisor.prom")).unwrap();
    let exporter = Program::start(
        "prometheus-node-exporter",
        &[
            format!("--web.listen-address={EXPORTER}"),
            "--collector.disable-defaults".to_owned(),
            "--collector.textfile".to_owned(),
            format!("--collector.textfile.directory={}", collector.display()),
        ],
        &scene.path("exporter.log"),
    );
    wait_for("node_exporter shows the findings", || {
        get(EXPORTER, "/metrics").is_some_and(|text| text.contains("sysctl_advisor_finding{"))
    });
    let metrics = get(EXPORTER, "/metrics").unwrap();
    assert!(metrics.contains("node_textfile_scrape_error 0"), "{metrics}");
    let server = Program::start(
        "prometheus",
        &[
            format!("--config.file={}", config(scene).display()),
            format!("--storage.tsdb.path={}", scene.path("data").display()),
            format!("--web.listen-address={SERVER}"),
        ],
        &scene.path("prometheus.log"),
    );
    wait_for("Prometheus has the findings", || {
        query("sysctl_advisor_finding")["data"]["result"].as_array().is_some_and(|series| !series.is_empty())
    });
    [exporter, server]
}

/// Our rules as they are, but for the hours that they wait.
fn config(scene: &Scene) -> PathBuf {
    let (rules, config) = (scene.path("rules.yml"), scene.path("prometheus.yml"));
    fs::write(&rules, RULES.replace(" for: ", " for: 0s # ")).unwrap();
    let text = format!(
        "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\nrule_files: ['{}']\n\
         scrape_configs:\n- job_name: node\n  static_configs:\n  - targets: ['{EXPORTER}']\n",
        rules.display()
    );
    fs::write(&config, text).unwrap();
    config
}

#[test]
fn a_fault_makes_the_alerts_of_a_real_prometheus_fire_and_its_end_makes_them_stop() {
    let scene = Scene::enter("hold_off = 1\napply = true\n[apply]\nonly = [\"net.ipv4.tcp_keep*\"]");
    scene.rule("keepalive-late", GUARDED);
    scene.lab.set("net.ipv4.tcp_timestamps", "0");
    scene.ok(&[]);
    assert!(scene.ok(&["--apply"]).contains("change 1 is applied"));
    scene.ok(&[]);
    let _programs = start(&scene);
    for alert in ["SysctlAdvisorWarningStays", "SysctlAdvisorChangeNotConfirmed"] {
        wait_for(alert, || !firing(alert).is_empty());
    }
    let warnings = firing("SysctlAdvisorWarningStays");
    assert!(warnings.iter().any(|alert| alert["labels"]["rule"] == "timestamps-off"), "{warnings:?}");
    assert_eq!(firing("SysctlAdvisorCriticalFinding"), Vec::<Value>::new());
    assert_eq!(firing("SysctlAdvisorPortsNearlyUsed"), Vec::<Value>::new());

    // Of 200 ports 190 go to one backend, and its connections make the guard of the change worse.
    scene.lab.set("net.ipv4.ip_local_port_range", "40000 40199");
    let opened = ports::fill(&scene.lab, "10.9.0.1:5432", 190);
    assert_eq!(opened.pairs.len(), 190, "{:?}", opened.refused);
    assert!(scene.ok(&["--apply"]).contains("was rolled back"));
    scene.ok(&[]);
    for alert in ["SysctlAdvisorCriticalFinding", "SysctlAdvisorPortsNearlyUsed", "SysctlAdvisorChangeRolledBack"] {
        wait_for(alert, || !firing(alert).is_empty());
    }
    let alert = firing("SysctlAdvisorCriticalFinding").remove(0);
    assert_eq!(alert["labels"]["rule"], "ephemeral-ports", "{alert}");
    assert_eq!(alert["labels"]["subject"], "10.2.0.1 -> 10.9.0.1:5432", "{alert}");
    let report = scene.report().0;
    let found = report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "ephemeral-ports");
    let title = found.unwrap()["title"].as_str().unwrap();
    let description = alert["annotations"]["description"].as_str().unwrap();
    assert!(description.starts_with(&format!("{title}. Network namespace: ")), "{description}");
    assert_eq!(firing("SysctlAdvisorPortsNearlyUsed")[0]["labels"]["destination"], "10.9.0.1:5432");
    every_rule_and_every_panel_works();

    drop(opened);
    scene.lab.set("net.ipv4.ip_local_port_range", "16384 65535");
    scene.ok(&[]);
    for alert in ["SysctlAdvisorCriticalFinding", "SysctlAdvisorPortsNearlyUsed"] {
        wait_for("the alert stops", || firing(alert).is_empty());
    }
    for alert in ["ReportStale", "ReportMissing", "RunFailed", "RulesBroken", "WaiversUseless", "ChangeIncomplete"] {
        assert_eq!(firing(&format!("SysctlAdvisor{alert}")), Vec::<Value>::new());
    }
    assert!(!firing("SysctlAdvisorChangeRolledBack").is_empty(), "it is still of this day");
}

/// The rules were evaluated without an error, and each query of the dashboard has an answer.
fn every_rule_and_every_panel_works() {
    let groups = api("/api/v1/rules")["data"]["groups"].as_array().unwrap().clone();
    let rules: Vec<Value> = groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect();
    assert!(rules.len() >= 15, "{rules:?}");
    for rule in rules {
        assert_eq!((rule["health"].as_str(), rule["lastError"].as_str().unwrap_or("")), (Some("ok"), ""), "{rule}");
    }
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets: Vec<&Value> =
        panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten()).collect();
    assert!(targets.len() >= 15, "{}", targets.len());
    for target in targets {
        let expression = target["expr"].as_str().unwrap().replace("$job", ".*").replace("$host", ".*");
        let answer = query(&expression);
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
        assert!(!answer["data"]["result"].as_array().unwrap().is_empty(), "{expression}: no series");
    }
}
