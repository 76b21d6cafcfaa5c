//! Half-duplex links: a card made by software says that it has one.

use std::process::{Command, Stdio};

use crate::support::lab::ip;
use crate::support::process::{self, Server};
use crate::support::{Lab, Report};

const RULE: &str = "half-duplex";

/// A card with a link.
fn card(lab: &Lab, duplex: &str) -> Server {
    let card = process::tap(lab, "card0", duplex);
    ip("link set card0 up");
    card
}

/// An audit whose `/sys` is that of the lab, as on a host of its own, started by way of another command.
fn audit(_lab: &Lab, by: &str) -> Report {
    let script = format!("mount -t sysfs sysfs /sys && exec {by} \"$0\" audit --format json --window 0.2s");
    let program = env!("CARGO_BIN_EXE_sysctl-advisor");
    let output =
        Command::new("unshare").args(["--mount", "sh", "-c", &script, program]).stdin(Stdio::null()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 10)), "{errors}");
    Report::new(serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}")))
}

#[test]
fn a_card_with_a_half_duplex_link_is_named_and_negotiation_of_a_full_one_heals_it() {
    let lab = Lab::enter();
    let half = card(&lab, "half");
    let report = audit(&lab, "");
    report.assert_level(RULE, "warning", "card0 is half-duplex");
    assert_eq!(report.subjects(RULE), ["card0"]);
    assert_eq!(report.evidence(RULE, "speed (Mbit/s)"), 10);
    assert_eq!(report.recommendations(RULE), [], "no sysctl is the cable");
    ip("link set card0 down");
    audit(&lab, "").assert_quiet(RULE);

    drop(half);
    let _full = card(&lab, "full");
    audit(&lab, "").assert_quiet(RULE);
}

/// The names in `/sys` are those of the namespace that it was mounted in; in another one the same name is another card.
#[test]
fn the_cards_of_another_namespace_that_sys_shows_are_not_taken_for_the_own_ones() {
    let lab = Lab::enter();
    let _half = card(&lab, "half");
    let _full = lab.far.inside(|| {
        ip("link add more0 type veth peer name more1");
        card(&lab, "full")
    });
    audit(&lab, "").assert_fires(RULE);
    audit(&lab, &format!("nsenter --net={}", lab.far.path())).assert_quiet(RULE);
}
