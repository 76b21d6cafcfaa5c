//! The report as a local check of Checkmk: one line for each service.
//!
//! In: the sections of an audit. Out: a service for the whole and one for each kind of finding, always the same ones, for
//! the server finds services once.
//! Must not: name a service or a metric after anything of the host.

use super::format::Format;
use super::monitoring::{CANNOT_CARRY, Gathered, finding_line, in_numbers, state};
use super::sections::Summary;
use super::states;
use crate::audit::model::Finding;
use crate::model::{Kind, Severity, in_words};
use crate::report::check::{Service, plain};
use crate::snapshot::Namespace;

/// Characters of a namespace's name.
const NAME: usize = 40;
const KINDS: [Kind; 6] =
    [Kind::Capacity, Kind::Performance, Kind::Correctness, Kind::Security, Kind::Application, Kind::Hygiene];

pub(super) const FORMAT: Format = Format {
    name: "checkmk",
    help: "Local checks of Checkmk: the host, and each kind of finding",
    cannot_carry: CANNOT_CARRY,
    write: |sections, _, output| sections.give_to(Gathered::for_text(services), output),
};

fn services(gathered: &Gathered<'_>) -> String {
    let of_kinds: String = KINDS.into_iter().map(|kind| of_kind(gathered, kind)).collect();
    whole(gathered) + &of_kinds
}

fn whole(gathered: &Gathered<'_>) -> String {
    let Gathered { summary, namespaces, .. } = gathered;
    let found = [("critical", summary.critical), ("warning", summary.warning)];
    let counted = found.into_iter().chain(gathered.counted());
    let mut metrics: Vec<String> =
        counted.map(|(name, number)| format!("{}={number}", name.replace(' ', "_"))).collect();
    metrics.push(format!("window_seconds={}", gathered.window));
    let seen = namespaces.iter().filter_map(|namespace| namespace.sockets.as_ref());
    let sums = seen.map(|seen| states::in_order(&seen.states)).reduce(|mut sums, more| {
        sums.iter_mut().zip(more).for_each(|(sum, (_, number))| sum.1 = sum.1.saturating_add(number));
        sums
    });
    metrics.extend(sums.iter().flatten().map(|(state, number)| format!("sockets_{state}={number}")));
    let details: Vec<String> =
        std::iter::once(gathered.observed.clone()).chain(namespaces.iter().map(sockets)).collect();
    let state = state(summary, namespaces);
    Service { state, name: "Sysctl advisor", metrics: &metrics, summary: &gathered.in_a_line(), details: &details }
        .line()
}

fn of_kind(gathered: &Gathered<'_>, kind: Kind) -> String {
    let findings: Vec<&Finding> = gathered.findings.iter().filter(|finding| finding.kind == kind).copied().collect();
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let summary = Summary {
        critical: count(Severity::Critical),
        warning: count(Severity::Warning),
        notice: count(Severity::Notice),
        skipped: 0,
        ..gathered.summary.clone()
    };
    let counted = [("critical", summary.critical), ("warning", summary.warning), ("notice", summary.notice)];
    let metrics = counted.map(|(name, number)| format!("{name}={number}"));
    let details: Vec<String> = findings.iter().map(|finding| finding_line(finding)).collect();
    let name = &format!("Sysctl advisor {}", kind.name());
    let state = state(&summary, gathered.namespaces);
    let summary = &in_numbers(&summary, gathered.namespaces);
    Service { state, name, metrics: &metrics, summary, details: &details }.line()
}

fn sockets(namespace: &Namespace) -> String {
    let states = match &namespace.sockets {
        None => "could not be read".to_owned(),
        Some(seen) => states::listed(&seen.states, |number| number.to_string()),
    };
    format!("sockets of {}: {states}", plain(in_words(&namespace.name), NAME))
}

#[cfg(test)]
mod tests {
    use super::super::format::Look;
    use super::super::sections::Reported;
    use super::*;
    use crate::report::example;

    #[test]
    fn the_text_reads_so() {
        let snapshot = example::snapshot();
        let text = FORMAT.text(Reported::of(&example::audit(&snapshot)), &Look::plain()).unwrap();
        insta::assert_snapshot!(text, @r#"
        2 "Sysctl advisor" critical=1|warning=2|notice=1|waived=1|changes_possible=1|changes_not_possible=1|checks_skipped=3|gaps=2|rules=35|rules_broken=1|waiver_problems=1|namespaces=2|window_seconds=2|sockets_LISTEN=12|sockets_SYN_SENT=0|sockets_SYN_RECV=1|sockets_ESTABLISHED=1203|sockets_FIN_WAIT1=0|sockets_FIN_WAIT2=0|sockets_CLOSING=0|sockets_TIME_WAIT=25300|sockets_CLOSE_WAIT=320|sockets_LAST_ACK=0|sockets_CLOSE=0 1 rule file could not be loaded, 1 critical, 2 warnings, 1 notice, 3 checks skipped: 10.0.0.5:5432 takes 92 % of the ephemeral ports\nobserved at 2026-01-01T00:00:00Z, counters over 2 s\nsockets of host: LISTEN 12, SYN_RECV 1, ESTABLISHED 1203, TIME_WAIT 25300, CLOSE_WAIT 320\nsockets of blue: could not be read
        2 "Sysctl advisor capacity" critical=1|warning=1|notice=0 1 rule file could not be loaded, 1 critical, 1 warning\nCRITICAL 10.0.0.5:5432 takes 92 % of the ephemeral ports (ephemeral-ports, capacity, host, 10.0.0.1 -> 10.0.0.5:5432)\nWARNING The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 overflowed and connections were lost (accept-queue-overflow, capacity, blue, [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -> [2001:db8:1111:2222:3333:4444:5555:6666]:65535)
        3 "Sysctl advisor performance" critical=0|warning=0|notice=0 1 rule file could not be loaded, no findings
        3 "Sysctl advisor correctness" critical=0|warning=0|notice=0 1 rule file could not be loaded, no findings
        3 "Sysctl advisor security" critical=0|warning=0|notice=0 1 rule file could not be loaded, no findings
        3 "Sysctl advisor application" critical=0|warning=1|notice=0 1 rule file could not be loaded, 1 warning\nWARNING evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLOSE_WAIT (close-wait-leak, application, host, evil�]0;owned��[31m �2J�name (pid 12))
        3 "Sysctl advisor hygiene" critical=0|warning=0|notice=1 1 rule file could not be loaded, 1 notice\nNOTICE TCP timestamps are off (timestamps-off, hygiene, host)
        "#);
    }
}
