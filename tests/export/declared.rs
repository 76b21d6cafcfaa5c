//! `lint` and `drift --against`: the values that files of other tools declare, read as those tools read them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::place::{Place, needs};
use crate::random::Random;

/// Formats and styles whose files declare values, with the name that their tool wants.
const READABLE: [(&str, &str); 16] = [
    ("sysctl.d", "a.conf"),
    ("sysctl-commands", "commands.yml"),
    ("ansible --style tasks", "tasks.yml"),
    ("ansible --style vars", "vars.yml"),
    ("ansible --style play", "play.yml"),
    ("puppet --style hiera", "hiera.yaml"),
    ("salt --style state", "a.sls"),
    ("salt --style pillar", "pillar.sls"),
    ("kubernetes --style pod", "pod.yaml"),
    ("docker --style compose", "compose.yml"),
    ("cloud-init", "user-data"),
    ("butane --style fcos", "a.bu"),
    ("ignition", "a.ign"),
    ("talos", "patch.yaml"),
    ("bottlerocket", "user.toml"),
    ("nixos", "nixos.json"),
];

/// Key and text of each value that a file declares, and how the key stands.
fn declared(place: &Place, file: &str, arguments: &str) -> BTreeMap<String, (String, String)> {
    let text = place.ok(&format!("sysctl-advisor drift --against {file} --window 0 --format json {arguments}"));
    let json: Json = serde_json::from_str(&text).unwrap();
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    let keys = json["keys"].as_array().unwrap().iter().filter(|key| !key["boot"].is_null());
    keys.map(|key| (text(&key["key"]), (text(&key["boot"]["text"]), text(&key["status"])))).collect()
}

#[test]
fn what_an_export_declares_is_what_the_plan_asks_for() {
    needs("nix-instantiate", "nix-bin");
    let place = Place::new();
    let plan: BTreeMap<String, String> = place.plan().into_iter().collect();
    for (format, file) in READABLE {
        match format {
            "nixos" => {
                place.ok("sysctl-advisor export nixos plan.json -o module.nix");
                let evaluate =
                    "(import ./module.nix { lib = { mkForce = x: x; mkDefault = x: x; }; config = {}; pkgs = {}; })";
                place.ok(&format!("nix-instantiate --eval --strict --json -E '{evaluate}' > nixos.json"));
            }
            "sysctl-commands" => {
                place.ok("sysctl-advisor export sysctl-commands plan.json -o commands.sh");
                place.ok("printf 'runcmd:\\n' > commands.yml; grep -v '^#' commands.sh | grep sysctl | sed \"s/'/''/g; s/^/  - '/; s/$/'/\" >> commands.yml");
            }
            _ => {
                place.ok(&format!(
                    "sysctl-advisor export {format} --partial plan.json -o out && rm -rf {file} && mv out {file}"
                ));
                place.ok(&format!("if [ -d {file} ]; then f=$(find {file} -type f | head -1); mv $f found && rm -r {file} && mv found {file}; fi"));
            }
        }
        let found: BTreeMap<String, String> =
            declared(&place, file, "").into_iter().map(|(key, (text, _))| (key, text)).collect();
        assert_eq!(found, plan, "{format}");
    }
}

#[test]
fn after_ansible_ran_everything_that_its_file_declares_is_in_force() {
    needs("ansible-playbook", "ansible");
    let place = Place::new();
    place.plan();
    place.ok("sysctl-advisor export ansible --style play plan.json -o play.yml");
    let not_in_sync = || {
        let keys = declared(&place, "play.yml", "");
        keys.into_iter().filter(|(_, (_, status))| status != "in_sync").map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_ne!(not_in_sync(), Vec::<String>::new());
    place.ok("ansible-playbook -i localhost, -c local -e ansible_python_interpreter=/usr/bin/python3 play.yml");
    assert_eq!(not_in_sync(), Vec::<String>::new());
}

#[test]
fn a_value_that_the_load_needs_more_of_is_answered_with_the_recommended_one() {
    let place = Place::new();
    place.ok("printf 'net.ipv4.ip_local_port_range: \"40000 40400\"\\n' > few.yml");
    let json: Json =
        serde_json::from_str(&place.ok("sysctl-advisor drift --against few.yml --window 0 --format json")).unwrap();
    let finding = &json["findings"][0];
    assert_eq!(finding["lines"][0]["line"], 1, "{json:#}");
    assert_eq!(finding["proposed"][0]["key"], "net.ipv4.ip_local_port_range");
}

/// Plain scalars on which readers of YAML differ, or that look as if they did.
const SCALARS: [&str; 54] = [
    "1",
    "0",
    "-1",
    "+1",
    "007",
    "0600",
    "08",
    "0x1F",
    "0o17",
    "0b101",
    "1_000",
    "1e3",
    "1E3",
    "1.5",
    ".5",
    "1.",
    "1.e+3",
    "1e-3",
    "6.8523015e+5",
    "685_230.15",
    ".inf",
    "-.Inf",
    ".nan",
    "1:30",
    "190:20:30",
    "20:30.15",
    "yes",
    "Yes",
    "YES",
    "no",
    "No",
    "on",
    "On",
    "off",
    "OFF",
    "true",
    "True",
    "TRUE",
    "false",
    "y",
    "n",
    "Y",
    "~",
    "null",
    "Null",
    "",
    "fq",
    "bbr",
    "4096 131072 6291456",
    "2001-12-14",
    "1,000",
    "0-3",
    "1;2",
    "a:b",
];

#[test]
fn a_scalar_without_a_remark_is_the_text_that_ansible_and_salt_read() {
    needs("python3", "python3-yaml");
    let place = Place::new();
    let mut random = Random(20_261_129);
    let mut scalars: Vec<String> = SCALARS.map(str::to_owned).to_vec();
    while scalars.len() < 400 {
        let pieces = ["0", "1", "9", "07", "_", ".", ":", "e", "+", "-", "x", "o", "yes", "on", "inf"];
        let scalar: String = (0..1 + random.below(4)).map(|_| random.one(&pieces)).collect();
        // What YAML itself gives a meaning to is not a plain scalar.
        if !scalar.ends_with(':') && !scalar.starts_with('-') {
            scalars.push(scalar);
        }
    }
    let mut document = "sysctls:\n".to_owned();
    for (number, scalar) in scalars.iter().enumerate() {
        document.push_str(&format!("  net.x.k{number}: {scalar}\n"));
    }
    std::fs::write(place.work.path().join("a.yml"), &document).unwrap();
    let python = "import yaml, json, datetime\n\
                  values = yaml.safe_load(open('a.yml'))['sysctls']\n\
                  text = lambda v: None if v is None else str(v)\n\
                  print(json.dumps({k: text(v) for k, v in values.items()}))\n";
    std::fs::write(place.work.path().join("read.py"), python).unwrap();
    let theirs: BTreeMap<String, Option<String>> = serde_json::from_str(&place.ok("/usr/bin/python3 read.py")).unwrap();
    let ours = declared(&place, "a.yml", "--netns none");
    let lint = place.ok("sysctl-advisor lint --fail-on never --format ndjson a.yml");
    let remarked: Vec<u64> = lint
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap())
        .filter(|line| line["code"].as_str().is_some_and(|code| code.starts_with("yaml_")))
        .map(|line| line["line"].as_u64().unwrap())
        .collect();
    let (mut same, mut told) = (0, 0);
    for (number, scalar) in scalars.iter().enumerate() {
        let key = format!("net.x.k{number}");
        let our = ours.get(&key).map(|(text, _)| text.as_str());
        if remarked.contains(&(number as u64 + 2)) {
            told += 1;
            continue;
        }
        let their = theirs[&key].as_deref();
        // The kernel reads digits after a 0 as octal and after 0x as hexadecimal, as YAML 1.1 does.
        let kernel = our.and_then(number_of_the_kernel).map(|number| number.to_string());
        assert!(our == their || kernel.as_deref() == their, "`{scalar}`: {our:?}, and PyYAML has {their:?}");
        same += 1;
    }
    println!("{same} of {} scalars are the same text, {told} got a remark", scalars.len());
    assert!(same > 100 && told > 20, "{same} {told}");
}

fn number_of_the_kernel(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text.strip_prefix('+').unwrap_or(text)), |rest| (-1, rest));
    let number = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None if digits.starts_with('0') => i64::from_str_radix(digits, 8).ok(),
        None => digits.parse().ok(),
    };
    number.map(|number| sign * number)
}
