//! `config show`: what the configuration comes to.
//!
//! In: the layers. Out: a file in the same format, with the place that each value is from; defaults stand in it as
//! comments. Must not: know what an option does.

use super::declared::Declared;
use super::effective::Config;
use super::layers::PARAMS;
use super::options::SECTIONS;

/// Column at which the places begin, where the value leaves room.
const PLACE: usize = 40;

/// The configuration as a file.
pub fn shown(config: &Config) -> String {
    let names: Vec<&str> = config.sources.names().collect();
    let mut text = match names.as_slice() {
        [] => "# No configuration file and no environment variable was found: each option has its default value.\n"
            .to_owned(),
        names => {
            format!("# These sources were read. Each one overrides the previous ones:\n#   {}\n", names.join("\n#   "))
        }
    };
    for section in SECTIONS {
        text.push_str(&format!("\n[{}]\n", section.name));
        for Declared { name, default, .. } in section.options {
            text.push_str(&match config.written.get(&[section.name.to_owned(), (*name).to_owned()][..]) {
                Some(written) => line(&format!("{name} = {}", written.value), &written.place),
                None => line(&format!("#{name} = {default}"), "default"),
            });
        }
    }
    let mut table = "";
    for (path, written) in &config.written {
        let [section, rule, name] = path.as_slice() else { continue };
        if section != PARAMS {
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
    use super::*;
    use crate::config::effective::{build, check};
    use crate::config::layers::Layers;

    fn of(text: &str) -> Config {
        check("/c", text).unwrap();
        let mut layers = Layers::default();
        layers.add_file("/c", text).unwrap();
        build(layers).unwrap()
    }

    #[test]
    fn what_is_shown_is_a_configuration_that_comes_to_the_same() {
        let first =
            shown(&of("[audit]\nwindow = \"5s\"\n[params.close-wait-leak]\nsockets = 9\n[apply]\nmax_changes = 3\n"));
        assert!(first.contains("window = \"5s\"                             # /c:2\n"), "{first}");
        let config = of(&first);
        assert_eq!(
            (config.options.audit.window.as_secs(), config.policy.max_changes, config.params.len()),
            (5, Some(3), 1)
        );
    }
}
