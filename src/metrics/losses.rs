//! What the listed UDP sockets lost in the window, and which of them belong together.
//!
//! In: the list at both ends of the window. Out: of each socket what it lost, and what its group lost. Must not: say why.
//!
//! Sockets of one process, and sockets that share a local address and port (`SO_REUSEPORT`, or a connected one for each
//! peer), lose for one reason. They are a group, which is reported once, by the socket that lost the most.

use std::cmp::Reverse;

use crate::observe::udp::{Udp, UdpSocket};

/// By their places in the list at the end of the window.
#[derive(Debug)]
pub(super) struct Losses(Vec<Loss>);

/// What one socket lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Loss {
    cookie: u64,
    /// `None` where it is not known what it had lost before.
    pub(super) drops: Option<u32>,
    /// The place of the socket of its group that lost the most.
    leader: usize,
}

/// What the sockets of a group lost together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Together {
    /// Those that lost something.
    pub(super) sockets: u64,
    pub(super) drops: u64,
}

impl Losses {
    pub(super) fn between(before: &Udp, now: &Udp) -> Self {
        let lost = |socket: &UdpSocket| match before.find(socket.cookie) {
            // Less than before: the counter began again.
            Some(earlier) => socket.drops.checked_sub(earlier.drops),
            None => (before.unlisted == 0).then_some(socket.drops),
        };
        let mut losses: Vec<Loss> =
            now.listed.iter().map(|socket| Loss { cookie: socket.cookie, drops: lost(socket), leader: 0 }).collect();
        let groups = groups(&now.listed);
        let lost_most = |place: usize, other: usize| {
            let key = |place: usize| losses.get(place).map(|loss| (Reverse(loss.drops), loss.cookie));
            if key(other) < key(place) { other } else { place }
        };
        let places = 0..groups.len();
        let leaders: Vec<usize> = places
            .clone()
            .map(|place| places.clone().filter(|other| groups[*other] == groups[place]).fold(place, lost_most))
            .collect();
        for (loss, leader) in losses.iter_mut().zip(leaders) {
            loss.leader = leader;
        }
        Self(losses)
    }

    /// What the socket at this place lost.
    pub(super) fn of(&self, place: usize) -> Option<u32> {
        self.0.get(place)?.drops
    }

    /// Whether it is the one that its group is reported by.
    pub(super) fn leads(&self, place: usize) -> bool {
        self.0.get(place).is_some_and(|loss| loss.leader == place)
    }

    pub(super) fn together(&self, place: usize) -> Together {
        let Some(leader) = self.0.get(place).map(|loss| loss.leader) else { return Together::default() };
        let group = self.0.iter().filter(|loss| loss.leader == leader);
        group.filter_map(|loss| loss.drops.filter(|drops| *drops > 0)).fold(Together::default(), |sum, drops| {
            Together { sockets: sum.sockets + 1, drops: sum.drops + u64::from(drops) }
        })
    }

    /// What those groups lost together, of which one socket lost at least so much, and which themselves lost at most so much.
    pub(super) fn of_groups_with(&self, least: u64, most: u64) -> u64 {
        let leads =
            |place: &usize| self.leads(*place) && self.of(*place).is_some_and(|drops| u64::from(drops) >= least);
        let groups = (0..self.0.len()).filter(leads).map(|place| self.together(place).drops);
        groups.filter(|drops| *drops <= most).sum()
    }
}

/// A number for each socket that is the same for sockets that belong together, directly or through others.
fn groups(sockets: &[UdpSocket]) -> Vec<usize> {
    let mut groups: Vec<usize> = (0..sockets.len()).collect();
    for (place, socket) in sockets.iter().enumerate() {
        for (other, earlier) in sockets.iter().enumerate().take(place) {
            let (from, to) = (groups[place], groups[other]);
            if from != to && belong_together(socket, earlier) {
                groups.iter_mut().filter(|group| **group == from).for_each(|group| *group = to);
            }
        }
    }
    groups
}

fn belong_together(one: &UdpSocket, other: &UdpSocket) -> bool {
    let pid = |socket: &UdpSocket| socket.holder.as_ref().map(|holder| holder.pid);
    (one.port, &one.address) == (other.port, &other.address) || pid(one).is_some() && pid(one) == pid(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::holder::Holder;

    fn socket(cookie: u64, port: u16, pid: Option<u32>, drops: u32) -> UdpSocket {
        let holder = pid.map(|pid| Holder { pid, name: "app".to_owned() });
        UdpSocket { cookie, address: "0.0.0.0".to_owned(), port, holder, drops, ..UdpSocket::default() }
    }

    fn udp(listed: Vec<UdpSocket>) -> Udp {
        Udp { listed, ..Udp::default() }
    }

    #[test]
    fn workers_of_one_port_and_sockets_of_one_process_are_one_group_led_by_the_one_that_lost_the_most() {
        let now = udp(vec![
            socket(1, 53, Some(10), 100),
            socket(2, 53, Some(11), 300),
            socket(3, 8125, Some(11), 7),
            socket(4, 514, Some(12), 50),
            socket(5, 515, None, 60),
        ]);
        let losses = Losses::between(&udp(Vec::new()), &now);
        assert_eq!((0..5).map(|place| losses.leads(place)).collect::<Vec<_>>(), [false, true, false, true, true]);
        assert_eq!(losses.together(0), Together { sockets: 3, drops: 407 });
        assert_eq!(losses.of_groups_with(60, 1000), 407 + 60);
        assert_eq!(losses.of_groups_with(60, 100), 60);
        assert_eq!(losses.of_groups_with(1000, 1000), 0);
    }

    #[test]
    fn of_those_that_lost_as_much_the_older_one_leads() {
        let losses = Losses::between(&udp(Vec::new()), &udp(vec![socket(9, 53, None, 5), socket(8, 53, None, 5)]));
        assert!(!losses.leads(0) && losses.leads(1));
    }

    #[test]
    fn what_was_lost_before_the_window_does_not_count() {
        let before = udp(vec![socket(1, 53, None, 100), socket(2, 54, None, 200)]);
        let now = udp(vec![socket(1, 53, None, 100), socket(2, 54, None, 150), socket(3, 55, None, 30)]);
        let losses = Losses::between(&before, &now);
        assert_eq!((losses.of(0), losses.of(1), losses.of(2), losses.of(3)), (Some(0), None, Some(30), None));
        assert_eq!(losses.together(0), Together::default(), "it lost nothing");
        let cut = Udp { unlisted: 1, ..before };
        assert_eq!(Losses::between(&cut, &now).of(2), None, "it may have been one of those that were not listed");
    }
}
