//! The script of facts, read by a real Ansible and a real Facter and Puppet that decide on it.

use serde_json::Value as Json;

use crate::place::{Place, needs};

const ANSIBLE: &str = "-i localhost, -c local -e ansible_python_interpreter=/usr/bin/python3";
const PAGE: &str = include_str!("../../docs/integrations/facts.md");

/// The indented block of the page that begins so.
fn block(begins: &str) -> String {
    let at = PAGE.find(&format!("\n    {begins}")).unwrap_or_else(|| panic!("the page has no {begins}"));
    let lines = PAGE[at + 1..].lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    lines.map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect()
}

/// A place where both tools find the script, in a copy of /etc.
fn place() -> Place {
    let place = Place::new();
    place.ok("cp -a /etc etc && mount --bind etc /etc && mkdir -p /etc/ansible/facts.d /etc/facter/facts.d");
    place.ok("ln -s \"$ADVISOR_DEPLOY/facts/sysctl_advisor.fact\" /etc/ansible/facts.d/");
    place.ok("ln -s \"$ADVISOR_DEPLOY/facts/sysctl_advisor.fact\" /etc/facter/facts.d/sysctl_advisor");
    for (name, text) in [("play.yml", block("- hosts: all\n")), ("site.pp", block("if 'error' in"))] {
        std::fs::write(place.work.path().join(name), text).unwrap();
    }
    place
}

/// What the script prints for Ansible; each line of shell before it is a setting.
fn facts(place: &Place, settings: &str) -> Json {
    let text =
        place.ok(&format!("export STATE_DIRECTORY=\"$W/state\"\n{settings}\n/etc/ansible/facts.d/sysctl_advisor.fact"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Puts a program of this name and text before the real one.
fn instead(text: &str) -> String {
    format!(
        "mkdir -p fake; printf '#!/bin/sh\\n{text}\\n' > fake/sysctl-advisor; chmod 755 fake/sysctl-advisor; PATH=$W/fake:$PATH"
    )
}

#[test]
fn ansible_reads_the_fact_and_the_playbook_of_the_page_decides_on_it() {
    needs("ansible-playbook", "ansible");
    let place = place();
    let said = place.ok(&format!("ansible {ANSIBLE} localhost -m setup -a filter=ansible_local"));
    let object: Json = serde_json::from_str(said.split_once("=> ").unwrap().1).unwrap();
    let facts = &object["ansible_facts"]["ansible_local"]["sysctl_advisor"];
    assert_eq!(facts["schema"], "sysctl-advisor/facts/1", "{said}");
    assert_eq!(facts["findings"]["timestamps-off"]["keys"][0]["key"], "net.ipv4.tcp_timestamps", "{said}");
    let play = format!("ansible-playbook {ANSIBLE} play.yml");
    let said = place.ok(&play);
    assert!(said.contains("\"msg\": \"net.ipv4.tcp_timestamps: 0 -> 1\""), "{said}");
    // The host is healthy now: nobody is in the group.
    place.ok("sysctl -qw net.ipv4.tcp_timestamps=1");
    let said = place.ok(&play);
    assert!(said.contains("skipped=1") && !said.contains("net.ipv4.tcp_timestamps"), "{said}");
    // A program that fails does not make the gathering of facts fail; the playbook says what is wrong.
    for (settings, error) in [
        (instead("exit 7"), "the audit ended with exit code 7; run: sysctl-advisor audit"),
        ("rm /etc/ansible/facts.d/sysctl_advisor.fact".to_owned(), "the fact is not installed"),
    ] {
        let output = place.sh(&format!("{settings}\n{play}"));
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(!output.status.success() && said.contains(error), "{said}");
    }
}

#[test]
fn facter_reads_the_fact_and_the_manifest_of_the_page_decides_on_it() {
    needs("puppet", "puppet");
    let place = place();
    let object: Json = serde_json::from_str(&place.ok("facter --json sysctl_advisor")).unwrap();
    let change = &object["sysctl_advisor"]["findings"]["timestamps-off"]["keys"][0];
    assert_eq!(change["proposed"], "1", "{object}");
    assert!(["critical", "warning"].contains(&place.ok("facter sysctl_advisor.worst").trim()));
    let apply = |before: &str| place.ok(&format!("{before}\npuppet apply site.pp"));
    let said = apply("");
    assert!(said.contains("net.ipv4.tcp_timestamps: 0 -> 1"), "{said}");
    let said = apply("sysctl -qw net.ipv4.tcp_timestamps=1");
    assert!(!said.contains("net.ipv4.tcp_timestamps"), "{said}");
    let said = apply(&instead("exit 7"));
    assert!(said.contains("not known: the audit ended with exit code 7; run: "), "{said}");
}

#[test]
fn the_agent_s_last_run_is_used_while_it_is_fresh() {
    let place = place();
    std::fs::write(
        place.work.path().join("config.toml"),
        "[agent]\njournal = false\nnetns = \"current\"\ntextfile = \"\"\n",
    )
    .unwrap();
    place.ok("sysctl-advisor agent --config config.toml --state-dir state --window 50ms");
    let window = |facts: &Json| facts["window_seconds"].as_f64().unwrap();
    assert!(window(&facts(&place, "")) > 0.0, "that of the agent");
    place.ok("touch -d '3 hours ago' state/agent/last-snapshot.json");
    assert_eq!(window(&facts(&place, "")), 0.0, "an audit of now");
    // A snapshot that cannot be read, and what is none.
    for damage in ["echo '{' >", "rm state/agent/last-snapshot.json; mkfifo"] {
        place.ok(&format!("{damage} state/agent/last-snapshot.json"));
        let facts = facts(&place, "");
        assert!(window(&facts) == 0.0 && facts["findings"].is_object(), "{damage}: {facts}");
    }
}

#[test]
fn the_script_never_fails_and_says_why_there_are_no_facts() {
    let place = place();
    for (settings, error) in [
        (instead("exit 3"), "the audit ended with exit code 3; run: sysctl-advisor audit --window 0"),
        (instead("sleep 60"), "the audit did not end within 1 seconds; run: sysctl-advisor audit --window 0"),
        (
            instead("trap \"\" TERM; sleep 60 & wait; sleep 60"),
            "the audit did not end within 1 seconds; run: sysctl-advisor audit --window 0",
        ),
        (instead("echo nothing; exit 0"), "the audit ended with exit code 0; run: sysctl-advisor audit --window 0"),
        ("PATH=/usr/bin:/bin".to_owned(), "sysctl-advisor is not installed"),
    ] {
        let facts = facts(&place, &format!("export FACTS_LIMIT=1\n{settings}"));
        assert_eq!(facts, serde_json::json!({"schema": "sysctl-advisor/facts/1", "error": error}));
    }
    // Codes that say something else beside the report.
    std::fs::write(place.work.path().join("strict.toml"), "[audit]\nfail_on = \"notice\"\n").unwrap();
    let found = facts(&place, "export SYSCTL_ADVISOR_CONFIG=$W/strict.toml");
    assert!(found["findings"]["timestamps-off"].is_object(), "{found}");
}
