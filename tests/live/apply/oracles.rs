//! Those who judge a hardened host: Lynis and OpenSCAP's content of the CIS Benchmark. What they ask for is in docs/hardening.md,
//! and what they still find on a host that followed the hardened profile is what that page says not to follow.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::scene::Scene;
use crate::support::lab::ip;

/// The SCAP Security Guide as Debian has it; it has no content for Debian 12 itself.
const CIS: &str = "/usr/share/xml/scap/ssg/content/ssg-ubuntu2204-ds.xml";
const LYNIS: &str = "/etc/lynis/default.prf";

/// A row of the page: the value asked for, and what is done about it.
struct Row {
    asked: String,
    here: String,
}

fn table() -> BTreeMap<String, Row> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/hardening.md")).unwrap();
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("| `")?.split('|').map(str::trim).collect();
        let [key, asked, _, here, ""] = cells[..] else { panic!("{line}") };
        Some((key.trim_matches('`').to_owned(), Row { asked: asked.to_owned(), here: here.to_owned() }))
    });
    rows.collect()
}

/// What Lynis asks for of the keys of Linux, `0|1` for either.
fn asked_by_lynis() -> BTreeMap<String, String> {
    let text = fs::read_to_string(LYNIS).expect("lynis is in Debian's package lynis");
    let of_linux = ["net.core.", "net.ipv4.", "net.ipv6."];
    let asked = text.lines().filter_map(|line| {
        let mut fields = line.strip_prefix("config-data=sysctl;")?.split(';');
        let key = fields.next()?;
        of_linux.iter().any(|start| key.starts_with(start)).then(|| (key.to_owned(), fields.next().unwrap().to_owned()))
    });
    asked.collect()
}

/// The name that the guide's rules have for a key.
fn rule_of(key: &str) -> String {
    format!("xccdf_org.ssgproject.content_rule_sysctl_{}", key.replace('.', "_"))
}

#[test]
fn every_key_that_lynis_and_the_cis_benchmark_ask_for_is_on_the_page_with_its_value() {
    let table = table();
    for (key, asked) in asked_by_lynis() {
        let row = table.get(&key).unwrap_or_else(|| panic!("docs/hardening.md does not have {key}"));
        assert_eq!(row.asked, asked.replace('|', " or "), "{key}");
    }
    let rules: BTreeSet<String> = cis_rules().into_iter().collect();
    let known: BTreeSet<String> = table.keys().map(|key| rule_of(key)).collect();
    let missing: Vec<_> = rules.difference(&known).collect();
    assert!(rules.len() > 20 && missing.is_empty(), "docs/hardening.md does not have {missing:?}");
    let shipped = sysctl_advisor::rules::set::RuleSet::shipped();
    for (key, Row { here, .. }) in &table {
        let named = here.split('`').skip(1).step_by(2).filter(|name| name.contains('-'));
        let unknown: Vec<_> = named.filter(|name| shipped.get(name).is_none()).collect();
        assert!(unknown.is_empty(), "{key}: {unknown:?}");
        assert!(here.starts_with('`') || here.starts_with("not: "), "{key}: {here}");
    }
}

/// The rules about `net.*` of the profile for servers, level 1.
fn cis_rules() -> Vec<String> {
    let text = fs::read_to_string(CIS).expect("the guide is in Debian's package ssg-debderived");
    let start = text.find("content_profile_cis_level1_server\"").unwrap();
    let profile = &text[start..start + text[start..].find("</xccdf-1.2:Profile>").unwrap()];
    let selects = profile.split("<xccdf-1.2:select ").skip(1).filter(|select| select.contains("selected=\"true\""));
    let ids = selects.filter_map(|select| select.split_once("idref=\"")?.1.split('"').next());
    ids.filter(|id| id.contains("_sysctl_net_")).map(str::to_owned).collect()
}

/// A host with one cable and one router that follows the hardened profile, for good.
fn hardened() -> Scene {
    let scene = Scene::enter();
    ip("route add default via 10.2.0.2");
    let plan = "/etc/sysctl-advisor/plan.json";
    scene.ok(&["plan", "--window", "0", "--profile", "hardened", "-o", plan]);
    scene.ok(&["apply", plan, "--yes"]);
    scene.ok(&["confirm"]);
    scene
}

fn is_not_followed(table: &BTreeMap<String, Row>, key: &str) -> bool {
    table.get(key).is_some_and(|row| row.here.starts_with("not: "))
}

#[test]
fn lynis_finds_on_a_hardened_host_only_what_the_page_says_not_to_follow() {
    let scene = hardened();
    let table = table();
    scene.shell(
        "lynis audit system --tests KRNL-6000 --quick --no-colors --logfile /etc/sysctl-advisor/lynis.log \
         --report-file /etc/sysctl-advisor/lynis.dat >/dev/null 2>&1",
    );
    let report = fs::read_to_string(scene.path("/etc/sysctl-advisor/lynis.dat")).unwrap();
    let found = report.lines().filter(|line| line.contains("KRNL-6000|sysctl|"));
    let keys: BTreeSet<&str> = found.filter_map(|line| line.split_once("field:")?.1.split(';').next()).collect();
    let keys: Vec<_> = keys.into_iter().filter(|key| key.starts_with("net.")).collect();
    // The key belongs to the machine, and this host is a namespace.
    let followed: Vec<_> =
        keys.iter().filter(|key| **key != "net.core.bpf_jit_harden" && !is_not_followed(&table, key)).collect();
    assert!(followed.is_empty(), "{followed:?} of {keys:?}");
    assert!(keys.contains(&"net.ipv4.conf.all.rp_filter"), "Lynis did not look: {keys:?}");
}

/// The content without its conditions on the system: it would call itself not applicable to this one.
fn applicable(content: &str) -> String {
    let mut parts = content.split("<xccdf-1.2:platform ");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + part.split_once("/>").unwrap().1)
}

#[test]
fn the_cis_benchmark_finds_on_a_hardened_host_only_what_the_page_says_not_to_follow() {
    let scene = hardened();
    let table = table();
    let content = scene.path("/etc/sysctl-advisor/content.xml");
    fs::write(&content, applicable(&fs::read_to_string(CIS).unwrap())).unwrap();
    let rules: String = cis_rules().iter().map(|rule| format!("--rule {rule} ")).collect();
    // It exits with 2 if a rule fails.
    scene.shell(&format!(
        "oscap xccdf eval --profile xccdf_org.ssgproject.content_profile_cis_level1_server {rules} \
         --results /etc/sysctl-advisor/results.xml /etc/sysctl-advisor/content.xml >/dev/null 2>&1 || [ $? = 2 ]"
    ));
    let results = fs::read_to_string(scene.path("/etc/sysctl-advisor/results.xml")).unwrap();
    let result = |key: &str| {
        let of_rule = results.split_once(&format!("<rule-result idref=\"{}\"", rule_of(key)))?.1;
        Some(of_rule.split_once("<result>")?.1.split_once('<')?.0.to_owned())
    };
    let judged: Vec<_> = table.iter().filter_map(|(key, row)| Some((key, row, result(key)?))).collect();
    let of = |wanted: &str| judged.iter().filter(|(_, _, result)| result == wanted).count();
    assert!(of("pass") >= 10 && of("pass") + of("fail") == cis_rules().len(), "{:?}", of("notapplicable"));
    for (key, row, _) in judged.iter().filter(|(_, _, result)| result == "fail") {
        // The guide also wants a line in a file for what is right by itself.
        let is_right = scene.lab.sysctl(key) == row.asked;
        assert!(is_right || is_not_followed(&table, key), "{key} is {}", scene.lab.sysctl(key));
    }
}
