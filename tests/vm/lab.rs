//! The scenarios of the lab that need a whole machine, played on one.

use crate::machine::scenario;

#[test]
fn what_only_a_machine_can_show_is_found_and_ended() {
    let report = scenario("whole-lab").lab.as_ref().expect("the lab printed a report");
    let scenarios = report["scenarios"].as_array().unwrap();
    assert!(scenarios.len() >= 16, "{scenarios:?}");
    let wrong: Vec<_> = scenarios.iter().filter(|scenario| scenario["as_expected"] != true).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
