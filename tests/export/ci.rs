//! `lint` where changes are reviewed: pre-commit, the files of CI systems, JUnit and Markdown through their readers.

use std::fs;
use std::path::Path;

use crate::formats::{reports, strangers};
use crate::place::{Place, needs, needs_tool};
use crate::readers::{PYTHON, python};

const PAGE: &str = include_str!("../../docs/integrations/lint.md");
const BAD: &str = "sysctls:\n  net.ipv4.tcp_sack: 1\n  net.ipv4.tcp_tw_recycle: 1\n";
const GOOD: &str = "sysctls:\n  net.ipv4.tcp_sack: 1\n";

/// The block of the page that is this file.
fn file(name: &str) -> &'static str {
    let begin = format!("```yaml\n# {name}\n");
    PAGE.split_once(&begin).unwrap_or_else(|| panic!("the page has no {name}")).1.split_once("```").unwrap().0
}

/// A repository with one file of values and this configuration of pre-commit.
fn repository(config: &str) -> Place {
    needs("git", "git");
    needs_tool("pre-commit");
    let place = Place::new();
    place.ok("git config --global user.email a@example.org && git config --global user.name a && git init -q repo");
    place.ok("mkdir repo/group_vars");
    fs::write(place.work.path().join("repo/.pre-commit-config.yaml"), config).unwrap();
    place
}

fn values(place: &Place, text: &str) {
    fs::write(place.work.path().join("repo/group_vars/sysctl.yml"), text).unwrap();
    place.ok("cd repo && git add .");
}

/// A commit is refused with the place in the file, and goes through when the value is gone.
fn refuses_and_lets_pass(place: &Place) {
    values(place, BAD);
    let refused = place.sh("cd repo && pre-commit validate-config && pre-commit install && git commit -qm bad 2>&1");
    let said = String::from_utf8_lossy(&refused.stdout);
    assert!(!refused.status.success() && said.contains("group_vars/sysctl.yml:3:"), "{said}");
    values(place, GOOD);
    let said = place.ok("cd repo && git commit -qm good 2>&1");
    assert!(said.contains("Passed"), "{said}");
    assert_eq!(place.ok("cd repo && git log --format=%s"), "good\n");
}

#[test]
fn pre_commit_runs_the_local_hook_of_the_page() {
    refuses_and_lets_pass(&repository(file(".pre-commit-config.yaml")));
}

#[test]
fn pre_commit_runs_the_hook_that_this_repository_publishes() {
    let place = repository("");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml");
    place.ok(&format!(
        "git init -q published && cp {manifest} published/ && cd published && pre-commit validate-manifest"
    ));
    place.ok("cd published && git add . && git commit -qm hooks && git tag v0.1.0");
    let published = place.work.path().join("published");
    let config =
        format!("repos:\n- repo: {}\n  rev: v0.1.0\n  hooks: [{{id: sysctl-advisor-lint}}]\n", published.display());
    fs::write(place.work.path().join("repo/.pre-commit-config.yaml"), config).unwrap();
    refuses_and_lets_pass(&place);
    // Without a pattern of the user's it leaves alone what has no sysctls.
    fs::write(place.work.path().join("repo/chart.yaml"), "{{- if .Values.x }}\na: 1\n{{- end }}\n").unwrap();
    place.ok("cd repo && git add . && pre-commit run --all-files");
}

#[test]
fn the_files_for_ci_are_valid_and_their_commands_do_what_the_page_says() {
    needs_tool("check-jsonschema");
    let place = repository(file(".pre-commit-config.yaml"));
    let (github, gitlab) = (file(".github/workflows/sysctl.yml"), file(".gitlab-ci.yml"));
    for (name, text, schema) in [("github.yml", github, "github-workflows"), ("gitlab.yml", gitlab, "gitlab-ci")] {
        fs::write(place.work.path().join(name), text).unwrap();
        place.ok(&format!("check-jsonschema --builtin-schema vendor.{schema} {name}"));
        // It finds mistakes.
        place.ok(&format!(
            "sed 's/runs-on/run-on/; s/script:/skript: 1/' {name} > bad.yml; ! check-jsonschema --builtin-schema vendor.{schema} bad.yml"
        ));
    }
    for text in [BAD, GOOD] {
        values(&place, text);
        for line in [github, gitlab].iter().flat_map(|text| text.lines()) {
            let Some(at) = line.find("sysctl-advisor lint ") else { continue };
            let fails = !line.contains("--fail-on never") && text == BAD;
            let ran = place.sh(&format!("cd repo && {}", &line[at..]));
            assert_eq!(ran.status.code(), Some(if fails { 10 } else { 0 }), "{line}");
        }
        let read = "import json, yaml; from junitparser import JUnitXml
print(sum(s.failures for s in JUnitXml.fromfile('junit.xml')), len(json.load(open('gl-code-quality.json'))), \
len(json.load(open('sysctl.sarif'))['runs'][0]['results']))";
        let numbers = python(PYTHON, &place.work.path().join("repo"), read);
        assert_eq!(numbers.trim(), if text == BAD { "1 1 1" } else { "0 0 0" });
    }
}

/// The totals that a file declares are those of its test cases.
const COUNT: &str = "import sys
from junitparser import JUnitXml
for name in sys.argv[1:]:
    declared = lambda s: (s.tests, s.failures, s.errors, s.skipped)
    xml = JUnitXml.fromfile(name)
    suites = list(xml)
    before = [declared(s) for s in suites]
    assert suites and all(b[0] == len(list(s)) > 0 for b, s in zip(before, suites)), name
    [s.update_statistics() for s in suites]
    assert before == [declared(s) for s in suites], (name, before)
    print(*before[0])
";

#[test]
fn a_reader_of_junit_gets_the_totals_of_audit_drift_and_lint() {
    let place = Place::new();
    let work = place.work.path();
    let names: Vec<String> =
        reports("junit", work, &strangers()).iter().map(|path| path.display().to_string()).collect();
    fs::write(work.join("bad.yml"), BAD).unwrap();
    place.ok("sysctl-advisor lint --format junit --fail-on never -o lint.xml bad.yml; printf 'net.ipv4.tcp_sack = 1\\n' > /etc/sysctl.d/1.conf");
    place.ok("sysctl-advisor drift --format junit > drift.xml");
    fs::write(work.join("count.py"), COUNT).unwrap();
    let counts = place.ok(&format!("{PYTHON} count.py {} drift.xml lint.xml", names.join(" ")));
    let rows: Vec<Vec<u32>> =
        counts.lines().map(|line| line.split(' ').map(|number| number.parse().unwrap()).collect()).collect();
    assert_eq!(rows.len(), names.len() + 2, "{counts}");
    let findings = |snapshot: usize| -> u32 {
        let name = ["accept-queue", "does-not-accept", "ports", "quiet"][snapshot];
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/{name}.json"));
        let json = place.ok(&format!("sysctl-advisor audit --format json --snapshot {}", path.display()));
        let report: serde_json::Value = serde_json::from_str(&json).unwrap();
        u32::try_from(report["findings"].as_array().unwrap().len()).unwrap()
    };
    // The waivers of these reports leave no finding of theirs out but as skipped.
    for snapshot in [0, 1, 3] {
        assert_eq!(rows[snapshot][1], findings(snapshot), "{counts}");
    }
    assert!(rows[names.len()][1] > 0, "drift: {counts}");
    assert_eq!(rows[names.len() + 1][1], 1, "lint: {counts}");
}

/// No text of a stranger becomes an element: the only elements are those that the writers make.
const RENDER: &str = "import sys, html.parser
from markdown_it import MarkdownIt
class Elements(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(); self.seen = set(); self.text = ''
    def handle_starttag(self, tag, attrs): self.seen.add((tag, tuple(name for name, _ in attrs)))
    def handle_comment(self, data): self.seen.add(('comment', ()))
    def handle_data(self, data): self.text += data
ours = {(tag, ()) for tag in 'h1 h2 p ul li strong code table thead tbody tr th td em'.split()}
for name in sys.argv[1:]:
    page = Elements()
    page.feed(MarkdownIt('commonmark', {'html': True}).enable('table').render(open(name, encoding='utf-8').read()))
    strange = {element for element in page.seen if element not in ours}
    assert not strange, (name, strange)
    assert ('h1', ()) in page.seen, name
    print(len(page.text))
";

#[test]
fn a_reader_of_markdown_finds_no_mark_in_a_stranger_s_text() {
    let place = Place::new();
    let work = place.work.path();
    let names: Vec<String> =
        reports("markdown", work, &strangers()).iter().map(|path| path.display().to_string()).collect();
    let lines: String =
        strangers().iter().map(|text| format!("net.ipv4.tcp_sack = {}\n", text.replace('\0', ""))).collect();
    fs::write(work.join("a.conf"), lines).unwrap();
    place.ok("sysctl-advisor lint --syntax sysctl.d --format markdown --fail-on never -o lint.md a.conf");
    fs::write(work.join("render.py"), RENDER).unwrap();
    place.ok(&format!("{PYTHON} render.py {} lint.md", names.join(" ")));
}
