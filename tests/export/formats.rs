//! Formats of the audit's report through their real readers.
//!
//! In: stored snapshots, one of them with a stranger's words in it. Out: assertions. Must not: judge a format by itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value as Json, json};
use sysctl_advisor::text::one_line;

use crate::place::needs;
use crate::random::Random;

const SNAPSHOTS: [&str; 4] = ["accept-queue", "does-not-accept", "ports", "quiet"];
/// Each is one that a format gives a meaning to.
const PIECES: [&str; 30] = [
    "<b>",
    "&amp;",
    "&",
    "]]>",
    "\"",
    "'",
    "\\",
    "|",
    "`",
    "](x)",
    "[a](b)",
    "{0}",
    "%0A",
    "%",
    "::error::x",
    ":",
    ",",
    "<!--",
    "-->",
    "<?x",
    "#",
    "\u{1b}[31m",
    "\u{0}",
    "\u{ffff}",
    "\u{9b}",
    "ü",
    "東",
    "\u{202e}",
    "😀",
    "=",
];

/// Texts that hold no white space at their ends, so that they can be compared.
pub(crate) fn strangers() -> Vec<String> {
    let mut random = Random(20_261_129);
    let mut texts: Vec<String> = PIECES.map(|piece| format!("a{piece}z")).to_vec();
    while texts.len() < 300 {
        let pieces: Vec<&str> = (0..1 + random.below(6)).map(|_| random.one(&PIECES)).collect();
        texts.push(format!("a{}z", pieces.join(["", " "][random.below(2)])));
    }
    texts
}

fn stored(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/{name}.json"))
}

/// A snapshot in which the texts are what could not be read, and one of them the hostname.
fn hostile(folder: &Path, texts: &[String]) -> PathBuf {
    let mut snapshot: Json = serde_json::from_slice(&std::fs::read(stored("ports")).unwrap()).unwrap();
    snapshot["gaps"] = texts.iter().map(|text| json!({"what": "x", "why": text})).collect();
    snapshot["system"]["hostname"] = json!(texts.concat());
    let path = folder.join("hostile.json");
    std::fs::write(&path, snapshot.to_string()).unwrap();
    path
}

/// A rule that cannot be read and a waiver that matches nothing, as files in the folder.
fn report(snapshot: &Path, format: &str, folder: &Path) -> String {
    let (rules, waivers) = (folder.join("rules"), folder.join("waivers.toml"));
    std::fs::create_dir_all(&rules).unwrap();
    std::fs::write(rules.join("mine <b>.toml"), "severty = 1\n").unwrap();
    let waiver = |rule: &str| {
        format!("[[waiver]]\nrule = \"{rule}\"\nreason = \"a < b & c\"\nwho = \"maria\"\nuntil = \"2999-01-01\"\n")
    };
    let both = ["syncookies-off", "port-range-narrow"].map(waiver).concat();
    std::fs::write(&waivers, both).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"))
        .args(["audit", "--format", format, "--snapshot"])
        .arg(snapshot)
        .arg("--rules")
        .arg(rules)
        .arg("--waivers")
        .arg(waivers)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.stdout.is_empty(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The report of every snapshot, the hostile one last, as a file each.
pub(crate) fn reports(format: &str, folder: &Path, texts: &[String]) -> Vec<PathBuf> {
    let snapshots = SNAPSHOTS.iter().map(|name| stored(name)).chain([hostile(folder, texts)]);
    let written = snapshots.enumerate().map(|(number, snapshot)| {
        let path = folder.join(format!("{number}.{format}"));
        std::fs::write(&path, report(&snapshot, format, folder)).unwrap();
        path
    });
    written.collect()
}

fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {text}\n{errors}");
    text.into_owned()
}

#[test]
fn the_multitool_of_the_standard_has_no_error_for_sarif() {
    needs("node", "nodejs");
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/npm/node_modules/.bin/sarif-multitool");
    assert!(tool.exists(), "{} is missing: tests/run-all installs it", tool.display());
    let folder = tempfile::tempdir().unwrap();
    let files = reports("sarif", folder.path(), &strangers());
    let validate = |files: &[PathBuf]| output_of(Command::new(&tool).arg("validate").args(files));
    let text = validate(&files);
    assert!(text.contains("Analysis completed successfully"), "{text}");
    let complaints: Vec<&str> = text.lines().filter(|line| line.contains(": error ")).collect();
    assert_eq!(complaints, Vec::<&str>::new());
    // It has errors for a log in which a result refers to no rule.
    let whole = std::fs::read_to_string(&files[2]).unwrap();
    let damaged = whole.replace("\"ruleIndex\":0", "\"ruleIndex\":999");
    assert_ne!(damaged, whole);
    std::fs::write(&files[2], damaged).unwrap();
    assert!(validate(&files[2..3]).contains(": error SARIF1009"));
    // What could not be read is in it, word by word.
    let log: Json = serde_json::from_slice(&std::fs::read(&files[4]).unwrap()).unwrap();
    let notes = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert!(notes.len() > 300 && notes.iter().all(|note| note["message"]["text"].is_string()), "{}", notes.len());
}

/// The test cases as a reader of XML has them: class, name, and the message of the result.
const CASES: &str = "import sys, json, xml.etree.ElementTree as X
for f in sys.argv[1:]:
    s = X.parse(f).getroot().find('testsuite')
    cs = s.findall('testcase')
    for kind, name in [('failure', 'failures'), ('error', 'errors'), ('skipped', 'skipped')]:
        assert int(s.get(name)) == len([c for c in cs if c.find(kind) is not None]), f
    assert int(s.get('tests')) == len(cs), f
    assert len({(c.get('classname'), c.get('name')) for c in cs}) > 1, f
print(json.dumps([[s.get('hostname')]] + [[c.get('classname'), c[0].get('message')] for c in cs]))";

#[test]
fn a_reader_of_xml_gets_every_text_of_junit() {
    let folder = tempfile::tempdir().unwrap();
    let texts = strangers();
    let files = reports("junit", folder.path(), &texts);
    let read = output_of(Command::new("/usr/bin/python3").args(["-c", CASES]).args(files));
    let read: Vec<Vec<Option<String>>> = serde_json::from_str(&read).unwrap();
    // XML has no way to write this one.
    let xml = |text: &str| one_line(text).replace('\u{ffff}', "\u{fffd}");
    assert_eq!(read[0][0].as_deref(), Some(xml(&texts.concat()).as_str()));
    let gaps = read.iter().filter(|case| case[0].as_deref() == Some("sysctl-advisor.not-read"));
    let gaps: Vec<String> = gaps.map(|case| case[1].clone().unwrap()).collect();
    let expected: Vec<String> = texts.iter().map(|text| format!("could not be read: {}", xml(text))).collect();
    assert_eq!(gaps, expected);
}

/// What the runner of GitHub Actions does with a line, by its published rules.
#[test]
fn each_line_for_github_is_one_command_and_its_text_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let texts = strangers();
    let report = report(&hostile(folder.path(), &texts), "github", folder.path());
    let mut said = Vec::new();
    for line in report.lines() {
        let (head, data) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
        let kind = head.split(' ').next().unwrap();
        assert!(["error", "warning", "notice", "debug"].contains(&kind), "{line}");
        said.push(data.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%"));
    }
    for text in texts {
        let expected = format!("machine: x could not be read: {}", one_line(&text));
        assert!(said.contains(&expected), "{expected}");
    }
}
