//! Salt without a master: dry run, real run, second run.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use sysctl_advisor::export::DROP_IN;

use crate::place::{FAULTS, Place, needs_tool};

const CALL: &str = "salt-call --local --id=web --config-dir=conf --cachedir=cache --log-file=/dev/null \
                    --file-root=states --pillar-root=pillar --out=json state.apply sysctl_advisor";

/// What Salt says of each key: its result, and whether it says that it changed something.
fn apply(place: &Place, options: &str) -> BTreeSet<(String, Option<bool>, bool)> {
    let text = place.ok(&format!("{CALL} {options}"));
    let json: Json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let states = json["local"].as_object().unwrap_or_else(|| panic!("{text}")).values();
    let read = states.map(|state| {
        let name = state["name"].as_str().unwrap().to_owned();
        (name, state["result"].as_bool(), !state["changes"].as_object().unwrap().is_empty())
    });
    read.collect()
}

/// Every key of the plan with this result.
fn all(plan: &[(String, String)], result: Option<bool>, changed: bool) -> BTreeSet<(String, Option<bool>, bool)> {
    plan.iter().map(|(key, _)| (key.clone(), result, changed)).collect()
}

/// A place with a minion that has no state yet.
fn minion() -> (Place, Vec<(String, String)>) {
    needs_tool("salt-call");
    let place = Place::new();
    let plan = place.plan();
    place.ok("mkdir conf states pillar && touch conf/minion");
    (place, plan)
}

fn shows_changes_and_has_nothing_to_do_the_second_time(place: &Place, plan: &[(String, String)]) {
    assert_eq!(apply(place, "test=True"), all(plan, None, false));
    place.assert_untouched();
    assert_eq!(apply(place, ""), all(plan, Some(true), true));
    place.assert_mended(plan);
    assert_eq!(apply(place, ""), all(plan, Some(true), false));
    // At a boot the file does it.
    place.break_again();
    place.ok("/lib/systemd/systemd-sysctl");
    place.assert_mended(plan);
}

#[test]
fn salt_shows_the_state_changes_and_has_nothing_to_do_the_second_time() {
    let (place, plan) = minion();
    place.ok("sysctl-advisor export salt plan.json -o states/sysctl_advisor.sls");
    shows_changes_and_has_nothing_to_do_the_second_time(&place, &plan);
}

#[test]
fn the_state_of_the_page_sets_what_the_pillar_has() {
    let (place, plan) = minion();
    let page = include_str!("../../docs/integrations/salt.md");
    let state = page.split_once("```jinja\n").unwrap().1.split_once("```").unwrap().0;
    std::fs::write(place.work.path().join("states/sysctl_advisor.sls"), state).unwrap();
    place.ok("printf \"base:\\n  '*': [sysctl_advisor]\\n\" > pillar/top.sls");
    place.ok("sysctl-advisor export salt --style pillar plan.json -o pillar/sysctl_advisor.sls");
    shows_changes_and_has_nothing_to_do_the_second_time(&place, &plan);
    let file = place.ok(&format!("cat {DROP_IN}"));
    assert!(FAULTS.iter().all(|(key, _)| file.contains(&format!("{key} = "))), "{file}");
}
