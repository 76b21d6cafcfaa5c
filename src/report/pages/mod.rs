//! Pages of `docs` that are made from the rules and the catalogues.
//!
//! In: the shipped rules, the table of metrics, the catalogue of keys. Out: Markdown; a test holds the files current. Must
//! not: say what is not in its source.

pub mod keys;
pub mod metrics;
pub mod rules;

/// Each page: its file, and what makes it.
pub const PAGES: [(&str, fn() -> String); 3] =
    [("docs/rules.md", rules::page), ("docs/metrics.md", metrics::page), ("docs/keys.md", keys::page)];

#[cfg(test)]
mod tests;
