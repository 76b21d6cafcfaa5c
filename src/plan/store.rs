//! Plans as files: JSON, versioned.
//!
//! In: text of unknown origin. Out: a [`Plan`] of which every key is one that we know and every value one that the
//! kernel may take, or words that say what is wrong with the file and where.
//! Must not: trust the file; it may be truncated, huge, of another version or hostile.

use std::path::Path;

use super::file::{NoPlan, PlanFile, SCHEMA};
use super::model::Plan;
use crate::published;
use crate::versioned::{FileError, Format, place_of};

/// The longest value, a list of every other port, has 190 KiB, and a plan holds it twice.
const FORMAT: Format = Format { noun: "plan", schema: SCHEMA, largest: 4 << 20 };

/// Reads a plan from a file, `-` for standard input.
pub fn read(path: &Path) -> Result<Plan, FileError> {
    parse(&path.display().to_string(), &FORMAT.read(path)?)
}

/// The same from bytes; `name` is for messages.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Plan, FileError> {
    let file: PlanFile = FORMAT.parse(name, bytes)?;
    Plan::try_from(file).map_err(|NoPlan { change, why }| FileError::Refused {
        path: name.to_owned(),
        place: change.and_then(|number| place_of(bytes, "changes", number)),
        why: why + "; the plan cannot be used",
    })
}

/// The file's text, with a final newline.
pub fn render(plan: &Plan) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&PlanFile::from(plan)).map(|text| text + "\n")
}

/// The JSON Schema (draft 2020-12) of a plan, as indented JSON with a newline at its end.
pub fn schema() -> String {
    published::of_input::<PlanFile>(SCHEMA)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::super::example;
    use super::*;

    fn file() -> Json {
        serde_json::to_value(PlanFile::from(&example::plan())).unwrap()
    }

    fn refusal(pointer: &str, value: Json) -> String {
        let mut file = file();
        *file.pointer_mut(pointer).unwrap() = value;
        parse("p.json", file.to_string().as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_plan_comes_back_as_it_was_written() {
        let plan = example::plan();
        assert_eq!(parse("p.json", render(&plan).unwrap().as_bytes()).unwrap(), plan);
    }

    #[test]
    fn the_published_schema_is_the_one_of_this_program() {
        assert!(
            schema() == include_str!("../../docs/schema/plan-1.json"),
            "docs/schema/plan-1.json is stale; if the change keeps to the contract, regenerate it with: \
             sysctl-advisor rules schema plan > docs/schema/plan-1.json"
        );
    }

    #[test]
    fn a_plan_is_valid_by_its_schema_and_a_damaged_one_is_not() {
        let schema: Json = serde_json::from_str(&schema()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert!(validator.is_valid(&file()), "{:?}", validator.iter_errors(&file()).collect::<Vec<_>>());
        for (pointer, damage) in
            [("/changes", json!({})), ("/changes/0/key", json!(1)), ("/host", Json::Null), ("/made_at", Json::Null)]
        {
            let mut file = file();
            *file.pointer_mut(pointer).unwrap() = damage;
            assert!(!validator.is_valid(&file), "{pointer}");
        }
    }

    #[test]
    fn a_key_that_is_none_of_ours_is_refused_whatever_it_looks_like() {
        for key in [
            "../../etc/passwd",
            "net.ipv4.../../../kernel.core_pattern",
            "/proc/sys/kernel/core_pattern",
            "net/ipv4/tcp_tw_reuse",
            "net.ipv4.tcp_tw_reuse\u{0}",
            "kernel.core_pattern",
            "net.ipv4.tcp_fastopen_key",
            "",
            "\u{1b}[2J",
        ] {
            let error = refusal("/changes/0/key", json!(key));
            assert!(error.contains("is not a sysctl that this program changes"), "{key:?}: {error}");
            assert!(!error.contains(char::is_control), "{error:?}");
        }
        assert!(
            refusal("/changes/0/key", json!("net.ipv4.tcp_available_congestion_control")).contains("cannot be set")
        );
    }

    #[test]
    fn values_and_namespaces_are_checked() {
        for (pointer, value, why) in [
            ("/changes/0/proposed", "7", "the kernel accepts 0 to 2"),
            ("/changes/0/proposed", "1\n2", "control characters"),
            ("/changes/0/proposed", "1\u{0}", "control characters"),
            ("/changes/0/expected", "two", "expected an integer"),
            ("/changes/0/namespace", "../host", "not the name of a namespace"),
            ("/changes/0/namespace", "", "not the name of a namespace"),
            ("/changes/0/namespace_id", "net:[1]/../x]", "not the identity of a namespace"),
            ("/changes/0/namespace_id", "net:[+1]", "not the identity of a namespace"),
            ("/changes/0/namespace_id", "mnt:[1]", "not the identity of a namespace"),
            ("/changes/0/risk", "none", "unknown variant `none`, expected one of `low`, `medium`, `high`"),
            ("/changes/0/rehearsed/result", "fine", "unknown variant `fine`, expected one of `accepted`, `refused`"),
        ] {
            let error = refusal(pointer, json!(value));
            assert!(error.contains(why), "{pointer} {value:?}: {error}");
        }
        let twice = [file()["changes"][0].clone(), file()["changes"][0].clone()];
        assert!(refusal("/changes", json!(twice)).contains("is in the plan twice"));
    }

    #[test]
    fn another_version_another_file_and_an_unknown_field_are_told_apart() {
        assert!(refusal("/schema", json!("sysctl-advisor/plan/2")).contains("newer version"));
        assert!(refusal("/schema", json!("sysctl-advisor/report/1")).contains("not a plan"));
        let mut file = file();
        file["changes"][0]["hook"] = json!("rm");
        assert!(parse("p", file.to_string().as_bytes()).unwrap_err().to_string().contains("unknown field `hook`"));
        assert!(parse("p", b" \n").unwrap_err().to_string().contains("empty"));
        assert!(parse("p", "[".repeat(100_000).as_bytes()).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn noise_cut_and_changed_files_are_read_or_refused(
            noise in proptest::collection::vec(any::<u8>(), 0..300),
            at in 0_usize..3000,
            byte in any::<u8>(),
        ) {
            let text = render(&example::plan()).unwrap().into_bytes();
            let at = at % text.len();
            let _ = parse("p", &noise);
            // The last byte is a newline that nobody needs.
            prop_assert!(parse("p", &text[..at.min(text.len() - 2)]).is_err());
            let mut changed = text;
            changed[at] = byte;
            // A byte more in a value of text is another value.
            if let Ok(plan) = parse("p", &changed) {
                prop_assert_eq!(parse("p", render(&plan).unwrap().as_bytes()).unwrap(), plan);
            }
        }
    }
}
