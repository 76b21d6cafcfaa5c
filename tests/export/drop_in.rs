//! `sysctl.d` and `sysctl-commands`: loaded by the real loaders, and shown to win or lose among other files.

use crate::place::{FAULTS, Place};

const DROP_IN: &str = "/etc/sysctl.d/91-sysctl-advisor-export.conf";

#[test]
fn both_loaders_load_the_drop_in_and_the_findings_are_gone() {
    for (loader, one_file) in
        [("/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl "), ("sysctl --system", "sysctl --load=")]
    {
        let place = Place::new();
        let plan = place.plan();
        place.ok(&format!("sysctl-advisor export sysctl.d plan.json -o {DROP_IN}"));
        place.assert_untouched();
        place.ok(&format!("{one_file}{DROP_IN}"));
        place.assert_mended(&plan);
        place.break_again();
        place.ok(loader);
        place.assert_mended(&plan);
    }
}

#[test]
fn a_file_that_wins_over_the_export_is_named_with_its_line() {
    let place = Place::new();
    place.plan();
    place.ok("printf '# later\\nnet.ipv4.tcp_sack = 0\\n' > /etc/sysctl.d/95-later.conf");
    let output = place.sh(&format!("sysctl-advisor export sysctl.d plan.json -o {DROP_IN}"));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(11), "{errors}");
    for loader in ["systemd", "procps"] {
        let told = format!("net.ipv4.tcp_sack: with the loader {loader}, /etc/sysctl.d/95-later.conf:2 sets 0");
        assert!(errors.contains(&told), "{errors}");
    }
    // What it says is what happens, and what it advises helps.
    place.ok("/lib/systemd/systemd-sysctl");
    assert_eq!(place.value("net.ipv4.tcp_sack"), "0");
    place.ok("sysctl-advisor export sysctl.d plan.json --drop-in /etc/sysctl.d/99-ours.conf -o /");
    place.ok("/lib/systemd/systemd-sysctl");
    assert_eq!(place.value("net.ipv4.tcp_sack"), "1");
}

#[test]
fn a_value_that_a_file_raises_further_is_not_taken_back() {
    let place = Place::new();
    place.plan();
    place.ok("echo net.ipv4.tcp_max_tw_buckets = 500000 > /etc/sysctl.d/50-more.conf");
    let output = place.sh("sysctl-advisor export sysctl.d plan.json");
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{errors}");
    assert!(!text.contains("tcp_max_tw_buckets ="), "{text}");
    assert!(errors.contains("/etc/sysctl.d/50-more.conf:1 sets 500000, which is enough"), "{errors}");
}

#[test]
fn the_commands_set_the_values_and_the_way_back_sets_the_former_ones() {
    let place = Place::new();
    let plan = place.plan();
    place.ok("sysctl-advisor export sysctl-commands plan.json | sh");
    place.assert_mended(&plan);
    assert_eq!(
        place.ok("sysctl-advisor export sysctl-commands plan.json | sh"),
        "",
        "the second run has nothing to do"
    );
    place.ok("sysctl-advisor export sysctl-commands --style undo plan.json | sh");
    place.assert_untouched();
    place.ok("sysctl-advisor export sysctl-commands plan.json | tee set.sh | sh");
    place.ok("sed -n '/^# The way back/,$ s/^# \\[/[/p' set.sh | sh");
    place.assert_untouched();
}

#[test]
fn the_commands_leave_alone_what_somebody_set_since_the_plan() {
    let place = Place::new();
    place.plan();
    place.ok("sysctl -qw net.ipv4.tcp_max_tw_buckets=777777");
    place.ok("sysctl-advisor export sysctl-commands plan.json | sh");
    assert_eq!(place.value("net.ipv4.tcp_max_tw_buckets"), "777777");
}

#[test]
fn without_a_plan_the_host_is_audited_first_and_the_exit_code_says_that_something_changes() {
    let place = Place::new();
    let made = place.sh("sysctl-advisor export sysctl.d --window 0 --detailed-exitcode");
    assert_eq!(made.status.code(), Some(12));
    let text = String::from_utf8(made.stdout).unwrap();
    assert!(FAULTS.iter().all(|(key, _)| text.contains(&format!("\n{key} = "))), "{text}");
    assert_eq!(place.sh("sysctl-advisor plan --window 0 --detailed-exitcode").status.code(), Some(12));
    place.ok("sysctl-advisor export sysctl-commands --window 0 | sh");
    assert_eq!(place.sh("sysctl-advisor export sysctl.d --window 0 --detailed-exitcode").status.code(), Some(0));
    assert_eq!(place.sh("sysctl-advisor plan --window 0 --detailed-exitcode").status.code(), Some(0));
}
