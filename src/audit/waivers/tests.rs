//! Tests of waivers: reading, matching, appending.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::LazyLock;

use jiff::civil::date;
use proptest::prelude::*;

use super::file::check;
use super::*;
use crate::snapshot::Namespace;

const RULE: &str = "timestamps-off";

const GOOD: &str = r#"# ours
[[waiver]]
rule = "timestamps-off"
reason = "lab machine"
who = "maria"
until = "2027-01-31"

[[waiver]]
rule = "close-wait-leak"
namespace = "blue"
subject = "app (pid *)"
reason = "the vendor works on it"
who = "kim"
until = 2026-12-31
"#;

static RULES: LazyLock<RuleSet> = LazyLock::new(RuleSet::shipped);

fn parsed(text: &str) -> Waivers {
    Waivers::parse("w.toml", text, &RULES).unwrap()
}

/// What is said of a file that is refused: a line an error.
fn refused(text: &str) -> Vec<String> {
    let errors = Waivers::parse("w.toml", text, &RULES).unwrap_err().0;
    errors.iter().map(|error| format!("{error} [{}]", &text[error.span.clone()])).collect()
}

fn waiver() -> Waiver {
    Waiver {
        rule: RULE.to_owned(),
        namespace: None,
        subject: None,
        reason: "lab machine".to_owned(),
        who: "maria".to_owned(),
        until: date(2027, 1, 31),
    }
}

fn finding(namespace: &str, subject: &str) -> Finding {
    Finding { namespace: namespace.into(), subject: subject.to_owned(), ..crate::report::example::bare() }
}

/// A snapshot of two namespaces, `host` and `blue`, taken at this time.
fn snapshot(taken_at: &str) -> Snapshot {
    Snapshot { taken_at: taken_at.to_owned(), ..crate::report::example::snapshot() }
}

/// The troubles of these waivers after such a run, as `CODE RULE FILE:LINE TEXT`.
fn troubles(text: &str, taken_at: &str, findings: &[Finding], skipped: &[Skipped]) -> Vec<String> {
    let snapshot = snapshot(taken_at);
    let ran = Ran { snapshot: &snapshot, rules: &RULES, findings, skipped };
    let line = |p: WaiverProblem| format!("{} {} {}:{} {}", p.trouble.name(), p.rule, p.file, p.line, p.text);
    parsed(text).problems(&ran).into_iter().map(line).collect()
}

#[test]
fn blocks_are_read_with_their_lines_and_a_date_may_stand_with_or_without_quotes() {
    let waivers = parsed(GOOD);
    let lines: Vec<usize> = waivers.entries.iter().map(|entry| entry.line).collect();
    assert_eq!(lines, [2, 8]);
    assert_eq!(waivers.entries[0].waiver, waiver());
    assert_eq!(waivers.entries[1].waiver.namespace.as_deref(), Some("blue"));
    assert_eq!(waivers.entries[1].waiver.until, date(2026, 12, 31));
    assert!(parsed("").entries.is_empty());
}

#[test]
fn the_example_of_the_documentation_is_taken() {
    let page = include_str!("../../../docs/waivers.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    assert_eq!(parsed(rest.split_once("```").unwrap().0).entries.len(), 1);
}

#[test]
fn all_that_a_block_lacks_is_told_at_once() {
    assert_eq!(
        refused("\n[[waiver]]\nsubject = \"x\"\n"),
        [
            "w.toml:2:1: this waiver has no `rule`: the rule whose findings are waived [[[waiver]]]",
            "w.toml:2:1: this waiver has no `reason`: why the finding is accepted [[[waiver]]]",
            "w.toml:2:1: this waiver has no `who`: the person who is responsible for this decision [[[waiver]]]",
            "w.toml:2:1: this waiver has no `until`: the last day of the waiver [[[waiver]]]",
        ]
    );
}

#[test]
fn mistakes_are_underlined_where_they_stand() {
    let with = |old: &str, new: &str| {
        assert!(GOOD.contains(old), "{old}");
        refused(&GOOD.replacen(old, new, 1))
    };
    assert_eq!(with("who =", "whom ="), ["w.toml:5:1: unknown field `whom` [whom]"]);
    assert_eq!(with("\"maria\"", "\" \""), ["w.toml:5:7: this value is empty [\" \"]"]);
    assert_eq!(with("\"blue\"", "\"\""), ["w.toml:10:13: this value is empty [\"\"]"]);
    assert_eq!(with("\"maria\"", "7"), ["w.toml:5:7: invalid type: integer `7`, expected a string [7]"]);
    for wrong in [
        "\"2027-02-29\"",
        "\"31.1.2027\"",
        "\"2027-01-31T00:00:00\"",
        "\"20270131\"",
        "\" 2027-01-31\"",
        "\"tomorrow\"",
        "2027",
        "2027-01-31T00:00:00Z",
        "[1]",
        "true",
    ] {
        let text = wrong.trim_matches('"');
        assert_eq!(with("\"2027-01-31\"", wrong), [format!("w.toml:6:9: `{text}` is not a date [{wrong}]")]);
    }
    let error = Waivers::parse("w.toml", &GOOD.replace("timestamps-off", "timestamp-off"), &RULES).unwrap_err();
    assert_eq!(error.0[0].to_string(), "w.toml:3:8: there is no rule `timestamp-off`");
    assert_eq!(error.0[0].help.as_deref(), Some("did you mean `timestamps-off`?"));
}

#[test]
fn a_rule_that_is_switched_off_or_broken_may_be_named() {
    let mut rules = RuleSet::shipped();
    rules.disable(RULE).unwrap();
    rules.add("", "mine", "/etc/mine.toml", "x");
    for rule in [RULE, "mine"] {
        assert!(Waivers::parse("w.toml", &GOOD.replace(RULE, rule), &rules).is_ok(), "{rule}");
    }
    assert!(Waivers::parse("w.toml", &GOOD.replace(RULE, "yours"), &rules).is_err());

    let snapshot = snapshot("2026-01-01T00:00:00Z");
    let ran = Ran { snapshot: &snapshot, rules: &rules, findings: &[], skipped: &[] };
    let problems = Waivers::parse("w.toml", GOOD, &rules).unwrap().problems(&ran);
    assert_eq!(problems[0].text, "the rule is switched off, or its file is broken");
}

#[test]
fn a_finding_is_waived_up_to_the_last_day_and_only_in_its_place() {
    let all = parsed(GOOD);
    let on = |day| all.of(&finding("host", "host"), day).map(|waiver| waiver.who);
    assert_eq!(on(Some(date(2027, 1, 31))).as_deref(), Some("maria"));
    assert_eq!(on(Some(date(2027, 2, 1))), None);
    assert_eq!(on(None), None);

    let narrow = parsed(&GOOD.replace("close-wait-leak", RULE).replace("2027-01-31", "2020-01-31"));
    let at = |namespace, subject| narrow.of(&finding(namespace, subject), Some(date(2026, 1, 1))).map(|w| w.who);
    assert_eq!(at("blue", "app (pid 9)").as_deref(), Some("kim"), "an expired one above does not stand in the way");
    assert_eq!(at("host", "app (pid 9)"), None);
    assert_eq!(at("blue", "other (pid 9)"), None);
    assert_eq!(all.of(&Finding { rule: "another".into(), ..finding("blue", "app (pid 9)") }, None), None);
}

#[test]
fn the_day_is_that_of_the_snapshot_in_utc() {
    assert_eq!(day_of(&snapshot("2026-01-01T23:59:59Z")), Some(date(2026, 1, 1)));
    assert_eq!(day_of(&snapshot("2026-01-01T23:59:59-05:00")), Some(date(2026, 1, 2)));
    for odd in ["", "2026-01-01", "yesterday", "99999-01-01T00:00:00Z"] {
        assert_eq!(day_of(&snapshot(odd)), None);
        let said = troubles(GOOD, odd, &[finding("host", "host")], &[]);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].ends_with(&format!("the time of this snapshot is invalid: `{odd}`")), "{said:?}");
    }
}

#[test]
fn a_waiver_that_waives_nothing_is_told_with_the_reason() {
    let found = [finding("host", "host")];
    let leak = "waiver-unused close-wait-leak w.toml:8 the rule has no finding on `app (pid *)` now";
    assert_eq!(troubles(GOOD, "2026-06-01T00:00:00Z", &found, &[]), [leak]);
    assert_eq!(
        troubles(GOOD, "2026-06-01T00:00:00Z", &[], &[]),
        ["waiver-unused timestamps-off w.toml:2 the rule has no finding now", leak]
    );
    assert_eq!(
        troubles(GOOD, "2027-02-01T00:00:00Z", &found, &[]),
        [
            "waiver-expired timestamps-off w.toml:2 ended on 2027-01-31 (by maria: lab machine); the findings that it waived \
             count again",
            "waiver-expired close-wait-leak w.toml:8 ended on 2026-12-31 (by kim: the vendor works on it); no \
             finding matches it now",
        ]
    );
    let elsewhere = GOOD.replace("\"blue\"", "\"re*\"");
    let said = troubles(&elsewhere, "2026-06-01T00:00:00Z", &found, &[]);
    assert_eq!(said, ["waiver-unused close-wait-leak w.toml:8 this audit did not observe the namespace `re*`"]);
}

#[test]
fn of_a_rule_that_could_not_be_checked_nothing_is_said() {
    let skip = |namespace: &str| Skipped {
        rule: "close-wait-leak".into(),
        namespace: namespace.into(),
        reason: "denied".into(),
    };
    let found = [finding("host", "host")];
    assert_eq!(troubles(GOOD, "2026-06-01T00:00:00Z", &found, &[skip("blue")]), Vec::<String>::new());
    assert_eq!(troubles(GOOD, "2026-06-01T00:00:00Z", &found, &[skip("host")]).len(), 1);
}

#[test]
fn a_waived_finding_keeps_its_recommendation_and_does_not_move_the_others() {
    let rule = |value: &str| {
        format!(
            "summary = \"a rule of a test\"\ntitle = \"t\"\nseverity = \"notice\"\nkind = \"capacity\"\nwhen = 'net.core.somaxconn < {value}'\n\
             explain = \"A rule for tests, long enough to count as an explanation of itself.\"\n\
             references = [\"RFC 9293\"]\n[evidence]\n\"limit\" = 'net.core.somaxconn'\n\
             [[recommend]]\nkey = \"net.core.somaxconn\"\nvalue = '{value}'\nbound = \"at_least\"\nrisk = \"low\"\n\
             side_effects = \"None.\"\n\
             [[test]]\nname = \"low\"\ngiven.\"net.core.somaxconn\" = 1\nexpect = \"fires\"\n\
             [[test]]\nname = \"high\"\ngiven.\"net.core.somaxconn\" = 100000\nexpect = \"quiet\"\n"
        )
    };
    let mut rules = RuleSet::default();
    rules.add("", "modest", "modest.toml", &rule("4096"));
    rules.add("", "greedy", "greedy.toml", &rule("65535"));
    assert_eq!(rules.broken, []);
    let mut snapshot = snapshot("2026-01-01T00:00:00Z");
    snapshot.namespaces.truncate(1);
    let sysctls = [("net.core.somaxconn".to_owned(), "128".to_owned())].into();
    snapshot.namespaces[0] = Namespace { sysctls, ..snapshot.namespaces[0].clone() };
    let run = |waivers: &Waivers| {
        let audit = crate::audit::run(&snapshot, &rules, waivers);
        let said = |finding: &Finding| {
            let who = finding.waived.as_ref().map(|waiver| waiver.who.clone()).unwrap_or_default();
            (finding.rule.clone(), finding.recommendations[0].proposed.to_string(), who)
        };
        audit.findings.iter().map(said).collect::<Vec<_>>()
    };
    let line = |rule: &str, value: &str, who: &str| (rule.to_owned(), value.to_owned(), who.to_owned());
    assert_eq!(run(&Waivers::default()), [line("greedy", "65535", ""), line("modest", "65535", "")]);
    let text = GOOD.replace("close-wait-leak", "modest").replace(RULE, "greedy");
    let waivers = Waivers::parse("w.toml", &text, &rules).unwrap();
    assert_eq!(run(&waivers), [line("modest", "4096", ""), line("greedy", "65535", "maria")]);
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_file_that_is_missing_is_made_with_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/waivers.toml");
    append(&path, &waiver()).unwrap();
    append(&path, &Waiver { subject: Some("[::]:80".to_owned()), ..waiver() }).unwrap();
    insta::assert_snapshot!(read(&path), @r#"
    # Waivers of sysctl-advisor: findings that a person accepted. docs/waivers.md describes the format.

    [[waiver]]
    rule = "timestamps-off"
    reason = "lab machine"
    who = "maria"
    until = "2027-01-31"

    [[waiver]]
    rule = "timestamps-off"
    subject = "[::]:80"
    reason = "lab machine"
    who = "maria"
    until = "2027-01-31"
    "#);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o644, 0o755));
    let entries = Waivers::load(&path, &RULES).unwrap().entries;
    assert_eq!(entries[0].waiver, waiver());
    assert_eq!(entries[1].waiver.subject.as_deref(), Some("[::]:80"));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn what_is_there_stays_byte_for_byte_with_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.toml");
    for old in [GOOD, GOOD.trim_end(), "# only a comment", "", &GOOD.replace('\n', "\r\n")] {
        std::fs::write(&path, old).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660)).unwrap();
        append(&path, &waiver()).unwrap();
        assert!(read(&path).starts_with(old));
        let entries = Waivers::load(&path, &RULES).unwrap().entries;
        assert_eq!(entries.last().unwrap().waiver, waiver());
        assert_eq!(entries.len(), old.matches("[[waiver]]").count() + 1);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o660);
    }
}

#[test]
fn a_link_stays_a_link_and_what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("w.toml"), GOOD).unwrap();
    std::os::unix::fs::symlink("w.toml", at("link")).unwrap();
    append(&at("link"), &waiver()).unwrap();
    assert!(at("link").is_symlink());
    assert_eq!(parsed(&read(&at("w.toml"))).entries.len(), 3);

    std::os::unix::fs::symlink("nowhere", at("loose")).unwrap();
    std::os::unix::fs::symlink("/dev/null", at("null")).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    for name in ["loose", "null", "folder"] {
        assert!(matches!(append(&at(name), &waiver()), Err(AppendError::Unwritable { .. })), "{name}");
    }
    assert!(!at("nowhere").exists());
}

#[test]
fn nothing_is_written_into_a_file_that_is_wrong_or_of_a_waiver_that_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.toml");
    for wrong in ["waiver = []\n", "[[waiver]]\n", "x", "[[waivers]]\n"] {
        std::fs::write(&path, wrong).unwrap();
        assert!(matches!(append(&path, &waiver()), Err(AppendError::Wrong(_))), "{wrong}");
        assert_eq!(read(&path), wrong);
    }
    std::fs::write(&path, GOOD).unwrap();
    for empty in [Waiver { reason: String::new(), ..waiver() }, Waiver { who: " ".to_owned(), ..waiver() }] {
        assert!(matches!(append(&path, &empty), Err(AppendError::Wrong(_))));
        assert_eq!(read(&path), GOOD);
    }
}

#[test]
fn while_another_process_writes_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.toml");
    let lock = std::fs::File::open(folder.path()).unwrap();
    lock.lock().unwrap();
    let refused = append(&path, &waiver()).unwrap_err().to_string();
    assert!(refused.ends_with("another process is changing this file; try again"), "{refused}");
    assert!(!path.exists());
    drop(lock);
    append(&path, &waiver()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_come_back_as_they_were(reason in "[^ ]\\PC{0,20}", who in "[\"'\\\\\n\r\t\u{0}\u{7f}\u{1b}#=\\[\\]é]{1,12}x") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.toml");
        let odd = Waiver { namespace: Some(who.clone()), reason, who, ..waiver() };
        prop_assume!(!odd.reason.trim().is_empty());
        std::fs::write(&path, GOOD).unwrap();
        append(&path, &odd).unwrap();
        let entries = Waivers::load(&path, &RULES).unwrap().entries;
        prop_assert_eq!(&entries[2].waiver, &odd);
    }

    #[test]
    fn noise_and_changed_files_are_read_or_refused(
        at in 0..GOOD.len(),
        length in 0_usize..8,
        piece in "[\\[\\]{}=.\"'0-9a-zé\n\r\\\\*]{0,6}",
        noise in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut changed = GOOD.to_owned();
        changed.replace_range(at..(at + length).min(GOOD.len()), &piece);
        for text in [String::from_utf8_lossy(&noise).into_owned(), changed] {
            if let Err(errors) = check("w.toml", &text) {
                prop_assert!(errors.0.iter().all(|error| !error.render(true).is_empty()));
            }
        }
    }
}
