//! The handshake and the close as pictures: the states, the timers, the keys that govern them, and this host's numbers.
//!
//! In: a snapshot, if there is one. Out: lines whose spaces matter. Must not: explain what a state means (see
//! [`super::state`]).

use crate::observe::sockets::StateCounts;
use crate::report::explain::sections::key_value;
use crate::report::page::Page;
use crate::report::theme::Theme;
use crate::snapshot::Snapshot;
use crate::units;

/// Names of the pictures.
pub const NAMES: [&str; 2] = ["handshake", "close"];

/// The two sides of a line. `{STATE}` is how many sockets are in it, `{key}` the last part of its name and its value.
type Lines = [(&'static str, &'static str)];

/// Where the other side begins.
const OTHER: usize = 40;

const HANDSHAKE: &Lines = &[
    ("client", "server"),
    ("", "LISTEN {LISTEN}"),
    ("connect()", "|"),
    ("|  ---------------- SYN ------------>", "|"),
    ("SYN_SENT {SYN_SENT}", "SYN_RECV {SYN_RECV}"),
    ("|  SYN again after 1, 3, 7, 15 s ...", "|  SYN+ACK again after 1, 3, 7 s ..."),
    ("|  {net.ipv4.tcp_syn_retries}", "|  {net.ipv4.tcp_synack_retries}"),
    ("|", "|  as many as {net.ipv4.tcp_max_syn_backlog}"),
    ("|", "|  allows, then {net.ipv4.tcp_syncookies}"),
    ("|  <------------- SYN+ACK ------------", "|"),
    ("ESTABLISHED", "|"),
    ("|  ---------------- ACK ------------>", "|"),
    ("|", "ESTABLISHED {ESTABLISHED}"),
    ("|", "|  waits in a queue for accept():"),
    ("|", "|  room: backlog of listen(), at most"),
    ("|", "|  {net.core.somaxconn}"),
];

const CLOSE: &Lines = &[
    ("who closes first", "the other side"),
    ("ESTABLISHED", "ESTABLISHED {ESTABLISHED}"),
    ("close()", "|"),
    ("|  ---------------- FIN ------------>", "|"),
    ("FIN_WAIT1 {FIN_WAIT1}", "CLOSE_WAIT {CLOSE_WAIT}"),
    ("|  FIN again, of a closed socket:", "|  until the program calls close():"),
    ("|  {net.ipv4.tcp_orphan_retries}", "|  no timer, and no sysctl"),
    ("|  <--------------- ACK --------------", "|"),
    ("FIN_WAIT2 {FIN_WAIT2}", "|"),
    ("|  after close(), for seconds:", "|"),
    ("|  {net.ipv4.tcp_fin_timeout}", "|"),
    ("|  after shutdown(): no timer", "close()"),
    ("|  <--------------- FIN --------------", "|"),
    ("TIME_WAIT {TIME_WAIT}", "LAST_ACK {LAST_ACK}"),
    ("|  ---------------- ACK ------------>", "|"),
    ("|  60 s, a constant in the kernel", "CLOSED"),
    ("|  {net.ipv4.tcp_max_tw_buckets}", ""),
    ("CLOSED", ""),
    ("", ""),
    ("Both at once: FIN_WAIT2 is CLOSING {CLOSING}", ""),
];

/// The picture of this name.
pub fn page(name: &str, snapshot: Option<&Snapshot>, theme: &Theme) -> Option<String> {
    let (heading, template) = match name.to_lowercase().as_str() {
        "handshake" => ("How a connection begins", HANDSHAKE),
        "close" => ("How a connection ends", CLOSE),
        _ => return None,
    };
    let mut page = Page::new(theme);
    page.paragraph(0, theme.heading, heading);
    page.blank();
    for (one, other) in template {
        let (one, other) = (filled(one, snapshot), filled(other, snapshot));
        let line = format!("{one:<OTHER$}{other}");
        match line.trim_end() {
            "" => page.blank(),
            line => page.preformatted(1, line),
        }
    }
    page.blank();
    let numbers = if snapshot.is_some() { "(12): so many sockets of this host. " } else { "" };
    let more =
        "`explain TIME_WAIT` and the like explain a state, `lab run tcp-states` shows all of them with real sockets.";
    page.paragraph(0, theme.dim, &format!("{numbers}{more}"));
    Some(page.finish())
}

/// A text with the numbers of the host in it.
fn filled(text: &str, snapshot: Option<&Snapshot>) -> String {
    let Some((before, (name, after))) = text.split_once('{').and_then(|(a, b)| Some((a, b.split_once('}')?))) else {
        return text.to_owned();
    };
    let shown = match name.rsplit_once('.') {
        Some((_, short)) => {
            [Some(short.to_owned()), value(name, snapshot)].into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        None => value(name, snapshot).unwrap_or_default(),
    };
    format!("{before}{shown}{after}").trim_end().to_owned()
}

fn value(name: &str, snapshot: Option<&Snapshot>) -> Option<String> {
    let snapshot = snapshot?;
    if name.contains('.') {
        return key_value(snapshot, name);
    }
    let sockets = snapshot.namespaces.iter().filter_map(|namespace| namespace.sockets.as_ref());
    let total = sockets.map(|sockets| count(name, &sockets.states)).sum();
    Some(format!("({})", units::count_u64(total)))
}

fn count(name: &str, states: &StateCounts) -> u64 {
    let all = crate::report::audit::states_in_order(states);
    all.into_iter().find(|(state, _)| *state == name).map_or(0, |(_, number)| number)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::example;

    #[test]
    fn the_handshake_has_this_host_s_numbers_beside_states_and_keys() {
        let mut snapshot = example::snapshot();
        snapshot.namespaces.truncate(1);
        assert_snapshot!(page("handshake", Some(&snapshot), &Theme::plain()).unwrap(), @r"
        How a connection begins

         client                                  server
                                                 LISTEN (12)
         connect()                               |
         |  ---------------- SYN ------------>   |
         SYN_SENT (0)                            SYN_RECV (1)
         |  SYN again after 1, 3, 7, 15 s ...    |  SYN+ACK again after 1, 3, 7 s ...
         |  tcp_syn_retries                      |  tcp_synack_retries
         |                                       |  as many as tcp_max_syn_backlog
         |                                       |  allows, then tcp_syncookies
         |  <------------- SYN+ACK ------------  |
         ESTABLISHED                             |
         |  ---------------- ACK ------------>   |
         |                                       ESTABLISHED (1,203)
         |                                       |  waits in a queue for accept():
         |                                       |  room: backlog of listen(), at most
         |                                       |  somaxconn

        (12): so many sockets of this host. `explain TIME_WAIT` and the like explain a
        state, `lab run tcp-states` shows all of them with real sockets.
        ");
    }

    #[test]
    fn the_close_without_a_host_shows_what_holds_everywhere() {
        assert_snapshot!(page("Close", None, &Theme::plain()).unwrap(), @r"
        How a connection ends

         who closes first                        the other side
         ESTABLISHED                             ESTABLISHED
         close()                                 |
         |  ---------------- FIN ------------>   |
         FIN_WAIT1                               CLOSE_WAIT
         |  FIN again, of a closed socket:       |  until the program calls close():
         |  tcp_orphan_retries                   |  no timer, and no sysctl
         |  <--------------- ACK --------------  |
         FIN_WAIT2                               |
         |  after close(), for seconds:          |
         |  tcp_fin_timeout                      |
         |  after shutdown(): no timer           close()
         |  <--------------- FIN --------------  |
         TIME_WAIT                               LAST_ACK
         |  ---------------- ACK ------------>   |
         |  60 s, a constant in the kernel       CLOSED
         |  tcp_max_tw_buckets
         CLOSED

         Both at once: FIN_WAIT2 is CLOSING

        `explain TIME_WAIT` and the like explain a state, `lab run tcp-states` shows all
        of them with real sockets.
        ");
    }

    #[test]
    fn each_picture_fits_into_80_columns() {
        for name in NAMES {
            let text = page(name, Some(&example::snapshot()), &Theme::plain()).unwrap();
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
        assert_eq!(page("open", None, &Theme::plain()), None);
    }
}
