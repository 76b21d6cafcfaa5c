//! A TCP state explained, with this host's numbers.

use crate::observe::sockets::StateCounts;
use crate::reference::states::StateDoc;
use crate::report::explain::sections::{Explanation, counter_value, here, key_value};
use crate::report::theme::Theme;
use crate::snapshot::Snapshot;
use crate::units;

/// The text for `explain TIME_WAIT`. With a snapshot it says how many there are, what the keys are set to, and where
/// the counters stand.
pub fn state(doc: &StateDoc, snapshot: Option<&Snapshot>, theme: Theme) -> String {
    let mut page = Explanation::new(theme, &doc.name);
    page.paragraph(&doc.summary);
    if let Some(snapshot) = snapshot {
        page.blank();
        present(&mut page, doc, snapshot);
    }
    page.section("On the wire", &doc.wire);
    page.section("Which side has it", &doc.side);
    page.section("How long it lasts", &doc.lasts);
    page.section("Timers", &doc.timers);
    page.section("What one costs", &doc.cost);
    page.section("What many mean", &doc.many);
    page.section("What to do", &doc.remedy);
    let value = |key: &str| snapshot.and_then(|snapshot| key_value(snapshot, key)).unwrap_or_default();
    if doc.touched_by.is_empty() {
        page.section("Keys that affect it", "None.");
    } else {
        page.heading("Keys that affect it");
        for touch in &doc.touched_by {
            page.item(&touch.key, &value(&touch.key), &touch.how);
        }
    }
    page.heading("Keys that do not affect it, but are often changed for it");
    for other in &doc.not_touched_by {
        page.item(&other.key, &value(&other.key), &other.why);
    }
    page.heading("Counters");
    for counter in &doc.counters {
        let values = snapshot
            .map(|snapshot| here(snapshot, |namespace| counter_value(snapshot, namespace, counter)))
            .unwrap_or_default();
        page.item(counter, "", &values.join("; "));
    }
    page.sources(doc.source.iter().map(String::as_str));
    page.finish()
}

/// `This host has 1,203 now.`, or a line for each namespace.
fn present(page: &mut Explanation, doc: &StateDoc, snapshot: &Snapshot) {
    let numbers = here(snapshot, |namespace| {
        let sockets = namespace.sockets.as_ref()?;
        let number = units::count_u64(count(&doc.name, &sockets.states)?);
        Some(if doc.name == "FIN_WAIT2" {
            let closed = units::count_u64(sockets.fin_wait2_orphans);
            let held = units::count_u64(sockets.fin_wait2_held);
            format!("{number} now: the application has closed {closed} and still has {held} open")
        } else {
            format!("{number} now")
        })
    });
    match numbers.as_slice() {
        [] => page.paragraph("The number on this host could not be read."),
        [only] if snapshot.namespaces.len() == 1 => page.paragraph(&format!("This host has {only}.")),
        several => {
            page.paragraph("This host has, by network namespace:");
            for number in several {
                page.line(&format!("  {number}"));
            }
        }
    }
}

/// How many sockets are in the state of this name; `None` for a name that is no state's.
fn count(name: &str, states: &StateCounts) -> Option<u64> {
    Some(match name {
        "ESTABLISHED" => states.established,
        "SYN_SENT" => states.syn_sent,
        "SYN_RECV" => states.syn_recv,
        "FIN_WAIT1" => states.fin_wait1,
        "FIN_WAIT2" => states.fin_wait2,
        "TIME_WAIT" => states.time_wait,
        "CLOSE" => states.close,
        "CLOSE_WAIT" => states.close_wait,
        "LAST_ACK" => states.last_ack,
        "LISTEN" => states.listen,
        "CLOSING" => states.closing,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::states;
    use crate::report::explain::fixture::snapshot;
    use crate::report::theme::Theme;

    #[test]
    fn every_documented_state_can_be_counted() {
        for doc in states::iter() {
            assert!(count(&doc.name, &StateCounts::default()).is_some(), "{}", doc.name);
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let snapshot = snapshot();
        for doc in states::iter() {
            for line in state(doc, Some(&snapshot), Theme::plain()).lines() {
                let is_one_word = line.split_whitespace().count() == 1;
                assert!(line.chars().count() <= 80 || is_one_word, "{line}");
            }
        }
    }

    #[test]
    fn without_a_snapshot_nothing_is_said_of_this_host() {
        let text = state(states::doc("TIME_WAIT").unwrap(), None, Theme::plain());
        assert!(!text.contains("This host has"));
        assert!(text.contains("  net.ipv4.tcp_tw_reuse\n"));
    }

    #[test]
    fn sockets_that_were_not_read_are_said_to_be_unread() {
        let mut snapshot = snapshot();
        snapshot.namespaces[0].sockets = None;
        let text = state(states::doc("TIME_WAIT").unwrap(), Some(&snapshot), Theme::plain());
        assert!(text.contains("The number on this host could not be read."), "{text}");
    }

    #[test]
    fn several_namespaces_are_told_apart() {
        let mut snapshot = snapshot();
        let mut other = snapshot.namespaces[0].clone();
        other.name = "blue".into();
        other.initial = false;
        other.sysctls.insert("net.ipv4.tcp_tw_reuse".to_owned(), "1".to_owned());
        snapshot.namespaces.push(other);
        let text = state(states::doc("TIME_WAIT").unwrap(), Some(&snapshot), Theme::plain());
        assert!(text.contains("  blue: 1,203 now\n"), "{text}");
        assert!(text.contains("net.ipv4.tcp_tw_reuse = 2 (host), 1 (blue)"), "{text}");
    }

    #[test]
    fn the_coloured_text_says_the_same() {
        let doc = states::doc("TIME_WAIT").unwrap();
        let coloured = state(doc, None, Theme::coloured());
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), state(doc, None, Theme::plain()));
    }

    #[test]
    fn time_wait_reads_so() {
        let text = state(states::doc("TIME_WAIT").unwrap(), Some(&snapshot()), Theme::plain());
        insta::assert_snapshot!(text, @r"
        TIME_WAIT
        Both sides have closed; this side remembers the connection for 60 s.

        This host has 1,203 now.

        On the wire
          Both FINs are acknowledged, but this side does not know whether its last ACK
          arrived. With this state it can acknowledge a retransmitted FIN again, and it
          keeps late segments of the old connection out of a new one with the same
          addresses and ports.

        Which side has it
          The side that closed first, client or server; both if they closed at the same
          time.

        How long it lasts
          60 s, a constant in the kernel (TCP_TIMEWAIT_LEN); tcp_fin_timeout has no
          effect. A retransmitted FIN or a late segment starts the 60 s again. A RST, or
          a new connection that replaces it, ends it early.

        Timers
          One timer of 60 s.

        What one costs
          About 256 bytes and a hash entry: 100,000 of them are 25 to 40 MiB. No file
          descriptor, no buffers, no CPU time. For a client also the local port toward
          that one destination.

        What many mean
          A large number alone is not a problem: it is 60 times the rate of connections
          that this side closes first. It is a problem only in three cases: outgoing
          connections to one destination use up the local ports; the number (with
          FIN_WAIT2 without an owner) reaches tcp_max_tw_buckets; or a service without
          SO_REUSEADDR cannot bind its port again after a restart.

        What to do
          If ports are used up: connection pools and keep-alive, more destination or
          source addresses, a wider ip_local_port_range, then tcp_tw_reuse = 1 with TCP
          timestamps on both sides. If the limit is reached: raise tcp_max_tw_buckets.
          If the local port is the listening port of a server, nothing is necessary: a
          new SYN of the same client replaces the entry.

        Keys that affect it
          net.ipv4.tcp_tw_reuse = 2
              lets connect() reuse the port of an entry older than one second; only for
              outgoing connections with TCP timestamps; 2, the default, is for loopback
              only
          net.ipv4.tcp_tw_reuse_delay
              the age at which an entry can be reused, if the kernel has the key
          net.ipv4.tcp_timestamps
              without them tcp_tw_reuse has no effect
          net.ipv4.tcp_max_tw_buckets
              above it connections skip this state and lose its protection; never lower
              it
          net.ipv4.ip_local_port_range = 32768 60999
              limits how many sockets can exist toward one destination before connect()
              fails
          net.ipv4.tcp_rfc1337
              with 1 the kernel ignores a RST for an entry

        Keys that do not affect it, but are often changed for it
          net.ipv4.tcp_fin_timeout = 30
              it is the lifetime of FIN_WAIT2 without an owner; measured with 5, 60 and
              120: TIME_WAIT lasted 60 s
          net.ipv4.tcp_max_orphans
              these are not orphans
          net.core.somaxconn = 4096
              it affects connections that are being opened
          net.ipv4.tcp_keepalive_time
              the connection has ended, so there are no probes

        Counters
          TcpExt.TCPTimeWaitOverflow
              0 since boot
          sockstat_TCP.tw
              1,250 now
          TcpExt.TW
              99,700 since boot, 700 of them in the last 10 s
          TcpExt.TWRecycled

        Sources
          RFC 9293
          include/net/tcp.h: TCP_TIMEWAIT_LEN
          net/ipv4/tcp_minisocks.c: tcp_time_wait, tcp_timewait_state_process
          net/ipv4/tcp_ipv4.c: tcp_twsk_unique
          measured on Linux 6.18
          https://vincent.bernat.ch/en/blog/2014-tcp-time-wait-state-linux
        ");
    }
}
