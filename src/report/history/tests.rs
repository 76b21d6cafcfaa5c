//! Tests of the history's reports, on records that no run would write.

use super::*;
use crate::model::Severity;
use crate::report::theme::Theme;

const HOSTILE: &str = "a\u{1b}[31m\u{202e}\n\u{0}b";

fn episode(number: i64) -> Episode {
    Episode {
        fingerprint: format!("{number:016x}"),
        rule: HOSTILE.to_owned(),
        severity: Severity::Critical,
        namespace: HOSTILE.to_owned(),
        subject: "x".repeat(500),
        title: HOSTILE.repeat(50),
        first_seen: i64::MIN,
        last_seen: i64::MAX,
        resolved_at: (number % 2 == 0).then_some(i64::MIN),
        seen: i64::MIN,
        missed: i64::MAX,
        published: false,
    }
}

fn with_view(about: About<'_>, check: impl Fn(&HistoryPage<'_>)) {
    let run = |id| RunRow {
        id,
        at: if id % 2 == 0 { i64::MIN } else { i64::MAX },
        boot_id: HOSTILE.to_owned(),
        rules: -1,
        skipped: i64::MAX,
        broken: 0,
        findings: 0,
    };
    let runs: Vec<RunRow> = (0..9).map(run).collect();
    let points = runs.iter().map(|run| Point { run: run.id, at: run.at, boot: 7, value: Some(f64::MAX) });
    let points: Vec<Point> = points.chain([Point { run: 9, at: 0, boot: 0, value: Some(-f64::MAX) }]).collect();
    let series = [
        Series { metric: HOSTILE.to_owned(), unit: "bytes".to_owned(), help: HOSTILE.to_owned(), points },
        Series { metric: "tcp.close".to_owned(), unit: "share".to_owned(), help: String::new(), points: Vec::new() },
    ];
    let episodes: Vec<Episode> = (0..99).map(episode).collect();
    let change =
        ChangeNote { id: u64::MAX, at: i64::MAX, status: HOSTILE.to_owned(), keys: vec![HOSTILE.to_owned(); 99] };
    let changes = vec![change; 30];
    check(&HistoryPage {
        file: HOSTILE.to_owned(),
        since: i64::MIN,
        now: i64::MAX,
        namespace: HOSTILE,
        about,
        runs: &runs,
        series: &series,
        episodes: &episodes,
        changes: &changes,
    });
}

#[test]
fn records_without_sense_are_written_within_the_page_and_reach_no_terminal() {
    for about in [About::Everything, About::Metric("x"), About::Rule(HOSTILE)] {
        with_view(about, |view| {
            let text = text(view, &Theme::plain());
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            assert!(!text.contains(|c: char| c.is_control() && c != '\n') && !text.contains('\u{202e}'), "{text}");
            assert!(text.lines().count() < 2_500);
            let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
            let json: serde_json::Value = serde_json::from_str(&json(view).unwrap()).unwrap();
            assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&json));
        });
    }
}

#[test]
fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
    let series = |values: &[f64]| {
        let points = values.iter().map(|value| Point { run: 1, at: 1, boot: 0, value: Some(*value) }).collect();
        Series { metric: String::new(), unit: String::new(), help: String::new(), points }
    };
    assert_eq!(series(&[]).summary(), None);
    assert_eq!(series(&[3.0]).summary().unwrap().median, 3.0);
    assert_eq!(series(&[4.0, 1.0]).summary().unwrap().median, 2.5);
    let of_three = series(&[9.0, 1.0, 2.0]).summary().unwrap();
    assert_eq!((of_three.min, of_three.median, of_three.max, of_three.last), (1.0, 2.0, 9.0, 2.0));
}

#[test]
fn the_published_schema_is_the_one_of_this_program() {
    assert!(
        schema() == include_str!("../../../docs/schema/history-1.json"),
        "docs/schema/history-1.json is stale; if the change keeps to the contract, regenerate it with: \
         sysctl-advisor rules schema history > docs/schema/history-1.json"
    );
}
