//! What the administrator states of this host: labels and roles.
//!
//! In: the texts of an option. Out: their value, or what was wanted. Must not: say what an option is for.

use serde_json::{Value as Json, json};

use super::{Kind, Shape};
use crate::metrics::roles::{ROLES, StatedRoles};
use crate::observe::system::Labels;
use crate::suggest;
use crate::text::{is_dangerous, printable};

/// `NAME=VALUE`, each name once.
pub(in crate::config) struct LabelPairs;

impl Kind for LabelPairs {
    type Raw = Vec<String>;
    type Value = Labels;
    const NAME: &'static str = "NAME=VALUE";
    const SHAPE: Shape = Shape::List;

    fn value(&self, raw: Vec<String>) -> Result<Labels, String> {
        let mut labels = Labels::new();
        for pair in raw {
            let Some((name, value)) = pair.split_once('=').filter(|(name, value)| is_label(name, value)) else {
                return Err(format!(
                    "expected NAME=VALUE, got `{}`: the name has small letters, digits and `_`, the value at most 100 \
                     characters",
                    printable(&pair, 60)
                ));
            };
            if labels.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(format!("the label `{name}` is given twice"));
            }
        }
        Ok(labels)
    }

    fn schema(&self) -> Json {
        json!({ "type": "array", "items": { "type": "string", "pattern": "^[a-z][a-z0-9_]*=" } })
    }
}

fn is_label(name: &str, value: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(is_of_name)
        && value.chars().count() <= 100
        && !value.contains(is_dangerous)
}

/// Roles: `NAME`, or `NAME=no` for one that the host does not have.
pub(in crate::config) struct RolePairs;

impl Kind for RolePairs {
    type Raw = Vec<String>;
    type Value = StatedRoles;
    const NAME: &'static str = "ROLE";
    const SHAPE: Shape = Shape::List;

    fn value(&self, raw: Vec<String>) -> Result<StatedRoles, String> {
        let mut stated = StatedRoles::new();
        for text in raw {
            let (name, is) = text.split_once('=').unwrap_or((&text, "yes"));
            let is = match is {
                "yes" => true,
                "no" => false,
                other => {
                    return Err(format!("expected ROLE, ROLE=yes or ROLE=no, got `{name}={}`", printable(other, 20)));
                }
            };
            let names = ROLES.map(|role| role.name);
            if !names.contains(&name) {
                let near = suggest::nearest(name, names);
                let hint = near.map_or_else(
                    || format!("there are {}", names.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                return Err(format!("there is no role `{}`; {hint}", printable(name, 40)));
            }
            if stated.insert(name.to_owned(), is).is_some() {
                return Err(format!("the role `{name}` is given twice"));
            }
        }
        Ok(stated)
    }

    fn schema(&self) -> Json {
        let names = ROLES.map(|role| role.name).join("|");
        json!({ "type": "array", "items": { "type": "string", "pattern": format!("^({names})(=(yes|no))?$") } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(all: &[&str]) -> Result<StatedRoles, String> {
        RolePairs.value(all.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn a_role_is_stated_or_denied() {
        let stated = roles(&["forwards", "nat=no", "tunnel=yes"]).unwrap();
        let stated: Vec<_> = stated.iter().map(|(name, is)| (name.as_str(), *is)).collect();
        assert_eq!(stated, [("forwards", true), ("nat", false), ("tunnel", true)]);
    }

    #[test]
    fn what_is_no_role_is_told_with_what_there_is() {
        assert_eq!(roles(&["forward"]).unwrap_err(), "there is no role `forward`; did you mean `forwards`?");
        assert!(
            roles(&["gateway-of-the-office"]).unwrap_err().contains("there are nat, load_balancer, container_host")
        );
        assert_eq!(roles(&["nat=maybe"]).unwrap_err(), "expected ROLE, ROLE=yes or ROLE=no, got `nat=maybe`");
        assert_eq!(roles(&["nat", "nat=no"]).unwrap_err(), "the role `nat` is given twice");
    }
}
