//! What `deploy/prometheus` and `deploy/grafana` hold, against the gauges that the program really writes, and through
//! promtool.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::place::{Place, needs};
use crate::readers::{PYTHON, python};

const RULES: &str = include_str!("../../deploy/prometheus/sysctl-advisor.rules.yml");
const TESTS: &str = include_str!("../../deploy/prometheus/sysctl-advisor.tests.yml");
const DASHBOARD: &str = include_str!("../../deploy/grafana/sysctl-advisor.json");
const PAGE: &str = include_str!("../../docs/integrations/monitoring.md");

/// Runs the agent while a connection is open, so that there is something of everything.
const AGENT: &str = r#"
import os, socket, subprocess
open("config.toml", "w").write(f'[agent]\njournal = false\nnetns = "current"\ntextfile = "{os.environ["W"]}/gauges.prom"\n')
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
subprocess.run(["sysctl-advisor", "agent", "--config", "config.toml", "--state-dir", "state", "--window", "50ms"], check=True)
"#;

/// The gauges that a run of the agent writes: name, labels and help.
fn gauges() -> BTreeMap<String, (BTreeSet<String>, String)> {
    let place = Place::new();
    std::fs::write(place.work.path().join("agent.py"), AGENT).unwrap();
    place.ok("/usr/bin/python3 agent.py");
    let text = place.ok("cat gauges.prom");
    let mut found = BTreeMap::new();
    for help in text.lines().filter_map(|line| line.strip_prefix("# HELP ")) {
        let (name, help) = help.split_once(' ').unwrap();
        let series = text.lines().find(|line| line.starts_with(&format!("{name}{{")));
        let labels = series.map(|line| labels(&line[name.len()..])).unwrap_or_default();
        found.insert(name.to_owned(), (labels, help.to_owned()));
    }
    found
}

/// `{a="x",b="y"} 1`: a, b.
fn labels(series: &str) -> BTreeSet<String> {
    let pieces = series.split("=\"").map(|piece| piece.rsplit(['{', ',']).next().unwrap());
    pieces
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .map(str::to_owned)
        .collect()
}

/// The names of our gauges and recording rules in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    words.map(|word| word.trim_matches(':')).filter(|word| word.contains("sysctl_advisor_")).collect()
}

fn yaml(text: &str) -> Json {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("it.yml"), text).unwrap();
    let script = "import json, yaml; print(json.dumps(yaml.safe_load(open('it.yml'))))";
    serde_json::from_str(&python("/usr/bin/python3", folder.path(), script)).unwrap()
}

fn rules() -> Vec<Json> {
    let groups = yaml(RULES)["groups"].as_array().unwrap().clone();
    groups.into_iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

fn text<'a>(value: &'a Json, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field}: {value}"))
}

/// A folder with the rules and their tests, the former as given.
fn folder(rules: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sysctl-advisor.rules.yml"), rules).unwrap();
    let tests = folder.path().join("sysctl-advisor.tests.yml");
    std::fs::write(&tests, TESTS).unwrap();
    (folder, tests)
}

/// Whether promtool is content, and what it printed.
fn promtool(command: &[&str], file: &Path) -> (bool, String) {
    needs("promtool", "prometheus");
    let output = Command::new("promtool").args(command).arg(file).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn promtool_accepts_the_rules_and_their_tests_pass() {
    let (folder, tests) = folder(RULES);
    let (good, said) = promtool(&["check", "rules", "--lint-fatal"], &folder.path().join("sysctl-advisor.rules.yml"));
    assert!(good, "{said}");
    let (good, said) = promtool(&["test", "rules"], &tests);
    assert!(good, "{said}");
}

/// Alerts that never fire, and alerts that do not wait, fail the tests, each of them.
#[test]
fn the_tests_of_the_rules_notice_alerts_that_are_deaf_or_too_quick() {
    let alerts: Vec<Json> = rules().into_iter().filter(|rule| rule["alert"].is_string()).collect();
    assert!(alerts.len() >= 10, "{}", alerts.len());
    let quick = RULES.replace(" for: ", " for: 0s # ");
    let mut deaf = RULES.to_owned();
    for alert in &alerts {
        let (before, rule) = deaf.split_once(&format!("- alert: {}\n", text(alert, "alert"))).unwrap();
        let (_, after) = rule.split_once(" for: ").unwrap();
        deaf = format!("{before}- alert: {}\n        expr: vector(0) > 1\n        for: {after}", text(alert, "alert"));
    }
    for (what, rules) in [("never fires", &deaf), ("does not wait", &quick)] {
        let (_folder, tests) = folder(rules);
        let (good, said) = promtool(&["test", "rules"], &tests);
        assert!(!good, "{said}");
        for alert in &alerts {
            let name = text(alert, "alert");
            assert!(said.contains(&format!("alertname: {name}, ")), "{name} {what}, and no test fails: {said}");
        }
    }
}

#[test]
fn each_alert_says_what_to_do_and_is_tested_for_firing_and_for_quiet() {
    let tests: Vec<Json> = yaml(TESTS)["tests"].as_array().unwrap().clone();
    let cases: Vec<&Json> =
        tests.iter().flat_map(|test| test["alert_rule_test"].as_array().into_iter().flatten()).collect();
    for rule in rules().iter().filter(|rule| rule["alert"].is_string()) {
        let name = text(rule, "alert");
        let severity = text(&rule["labels"], "severity");
        assert!(["critical", "warning", "info"].contains(&severity), "{name}: {severity}");
        assert!(rule["for"].is_string(), "{name} fires at once");
        let (summary, description) = (text(&rule["annotations"], "summary"), text(&rule["annotations"], "description"));
        assert!(summary.starts_with("{{ $labels.instance }}: "), "{name}: {summary}");
        assert!(description.contains("On the host, run `"), "{name}: {description}");
        let of_it = |case: &&&Json| case["alertname"] == name;
        let fires =
            cases.iter().filter(of_it).any(|case| case["exp_alerts"].as_array().is_some_and(|all| !all.is_empty()));
        let quiet = cases.iter().filter(of_it).any(|case| case["exp_alerts"].is_null());
        assert!(fires && quiet, "{name}: fires {fires}, quiet {quiet}");
    }
}

/// The rules that annotations name are shipped.
#[test]
fn what_an_annotation_tells_to_explain_can_be_explained() {
    let place = Place::new();
    for part in RULES.split("sysctl-advisor explain ").skip(1) {
        let rule = part.split('`').next().unwrap();
        if !rule.starts_with("{{") {
            place.ok(&format!("sysctl-advisor explain {rule}"));
        }
    }
}

#[test]
fn every_gauge_that_is_named_is_one_that_the_program_writes() {
    let gauges = gauges();
    let records: BTreeSet<String> =
        rules().iter().filter_map(|rule| rule["record"].as_str()).map(str::to_owned).collect();
    for (file, text) in [("rules", RULES), ("tests", TESTS), ("dashboard", DASHBOARD), ("page", PAGE)] {
        for name in names(text) {
            assert!(gauges.contains_key(name) || records.contains(name), "{file}: {name}: {:?}", gauges.keys());
        }
    }
    assert!(names(TESTS).len() > 5, "{:?}", names(TESTS));
    for record in &records {
        assert!(names(TESTS).contains(record.as_str()), "{record} has no test");
    }
}

/// The table of the page is what the program says about its gauges. `SYSCTL_ADVISOR_WRITE=1` writes it.
#[test]
fn the_page_describes_every_gauge() {
    let mut table = String::new();
    for (name, (labels, help)) in gauges() {
        let labels: Vec<String> = labels.into_iter().collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        table.push_str(&format!("| `{name}{labels}` | {help} |\n"));
    }
    let (before, rest) = PAGE.split_once("| gauge | meaning |\n|---|---|\n").expect("the page has a table of gauges");
    let end = rest.find("\n\n").unwrap() + 1;
    if std::env::var_os("SYSCTL_ADVISOR_WRITE").is_some() {
        let page = format!("{before}| gauge | meaning |\n|---|---|\n{table}{}", &rest[end..]);
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/integrations/monitoring.md"), page).unwrap();
        return;
    }
    assert_eq!(&rest[..end], table, "SYSCTL_ADVISOR_WRITE=1 cargo test --test export the_page writes the table");
}

/// Reads the dashboard into Grafana's own types and writes it again; prints what is not the same then.
const ROUND_TRIP: &str = r#"
import json
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
plugins.register_default_plugins()
given = json.load(open("it.json"))
kept = json.loads(JSONEncoder().encode(Dashboard.from_json(given)))
def compare(one, other, path):
    if isinstance(one, dict) and isinstance(other, dict):
        for name, value in one.items():
            compare(value, other.get(name, "nothing"), f"{path}/{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (value, kept) in enumerate(zip(one, other)):
            compare(value, kept, f"{path}/{place}")
    elif one != other:
        print(path, one, other)
compare(given, kept, "")
"#;

#[test]
fn grafana_s_types_know_every_field_of_the_dashboard() {
    let round_trip = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("it.json"), text).unwrap();
        python(PYTHON, folder.path(), ROUND_TRIP)
    };
    assert_eq!(round_trip(DASHBOARD), "");
    // A typing error is one.
    for (name, typo) in [("\"expr\"", "\"exprr\""), ("\"gridPos\"", "\"gridpos\""), ("\"allValue\"", "\"allvalue\"")] {
        let said = round_trip(&DASHBOARD.replacen(name, typo, 1));
        assert!(said.contains(&typo.replace('"', "")), "{typo}: {said}");
    }
}

#[test]
fn the_dashboard_has_what_grafana_needs_and_asks_the_data_source_that_a_person_chooses() {
    let dashboard: Json = serde_json::from_str(DASHBOARD).unwrap();
    assert_eq!(text(&dashboard, "uid"), "sysctl-advisor");
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 36 && dashboard["id"].is_null());
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let named: Vec<&str> = variables.iter().map(|variable| text(variable, "name")).collect();
    assert_eq!(named, ["datasource", "job", "host"]);
    let source = serde_json::json!({"type": "prometheus", "uid": "${datasource}"});
    assert!(variables[1..].iter().all(|variable| variable["datasource"] == source));
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "an id twice");
    let mut places = BTreeSet::new();
    for panel in panels {
        assert!(!text(panel, "title").is_empty());
        let at = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        for place in (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y))) {
            assert!(place.0 < 24 && places.insert(place), "{}: another panel is there", text(panel, "title"));
        }
        if panel["type"] == "row" {
            continue;
        }
        assert!(panel["datasource"] == source && !text(panel, "description").is_empty(), "{panel}");
        let targets = panel["targets"].as_array().unwrap();
        let references: BTreeSet<&str> = targets.iter().map(|target| text(target, "refId")).collect();
        assert!(!targets.is_empty() && references.len() == targets.len(), "{panel}");
        for target in targets {
            assert_eq!(target["datasource"], source);
            let expression = text(target, "expr");
            assert!(expression.contains(r#"job=~"$job",instance=~"$host""#), "{expression}");
        }
    }
}
