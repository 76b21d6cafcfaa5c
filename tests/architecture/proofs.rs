//! The page that says of each rule where it is proven, made from the tests that name the rule.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the tests are, and what the page calls them. A rule may be proven in several ways.
const PLACES: [(&str, &str); 3] =
    [("lab", "scenario of the lab"), ("tests/live", "network namespace"), ("tests/cli", "files and recorded hosts")];
/// What the page calls a scenario that `tests/vm` plays.
const ON_A_MACHINE: &str = "scenario of the lab in a virtual machine";

/// Rules whose fault no machine of ours can have, and why. Everything else is named by a test.
const NOT_MADE: [(&str, &str); 6] = [
    ("bpf-jit-not-hardened", "inside the rule only: a program that is loaded afterwards looks the same from outside"),
    ("link-errors", "inside the rule only: a virtual cable loses nothing"),
    ("nic-ring-drops", "inside the rule only: a virtual card has no ring that overflows"),
    ("persisted-file-not-read", "inside the rule only: it is about a file in the machine's own /etc"),
    ("recovery-off", "inside the rule only: the kernels of the tests do not read the key any more"),
    ("syncookies-undefined", "inside the rule only: the kernels of the tests refuse such a value"),
];

const HEAD: &str = "\
<!-- Made from the tests by tests/architecture/proofs.rs. Do not edit; to renew it: SYSCTL_ADVISOR_WRITE=1 cargo test --test architecture proofs -->

# Where the rules are proven

Each rule has tests inside its file, which `sysctl-advisor rules test` runs. This page lists the tests that make the fault for real and look
at what an audit says: with sockets, packets and sysctls in a network namespace, in a virtual machine for what a machine has only once, or with
files and recorded hosts for what is about files. A scenario of the lab also shows that the remedy ends the fault: [lab.md](lab.md).

At its end `tests/run-all` says how right the rules were over all reports of these tests (`tests/tally`): how many findings the tests expect,
how many of them are missing, how often a rule had to be quiet and was not, and which findings the tests do not speak of. A test fails when an
expected finding is missing or a rule is not quiet, so the first and the third are complete in every run that passes. The findings that
no test speaks of are read when the list changes. In November 2026 they were 62 in 306 reports of the namespace tests, and all of them true:
settings with which a test makes its fault easy to reach (a narrow range of ports, small buffers, cookies that are off), and what follows from the
fault (retransmissions beside a full queue, overflows beside a server that does not accept).

| rule | proven in | tests |
|---|---|---|
";

fn files_below(folder: &Path, ends: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, ends, found);
        } else if path.extension().is_some_and(|end| end == ends) {
            found.push(path);
        }
    }
    found.sort();
}

/// A file with tests, from the root of the project, with what the page calls it and the text that names rules.
struct Tests {
    how: &'static str,
    file: String,
    text: String,
}

/// The files of a place.
fn tests_in(root: &Path, (place, how): (&str, &'static str)) -> Vec<Tests> {
    let (mut paths, is_lab) = (Vec::new(), place == "lab");
    files_below(&root.join(place), if is_lab { "toml" } else { "rs" }, &mut paths);
    let shown = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
    let tests = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        // A scenario also names rules that it does not show.
        let shows = |text: &str| Some(text.split_once("\nshows = [")?.1.split_once(']')?.0.to_owned());
        let how = if is_lab && text.contains("\nhost = true\n") { ON_A_MACHINE } else { how };
        let text = if is_lab { shows(&text).unwrap_or_default() } else { text };
        Tests { how, file: shown(path), text }
    };
    paths.iter().map(tests).collect()
}

fn rules(root: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    files_below(&root.join("rules"), "toml", &mut paths);
    let is_rule =
        |path: &&PathBuf| !path.starts_with(root.join("rules/keys")) && !path.starts_with(root.join("rules/reference"));
    let mut ids: Vec<_> =
        paths.iter().filter(is_rule).map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn every_rule_is_proven_somewhere_and_the_page_says_where() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests: Vec<Tests> = PLACES.iter().flat_map(|place| tests_in(root, *place)).collect();
    let not_made = BTreeMap::from(NOT_MADE);
    let mut page = HEAD.to_owned();
    let mut unproven = Vec::new();
    for rule in rules(root) {
        let quoted = format!("\"{rule}\"");
        let naming: Vec<&Tests> = tests.iter().filter(|tests| tests.text.contains(&quoted)).collect();
        let mut how: Vec<&str> = Vec::new();
        for Tests { how: one, .. } in &naming {
            if !how.contains(one) {
                how.push(one);
            }
        }
        let files: Vec<String> = naming.iter().map(|Tests { file, .. }| format!("[{file}](../{file})")).collect();
        match (naming.is_empty(), not_made.get(rule.as_str())) {
            (true, None) => unproven.push(rule),
            (true, Some(why)) => page.push_str(&format!("| [{rule}](rules.md#{rule}) | {why} | |\n")),
            (false, _) => {
                page.push_str(&format!("| [{rule}](rules.md#{rule}) | {} | {} |\n", how.join(", "), files.join(", ")));
            }
        }
    }
    assert!(unproven.is_empty(), "no test names these rules: {unproven:?}");
    let file = root.join("docs/proofs.md");
    if std::env::var_os("SYSCTL_ADVISOR_WRITE").is_some() {
        fs::write(&file, &page).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == page,
        "docs/proofs.md is stale; write it: SYSCTL_ADVISOR_WRITE=1 cargo test --test architecture proofs"
    );
}
