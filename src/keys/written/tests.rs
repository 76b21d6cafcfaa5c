//! Texts and what becomes of them; the kernel itself is asked in `tests/live/texts`.

use super::*;
use crate::keys::is_rounded;

const INT: &str = "net.ipv4.tcp_fin_timeout";
const TRIPLE: &str = "net.ipv4.tcp_rmem";
const RANGE: &str = "net.ipv4.ip_local_port_range";
const LIST: &str = "net.ipv4.ip_local_reserved_ports";
const NAME: &str = "net.ipv4.tcp_congestion_control";

/// The value afterwards, or the error before it.
fn after(name: &str, present: &str, text: &str) -> String {
    let written = written(name, Some(present), text);
    let value = written.value.unwrap_or_default();
    written.refused.map_or_else(|| value.clone(), |refused| format!("{} {value}", refused.errno))
}

#[test]
fn what_is_behind_the_last_number_is_ignored() {
    assert_eq!(after(INT, "60", "25 # shorter"), "25");
    assert_eq!(after(INT, "60", "25\t; 30"), "25");
    assert_eq!(after(TRIPLE, "1\t2\t3", "4096 65536 1048576 99"), "4096 65536 1048576");
    assert_eq!(written(INT, None, "25 # shorter\n").ignored, "# shorter");
    assert_eq!(written(INT, None, "25 \n").ignored, "");
    for text in ["900# stuck", "0 off", "25\u{b}", "+5", "08", "", "\n", "# off"] {
        let refused = written(INT, Some("60"), text).refused.is_some();
        assert_eq!(refused, text != "0 off", "{text:?}");
    }
}

#[test]
fn fewer_numbers_leave_the_others_as_they_are() {
    assert_eq!(after(TRIPLE, "1\t2\t3", "4096 65536"), "4096 65536 3");
    assert_eq!(written(TRIPLE, Some("1 2 3"), "4096 65536").missing, 1);
    assert_eq!(written(TRIPLE, None, "4096 65536").value, None, "nobody knows the third");
    assert_eq!(after(RANGE, "32768 60999", "20000"), "20000 60999");
}

#[test]
fn a_triple_is_stored_up_to_its_mistake_and_a_range_is_not() {
    assert_eq!(after(TRIPLE, "1 2 3", "4096 65536 \\"), "EINVAL 4096 65536 3");
    assert!(written(TRIPLE, Some("1 2 3"), "4096 65536 -1").partly);
    assert!(!written(TRIPLE, Some("1 2 3"), "4096x 65536 1").partly);
    assert_eq!(after(RANGE, "32768 60999", "20000 6x"), "EINVAL 32768 60999");
    assert_eq!(after(RANGE, "32768 60999", "61000"), "EINVAL 32768 60999", "it would end before it begins");
}

#[test]
fn a_port_list_is_taken_as_a_whole() {
    for (text, expected) in [
        ("9000-9010,8080", "8080,9000-9010"),
        ("8080,", "8080"),
        ("1\n2", "1-2"),
        ("", ""),
        ("0x10", "16"),
        ("1-2\0", "1-2"),
    ] {
        assert_eq!(after(LIST, "7", text), expected, "{text:?}");
    }
    for text in ["8080 # web", "80, 90", " 80", "1-2-3", "5-3", "65536", "-1", ",", "80,,90", "1\0"] {
        assert_eq!(after(LIST, "7", text), "EINVAL 7", "{text:?}");
    }
}

#[test]
fn a_name_is_refused_with_what_is_behind_it() {
    assert_eq!(after(NAME, "cubic", "reno"), "reno");
    assert_eq!(after(NAME, "cubic", "reno # steady"), "ENOENT cubic");
    assert_eq!(after(NAME, "cubic", ""), "ENOENT cubic");
    assert_eq!(after("net.ipv4.tcp_allowed_congestion_control", "reno", "reno  cubic"), "reno cubic");
}

#[test]
fn a_key_that_the_catalogue_does_not_have_is_known_by_its_value() {
    assert_eq!(after("net.ipv4.conf.all.forwarding", "0", "1 # a router"), "1");
    assert_eq!(written("net.ipv6.conf.eth0.accept_ra", None, "2 # yes").value.as_deref(), Some("2"));
    assert_eq!(after("kernel.printk", "4\t4\t1\t7", "3 # quiet"), "EINVAL 3 4 1 7", "four are read");
    assert_eq!(after("vm.swappiness", "60", "10%"), "EINVAL 60");
    for (name, present) in
        [("kernel.core_pattern", "1"), ("net.core.rps_default_mask", "0"), ("kernel.tainted", "00"), ("net.x", "on")]
    {
        assert_eq!(written(name, Some(present), "1 # x"), Written::default(), "{name}");
    }
    assert_eq!(written("net.x25.acknowledgement_hold_back_timeout", None, "1 # x"), Written::default());
}

#[test]
fn ticks_of_the_kernel_s_clock_round() {
    assert!(is_rounded("net.ipv4.icmp_ratelimit", 10, 12), "250 a second");
    assert!(is_rounded("net.ipv4.neigh.lo.locktime", 33, 32));
    assert!(!is_rounded("net.ipv4.icmp_ratelimit", 10, 14));
    assert!(!is_rounded(INT, 10, 12));
    assert!(!is_rounded("net.ipv4.icmp_ratelimit", i64::MAX, 12));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[ \\t\\n0-9a-fx,;#\\\\-]{0,40}|\\PC{0,20}", present in "[0-9 ]{0,12}") {
        for key in catalogue().iter() {
            let written = written(&key.name, Some(&present), &text);
            proptest::prop_assert!(!written.partly || written.refused.is_some());
        }
        written("net.unknown", Some(&present), &text);
    }

    #[test]
    fn what_our_own_parser_reads_and_finds_valid_is_written_as_it_is(text in "[ 0-9x,-]{0,30}") {
        for key in catalogue().iter().filter(|key| key.kind != ValueType::Text && !key.read_only) {
            let Ok(value) = super::super::parse(key, &text) else { continue };
            if super::super::validate(key, &value).is_ok() && !text.contains("-0") && !text.starts_with(' ') && !text.ends_with(' ') {
                let written = written(&key.name, None, &text);
                let read = written.value.map(|written| super::super::parse(key, &written));
                proptest::prop_assert_eq!(read, Some(Ok(value)), "{} {:?}", &key.name, text);
            }
        }
    }
}
