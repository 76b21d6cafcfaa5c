//! `drift --file` on a corpus of lines: how many of those on which a strict reviewer must remark get a remark (recall), and
//! whether the good ones stay without any. `cargo test --test cli review -- --nocapture` prints the figures and the misses.

#![allow(clippy::panic, clippy::print_stdout, reason = "a test that prints what it measures")]

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use serde_json::Value as Json;

/// One file of `tests/data/review-lines.txt`, and the line of it that is judged.
struct Case {
    is_bad: bool,
    kind: String,
    text: String,
    judged: u64,
}

fn cases() -> Vec<Case> {
    let table = fs::read_to_string(super::data("review-lines.txt")).unwrap();
    let rows = table.lines().filter(|row| !row.starts_with('#') && !row.is_empty());
    let case = |row: &str| {
        let mut columns = row.splitn(3, '\t');
        let mut next = || columns.next().unwrap_or_else(|| panic!("three columns: {row}"));
        let (quality, kind, lines) = (next(), next(), next());
        let lines: Vec<&str> = lines.split(" ++ ").collect();
        let judged = lines.iter().position(|line| line.starts_with("> ")).unwrap_or(0);
        let text: String = lines.iter().map(|line| format!("{}\n", line.strip_prefix("> ").unwrap_or(line))).collect();
        Case { is_bad: quality == "bad", kind: kind.to_owned(), text, judged: judged as u64 + 1 }
    };
    rows.map(case).collect()
}

/// What is said of the judged line: codes of problems, rules, statuses.
fn remarks(case: &Case, folder: &Path, number: usize, arguments: &[&str]) -> Vec<String> {
    let file = folder.join(format!("{number}.conf"));
    fs::write(&file, &case.text).unwrap();
    let file = file.to_str().unwrap();
    let run = super::run(&[&["drift", "--file", file, "--loader", "systemd", "--format", "json"], arguments].concat());
    assert_eq!(run.code, 0, "{}{}", case.text, run.err);
    let json: Json = serde_json::from_str(&run.out).unwrap();
    let list = |name: &str| json[name].as_array().unwrap().clone();
    let mut said: Vec<String> = Vec::new();
    let mut add = |of: &Json, what: &Json| {
        if of["line"].as_u64() == Some(case.judged) {
            said.push(what.as_str().unwrap().to_owned());
        }
    };
    for problem in list("problems") {
        add(&problem, &problem["code"]);
    }
    for finding in list("findings") {
        finding["lines"].as_array().unwrap().iter().for_each(|line| add(line, &finding["rule"]));
    }
    for key in list("keys") {
        if ["dead", "invalid", "wrong_scope"].contains(&key["status"].as_str().unwrap()) {
            add(&key["boot"], &key["status"]);
        }
    }
    said
}

/// Judges all cases whose kind is not left out; holds recall and quiet.
fn measure(title: &str, arguments: &[&str], left_out: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let cases: Vec<Case> = cases().into_iter().filter(|case| !left_out.contains(&case.kind.as_str())).collect();
    let todo = Mutex::new(cases.iter().enumerate());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((number, case)) = todo.lock().unwrap().next() else { break };
                    let said = remarks(case, folder.path(), number, arguments);
                    if case.is_bad == said.is_empty() {
                        wrong.lock().unwrap().push((case, said));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    let count = |is_bad| cases.iter().filter(|case| case.is_bad == is_bad).count();
    let (bad, good) = (count(true), count(false));
    let missed = wrong.iter().filter(|(case, _)| case.is_bad).count();
    let disturbed = wrong.len() - missed;
    let found = bad - missed;
    println!(
        "{title}: {found} of {bad} bad lines got a remark (recall {} %), {disturbed} of {good} good lines got one \
              (precision {} %)",
        found * 100 / bad,
        found * 100 / (found + disturbed).max(1)
    );
    let told: Vec<String> =
        wrong.iter().map(|(case, said)| format!("{} {:?} {said:?}", case.kind, case.text)).collect();
    println!("{}", told.join("\n"));
    assert!(bad >= 120 && good >= 120, "the corpus shrank: {bad} bad, {good} good");
    assert!(disturbed == 0 && found * 100 >= bad * 95, "{title}: {}", told.join("\n"));
}

/// The same lines as values of a document: what `lint` finds in YAML is what a reviewer finds in a file.
#[test]
fn as_values_of_a_document_the_lines_get_the_same_remarks() {
    let folder = tempfile::tempdir().unwrap();
    let (mut bad, mut found, mut good, mut disturbed) = (0, 0, 0, Vec::new());
    let mut missed = Vec::new();
    for (number, case) in cases().iter().enumerate() {
        let Some(document) = document(&case.text) else { continue };
        let file = folder.path().join(format!("{number}.yml"));
        fs::write(&file, document).unwrap();
        let run = super::run(&["lint", "-q", "--fail-on", "never", file.to_str().unwrap()]);
        assert_eq!(run.code, 0, "{}{}", case.text, run.err);
        let place = format!("{}:{}:", file.display(), case.judged + 1);
        let is_remarked = run.out.lines().any(|line| line.starts_with(&place));
        match (case.is_bad, is_remarked) {
            (true, _) => {
                bad += 1;
                found += usize::from(is_remarked);
                missed.extend((!is_remarked).then(|| case.text.clone()));
            }
            (false, true) => disturbed.push((case.text.clone(), run.out)),
            (false, false) => good += 1,
        }
    }
    println!("lint: {found} of {bad} bad values got a remark, {} of {good} good ones did", disturbed.len());
    assert!(bad >= 100 && good >= 100, "the corpus shrank: {bad} bad, {good} good");
    assert!(disturbed.is_empty() && found * 100 >= bad * 95, "{missed:#?} {disturbed:#?}");
}

/// `KEY: "VALUE"` for each line; `None` where a line is something else than a key with a value.
fn document(lines: &str) -> Option<String> {
    let mut document = "sysctls:\n".to_owned();
    for line in lines.lines() {
        let (key, value) = line.split_once('=')?;
        let (key, value) = (key.trim(), value.trim());
        let is_name =
            key.starts_with("net.") && key.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'%${}<>".contains(&byte));
        let is_template = ["{{", "${", "<%", "%{"].iter().any(|sign| value.contains(sign));
        if !is_name || is_template || document.contains(&format!("\"{key}\"")) {
            return None;
        }
        document.push_str(&format!("  {}: {}\n", serde_json::to_string(key).ok()?, serde_json::to_string(value).ok()?));
    }
    Some(document)
}

#[test]
fn a_file_alone_gets_the_remarks_of_a_strict_reviewer_and_no_others() {
    measure("offline", &["--netns", "none"], &[]);
}

/// Keys of the machine do not exist in a namespace of our own, and which modules are loaded is the machine's matter.
#[test]
fn beside_a_running_kernel_the_remarks_are_as_many() {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
    measure("live", &[], &["host", "module"]);
}
