//! One man page for the program and one for each of its commands.
//!
//! In: the command line as it is parsed. Out: pages in roff. Must not: show what `--help` hides.

use std::collections::BTreeMap;
use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::super::exit::Exit;
use crate::config;

/// What all pages are part of.
pub(super) const MANUAL: &str = "sysctl-advisor";
const EXAMPLES: &str = "Examples:";
const EXIT_CODES: &str = "Exit codes:";

pub(super) const FILES: [(&str, &str); 9] = [
    ("/etc/sysctl-advisor/sysctl-advisor.toml", "The configuration; see sysctl-advisor.toml(5)."),
    (
        "/etc/sysctl-advisor/config.d/*.toml",
        "Drop-in files, which override it. They are read in the order of their names.",
    ),
    ("/etc/sysctl-advisor/rules.d", "Rules of the administrator."),
    ("/etc/sysctl-advisor/waivers.toml", "Waivers: findings that a person accepted."),
    ("/etc/sysctl.d/90-sysctl-advisor.conf", "Confirmed values, which the next boot sets."),
    ("/var/lib/sysctl-advisor", "Journals of the applied changes; the history and the state of the service."),
    ("/run/sysctl-advisor", "Files that exist only until the next boot, such as the gauges for Prometheus."),
    ("/usr/share/sysctl-advisor/rules", "The shipped rules, for reading only: the program has a copy compiled in."),
    ("/usr/share/doc/sysctl-advisor", "Documentation: how to read a report, and how to write rules and waivers."),
];

/// Variables that neither an option of the configuration nor a flag declares.
const OTHER_VARIABLES: [(&str, &str); 2] = [
    (
        "STATE_DIRECTORY",
        "Folder with the journals of changes and the history, if no other is given. systemd(1) sets it.",
    ),
    ("NO_COLOR", "If it is set to any value, the output has no colours (--color always overrides it)."),
];

/// The variables, each with what it says: those of the options, those of other flags, and the rest.
pub(super) fn environment(roff: &mut Roff, program: &Command) {
    let of_options = config::declared().filter_map(|option| {
        let flag = option.flag.map(|flag| format!(", as --{}", flag.name)).unwrap_or_default();
        Some((option.variable?.to_owned(), format!("{}{flag}.", option.summary())))
    });
    let mut of_flags = BTreeMap::new();
    variables(program, &mut of_flags);
    let others = OTHER_VARIABLES.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let rows: Vec<_> = of_options.chain(of_flags).chain(others).collect();
    table(roff, rows.iter().map(|(name, text)| (name.as_str(), text.as_str())));
}

/// The variables of the flags of a command and of those in it, each with the flag's help.
fn variables(command: &Command, found: &mut BTreeMap<String, String>) {
    for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
        if let (Some(variable), Some(flag)) = (argument.get_env(), argument.get_long()) {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            // The default is that of the flag; here it would be read as the variable's.
            let help = help.split(" [default:").next().unwrap_or_default().trim_end_matches('.');
            found.insert(variable.to_string_lossy().into_owned(), format!("{help}, as --{flag}."));
        }
    }
    command.get_subcommands().for_each(|inner| variables(inner, found));
}

/// The pages, each with the name of its file.
pub(super) fn pages(program: &Command) -> io::Result<Vec<(String, String)>> {
    let mut program = program.clone().disable_help_subcommand(true);
    program.build();
    let mut pages = Vec::new();
    walk(&program, true, &mut pages)?;
    Ok(pages)
}

fn walk(command: &Command, is_program: bool, pages: &mut Vec<(String, String)>) -> io::Result<()> {
    pages.push((Man::new(command.clone()).get_filename(), page(command, is_program)?));
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        walk(inner, false, pages)?;
    }
    Ok(())
}

fn page(command: &Command, is_program: bool) -> io::Result<String> {
    let man = Man::new(command.clone()).manual(MANUAL).source(source());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut page)?;
    }
    if command.get_subcommands().any(|inner| !inner.is_hide_set()) {
        man.render_subcommands_section(&mut page)?;
    }
    let mut roff = Roff::new();
    let notes = paragraphs(command).filter(|text| ![EXAMPLES, EXIT_CODES].iter().any(|head| text.starts_with(head)));
    for (place, note) in notes.enumerate() {
        roff.control(if place == 0 { "SH" } else { "PP" }, (place == 0).then_some("NOTES"));
        roff.text([roman(note)]);
    }
    roff.control("SH", ["EXIT STATUS"]);
    let exit_codes: Vec<_> = Exit::ALL.iter().map(|exit| (exit.number().to_string(), exit.meaning())).collect();
    table(&mut roff, exit_codes.iter().map(|(code, meaning)| (code.as_str(), *meaning)));
    if is_program {
        roff.control("SH", ["ENVIRONMENT"]);
        roff.text([roman("An empty variable is ignored. Command-line options override variables.")]);
        environment(&mut roff, command);
        roff.control("SH", ["FILES"]);
        table(&mut roff, FILES.into_iter());
    }
    if let Some(examples) = paragraph(command, EXAMPLES) {
        roff.control("SH", ["EXAMPLES"]);
        table(
            &mut roff,
            examples.iter().map(|line| line.trim()).map(|line| line.split_once("  ").unwrap_or((line, ""))),
        );
    }
    roff.control("SH", ["SEE ALSO"]);
    let others: &[&str] =
        if is_program { &["sysctl(8)", "sysctl.d(5)", "ss(8)", "tcp(7)"] } else { &["sysctl-advisor(1)"] };
    roff.text([roman([&["sysctl-advisor.toml(5)"], others].concat().join(", "))]);
    Ok(String::from_utf8_lossy(&page).into_owned() + &roff.render())
}

/// Program and version; a page does not name a day, so that it is the same whenever it is made.
pub(super) fn source() -> String {
    format!("sysctl-advisor {}", env!("CARGO_PKG_VERSION"))
}

/// A list of names in bold, each with its explanation.
pub(super) fn table<'a>(roff: &mut Roff, rows: impl Iterator<Item = (&'a str, &'a str)>) {
    for (name, text) in rows {
        if text.is_empty() {
            roff.control("PP", []);
            roff.text([bold(name)]);
        } else {
            roff.control("TP", []);
            roff.text([bold(name)]);
            roff.text([roman(text.trim())]);
        }
    }
}

/// What stands below the options in the help, by paragraphs.
fn paragraphs(command: &Command) -> impl Iterator<Item = String> {
    let text = command.get_after_long_help().or_else(|| command.get_after_help());
    let text = text.map(ToString::to_string).unwrap_or_default();
    text.split("\n\n")
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .into_iter()
}

/// The lines of the paragraph with this heading.
fn paragraph(command: &Command, heading: &str) -> Option<Vec<String>> {
    let text = paragraphs(command).find(|text| text.starts_with(heading))?;
    Some(text.lines().skip(1).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_variable_that_is_read_is_documented_once() {
        let mut read: BTreeSet<String> =
            config::declared().filter_map(|option| option.variable).map(str::to_owned).collect();
        let program = crate::cli::program();
        let mut of_flags = BTreeMap::new();
        variables(&program, &mut of_flags);
        assert!(of_flags.contains_key("SYSCTL_ADVISOR_CONFIG") && of_flags.len() >= 3, "{of_flags:?}");
        read.extend(of_flags.into_keys());
        read.extend(["STATE_DIRECTORY".to_owned(), "NO_COLOR".to_owned()]);
        let mut roff = Roff::new();
        environment(&mut roff, &program);
        let page = roff.render();
        for variable in &read {
            assert!(page.contains(&format!("\\fB{variable}\\fR")), "{variable}: {page}");
        }
        assert_eq!(page.matches(".TP").count(), read.len());
        assert!(!page.contains("[default"), "{page}");
    }

    #[test]
    fn every_command_has_its_page_and_hidden_ones_have_none() {
        let names: BTreeSet<String> =
            pages(&crate::cli::program()).unwrap().into_iter().map(|(name, _)| name).collect();
        assert!(names.contains("sysctl-advisor.1") && names.contains("sysctl-advisor-rules-list.1"), "{names:?}");
        for hidden in ["deadline", "rehearse", "generate", "help"] {
            assert!(!names.iter().any(|name| name.contains(hidden)), "{hidden}: {names:?}");
        }
    }

    #[test]
    fn pages_are_the_same_every_time() {
        assert_eq!(pages(&crate::cli::program()).unwrap(), pages(&crate::cli::program()).unwrap());
    }
}
