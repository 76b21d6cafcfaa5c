//! The JSON Schema of a contract, as `docs/schema` has it.
//!
//! In: the type that is written or read, the name of the contract. Out: the schema's text. Must not: know any contract.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

/// The schema of what is written as `T`, with a final newline.
pub fn of_output<T: JsonSchema>(name: &str) -> String {
    render::<T>(name, SchemaSettings::draft2020_12().for_serialize())
}

/// The schema of what is read as `T`, where fields with a default may be missing; with a final newline.
pub fn of_input<T: JsonSchema>(name: &str) -> String {
    render::<T>(name, SchemaSettings::draft2020_12())
}

fn render<T: JsonSchema>(name: &str, settings: SchemaSettings) -> String {
    let mut rest = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = serde_json::Map::new();
    // A reader looks for the name first; the generator would put it last.
    schema.extend(rest.remove("$schema").map(|draft| ("$schema".to_owned(), draft)));
    schema.insert("$id".to_owned(), name.into());
    schema.extend(rest.as_object().cloned().unwrap_or_default());
    format!("{:#}\n", serde_json::Value::Object(schema))
}
