//! A key of interfaces on this host: the values of the interfaces, of `all` and of `default`, and what the interfaces do.
//!
//! In: a key's name, the sysctls of a namespace. Out: sentences and rows. Must not: put values together; `keys::effective` does.

use crate::keys::number::integer;
use crate::keys::{self, Combination, InterfaceKey, Key};
use crate::observe::sysctls::Sysctls;

/// Interfaces that are listed; a host with containers has thousands.
const MOST: usize = 16;

/// How `all`, `default` and the interfaces work together, for every host.
pub(super) fn together(key: &Key, parts: &InterfaceKey<'_>) -> String {
    // The limits of the neighbour tables are of no interface.
    if keys::catalogue().get(&parts.general()).is_none() {
        return String::new();
    }
    match key.combination {
        _ if parts.folder == "neigh" => format!(
            "There is no `all`. A new interface, also one in a container, starts with the value of net.{}.neigh.default. Only the \
             host's own namespace has that.",
            parts.family
        ),
        _ if parts.family == "ipv4" => format!(
            "{} A new interface starts with the value of `default`. A new network namespace starts with the values that `all` and \
             `default` have on the host (net.core.devconf_inherit_init_net).",
            key.combination.map(Combination::sentence).unwrap_or_default()
        ),
        Some(combination) => format!("{} A new interface starts with the value of `default`.", combination.sentence()),
        None => String::new(),
    }
}

/// What is to be said of one interface beside its own value: that of `all`, and what the interface does.
pub(super) fn of_one(key: &Key, parts: &InterfaceKey<'_>, sysctls: &Sysctls) -> Vec<String> {
    let Some(combination) = key.combination else { return Vec::new() };
    let mut lines = Vec::new();
    if let Some(all) = sysctls.get(&parts.with("all")).filter(|_| combination.uses_all()) {
        lines.push(format!("`all`: {}.", in_words(key, all.trim())));
    }
    if let Some(effective) = effective(parts, sysctls) {
        let value = match (combination.is_switch(), effective) {
            (true, 0) => "off".to_owned(),
            (true, _) => "on".to_owned(),
            (false, value) => in_words(key, &value.to_string()),
        };
        lines.push(format!("Effective on {}: {value}. {}", parts.interface(), combination.sentence()));
    }
    lines
}

/// Of an interface that is not there: what it would start with. Nothing where the host does not have the key at all.
pub(super) fn of_missing(key: &Key, parts: &InterfaceKey<'_>, sysctls: &Sysctls) -> Option<String> {
    if !parts.is_of_one() {
        return None;
    }
    let missing = format!("There is no interface {} here.", parts.interface());
    if parts.folder == "neigh" {
        return Some(missing);
    }
    let default = sysctls.get(&parts.with("default"))?;
    let default =
        format!("{missing} A new interface starts with the value of `default`: {}.", in_words(key, default.trim()));
    let supposed = |name: &str| {
        let key = InterfaceKey::of(name)?;
        let who = if key.who == parts.who { "default" } else { key.who };
        integer(sysctls.get(&key.with(who))?.trim())
    };
    let effective = keys::effective(&parts.with(parts.who), supposed).zip(key.combination);
    let effective = effective.filter(|(_, combination)| combination.uses_all());
    Some(effective.map_or(default.clone(), |(value, combination)| {
        format!("{default} Effective on it: {value}. {}", combination.sentence())
    }))
}

/// The interfaces with their values and what they do, of a key that is not that of one interface.
pub(super) fn rows(parts: &InterfaceKey<'_>, sysctls: &Sysctls) -> Vec<(String, String)> {
    if parts.is_of_one() {
        return Vec::new();
    }
    let keys = sysctls.range(format!("net.{}.{}.", parts.family, parts.folder)..);
    let keys = keys.map_while(|(name, value)| {
        let key = InterfaceKey::of(name)?;
        ((key.family, key.folder) == (parts.family, parts.folder)).then_some((key, value.trim()))
    });
    let of_key = keys.filter(|(key, _)| key.name == parts.name && key.who != parts.who);
    let (one, general): (Vec<_>, Vec<_>) = of_key.partition(|(key, _)| key.is_of_one());
    let omitted = one.len().saturating_sub(MOST);
    let shown = general.into_iter().chain(one.into_iter().take(MOST)).map(|(key, value)| {
        let effective = effective(&key, sysctls).filter(|_| key.folder == "conf");
        let effective = effective.map(|effective| format!(", effective {effective}"));
        (key.interface(), format!("= {value}{}", effective.unwrap_or_default()))
    });
    let mut rows: Vec<(String, String)> = shown.collect();
    if omitted > 0 {
        rows.push(("...".to_owned(), format!("and {omitted} more interfaces")));
    }
    rows
}

fn effective(parts: &InterfaceKey<'_>, sysctls: &Sysctls) -> Option<i64> {
    keys::effective(&parts.with(parts.who), |name| integer(sysctls.get(name)?.trim()))
}

/// A value with its meaning.
fn in_words(key: &Key, value: &str) -> String {
    match key.values.get(value) {
        Some(meaning) => format!("{value} ({meaning})"),
        None if key.unit.is_empty() => value.to_owned(),
        None => format!("{value} {}", key.unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RP: &str = "net.ipv4.conf.*.rp_filter";

    fn sysctls(values: &[(&str, &str)]) -> Sysctls {
        values.iter().map(|(who, value)| (RP.replace('*', who), (*value).to_owned())).collect()
    }

    fn key() -> &'static Key {
        keys::catalogue().get(RP).unwrap()
    }

    #[test]
    fn an_interface_shows_all_and_what_it_does() {
        let name = RP.replace('*', "eth0/5");
        let parts = InterfaceKey::of(&name).unwrap();
        let lines = of_one(key(), &parts, &sysctls(&[("all", "2"), ("eth0/5", "1")]));
        let loose = "2 (loose: there must be a route back to the sender, through any interface)";
        let effective =
            format!("Effective on eth0.5: {loose}. The kernel uses the higher value of `all` and of the interface.");
        assert_eq!(lines, [format!("`all`: {loose}."), effective]);
        assert_eq!(of_one(key(), &parts, &sysctls(&[("eth0/5", "1")])), [] as [&str; 0], "`all` was not read");
    }

    #[test]
    fn an_interface_that_is_not_there_would_start_with_default() {
        let name = RP.replace('*', "eth9");
        let parts = InterfaceKey::of(&name).unwrap();
        let text = of_missing(key(), &parts, &sysctls(&[("all", "2"), ("default", "0")])).unwrap();
        assert!(text.starts_with("There is no interface eth9 here. A new interface starts with"), "{text}");
        assert!(text.contains("0 (no check). Effective on it: 2. The kernel uses the higher"), "{text}");
        assert_eq!(of_missing(key(), &parts, &Sysctls::new()), None, "a host without the key");
    }

    #[test]
    fn the_general_key_lists_the_interfaces_and_no_more_than_fit() {
        let mut values = sysctls(&[("all", "1"), ("default", "2"), ("eth0/5", "0"), ("eth1", "2")]);
        values.insert("net.ipv4.conf.eth1.tag".to_owned(), "7".to_owned());
        let shown = rows(&InterfaceKey::of(RP).unwrap(), &values);
        let expected =
            [("all", "= 1"), ("default", "= 2"), ("eth0.5", "= 0, effective 1"), ("eth1", "= 2, effective 2")];
        assert_eq!(shown, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        values.extend((0..40).map(|number| (RP.replace('*', &format!("veth{number}")), "0".to_owned())));
        let shown = rows(&InterfaceKey::of(RP).unwrap(), &values);
        assert_eq!((shown.len(), shown.last().unwrap().1.as_str()), (2 + MOST + 1, "and 26 more interfaces"));
    }
}
