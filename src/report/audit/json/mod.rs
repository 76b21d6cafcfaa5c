//! The report for machines: `sysctl-advisor/report/1`.
//!
//! In: the sections of an audit. Out: JSON text, the same bytes for the same audit, and the JSON Schema of it.
//! Must not: serialise the program's own records; `view` has the structs of the contract, this file and `finding` fill them.

mod finding;
mod view;

pub(super) use finding::{finding, finding_on_a_line};
pub(super) use view::FindingView;
pub use view::SCHEMA;

use std::io;

use super::answers::{self, Established, Harm, TimeWait};
use super::derived::PortUse;
use super::format::{Content, Format};
use super::sections::{GapAt, Head, Open, Writer};
use crate::audit::model::{self as audit, Finding, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::metrics::endpoint;
use crate::metrics::roles::{ROLES, Roles, Verdict};
use crate::observe::gap::Gap;
use crate::observe::sockets::{SocketSource, StateCounts};
use crate::published;
use crate::report::as_json;
use crate::snapshot::{Namespace, WindowSource};
use view::{
    EstablishedView, GapView, HarmView, Host, NamespaceView, Report, RoleView, SampleView, Skipped, SourceView,
    Summary, Tcp, TimeWaitView, WaiverProblemView, Window, WindowSourceView,
};

const RULE: &str = "the text belongs to the rule, not to the finding: `explain RULE` prints it";
const REPLAY: &str = "the same snapshot gives the same bytes; `history --format json` has what earlier runs saw";

/// The JSON of one audit: the same bytes for the same audit.
pub const FORMAT: Format = Format {
    name: "json",
    help: "Machine-readable; docs/schema has the JSON Schema",
    cannot_carry: &[(Content::Explanation, RULE), (Content::Earlier, REPLAY)],
    write: |sections, _, output| sections.give_to(Report::default(), output),
};

/// The JSON Schema (draft 2020-12) of the report, as indented JSON with a newline at its end.
pub fn schema() -> String {
    published::of_output::<Report<'_>>(SCHEMA)
}

impl<'a> Writer<'a> for Report<'a> {
    fn head(&mut self, head: Head<'a>) {
        let Head { taken_at, written_by: _, system, window, run: _, summary } = head;
        self.schema = SCHEMA;
        self.generated_at = taken_at;
        self.host = Host {
            hostname: &system.hostname,
            kernel: &system.kernel,
            boot_id: system.boot_id.as_deref(),
            machine_id: system.machine_id.as_deref(),
            labels: Some(&system.labels).filter(|labels| !labels.is_empty()),
            cpus: system.cpus,
            memory_bytes: system.memory_bytes,
        };
        self.window = Window {
            seconds: window.seconds,
            source: match window.source {
                WindowSource::Sample => WindowSourceView::Sample,
                WindowSource::PreviousRun => WindowSourceView::PreviousRun,
                WindowSource::None => WindowSourceView::None,
            },
        };
        self.derived = summary.derived;
        self.summary = Summary {
            critical: summary.critical,
            warning: summary.warning,
            notice: summary.notice,
            waived: summary.waived,
            skipped: summary.skipped,
            rules: summary.rules,
        };
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        self.findings.extend(findings.into_iter().map(|open| finding(open.finding)));
    }

    fn waived(&mut self, waived: Vec<(&'a Finding, &'a Waiver)>) {
        self.findings.extend(waived.into_iter().map(|(found, _)| finding(found)));
    }

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        let derived = self.derived;
        let used = answers::ports_in_use(derived, namespaces);
        self.namespaces = namespaces.iter().map(|it| namespace(it, &derived.roles(it), &used)).collect();
    }

    fn skipped(&mut self, skipped: &'a [audit::Skipped]) {
        let skips = skipped.iter();
        self.skipped =
            skips.map(|audit::Skipped { rule, namespace, reason }| Skipped { rule, namespace, reason }).collect();
    }

    fn gaps(&mut self, gaps: Vec<GapAt<'a>>) {
        for GapAt { namespace, gap: Gap { what, why } } in gaps {
            let list = match namespace {
                None => Some(&mut self.gaps),
                Some((position, _)) => self.namespaces.get_mut(position).map(|namespace| &mut namespace.gaps),
            };
            list.into_iter().for_each(|list| list.push(GapView { what, why }));
        }
    }

    fn broken_rules(&mut self, messages: &'a [String]) {
        self.broken_rules = messages.iter().map(String::as_str).collect();
    }

    fn waiver_problems(&mut self, problems: &'a [WaiverProblem]) {
        self.waiver_problems = problems.iter().map(waiver_problem).collect();
    }

    fn resolved(&mut self, _episodes: Vec<&'a Episode>) {}

    fn finish(self, output: &mut dyn io::Write) -> io::Result<()> {
        as_json::pretty(&self, output)
    }
}

fn role_view(verdict: &Verdict) -> RoleView {
    let why = match verdict {
        Verdict::Yes(why) => Some(why.clone()),
        Verdict::No | Verdict::Unknown => None,
    };
    RoleView { holds: verdict.is_yes(), why }
}

fn established(established: &Established<'_>) -> EstablishedView {
    EstablishedView {
        active: established.active,
        idle: established.idle,
        silent: established.silent,
        silent_without_keepalive: established.silent_without_keepalive,
        most_silent_listener: established.most_silent.map(|(most, _)| endpoint(&most.address, most.port)),
        waiting_for_accept: established.waiting_for_accept,
        unacknowledged: established.unacknowledged,
        peer_does_not_read: established.peer_does_not_read,
        text: established.text(),
    }
}

fn time_wait(time_wait: &TimeWait<'_>) -> TimeWaitView {
    TimeWaitView {
        closed_per_second: time_wait.closed_per_second,
        incoming: time_wait.incoming,
        outgoing: time_wait.outgoing,
        elsewhere: time_wait.elsewhere,
        largest_destination: time_wait.largest.map(|largest| endpoint(&largest.address, largest.port)),
        kernel_memory_bytes: time_wait.kernel_memory_bytes,
        harm: match time_wait.harm {
            Harm::None => HarmView::None,
            Harm::NearLimit(_) => HarmView::NearLimit,
            Harm::Ports(_) => HarmView::Ports,
        },
        text: time_wait.text(),
    }
}

fn namespace<'a>(namespace: &'a Namespace, roles: &Roles, used: &[PortUse<'_>]) -> NamespaceView<'a> {
    NamespaceView {
        id: &namespace.id,
        name: &namespace.name,
        source: namespace.sockets.as_ref().map(|sockets| match sockets.source {
            SocketSource::SockDiag => SourceView::SockDiag,
            SocketSource::Procfs => SourceView::Procfs,
        }),
        tcp: namespace.states().map(tcp),
        sample: namespace.sockets.as_ref().and_then(|sockets| sockets.sample).map(|sample| SampleView {
            looked_at: sample.looked_at,
            of: sample.of,
            may_miss: sample.may_miss(),
        }),
        established: answers::established(namespace).as_ref().map(established),
        time_wait: answers::time_wait(namespace, used).as_ref().map(time_wait),
        roles: ROLES.into_iter().map(|role| (role.name, role_view(roles.verdict(role.name)))).collect(),
        gaps: Vec::new(),
    }
}

const fn tcp(states: &StateCounts) -> Tcp {
    Tcp {
        established: states.established,
        syn_sent: states.syn_sent,
        syn_recv: states.syn_recv,
        fin_wait1: states.fin_wait1,
        fin_wait2: states.fin_wait2,
        time_wait: states.time_wait,
        close: states.close,
        close_wait: states.close_wait,
        last_ack: states.last_ack,
        listen: states.listen,
        closing: states.closing,
    }
}

fn waiver_problem(problem: &WaiverProblem) -> WaiverProblemView<'_> {
    WaiverProblemView {
        code: problem.trouble.name(),
        rule: &problem.rule,
        file: &problem.file,
        line: problem.line,
        text: &problem.text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json as literal};

    use super::super::format::Look;
    use super::super::sections::Reported;
    use super::*;
    use crate::audit::model::Audit;
    use crate::report::example;

    fn json(audit: &Audit<'_>) -> String {
        FORMAT.text(Reported::of(audit), &Look::plain()).unwrap()
    }

    fn example_report() -> Json {
        let snapshot = example::snapshot();
        serde_json::from_str(&json(&example::audit(&snapshot))).unwrap()
    }

    fn names(object: &Json) -> Vec<&str> {
        object.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn the_published_schema_is_the_one_of_this_program() {
        let published = include_str!("../../../../docs/schema/report-1.json");
        assert!(
            schema() == published,
            "docs/schema/report-1.json is stale; if the change keeps to the contract, regenerate it with: \
             sysctl-advisor rules schema report > docs/schema/report-1.json"
        );
    }

    #[test]
    fn a_full_report_is_valid_and_a_damaged_one_is_refused() {
        let schema: Json = serde_json::from_str(&schema()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let report = example_report();
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());

        let damages: [(&str, Json); 16] = [
            ("/schema", literal!("sysctl-advisor/report/2")),
            ("/window/source", literal!("guess")),
            ("/host/cpus", literal!(-1)),
            ("/host/hostname", Json::Null),
            ("/namespaces/0/source", literal!("netstat")),
            ("/namespaces/0/tcp/TIME_WAIT", Json::Null),
            ("/findings/0/severity", literal!("fatal")),
            ("/findings/0/kind", literal!("gossip")),
            ("/findings/0/fingerprint", literal!("1")),
            ("/namespaces/0/time_wait/harm", literal!("terrible")),
            ("/findings/0/evidence/0/value", Json::Null),
            ("/findings/0/recommendations/0/risk", literal!("none")),
            ("/findings/0/waived", literal!({"reason": "x", "who": "y"})),
            ("/findings/4/waived/until", literal!("never")),
            ("/waiver_problems/0/code", literal!("waiver-lost")),
            ("/summary", literal!({"critical": 0})),
        ];
        for (place, wrong) in damages {
            let mut damaged = report.clone();
            *damaged.pointer_mut(place).unwrap() = wrong;
            assert!(!validator.is_valid(&damaged), "{place}");
        }
        for place in [
            "",
            "/host",
            "/namespaces/0",
            "/namespaces/0/tcp",
            "/findings/0",
            "/findings/0/avoid/0",
            "/findings/4/waived",
        ] {
            let mut damaged = report.clone();
            damaged.pointer_mut(place).unwrap()["surprise"] = literal!(1);
            assert!(!validator.is_valid(&damaged), "an unknown field in `{place}`");
        }
    }

    #[test]
    fn field_names_and_their_order_are_those_of_the_contract() {
        let report = example_report();
        let top = "schema generated_at host window namespaces findings skipped gaps broken_rules waiver_problems \
                   summary";
        assert_eq!(names(&report).join(" "), top);
        assert_eq!(names(&report["host"]).join(" "), "hostname kernel boot_id machine_id labels cpus memory_bytes");
        assert_eq!(names(&report["window"]).join(" "), "seconds source");
        assert_eq!(names(&report["namespaces"][0]).join(" "), "id name source tcp time_wait roles gaps");
        let harm = "closed_per_second incoming outgoing elsewhere largest_destination kernel_memory_bytes harm text";
        assert_eq!(names(&report["namespaces"][0]["time_wait"]).join(" "), harm);
        let states =
            "ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN CLOSING";
        assert_eq!(names(&report["namespaces"][0]["tcp"]).join(" "), states);
        let finding = &report["findings"][0];
        let fields = "rule severity kind namespace subject title hurts_now follows_from evidence recommendations advice avoid looks references \
                      fingerprint waived location";
        assert_eq!(names(finding).join(" "), fields);
        assert_eq!(names(&finding["evidence"][0]).join(" "), "label expression value unit");
        let change = "key current proposed bound risk takes_effect side_effects rehearsed blocked";
        assert_eq!(names(&finding["recommendations"][0]).join(" "), change);
        assert_eq!(names(&finding["advice"][0]).join(" "), "who text");
        assert_eq!(names(&finding["avoid"][0]).join(" "), "what why");
        assert_eq!(names(&report["findings"][2]["looks"][0]).join(" "), "command shows");
        assert_eq!(names(&report["findings"][4]["waived"]).join(" "), "reason who until");
        assert_eq!(names(&report["waiver_problems"][0]).join(" "), "code rule file line text");
        assert_eq!(names(&report["skipped"][0]).join(" "), "rule namespace reason");
        assert_eq!(names(&report["gaps"][0]).join(" "), "what why");
        assert_eq!(names(&report["summary"]).join(" "), "critical warning notice waived skipped rules");
    }

    #[test]
    fn values_keep_their_type_and_what_was_not_read_is_null() {
        let report = example_report();
        let values: Vec<&Json> =
            report["findings"][0]["evidence"].as_array().unwrap().iter().map(|e| &e["value"]).collect();
        assert_eq!(
            values,
            [&literal!(26_012), &literal!(0.9213), &literal!([32_768, 60_999]), &literal!(true), &literal!("NaN")]
        );
        assert_eq!(report["namespaces"][1]["tcp"], Json::Null);
        assert_eq!(report["namespaces"][1]["source"], Json::Null);
        assert_eq!(report["findings"][0]["recommendations"][0]["blocked"], Json::Null);
        assert_eq!(report["findings"][0]["waived"], Json::Null);
        assert_eq!(
            report["findings"][4]["waived"],
            literal!({"reason": "lab machine", "who": "maria", "until": "2027-01-31"})
        );
        assert!(report["findings"][1]["recommendations"][0]["blocked"].is_string());
        assert_eq!(
            report["summary"],
            literal!({"critical": 1, "warning": 2, "notice": 1, "waived": 1, "skipped": 3, "rules": 35})
        );
    }

    #[test]
    fn the_same_audit_gives_the_same_bytes() {
        let snapshot = example::snapshot();
        let audit = example::audit(&snapshot);
        let first = json(&audit);
        assert_eq!(first, json(&audit));
        assert!(first.ends_with("}\n"));
        let read: Json = serde_json::from_str(&first).unwrap();
        assert_eq!(serde_json::to_string_pretty(&read).unwrap() + "\n", first);
    }
}
