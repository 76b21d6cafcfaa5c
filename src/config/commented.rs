//! The commented configuration file, which packages install and `init` writes.
//!
//! In: the declarations. Out: a file in which every option stands with its help, commented out. Must not: say what the
//! declarations do not know. `config/sysctl-advisor.toml` is this text; a test holds it current.

use super::declared::Declared;
use super::options::SECTIONS;

const HEADER: &str = "\
# The configuration of sysctl-advisor, installed as /etc/sysctl-advisor/sysctl-advisor.toml.
#
# Each option is shown with its default value, or with an example if the default is empty. To set an option, delete the `#`
# in front of it. Files in config.d that end in .toml override this file; they are read in the order of their names.
# Environment variables override all files, and command-line options override environment variables.
# `sysctl-advisor config show` prints the effective value of each option and its source. An unknown option is an error
# (exit code 2).
";

/// What is to be said of the tables of parameters, which no option declares.
pub const PARAMS_HELP: [&str; 2] = [
    "Parameters of rules, such as thresholds: one table per rule. `sysctl-advisor explain RULE` prints its parameters.",
    "On the command line: --param ephemeral-ports.exhausted=0.9",
];
/// An example of such a table.
pub const PARAMS_EXAMPLE: [&str; 2] = ["[params.ephemeral-ports]", "exhausted = 0.85"];

/// The file.
pub fn commented() -> String {
    let mut text = HEADER.to_owned();
    for section in SECTIONS {
        text.push_str(&format!("\n[{}]\n\n{}", section.name, comment(section.about)));
        for option in section.options {
            text.push_str(&format!("\n{}", block(option)));
        }
    }
    let (help, example) =
        (PARAMS_HELP.map(|line| format!("# {line}\n")), PARAMS_EXAMPLE.map(|line| format!("#{line}\n")));
    text.push_str(&format!("\n{}{}", help.concat(), example.concat()));
    text
}

fn block(option: &Declared) -> String {
    let mut text = comment(option.help);
    let notes = notes(option);
    if !notes.is_empty() {
        text.push_str(&format!("# {notes}\n"));
    }
    text.push_str(&format!("#{} = {}\n", option.name, option.example.unwrap_or(option.default)));
    text
}

/// The default where it is not shown, and where else the option can be set.
pub fn notes(option: &Declared) -> String {
    let mut notes = Vec::new();
    if option.example.is_some() {
        notes.push(format!("Default: {}.", if option.default == "[]" { "none" } else { option.default }));
    }
    if let Some(flag) = option.flag {
        notes.push(format!("On the command line: --{}.", flag.name));
    }
    if let Some(variable) = option.variable {
        notes.push(format!("In the environment: {variable}."));
    }
    notes.join(" ")
}

/// Lines of documentation as a comment, without the lines between paragraphs.
fn comment(lines: &[&str]) -> String {
    lines.iter().filter(|line| !line.is_empty()).map(|line| format!("#{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_packages_is_current() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config/sysctl-advisor.toml");
        if std::env::var_os("SYSCTL_ADVISOR_WRITE").is_some() {
            std::fs::write(file, commented()).unwrap();
        }
        let written = std::fs::read_to_string(file).unwrap();
        assert_eq!(written, commented(), "write it: SYSCTL_ADVISOR_WRITE=1 cargo test --lib is_current");
    }

    #[test]
    fn lines_fit_into_an_editor() {
        for line in commented().lines() {
            assert!(line.chars().count() <= 130, "{line}");
        }
    }
}
