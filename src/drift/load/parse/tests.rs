//! How each loader cuts lines up, and that no text makes it fail.

use super::*;

const BOTH: [Loader; 2] = [Loader::Systemd, Loader::Procps];

fn read(text: &str, loader: Loader) -> Vec<(String, Option<String>)> {
    entries(text, loader).0.into_iter().map(|entry| (entry.name, entry.value)).collect()
}

fn pair(name: &str, value: &str) -> (String, Option<String>) {
    (name.to_owned(), Some(value.to_owned()))
}

#[test]
fn an_assignment_has_its_line_and_its_place() {
    let text = "# comment\n\n  net.core.somaxconn\t=  4096 \n-a.b=1";
    for loader in BOTH {
        let (entries, faults) = entries(text, loader);
        assert_eq!(faults, []);
        assert_eq!(entries.len(), 2);
        assert_eq!((entries[0].line, &text[entries[0].span.clone()]), (3, "net.core.somaxconn\t=  4096"));
        assert_eq!((entries[1].line, &text[entries[1].span.clone()], entries[1].ignore_failure), (4, "a.b=1", true));
    }
}

#[test]
fn a_comment_after_a_value_belongs_to_the_value() {
    for loader in BOTH {
        assert_eq!(read("a.b = 1 # why\n;c.d=1\n #e.f=1", loader), [pair("a.b", "1 # why")]);
    }
}

#[test]
fn a_value_may_hold_equals_signs_and_may_be_empty() {
    for loader in BOTH {
        assert_eq!(read("a.b = c=d=\ne.f =\n", loader), [pair("a.b", "c=d="), pair("e.f", "")]);
    }
}

#[test]
fn a_name_after_a_dash_without_a_value_excludes() {
    for loader in BOTH {
        assert_eq!(read("-net.ipv4.conf.all.rp_filter", loader), [("net.ipv4.conf.all.rp_filter".to_owned(), None)]);
    }
}

#[test]
fn the_loaders_end_lines_differently() {
    assert_eq!(
        read("a.b=1\rc.d=2\0e.f=3\r\n", Loader::Systemd),
        [pair("a.b", "1"), pair("c.d", "2"), pair("e.f", "3")]
    );
    assert_eq!(read("a.b=1\rc.d=2\0e.f=3\n", Loader::Procps), [pair("a.b", "1\rc.d=2")]);
    assert_eq!(read("a.b=1\r\n\x0cc.d=2\n", Loader::Procps), [pair("a.b", "1"), pair("c.d", "2")]);
    assert_eq!(read("\x0cc.d=2\n", Loader::Systemd), [pair("\x0cc.d", "2")]);
}

#[test]
fn a_space_after_the_dash_is_no_name_to_procps() {
    assert_eq!(read("- a.b = 1", Loader::Systemd), [pair("a.b", "1")]);
    let (entries, faults) = entries("- a.b = 1", Loader::Procps);
    assert_eq!((entries, faults[0].code), (Vec::new(), codes::BAD_KEY));
}

#[test]
fn a_line_that_says_nothing_is_a_fault_with_its_place() {
    for loader in BOTH {
        let (entries, faults) = entries("a.b 1\n= 5\n", loader);
        assert_eq!(entries, []);
        assert_eq!(
            faults.iter().map(|fault| (fault.line, fault.code)).collect::<Vec<_>>(),
            [(1, codes::NOT_AN_ASSIGNMENT), (2, codes::BAD_KEY)]
        );
    }
}

#[test]
fn systemd_gives_a_file_up_at_a_line_of_1_mib_and_procps_does_not() {
    let comment = "#".repeat(LONGEST_LINE);
    let text = format!("a.b=1\n{comment}\nc.d=2\n");
    let (entries, faults) = entries(&text, Loader::Systemd);
    assert_eq!((entries.len(), faults[0].line, faults[0].code), (1, 2, codes::LINE_TOO_LONG));
    assert_eq!(read(&text, Loader::Procps), [pair("a.b", "1"), pair("c.d", "2")]);
    let text = format!("a.b=1\n{}\nc.d=2\n", &comment[1..]);
    assert_eq!(read(&text, Loader::Systemd).len(), 2);
}

#[test]
fn the_faults_of_a_binary_file_are_bounded() {
    let text = "garbage\n".repeat(10_000);
    let (_, faults) = entries(&text, Loader::Systemd);
    assert_eq!(faults.len(), MOST_FAULTS + 1);
    assert_eq!(faults.last().unwrap().text, "9980 more lines are neither assignments nor comments");
}

proptest::proptest! {
    #[test]
    fn no_text_panics_and_every_place_is_in_the_text(
        text in "([a-z.#;=-]|[ \\t\\r\\n\\x00\\x0b\\x0c]|\u{feff}|é){0,60}|\\PC{0,60}"
    ) {
        for loader in BOTH {
            let (entries, faults) = entries(&text, loader);
            for entry in entries {
                let place = text.get(entry.span.clone());
                proptest::prop_assert!(place.is_some_and(|place| place.starts_with(&entry.name)));
                proptest::prop_assert!(place.is_some_and(|place| place.ends_with(entry.value.as_deref().unwrap_or(""))));
            }
            for fault in faults {
                proptest::prop_assert!(fault.span.start <= text.len() + 1);
            }
        }
    }
}
