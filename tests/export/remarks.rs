//! Formats of `drift` through their real readers, over a tree of files as a repository has it.
//!
//! In: what `tests/run-all` installs. Out: assertions. Must not: compare a format with itself: places are looked up in the
//! files that they name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;

use crate::place::needs;
use crate::readers::{PYTHON, performance, python};

/// Names of files and values, some of which a format gives a meaning to.
const FILES: [(&str, &str); 5] = [
    ("image/usr/lib/systemd/systemd-sysctl", ""),
    (
        "image/etc/sysctl.d/10-first.conf",
        "# ünïcödé\n\tnet.ipv4.tcp_sack = 0\nnet.core.somaxconn = 128 # ä comment\nnet.core.somaxconn=4096\n\
         net.ipv4.ip_local_port_range = 40000 40400\nnot an assignment\n",
    ),
    (
        "image/etc/sysctl.d/20-a <b> [c](d) {0} %41 ,x.conf",
        "net.ipv4.tcp_sac = ::error::\"x\" | {{ y }}\nnet.ipv4.tcp_fin_timeout = ](z)%0A<&'\n\
         net.ipv4.tcp_tw_recycle = 1\n-net.ipv4.tcp_syncookies = 東 \u{1b}[31m\n",
    ),
    ("image/usr/lib/sysctl.d/50-vendor.conf", "net.ipv4.no_such_key = 1\nnet.ipv4.tcp_timestamps = 1\n"),
    ("image/etc/sysctl.d/30-empty.conf", ""),
];

/// What the kernel of the captured tree has.
const VALUES: [(&str, &str); 5] = [
    ("net/ipv4/tcp_sack", "1"),
    ("net/core/somaxconn", "4096"),
    ("net/ipv4/tcp_fin_timeout", "60"),
    ("net/ipv4/tcp_timestamps", "1"),
    ("kernel/hostname", "web-1"),
];

fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    FILES.iter().for_each(|(path, text)| write(path, text));
    fs::set_permissions(
        folder.path().join("image/etc/sysctl.d/10-first.conf"),
        std::os::unix::fs::PermissionsExt::from_mode(0o666),
    )
    .unwrap();
    folder
}

/// The same with the values of a kernel: what is compared, and not reviewed.
fn captured() -> tempfile::TempDir {
    let folder = repository();
    for (key, value) in VALUES {
        let path = folder.path().join("image/proc/sys").join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{value}\n")).unwrap();
    }
    folder
}

fn drift(folder: &Path, format: &str, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"))
        .args(["drift", "--root", "image", "--format", format])
        .args(more)
        .current_dir(folder)
        .env("SYSCTL_ADVISOR_CONFIG", "/dev/null")
        .output()
        .unwrap()
}

/// The report of the review and that of the comparison.
fn reports(format: &str) -> Vec<(tempfile::TempDir, String)> {
    let run = |folder: tempfile::TempDir, more: &[&str]| {
        let output = drift(folder.path(), format, more);
        assert!(output.status.success(), "{output:?}");
        (folder, String::from_utf8(output.stdout).unwrap())
    };
    vec![run(repository(), &["--netns", "none"]), run(captured(), &[])]
}

/// The line of a file, from 1, below the folder.
fn line_of(folder: &Path, file: &str, line: u64) -> String {
    assert!(file.starts_with("image/"), "{file} is not as it was typed");
    let text = fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    text.lines()
        .nth(usize::try_from(line).unwrap() - 1)
        .unwrap_or_else(|| panic!("{file} has no line {line}"))
        .to_owned()
}

fn decoded(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.bytes();
    while let Some(byte) = rest.next() {
        let mut hex = || rest.next().map(char::from).and_then(|c| c.to_digit(16)).unwrap();
        bytes.push(if byte == b'%' { u8::try_from(hex() * 16 + hex()).unwrap() } else { byte });
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_multitool_takes_the_sarif_of_drift_and_its_places_are_in_the_files() {
    needs("node", "nodejs");
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/npm/node_modules/.bin/sarif-multitool");
    assert!(tool.exists(), "{} is missing: tests/run-all installs it", tool.display());
    for (folder, text) in reports("sarif") {
        fs::write(folder.path().join("drift.sarif"), &text).unwrap();
        let output = Command::new(&tool).args(["validate", "drift.sarif"]).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("Analysis completed successfully") && !said.contains(": error "), "{said}");
        let log: Json = serde_json::from_str(&text).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        let mut codes = BTreeSet::new();
        for result in results {
            codes.insert(result["ruleId"].as_str().unwrap());
            let place = &result["locations"][0]["physicalLocation"];
            let (region, uri) = (&place["region"], place["artifactLocation"]["uri"].as_str());
            let (Some(uri), Some(line)) = (uri, region["startLine"].as_u64()) else { continue };
            let line = line_of(folder.path(), &decoded(uri), line);
            let column = |name: &str| usize::try_from(region[name].as_u64().unwrap()).unwrap();
            let (start, end) = (column("startColumn"), column("endColumn"));
            let part: String = line.chars().skip(start - 1).take(end - start).collect();
            assert!(!part.is_empty() && line.contains(&part) && part.trim() == part, "{part:?} of {line:?}");
            // A place begins with the key, and ends with the value or the line.
            assert!(
                line.trim_start_matches(['-', ' ', '\t']).starts_with(part.trim_start_matches('-')),
                "{part:?} of {line:?}"
            );
        }
        let expected = ["world_writable", "duplicates_disagree", "not_an_assignment"];
        assert!(expected.iter().all(|code| codes.contains(code)), "{codes:?}");
    }
}

/// The test cases as a reader of XML has them, with the first element in each.
const CASES: &str = "import sys, json, xml.etree.ElementTree as X
s = X.parse(sys.argv[1]).getroot().find('testsuite')
cs = s.findall('testcase')
for kind, name in [('failure', 'failures'), ('error', 'errors'), ('skipped', 'skipped')]:
    assert int(s.get(name)) == len([c for c in cs if c.find(kind) is not None])
assert int(s.get('tests')) == len(cs) == len({(c.get('classname'), c.get('name')) for c in cs})
print(json.dumps([[c.get('classname'), c.get('name'), c[0].tag if len(c) else ''] for c in cs]))";

#[test]
fn junit_has_a_test_for_each_key_and_file_of_drift() {
    for (folder, text) in reports("junit") {
        fs::write(folder.path().join("drift.xml"), text).unwrap();
        let read =
            Command::new("/usr/bin/python3").args(["-c", CASES, "drift.xml"]).current_dir(folder.path()).output();
        let read = read.unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        let cases: Vec<[String; 3]> = serde_json::from_slice(&read.stdout).unwrap();
        let result = |class: &str, name: &str| {
            let case = cases.iter().find(|[of, is, _]| of == class && is == name);
            case.unwrap_or_else(|| panic!("no {name} in {cases:?}"))[2].clone()
        };
        let (key, file) = ("sysctl-advisor.drift.key", "sysctl-advisor.drift.file");
        assert_eq!(result(file, "image/etc/sysctl.d/30-empty.conf"), "");
        assert_eq!(result(file, "image/etc/sysctl.d/10-first.conf"), "failure");
        assert_eq!(result(key, "net.ipv4.tcp_sac"), "failure");
        assert_eq!(result(key, "net.ipv4.tcp_timestamps"), "");
    }
}

#[test]
fn an_annotation_of_github_is_at_a_line_of_the_repository() {
    for (folder, text) in reports("github") {
        let mut placed = 0;
        for line in text.lines() {
            let (head, _) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
            let (kind, properties) = head.split_once(' ').unwrap_or((head, ""));
            assert!(["error", "warning", "notice", "debug"].contains(&kind), "{line}");
            let property = |name: &str| {
                let found = properties.split(',').filter_map(|pair| pair.split_once('=')).find(|(is, _)| *is == name);
                found.map(|(_, value)| {
                    let value = value.replace("%2C", ",").replace("%3A", ":").replace("%0A", "\n").replace("%0D", "\r");
                    value.replace("%25", "%")
                })
            };
            if let Some(file) = property("file") {
                let shown = line_of(folder.path(), &file, property("line").unwrap().parse().unwrap());
                let column = property("endColumn").map_or(0, |column| column.parse().unwrap());
                assert!(column <= shown.chars().count(), "{line}");
                placed += 1;
            }
        }
        assert!(placed > 5, "{text}");
    }
}

/// What GitLab documents: `description`, `check_name`, `fingerprint`, `severity`, `location.path`, `location.lines.begin`.
#[test]
fn gitlab_s_report_has_the_fields_that_gitlab_requires() {
    for (folder, text) in reports("gitlab") {
        let issues: Vec<Json> = serde_json::from_str(&text).unwrap();
        let mut prints = BTreeSet::new();
        for issue in &issues {
            assert!(["description", "check_name"].iter().all(|name| !issue[name].as_str().unwrap().is_empty()));
            let severity = issue["severity"].as_str().unwrap();
            assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity), "{severity}");
            assert!(prints.insert(issue["fingerprint"].as_str().unwrap().to_owned()), "{issue}");
            let (path, line) = (issue["location"]["path"].as_str().unwrap(), &issue["location"]["lines"]["begin"]);
            let line = line.as_u64().unwrap();
            if !path.starts_with("/proc/sys/") {
                line_of(folder.path(), path, line);
            }
        }
        assert!(issues.len() > 5, "{text}");
    }
}

#[test]
fn duckdb_and_csv_have_a_row_for_each_remark() {
    let [(lines, ndjson), (_, compared)] = <[_; 2]>::try_from(reports("ndjson")).unwrap();
    let [(_, csv), _] = <[_; 2]>::try_from(reports("csv")).unwrap();
    fs::write(lines.path().join("a.ndjson"), ndjson).unwrap();
    fs::write(lines.path().join("b.ndjson"), compared).unwrap();
    fs::write(lines.path().join("a.csv"), csv).unwrap();
    let ask = |query: &str| {
        let script = format!("import duckdb\nfor row in duckdb.sql({query:?}).fetchall(): print(*row, sep='|')");
        python(PYTHON, lines.path(), &script)
    };
    let of = "FROM read_json_auto('*.ndjson') WHERE schema = 'sysctl-advisor/remark/1'";
    let codes =
        ask(&format!("SELECT code, severity, count(*) {of} AND file LIKE '%10-first%' GROUP BY ALL ORDER BY ALL"));
    assert!(
        codes.contains("duplicates_disagree|warning|2\n") && codes.contains("world_writable|warning|2\n"),
        "{codes}"
    );
    let vendor = ask(&format!("SELECT DISTINCT severity {of} AND file LIKE '%vendor%'"));
    assert_eq!(vendor, "notice\n");
    let runs = ask(
        "SELECT command, hostname, len(files) FROM read_json_auto('*.ndjson') WHERE schema = 'sysctl-advisor/check/1' \
                    ORDER BY hostname",
    );
    assert_eq!(runs, "drift||4\ndrift|web-1|4\n");
    let types =
        ask("SELECT column_name FROM (DESCRIBE SELECT * FROM read_json_auto('*.ndjson')) WHERE column_type = 'JSON'");
    assert_eq!(types, "");
    let rows = "import csv\nrows = list(csv.reader(open('a.csv', newline=''), strict=True))\n\
                assert all(len(row) == len(rows[0]) for row in rows)\nprint(len(rows) - 1)";
    let rows = python("/usr/bin/python3", lines.path(), rows);
    let remarks = ask("SELECT count(*) FROM read_json_auto('a.ndjson') WHERE schema = 'sysctl-advisor/remark/1'");
    assert_eq!(rows, remarks);
}

#[test]
fn a_check_of_drift_ends_with_its_state() {
    let folder = repository();
    let check = |more: &[&str]| {
        let output = drift(folder.path(), "nagios", more);
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = check(&["--netns", "none"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with("SYSCTL WARNING - ") && text.len() < 4096, "{text}");
    let (_, data) = text.lines().next().unwrap().split_once(" | ").unwrap();
    assert!(performance(data).iter().any(|(label, number)| label == "warning" && *number > 0.0), "{data}");
    let (code, text) = check(&["--netns", "none", "net.ipv4.tcp_timestamps"]);
    assert!(code == Some(0) && text.starts_with("SYSCTL OK - no remarks"), "{code:?} {text}");
    let (code, text) = check(&["--netns", "no-such-namespace"]);
    assert!(code == Some(3) && text.starts_with("SYSCTL UNKNOWN - "), "{code:?} {text}");
    let checkmk = String::from_utf8(drift(folder.path(), "checkmk", &["--netns", "none"]).stdout).unwrap();
    assert!(checkmk.starts_with("1 \"Sysctl advisor drift\" critical=0|warning="), "{checkmk}");
    assert_eq!(checkmk.lines().count(), 1);
}
