//! What the documents show is what the program does.
//!
//! In: the pages. Out: nothing but assertions. Must not: let a page show words that the program does not print. Only what
//! changes from release to release is replaced, by the table [`VARIABLE`], on both sides.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not in a #[test] function")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command as Process;

use assert_cmd::Command;
use regex::Regex;

/// What differs between releases, and what the comparison has in its place. Everything else is compared as it is.
const VARIABLE: [(&str, &str); 3] = [
    (r"\b\d+ of \d+ rules\b", "N rules"),
    (r"\b\d+ rules\b", "N rules"),
    (r"sysctl-advisor \d+\.\d+\.\d+\S*", "sysctl-advisor VERSION"),
];

/// A command that a page shows, and what it shows as its output.
#[derive(Debug, PartialEq)]
struct Shown {
    command: String,
    output: String,
}

/// The `console` blocks of a page: a line that begins with `$` is a command, and what follows is its output.
fn shown(page: &str) -> Vec<Shown> {
    let blocks = page.split("```console\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let mut shown = Vec::<Shown>::new();
    for line in blocks.flat_map(str::lines) {
        match (line.strip_prefix("$ "), shown.last_mut()) {
            (Some(command), _) => shown.push(Shown { command: command.to_owned(), output: String::new() }),
            (None, Some(last)) => last.output += &format!("{line}\n"),
            (None, None) => panic!("a console block begins with its command, not with {line:?}"),
        }
    }
    shown
}

fn without_variable(text: &str) -> String {
    let replaced = VARIABLE.iter().fold(text.to_owned(), |text, (pattern, replacement)| {
        Regex::new(pattern).unwrap().replace_all(&text, *replacement).into_owned()
    });
    // An editor removes empty lines at the end of a block.
    replaced.trim_end().to_owned()
}

/// What a shell prints for a command of a page, with this program as `sysctl-advisor`.
fn printed(command: &str) -> String {
    let folder = Path::new(super::PROGRAM).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(folder.to_owned()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let mut shell = Process::new("sh");
    shell.args(["-c", command]).current_dir(env!("CARGO_MANIFEST_DIR")).env("PATH", path.unwrap());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"SYSCTL_ADVISOR_")) {
        shell.env_remove(name);
    }
    let output = shell.env("SYSCTL_ADVISOR_CONFIG", "/dev/null").env("COLUMNS", "80").output().unwrap();
    let words = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{command}: {}", words[1]);
    words.concat()
}

fn differences(page: &str) -> Vec<String> {
    let wrong = |shown: &Shown| {
        let is = printed(&shown.command);
        (without_variable(&is) != without_variable(&shown.output)).then(|| format!("$ {}\n{is}", shown.command))
    };
    shown(page).iter().filter_map(wrong).collect()
}

#[test]
fn the_readme_shows_what_the_program_prints() {
    let page = include_str!("../../README.md");
    assert!(shown(page).len() >= 3, "the README shows what the program prints");
    let wrong = differences(page);
    assert!(wrong.is_empty(), "README.md shows something else than\n{}", wrong.join("\n"));
}

#[test]
fn a_changed_word_is_noticed_and_another_number_of_rules_is_not() {
    let right = include_str!("../../README.md");
    assert!(right.contains("does not accept") && right.contains(" rules found nothing."));
    let fewer = Regex::new(r"\d+ of \d+ rules").unwrap().replace_all(right, "7 of 9 rules");
    assert_eq!((fewer != right, differences(&fewer)), (true, Vec::new()));
    let other = right.replacen(" does not accept connections: its", " does accept connections: its", 1);
    assert_eq!(differences(&other).len(), 1);
}

#[test]
fn no_page_shows_a_placeholder_of_a_test() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for (number, line) in text.lines().enumerate() {
            let placeholder = line.contains("[..]") || line.contains("[EXE]") || line.trim() == "...";
            assert!(!placeholder, "{}:{}: {line}", page.display(), number + 1);
        }
    }
}

/// README.md, the other pages beside it, and those of `docs`.
fn pages() -> Vec<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = [root.to_owned(), root.join("docs")].into_iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let pages: Vec<_> =
        all.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    assert!(pages.len() > 10, "{pages:?}");
    pages
}

/// Every link from page to page leads to a file, and to a heading in it.
#[test]
fn every_link_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for (_, [target]) in link.captures_iter(&text).map(|found| found.extract()) {
            if target.contains("://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(file.exists(), "{}: {target} does not exist", page.display());
            if !heading.is_empty() {
                let headings = std::fs::read_to_string(&file).unwrap();
                let mut anchors = headings.lines().filter(|line| line.starts_with('#')).map(anchor);
                assert!(anchors.any(|anchor| anchor == heading), "{}: {target} is not a heading", page.display());
            }
        }
    }
}

/// The name of a heading in a link.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The man page has every variable that an option or a flag declares; README writes the ones after the first in a list
/// without their common beginning.
#[test]
fn readme_names_every_variable_that_the_program_reads() {
    let folder = tempfile::tempdir().unwrap();
    let generated = super::run(&["generate", folder.path().to_str().unwrap()]);
    assert_eq!(generated.code, 0, "{generated:?}");
    let manual = std::fs::read_to_string(folder.path().join("man/sysctl-advisor.1")).unwrap();
    let full = Regex::new("SYSCTL_ADVISOR(_[A-Z_]+)").unwrap();
    let short = Regex::new("`(?:SYSCTL_ADVISOR)?(_[A-Z_]+)`").unwrap();
    let read: BTreeSet<&str> = full.captures_iter(&manual).map(|found| found.extract::<1>().1[0]).collect();
    let named: BTreeSet<&str> =
        short.captures_iter(include_str!("../../README.md")).map(|found| found.extract::<1>().1[0]).collect();
    assert!(read.len() >= 8, "{read:?}");
    assert_eq!(named, read, "README.md names other variables than sysctl-advisor(1)");
}

/// A message that a heading of the page quotes is one that the program still has.
#[test]
fn troubleshooting_quotes_the_messages_of_the_program() {
    let page = include_str!("../../docs/troubleshooting.md");
    let source = source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let headings = page.lines().filter(|line| line.starts_with("### "));
    let quoted: Vec<&str> = headings.flat_map(|line| line.split('`').skip(1).step_by(2)).collect();
    assert!(quoted.len() > 10, "{quoted:?}");
    for message in quoted {
        // The kernel's own words.
        let is_ours = message != "Permission denied";
        assert!(!is_ours || source.contains(message), "docs/troubleshooting.md: the program does not say `{message}`");
    }
}

/// The text of all source files, without the tests that are files of their own.
fn source(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &source(&path);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            text += &std::fs::read_to_string(&path).unwrap();
        }
    }
    text
}

#[test]
fn the_finding_of_reading_a_report_is_what_the_program_prints() {
    let page = include_str!("../../docs/reading-a-report.md");
    let (_, rest) = page.split_once("```text\n").expect("the page shows a finding");
    let (finding, _) = rest.split_once("```").expect("the block ends");
    let mut command = Command::cargo_bin("sysctl-advisor").expect("the program");
    let arguments = ["audit", "--full", "--snapshot", "tests/data/ports.json"];
    assert!(page.contains(&arguments.join(" ")));
    let output = command.env("SYSCTL_ADVISOR_CONFIG", "/dev/null").args(arguments).output().expect("it runs");
    let report = String::from_utf8(output.stdout).expect("text");
    assert!(report.contains(finding), "docs/reading-a-report.md shows another finding than\n{report}");
}

#[test]
fn the_rule_of_add_a_rule_passes_its_own_tests() {
    let page = include_str!("../../docs/add-a-rule.md");
    let (_, rest) = page.split_once("```toml\n").expect("the page shows a rule");
    let (rule, _) = rest.split_once("```").expect("the block ends");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("keepalive-behind-balancer.toml"), rule).expect("the rule is written");
    let mut command = Command::cargo_bin("sysctl-advisor").expect("the program");
    let shown = "1 rule checked, 0 broken; 4 tests passed, 0 failed\n";
    assert!(page.contains(shown));
    command.args(["rules", "test"]).arg(folder.path()).assert().code(0).stdout(shown);
}
