//! Every format over the same remarks, some of them with texts of a stranger.
//!
//! In: the example. Out: assertions. Must not: leave out a format of the table.

mod texts;

use serde_json::Value as Json;

use super::example::{HOSTILE, example, remark};
use super::ndjson::{check_schema, remark_schema};
use super::record::{Checked, Remark, Remarks, What};
use super::{FORMATS, Format, named, state_of};
use crate::model::Severity;
use crate::observe::gap::Gap;
use crate::report::check::State;

fn written(name: &str, remarks: &Remarks) -> String {
    text(named(name).unwrap(), remarks)
}

/// The text of a format without the sign that turns the direction of writing, which rustc refuses.
fn shown(name: &str) -> String {
    written(name, &example()).replace('\u{202e}', "?")
}

fn nothing() -> Remarks {
    Remarks { remarks: Vec::new(), checked: Vec::new(), gaps: Vec::new(), ..example() }
}

type Change = fn(&mut Remarks);

/// What every format has to show, in words or in numbers.
const CHANGES: [(&str, Change); 6] = [
    ("remark", |remarks| remarks.remarks.push(Remark { code: "dead_key".into(), ..remark() })),
    ("severity", |remarks| remarks.remarks[0].severity = Severity::Critical),
    ("code", |remarks| remarks.remarks[0].code = "another".into()),
    ("gap", |remarks| remarks.gaps.push(Gap { what: "more".to_owned(), why: "no".to_owned() })),
    ("unread", |remarks| remarks.checked[0].unread = Some("no".to_owned())),
    ("checked", |remarks| remarks.checked.push(Checked { what: What::Key("net.x".to_owned()), unread: None })),
];

/// GitLab knows issues, and nothing of what was examined; SARIF and JUnit have a place for that.
fn cannot_carry(format: &Format, change: &str) -> bool {
    format.name == "gitlab" && ["gap", "unread", "checked"].contains(&change)
}

fn text(format: &Format, remarks: &Remarks) -> String {
    let mut text = Vec::new();
    format.write(remarks, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn every_format_shows_what_was_found_and_what_was_not_read() {
    for format in FORMATS {
        for (name, change) in CHANGES {
            let mut changed = example();
            change(&mut changed);
            let differs = text(format, &changed) != text(format, &example());
            assert_eq!(differs, !cannot_carry(format, name), "{}: {name}", format.name);
        }
    }
}

#[test]
fn no_format_passes_on_what_a_terminal_acts_on() {
    for format in FORMATS.iter().filter(|format| !["ndjson"].contains(&format.name)) {
        let written = text(format, &example());
        assert!(!written.contains(['\u{1b}', '\r', '\u{202e}']), "{}: {written}", format.name);
        assert!(written.ends_with('\n'), "{}", format.name);
        assert!(text(format, &nothing()).ends_with('\n'), "{}", format.name);
    }
}

#[test]
fn where_nothing_was_read_no_check_is_ok() {
    assert_eq!(state_of(&nothing()), State::Unknown);
    let with = |severities: &[Severity]| Remarks {
        remarks: severities.iter().map(|&severity| Remark { severity, ..remark() }).collect(),
        ..example()
    };
    assert_eq!(state_of(&with(&[])), State::Ok);
    assert_eq!(state_of(&with(&[Severity::Notice])), State::Ok);
    assert_eq!(state_of(&with(&[Severity::Notice, Severity::Warning])), State::Warning);
    assert_eq!(state_of(&with(&[Severity::Critical, Severity::Warning])), State::Critical);
    assert!(written("junit", &nothing()).contains("<error "));
}

#[test]
fn the_published_schemas_are_those_of_this_program() {
    let published = [
        (check_schema(), include_str!("../../../../docs/schema/check-1.json"), "check"),
        (remark_schema(), include_str!("../../../../docs/schema/remark-1.json"), "remark"),
    ];
    for (schema, published, name) in published {
        assert!(
            schema == published,
            "docs/schema/{name}-1.json is stale; if the change keeps to the contract, regenerate it with: \
             sysctl-advisor rules schema {name} > docs/schema/{name}-1.json"
        );
    }
}

#[test]
fn each_line_is_valid_and_has_every_field_with_one_type() {
    let validator =
        |schema: String| jsonschema::validator_for(&serde_json::from_str::<Json>(&schema).unwrap()).unwrap();
    let (check, remark) = (validator(check_schema()), validator(remark_schema()));
    let text = written("ndjson", &example());
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), example().remarks.len() + 1);
    assert!(check.is_valid(&lines[0]), "{:?}", check.iter_errors(&lines[0]).next());
    let shape = |line: &Json| -> Vec<(String, String)> {
        let fields = line.as_object().unwrap().iter();
        fields.map(|(name, value)| (name.clone(), format!("{:?}", std::mem::discriminant(value)))).collect()
    };
    for line in &lines[1..] {
        assert!(remark.is_valid(line), "{:?}", remark.iter_errors(line).next());
        assert_eq!(shape(line), shape(&lines[1]));
        assert!(line.as_object().unwrap().values().all(|value| !value.is_null()), "{line}");
    }
    assert!(lines[1..].iter().any(|line| line["line_text"] == HOSTILE));
    for (name, kind) in shape(&lines[0]) {
        assert!(shape(&lines[1]).iter().all(|(other, type_of)| *other != name || *type_of == kind), "{name}");
    }
}
