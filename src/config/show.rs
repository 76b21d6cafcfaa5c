//! `config show`: what the configuration comes to.
//!
//! In: the layers. Out: a file in the same format, with the place that each value is from; defaults stand in it as
//! comments. Must not: know what an option does.

use super::Config;

/// Every option with its default, as it is written in a file; sections in the order in which they are shown.
const OPTIONS: &[(&str, &str, &str)] = &[
    ("audit", "window", "\"2s\""),
    ("audit", "netns", "\"current\""),
    ("audit", "fail_on", "\"never\""),
    ("audit", "waivers", "\"/etc/sysctl-advisor/waivers.toml\""),
    ("rules", "folders", "[\"/etc/sysctl-advisor/rules.d\"]"),
    ("rules", "disable", "[]"),
    ("apply", "only", "[]"),
    ("apply", "never", "[]"),
    ("apply", "max_risk", "\"high\""),
    ("apply", "max_changes", "256"),
    ("apply", "cool_down", "\"7d\""),
    ("agent", "hold_off", "2"),
    ("agent", "resolve_after", "2"),
    ("agent", "flap_limit", "3"),
    ("agent", "keep", "\"90d\""),
    ("agent", "max_size", "\"64MiB\""),
    ("agent", "textfile", "\"/run/sysctl-advisor/sysctl-advisor.prom\""),
    ("agent", "journal", "true"),
    ("agent", "netns", "\"all\""),
    ("agent", "apply", "false"),
    ("agent", "watch", "\"1d\""),
    ("agent", "confirm_after", "\"never\""),
];

/// Column at which the places begin, where the value leaves room.
const PLACE: usize = 40;

/// The configuration as a file.
pub fn shown(config: &Config) -> String {
    let names: Vec<&str> = config.sources.names().collect();
    let mut text = match names.as_slice() {
        [] => "# No configuration file and no environment variable; every option has its default.\n".to_owned(),
        names => format!("# Read, each laid over the one before:\n#   {}\n", names.join("\n#   ")),
    };
    let mut table = "";
    for &(section, name, default) in OPTIONS {
        if section != table {
            table = section;
            text.push_str(&format!("\n[{section}]\n"));
        }
        text.push_str(&match config.written.get(&[section.to_owned(), name.to_owned()][..]) {
            Some(written) => line(&format!("{name} = {}", written.value), &written.place),
            None => line(&format!("#{name} = {default}"), "default"),
        });
    }
    let mut table = "";
    for (path, written) in &config.written {
        let [section, rule, name] = path.as_slice() else { continue };
        if section != "params" {
            continue;
        }
        if rule != table {
            table = rule;
            text.push_str(&format!("\n[params.{}]\n", quoted(rule)));
        }
        text.push_str(&line(&format!("{} = {}", quoted(name), written.value), &written.place));
    }
    text
}

fn line(option: &str, place: &str) -> String {
    format!("{option:PLACE$}  # {place}\n")
}

/// A name as TOML writes it: in quotes where it is more than letters, digits, `-` and `_`.
fn quoted(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_bare { name.to_owned() } else { toml::Value::from(name).to_string() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::layers::Layers;
    use crate::config::{build, check};

    fn of(text: &str) -> Config {
        check("/c", text).unwrap();
        let mut layers = Layers::default();
        layers.add_file("/c", text).unwrap();
        build(layers).unwrap()
    }

    #[test]
    fn the_defaults_shown_are_those_of_the_program() {
        let mut text = String::new();
        for (section, name, value) in OPTIONS {
            text = if text.contains(&format!("[{section}]")) { text } else { format!("{text}[{section}]\n") };
            text.push_str(&format!("{name} = {value}\n"));
        }
        let (shown, default) = (of(&text), of(""));
        assert_eq!((shown.window, shown.fail_on), (default.window, default.fail_on));
        assert_eq!(shown.waivers.as_deref(), Some(std::path::Path::new(crate::config::DEFAULT_WAIVERS)));
        assert_eq!(shown.folders, [std::path::PathBuf::from(crate::config::DEFAULT_RULES)]);
        assert!(shown.policy.allows("net.core.somaxconn", "high").is_ok());
        assert_eq!(shown.policy.cool_down(), default.policy.cool_down());
        assert_eq!((&shown.netns, &shown.agent), (&default.netns, &default.agent));
    }

    #[test]
    fn every_option_of_the_shipped_file_is_shown() {
        let known: BTreeSet<String> = OPTIONS.iter().map(|(section, name, _)| format!("{section}.{name}")).collect();
        let mut section = String::new();
        let mut shipped = BTreeSet::new();
        for line in crate::config::SHIPPED.lines() {
            if let Some(name) = line.trim_start_matches('#').strip_prefix('[') {
                section = name.trim_end_matches(']').to_owned();
            } else if let Some((name, _)) = line.strip_prefix('#').and_then(|line| line.split_once(" = "))
                && !name.contains(' ')
                && !section.starts_with("params")
            {
                shipped.insert(format!("{section}.{name}"));
            }
        }
        assert_eq!(known, shipped);
    }

    #[test]
    fn what_is_shown_is_a_configuration_that_comes_to_the_same() {
        let first =
            shown(&of("[audit]\nwindow = \"5s\"\n[params.close-wait-leak]\nsockets = 9\n[apply]\nmax_changes = 3\n"));
        assert!(first.contains("window = \"5s\"                             # /c:2\n"), "{first}");
        let config = of(&first);
        assert_eq!((config.window.as_secs(), config.policy.max_changes, config.params.len()), (5, Some(3), 1));
    }
}
