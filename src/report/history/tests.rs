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
    let change = ChangeNote {
        id: u64::MAX,
        at: i64::MAX,
        status: HOSTILE.to_owned(),
        keys: vec![HOSTILE.to_owned(); 99],
        values: vec![(HOSTILE.to_owned(), HOSTILE.to_owned()); 98],
    };
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
fn a_page_of_records_without_sense_has_places_within_it_and_no_strange_character() {
    for about in [About::Everything, About::Metric("x"), About::Rule(HOSTILE)] {
        with_view(about, |view| {
            let page = html(view).unwrap();
            assert!(!page.contains(|c| c != '\n' && crate::text::is_dangerous(c)), "{page}");
            assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
            assert_eq!(page.matches("<h1>").count(), 1);
            let (_, drawn) = page.split_once("<main>").unwrap();
            for place in drawn.split('"').filter_map(|value| value.strip_suffix('%')?.parse::<f64>().ok()) {
                assert!((0.0..=100.0).contains(&place), "{place}");
            }
        });
    }
}

#[test]
fn a_page_has_the_values_of_a_change_where_its_journal_has_them() {
    let change = |id, values: &[(&str, &str)]| ChangeNote {
        id,
        at: 7200,
        status: "permanent".to_owned(),
        keys: vec!["net.core.somaxconn".to_owned()],
        values: values.iter().map(|(before, after)| ((*before).to_owned(), (*after).to_owned())).collect(),
    };
    let changes = [change(1, &[]), change(2, &[("128", "4096")])];
    with_runs(&hourly(&[(1, 0, 1.0), (2, 0, 1.0), (3, 0, 1.0)]), |view| {
        let page = html(&HistoryPage { changes: &changes, ..view.clone() }).unwrap();
        assert!(
            page.contains("<code>net.core.somaxconn</code>: <code>128</code> → <code><strong>4096</strong></code>")
        );
        assert_eq!(page.matches("<code>net.core.somaxconn</code>").count(), 2);
        assert!(page.contains("1970-01-01 02:00 UTC: change 2, permanent"), "{page}");
    });
}

fn hourly(values: &[(i64, usize, f64)]) -> Vec<Point> {
    let point = |&(hour, boot, value): &(i64, usize, f64)| Point {
        run: hour,
        at: hour * 3600,
        boot,
        value: value.is_finite().then_some(value),
    };
    values.iter().map(point).collect()
}

/// A history with these runs and nothing else.
fn with_runs(points: &[Point], check: impl Fn(&HistoryPage<'_>)) {
    let run = |point: &Point| RunRow {
        id: point.run,
        at: point.at,
        boot_id: point.boot.to_string(),
        rules: 9,
        skipped: 0,
        broken: 0,
        findings: point.run,
    };
    let runs: Vec<RunRow> = points.iter().map(run).collect();
    let (about, now) = (About::Everything, runs.last().unwrap().at);
    let (series, episodes, changes) = (&[], &[], &[]);
    check(&HistoryPage {
        file: String::new(),
        since: 0,
        now,
        namespace: "host",
        about,
        runs: &runs,
        series,
        episodes,
        changes,
    });
}

#[test]
fn a_line_ends_at_a_reboot_and_where_nothing_is_known() {
    let points = hourly(&[
        (0, 0, 2.0),
        (1, 0, 4.0),
        (2, 0, f64::NAN),
        (3, 0, 1.0),
        (4, 1, 1.0),
        (5, 1, 2.0),
        // Nine hours without a run.
        (14, 1, 4.0),
        (16, 1, 0.0),
    ]);
    with_runs(&points, |view| {
        let stretches = timeline::Timeline::of(view).stretches(&points, 4.0);
        let drawn: Vec<Vec<f64>> = stretches.iter().map(|it| it.iter().map(|(_, y)| *y).collect()).collect();
        assert_eq!(drawn, [vec![0.5, 1.0], vec![0.25], vec![0.25, 0.5], vec![1.0, 0.0]]);
        assert_eq!((stretches[0][0].0, stretches[3][1].0), (0.0, 1.0));
    });
}

#[test]
fn of_many_runs_at_one_place_the_largest_is_drawn() {
    let points = hourly(&(0..10_000).map(|hour| (hour, 0, if hour == 5_000 { 9.0 } else { 1.0 })).collect::<Vec<_>>());
    with_runs(&points, |view| {
        let stretches = timeline::Timeline::of(view).stretches(&points, 9.0);
        assert!(stretches.len() == 1 && stretches[0].len() < 500, "{}", stretches.len());
        assert_eq!(stretches[0].iter().filter(|(_, y)| *y == 1.0).count(), 1);
    });
}

#[test]
fn a_change_has_the_numbers_of_the_runs_next_to_it_and_of_a_day_on_both_sides() {
    let values: Vec<_> = (0..100).map(|hour| (hour, 0, if hour < 50 { 100.0 + hour as f64 } else { 7.0 })).collect();
    let series = |metric: &str, values: &[(i64, usize, f64)]| Series {
        metric: metric.to_owned(),
        unit: String::new(),
        help: String::new(),
        points: hourly(values),
    };
    let (ports, quiet) = (series("tcp.time_wait", &values), series("tcp.close", &[(0, 0, 0.0), (99, 0, 0.0)]));
    let compared = before_after::of(50 * 3600, &[&ports, &quiet]);
    assert_eq!(compared.len(), 1);
    assert_eq!(compared[0].values, [Some(149.0), Some(7.0), Some(137.5), Some(7.0)]);
    assert!(before_after::of(0, &[&ports]).is_empty(), "no run was before it");
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
