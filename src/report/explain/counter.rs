//! A kernel counter explained, with this host's value.

use crate::reference::counters::{CounterDoc, CounterKind, CounterScope};
use crate::report::explain::sections::{Explanation, counter_value, here, key_value};
use crate::report::theme::Theme;
use crate::snapshot::Snapshot;

/// The text for `explain ListenOverflows`. With a snapshot it says where the counter stands, and how much it grew
/// when there were two readings.
pub fn counter(doc: &CounterDoc, snapshot: Option<&Snapshot>, theme: Theme) -> String {
    let mut page = Explanation::new(theme, &doc.name);
    page.paragraph(&doc.counts);
    if let Some(snapshot) = snapshot {
        page.blank();
        let values = here(snapshot, |namespace| counter_value(snapshot, namespace, &doc.name));
        if values.is_empty() {
            page.paragraph("This kernel does not have this counter, or it could not be read.");
        }
        for value in values {
            page.paragraph(&format!("Here: {value}."));
        }
    }
    page.section("Kind", &kind(doc));
    page.section("Normal", &doc.normal);
    page.section("How it is misread", &doc.trap);
    if !doc.see.keys.is_empty() {
        page.heading("Keys");
        for key in &doc.see.keys {
            let value = snapshot.and_then(|snapshot| key_value(snapshot, key)).unwrap_or_default();
            page.item(key, &value, "");
        }
    }
    page.section("States", &doc.see.states.join(", "));
    if !doc.see.counters.is_empty() {
        page.heading("Read it together with");
        for other in &doc.see.counters {
            let values = snapshot
                .map(|snapshot| here(snapshot, |namespace| counter_value(snapshot, namespace, other)))
                .unwrap_or_default();
            page.item(other, "", &values.join("; "));
        }
    }
    page.section("In a rule", &in_a_rule(doc));
    page.sources(doc.source.iter().map(String::as_str));
    page.finish()
}

fn kind(doc: &CounterDoc) -> String {
    let (what, reading) = match doc.kind {
        CounterKind::Counter => ("A counter", "Only its growth over a window has a meaning."),
        CounterKind::Gauge => ("A current value", "Its growth has no meaning."),
    };
    let scope = match doc.scope {
        CounterScope::Namespace => "Each network namespace has its own.",
        CounterScope::Host => "One for the whole host, the same in every network namespace.",
    };
    format!("{what} of {}. {scope} {reading}", doc.unit)
}

fn in_a_rule(doc: &CounterDoc) -> String {
    match doc.kind {
        CounterKind::Counter => format!("delta.{0}, rate.{0}, total.{0}", doc.name),
        CounterKind::Gauge => format!("total.{}", doc.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::counters;
    use crate::report::explain::fixture::snapshot;

    fn text(name: &str, snapshot: &Snapshot) -> String {
        counter(counters::doc(name).unwrap(), Some(snapshot), Theme::plain())
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for doc in counters::iter() {
            for line in counter(doc, Some(&snapshot()), Theme::plain()).lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }

    #[test]
    fn with_one_reading_no_growth_is_claimed() {
        let mut snapshot = snapshot();
        snapshot.namespaces[0].counters_before = None;
        assert!(text("ListenOverflows", &snapshot).contains("Here: 4,021 since boot.\n"));
    }

    #[test]
    fn a_gauge_has_a_present_value_and_no_growth() {
        assert!(text("sockstat_TCP.tw", &snapshot()).contains("Here: 1,250 now.\n"));
    }

    #[test]
    fn a_counter_that_this_kernel_lacks_is_said_to_be_missing() {
        let mut snapshot = snapshot();
        snapshot.namespaces[0].counters.clear();
        assert!(
            text("ListenOverflows", &snapshot)
                .contains("This kernel does not have this counter, or it could not be read.")
        );
    }

    #[test]
    fn listen_overflows_reads_so() {
        insta::assert_snapshot!(text("ListenOverflows", &snapshot()), @r"
        TcpExt.ListenOverflows
        A SYN, or the ACK that ends a handshake, was dropped because the listener's
        accept queue was full (queue > backlog, so backlog + 1 connections wait).

        Here: 4,021 since boot, 12 of them in the last 10 s.

        Kind
          A counter of segments. Each network namespace has its own. Only its growth
          over a window has a meaning.

        Normal
          0 in the window. A single burst when a service starts or restarts is harmless.
          Growth in two windows in a row is a problem.

        How it is misread
          It counts segments, not clients: every retransmitted SYN, and every ACK or
          data segment that a half-open client sends again, counts again. Measured: 8
          waiting clients caused 16, and 16 more three seconds later. It does not say
          which listener it was: read the queue of each listener, in its own network
          namespace. A higher net.core.somaxconn has no effect until the service calls
          listen() again with a larger backlog. It does not help if accept() is too
          slow.

        Keys
          net.core.somaxconn = 4096
          net.ipv4.tcp_abort_on_overflow

        States
          LISTEN, SYN_RECV

        Read it together with
          TcpExt.ListenDrops
              4,021 since boot, 12 of them in the last 10 s
          TcpExt.TCPReqQFullDoCookies

        In a rule
          delta.TcpExt.ListenOverflows, rate.TcpExt.ListenOverflows,
          total.TcpExt.ListenOverflows

        Sources
          net/ipv4/tcp_input.c: tcp_conn_request
          net/ipv4/tcp_ipv4.c: tcp_v4_syn_recv_sock
          Documentation/networking/snmp_counter.rst
          measured on Linux 6.18
        ");
    }
}
