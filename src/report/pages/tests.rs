//! The pages as a reader of Markdown sees them, and whether the files are current.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::*;
use crate::metrics::catalogue;
use crate::report::markdown::anchor;
use crate::rules::set::RuleSet;

/// A page as a reader of Markdown sees it.
#[derive(Default)]
struct Read {
    text: String,
    /// The cells of each row.
    rows: Vec<usize>,
    anchors: Vec<String>,
    links: Vec<String>,
    sections: Vec<String>,
}

fn read(page: &str) -> Read {
    let mut read = Read::default();
    let mut heading = None;
    for event in Parser::new_ext(page, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Text(text) | Event::Code(text) => {
                read.text.push_str(&text);
                if let Some((_, heading)) = &mut heading {
                    let heading: &mut String = heading;
                    heading.push_str(&text);
                }
            }
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::Paragraph | TagEnd::TableCell) => {
                read.text.push(' ');
            }
            Event::Start(Tag::Heading { level, .. }) => heading = Some((level, String::new())),
            Event::End(TagEnd::Heading(_)) => {
                let (level, title) = heading.take().unwrap();
                read.anchors.push(anchor(&title));
                read.sections.extend((level == HeadingLevel::H3).then_some(title));
                read.text.push(' ');
            }
            Event::Start(Tag::TableRow | Tag::TableHead) => read.rows.push(0),
            Event::Start(Tag::TableCell) => *read.rows.last_mut().unwrap() += 1,
            Event::Start(Tag::Link { dest_url, .. }) => read.links.push(dest_url.into_string()),
            Event::Start(Tag::Strikethrough | Tag::Emphasis | Tag::BlockQuote(_)) | Event::InlineHtml(_) => {
                panic!("a mark that no text means: {}", &read.text[read.text.len().saturating_sub(200)..]);
            }
            _ => {}
        }
    }
    read.text = plain(&read.text);
    read
}

/// A text without marks of code, with one blank between words.
fn plain(text: &str) -> String {
    text.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_page_is_current() {
    for Page { file, text: page } in PAGES {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        if std::env::var_os("SYSCTL_ADVISOR_WRITE").is_some() {
            std::fs::write(&path, page()).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == page(), "{file} is stale; write it: SYSCTL_ADVISOR_WRITE=1 cargo test --lib is_current");
    }
}

#[test]
fn every_table_is_whole_and_every_link_leads_somewhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for Page { file, text: page } in PAGES {
        let page = page();
        let read = read(&page);
        let bars = page.lines().filter(|line| line.starts_with('|') && !line.starts_with("| ---")).count();
        assert_eq!(read.rows.len(), bars, "{file}: a row that is not read as one");
        let anchors: BTreeSet<_> = read.anchors.iter().map(String::as_str).collect();
        assert_eq!(anchors.len(), read.anchors.len(), "{file}: two headings have one anchor");
        for link in read.links.iter().filter(|link| !link.starts_with("https://")) {
            match link.strip_prefix('#') {
                Some(anchor) => assert!(anchors.contains(anchor), "{file}: {link}"),
                None => assert!(root.join(link).exists(), "{file}: {link}"),
            }
        }
    }
}

#[test]
fn every_row_has_the_cells_of_its_head() {
    // A reader fills a short row and cuts a long one, so that the text itself must be looked at.
    let bars = |line: &str| line.replace("\\|", "").matches('|').count();
    for Page { file, text: page } in PAGES {
        let mut head = 0;
        for line in page().lines() {
            match line.starts_with('|') {
                true if head == 0 => head = bars(line),
                true => assert_eq!(bars(line), head, "{file}: {line}"),
                false => head = 0,
            }
        }
    }
}

#[test]
fn the_page_of_rules_has_every_shipped_rule_with_its_texts_whole() {
    let read = read(&rules::page());
    let shipped = RuleSet::shipped();
    for rule in shipped.iter() {
        assert!(read.sections.contains(&rule.id), "{}", rule.id);
        let avoided = rule.avoid.iter().map(|part| &part.why);
        let costs = rule.recommend.iter().map(|part| &part.side_effects);
        for text in [&rule.summary, &rule.explain].into_iter().chain(avoided).chain(costs) {
            assert!(read.text.contains(&plain(text)), "{}: {text}", rule.id);
        }
        for condition in rule.conditions() {
            assert!(read.text.contains(&plain(condition.source())), "{}: {}", rule.id, condition.source());
        }
    }
    assert_eq!(read.links.iter().filter(|link| link.starts_with("../rules/")).count(), shipped.len());
}

#[test]
fn the_page_of_metrics_has_every_metric_with_its_help() {
    let read = read(&super::metrics::page());
    for metric in catalogue::metrics() {
        assert!(read.text.contains(&format!("{} {}", metric.name, metric.kind.name())), "{}", metric.name);
        assert!(read.text.contains(&plain(metric.help)), "{}: {}", metric.name, metric.help);
    }
}

#[test]
fn the_page_of_keys_has_every_key_with_its_texts_whole() {
    let read = read(&keys::page());
    for key in crate::keys::catalogue().iter() {
        assert!(read.sections.contains(&key.name), "{}", key.name);
        for text in [&key.meaning].into_iter().chain(&key.interactions).chain(&key.misuse).chain(&key.risk_note) {
            assert!(read.text.contains(&plain(text)), "{}: {text}", key.name);
        }
    }
}
