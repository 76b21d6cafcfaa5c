//! What is told of findings and changes, as entries of the journal.
//!
//! In: an event of the history, with the finding it is about if it is still there; or what became of a change. Out: a
//! [`Message`]: a line for a person, and fields for programs. Must not: send anything.
//!
//! `systemd/sysctl-advisor.catalog` explains each kind by its number, and `docs/agent.md` lists the fields.

use crate::audit::model::{Audit, Finding};
use crate::history::{Event, EventKind};
use crate::model::{Severity, in_words};
use crate::text::one_line;
use crate::units;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// One line.
    pub text: String,
    /// Names as the journal wants them, `MESSAGE` and `PRIORITY` among them.
    pub fields: Vec<(&'static str, String)>,
}

/// Numbers of syslog; a smaller one is worse.
const CRITICAL: u8 = 2;
const WARNING: u8 = 4;
const NOTICE: u8 = 5;
const INFORMATION: u8 = 6;

const fn priority(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => CRITICAL,
        Severity::Warning => WARNING,
        Severity::Notice => NOTICE,
    }
}

/// The kind's number in the journal's catalogue. Made once; it never changes.
pub const fn message_id(kind: EventKind) -> &'static str {
    match kind {
        EventKind::New => "ab16232450b141ca88f339c9ccc389ae",
        EventKind::Worse => "37344d20ed414728bd6fb2c54389b0c1",
        EventKind::Resolved => "125731217fb24e4984e675f52597be98",
        EventKind::Flapping => "a5a812a251564306850c101f72db76a8",
        EventKind::Waived => "efcea240188744709f49f6cc52989161",
        EventKind::Withdrawn => "036a81ab005b459db25944561a5b975d",
    }
}

/// The message for an event. `finding`: the one that the event is about, as this run saw it.
pub fn of_event(event: &Event, finding: Option<&Finding>) -> Message {
    let severity = event.severity.name();
    let (what, priority) = match event.kind {
        EventKind::New => (format!("new {severity} finding"), priority(event.severity)),
        EventKind::Worse => (format!("finding is {severity} now"), priority(event.severity)),
        EventKind::Flapping => ("finding comes and goes".to_owned(), priority(event.severity)),
        EventKind::Resolved => ("finding is resolved".to_owned(), INFORMATION),
        EventKind::Waived => ("finding was waived".to_owned(), INFORMATION),
        EventKind::Withdrawn => ("finding was removed with its rule".to_owned(), INFORMATION),
    };
    let Event { namespace, subject, title, rule, .. } = event;
    let place = match subject == namespace {
        true => in_words(namespace).to_owned(),
        false => format!("{}, {subject}", in_words(namespace)),
    };
    let text = one_line(&format!("{what} in {place}: {title} ({rule})")).into_owned();
    let first = finding.and_then(|finding| finding.recommendations.first());
    let of_first = |part: fn(&crate::audit::model::Recommendation) -> String| first.map(part);
    let fields = vec![
        ("MESSAGE", text.clone()),
        ("MESSAGE_ID", message_id(event.kind).to_owned()),
        ("PRIORITY", priority.to_string()),
        ("SYSLOG_IDENTIFIER", "sysctl-advisor".to_owned()),
        ("SYSCTL_ADVISOR_EVENT", event.kind.name().to_owned()),
        ("SYSCTL_ADVISOR_RULE", event.rule.clone()),
        ("SYSCTL_ADVISOR_SEVERITY", severity.to_owned()),
        ("SYSCTL_ADVISOR_KIND", finding.map(|finding| finding.kind.name().to_owned()).unwrap_or_default()),
        ("SYSCTL_ADVISOR_NETNS", event.namespace.clone()),
        ("SYSCTL_ADVISOR_SUBJECT", event.subject.clone()),
        ("SYSCTL_ADVISOR_PLACE", place),
        ("SYSCTL_ADVISOR_TITLE", event.title.clone()),
        ("SYSCTL_ADVISOR_FINGERPRINT", event.fingerprint.clone()),
        ("SYSCTL_ADVISOR_SINCE", time(event.first_seen)),
        ("SYSCTL_ADVISOR_SEEN", time(event.at)),
        ("SYSCTL_ADVISOR_KEY", of_first(|first| first.key.clone()).unwrap_or_default()),
        ("SYSCTL_ADVISOR_CURRENT", of_first(|first| first.current.clone()).unwrap_or_default()),
        ("SYSCTL_ADVISOR_PROPOSED", of_first(|first| first.proposed.to_string()).unwrap_or_default()),
        ("SYSCTL_ADVISOR_ADVICE", advice(finding)),
    ];
    Message { text, fields }
}

/// The kind's number for the line that each run leaves.
const RUN_ID: &str = "7d1b5d1e0e5b4c0c9a5b6f6e2f3a8c41";

/// How a run went, also where it has no news: what is open now, and how many events it told.
pub fn of_run(audit: &Audit<'_>, told: &[EventKind]) -> Message {
    let of = |severity| audit.open().filter(|finding| finding.severity == severity).count();
    let [critical, warning, notice] = [Severity::Critical, Severity::Warning, Severity::Notice].map(of);
    let counts = [(critical, "critical"), (warning, "warnings"), (notice, "notices")];
    let open = counts.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| match what {
        "critical" => format!("{number} critical"),
        what => units::quantity_of(number, what),
    });
    let open: Vec<String> = open.collect();
    let open = if open.is_empty() { "nothing is wrong".to_owned() } else { format!("{} open", open.join(", ")) };
    let number = |kind| told.iter().filter(|other| **other == kind).count();
    let news = [
        (number(EventKind::New), "new"),
        (number(EventKind::Worse), "worse"),
        (number(EventKind::Resolved), "resolved"),
    ];
    let news = news.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}"));
    let news: Vec<String> = news.collect();
    let news = if news.is_empty() { "nothing new".to_owned() } else { news.join(", ") };
    let text = format!("{open}, {news}");
    let fields = vec![
        ("MESSAGE", text.clone()),
        ("MESSAGE_ID", RUN_ID.to_owned()),
        ("PRIORITY", INFORMATION.to_string()),
        ("SYSLOG_IDENTIFIER", "sysctl-advisor".to_owned()),
        ("SYSCTL_ADVISOR_EVENT", "run".to_owned()),
        ("SYSCTL_ADVISOR_CRITICAL", critical.to_string()),
        ("SYSCTL_ADVISOR_WARNINGS", warning.to_string()),
        ("SYSCTL_ADVISOR_NOTICES", notice.to_string()),
    ];
    Message { text, fields }
}

/// What to do where no sysctl is proposed.
fn advice(finding: Option<&Finding>) -> String {
    let advice = finding.and_then(|finding| finding.advice.first());
    advice.map(|advice| format!("{}: {}", advice.who, advice.text)).unwrap_or_default()
}

/// What became of a change that the agent looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Applied,
    /// One of its guards found the host worse.
    RolledBack,
    /// Nobody confirmed it in time, and what was to roll it back has ended.
    Overdue,
    /// Whether it is permanent; else it stays until the next boot.
    Confirmed {
        permanent: bool,
    },
}

impl ChangeKind {
    pub const fn message_id(self) -> &'static str {
        match self {
            Self::Applied => "67969dcd3d844d17b6dea7599d09d0ce",
            Self::RolledBack => "ece3c02ce9544bf88b7e7afaf95dfe6e",
            Self::Overdue => "73909ff7e8444c668cb72d5583b2f794",
            Self::Confirmed { .. } => "dace65caff57457e866afdddf21f2e4d",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::RolledBack => "rolled_back",
            Self::Overdue => "overdue",
            Self::Confirmed { .. } => "confirmed",
        }
    }
}

/// The message for a change. `values`: `KEY FORMER -> NEW`, one each; `why`: a sentence's part, or empty.
pub fn of_change(kind: ChangeKind, id: u64, values: &[String], why: &str) -> Message {
    let (what, priority) = match kind {
        ChangeKind::Applied => ("is applied", NOTICE),
        ChangeKind::RolledBack => ("made something worse and was rolled back", WARNING),
        ChangeKind::Overdue => ("was not confirmed in time and was rolled back", WARNING),
        ChangeKind::Confirmed { permanent: true } => ("is permanent", NOTICE),
        ChangeKind::Confirmed { permanent: false } => ("is confirmed until the next boot", NOTICE),
    };
    let because = if why.is_empty() { String::new() } else { format!(" ({why})") };
    let text = one_line(&format!("change {id} {what}: {}{because}", values.join(", "))).into_owned();
    let fields = vec![
        ("MESSAGE", text.clone()),
        ("MESSAGE_ID", kind.message_id().to_owned()),
        ("PRIORITY", priority.to_string()),
        ("SYSLOG_IDENTIFIER", "sysctl-advisor".to_owned()),
        ("SYSCTL_ADVISOR_EVENT", kind.name().to_owned()),
        ("SYSCTL_ADVISOR_CHANGE", id.to_string()),
        ("SYSCTL_ADVISOR_VALUES", values.join("\n")),
        ("SYSCTL_ADVISOR_WHY", why.to_owned()),
    ];
    Message { text, fields }
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|at| at.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    const CATALOGUE: &str = include_str!("../../systemd/sysctl-advisor.catalog");

    fn event(kind: EventKind) -> Event {
        Event {
            id: 1,
            run: 1,
            at: 1_767_225_600,
            kind,
            fingerprint: "0123456789abcdef".to_owned(),
            rule: "close-wait-leak".to_owned(),
            severity: Severity::Warning,
            namespace: "host".to_owned(),
            subject: "evil\u{1b}[31m\nPRIORITY=0 (pid 12)".to_owned(),
            title: "320 sockets wait for close()".to_owned(),
            first_seen: 1_767_222_000,
        }
    }

    #[test]
    fn every_kind_of_message_is_in_the_catalogue() {
        let events = [
            EventKind::New,
            EventKind::Worse,
            EventKind::Resolved,
            EventKind::Flapping,
            EventKind::Waived,
            EventKind::Withdrawn,
        ];
        let changes = [
            ChangeKind::Applied,
            ChangeKind::RolledBack,
            ChangeKind::Overdue,
            ChangeKind::Confirmed { permanent: true },
        ];
        let changes = changes.map(ChangeKind::message_id).into_iter();
        let ids: Vec<_> = events.map(message_id).into_iter().chain(changes).chain([RUN_ID]).collect();
        let in_catalogue: Vec<_> = CATALOGUE.lines().filter_map(|line| line.strip_prefix("-- ")).collect();
        assert_eq!(in_catalogue, ids, "the same, in the same order");
    }

    #[test]
    fn whatever_the_catalogue_refers_to_is_a_field() {
        let mut known: Vec<_> = of_event(&event(EventKind::New), None).fields;
        known.extend(of_change(ChangeKind::Applied, 1, &[], "").fields);
        let snapshot = example::snapshot();
        known.extend(of_run(&example::audit(&snapshot), &[]).fields);
        for word in CATALOGUE.split('@').skip(1).step_by(2) {
            assert!(known.iter().any(|(name, _)| *name == word), "{word}");
        }
    }

    #[test]
    fn a_hostile_subject_is_one_line_for_people_and_whole_for_programs() {
        let snapshot = example::snapshot();
        let audit = example::audit(&snapshot);
        let finding = audit.findings.iter().find(|finding| !finding.recommendations.is_empty()).unwrap();
        let message = of_event(&event(EventKind::New), Some(finding));
        let expected = "new warning finding in host, evil\u{fffd}[31m PRIORITY=0 (pid 12): 320 sockets wait for close() \
                        (close-wait-leak)";
        assert_eq!(message.text, expected);
        let field = |name: &str| message.fields.iter().find(|(field, _)| *field == name).unwrap().1.clone();
        assert_eq!(field("SYSCTL_ADVISOR_SUBJECT"), event(EventKind::New).subject);
        assert_eq!(field("PRIORITY"), "4");
        assert_eq!(field("SYSCTL_ADVISOR_SINCE"), "2025-12-31T23:00:00Z");
        assert_eq!(field("SYSCTL_ADVISOR_KEY"), finding.recommendations[0].key);
        assert!(!message.text.contains('\n'));
    }

    #[test]
    fn a_run_says_in_a_line_what_is_open_and_what_is_new() {
        let snapshot = example::snapshot();
        let audit = example::audit(&snapshot);
        let text = |told: &[EventKind]| of_run(&audit, told).text;
        assert_eq!(text(&[]), "1 critical, 2 warnings, 1 notice open, nothing new");
        let told = [EventKind::New, EventKind::Resolved, EventKind::Resolved, EventKind::Waived];
        assert!(text(&told).ends_with(" open, 1 new, 2 resolved"), "{}", text(&told));
        let quiet = Audit { findings: Vec::new(), ..example::audit(&snapshot) };
        assert_eq!(of_run(&quiet, &[]).text, "nothing is wrong, nothing new");
    }

    #[test]
    fn a_change_names_its_values_and_the_reason() {
        let values = ["net.core.somaxconn 4096 -> 8192".to_owned()];
        let message = of_change(ChangeKind::RolledBack, 7, &values, "more overflows than before");
        let expected = "change 7 made something worse and was rolled back: net.core.somaxconn 4096 -> 8192 (more overflows than \
                        before)";
        assert_eq!(message.text, expected);
    }
}
