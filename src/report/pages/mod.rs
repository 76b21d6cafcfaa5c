//! Pages of `docs` that are made from the rules and the catalogues.
//!
//! In: the shipped rules, the table of metrics, the catalogue of keys. Out: Markdown; a test holds the files current. Must
//! not: say what is not in its source.

pub mod keys;
pub mod metrics;
pub mod rules;

/// A page, and what makes it.
#[derive(Debug)]
pub struct Page {
    /// From the root of the project.
    pub file: &'static str,
    pub text: fn() -> String,
}

pub const PAGES: [Page; 3] = [
    Page { file: "docs/rules.md", text: rules::page },
    Page { file: "docs/metrics.md", text: metrics::page },
    Page { file: "docs/keys.md", text: keys::page },
];

#[cfg(test)]
mod tests;
