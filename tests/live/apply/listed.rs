//! `changes` for programs: real journals, held against the published schema.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not in a #[test] function")]

use serde_json::{Value, json};

use super::guards::applied_and_worse;
use super::scene::{Scene, THREE};

const PUBLISHED: &str = include_str!("../../../docs/schema/changes-1.json");

fn checked(text: &str) -> Value {
    let document: Value = serde_json::from_str(text).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(PUBLISHED).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new(), "{text}");
    document
}

fn listed(scene: &Scene, options: &[&str]) -> Value {
    checked(&scene.ok(&[&["changes", "--format", "json"], options].concat()).out)
}

#[test]
fn the_status_of_a_change_follows_it_from_applied_to_rolled_back() {
    let scene = Scene::enter();
    assert_eq!(listed(&scene, &[])["changes"], json!([]), "nothing was applied yet");
    scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
    assert_eq!(listed(&scene, &[])["changes"][0]["status"], "in_force");
    scene.ok(&["confirm"]);
    assert_eq!(listed(&scene, &["--in-force"])["changes"][0]["status"], "permanent");
    scene.ok(&["rollback", "--last", "--yes"]);
    assert_eq!(listed(&scene, &["--in-force"])["changes"], json!([]));

    let change = listed(&scene, &["1"])["changes"][0].take();
    assert_eq!((&change["id"], &change["status"]), (&json!(1), &json!("rolled_back")));
    let (key, before, after) = THREE[0];
    assert_eq!(change["values"][0], json!({"key": key, "before": before, "after": after}));
    assert_eq!(change["verdicts"], Value::Null, "the values are not in force");
    let steps: Vec<&str> =
        change["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(
        steps.join(" "),
        "begun writing written writing written writing written applied confirming confirmed \
         rolling_back restoring restored restoring restored restoring restored rolled_back"
    );
    let file = change["restores"].as_str().unwrap();
    assert!(scene.path(file).exists(), "{file}");
}

#[test]
fn what_a_guard_says_stands_there_with_its_numbers() {
    let scene = Scene::enter();
    let _connections = applied_and_worse(&scene);
    assert_eq!(listed(&scene, &[])["changes"][0]["verdicts"], Value::Null, "a list does not look at the host");
    let verdict = listed(&scene, &["1"])["changes"][0]["verdicts"][0].take();
    assert_eq!((&verdict["rule"], &verdict["result"]), (&json!("a-rule"), &json!("worse")));
    let number = &verdict["numbers"][0];
    assert_eq!(number["metric"], "tcp.established");
    let count = |name: &str| number[name].as_str().unwrap().parse::<u32>().unwrap();
    assert!(count("after") > count("before") + 5, "{verdict}");
}

#[test]
fn a_journal_that_cannot_be_read_is_named_beside_the_others() {
    let scene = Scene::enter();
    scene.ok(&["apply", &scene.plan(&THREE[..1]), "--yes"]);
    scene.ok(&["apply", &scene.plan(&THREE[1..2]), "--yes"]);
    std::fs::write(scene.state().join("changes/1/steps.jsonl"), "noise\nnoise\n").unwrap();
    let run = scene.run(&["changes", "--format", "json"]);
    assert_ne!(run.code, Some(0));
    let document = checked(&run.out);
    assert_eq!(document["unreadable"][0]["id"], 1);
    assert!(document["unreadable"][0]["why"].as_str().unwrap().contains("steps.jsonl"), "{document}");
    assert_eq!(document["changes"][0]["id"], 2);
}
