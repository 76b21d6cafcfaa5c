//! `rules list | check | test | metrics | schema`.

use insta::assert_snapshot;
use serde_json::Value as Json;

use super::{RULE, run, scratch, spoilt, without};

fn shipped() -> Vec<std::path::PathBuf> {
    let rules = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut files = Vec::new();
    for area in std::fs::read_dir(rules).unwrap().map(|entry| entry.unwrap().path()) {
        if !["keys", "reference"].contains(&area.file_name().unwrap().to_str().unwrap()) {
            files.extend(std::fs::read_dir(area).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(files.len() > 20);
    files.sort();
    files
}

#[test]
fn every_shipped_rule_is_listed_and_passes_its_tests() {
    let json: Json = serde_json::from_str(&run(&["rules", "list", "--format", "json"]).out).unwrap();
    let mut listed: Vec<&str> = json.as_array().unwrap().iter().map(|row| row["rule"].as_str().unwrap()).collect();
    listed.sort_unstable();
    let mut files: Vec<String> =
        shipped().iter().map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    files.sort();
    assert_eq!(listed, files);
    let text = run(&["rules", "list"]).out;
    assert!(files.iter().all(|id| text.contains(id.as_str())));

    let test = run(&["rules", "test"]);
    assert_eq!((test.code, test.err.as_str()), (0, ""));
    let counts = test.out.strip_prefix(&format!("{} rules checked, 0 broken; ", files.len())).unwrap();
    let passed: usize = counts.strip_suffix(" tests passed, 0 failed\n").unwrap().parse().unwrap();
    assert!(passed >= 2 * files.len(), "{passed}");
    assert_eq!(run(&["rules", "check"]).out, format!("{} rules checked, 0 broken\n", files.len()));
}

#[test]
fn every_shipped_rule_is_valid_by_the_published_schema() {
    let schema: Json = serde_json::from_str(&run(&["rules", "schema"]).out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let json = |text: &str| serde_json::to_value(toml::from_str::<toml::Value>(text).unwrap()).unwrap();
    for file in shipped() {
        let rule = json(&std::fs::read_to_string(&file).unwrap());
        let errors: Vec<String> = validator.iter_errors(&rule).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", file.display());
    }
    assert!(validator.is_valid(&json(RULE)));
    for (old, new) in [
        ("severity", "severty"),
        ("\"notice\"", "\"fatal\""),
        ("explain =", "#"),
        ("risk = \"low\"", "risk = 1"),
        ("expect = \"fires\"", "expect = \"sometimes\""),
    ] {
        assert!(!validator.is_valid(&json(&spoilt(old, new))), "{new}");
    }
}

#[test]
fn a_failing_test_inside_a_rule_is_shown_where_it_stands() {
    let (folder, file) = scratch("mine.toml", spoilt("= 1001", "= 999"));
    let run = run(&["rules", "test", file.to_str().unwrap()]);
    assert_eq!(run.code, 2);
    assert_snapshot!(run.out, @"1 rule checked, 0 broken; 1 tests passed, 1 failed");
    assert_snapshot!(without(&folder, &run.err), @r#"
    error: test `many`: it is quiet
      --> DIR/mine.toml:25:1
       |
    25 | given."tcp.time_wait" = 999
       | ^^^^^
    "#);
}

#[test]
fn check_names_a_cause_that_is_no_rule() {
    let causes = "follows_from = [\"accept-queue-not-drained\", \"softnet-drop\"]\nwhen = ";
    let (folder, file) = scratch("mine.toml", spoilt("when = ", causes));
    let run = run(&["rules", "check", file.to_str().unwrap()]);
    assert_eq!(run.code, 2);
    assert_snapshot!(without(&folder, &run.err), @r#"
    error: `follows_from` names `softnet-drop`, but there is no such rule
     --> DIR/mine.toml:5:45
      |
    5 | follows_from = ["accept-queue-not-drained", "softnet-drop"]
      |                                             ^^^^^^^^^^^^^^
      |
      = help: did you mean `softnet-drops`?
    "#);
}

#[test]
fn check_names_every_error_of_a_file() {
    let (folder, file) =
        scratch("mine.toml", spoilt("tcp.time_wait > params", "tcp.tiem_wait > param").replace("\"RFC 9293\"", ""));
    let run = run(&["rules", "check", file.to_str().unwrap()]);
    assert_eq!(run.code, 2);
    assert_snapshot!(run.out, @"1 rule checked, 1 broken");
    assert_snapshot!(without(&folder, &run.err), @"
    error: there is no metric `tcp.tiem_wait`
     --> DIR/mine.toml:5:9
      |
    5 | when = 'tcp.tiem_wait > param.limit'
      |         ^^^^^^^^^^^^^
      |
      = help: did you mean `tcp.time_wait`?

    error: there is no metric `param.limit`
     --> DIR/mine.toml:5:25
      |
    5 | when = 'tcp.tiem_wait > param.limit'
      |                         ^^^^^^^^^^^
      |
      = help: `sysctl-advisor rules metrics` prints all names

    error: a rule must have at least one source in `references`
     --> DIR/mine.toml:7:14
      |
    7 | references = []
      |              ^^
    ");
}

#[test]
fn a_rule_file_that_is_not_there_is_an_error() {
    let run = run(&["rules", "check", "/nonexistent/a.toml"]);
    assert_eq!(run.code, 2);
    assert_snapshot!(run.err, @"error: /nonexistent/a.toml: No such file or directory");
}

#[test]
fn metrics_are_listed_with_their_healthy_values() {
    let json: Json = serde_json::from_str(&run(&["rules", "metrics", "--format", "json"]).out).unwrap();
    let metrics = json["metrics"].as_array().unwrap();
    let text = run(&["rules", "metrics"]).out;
    let healthy = run(&["rules", "metrics", "--healthy"]).out;
    assert!(metrics.len() > 50);
    for metric in metrics {
        let name = metric["name"].as_str().unwrap();
        assert!(text.contains(name) && healthy.contains(&format!("{name} = ")), "{name}");
    }
    assert!(healthy.contains("\nnet.ipv4.tcp_fin_timeout = 60\n"), "{healthy}");
}

#[test]
fn the_rules_that_the_tests_of_interfaces_use_pass_their_own_tests() {
    let run = run(&["rules", "test", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/rules")]);
    assert_eq!(
        (run.code, run.out.as_str()),
        (0, "4 rules checked, 0 broken; 9 tests passed, 0 failed\n"),
        "{}",
        run.err
    );
}

#[test]
fn a_change_of_what_is_read_once_is_refused_with_the_reason() {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    let rule =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/rules/cpu-receives.toml")).unwrap();
    std::fs::write(file.path(), rule.replace("delta.cpu.net_rx > 0", "delta.window.seconds > 0.0")).unwrap();
    let run = run(&["rules", "check", file.path().to_str().unwrap()]);
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("`window.seconds` has no delta and no rate, because it is read once or is not a number"),
        "{}",
        run.err
    );
}
