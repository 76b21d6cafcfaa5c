//! Text as a literal of another language.
//!
//! In: text. Out: a literal that the language reads back as the same text. Must not: choose where one is needed.
//!
//! The property test of each beside the real reader is in `tests/export`.

/// JSON's string, which YAML reads as its double-quoted scalar and means the same.
pub(super) fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A word of a unit file's list: in double quotes, with systemd's escapes and specifiers escaped.
pub(super) fn unit(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\"").replace('%', "%%"))
}

/// Puppet's single-quoted string: a backslash and the quote itself are escaped.
pub(super) fn puppet(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

/// Nix's string: `${` would begin an expression.
pub(super) fn nix(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' | '$' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
