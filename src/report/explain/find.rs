//! Where a name leads that is not quite one: the rules, keys, states, counters and scenarios that a few words are about.
//!
//! In: words as a person types them, the rules. Out: the best answers first. Must not: read a value of a host.

use std::collections::BTreeMap;

use crate::keys;
use crate::lab::scenario;
use crate::reference::{counters, states};
use crate::report::page::{Cell, Page};
use crate::report::theme::Theme;
use crate::rules::set::RuleSet;
use crate::suggest;

/// What people say, and the words that our texts have for it.
const FOLK: [(&str, &str); 22] = [
    ("address already in use", "ephemeral ports"),
    ("arp", "neighbour"),
    ("backlog", "accept queue"),
    ("cannot assign requested address", "ephemeral ports"),
    ("connection refused", "nobody listens"),
    ("connection reset", "reset"),
    ("connection timed out", "syn unanswered"),
    ("emfile", "file limit"),
    ("gc_thresh", "neighbour"),
    ("listen queue", "accept queue"),
    ("mtu", "black hole"),
    ("nat", "conntrack"),
    ("neighbour table overflow", "neighbour table full"),
    ("orphan", "orphans"),
    ("out of memory", "memory exhausted"),
    ("out of ports", "ephemeral ports"),
    ("packet loss", "retransmission"),
    ("possible syn flooding", "syn queue overflow"),
    ("recv-q", "accept queue"),
    ("send-q", "reader does not read"),
    ("table full, dropping packet", "conntrack full"),
    ("too many open files", "file limit"),
];

/// Beyond these an answer is none.
const SHOWN: usize = 12;

/// Something that can be explained, and how well it answers.
#[derive(Debug, PartialEq)]
pub struct Answer {
    /// What it is: `rule`, `key`, ...
    pub kind: &'static str,
    pub name: String,
    pub summary: String,
    score: u32,
}

/// What is known of one name.
struct Known<'a> {
    kind: &'static str,
    name: &'a str,
    summary: &'a str,
    texts: Vec<&'a str>,
}

/// What the words are about, the best first; nothing where no text has all of them, nor a name that is nearly the same.
pub fn find(words: &str, rules: &RuleSet) -> Vec<Answer> {
    let typed = words.trim().to_lowercase();
    let folk = FOLK.iter().filter(|(said, _)| *said == typed || said.len() > 5 && typed.contains(said));
    let questions: Vec<String> = folk.map(|(_, ours)| (*ours).to_owned()).chain([typed.clone()]).collect();
    let rules: Vec<_> = rules.iter().collect();
    let scenarios = scenario::all().unwrap_or_default();
    let known = known(&rules, &scenarios);
    let mut best: BTreeMap<(&str, &str), Answer> = BTreeMap::new();
    for question in &questions {
        let parts: Vec<&str> = parts(question).collect();
        for one in &known {
            let score = score(one, &parts, question);
            if score > best.get(&(one.kind, one.name)).map_or(0, |answer| answer.score) {
                let (name, summary) = (one.name.to_owned(), one.summary.to_owned());
                best.insert((one.kind, one.name), Answer { kind: one.kind, name, summary, score });
            }
        }
    }
    let mut answers: Vec<Answer> = best.into_values().collect();
    answers.sort_by(|one, other| other.score.cmp(&one.score).then_with(|| one.name.len().cmp(&other.name.len())));
    answers.truncate(SHOWN);
    answers
}

fn known<'a>(rules: &'a [&'a crate::rules::Rule], scenarios: &'a [scenario::Scenario]) -> Vec<Known<'a>> {
    let rules = rules.iter().map(|rule| Known {
        kind: "rule",
        name: &rule.id,
        summary: &rule.summary,
        texts: vec![&rule.explain, &rule.area],
    });
    let keys = keys::catalogue().iter().map(|key| Known {
        kind: "key",
        name: &key.name,
        summary: first_sentence(&key.meaning),
        texts: [Some(&key.meaning), key.misuse.as_ref()].into_iter().flatten().map(String::as_str).collect(),
    });
    let states = states::iter().map(|state| Known {
        kind: "state",
        name: &state.name,
        summary: &state.summary,
        texts: vec![&state.many, &state.wire],
    });
    let counters = counters::iter().map(|counter| Known {
        kind: "counter",
        name: &counter.name,
        summary: first_sentence(&counter.counts),
        texts: vec![&counter.counts, &counter.trap],
    });
    let scenarios = scenarios.iter().map(|scenario| Known {
        kind: "scenario",
        name: &scenario.name,
        summary: &scenario.title,
        texts: vec![&scenario.story],
    });
    rules.chain(keys).chain(states).chain(counters).chain(scenarios).collect()
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first)
}

/// Words, and the parts of names: `tcp_tw_reuse` has three.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty())
}

/// How well one answers: 0, not at all. Each word has to be somewhere, or the whole has to be nearly its name.
fn score(known: &Known<'_>, words: &[&str], typed: &str) -> u32 {
    let likeness = suggest::name_likeness(known.name, typed);
    let near = if likeness >= 0.8 { (likeness * 60.0) as u32 } else { 0 };
    let name = known.name.to_lowercase();
    let summary = known.summary.to_lowercase();
    let texts: Vec<String> = known.texts.iter().map(|text| text.to_lowercase()).collect();
    let mut sum = 0;
    for word in words {
        let of_word = match () {
            () if parts(&name).any(|part| part == *word) => 12,
            () if parts(&summary).any(|part| part == *word) => 6,
            () if name.contains(word) => 5,
            () if texts.iter().any(|text| parts(text).any(|part| part == *word)) => 2,
            () => return near,
        };
        sum += of_word;
    }
    // A rule says what to do; a scenario only shows it, and a counter only counts it.
    let weight = match known.kind {
        "rule" | "state" => 3,
        "key" => 2,
        _ => 1,
    };
    near.max(sum * weight / u32::try_from(words.len().max(1)).unwrap_or(1))
}

/// The answers for a person.
pub fn page(words: &str, answers: &[Answer], theme: &Theme) -> String {
    let mut page = Page::new(theme);
    page.paragraph(0, theme.heading, &format!("Nothing has exactly the name `{words}`. This is about it:"));
    for Answer { kind, name, summary, score: _ } in answers {
        page.blank();
        let command = if *kind == "scenario" { format!("lab run {name}") } else { format!("explain {name}") };
        page.row(
            0,
            &[Cell::new(kind, 8).painted(theme.dim), Cell::new(&command, page.width() - 10).painted(theme.key)],
        );
        page.row(10, &[Cell::new(summary, page.width() - 10)]);
    }
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &str) -> Vec<String> {
        find(words, &RuleSet::shipped()).into_iter().map(|answer| answer.name).collect()
    }

    /// Words that a newcomer typed, and one of the names that have to be among the first five.
    #[test]
    fn what_people_type_leads_to_what_they_mean() {
        for (typed, wanted) in [
            ("backlog", "accept-queue-overflow"),
            ("overflow", "accept-queue-overflow"),
            ("Recv-Q", "accept-queue-overflow"),
            ("conntrack", "conntrack-full"),
            ("tcp_tw_recyle", "net.ipv4.tcp_tw_recycle"),
            ("rp filter", "rp-filter-drops"),
            ("Cannot assign requested address", "ephemeral-ports"),
            ("too many open files", "owner-near-file-limit"),
            ("arp", "neighbour-table-full"),
            ("close wait", "close-wait-leak"),
        ] {
            let found = names(typed);
            assert!(found.iter().take(5).any(|name| name == wanted), "{typed}: {found:?}");
        }
    }

    #[test]
    fn a_word_that_nobody_knows_has_no_answer() {
        assert_eq!(names("frobnicate"), [""; 0]);
        assert_eq!(names(""), [""; 0]);
    }

    #[test]
    fn there_are_never_more_answers_than_one_reads() {
        assert_eq!(names("tcp").len(), SHOWN);
    }
}
