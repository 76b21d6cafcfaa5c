//! The JSON Schema of a configuration file, for editors and for those who make such files with programs.
//!
//! In: the declarations. Out: docs/schema/config-1.json; a test holds it current. Must not: accept what the program refuses
//! for its name or its type.

use serde_json::{Map, Value, json};

use super::commented::{PARAMS_HELP, notes};
use super::declared::{Declared, Section};
use super::layers::PARAMS;
use super::options::SECTIONS;

/// The schema, with a final newline.
pub fn schema() -> String {
    let mut sections: Map<String, Value> = SECTIONS.iter().map(|part| (part.name.to_owned(), section(part))).collect();
    let param = json!({ "type": ["integer", "number", "boolean", "string"] });
    sections.insert(
        PARAMS.to_owned(),
        json!({
            "description": PARAMS_HELP.join(" "),
            "type": "object",
            "additionalProperties": { "type": "object", "additionalProperties": param }
        }),
    );
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "sysctl-advisor/config/1",
        "title": "The configuration of sysctl-advisor",
        "type": "object",
        "properties": sections,
        "additionalProperties": false
    });
    format!("{schema:#}\n")
}

fn section(section: &Section) -> Value {
    let options: Map<String, Value> =
        section.options.iter().map(|declared| (declared.name.to_owned(), option(declared))).collect();
    let about = section.about.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    json!({ "description": about, "type": "object", "properties": options, "additionalProperties": false })
}

fn option(option: &Declared) -> Value {
    let mut schema = Map::new();
    schema.insert("description".to_owned(), format!("{} {}", option.text(), notes(option)).trim_end().into());
    if let Value::Object(keywords) = (option.schema)() {
        schema.extend(keywords);
    }
    schema.extend(json_of(option.default).map(|value| ("default".to_owned(), value)));
    let examples = option.example.and_then(json_of);
    schema.extend(examples.map(|example| ("examples".to_owned(), Value::Array(vec![example]))));
    Value::Object(schema)
}

/// A value of TOML as JSON.
fn json_of(value: &str) -> Option<Value> {
    let value: toml::Value = value.parse().ok()?;
    serde_json::to_value(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::commented;

    fn errors(text: &str) -> Vec<String> {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let file = serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        validator.iter_errors(&file).map(|error| error.to_string()).collect()
    }

    #[test]
    fn the_published_schema_is_current() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/config-1.json");
        if std::env::var_os("SYSCTL_ADVISOR_WRITE").is_some() {
            std::fs::write(file, schema()).unwrap();
        }
        let written = std::fs::read_to_string(file).unwrap();
        assert_eq!(written, schema(), "write it: SYSCTL_ADVISOR_WRITE=1 cargo test --lib is_current");
    }

    #[test]
    fn every_default_and_every_example_is_valid() {
        let is_option = |line: &&str| {
            line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '['))
        };
        let line = |line: &str| if is_option(&line) { line[1..].to_owned() } else { line.to_owned() };
        let uncommented = commented().lines().map(line).collect::<Vec<_>>().join("\n");
        assert_eq!(errors(&uncommented), Vec::<String>::new());
        let defaults = |section: &Section| {
            let lines = section.options.iter().map(|option| format!("{} = {}\n", option.name, option.default));
            format!("[{}]\n{}", section.name, lines.collect::<String>())
        };
        let text: String = SECTIONS.iter().map(defaults).collect();
        assert_eq!(errors(&text), Vec::<String>::new());
        crate::config::effective::check("/c", &text).unwrap();
    }

    #[test]
    fn what_the_program_refuses_for_its_name_type_or_range_the_schema_refuses() {
        for wrong in [
            "[audit]\nwindw = \"2s\"",
            "[audti]\nwindow = \"2s\"",
            "[audit]\nwindow = 2",
            "[audit]\nwindow = \"2 parsecs\"",
            "[audit]\nfail_on = \"bad\"",
            "[rules]\ndisable = \"one\"",
            "[apply]\nmax_risk = \"none\"",
            "[apply]\nmax_changes = \"many\"",
            "[agent]\nhold_off = 0",
            "[agent]\nmax_size = \"64\"",
            "[agent]\ntextfile = \"metrics.prom\"",
            "[agent]\njournal = \"yes\"",
            "[params]\nx = 1",
        ] {
            assert_ne!(errors(wrong), Vec::<String>::new(), "{wrong}");
            assert!(crate::config::effective::check("/c", wrong).is_err(), "{wrong}");
        }
    }
}
