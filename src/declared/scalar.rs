//! What a scalar of a document is as the value of a key.
//!
//! In: its text and how it is written. Out: [`Reading`]. Must not: judge the value.
//!
//! Ansible, Salt and cloud-init read YAML 1.1 (PyYAML), Puppet nearly so (Psych), Go's tools a mixture of 1.1 and 1.2. A
//! text without quotation marks can be a boolean or another number to one of them, and the kernel gets what comes out.

use super::syntax::Syntax;
use super::tree::Style;
use crate::drift::model::codes;

/// A scalar as a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// The text for the kernel, and what is wrong with the way it is written: a code and a sentence.
    Value(String, Option<(&'static str, String)>),
    /// Nothing is set.
    Unset,
    /// A template makes it.
    Template,
}

const NULL: [&str; 5] = ["", "~", "null", "Null", "NULL"];
const TRUE: [&str; 3] = ["true", "yes", "on"];
const FALSE: [&str; 3] = ["false", "no", "off"];

/// What begins a part that a template fills in: Jinja, shell and Terraform, ERB, Hiera.
const TEMPLATES: [&str; 5] = ["{{", "{%", "${", "<%", "%{"];

pub(super) fn reading(text: &str, style: Style, syntax: Syntax) -> Reading {
    let trimmed = text.trim();
    if is_template(trimmed) {
        return Reading::Template;
    }
    if style != Style::Plain {
        let wrong = trimmed.contains('\n').then(|| {
            let why = "The value has more than one line. A value is one line.";
            (codes::NOT_ONE_TEXT, why.to_owned())
        });
        return Reading::Value(trimmed.replace(['\n', '\r', '\0'], " "), wrong);
    }
    if NULL.contains(&trimmed) {
        return Reading::Unset;
    }
    let lower = trimmed.to_ascii_lowercase();
    for (words, number) in [(TRUE, "1"), (FALSE, "0")] {
        if words.contains(&lower.as_str()) {
            let wrong = (syntax == Syntax::Yaml).then(|| boolean(trimmed, number));
            return Reading::Value(number.to_owned(), wrong);
        }
    }
    let wrong = match syntax {
        Syntax::Yaml => other_number(trimmed).map(|to| number(trimmed, to)),
        _ => None,
    };
    Reading::Value(trimmed.to_owned(), wrong)
}

pub(super) fn is_template(text: &str) -> bool {
    TEMPLATES.iter().any(|sign| text.contains(sign))
}

fn boolean(text: &str, number: &str) -> (&'static str, String) {
    let word = if number == "1" { "True" } else { "False" };
    let why = format!(
        "YAML reads `{text}` as a boolean. Some tools then write the word `{word}`, which the kernel rejects. Write \
         \"{number}\" with quotation marks."
    );
    (codes::YAML_BOOLEAN, why)
}

fn number(text: &str, to: &str) -> (&'static str, String) {
    let why = format!("{to}. Write the number as digits only, with quotation marks.");
    (codes::YAML_NUMBER, format!("`{text}`: {why}"))
}

/// Why some reader of YAML gives the kernel another text than the one that stands here. Digits after a 0 are octal to the
/// kernel as they are to YAML, so nothing changes.
fn other_number(text: &str) -> Option<&'static str> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let of = |allowed: &str| digits.chars().all(|c| c.is_ascii_digit() || allowed.contains(c));
    if [".inf", ".nan"].contains(&digits.to_ascii_lowercase().as_str()) {
        return Some("YAML reads it as no number that the kernel has");
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let plain = digits.replace('_', "");
    if plain.contains(['e', 'E', '.']) && of("eE.+-_") && plain.parse::<f64>().is_ok() {
        return Some("YAML reads it as a number with a fraction, which the kernel rejects");
    }
    if digits.contains(':') && of(":_.") {
        return Some("YAML 1.1 reads numbers with `:` as base 60");
    }
    if digits.contains('_') && (of("_") || digits.starts_with("0x")) {
        return Some("YAML 1.1 leaves the `_` out, and YAML 1.2 does not");
    }
    if digits.starts_with("0b") {
        return Some("YAML 1.1 reads it as binary, and the kernel does not");
    }
    if digits.starts_with("0o") {
        return Some("YAML 1.2 reads it as octal, and the kernel rejects the text");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Reading {
        reading(text, Style::Plain, Syntax::Yaml)
    }

    #[test]
    fn a_plain_scalar_that_yaml_changes_is_remarked_and_a_quoted_one_never() {
        for (text, value, code) in [
            ("yes", "1", Some(codes::YAML_BOOLEAN)),
            ("Off", "0", Some(codes::YAML_BOOLEAN)),
            ("1_000", "1_000", Some(codes::YAML_NUMBER)),
            ("1:30", "1:30", Some(codes::YAML_NUMBER)),
            ("1e3", "1e3", Some(codes::YAML_NUMBER)),
            ("0o17", "0o17", Some(codes::YAML_NUMBER)),
            ("0600", "0600", None),
            ("4096 131072 6291456", "4096 131072 6291456", None),
            ("fq", "fq", None),
        ] {
            let Reading::Value(found, wrong) = of(text) else { panic!("{text}") };
            assert_eq!((found.as_str(), wrong.map(|(code, _)| code)), (value, code), "{text}");
            let quoted = Reading::Value(text.to_owned(), None);
            assert_eq!(reading(text, Style::Quoted, Syntax::Yaml), quoted);
        }
        assert_eq!(of("~"), Reading::Unset);
        assert_eq!(of("{{ somaxconn }}"), Reading::Template);
        assert_eq!(reading("true", Style::Plain, Syntax::Json), Reading::Value("1".to_owned(), None));
    }
}
