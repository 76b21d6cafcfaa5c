//! Values of any text come through each language unchanged, read by the language's own reader.
//!
//! In: values that a key of text may have, up to the nastiest. Out: assertions. Must not: judge the quoting by itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use sysctl_advisor::export::{self, Options, named};
use sysctl_advisor::keys;
use sysctl_advisor::plan::model::{Plan, PlannedChange};
use sysctl_advisor::plan::store;

use crate::place::{Place, needs};
use crate::random::Random;

/// Each is one that a language gives a meaning to.
const PIECES: [&str; 30] = [
    "'",
    "\"",
    "\\",
    "${x}",
    "$(id)",
    "`id`",
    "{{ 7*7 }}",
    "{% raw %}",
    "{#",
    "#",
    "%h",
    "!",
    "&a",
    "*a",
    "|",
    ">",
    "yes",
    "on",
    "null",
    "~",
    "0644",
    "1e3",
    "1_000",
    "- a",
    "a: b",
    "[x]",
    "\\n",
    "''",
    "=",
    ";",
];
const KEY: &str = "net.ipv4.tcp_congestion_control";
const VALUES: usize = 120;

fn values() -> Vec<String> {
    let mut random = Random(20_261_129);
    let mut values: Vec<String> = PIECES.map(str::to_owned).to_vec();
    while values.len() < VALUES {
        let pieces: Vec<_> = (0..1 + random.below(4)).map(|_| random.one(&PIECES)).collect();
        values.push(pieces.join(["", " "][random.below(2)]));
    }
    values
}

/// A plan that sets the key to this value; its file does not take all of them, so it is made by hand.
fn plan(value: &str) -> Plan {
    let file = r#"{"schema": "sysctl-advisor/plan/1", "made_at": "2026-11-29T00:00:00Z",
        "host": {"hostname": "web-1", "boot_id": null}, "changes": [{"namespace": "host", "namespace_id": "net:[1]",
        "key": "net.ipv4.tcp_congestion_control", "expected": "cubic", "proposed": "reno", "risk": "low",
        "takes_effect": "At once.", "side_effects": "", "rules": ["a-rule"], "findings": [], "rehearsed": null}]}"#;
    let plan = store::parse("plan", file.as_bytes()).unwrap();
    let after = keys::parse(keys::catalogue().get(KEY).unwrap(), value).unwrap();
    let changes = plan.changes.into_iter().map(|change| PlannedChange { after: after.clone(), ..change }).collect();
    Plan { changes, ..plan }
}

/// The artefacts of one style for every value: files `0`, `1`, ... in this folder of the place.
fn lay(place: &Place, format: &str, style: &str) -> Vec<String> {
    let folder = place.work.path().join(format!("{format}-{style}"));
    fs::create_dir(&folder).unwrap();
    let options = Options { style: Some(style.to_owned()), ..Options::default() };
    let mut wanted = Vec::new();
    for (number, value) in values().iter().enumerate() {
        let plan = plan(value);
        let exported = export::write(&plan, named(format).unwrap(), &options).unwrap();
        fs::write(folder.join(number.to_string()), &exported.files[0].text).unwrap();
        wanted.push(plan.changes[0].after.to_string());
    }
    wanted
}

#[test]
fn yaml_reads_every_value_back() {
    let place = Place::new();
    let readers = [
        ("ansible", "tasks", "next(t for t in d if 'ansible.posix.sysctl' in t)['ansible.posix.sysctl']['value']"),
        ("ansible", "vars", "d['sysctl_advisor_sysctls'][0]['value']"),
        ("puppet", "hiera", "d['sysctl::values'][K]['value']"),
        ("salt", "state", "d[K]['sysctl.present'][0]['value']"),
        ("salt", "pillar", "d['sysctl_advisor']['sysctls'][K]"),
        ("kubernetes", "pod", "d['spec']['template']['spec']['securityContext']['sysctls'][0]['value']"),
        ("docker", "compose", "d['services']['SERVICE']['sysctls'][K].replace('$$', '$')"),
        ("talos", "patch", "d['machine']['sysctls'][K]"),
        ("butane", "fcos", "d['storage']['files'][0]['contents']['inline'].splitlines()[-1].split(' = ', 1)[1]"),
    ];
    for (format, style, path) in readers {
        let wanted = lay(&place, format, style);
        let script = format!(
            "import yaml, json\nK = '{KEY}'\ndef read(n):\n    d = yaml.safe_load(open('{format}-{style}/' + str(n)))\n    return \
             {path}\nprint(json.dumps([read(n) for n in range({VALUES})]))\n"
        );
        fs::write(place.work.path().join("read.py"), script).unwrap();
        let read: Vec<String> = serde_json::from_str(&place.ok("/usr/bin/python3 read.py")).unwrap();
        assert_eq!(read, wanted, "{format}, {style}");
    }
}

#[test]
fn the_files_inside_a_cloud_config_have_every_value() {
    let place = Place::new();
    let wanted = lay(&place, "cloud-init", "cloud-config");
    let script = format!(
        "import yaml, json\nread = lambda n: yaml.safe_load(open('cloud-init-cloud-config/' + str(n)))['write_files'][0]['content']\n\
         print(json.dumps([read(n).splitlines()[-1].split(' = ', 1)[1] for n in range({VALUES})]))\n"
    );
    fs::write(place.work.path().join("read.py"), script).unwrap();
    let read: Vec<String> = serde_json::from_str(&place.ok("/usr/bin/python3 read.py")).unwrap();
    assert_eq!(read, wanted);
}

#[test]
fn toml_and_the_urls_of_ignition_read_every_value_back() {
    let place = Place::new();
    let wanted = lay(&place, "bottlerocket", "settings");
    lay(&place, "ignition", "config");
    for (number, wanted) in wanted.iter().enumerate() {
        let text = fs::read_to_string(place.work.path().join(format!("bottlerocket-settings/{number}"))).unwrap();
        let read: toml::Table = toml::from_str(&text).unwrap();
        assert_eq!(read["settings"]["kernel"]["sysctl"][KEY].as_str(), Some(wanted.as_str()));
    }
    let script = format!(
        "import json, urllib.parse\nread = lambda n: json.load(open('ignition-config/' + str(n)))['storage']['files'][0]\n\
         print(json.dumps([urllib.parse.unquote(read(n)['contents']['source']).splitlines()[-1].split(' = ', 1)[1] for n in \
         range({VALUES})]))\n"
    );
    fs::write(place.work.path().join("read.py"), script).unwrap();
    let read: Vec<String> = serde_json::from_str(&place.ok("/usr/bin/python3 read.py")).unwrap();
    assert_eq!(read, wanted);
}

#[test]
fn nix_reads_every_value_back() {
    needs("nix-instantiate", "nix-bin");
    let place = Place::new();
    let wanted = lay(&place, "nixos", "module");
    let modules: String = (0..VALUES).fold(String::new(), |mut text, number| {
        write!(text, "(import ./nixos-module/{number} {{ }}).boot.kernel.sysctl.\"{KEY}\" ").unwrap();
        text
    });
    fs::write(place.work.path().join("all.nix"), format!("[ {modules} ]")).unwrap();
    let read = place.ok("nix-instantiate --eval --strict --json --store dummy:// all.nix");
    assert_eq!(serde_json::from_str::<Vec<String>>(&read).unwrap(), wanted);
}

#[test]
fn the_shell_reads_every_value_back() {
    let place = Place::new();
    let wanted = lay(&place, "sysctl-commands", "set");
    // A function in place of the program: it holds `cubic` and prints what it is told to set.
    let stub = "sysctl() { if [ \"$1\" = -n ]; then echo cubic; else printf '%s\\n' \"$2\"; fi; }\n";
    let script = format!("{stub}for n in $(seq 0 {}); do . ./sysctl-commands-set/$n; done", VALUES - 1);
    fs::write(place.work.path().join("all.sh"), script).unwrap();
    let read = place.ok("sh all.sh");
    let read: Vec<&str> = read.lines().map(|line| line.split_once('=').unwrap().1).collect();
    assert_eq!(read, wanted);
}

#[test]
fn puppet_reads_every_value_back() {
    needs("puppet", "puppet");
    let place = Place::new();
    let wanted = lay(&place, "puppet", "augeasproviders");
    // One manifest with all values, and a type of that name that prints them.
    let mut manifest = "define sysctl($ensure, $value, $target) { notice(\"${title}=${value}\") }\n".to_owned();
    for number in 0..VALUES {
        let text = fs::read_to_string(place.work.path().join(format!("puppet-augeasproviders/{number}"))).unwrap();
        manifest.push_str(&text.replace(&format!("'{KEY}'"), &format!("'number {number}'")));
    }
    fs::write(place.work.path().join("all.pp"), manifest).unwrap();
    let text = place.ok("puppet apply --color=false all.pp 2>&1");
    let read: BTreeMap<usize, String> = text
        .lines()
        .filter_map(|line| line.split_once("): number ")?.1.split_once('='))
        .map(|(number, value)| (number.parse().unwrap(), value.to_owned()))
        .collect();
    assert_eq!(read.into_values().collect::<Vec<_>>(), wanted);
}
