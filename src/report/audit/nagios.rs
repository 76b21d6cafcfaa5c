//! The report as a plugin of Nagios, Icinga and their relatives prints it.
//!
//! In: the sections of an audit. Out: a line with the state and performance data, then a line for each finding.
//! Must not: be longer than the 4 KiB that the server reads.

use super::format::Format;
use super::monitoring::{CANNOT_CARRY, Gathered, finding_line, state};
use super::states;
use crate::model::in_words;
use crate::report::check::{fill, numbers, plain, thresholds};
use crate::snapshot::Namespace;

/// Bytes of performance data. Namespaces for which there is no room are counted only.
const PERFORMANCE: usize = 2000;
/// Characters of a namespace's name in a label.
const NAME: usize = 40;

pub(super) const FORMAT: Format = Format {
    name: "nagios",
    help: "A check of Nagios; its exit codes are 0, 1, 2, 3",
    cannot_carry: CANNOT_CARRY,
    write: |sections, _, output| sections.give_to(Gathered::for_text(check), output),
};

fn check(gathered: &Gathered<'_>) -> String {
    let state = state(&gathered.summary, gathered.namespaces).word();
    let (line, performance) = (gathered.in_a_line(), performance(gathered));
    let mut text = format!("SYSCTL {state} - {line} | {performance}\n{}\n", gathered.observed);
    let findings: Vec<String> = gathered.findings.iter().map(|finding| finding_line(finding)).collect();
    fill(&mut text, &findings, "audit");
    text
}

/// `'label'=value;warning;critical;minimum;maximum`, one space apart.
fn performance(gathered: &Gathered<'_>) -> String {
    let (critical, warning) = (gathered.summary.critical, gathered.summary.warning);
    let mut text = format!("{} 'window'={}s;;;0;", thresholds(critical, warning), gathered.window);
    text.push_str(&numbers(&gathered.counted()));
    for namespace in gathered.namespaces {
        let of_it = sockets(namespace);
        if text.len() + of_it.len() > PERFORMANCE {
            break;
        }
        text.push_str(&of_it);
    }
    text
}

fn sockets(namespace: &Namespace) -> String {
    // What would end a label, or be taken for its value.
    let name = plain(in_words(&namespace.name), NAME).replace(['\'', '='], "_");
    let states = namespace.sockets.iter().flat_map(|seen| states::in_order(&seen.states));
    states.map(|(state, number)| format!(" '{name} {state}'={number};;;0;")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::format::Look;
    use super::super::sections::Reported;
    use super::*;
    use crate::audit::model::Finding;
    use crate::report::example;

    #[test]
    fn the_text_reads_so() {
        let snapshot = example::snapshot();
        let text = FORMAT.text(Reported::of(&example::audit(&snapshot)), &Look::plain()).unwrap();
        insta::assert_snapshot!(text, @"
        SYSCTL CRITICAL - 1 rule file could not be loaded, 1 critical, 2 warnings, 1 notice, 3 checks skipped: 10.0.0.5:5432 takes 92 % of the ephemeral ports | 'critical'=1;;0;0; 'warning'=2;0;;0; 'window'=2s;;;0; 'notice'=1;;;0; 'waived'=1;;;0; 'changes possible'=1;;;0; 'changes not possible'=1;;;0; 'checks skipped'=3;;;0; 'gaps'=2;;;0; 'rules'=35;;;0; 'rules broken'=1;;;0; 'waiver problems'=1;;;0; 'namespaces'=2;;;0; 'host LISTEN'=12;;;0; 'host SYN_SENT'=0;;;0; 'host SYN_RECV'=1;;;0; 'host ESTABLISHED'=1203;;;0; 'host FIN_WAIT1'=0;;;0; 'host FIN_WAIT2'=0;;;0; 'host CLOSING'=0;;;0; 'host TIME_WAIT'=25300;;;0; 'host CLOSE_WAIT'=320;;;0; 'host LAST_ACK'=0;;;0; 'host CLOSE'=0;;;0;
        observed at 2026-01-01T00:00:00Z, counters over 2 s
        CRITICAL 10.0.0.5:5432 takes 92 % of the ephemeral ports (ephemeral-ports, capacity, host, 10.0.0.1 -> 10.0.0.5:5432)
        WARNING The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 overflowed and connections were lost (accept-queue-overflow, capacity, blue, [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -> [2001:db8:1111:2222:3333:4444:5555:6666]:65535)
        WARNING evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLOSE_WAIT (close-wait-leak, application, host, evil�]0;owned��[31m �2J�name (pid 12))
        NOTICE TCP timestamps are off (timestamps-off, hygiene, host)
        ");
    }

    #[test]
    fn a_host_with_thousands_of_findings_and_namespaces_stays_below_4_kib() {
        let mut snapshot = example::snapshot();
        for number in 0..1000 {
            let id = format!("net:[{number}]");
            let mut namespace = example::namespace(&id, &format!("{number}{}", "ä'=|".repeat(50)), false);
            namespace.sockets = Some(example::sockets());
            snapshot.namespaces.push(namespace);
        }
        let mut audit = example::audit(&snapshot);
        audit.findings = (0..1000).map(|_| Finding { title: "ü|".repeat(500), ..example::bare() }).collect();
        let text = FORMAT.text(Reported::of(&audit), &Look::plain()).unwrap();
        assert!((2000..4096).contains(&text.len()), "{}", text.len());
        assert_eq!(text.matches('|').count(), 1);
        assert!(text.contains("'namespaces'=1002;") && text.contains(" more; run: "), "{text}");
    }
}
