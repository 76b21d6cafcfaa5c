//! The man page of the configuration file.
//!
//! In: the declarations of the options, the command line as it is parsed. Out: sysctl-advisor.toml(5) in roff. Must not: name an option.

use clap::Command;
use clap_mangen::roff::{Roff, bold, roman};

use super::man::{MANUAL, environment, source, table};
use crate::config::{DEFAULT_FILE, DROP_INS, PARAMS_EXAMPLE, PARAMS_HELP, SECTIONS, notes};

const HOW: [&str; 3] = [
    "The file is in TOML format. Every option has a default value, so the file may be missing. An unknown option, a \
     value of the wrong type and a value out of range are errors: the program shows the file and line, and exits with \
     code 2.",
    "Drop-in files override the main file. They are read in the order of their names. Tables are merged. Any other \
     value replaces the previous one; a list is replaced as a whole. Only files whose names end in .toml and do not \
     begin with a dot or # are read. With --config, only that one file is read.",
    "Command-line options override environment variables, which override files. `sysctl-advisor config show` prints \
     each value with its source. If a file is read by apply, remediate or agent --apply, the file and its folder must \
     belong to root, and nobody else may be able to write to them.",
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
            ("sysctl-advisor config show", "checks all files and prints the effective configuration."),
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
