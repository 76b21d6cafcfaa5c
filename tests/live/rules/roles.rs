//! Roles of a namespace, each made for real: routes, addresses, bridges, tunnels, NAT and rules of policy routing.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, Protocol, Socket, Type};

use crate::support::Lab;
use crate::support::lab::{ip, run_with_input};

/// The roles that an audit shows, with the fact that shows each.
fn roles(lab: &Lab, arguments: &[&str]) -> Vec<(String, String)> {
    let report = lab.audit(&[&["--window", "0"], arguments].concat());
    let roles = report.0["namespaces"][0]["roles"].as_object().unwrap();
    assert!(roles.values().all(|role| !role["holds"].is_null()), "one could not be seen: {roles:?}");
    let held = roles.iter().filter(|(_, role)| role["holds"] == Value::Bool(true));
    held.map(|(name, role)| (name.clone(), role["why"].as_str().unwrap().to_owned())).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, why)| ((*name).to_owned(), (*why).to_owned())).collect()
}

#[test]
fn a_host_with_one_cable_has_no_role_even_if_forwarding_is_on() {
    let lab = Lab::enter();
    ip("route add default via 10.2.0.2");
    assert_eq!(roles(&lab, &[]), []);
    lab.set("net.ipv4.ip_forward", "1");
    assert_eq!(roles(&lab, &[]), []);
}

#[test]
fn two_cables_with_addresses_are_two_homes_and_a_bridge_of_containers_is_none() {
    let lab = Lab::enter();
    ip("link add br0 type bridge\naddr add 172.17.0.1/16 dev br0\nlink set br0 up");
    assert_eq!(roles(&lab, &[]), []);
    ip("link add cable type veth peer name cable-far\naddr add 192.0.2.1/24 dev cable\nlink set cable up");
    assert_eq!(roles(&lab, &[]), pairs(&[("multi_homed", "cable, near0")]));
}

#[test]
fn a_bridge_of_veths_with_forwarding_hosts_containers_and_so_forwards() {
    let lab = Lab::enter();
    ip("link add br0 type bridge\nlink add c1 type veth peer name c1-far\nlink set c1 master br0");
    assert_eq!(roles(&lab, &[]), []);
    lab.set("net.ipv4.ip_forward", "1");
    let expected = [
        ("container_host", "the bridge br0 connects virtual interfaces"),
        ("forwards", "forwarding is on, and its role is also: container host"),
    ];
    assert_eq!(roles(&lab, &[]), pairs(&expected));
}

#[test]
fn a_chain_of_nat_counts_once_it_has_a_rule() {
    let lab = Lab::enter();
    run_with_input("nft", &["-f", "-"], "table ip lab { chain post { type nat hook postrouting priority 100; }; }");
    assert_eq!(roles(&lab, &[]), []);
    run_with_input("nft", &["-f", "-"], "add rule ip lab post oifname \"near0\" masquerade");
    assert_eq!(roles(&lab, &[]), pairs(&[("nat", "1 nf_tables chain of type nat with rules")]));
}

#[test]
fn rules_of_policy_routing_and_a_tunnel_are_seen_and_a_tunnel_is_no_second_home() {
    let lab = Lab::enter();
    ip(
        "rule add fwmark 7 table 100\nlink add tun7 type vxlan id 7 dstport 4789 remote 10.2.0.2\naddr add 192.0.2.1/24 dev tun7",
    );
    let rule = ("policy_routing", "1 rule beside those of the kernel");
    assert_eq!(roles(&lab, &[]), pairs(&[rule]), "the tunnel is down");
    ip("link set tun7 up");
    assert_eq!(roles(&lab, &[]), pairs(&[rule, ("tunnel", "tun7 (vxlan)")]));
}

#[test]
fn what_is_stated_counts_instead_of_what_is_seen() {
    let lab = Lab::enter();
    ip("rule add fwmark 7 table 100");
    lab.set("net.ipv4.ip_forward", "1");
    let stated = roles(&lab, &["--role", "nat", "--role", "policy_routing=no"]);
    let expected =
        [("forwards", "forwarding is on, and its role is also: NAT"), ("nat", "stated by the administrator")];
    assert_eq!(stated, pairs(&expected));
}

/// A service is a translation of its address on the node; a pod answers another one on its bridge without the node.
#[test]
fn pods_on_one_bridge_reach_their_service_once_bridged_packets_pass_the_translation() {
    const RULE: &str = "bridged-packets-miss-services";
    let lab = Lab::enter();
    let pods = [lab.host(), lab.host()];
    ip("link add cni0 type bridge\naddr add 10.244.0.1/24 dev cni0\nlink set cni0 up");
    for (number, pod) in (2..).zip(&pods) {
        ip(&format!(
            "link add pod{number} type veth peer name eth0\nlink set eth0 netns {}\nlink set pod{number} master cni0 up",
            pod.path()
        ));
        pod.inside(|| {
            ip(&format!("addr add 10.244.0.{number}/24 dev eth0\nlink set eth0 up\nroute add default via 10.244.0.1"));
        });
    }
    lab.set("net.ipv4.ip_forward", "1");
    let service = "ip daddr 10.96.0.1 tcp dport 80 dnat to 10.244.0.3:8080;";
    let chain = format!("table ip lab {{ chain services {{ type nat hook prerouting priority -100; {service} }}; }}");
    run_with_input("nft", &["-f", "-"], &chain);
    let _backend = pods[1].listen("10.244.0.3:8080".parse().unwrap());
    let is_reached = || {
        let service = "10.96.0.1:80".parse().unwrap();
        pods[0].inside(|| TcpStream::connect_timeout(&service, Duration::from_secs(3)).is_ok())
    };
    let audit = || lab.audit(&["--window", "0"]);
    assert!(is_reached(), "a new namespace shows bridged packets to the translation");
    audit().assert_quiet(RULE);

    lab.set("net.bridge.bridge-nf-call-iptables", "0");
    assert!(!is_reached());
    let report = audit();
    assert_eq!(report.subjects(RULE), ["cni0"]);
    assert_eq!(lab.follow(&report, RULE), ["net.bridge.bridge-nf-call-iptables"]);
    assert!(is_reached());
    audit().assert_quiet(RULE);
}

/// Two cables to one distant host, the second with the worse metric.
#[test]
fn a_second_uplink_with_a_strict_filter_receives_nothing_until_the_filter_is_loose() {
    const RULE: &str = "rp-filter-strict-uplink";
    let lab = Lab::enter();
    ip(&format!("link add near1 type veth peer name far1\nlink set far1 netns {}", lab.far.path()));
    ip("addr add 10.5.0.1/24 dev near1\nlink set near1 up");
    lab.far.inside(|| {
        ip("addr add 10.5.0.2/24 dev far1\nlink set far1 up\naddr add 198.51.100.7/32 dev lo");
    });
    ip("route add default via 10.2.0.2 metric 100\nroute add default via 10.5.0.2 metric 200");
    let _server = lab.listen("0.0.0.0:8080", 16);
    let is_reached = || {
        lab.far.inside(|| {
            let client = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
            client.bind(&"198.51.100.7:0".parse::<SocketAddr>().unwrap().into()).unwrap();
            let server = "10.5.0.1:8080".parse::<SocketAddr>().unwrap().into();
            client.connect_timeout(&server, Duration::from_secs(2)).is_ok()
        })
    };
    let audit = || lab.audit(&["--window", "0"]);
    lab.set("net.ipv4.conf.all.rp_filter", "0");
    assert!(is_reached());
    audit().assert_quiet(RULE);

    lab.set("net.ipv4.conf.all.rp_filter", "1");
    assert!(!is_reached());
    let report = audit();
    assert_eq!(report.subjects(RULE), ["near1"]);
    assert_eq!(lab.follow(&report, RULE), ["net.ipv4.conf.near1.rp_filter"]);
    assert!(is_reached());
    audit().assert_quiet(RULE);
}
