//! A rule file to begin from.
//!
//! In: an id. Out: the text of a complete rule with every field explained, or why no rule can have this id. Must not: write
//! files, or say what `rules test` would refuse.

use super::load::{ID_HELP, is_id};
use super::set::RuleSet;
use crate::metrics::subjects::Subject;

const TEXT: &str = include_str!("starter.toml");

/// Why there can be no new rule of an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StarterError {
    #[error("`{0}` cannot be a rule's id; {ID_HELP}")]
    NotAnId(String),
    #[error("`{id}` is the id of a shipped rule ({file}); use another id, or copy that file to change the rule")]
    Shipped { id: String, file: String },
}

/// The text of `ID.toml`.
pub fn starter(id: &str) -> Result<String, StarterError> {
    if !is_id(id) {
        return Err(StarterError::NotAnId(id.to_owned()));
    }
    if let Some(rule) = RuleSet::shipped().get(id) {
        return Err(StarterError::Shipped { id: id.to_owned(), file: rule.origin.clone() });
    }
    let subjects: Vec<_> = Subject::ALL.iter().map(|subject| subject.name()).collect();
    let text = TEXT.replace("<version>", env!("CARGO_PKG_VERSION")).replace("<subjects>", &subjects.join(", "));
    Ok(text.replace("<id>", id))
}
