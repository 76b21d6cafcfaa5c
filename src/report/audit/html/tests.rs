//! Tests of the page of an audit.

use super::super::sections::Reported;
use super::*;
use crate::audit::model::Audit;
use crate::report::audit::Look;
use crate::report::example;
use crate::report::html::{SCRIPT, STYLE};

fn page(audit: &Audit<'_>) -> String {
    FORMAT.text(Reported::of(audit), &Look::plain()).unwrap().replace(STYLE, "").replace(SCRIPT, "")
}

/// What a reader sees: what is not marked within a line is on a line of its own.
fn seen(page: &str) -> String {
    let (_, body) = page.split_once("<body>").unwrap();
    let within_a_line = regex::Regex::new("</?(code|a|strong|span|mark)( [^>]*)?>").unwrap();
    let body = within_a_line.replace_all(body, "");
    let pieces = body.split('<').filter_map(|piece| Some(piece.split_once('>')?.1.trim()));
    let lines = pieces.filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join("\n");
    lines.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[test]
fn the_page_reads_so() {
    let snapshot = example::snapshot();
    let text = seen(&page(&example::audit(&snapshot)));
    insta::assert_snapshot!(text.replace(&"x".repeat(300), "xxx").replace(&"path/".repeat(30), "path/"), @r"
    sysctl-advisor on web-1 at 2026-01-01T00:00:00Z
    Linux 6.12.0, 4 CPUs, 16.0 GiB, up 11 d 13 h, counters over 2 s
    3 things hurt now, 1 more may one day.
    27 of 35 rules found nothing, 3 checks not possible, 2 things not read, 1 rule file broken, 1 finding waived, 1 waiver expired or unused.
    !! Critical host: 10.0.0.5:5432 takes 92 % of the ephemeral ports
    ! Warning blue: The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 overflowed and connections were lost
    ! Warning host: evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLOSE_WAIT
    - Notice host: TCP timestamps are off
    Hurts now
    !! Critical
    1 10.0.0.5:5432 takes 92 % of the ephemeral ports
    ephemeral-ports (capacity) · host: 10.0.0.1 -> 10.0.0.5:5432
    Evidence
    ports in use
    26,012 ports
    share of the range
    92 %
    range
    32768 60999
    reuse could help
    yes
    nonsense
    unknown
    Change
    net.ipv4.ip_local_port_range: 32768 60999 → 16384 65535
    Tried in a scratch namespace: the kernel accepts it. Risk medium. New connections use it at once. Side effects: A service that listens on a port from 16384 up can find it taken when it starts. Each range that includes this one is as good.
    sysctl -w 'net.ipv4.ip_local_port_range=16384 65535'
    This lasts until the next boot. remediate can take a change back.
    Do
    Application: Keep connections open: a pool, or HTTP keep-alive, needs a handful of ports.
    Operator: More source addresses multiply the ports.
    Do not
    net.ipv4.tcp_fin_timeout: it ends orphaned FIN_WAIT2 sockets; TIME_WAIT lasts 60 s whatever it says
    Why, how the numbers are computed, and sources
    Every outgoing connection to one address and port needs a local port of its own. When none is left, connect() fails with EADDRNOTAVAIL.
    A second paragraph that the short form leaves to explain.
    Computed
    ports in use is destination.ports_blocked
    share of the range is destination.port_use
    range is net.ipv4.ip_local_port_range
    reuse could help is net.ipv4.tcp_tw_reuse != 1
    nonsense is 0.0 / 0.0
    Sources
    https://docs.kernel.org/networking/ip-sysctl.html
    Fingerprint
    0123456789abcdef
    ! Warning
    2 The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 overflowed and connections were lost
    accept-queue-overflow (capacity) · blue: [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -> [2001:db8:1111:2222:3333:4444:5555:6666]:65535
    Evidence
    waited for accept() at the end of the window
    1 connection
    overflows
    12.5/s
    age of the oldest
    2 h 5 min
    memory
    6.0 MiB
    owner
    a-process-with-a-long-name (pid 4194304)
    Change
    net.core.a_key_with_a_name_that_is_far_longer_than_most_of_them: (empty) → 8192
    Not possible here: the key belongs to the whole machine and is read-only in this namespace. Risk low. The next listen() uses it. Each larger value is as good.
    Why, how the numbers are computed, and sources
    The queue is full.
    Computed
    waited for accept() at the end of the window is listener.queue
    overflows is rate.TcpExt.ListenOverflows * 1.0 + 0.0 * double(listener.queue)
    age of the oldest is window.seconds
    memory is host.memory_bytes
    owner is listener.owner
    Fingerprint
    0123456789abcdef
    ! Warning
    3 evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLOSE_WAIT
    close-wait-leak (application) · host: evil�]0;owned��[31m �2J�name (pid 12)
    Evidence
    evil�]0;owned��[31m �2J�name
    evil�]0;owned��[31m �2J�name evil�]0;owned��[31m �2J�name
    Change
    net.ipv4.ip_local_port_range: 32768 60999 → 16384 65535
    As for finding 1.
    Do
    Evil�]0;owned��[31m �2J�name: evil�]0;owned��[31m �2J�name
    Do not
    evil�]0;owned��[31m �2J�name: evil�]0;owned��[31m �2J�name
    Look
    evil�]0;owned��[31m �2J�name shows evil�]0;owned��[31m �2J�name.
    Why, how the numbers are computed, and sources
    xxx
    Computed
    evil�]0;owned��[31m �2J�name is evil�]0;owned��[31m �2J�name
    Sources
    https://example.org/path/
    Fingerprint
    0123456789abcdef
    May hurt one day
    - Notice
    4 TCP timestamps are off
    timestamps-off (hygiene) · host
    Why, how the numbers are computed, and sources
    Without timestamps there is no PAWS.
    Fingerprint
    0123456789abcdef
    TCP sockets
    TCP sockets of host: 26,836 (read through sock_diag)
    Sockets by state
    LISTEN 12, SYN_RECV 1, ESTABLISHED 1,203, TIME_WAIT 25,300, CLOSE_WAIT 320
    TIME_WAIT
    25,300
    ESTABLISHED
    1,203
    CLOSE_WAIT
    320
    LISTEN
    12
    SYN_RECV
    1
    State
    Sockets
    Share
    Meaning
    TIME_WAIT
    25,300
    94 %
    Both sides have closed; this side remembers the connection for 60 s.
    ESTABLISHED
    1,203
    4.5 %
    The connection is open in both directions.
    CLOSE_WAIT
    320
    1.2 %
    The peer closed the connection; the application on this host has not.
    LISTEN
    12
    < 0.1 %
    A socket that waits for connections.
    SYN_RECV
    1
    < 0.1 %
    A client's SYN was answered; its final ACK is missing.
    TIME_WAIT
    This host closed these connections first, 421 a second on the average of the last minute. 25,300 belong to other addresses. They take some 9.9 MiB of kernel memory. This is harmless: each ends by itself after 60 s, which no sysctl changes, and ports are not short.
    TCP sockets of blue: could not be read
    Network namespaces
    Name
    Roles
    Sockets
    By state
    Id
    host
    26,836
    LISTEN 12, SYN_RECV 1, ESTABLISHED 1,203, TIME_WAIT 25,300, CLOSE_WAIT 320
    net:[4026531840]
    blue
    not read
    net:[4026532001]
    Not checked
    Reason
    Network namespace
    Rules
    net.ipv4.neigh.default.gc_thresh3: No such file or directory
    blue
    arp-table-near-limit
    sockets: sock_diag: Operation not permitted
    blue
    syn-backlog-drops, time-wait-overflow
    Could not be read
    Where
    What
    Why
    machine
    host.memory
    /proc/meminfo: Permission denied
    blue
    sockets
    sock_diag: Operation not permitted; /proc/net/tcp: Permission denied
    Waived
    Finding
    Where
    Rule
    Waiver
    SYN cookies are off
    host
    warning syncookies-off
    0123456789abcdef
    waived until 2027-01-31 by maria: lab machine
    Rule files that could not be loaded
    /etc/sysctl-advisor/rules.d/mine.toml:2:1: unknown field `severty`
    Waivers that waive nothing
    /etc/sysctl-advisor/waivers.toml:9: waiver-expired close-wait-leak: ended on 2025-12-31 (by maria: �[31mthe vendor works on it)
    Observed by sysctl-advisor 0.1.0. Boot 11111111-2222-3333-4444-555555555555. Machine 00000000000040008000000000000001. Label role=web.
    sysctl-advisor explain NAME explains every key, counter and TCP state.
    ");
}

/// So many findings of one rule.
fn many(number: usize) -> usize {
    let snapshot = example::snapshot();
    let mut audit = example::audit(&snapshot);
    let one = audit.findings[0].clone();
    let finding = |place: usize| Finding {
        subject: format!("10.0.0.1 -> 10.0.{}.{}:5432", place / 256, place % 256),
        fingerprint: format!("{place:016x}"),
        ..one.clone()
    };
    audit.findings = (0..number).map(finding).collect();
    page(&audit).len()
}

#[test]
fn a_thousand_findings_fit_into_a_mail_and_ten_thousand_are_ten_times_as_many() {
    let (thousand, more) = (many(1_000), many(10_000));
    assert!(thousand < 2 << 20, "{thousand}");
    assert!(more < 11 * thousand, "{more}");
}
