//! What a few events mean in a window that is the time since the previous run: a rate, not a finding for ever.

use std::net::UdpSocket;

use super::scene::Scene;
use crate::support::{Lab, connect, listen, packets, wait_until};

const BACKLOG: &str = "accept-queue-limited-by-application";
const OVERFLOW: &str = "accept-queue-overflow";

fn dropped(lab: &Lab) -> i64 {
    lab.counter("TcpExt", "ListenOverflows")
}

#[test]
fn one_drop_in_a_minute_of_hundreds_of_connections_is_none_and_dozens_are_the_listener_s() {
    let scene = Scene::enter("hold_off = 1");
    let lab = &scene.lab;
    let fault = listen::overflow(lab, "0.0.0.0:8080", 4, 3);
    let to = connect::reach(&fault.listener);
    drop(fault.accept_all());
    scene.ok(&[]);

    // Five find room in the queue, and the SYN of the sixth is dropped; it comes again when there is room.
    let before = dropped(lab);
    let clients = listen::knock(lab, to, 6);
    wait_until("one is turned away", || dropped(lab) > before);
    drop(fault.accept_all());
    drop(connect::incoming(lab, &lab.listen("0.0.0.0:8081", 128), 400));
    drop(clients);
    let drops = dropped(lab) - before;
    scene.a_minute_passes("agent");
    scene.ok(&[]);
    let report = scene.report();
    let seconds = report.0["window"]["seconds"].as_f64().unwrap();
    assert_eq!(report.0["window"]["source"], "previous_run");
    assert!((drops as f64) < seconds * 0.05, "{drops} drops in {seconds} s are no few");
    [BACKLOG, OVERFLOW].iter().for_each(|rule| report.assert_quiet(rule));

    let before = dropped(lab);
    let clients = listen::knock(lab, to, 60);
    wait_until("dozens are turned away", || dropped(lab) - before >= 50);
    drop(fault.accept_all());
    drop(clients);
    scene.a_minute_passes("agent");
    scene.ok(&[]);
    let report = scene.report();
    report.assert_fires(OVERFLOW);
    // The queue was empty at both ends of the window. The process is named nevertheless.
    report.assert_level(BACKLOG, "warning", &format!("(pid {})", std::process::id()));
}

#[test]
fn what_a_udp_socket_lost_since_the_previous_run_is_reported_and_what_it_lost_before_is_history() {
    const SOCKET: &str = "udp-socket-drops";
    let scene = Scene::enter("hold_off = 1");
    let lab = &scene.lab;
    let _socket = packets::receiver("10.2.0.1:8080", 1);
    let sender = lab.far.inside(|| UdpSocket::bind(("10.2.0.2", 0)).unwrap());
    let lost = || lab.counter("Udp", "RcvbufErrors");
    let lose = |count: i64| {
        let before = lost();
        while lost() - before < count {
            let _ = sender.send_to(b".", "10.2.0.1:8080");
        }
    };
    lose(500);
    scene.ok(&[]);
    scene.a_minute_passes("agent");
    scene.ok(&[]);
    let report = scene.report();
    assert_eq!(report.0["window"]["source"], "previous_run");
    report.assert_quiet(SOCKET);
    lose(300);
    scene.a_minute_passes("agent");
    scene.ok(&[]);
    let report = scene.report();
    report.assert_level(SOCKET, "warning", "does not read its UDP socket 10.2.0.1:8080: 300 datagrams were lost");
    report.assert_quiet("udp-receive-buffer-full");
}
