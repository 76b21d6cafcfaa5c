//! Every format over the same plans, hostile ones among them.

use super::*;
use crate::keys::KeyValue;
use crate::model::{Bound, RehearsalResult};
use crate::plan::example;
use crate::plan::model::{Guard, PlannedChange, Rehearsed};

/// A plan with a triple, a range, an empty value, a value wanted *at least*, and hostile texts wherever a stranger's text
/// can be.
fn plan() -> Plan {
    let hostile = "'\"\\ ${x} {{ y }} {% z %}\n- evil: \u{1b}[31m # %h \u{202e}";
    let guard = |worse_if: &str| Guard { rule: "a-rule".into(), worse_if: worse_if.into(), params: [].into() };
    let mut plan = example::plan();
    plan.host.hostname = format!("web {hostile}");
    plan.changes = vec![
        PlannedChange {
            bound: Bound::AtLeast,
            restart: vec![format!("0.0.0.0:80 ({hostile})")],
            guards: vec![guard("tcp.listen_drops > 1")],
            ..example::change("net.core.somaxconn", "128", "4096")
        },
        PlannedChange {
            reason: hostile.into(),
            ..example::change("net.ipv4.tcp_rmem", "1 2 3", "4096 131072 6291456")
        },
        example::change("net.ipv4.ip_local_port_range", "40000 40400", "16384 65535"),
        example::change("net.ipv4.ip_local_reserved_ports", "8080", ""),
    ];
    plan
}

fn exported(plan: &Plan, format: &Format, style: &str) -> Vec<Artefact> {
    let options = Options { style: Some(style.to_owned()), ..Options::default() };
    write(plan, format, &options).unwrap().files
}

/// Every style of every format that can say this plan, with its text; the text inside Ignition's data as it is there.
fn all(plan: &Plan) -> Vec<(String, String)> {
    let styles = FORMATS.iter().flat_map(|format| format.styles.iter().map(move |style| (format, style)));
    styles
        .map(|(format, style)| {
            let files = exported(plan, format, style.name);
            let text = files.into_iter().map(|file| file.text).collect::<Vec<_>>().join("\n");
            let is_ignition = format.name == "ignition";
            (format!("{}, {}", format.name, style.name), if is_ignition { decoded(&text) } else { text })
        })
        .filter(|(_, text)| !text.is_empty())
        .collect()
}

/// With the bytes that `%` and two digits stand for.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn no_text_of_a_stranger_leaves_its_line_or_reaches_a_terminal() {
    for (name, text) in all(&plan()) {
        let loose = |line: &&str| line.split_once("evil").is_some_and(|(before, _)| !before.contains('#'));
        assert_eq!(text.lines().find(loose), None, "{name}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{name}");
    }
}

#[test]
fn every_format_has_each_key_and_value_in_the_order_of_the_plan() {
    let plan = plan();
    // The kubelet only names the keys that it has to allow.
    for (name, text) in all(&plan).into_iter().filter(|(name, _)| name != "kubernetes, kubelet") {
        let mut from = 0;
        let changes = plan.changes.iter().filter(|change| !(name.starts_with("tuned") && is_empty(&change.after)));
        let order: Vec<_> = if name.ends_with("undo") { changes.rev().collect() } else { changes.collect() };
        for change in order {
            let at = text[from..].find(change.name()).unwrap_or_else(|| panic!("{name}: {}", change.name()));
            from += at + change.name().len();
            let value = if name.ends_with("undo") { &change.before } else { &change.after };
            assert!(text[from..].contains(&value.to_string()), "{name}: {}", change.name());
        }
    }
}

fn is_empty(value: &KeyValue) -> bool {
    value.to_string().is_empty()
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    assert_eq!(all(&plan()), all(&plan()));
}

#[test]
fn a_person_who_reads_the_file_later_finds_out_why() {
    let guard = Guard { rule: "a-rule".into(), worse_if: "tcp.a > 1".into(), params: [].into() };
    let mut plan = example::plan();
    plan.changes = vec![PlannedChange {
        restart: vec!["0.0.0.0:80 (nginx)".into()],
        guards: vec![guard],
        ..example::change("net.core.somaxconn", "128", "4096")
    }];
    let commented = ["a-rule: A queue is full", "Was 128. Risk: low. Effect: At once.", "Restart: 0.0.0.0:80 (nginx)"];
    for (name, text) in all(&plan).into_iter().filter(|(name, _)| !name.ends_with("undo")) {
        for line in commented.iter().chain(&["Worse if: tcp.a > 1 (a-rule)", "plan for web-1", "2026-01-01T00:00:00Z"])
        {
            assert!(text.contains(line), "{name}: {line}\n{text}");
        }
    }
}

#[test]
fn what_a_format_cannot_say_is_left_out_with_the_reason() {
    let refused = Some(Rehearsed { result: RehearsalResult::Refused, value: "Invalid argument".into() });
    let elsewhere = |name: &str| PlannedChange {
        namespace: name.into(),
        namespace_id: "net:[7]".into(),
        ..example::change("net.ipv4.tcp_sack", "0", "1")
    };
    let mut plan = example::plan();
    plan.changes = vec![
        example::change("net.core.somaxconn", "128", "4096"),
        elsewhere("blue"),
        PlannedChange { rehearsed: refused, ..example::change("net.ipv4.tcp_tw_reuse", "2", "1") },
    ];
    for format in FORMATS.iter().filter(|format| format.target == format::Target::Machine) {
        let left: Vec<_> = write(&plan, format, &Options::default())
            .unwrap()
            .left_out
            .into_iter()
            .map(|left| (left.key.name.clone(), left.why))
            .collect();
        assert_eq!(left[0].0, "net.ipv4.tcp_sack", "{}", format.name);
        assert!(left[0].1.starts_with("it belongs to the network namespace blue"), "{}: {left:?}", format.name);
        assert!(left[1].1.starts_with("the kernel did not accept 1 in the rehearsal"), "{}: {left:?}", format.name);
    }
}

#[test]
fn an_empty_plan_gives_no_file() {
    let mut plan = plan();
    plan.changes.clear();
    assert!(FORMATS.iter().all(|format| write(&plan, format, &Options::default()).unwrap().files.is_empty()));
}

#[test]
fn a_format_or_style_that_there_is_not_is_answered_with_those_that_there_are() {
    assert_eq!(named("ansibel").unwrap_err(), "there is no format `ansibel`; `ansible` is similar");
    assert!(named("xyz").unwrap_err().contains("sysctl.d, sysctl-commands, ansible"));
    let options = Options { style: Some("role".into()), ..Options::default() };
    let error = write(&plan(), named("ansible").unwrap(), &options).unwrap_err();
    assert_eq!(error, "ansible has no style `role`; expected tasks or vars or play");
}

/// Placement of the keys of a plan: the style, what is left out of it.
fn kubernetes(style: &str, minor: u32) -> (String, Vec<String>) {
    let mut plan = example::plan();
    plan.changes = vec![
        example::change("net.ipv4.tcp_rmem", "1 2 3", "4096 131072 6291456"),
        example::change("net.core.somaxconn", "128", "4096"),
        example::change("net.ipv4.tcp_mem", "1 2 3", "4 5 6"),
    ];
    let options = Options { style: Some(style.into()), kubernetes_minor: Some(minor), ..Options::default() };
    let exported = write(&plan, named("kubernetes").unwrap(), &options).unwrap();
    let text = exported.files.first().map(|file| file.text.clone()).unwrap_or_default();
    (text, exported.left_out.into_iter().map(|left| left.key.name.clone()).collect())
}

#[test]
fn a_key_goes_to_the_pod_the_kubelet_or_the_node_by_its_scope_and_the_cluster_s_version() {
    let (pod, left) = kubernetes("pod", 32);
    assert_eq!(left, ["net.ipv4.tcp_mem"]);
    assert!(pod.contains("The kubelet has to allow: net.core.somaxconn ("), "{pod}");
    assert!(pod.contains("# Safe.\n          - name: net.ipv4.tcp_rmem\n"), "{pod}");
    let (older, _) = kubernetes("pod", 31);
    assert!(older.contains("The kubelet has to allow: net.ipv4.tcp_rmem, net.core.somaxconn ("), "{older}");
    let (kubelet, _) = kubernetes("kubelet", 32);
    assert!(kubelet.contains("  - net.core.somaxconn\n") && !kubelet.contains("- net.ipv4.tcp_rmem"), "{kubelet}");
    let (node, left) = kubernetes("openshift", 32);
    assert_eq!(left, ["net.ipv4.tcp_rmem", "net.core.somaxconn"]);
    assert!(node.contains("        net.ipv4.tcp_mem=4 5 6\n"), "{node}");
}

#[test]
fn a_key_of_the_machine_is_never_given_to_a_container() {
    let mut plan = example::plan();
    plan.changes = vec![example::change("net.ipv4.tcp_mem", "1 2 3", "4 5 6")];
    for name in ["docker", "podman", "systemd-nspawn"] {
        let exported = write(&plan, named(name).unwrap(), &Options::default()).unwrap();
        assert_eq!((exported.files.len(), exported.left_out.len()), (0, 1), "{name}");
    }
}
