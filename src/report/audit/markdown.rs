//! The report for a ticket or a wiki: Markdown, as GitHub and GitLab read it.
//!
//! In: the sections of an audit. Out: a section for each finding, the worst first, then what was not checked.
//! Must not: break a paragraph into lines, which tickets show as lines; let a stranger's text become a mark.

use std::io;

use super::answers::{self, Answer};
use super::format::{Content, Detail, Format, Look};
use super::sections::{GapAt, Head, Open, Summary, Writer};
use super::{summary, words};
use crate::audit::model::{Advice, Avoid, Evidence, Finding, Recommendation, Skipped, Waiver, WaiverProblem};
use crate::drift::SourceLine;
use crate::history::read::Episode;
use crate::model::in_words;
use crate::report::markdown::{literal, push_literal, push_verbatim, table, verbatim};
use crate::report::measured::measured;
use crate::report::theme::Theme;
use crate::snapshot::Namespace;

pub(super) const FORMAT: Format = Format {
    name: "markdown",
    help: "Markdown, for a ticket or a wiki",
    cannot_carry: &[
        (Content::Ids, "programs recognise things by ids, people by names"),
        (Content::Harm, "the order of the findings says it"),
        (Content::Bounds, "a person decides on a value"),
    ],
    write: |sections, look, output| sections.give_to(Page::new(look), output),
};

struct Page<'a> {
    text: String,
    /// With the explanation, the expressions and the sources.
    full: bool,
    summary: Summary<'a>,
}

impl Page<'_> {
    fn new(look: &Look) -> Self {
        Self { text: String::new(), full: look.detail == Detail::Full, summary: Summary::default() }
    }

    fn section(&mut self, heading: &str) {
        self.text.extend(["\n## ", heading, "\n\n"]);
    }

    /// An item of a list; `add` adds its Markdown.
    fn item(&mut self, label: &str, add: impl FnOnce(&mut String)) {
        self.text.extend(["- **", label, "** "]);
        add(&mut self.text);
        self.text.push('\n');
    }

    /// A section of texts; nothing for none.
    fn list(&mut self, heading: &str, texts: impl Iterator<Item = (&'static str, String)>) {
        for (position, (label, text)) in texts.enumerate() {
            if position == 0 {
                self.section(heading);
            }
            self.item(label, |output| output.push_str(&text));
        }
    }
}

impl<'a> Writer<'a> for Page<'a> {
    fn head(&mut self, head: Head<'a>) {
        let (title, facts) = (literal(&words::title(&head)), literal(&words::facts(&head)));
        let (_, numbers) = summary::sentence(&head.summary, &Theme::plain());
        self.text.push_str(&format!("# {title}\n\n**{}**\n\n{facts}\n", literal(&numbers)));
        self.summary = head.summary;
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        for Open { finding, seen } in findings {
            let severity = finding.severity.name().to_uppercase();
            self.section(&[&severity, ": ", &*literal(&finding.title)].concat());
            let seen = words::said(seen).map_or(String::new(), |seen| format!(", {seen}"));
            self.item("Rule", |output| {
                push_verbatim(output, &finding.rule);
                output.extend([" (", finding.kind.name(), ")", &seen]);
            });
            write(self, finding);
        }
    }

    fn waived(&mut self, waived: Vec<(&'a Finding, &'a Waiver)>) {
        let line = |(finding, waiver): &(&Finding, &Waiver)| {
            let text = format!("{}, {}: {}", words::place(finding), words::waiver(waiver), finding.title);
            ("Waived", format!("{} {}: {}", finding.severity.name(), verbatim(&finding.rule), literal(&text)))
        };
        self.list("Waived findings", waived.iter().map(line));
    }

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        self.list("TCP sockets", namespaces.iter().map(|namespace| ("Namespace", literal(&words::sockets(namespace)))));
        let used = answers::ports_in_use(self.summary.derived, namespaces);
        for namespace in namespaces {
            if let Some(roles) = words::roles(&self.summary.derived.roles(namespace), true) {
                let label = literal(&format!("Roles of {}", in_words(&namespace.name)));
                self.item(&label, |output| push_literal(output, &roles));
            }
            for Answer { state, text } in answers::of(namespace, &used) {
                let place = format!("{state} of {}", in_words(&namespace.name));
                self.item(&literal(&place), |output| push_literal(output, &text));
            }
        }
    }

    fn skipped(&mut self, skipped: &'a [Skipped]) {
        self.list("Not checked", skipped.iter().map(|skip| ("Skipped", literal(&words::skipped(skip)))));
    }

    fn gaps(&mut self, gaps: Vec<GapAt<'a>>) {
        self.list("Not read", gaps.iter().map(|gap| ("Gap", literal(&words::gap(gap)))));
    }

    fn broken_rules(&mut self, messages: &'a [String]) {
        let lines = messages.iter().map(|message| ("Broken", verbatim(message)));
        self.list("Rule files that could not be loaded", lines);
    }

    fn waiver_problems(&mut self, problems: &'a [WaiverProblem]) {
        let lines = problems.iter().map(|problem| ("Waiver", literal(&words::waiver_problem(problem))));
        self.list("Waivers that waive nothing", lines);
    }

    fn resolved(&mut self, episodes: Vec<&'a Episode>) {
        let lines = episodes.iter().map(|gone| {
            let Episode { rule, namespace, subject, .. } = gone;
            ("Resolved", format!("{} {}", verbatim(rule), literal(&format!("{namespace}: {subject}"))))
        });
        self.list("Resolved in the last day", lines);
    }

    fn finish(self, output: &mut dyn io::Write) -> io::Result<()> {
        output.write_all(self.text.as_bytes())
    }
}

fn write(page: &mut Page<'_>, finding: &Finding) {
    let Finding { explain, evidence, recommendations, advice, avoid, references, line, .. } = finding;
    page.item("Where", |output| push_verbatim(output, &words::place(finding)));
    if let Some(cause) = &finding.follows_from {
        page.item("Cause", |output| {
            output.push_str("probably ");
            push_verbatim(output, &cause.rule);
        });
    }
    if let Some(SourceLine { file, line, text, marked: _ }) = line {
        page.item("Line", |output| {
            push_verbatim(output, &format!("{file}:{line}"));
            output.push_str(": ");
            push_verbatim(output, text);
        });
    }
    if page.full {
        page.item("Why", |output| push_literal(output, explain));
    }
    recommendations.iter().for_each(|item| page.item("Change", |output| change(output, item)));
    for Advice { who, text } in advice {
        page.item("Do", |output| pair(output, who, text));
    }
    for Avoid { what, why } in avoid {
        page.item("Do not", |output| pair(output, what, why));
    }
    for (command, shows) in words::looks(finding) {
        page.item("Look", |output| {
            push_verbatim(output, &command);
            output.push_str(" shows ");
            push_literal(output, shows);
        });
    }
    if page.full {
        references.iter().for_each(|reference| page.item("Source", |output| push_verbatim(output, reference)));
    }
    numbers(page, evidence);
}

fn change(output: &mut String, item: &Recommendation) {
    let Recommendation { key, current, proposed, .. } = item;
    push_verbatim(output, key);
    output.push_str(": ");
    push_verbatim(output, words::value_or_empty(current));
    output.push_str(" → ");
    push_verbatim(output, words::value_or_empty(&proposed.to_string()));
    output.push_str(". ");
    push_literal(output, &words::effects(item));
}

fn pair(output: &mut String, name: &str, text: &str) {
    push_literal(output, name);
    output.push_str(": ");
    push_literal(output, text);
}

fn numbers(page: &mut Page<'_>, evidence: &[Evidence]) {
    if evidence.is_empty() {
        return;
    }
    let cells = |item: &Evidence| [literal(&item.label), literal(&measured(&item.value, &item.unit))];
    page.text.push('\n');
    let table = if page.full {
        let rows = evidence.iter().map(|item| {
            let [label, value] = cells(item);
            [label, value, literal(&item.expression)]
        });
        table(["Evidence", "Value", "Computed from"], rows)
    } else {
        table(["Evidence", "Value"], evidence.iter().map(cells))
    };
    page.text.push_str(&table);
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::super::sections::Reported;
    use super::*;
    use crate::report::example;
    use crate::text::one_line;

    fn page(change: impl Fn(&mut Finding)) -> String {
        let snapshot = example::snapshot();
        let mut audit = example::audit(&snapshot);
        audit.findings.iter_mut().for_each(change);
        let look = Look { detail: Detail::Full, ..Look::plain() };
        FORMAT.text(Reported::of(&audit), &look).unwrap()
    }

    fn events(text: &str) -> Vec<Event<'_>> {
        Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).collect()
    }

    /// What a reader sees.
    fn seen(text: &str) -> String {
        let shown = events(text).into_iter().map(|event| match event {
            Event::Text(text) | Event::Code(text) => text.into_string(),
            _ => String::new(),
        });
        shown.collect()
    }

    #[test]
    fn the_text_reads_so() {
        let text = page(|_| {}).replace(&"x".repeat(300), "xxx").replace(&"path/".repeat(30), "path/");
        insta::assert_snapshot!(text, @r"
        # sysctl-advisor on web-1 at 2026-01-01T00:00:00Z

        **1 critical, 2 warnings, 1 notice, 1 waived from 35 rules; 3 checks skipped, 1 rule file broken, 1 waiver expired or unused. 2 things could not be read.**

        Linux 6.12.0, 4 CPUs, 16.0 GiB, up 11 d 13 h, counters over 2 s

        ## CRITICAL: 10.0.0.5:5432 takes 92 % of the ephemeral ports

        - **Rule** `ephemeral-ports` (capacity)
        - **Where** `host: 10.0.0.1 -> 10.0.0.5:5432`
        - **Why** Every outgoing connection to one address and port needs a local port of its own. When none is left, connect() fails with EADDRNOTAVAIL. A second paragraph that the short form leaves to \`explain\`.
        - **Change** `net.ipv4.ip_local_port_range`: `32768 60999` → `16384 65535`. Tried in a scratch namespace: the kernel accepts it. Risk medium. New connections use it at once. Side effects: A service that listens on a port from 16384 up can find it taken when it starts.
        - **Do** application: Keep connections open: a pool, or HTTP keep-alive, needs a handful of ports.
        - **Do** operator: More source addresses multiply the ports.
        - **Do not** net.ipv4.tcp_fin_timeout: it ends orphaned FIN_WAIT2 sockets; TIME_WAIT lasts 60 s whatever it says
        - **Source** `https://docs.kernel.org/networking/ip-sysctl.html`

        | Evidence | Value | Computed from |
        | --- | --- | --- |
        | ports in use | 26,012 ports | destination.ports_blocked |
        | share of the range | 92 % | destination.port_use |
        | range | 32768 60999 | net.ipv4.ip_local_port_range |
        | reuse could help | yes | net.ipv4.tcp_tw_reuse != 1 |
        | nonsense | unknown | 0.0 / 0.0 |

        ## WARNING: The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff\]:65535 overflowed and connections were lost

        - **Rule** `accept-queue-overflow` (capacity)
        - **Where** `blue: [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -> [2001:db8:1111:2222:3333:4444:5555:6666]:65535`
        - **Why** The queue is full.
        - **Change** `net.core.a_key_with_a_name_that_is_far_longer_than_most_of_them`: `(empty)` → `8192`. Not possible here: the key belongs to the whole machine and is read-only in this namespace. Risk low. The next listen() uses it.

        | Evidence | Value | Computed from |
        | --- | --- | --- |
        | waited for accept() at the end of the window | 1 connection | listener.queue |
        | overflows | 12.5/s | rate.TcpExt.ListenOverflows * 1.0 + 0.0 * double(listener.queue) |
        | age of the oldest | 2 h 5 min | window.seconds |
        | memory | 6.0 MiB | host.memory_bytes |
        | owner | a-process-with-a-long-name (pid 4194304) | listener.owner |

        ## WARNING: evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLOSE_WAIT

        - **Rule** `close-wait-leak` (application)
        - **Where** `host: evil�]0;owned��[31m �2J�name (pid 12)`
        - **Why** xxx
        - **Change** `net.ipv4.ip_local_port_range`: `32768 60999` → `16384 65535`. Tried in a scratch namespace: the kernel accepts it. Risk medium. New connections use it at once. Side effects: A service that listens on a port from 16384 up can find it taken when it starts.
        - **Do** evil�]0;owned��[31m �2J�name: evil�]0;owned��[31m �2J�name
        - **Do not** evil�]0;owned��[31m �2J�name: evil�]0;owned��[31m �2J�name
        - **Look** `evil�]0;owned��[31m �2J�name` shows evil�]0;owned��[31m �2J�name
        - **Source** `https://example.org/path/`

        | Evidence | Value | Computed from |
        | --- | --- | --- |
        | evil�]0;owned��[31m �2J�name | evil�]0;owned��[31m �2J�name evil�]0;owned��[31m �2J�name | evil�]0;owned��[31m �2J�name |

        ## NOTICE: TCP timestamps are off

        - **Rule** `timestamps-off` (hygiene)
        - **Where** `host`
        - **Why** Without timestamps there is no PAWS.

        ## Waived findings

        - **Waived** warning `syncookies-off`: host, waived until 2027-01-31 by maria: lab machine: SYN cookies are off

        ## TCP sockets

        - **Namespace** host: TCP sockets: LISTEN 12, SYN_RECV 1, ESTABLISHED 1,203, TIME_WAIT 25,300, CLOSE_WAIT 320
        - **Namespace** blue: TCP sockets could not be read
        - **TIME_WAIT of host** This host closed these connections first, 421 a second on the average of the last minute. 25,300 belong to other addresses. They take some 9.9 MiB of kernel memory. This is harmless: each ends by itself after 60 s, which no sysctl changes, and ports are not short.

        ## Not checked

        - **Skipped** arp-table-near-limit could not be checked in blue: net.ipv4.neigh.default.gc_thresh3: No such file or directory
        - **Skipped** syn-backlog-drops could not be checked in blue: sockets: sock_diag: Operation not permitted
        - **Skipped** time-wait-overflow could not be checked in blue: sockets: sock_diag: Operation not permitted

        ## Not read

        - **Gap** machine: host.memory could not be read: /proc/meminfo: Permission denied
        - **Gap** blue: sockets could not be read: sock_diag: Operation not permitted; /proc/net/tcp: Permission denied

        ## Rule files that could not be loaded

        - **Broken** `` /etc/sysctl-advisor/rules.d/mine.toml:2:1: unknown field `severty` ``

        ## Waivers that waive nothing

        - **Waiver** /etc/sysctl-advisor/waivers.toml:9: waiver-expired close-wait-leak: ended on 2025-12-31 (by maria: �[31mthe vendor works on it)
        ");
    }

    #[test]
    fn every_title_is_there_once() {
        let seen = seen(&page(|_| {}));
        let snapshot = example::snapshot();
        for finding in example::audit(&snapshot).findings {
            let title = one_line(&finding.title);
            assert_eq!(seen.matches(&*title).count(), 1, "{title}: {seen}");
        }
    }

    #[test]
    fn a_strangers_words_are_no_marks() {
        let evil =
            "x | \\| [a](https://b.example) ![i](j) <b>k</b> `c` <!-- d --> **e** _f_ &lt; ~~g~~ <https://h.example>";
        let text = page(|finding| {
            finding.title = evil.to_owned();
            finding.subject = evil.to_owned();
            finding.explain = evil.to_owned();
            for item in &mut finding.evidence {
                (item.label, item.expression) = (evil.to_owned(), evil.to_owned());
            }
            for item in &mut finding.advice {
                (item.who, item.text) = (evil.to_owned(), evil.to_owned());
            }
        });
        let cells = |event: &&Event<'_>| matches!(event, Event::Start(Tag::TableCell));
        assert_eq!(events(&text).iter().filter(cells).count(), events(&page(|_| {})).iter().filter(cells).count());
        let marks = events(&text).into_iter().filter(|event| match event {
            Event::Html(_) | Event::InlineHtml(_) => true,
            Event::Start(tag) => {
                matches!(
                    tag,
                    Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis | Tag::Strikethrough | Tag::HtmlBlock
                )
            }
            _ => false,
        });
        assert_eq!(marks.collect::<Vec<_>>(), []);
        assert!(seen(&text).contains(evil), "{text}");
    }
}
