//! Which recommendations a person asked for, by key or by rule.
//!
//! In: the patterns of `--only` and `--except`. Out: yes or no for each wish of a rule for a key.
//! Must not: take a pattern that can never match; a mistyped `--except` would let through what it was to keep out.

use crate::keys;
use crate::pattern::matches;
use crate::rules::set::RuleSet;
use crate::suggest::nearest_name;

/// Patterns to keep and to leave out. Without any, everything is kept.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    only: Vec<String>,
    except: Vec<String>,
}

/// A pattern that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` matches no key and no rule{}", .near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
pub struct NamesNothing {
    pub pattern: String,
    pub near: Option<String>,
}

impl Selection {
    /// A pattern is the id of a rule or the name of a key, the latter also without `net.ipv4.` or `net.core.`; `*` stands
    /// for any characters.
    pub fn new(only: &[String], except: &[String], rules: &RuleSet) -> Result<Self, NamesNothing> {
        let known = || {
            let keys = keys::catalogue().names();
            keys.chain(rules.iter().map(|rule| rule.id.as_str()))
        };
        for pattern in only.iter().chain(except) {
            if !known().any(|name| names(pattern, name)) {
                let near = nearest_name(pattern, known()).map(str::to_owned);
                return Err(NamesNothing { pattern: pattern.clone(), near });
            }
        }
        Ok(Self { only: only.to_vec(), except: except.to_vec() })
    }

    /// Whether a rule's wish for a key is asked for.
    pub fn wants(&self, rule: &str, key: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| names(pattern, rule) || names(pattern, key));
        (self.only.is_empty() || any(&self.only)) && !any(&self.except)
    }
}

/// Whether a pattern names a key or a rule.
fn names(pattern: &str, name: &str) -> bool {
    let dotted = if pattern.contains('.') { pattern.to_owned() } else { pattern.replace('/', ".") };
    let short = ["net.ipv4.", "net.core."].iter().filter_map(|prefix| name.strip_prefix(prefix));
    std::iter::once(name).chain(short).any(|name| matches(&dotted, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(only: &[&str], except: &[&str]) -> Result<Selection, NamesNothing> {
        let owned = |patterns: &[&str]| patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>();
        Selection::new(&owned(only), &owned(except), &RuleSet::shipped())
    }

    #[test]
    fn a_key_is_named_in_full_or_without_its_directory_and_a_rule_by_its_id() {
        let key = "net.ipv4.tcp_tw_reuse";
        for pattern in [key, "tcp_tw_reuse", "net/ipv4/tcp_tw_reuse", "tcp_tw_*", "timestamps-off", "*"] {
            assert!(selection(&[pattern], &[]).unwrap().wants("timestamps-off", key), "{pattern}");
        }
        let other = selection(&["somaxconn"], &[]).unwrap();
        assert!(!other.wants("timestamps-off", key));
        let all_but = selection(&["net.ipv4.*"], &["tcp_tw_reuse"]).unwrap();
        assert!(!all_but.wants("timestamps-off", key) && all_but.wants("timestamps-off", "net.ipv4.tcp_timestamps"));
    }

    #[test]
    fn a_pattern_that_names_nothing_is_an_error_with_the_nearest_name() {
        let error = selection(&[], &["tcp_tw_reus"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`tcp_tw_reus` matches no key and no rule; did you mean `net.ipv4.tcp_tw_reuse`?"
        );
        assert!(selection(&["net.ipv5.*"], &[]).is_err());
        assert!(selection(&[""], &[]).is_err());
    }
}
