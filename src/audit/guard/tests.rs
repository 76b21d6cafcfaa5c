//! Guards over two made-up looks at a host.

use super::*;
use crate::report::example::snapshot;

const HOST: &str = "net:[4026531840]";

/// Ten overflows a second before; then `overflows` in `seconds`.
fn looks(overflows: i64, seconds: f64) -> (Snapshot, Snapshot) {
    let counters = |value: i64| [("TcpExt".to_owned(), [("ListenOverflows".to_owned(), value)].into())].into();
    let (mut before, mut after) = (snapshot(), snapshot());
    before.system.uptime_ms = Some(500_000);
    after.system.uptime_ms = Some(500_000 + (seconds * 1000.0) as u64);
    before.namespaces[0].counters_before = Some(counters(980));
    before.namespaces[0].counters = counters(1000);
    after.namespaces[0].counters = counters(1000 + overflows);
    // Its own window is of no interest.
    after.namespaces[0].counters_before = Some(counters(0));
    (before, after)
}

fn judge(looks: &(Snapshot, Snapshot), worse_if: &str) -> Said {
    let params = [("factor".to_owned(), Value::Double(1.5))].into();
    Looks::new(&looks.0, &looks.1).unwrap().judge(HOST, worse_if, &params)
}

const GUARD: &str = "rate.TcpExt.ListenOverflows > before.rate.TcpExt.ListenOverflows * params.factor";

#[test]
fn a_rate_is_reckoned_from_the_end_of_the_first_look_over_the_time_that_passed() {
    let Said::Worse(numbers) = judge(&looks(90, 5.0), GUARD) else { panic!() };
    assert_eq!(
        numbers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["rate.TcpExt.ListenOverflows was 10/s and is 18/s now"]
    );
    assert!(matches!(judge(&looks(70, 5.0), GUARD), Said::NotWorse(_)));
    assert!(matches!(judge(&looks(90, 50_000.0), GUARD), Said::NotWorse(_)));
}

#[test]
fn states_are_compared_as_they_are_at_once() {
    let mut now = looks(0, 0.1);
    now.1.namespaces[0].sockets.as_mut().unwrap().states.established = 2;
    let Said::Worse(numbers) = judge(&now, "tcp.established < before.tcp.established") else { panic!() };
    assert_eq!(numbers[0].to_string(), "tcp.established was 1,203 sockets and is 2 sockets now");
}

#[test]
fn what_cannot_be_told_is_unknown_with_the_reason() {
    let unknown = |looks: &(Snapshot, Snapshot), worse_if: &str| match judge(looks, worse_if) {
        Said::Unknown(why) => why,
        other => panic!("{worse_if}: {other:?}"),
    };
    assert!(unknown(&looks(90, 0.5), GUARD).contains("only 500 ms have passed"));
    let mut one_reading = looks(90, 5.0);
    one_reading.0.namespaces[0].counters_before = None;
    assert_eq!(
        unknown(&one_reading, GUARD),
        "before the change: rate.TcpExt.ListenOverflows needs a reading at both ends of the window, and there is one reading"
    );
    let mut elsewhere = looks(90, 5.0);
    elsewhere.0.namespaces.remove(0);
    assert!(unknown(&elsewhere, GUARD).contains("was not measured before the change"));
    let mut elsewhere = looks(90, 5.0);
    elsewhere.1.namespaces.remove(0);
    assert!(unknown(&elsewhere, GUARD).contains("was not measured after the change"));
    for hostile in [
        "",
        "1 +",
        "tcp.established",
        "params.none > 1.0",
        "listener.queue > 1",
        "1 / 0 > 1",
        "nonsense\u{1b}[2J > 1",
        &"(".repeat(4000),
        &"x".repeat(100_000),
        &"!".repeat(4000),
    ] {
        let why = unknown(&looks(90, 5.0), hostile);
        assert!(!why.is_empty() && why.len() < 2000 && !why.contains(char::is_control), "{hostile:.20}: {why:?}");
    }
}

#[test]
fn another_boot_or_an_older_look_is_no_comparison() {
    let (before, mut after) = looks(90, 5.0);
    after.system.boot_id = Some("another".into());
    assert!(Looks::new(&before, &after).unwrap_err().contains("from another boot"));
    let (before, after) = looks(90, 5.0);
    assert!(Looks::new(&after, &before).unwrap_err().contains("older"));
    let (mut before, after) = looks(90, 5.0);
    before.system.uptime_ms = None;
    assert!(Looks::new(&before, &after).unwrap_err().contains("uptime"));
}

proptest::proptest! {
    #[test]
    fn no_condition_panics(condition in "(tcp.established|before|params.factor|rate.TcpExt.ListenOverflows|[-+*/()<>=! .0-9]|\\PC){0,30}") {
        let looks = looks(90, 5.0);
        let _ = judge(&looks, &condition);
    }
}
