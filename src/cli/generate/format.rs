//! The man page of the configuration file.
//!
//! In: the declarations of the options, the command line as it is parsed. Out: sysctl-advisor.toml(5) in roff. Must not: name an option.

use clap::Command;
use clap_mangen::roff::{Roff, bold, roman};

use super::man::{MANUAL, environment, source, table};
use crate::config::{DEFAULT_FILE, DROP_INS, PARAMS_EXAMPLE, PARAMS_HELP, SECTIONS, notes};

const HOW: [&str; 3] = [
    "The file is TOML. Every option has a default, and without any file the program behaves the same. An option \
     that is misspelt, of the wrong type or out of range is an error, with exit code 2, that shows the place.",
    "Drop-ins are laid over the main file in the order of their names: tables are merged, and any other value, a list \
     too, replaces the former one. Only names that end in .toml and do not begin with a dot or # count. With --config \
     one file is read and nothing else.",
    "Environment variables count more than files, and what is typed more than the environment. `sysctl-advisor config \
     show` prints each value with the place that it is from. What apply, remediate and the timer that applies read must \
     belong to root, and nobody else may write to it or to its folder.",
];

pub(super) fn page(program: &Command) -> String {
    let mut roff = Roff::new();
    let source = source();
    roff.control("TH", ["sysctl-advisor.toml", "5", "", source.as_str(), MANUAL]);
    roff.control("SH", ["NAME"]);
    roff.text([roman("sysctl-advisor.toml - configuration of sysctl-advisor")]);
    roff.control("SH", ["SYNOPSIS"]);
    roff.text([bold(DEFAULT_FILE)]);
    roff.control("br", []);
    roff.text([bold(format!("{DROP_INS}/*.toml"))]);
    roff.control("SH", ["DESCRIPTION"]);
    for (place, text) in HOW.into_iter().enumerate() {
        if place > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(text)]);
    }
    options(&mut roff);
    roff.control("SH", ["ENVIRONMENT"]);
    environment(&mut roff, program);
    roff.control("SH", ["EXAMPLES"]);
    table(
        &mut roff,
        [
            ("sysctl-advisor init", "writes the main file with every option commented out."),
            ("sysctl-advisor config show", "checks all files and prints what they come to."),
        ]
        .into_iter(),
    );
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman("sysctl-advisor(1), sysctl-advisor-config-show(1), sysctl-advisor-init(1)")]);
    roff.render()
}

/// A section for each table, and each option with its help.
fn options(roff: &mut Roff) {
    for section in SECTIONS {
        heading(roff, section.name);
        let about: Vec<_> = section.about.iter().map(|line| line.trim()).collect();
        roff.text([roman(about.join(" "))]);
        for option in section.options {
            roff.control("TP", []);
            roff.text([bold(format!("{} = {}", option.name, option.example.unwrap_or(option.default)))]);
            roff.text([roman(format!("{} {}", option.text(), notes(option)).trim_end())]);
        }
    }
    heading(roff, "params");
    let [table, option] = PARAMS_EXAMPLE;
    roff.control("TP", []);
    roff.text([bold(table)]);
    roff.control("TQ", []);
    roff.text([bold(option)]);
    roff.text([roman(PARAMS_HELP.join(" "))]);
}

fn heading(roff: &mut Roff, section: &str) {
    roff.control("SH", [format!("[{section}] SECTION").to_uppercase().as_str()]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_of_the_file_is_in_the_page_with_its_words() {
        let page = page(&crate::cli::program());
        for wanted in [
            "[AUDIT] SECTION",
            "window = ",
            "max_changes = 20",
            "[PARAMS] SECTION",
            "exhausted = 0.85",
            "[params.ephemeral",
        ] {
            assert!(page.contains(wanted), "{wanted}\n{page}");
        }
        assert!(page.contains("A longer window sees rarer events."));
    }
}
