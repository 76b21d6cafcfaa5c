//! A change of a plan, typed: the one check of what a plan's file says of a key.
//!
//! In: a change as the file has it. Out: [`Change`], or why it can never be made. Must not: know what the administrator
//! allows, or what the host has now; `apply` judges that.

use super::model::PlannedChange;
use crate::keys::{self, Key, KeyValue};
use crate::text::printable;

/// Characters of a plan's text that a message shows.
const SHOWN: usize = 60;
/// Each rule behind a change has one.
const MOST_GUARDS: usize = 64;

/// One key, the value that the plan found, and the value that it is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub key: &'static Key,
    pub before: KeyValue,
    pub after: KeyValue,
    /// Rules behind it, for the comment above its line in a file.
    pub rules: Vec<String>,
}

impl Change {
    /// Checks what the file says. The key is one of the catalogue that can be set and is no secret, both values are ones
    /// that it can have, and nothing can mean something else in the place that it is written to.
    pub fn of(planned: &PlannedChange) -> Result<Self, String> {
        // Whatever is no name of the catalogue, be it `..`, a path or worse, ends here.
        let known = keys::catalogue().get(&planned.key).filter(|key| !keys::is_secret(&key.name));
        let known = known.filter(|key| keys::path(&key.name).is_some());
        let key = known.ok_or_else(|| format!("{} is not a sysctl that this program changes", quoted(&planned.key)))?;
        if !key.is_useful_to_set() {
            return Err(format!("{} cannot be set, or the kernel ignores it", key.name));
        }
        namespace(planned)?;
        let before = value(key, "expected", &planned.expected)?;
        let after = value(key, "proposed", &planned.proposed)?;
        keys::validate(key, &after).map_err(|error| format!("the proposed value of {}: {error}", key.name))?;
        if planned.guards.len() > MOST_GUARDS {
            return Err(format!("it has {} guards, more than {MOST_GUARDS}", planned.guards.len()));
        }
        if let Some(rule) = planned.rules.iter().find(|rule| !is_id(rule)) {
            return Err(format!("{} is not a rule's id", quoted(rule)));
        }
        Ok(Self { key, before, after, rules: planned.rules.clone() })
    }
}

fn namespace(planned: &PlannedChange) -> Result<(), String> {
    let PlannedChange { namespace: name, namespace_id: id, .. } = planned;
    if name.is_empty() || name.contains(['/', '\0']) || name.starts_with('.') {
        return Err(format!("{} is not a namespace's name", quoted(name)));
    }
    let inode = id.strip_prefix("net:[").and_then(|rest| rest.strip_suffix(']'));
    if !inode.is_some_and(|digits| digits.parse::<u64>().is_ok() && digits.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(format!("{} is not a namespace's identity, like net:[4026531840]", quoted(id)));
    }
    Ok(())
}

fn value(key: &Key, what: &str, text: &str) -> Result<KeyValue, String> {
    let wrong = |why: &str| format!("the {what} value of {}: {}", key.name, printable(why, 2 * SHOWN));
    // /proc/sys prints a tab between the numbers of a list.
    if text.contains(|c: char| c.is_control() && c != '\t') {
        return Err(wrong("it holds control characters"));
    }
    let value = keys::parse(key, text).map_err(|error| wrong(&error.to_string()))?;
    // A text may be what a parser lets through, and a line of sysctl.d does not hold.
    if keys::is_printable(&value.to_string()) { Ok(value) } else { Err(wrong("it is too long, or not plain ASCII")) }
}

/// Rules' ids go into comments: a line break there would begin a line of its own.
fn is_id(rule: &str) -> bool {
    !rule.is_empty()
        && rule.len() <= 100
        && rule.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
}

/// A stranger's text for a message.
fn quoted(text: &str) -> String {
    format!("`{}`", printable(text, SHOWN))
}
