//! `rules new`: what it writes is a rule that passes, and it writes over nothing.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{run, scratch};

/// The fields of every table that a schema describes.
fn fields(schema: &Json, found: &mut BTreeSet<String>) {
    match schema {
        Json::Object(map) => {
            if let Some(Json::Object(properties)) = map.get("properties") {
                found.extend(properties.keys().cloned());
            }
            map.values().for_each(|inner| fields(inner, found));
        }
        Json::Array(items) => items.iter().for_each(|inner| fields(inner, found)),
        _ => {}
    }
}

/// The text with the fields that it does not use, which begin with `#` and no blank, and without those that they replace.
fn with_levels(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(field) if !field.is_empty() && !field.starts_with(' ') => Some(field.to_owned() + "\n"),
        _ if line.starts_with("title = ") || line.starts_with("severity = ") => None,
        _ => Some(line.to_owned() + "\n"),
    };
    text.lines().filter_map(line).collect()
}

#[test]
fn the_new_rule_passes_its_tests_as_it_is_and_with_the_fields_that_it_does_not_use() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine/behind-balancer.toml");
    let path = file.to_str().unwrap();
    let written = run(&["rules", "new", "behind-balancer", "--output", path]);
    assert_eq!((written.code, written.err.as_str()), (0, ""));
    assert!(written.out.contains(&format!("rules test {path}")), "{}", written.out);
    let text = std::fs::read_to_string(&file).unwrap();
    for command in ["check", "test"] {
        let passed = run(&["rules", command, path]);
        assert_eq!((passed.code, passed.err.as_str()), (0, ""));
        assert!(passed.out.starts_with("1 rule checked, 0 broken"), "{}", passed.out);
    }
    assert!(run(&["rules", "test", path]).out.contains("5 tests passed, 0 failed"));
    assert_eq!(run(&["rules", "test", "--rules", file.parent().unwrap().to_str().unwrap()]).code, 0);

    std::fs::write(&file, with_levels(&text)).unwrap();
    let passed = run(&["rules", "test", path]);
    assert_eq!((passed.code, passed.err.as_str()), (0, ""));
    assert!(passed.out.contains("5 tests passed, 0 failed"), "{}", passed.out);
    assert!(
        run(&["explain", "--rules", file.parent().unwrap().to_str().unwrap(), "behind-balancer"])
            .out
            .contains("severe")
    );
}

#[test]
fn it_has_every_field_of_the_format() {
    let schema: Json = serde_json::from_str(&run(&["rules", "schema"]).out).unwrap();
    let mut known = BTreeSet::new();
    fields(&schema, &mut known);
    assert!(known.len() > 25, "{known:?}");
    let printed = run(&["rules", "new", "mine"]);
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    assert_eq!(printed.out, run(&["rules", "new", "mine", "-o", "-"]).out);
    for marker in ["<id>", "<version>", "<subjects>"] {
        assert!(!printed.out.contains(marker), "{marker}");
    }
    for field in known {
        let begins = |line: &str| {
            let line = line.strip_prefix('#').unwrap_or(line).trim_start_matches('[');
            line.strip_prefix(&field).is_some_and(|rest| rest.starts_with([' ', ']', '.']))
        };
        assert!(printed.out.lines().any(begins), "{field}");
    }
}

#[test]
fn a_wrong_or_taken_id_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for (id, why) in [
        ("My-Rule", "lower case letters, digits and hyphens"),
        ("9lives", "it begins with a letter"),
        ("../escape", "cannot be a rule's id"),
        ("", "cannot be a rule's id"),
        ("ephemeral-ports", "rules/ports/ephemeral-ports.toml"),
    ] {
        let file = folder.path().join(format!("{id}.toml"));
        let refused = run(&["rules", "new", id, "--output", file.to_str().unwrap()]);
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{id}: {refused:?}");
        assert!(refused.err.contains(why), "{id}: {}", refused.err);
        assert!(!file.exists(), "{id}");
    }
}

#[test]
fn a_file_that_is_there_is_kept_and_one_of_another_name_is_not_written() {
    let (folder, file) = scratch("mine.toml", "# precious\n");
    let refused = run(&["rules", "new", "mine", "--output", file.to_str().unwrap()]);
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
    assert!(refused.err.contains("it exists already"), "{}", refused.err);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "# precious\n");

    for named in [folder.path().join("other.toml"), folder.path().to_owned()] {
        let refused = run(&["rules", "new", "mine", "--output", named.to_str().unwrap()]);
        assert_eq!((refused.code, refused.out.as_str()), (2, ""));
        assert!(refused.err.contains(&format!("use --output {}", file.display())), "{}", refused.err);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_that_cannot_be_made_is_a_failure_of_the_file() {
    let (_folder, file) = scratch("plain", "");
    let failed = run(&["rules", "new", "mine", "--output", file.join("mine.toml").to_str().unwrap()]);
    assert_eq!((failed.code, failed.out.as_str()), (1, ""));
    assert!(failed.err.contains("mine.toml"), "{}", failed.err);
}
