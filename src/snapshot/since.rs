//! The reading of an earlier run as the start of this one's window.
//!
//! In: two snapshots of one host. Out: the later one with what the earlier one read as its first reading. Must not: take
//! a clock's word for the time between them, or compare across a boot.

use super::{FirstReading, Namespace, Snapshot, WindowSource};
use crate::host::Host;
use crate::observe::system;

/// Shorter windows say less than a sample of their own would; in milliseconds.
const SHORTEST: u64 = 10_000;
/// For one who looks again and again and takes no sample of its own; in milliseconds.
const SHORTEST_STEP: u64 = 500;
/// Over more than a day a rate hides every burst; in milliseconds.
const LONGEST: u64 = 86_400_000;

/// Why an earlier snapshot is not the start of this run's window. None of these is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoWindow {
    #[error("it was taken before the last boot")]
    AnotherBoot,
    #[error("its uptime or the current uptime is unknown")]
    NoTime,
    #[error("its time is in the future")]
    Future,
    #[error("too little time has passed since it was taken")]
    TooYoung,
    #[error("it is more than a day old")]
    TooOld,
}

/// How many seconds ago the counters of `earlier` were read, when these can begin a window that ends now.
pub fn age(earlier: &Snapshot, host: &Host) -> Result<f64, NoWindow> {
    let boot_id = system::boot_id(host).ok_or(NoWindow::NoTime)?;
    between(earlier, Some(&boot_id), system::uptime_ms(host), SHORTEST)
}

fn between(earlier: &Snapshot, boot_id: Option<&str>, uptime: Option<u64>, shortest: u64) -> Result<f64, NoWindow> {
    if boot_id.is_none() || earlier.system.boot_id.as_deref() != boot_id {
        return Err(NoWindow::AnotherBoot);
    }
    let (Some(then), Some(now)) = (earlier.system.uptime_ms, uptime) else { return Err(NoWindow::NoTime) };
    match now.checked_sub(then) {
        None => Err(NoWindow::Future),
        Some(passed) if passed < shortest => Err(NoWindow::TooYoung),
        Some(passed @ ..=LONGEST) => Ok(passed as f64 / 1000.0),
        Some(_) => Err(NoWindow::TooOld),
    }
}

/// Makes the readings of `earlier` the start of the window of `snapshot`, which has one reading of its own. A namespace
/// that was not there then stays without a window.
pub fn enter(snapshot: &mut Snapshot, earlier: &Snapshot, first: FirstReading) -> Result<(), NoWindow> {
    enter_after(snapshot, earlier, first, SHORTEST)
}

/// The same for one who looks again and again, a second or more apart.
pub fn step(snapshot: &mut Snapshot, earlier: &Snapshot, first: FirstReading) -> Result<(), NoWindow> {
    enter_after(snapshot, earlier, first, SHORTEST_STEP)
}

fn enter_after(
    snapshot: &mut Snapshot,
    earlier: &Snapshot,
    first: FirstReading,
    shortest: u64,
) -> Result<(), NoWindow> {
    let seconds = between(earlier, snapshot.system.boot_id.as_deref(), snapshot.system.uptime_ms, shortest)?;
    for namespace in &mut snapshot.namespaces {
        // The number of a namespace that is gone is given out again; its name has to be the same as well.
        let same = |other: &&Namespace| other.id == namespace.id && other.name == namespace.name;
        let Some(before) = earlier.namespaces.iter().find(same) else { continue };
        namespace.begin_with(before, first);
        if let (Some(unix), Some(earlier)) = (&mut namespace.unix, &before.unix) {
            unix.begin_with(earlier);
        }
        let (Some(seen), Some(seen_before)) = (&mut namespace.sockets, &before.sockets) else { continue };
        for listener in &mut seen.listeners {
            let known = seen_before.listeners.iter().find(|other| {
                (other.inode, other.port, &other.address) == (listener.inode, listener.port, &listener.address)
            });
            listener.queue_before = known.map(|known| known.queue);
            listener.drops_before = known.and_then(|known| known.drops);
        }
    }
    snapshot.begin_with(earlier, first);
    snapshot.window.seconds = seconds;
    snapshot.window.source = WindowSource::PreviousRun;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::sockets::Listener;
    use crate::observe::udp::{Udp, UdpSocket};
    use crate::observe::unix::{UnixListener, UnixListeners, Waiting};
    use crate::report::example;

    fn at(uptime_ms: u64) -> Snapshot {
        let mut snapshot = example::snapshot();
        snapshot.system.uptime_ms = Some(uptime_ms);
        snapshot.window = super::super::Window { seconds: 0.0, source: WindowSource::None };
        snapshot
    }

    #[test]
    fn only_a_reading_of_this_boot_ten_seconds_to_a_day_old_begins_a_window() {
        let boot = at(0).system.boot_id.unwrap();
        let judged = |then: u64, now: u64| between(&at(then), Some(&boot), Some(now), SHORTEST);
        assert_eq!(judged(100_000, 3_700_250), Ok(3600.25));
        assert_eq!(judged(100_000, 105_000), Err(NoWindow::TooYoung));
        assert_eq!(judged(100_000, 99_000), Err(NoWindow::Future));
        assert_eq!(judged(100_000, 100_000_000), Err(NoWindow::TooOld));
        assert_eq!(between(&at(1), Some("another"), Some(100_000), SHORTEST), Err(NoWindow::AnotherBoot));
        assert_eq!(between(&at(1), Some(&boot), None, SHORTEST), Err(NoWindow::NoTime));
        let mut without = at(1);
        (without.system.boot_id, without.system.uptime_ms) = (None, None);
        assert_eq!(
            between(&without, None, Some(100_000), SHORTEST),
            Err(NoWindow::AnotherBoot),
            "two unknown are not one"
        );
    }

    #[test]
    fn one_who_looks_every_second_has_windows_of_a_second() {
        let mut now = at(101_000);
        assert_eq!(step(&mut now, &at(100_900), FirstReading::default()), Err(NoWindow::TooYoung));
        step(&mut now, &at(100_000), FirstReading::default()).unwrap();
        assert_eq!((now.window.seconds, now.window.source), (1.0, WindowSource::PreviousRun));
    }

    #[test]
    fn udp_and_unix_sockets_begin_with_the_earlier_run_where_rules_need_them() {
        let (mut earlier, mut now) = (at(100_000), at(160_000));
        let udp =
            |drops| Udp { listed: vec![UdpSocket { cookie: 7, drops, ..UdpSocket::default() }], ..Udp::default() };
        let unix = |queue| {
            let looked = Waiting { queue, first: None };
            let listener =
                UnixListener { path: "/run/app".to_owned(), inode: 5, now: looked, ..UnixListener::default() };
            UnixListeners { kept: vec![listener], others: 0 }
        };
        for (snapshot, drops, queue) in [(&mut earlier, 100, 9), (&mut now, 250, 1)] {
            (snapshot.namespaces[0].udp, snapshot.namespaces[0].unix) = (Some(udp(drops)), Some(unix(queue)));
        }
        let mut without = now.clone();
        enter(&mut now, &earlier, FirstReading::WHOLE).unwrap();
        let before = now.namespaces[0].before.as_ref().unwrap();
        assert_eq!(before.udp.as_ref().map(|udp| udp.listed[0].drops), Some(100));
        assert_eq!(now.namespaces[0].unix.as_ref().unwrap().kept[0].before.map(|before| before.queue), Some(9));
        enter(&mut without, &earlier, FirstReading::default()).unwrap();
        assert_eq!(without.namespaces[0].before.as_ref().unwrap().udp, None);
    }

    #[test]
    fn counters_and_queues_are_paired_by_namespace_and_listener() {
        let (mut earlier, mut now) = (at(100_000), at(160_000));
        earlier.namespaces[0].counters = [("Tcp".to_owned(), [("InSegs".to_owned(), 7)].into())].into();
        earlier.namespaces[1].id = "net:[1]".to_owned();
        let listeners = |snapshot: &mut Snapshot| snapshot.namespaces[0].sockets.as_mut().unwrap().listeners.clone();
        let known = Listener { port: 80, inode: 5, queue: 99, ..Listener::default() };
        now.namespaces[0].sockets.as_mut().unwrap().listeners = vec![Listener { queue: 1, ..known.clone() }];
        let mut reused = known.clone();
        reused.port += 1;
        earlier.namespaces[0].sockets.as_mut().unwrap().listeners = vec![reused, known];
        enter(&mut now, &earlier, FirstReading::default()).unwrap();
        assert_eq!((now.window.seconds, now.window.source), (60.0, WindowSource::PreviousRun));
        assert_eq!(now.namespaces[0].counters_before.as_ref().unwrap()["Tcp"]["InSegs"], 7);
        assert_eq!(now.namespaces[1].counters_before, None, "another namespace under the same name");
        assert_eq!(listeners(&mut now)[0].queue_before, Some(99));
    }
}
