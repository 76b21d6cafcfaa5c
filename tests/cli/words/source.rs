//! The messages in the source: string literals that a person can read.
//!
//! In: the text of a source file. Out: its messages, without what is code in them. Must not: return what no person reads;
//! each exception is here, with its reason.

use fancy_regex::Regex;

use super::{Text, cover, without_code};

/// Comments are for those who change the program, and tests end a file. The reason of a lint is a comment too.
const PIECES: &str = concat!(
    r##"(?s)//[^\n]*|/\*.*?\*/|\breason = "(?:\\.|[^"\\])*""##,
    r##"|r(?<fence>#*)"(?<raw>.*?)"\k<fence>(?!#)|"(?<text>(?:\\.|[^"\\])*)"|'(?:\\[^\n]+?|[^'\\\n])'"##
);

/// SQL has keywords and names of columns, which a file of an older version keeps.
const SQL: &str = r"^\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA)\b";

/// What the TOML reader says and the program recognises, to say it in other words.
const OF_A_LIBRARY: [&str; 1] = ["wanted string or table"];

/// What is not text in a literal: placeholders, and what a backslash begins.
const CODE: &str = r"(?s)\{[^{}]*\}|\\\n[^\S\n]*|\\.";

pub(super) fn messages(source: &str) -> Vec<Text> {
    let [pieces, sql, code] = [PIECES, SQL, CODE].map(|pattern| Regex::new(pattern).unwrap());
    let shipped = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let literals = pieces.captures_iter(shipped).map(Result::unwrap);
    let literals = literals.filter_map(|found| found.name("raw").or_else(|| found.name("text")));
    let messages = literals.filter(|literal| is_message(literal.as_str()) && !sql.is_match(literal.as_str()).unwrap());
    messages
        .map(|literal| {
            let mut shown = without_code(literal.as_str());
            for found in code.find_iter(literal.as_str()).map(Result::unwrap) {
                let with = if found.as_str().starts_with('{') { '_' } else { ' ' };
                cover(&mut shown, found.range(), with);
            }
            Text { start: literal.start(), shown }
        })
        .collect()
}

/// One word is the name of a field, a key or an option, which programs and files depend on.
fn is_message(literal: &str) -> bool {
    literal.split_whitespace().nth(1).is_some() && !OF_A_LIBRARY.contains(&literal)
}
