//! Every scenario is as it says: faults are found and ended, folk remedies do not help, look-alikes are quiet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value as Json;

use super::{err, lab, out};

/// Of which a value changes by itself, or because tests run.
const CHANGES_BY_ITSELF: [&str; 15] = [
    "fs/dentry-state",
    "fs/file-nr",
    "fs/inode-nr",
    "fs/inode-state",
    "fs/aio-nr",
    "fs/quota/",
    "kernel/keys/",
    "kernel/ns_last_pid",
    "kernel/pty/nr",
    "kernel/random/",
    "kernel/sched_domain/",
    "net/netfilter/nf_conntrack_count",
    "net/netfilter/nf_conntrack_buckets",
    "vm/stat_refresh",
    "kernel/tainted",
];

/// Everything that is played once, and whether the machine was the same before and after.
struct Run {
    report: Json,
    before: BTreeMap<String, String>,
    after: BTreeMap<String, String>,
}

fn run() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| {
        let before = sysctls();
        let output = lab(&["run", "--all", "--wrong", "--format", "json", "--jobs", "4"]);
        let report = serde_json::from_str(&out(&output));
        let mut report: Json = report.unwrap_or_else(|error| panic!("{error}: {}", err(&output)));
        for scenario in report["scenarios"].as_array_mut().unwrap().iter_mut().filter(|it| it["as_expected"] != true) {
            eprintln!("not as expected beside three others: {scenario}");
            *scenario = alone(scenario["name"].as_str().unwrap());
        }
        Run { report, before, after: sysctls() }
    })
}

/// What a scenario shows if no other is played at the same time. Some need a processor at the right moment.
fn alone(name: &str) -> Json {
    let output = lab(&["run", name, "--wrong", "--format", "json"]);
    serde_json::from_str::<Json>(&out(&output)).unwrap()["scenarios"][0].take()
}

fn scenarios() -> &'static Vec<Json> {
    run().report["scenarios"].as_array().unwrap()
}

fn texts(value: &Json) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// Every sysctl of the machine, by its path below /proc/sys.
fn sysctls() -> BTreeMap<String, String> {
    fn walk(folder: &Path, all: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = path.strip_prefix("/proc/sys").unwrap().to_str().unwrap().to_owned();
            if CHANGES_BY_ITSELF.iter().any(|begin| name.starts_with(begin)) {
                continue;
            }
            match entry.file_type().unwrap().is_dir() {
                true => walk(&path, all),
                // Some can only be written.
                false => drop(std::fs::read_to_string(&path).map(|text| all.insert(name, text))),
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(Path::new("/proc/sys"), &mut all);
    all
}

#[test]
fn every_fault_is_found_and_ended_and_every_look_alike_is_quiet() {
    let wrong: Vec<String> = scenarios()
        .iter()
        .filter(|scenario| scenario["as_expected"] != true)
        .map(|scenario| {
            let parts = ["name", "missing", "unexpected", "otherwise", "remaining", "not_here", "broken"];
            parts.map(|part| format!("{part} {}", scenario[part])).join(", ")
        })
        .collect();
    assert!(wrong.is_empty(), "{} are not as expected:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn precision_and_recall_over_all_scenarios_are_one() {
    let of_kind = |kind: &str| scenarios().iter().filter(|scenario| scenario["kind"] == kind).count();
    let sum = |part: &str| scenarios().iter().map(|scenario| texts(&scenario[part]).len()).sum::<usize>();
    let (expected, missing, unexpected) = (sum("expected"), sum("missing"), sum("unexpected"));
    let (faults, look_alikes) = (of_kind("fault"), of_kind("look_alike"));
    let tried: usize = scenarios().iter().map(|scenario| scenario["wrong"].as_array().unwrap().len()).sum();
    eprintln!(
        "the lab: {faults} faults with {expected} expected findings, {missing} missed; {look_alikes} healthy look-alikes; \
         {unexpected} findings without a fault; {tried} folk remedies, none of which helped"
    );
    assert_eq!((missing, unexpected), (0, 0));
    assert!(faults >= 35 && look_alikes >= 25, "{faults} faults, {look_alikes} look-alikes");
}

#[test]
fn no_sysctl_of_the_machine_is_another_after_all_scenarios() {
    let Run { before, after, .. } = run();
    assert!(before.len() > 500, "{} sysctls were read", before.len());
    let changed: Vec<String> = before
        .iter()
        .filter(|(name, value)| after.get(*name) != Some(value))
        .map(|(name, value)| format!("{name}: {value:?}, now {:?}", after.get(name)))
        .collect();
    assert_eq!(changed, [""; 0]);
}

#[test]
fn the_page_of_the_lab_has_every_scenario_with_its_rules() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lab.md");
    if std::env::var_os("SYSCTL_ADVISOR_WRITE").is_some() {
        let output = lab(&["run", "--all", "--wrong", "--format", "markdown", "--jobs", "4"]);
        std::fs::write(&file, out(&output)).unwrap();
    }
    let page = std::fs::read_to_string(file).unwrap();
    let row = |scenario: &Json| {
        let name = scenario["name"].as_str().unwrap();
        let row = page.lines().find(|line| line.starts_with(&format!("| `{name}`")));
        let row = row.unwrap_or_else(|| panic!("docs/lab.md does not have {name}: {WRITE}"));
        let lacks: Vec<&str> = texts(&scenario["expected"]).into_iter().filter(|rule| !row.contains(rule)).collect();
        assert_eq!(lacks, [""; 0], "docs/lab.md, {name}: {WRITE}");
    };
    scenarios().iter().for_each(row);
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, scenarios().len(), "docs/lab.md has scenarios that there are not: {WRITE}");
}

const WRITE: &str = "run SYSCTL_ADVISOR_WRITE=1 cargo test --test lab -- page";

#[test]
fn each_scenario_is_over_within_its_time() {
    // The program ends a stage that takes longer than 90 s, and says so; here none was ended.
    let ended: BTreeSet<&str> = scenarios().iter().filter_map(|scenario| scenario["broken"].as_str()).collect();
    assert!(!ended.iter().any(|why| why.contains("longer than")), "{ended:?}");
}
