//! A sysctl explained, with this host's value.

use crate::drift::model::Drift;
use crate::keys::{self, InterfaceKey, Key, KeyValue, Risk, Scope, Sense, ValueType};
use crate::metrics::defaults;
use crate::metrics::view::{Item, View};
use crate::model::in_words;
use crate::report::explain::sections::{Explanation, key_value, one_line};
use crate::report::explain::{boot, interface};
use crate::report::theme::Theme;
use crate::snapshot::{Namespace, Snapshot};
use crate::units;

/// The text for `explain net.ipv4.tcp_fin_timeout`. With a snapshot it says what the key is set to, and how that
/// stands to the default; with a diagnosis of the files, what sets it at boot. The key has the name that was asked for.
pub fn key(key: &Key, snapshot: Option<&Snapshot>, drift: Option<&Drift>, theme: Theme) -> String {
    explained(key, snapshot, drift, theme).finish()
}

/// The same for a page of `docs`, without the key's name and any host's values.
pub fn markdown(key: &Key) -> String {
    explained(key, None, None, Theme::plain()).markdown()
}

fn explained(key: &Key, snapshot: Option<&Snapshot>, drift: Option<&Drift>, theme: Theme) -> Explanation {
    let parts = InterfaceKey::of(&key.name);
    let mut page = Explanation::new(theme, &key.name);
    page.paragraph(&key.meaning);
    if let Some(removed) = &key.removed {
        page.warn(&match removed.strip_prefix("by ") {
            Some(version) => format!("This key was removed by Linux {version} at the latest."),
            None => format!("Linux {removed} removed this key. Newer kernels do not have it."),
        });
    }
    if let Some(inert) = &key.inert {
        page.warn(&format!("Setting this key has no effect. {inert}"));
    }
    if let Some(snapshot) = snapshot {
        let lines = present(key, snapshot);
        if !lines.is_empty() {
            page.blank();
        }
        lines.iter().for_each(|line| page.paragraph(line));
    }
    if let Some(drift) = drift {
        at_boot(&mut page, key, parts.as_ref(), drift);
    }
    page.section("Values", &shape(key));
    for (value, meaning) in &key.values {
        page.choice(value, meaning);
    }
    page.section("Default", &default(key));
    if let Some(parts) = &parts {
        page.section("Interfaces", &interface::together(key, parts));
        for namespace in snapshot.into_iter().flat_map(|snapshot| &snapshot.namespaces) {
            for (name, value) in interface::rows(parts, &namespace.sysctls) {
                page.item(&name, &value, "");
            }
        }
    }
    page.section("Scope", scope(key));
    page.section("A change takes effect", &key.takes_effect());
    page.section("Risk of changing it", &risk(key));
    page.section("Interactions", key.interactions.as_deref().unwrap_or_default());
    page.section("How it is misused", key.misuse.as_deref().unwrap_or_default());
    if !key.needs.is_empty() {
        page.heading("See also");
        let who = parts.as_ref().map_or("*", |parts| parts.who);
        for other in key.needs.iter().map(|other| other.replace('*', who)) {
            let value = snapshot.and_then(|snapshot| key_value(snapshot, &other)).unwrap_or_default();
            page.item(&other, &value, "");
        }
    }
    if let Some(since) = &key.since {
        page.section("Since", &format!("Linux {}.", keys::in_words(since)));
    }
    page.sources(key.source.split("; "));
    page
}

/// What sets the key at boot; of one of an interface also what sets that of `all` and of `default`.
fn at_boot(page: &mut Explanation, key: &Key, parts: Option<&InterfaceKey<'_>>, drift: &Drift) {
    let names = match parts {
        None => vec![key.name.clone()],
        Some(parts) => {
            let others = ["all", "default"].into_iter().filter(|who| *who != parts.who);
            Some(parts.who).into_iter().chain(others).map(|who| parts.with(who)).collect()
        }
    };
    let set: Vec<(String, String)> =
        names.into_iter().filter_map(|name| boot::of_key(drift, &name).map(|text| (name, text))).collect();
    match set.as_slice() {
        [] => page.section("At boot", "No file sets it."),
        [(name, text)] if *name == key.name => page.section("At boot", text),
        several => {
            page.heading("At boot");
            several.iter().for_each(|(name, text)| page.item(name, "", text));
        }
    }
}

/// A line for each namespace that has the key.
fn present(key: &Key, snapshot: &Snapshot) -> Vec<String> {
    let several = snapshot.namespaces.len() > 1;
    let lines: Vec<String> = snapshot
        .namespaces
        .iter()
        .filter_map(|namespace| {
            let value = here(key, snapshot, namespace)?;
            Some(if several { format!("In {}: {value}", in_words(&namespace.name)) } else { format!("Here: {value}") })
        })
        .collect();
    let Some(parts) = InterfaceKey::of(&key.name) else { return or_missing(lines) };
    if keys::is_secret(&key.name) {
        return vec!["The value is a secret. This program does not read it.".to_owned()];
    }
    if parts.who == "*" {
        return Vec::new();
    }
    let sysctls = || snapshot.namespaces.iter().map(|namespace| &namespace.sysctls);
    if lines.is_empty() {
        let missing = sysctls().find_map(|sysctls| interface::of_missing(key, &parts, sysctls));
        return or_missing(missing.into_iter().collect());
    }
    let beside = sysctls().filter(|_| parts.is_of_one()).flat_map(|sysctls| interface::of_one(key, &parts, sysctls));
    lines.into_iter().chain(beside).collect()
}

fn or_missing(lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() {
        return vec!["This kernel does not have this key, or the key could not be read.".to_owned()];
    }
    lines
}

/// `30. The usual default is 60.`, with what the value means and whether it makes sense.
fn here(key: &Key, snapshot: &Snapshot, namespace: &Namespace) -> Option<String> {
    let raw = namespace.sysctls.get(&key.name)?;
    if keys::is_secret(&key.name) {
        return Some("set. The value is a secret and is not shown.".to_owned());
    }
    let shown = one_line(raw);
    let Ok(value) = keys::parse(key, raw) else {
        return Some(format!("{shown}. This program does not know values of this format."));
    };
    let mut text = match key.values.get(&shown) {
        Some(meaning) => format!("{shown} ({meaning})."),
        None if key.kind == ValueType::Int && !key.unit.is_empty() => format!("{shown} {}.", key.unit),
        None => format!("{shown}."),
    };
    text.push_str(&beside(key, snapshot, namespace, &value));
    if key.is_useful_to_set() {
        match keys::sense(key, &value) {
            Sense::Useful => {}
            Sense::Unusual(why) => text.push_str(&format!(" This is not a usual value. {why}")),
            Sense::Costs(cost) => text.push_str(&format!(" {cost}")),
            Sense::None => text.push_str(" The kernel accepted this value, but it has no meaning."),
        }
    }
    Some(text)
}

/// How the value stands to the default: to this kernel's own if it is known, else to the usual one, and which it is.
fn beside(key: &Key, snapshot: &Snapshot, namespace: &Namespace, value: &KeyValue) -> String {
    let own = View::new(snapshot, namespace).value(Item::NAMESPACE, &defaults::name(&key.name));
    let own = own.map(|own| own.to_string());
    let (whose, default) = match (&own, &key.default) {
        (Some(own), _) => ("default of this kernel", own),
        (None, Some(usual)) => ("usual default", usual),
        (None, None) => return String::new(),
    };
    match keys::parse(key, default) {
        Ok(default) if default == *value => format!(" That is the {whose}."),
        _ => format!(" The {whose} is {}.", one_line(default)),
    }
}

fn shape(key: &Key) -> String {
    let unit = |text: &str| if key.unit.is_empty() { text.to_owned() } else { format!("{text}, in {}", key.unit) };
    let mut text = match key.kind {
        ValueType::Int => unit("One integer"),
        ValueType::Ints => unit(&format!("{} integers separated by spaces", key.length)),
        ValueType::PortRange => "Two ports separated by a space, first and last".to_owned(),
        ValueType::PortList => "Ports and ranges separated by commas, like 8080,9000-9010".to_owned(),
        ValueType::Text => "Words".to_owned(),
    };
    if key.ascending {
        text.push_str("; each must be at least as large as the one before, but the kernel does not check this");
    }
    text.push('.');
    if key.kind == ValueType::Int || key.kind == ValueType::Ints {
        if let Some([low, high]) = key.accepted {
            text.push_str(&format!(" The kernel accepts {} to {}.", units::count(low), units::count(high)));
        }
        if let Some([low, high]) = key.meaningful {
            text.push_str(&format!(" Useful values are {} to {}.", units::count(low), units::count(high)));
        }
    }
    if key.read_only {
        text.push_str(" The key is read-only.");
    }
    text
}

fn default(key: &Key) -> String {
    let value = key.default.as_deref().map(|default| format!("{}.", one_line(default)));
    [value.as_deref(), key.default_note.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

const fn scope(key: &Key) -> &'static str {
    match key.scope {
        Scope::Namespace => {
            "Each network namespace has its own value. A value that is set on the host does not affect containers. With \
             few exceptions, a new namespace starts with the kernel's default."
        }
        Scope::Host => "One value for the whole host. Other network namespaces do not show the key.",
        Scope::ReadOnlyInChild => {
            "One value for the whole host. Other network namespaces show the key, but only the host's own namespace can write it."
        }
    }
}

fn risk(key: &Key) -> String {
    let word = match key.risk {
        Risk::Low => "Low.",
        Risk::Medium => "Medium.",
        Risk::High => "High.",
    };
    match &key.risk_note {
        Some(note) => format!("{word} {note}"),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::catalogue;
    use crate::report::explain::fixture::snapshot;
    use crate::snapshot::Defaults;

    /// Not one of the catalogue, whose texts may change.
    fn switch() -> Key {
        let mut key: Key = toml::from_str(
            r#"
            type = "int"
            unit = "s"
            accepted = [-1, 1000]
            meaningful = [0, 900]
            default = "60"
            default_note = "It was 30 before."
            values = { "0" = "off", "60" = "as long as TIME_WAIT" }
            scope = "namespace"
            effect = "immediate"
            since = "5.1"
            needs = ["net.core.somaxconn", "net.ipv4.tcp_mem"]
            risk = "medium"
            risk_note = "It may break something."
            meaning = "What it does. What that means."
            misuse = "What people think."
            source = "one.c; two.c"
            "#,
        )
        .unwrap();
        key.name = "net.ipv4.switch".to_owned();
        key
    }

    fn with(value: &str) -> String {
        let mut snapshot = snapshot();
        snapshot.namespaces[0].sysctls.insert("net.ipv4.switch".to_owned(), value.to_owned());
        key(&switch(), Some(&snapshot), None, Theme::plain())
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for known in catalogue().iter() {
            for line in key(known, Some(&snapshot()), None, Theme::plain()).lines() {
                assert!(line.chars().count() <= 80 || line.split_whitespace().count() == 1, "{line}");
            }
        }
    }

    #[test]
    fn a_value_that_differs_from_the_default_is_set_beside_it() {
        assert!(with("30").contains("Here: 30 s. The usual default is 60.\n"));
        assert!(with("\t60").contains("Here: 60 (as long as TIME_WAIT). That is the usual default.\n"));
    }

    #[test]
    fn the_default_of_the_kernel_that_runs_is_told_from_the_usual_one() {
        let limit = catalogue().get("net.ipv4.tcp_limit_output_bytes").unwrap();
        let with = |own: Option<&str>| {
            let mut snapshot = snapshot();
            snapshot.namespaces[0].sysctls.insert(limit.name.clone(), "1048576".to_owned());
            let values = own.map(|own| [(limit.name.clone(), own.to_owned())].into());
            snapshot.defaults = values.map(|values| Defaults { values, failed: None });
            key(limit, Some(&snapshot), None, Theme::plain())
        };
        assert!(with(None).contains("Here: 1048576 bytes. That is the usual default."), "{}", with(None));
        assert!(with(Some("4194304")).contains("1048576 bytes. The default of this kernel is 4194304."));
        assert!(with(Some("1048576")).contains("1048576 bytes. That is the default of this kernel."));
    }

    #[test]
    fn white_space_makes_no_difference_to_the_default() {
        let text =
            key(catalogue().get("net.ipv4.ip_local_port_range").unwrap(), Some(&snapshot()), None, Theme::plain());
        assert!(text.contains("Here: 32768 60999. That is the usual default."), "{text}");
    }

    #[test]
    fn a_senseless_value_that_the_kernel_took_is_called_so() {
        assert!(with("-1").replace('\n', " ").contains("has no meaning"));
        assert!(!with("30").replace('\n', " ").contains("has no meaning"));
    }

    #[test]
    fn a_value_of_unknown_form_is_shown_as_it_is() {
        assert!(with("soon").contains("Here: soon. This program does not know values of this format."));
    }

    #[test]
    fn a_key_that_the_kernel_lacks_is_said_to_be_missing() {
        assert!(key(&switch(), Some(&snapshot()), None, Theme::plain()).contains("This kernel does not have this key"));
    }

    #[test]
    fn a_key_that_is_gone_or_ignored_says_so_first() {
        let mut gone = switch();
        gone.removed = Some("4.12".to_owned());
        assert!(key(&gone, None, None, Theme::plain()).contains("Linux 4.12 removed this key"));
        gone.removed = Some("by 6.1".to_owned());
        assert!(key(&gone, None, None, Theme::plain()).contains("removed by Linux 6.1 at the latest"));
        gone.since = Some("by 4.5".to_owned());
        assert!(key(&gone, None, None, Theme::plain()).contains("Linux 4.5 at the latest."));
        let mut inert = switch();
        inert.inert = Some("The kernel ignores it.".to_owned());
        assert!(
            key(&inert, None, None, Theme::plain()).contains("Setting this key has no effect. The kernel ignores it.")
        );
    }

    #[test]
    fn a_secret_is_never_shown() {
        let mut secret = switch();
        secret.name = "net.ipv4.tcp_fastopen_key".to_owned();
        let mut snapshot = snapshot();
        snapshot.namespaces[0].sysctls.insert(secret.name.clone(), "1234-5678".to_owned());
        assert!(!key(&secret, Some(&snapshot), None, Theme::plain()).contains("1234"));
    }

    #[test]
    fn each_namespace_is_named_when_there_are_several() {
        let mut snapshot = snapshot();
        let mut other = snapshot.namespaces[0].clone();
        other.name = "blue".into();
        other.sysctls.insert("net.ipv4.switch".to_owned(), "0".to_owned());
        snapshot.namespaces.push(other);
        let text = key(&switch(), Some(&snapshot), None, Theme::plain());
        assert!(text.contains("In blue: 0 (off). The usual default is 60."), "{text}");
    }

    #[test]
    fn a_key_reads_so() {
        insta::assert_snapshot!(with("30"), @r"
        net.ipv4.switch
        What it does. What that means.

        Here: 30 s. The usual default is 60.

        Values
          One integer, in s. The kernel accepts -1 to 1,000. Useful values are 0 to 900.
            0: off
            60: as long as TIME_WAIT

        Default
          60. It was 30 before.

        Scope
          Each network namespace has its own value. A value that is set on the host does
          not affect containers. With few exceptions, a new namespace starts with the
          kernel's default.

        A change takes effect
          At once.

        Risk of changing it
          Medium. It may break something.

        How it is misused
          What people think.

        See also
          net.core.somaxconn = 4096
          net.ipv4.tcp_mem

        Since
          Linux 5.1.

        Sources
          one.c
          two.c
        ");
    }
}
