//! What the host's configuration files set and containers do not have, on a stored host: that of a former version, made the
//! machine's first namespace, with a container that has sockets.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::{run, scratch};

const RULE: &str = "container-starts-at-defaults";

/// The host's file, and what the second namespace has.
fn host(file: &str, container: &[(&str, &str)], listening: u64) -> Json {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/former/snapshot-1.json");
    let mut host: Json = serde_json::from_slice(&fs::read(stored).unwrap()).unwrap();
    let text = json!({ "path": "/etc/sysctl.d/60-server.conf", "source": "directory", "kind": "regular", "mode": 420,
                       "uid": 0, "text": file, "bytes": file.len() });
    host["persisted"]["files"].as_array_mut().unwrap().push(text);
    let namespaces = host["namespaces"].as_array_mut().unwrap();
    namespaces[0]["initial"] = true.into();
    namespaces[0]["name"] = "host".into();
    for line in file.lines() {
        let (key, value) = line.split_once(" = ").unwrap();
        namespaces[0]["sysctls"][key] = value.into();
    }
    namespaces[1]["name"] = "web".into();
    namespaces[1]["sockets"]["states"]["listen"] = listening.into();
    for (key, value) in container {
        namespaces[1]["sysctls"][*key] = (*value).into();
    }
    host
}

fn audit(host: &Json) -> Option<Json> {
    let (_folder, file) = scratch("host.json", host.to_string());
    let report = run(&["audit", "--snapshot", file.to_str().unwrap(), "--format", "json"]);
    let report: Json = serde_json::from_str(&report.out).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let found: Vec<&Json> = findings.filter(|finding| finding["rule"] == RULE).collect();
    assert!(found.len() <= 1, "it is reported once: {found:?}");
    found.first().map(|finding| (*finding).clone())
}

const FILE: &str = "net.core.somaxconn = 16384\nnet.ipv4.tcp_keepalive_time = 600\nnet.ipv4.ip_forward = 1\n";

#[test]
fn a_container_with_the_kernel_s_defaults_is_named_with_the_keys_of_the_host_s_files() {
    let defaults = [("net.core.somaxconn", "4096"), ("net.ipv4.tcp_keepalive_time", "7200")];
    let finding = audit(&host(FILE, &defaults, 1)).expect("the container listens with defaults");
    assert_eq!((finding["severity"].as_str(), finding["namespace"].as_str()), (Some("notice"), Some("host")));
    let keys = finding["evidence"][0]["value"].as_str().unwrap();
    assert_eq!(
        keys,
        "net.core.somaxconn (16384 here, 4096 in web), net.ipv4.tcp_keepalive_time (600 here, 7200 in web)"
    );
    assert_eq!(finding["recommendations"], json!([]), "no key of the host reaches a container");
}

#[test]
fn a_container_with_values_of_its_own_or_without_sockets_is_no_finding() {
    let own = [("net.core.somaxconn", "16384"), ("net.ipv4.tcp_keepalive_time", "900")];
    assert_eq!(audit(&host(FILE, &own, 1)), None, "the remedy, and a value that somebody chose");
    let defaults = [("net.core.somaxconn", "4096"), ("net.ipv4.tcp_keepalive_time", "7200")];
    assert_eq!(audit(&host(FILE, &defaults, 0)), None, "nobody listens there");
    assert_eq!(audit(&host("net.ipv4.ip_forward = 1\n", &defaults, 1)), None, "that of a router");
}
