//! Pages of HTML through a real browser and a real validator.
//!
//! In: stored snapshots, a history of six days; Chromium and html-validate as `tests/run-all` installs them. Out: nothing but
//! assertions.

mod browser;
mod picture;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use browser::{Opened, open, printed};
use sysctl_advisor::history::{ChangeNote, Store};
use sysctl_advisor::snapshot::store;

use crate::history::{HOUR, State, now, set_time, six_days};

/// Where `tests/run-all` installs it.
const VALIDATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-tools/npm/node_modules/.bin/html-validate");
/// It would change the title, in each of the ways that a text could become more than that.
const HOSTILE: &str =
    "\"'><script>document.title='owned'</script><img src=x onerror=document.title='owned'>]]>&lt &#0; --><!--";

/// A folder with a page of each kind.
struct Pages(PathBuf);

/// What the browser made of each page, opened once.
static OPENED: LazyLock<Vec<(&str, Opened)>> =
    LazyLock::new(|| ALL.iter().map(|name| (*name, open(&PAGES.path(name)))).collect());

/// Made once: the history has 133 runs.
static PAGES: LazyLock<Pages> = LazyLock::new(Pages::new);

impl Pages {
    fn new() -> Self {
        let pages = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join("html"));
        std::fs::create_dir_all(&pages.0).unwrap();
        for name in ["accept-queue", "ports", "quiet", "does-not-accept"] {
            pages.audit(name, &data(name));
        }
        let history = six_days();
        for (name, arguments) in
            [("history", &[][..]), ("history-metric", &["TIME_WAIT"]), ("history-rule", &["ephemeral-ports"])]
        {
            let text = history.text(&[&["history", "--format", "html"], arguments].concat());
            std::fs::write(pages.path(name), text).unwrap();
        }
        pages.hostile();
        pages
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.html"))
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn audit(&self, name: &str, snapshot: &Path) {
        let output = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"))
            .args(["audit", "--format", "html", "--snapshot"])
            .arg(snapshot)
            .arg("--output")
            .arg(self.path(name))
            .env("SYSCTL_ADVISOR_CONFIG", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// A process and a host with a name that would be a script, in an audit and in a history.
    fn hostile(&self) {
        let quoted = serde_json::to_string(HOSTILE).unwrap();
        let hostile = &quoted[1..quoted.len() - 1];
        let text = std::fs::read_to_string(data("accept-queue")).unwrap();
        assert!(text.contains("backend") && text.contains("web-1"));
        let snapshot = self.0.join("hostile.json");
        std::fs::write(&snapshot, text.replace("backend", hostile).replace("web-1", hostile)).unwrap();
        self.audit("hostile", &snapshot);

        let state = State::new();
        let begin = now() - 4 * HOUR;
        for hour in 0..3 {
            let mut snapshot = store::read(&snapshot).unwrap();
            set_time(&mut snapshot, begin + hour * HOUR);
            state.remember(&snapshot).unwrap();
        }
        let (mut store, _) = Store::open(&state.agent()).unwrap();
        let (status, keys) = (HOSTILE.to_owned(), vec![HOSTILE.to_owned()]);
        store.note_change(&ChangeNote { id: 1, at: begin + HOUR, status, keys, values: Vec::new() }).unwrap();
        drop(store);
        std::fs::write(self.path("history-hostile"), state.text(&["history", "--format", "html"])).unwrap();
    }

    /// A page without its policy, with a script of the test at its end.
    fn with_script(&self, name: &str, script: &str) -> PathBuf {
        let page = without_policy(&self.text(name));
        let path = self.path(&format!("{name}-with-script"));
        std::fs::write(&path, page.replace("</body>", &format!("<script>{script}</script></body>"))).unwrap();
        path
    }
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(format!("{name}.json"))
}

fn without_policy(page: &str) -> String {
    let policy = regex::Regex::new("<meta http-equiv=\"Content-Security-Policy\"[^>]*>").unwrap();
    let changed = policy.replace(page, "");
    assert_ne!(changed, page, "there was a policy");
    changed.into_owned()
}

const ALL: [&str; 9] = [
    "accept-queue",
    "ports",
    "quiet",
    "does-not-accept",
    "hostile",
    "history",
    "history-metric",
    "history-rule",
    "history-hostile",
];

#[test]
fn a_validator_finds_nothing_wrong_with_any_page() {
    assert!(Path::new(VALIDATOR).exists(), "{VALIDATOR} is missing: tests/run-all installs it");
    let pages = &*PAGES;
    let rules = pages.0.join("rules.json");
    std::fs::write(&rules, r#"{"extends": ["html-validate:standard", "html-validate:a11y"]}"#).unwrap();
    let validate = |files: &[PathBuf]| {
        let output = Command::new(VALIDATOR).args(["--formatter", "text", "--config"]).arg(&rules).args(files).output();
        let output = output.unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let files: Vec<PathBuf> = ALL.iter().map(|name| pages.path(name)).collect();
    assert_eq!(validate(&files), (true, String::new()));
    // It would see what is wrong.
    let broken = pages.path("broken");
    std::fs::write(&broken, pages.text("ports").replace("</tr>", "").replace("<th scope=\"row\">", "<p>")).unwrap();
    assert!(!validate(&[broken]).0);
}

#[test]
fn a_hostile_name_is_shown_and_does_nothing() {
    let pages = &*PAGES;
    let opened = open(&pages.path("hostile"));
    assert!(opened.title().starts_with("sysctl-advisor on \"'&gt;&lt;script&gt;"), "{}", opened.title());
    assert_eq!(opened.console, [] as [&str; 0]);
    for (name, opened) in OPENED.iter().filter(|(name, _)| name.contains("hostile")) {
        assert!(opened.dom.contains("&lt;img src=x onerror"), "{name}");
        assert_eq!((opened.dom.matches("<script").count(), opened.dom.matches("<img").count()), (1, 0), "{name}");
        assert_ne!(opened.title(), "owned");
    }

    // Even if the escaping failed the policy would keep it from doing anything, ...
    let unescaped = pages.text("hostile").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    let failed = pages.path("failed");
    std::fs::write(&failed, &unescaped).unwrap();
    let opened = open(&failed);
    assert_ne!(opened.title(), "owned");
    assert!(opened.console.iter().any(|line| line.contains("Content Security Policy")), "{:?}", opened.console);
    // ... and without both it would: this test can fail.
    std::fs::write(&failed, without_policy(&unescaped)).unwrap();
    assert_eq!(open(&failed).title(), "owned");
}

/// The groups of each match.
fn found<'t>(pattern: &str, text: &'t str) -> Vec<Vec<&'t str>> {
    let pattern = regex::Regex::new(pattern).unwrap();
    let groups = |found: regex::Captures<'t>| found.iter().skip(1).map(|group| group.unwrap().as_str()).collect();
    pattern.captures_iter(text).map(groups).collect()
}

#[test]
fn every_page_runs_its_script_without_a_message_and_asks_for_nothing() {
    for (name, opened) in &*OPENED {
        assert_eq!(opened.console, [] as [&str; 0], "{name}");
        let has_tables = opened.dom.contains("<table class=\"sortable\">");
        assert_eq!(opened.dom.contains("<button type=\"button\">"), has_tables, "{name}: the script ran");
        let asked = found(r#"\b(?:src|href|srcset|data|poster|action)="([^#"][^"]*)"#, &opened.dom);
        assert_eq!(asked, [] as [Vec<&str>; 0], "{name}");
    }
}

#[test]
fn headings_are_in_order_and_tables_and_pictures_say_what_they_are() {
    for (name, Opened { dom, .. }) in &*OPENED {
        let levels: Vec<u32> = found("<h([1-6])[ >]", dom).iter().map(|level| level[0].parse().unwrap()).collect();
        assert_eq!(levels.first(), Some(&1), "{name}");
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{name}");
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{name}: {levels:?}");
        for landmark in ["<html lang=\"en\">", "<header>", "<main>", "<footer>"] {
            assert_eq!(dom.matches(landmark).count(), 1, "{name}: {landmark}");
        }
        let heads = found("<th( [^>]*)?>", dom);
        assert!(heads.iter().all(|head| head[0].contains("scope=")), "{name}: {heads:?}");
        let drawn = "<svg role=\"img\" aria-labelledby=\"([^ ]+) ([^ ]+)\"[^>]*><title id=\"([^\"]+)\">[^<]+</title><desc id=\"([^\"]+)\">[^<]+";
        let drawn = found(drawn, dom);
        assert_eq!(drawn.len(), dom.matches("<svg role").count(), "{name}");
        assert!(drawn.iter().all(|ids| ids[..2] == ids[2..]), "{name}: {drawn:?}");
        let ids = found(" id=\"([^\"]+)\"", dom);
        let unique: BTreeSet<&str> = ids.iter().map(|id| id[0]).collect();
        assert_eq!(unique.len(), ids.len(), "{name}: an id is there twice");
    }
    // Something was drawn.
    for (name, number) in [("ports", 2), ("accept-queue", 3), ("history", 4), ("history-metric", 1)] {
        assert!(PAGES.text(name).matches("<svg role=\"img\"").count() >= number, "{name}");
    }
}

#[test]
fn a_table_is_sorted_by_the_column_that_is_clicked() {
    let pages = &*PAGES;
    let script = "
        const table = document.querySelector('table.sortable');
        const numbers = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[1].dataset.value));
        const click = (place) => table.querySelectorAll('th button')[place].click();
        const before = numbers();
        click(1); const up = numbers(); click(1); const down = numbers();
        click(0); const names = [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
        const is = (one, other) => JSON.stringify(one) === JSON.stringify(other);
        document.title = [
            before.length > 3,
            is(up, [...before].sort((a, b) => a - b)),
            is(down, [...before].sort((a, b) => b - a)),
            is(names, [...names].sort()),
            table.querySelectorAll('[aria-sort]').length === 1,
        ].join(' ');";
    assert_eq!(open(&pages.with_script("accept-queue", script)).title(), "true true true true true");
}

#[test]
fn the_findings_are_filtered_by_a_word_of_theirs() {
    let pages = &*PAGES;
    let script = "
        const input = document.querySelector('input');
        const shown = () => [...document.querySelectorAll('.cause')].filter((cause) => cause.checkVisibility()).length;
        const look_for = (word) => { input.value = word; input.dispatchEvent(new Event('input')); return shown(); };
        document.title = [shown(), look_for('TIMESTAMPS'), look_for('nothing has this'), look_for('')].join(' ');";
    assert_eq!(open(&pages.with_script("does-not-accept", script)).title(), "2 1 0 2");
    let plain = pages.text("does-not-accept");
    assert!(
        !plain.contains("<input") && !plain.contains("<button"),
        "without scripts there is nothing that does nothing"
    );
}

#[test]
fn a_narrow_page_does_not_move_sideways() {
    let pages = &*PAGES;
    for name in ["does-not-accept", "hostile", "history"] {
        let script = "document.title = `${document.documentElement.scrollWidth <= innerWidth} ${innerWidth}`";
        let opened = open(&pages.with_script(name, script));
        assert_eq!(opened.title(), "true 500", "{name}");
    }
}

/// The text without white space: a printed line ends elsewhere.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn what_is_folded_on_the_screen_is_printed() {
    let pages = &*PAGES;
    for name in ["does-not-accept", "ports"] {
        let printed = squeezed(&printed(&pages.path(name)));
        let json = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"))
            .args(["audit", "--format", "json", "--snapshot"])
            .arg(data(name))
            .env("SYSCTL_ADVISOR_CONFIG", "/dev/null")
            .output()
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap();
        assert!(findings.len() > 1);
        for finding in findings {
            // The second line of a cause is folded, the fingerprint and the sources of each one are.
            for field in ["title", "fingerprint"] {
                assert!(printed.contains(&squeezed(finding[field].as_str().unwrap())), "{name}: {field}: {printed}");
            }
            for evidence in finding["evidence"].as_array().unwrap() {
                let expression = evidence["expression"].as_str().unwrap();
                assert!(printed.contains(&squeezed(expression)), "{name}: {expression}");
            }
        }
    }
}
