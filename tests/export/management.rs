//! Configuration management: dry run, real run, second run.

use crate::place::{Place, needs};

#[test]
fn ansible_checks_changes_and_has_nothing_to_do_the_second_time() {
    needs("ansible-playbook", "ansible");
    let place = Place::new();
    let plan = place.plan();
    place.ok("sysctl-advisor export ansible --style play plan.json -o play.yml");
    let play = "ansible-playbook -i localhost, -c local -e ansible_python_interpreter=/usr/bin/python3 \
                play.yml";
    let recap = |text: &str| {
        let number = |name: &str| text.split_once(&format!("{name}=")).unwrap().1.split(' ').next().unwrap().to_owned();
        (number("changed"), number("failed"), number("skipped"))
    };
    let all = plan.len().to_string();
    assert_eq!(recap(&place.ok(&format!("{play} --check"))), (all.clone(), "0".into(), "0".into()));
    place.assert_untouched();
    assert_eq!(recap(&place.ok(play)), (all, "0".into(), "0".into()));
    place.assert_mended(&plan);
    assert_eq!(recap(&place.ok(play)), ("0".into(), "0".into(), "0".into()));
    // At a boot the file does it.
    place.break_again();
    place.ok("/lib/systemd/systemd-sysctl");
    place.assert_mended(&plan);
    // Somebody raised what is wanted at least: it stays.
    place.ok("sysctl -qw net.ipv4.tcp_max_tw_buckets=500000");
    assert_eq!(recap(&place.ok(play)), ("0".into(), "0".into(), "1".into()));
    assert_eq!(place.value("net.ipv4.tcp_max_tw_buckets"), "500000");
}

#[test]
fn ansible_takes_the_tasks_and_the_vars_too() {
    needs("ansible-playbook", "ansible");
    let place = Place::new();
    let plan = place.plan();
    place.ok("sysctl-advisor export ansible plan.json -o tasks.yml");
    place.ok("sysctl-advisor export ansible --style vars plan.json -o vars.yml");
    let head = "- hosts: all\n  gather_facts: false\n";
    let by_tasks = format!("{head}  tasks:\n    - ansible.builtin.import_tasks: tasks.yml\n");
    let by_vars = format!(
        "{head}  vars_files: [vars.yml]\n  tasks:\n    - ansible.posix.sysctl:\n        name: \"{{{{ item.name }}}}\"\n        \
         value: \"{{{{ item.value }}}}\"\n        sysctl_file: \"{{{{ sysctl_advisor_file }}}}\"\n        sysctl_set: true\n        \
         reload: false\n      loop: \"{{{{ sysctl_advisor_sysctls }}}}\"\n"
    );
    for (name, text) in [("by-tasks.yml", by_tasks), ("by-vars.yml", by_vars)] {
        std::fs::write(place.work.path().join(name), text).unwrap();
        place.ok(&format!(
            "ansible-playbook -i localhost, -c local -e ansible_python_interpreter=/usr/bin/python3 {name}"
        ));
        place.assert_mended(&plan);
        place.break_again();
    }
}

#[test]
fn puppet_shows_applies_and_has_nothing_to_do_the_second_time() {
    needs("puppet", "puppet");
    let place = Place::new();
    let plan = place.plan();
    place.ok("sysctl-advisor export puppet plan.json -o sysctl.pp");
    place.ok("puppet parser validate sysctl.pp");
    place.ok("puppet apply --noop sysctl.pp");
    place.assert_untouched();
    let apply = |place: &Place| place.sh("puppet apply --detailed-exitcodes sysctl.pp").status.code();
    assert_eq!(apply(&place), Some(2), "2: there were changes");
    place.assert_mended(&plan);
    assert_eq!(apply(&place), Some(0), "0: there was nothing to do");
    // The other styles are for types that Debian has no package of: their text is read, not applied.
    place.ok("sysctl-advisor export puppet --style augeasproviders plan.json -o augeas.pp && puppet parser validate augeas.pp");
}

#[test]
fn tuned_activates_the_profile_over_the_active_one_and_verifies_it() {
    needs("tuned-adm", "tuned");
    needs("dbus-daemon", "dbus");
    let place = Place::new();
    let plan = place.plan();
    place.ok("cp -a /etc/tuned own && mount --bind own /etc/tuned && mkdir /etc/tuned/base");
    place.ok("printf '[main]\\nsummary=base\\n[sysctl]\\nnet.ipv4.tcp_fin_timeout=59\\n' > /etc/tuned/base/tuned.conf");
    place.ok("echo base > /etc/tuned/active_profile");
    place.ok("sysctl-advisor export tuned plan.json -o /etc/tuned");
    assert!(place.ok("cat /etc/tuned/sysctl-advisor/tuned.conf").contains("\ninclude=base\n"));
    place.ok("mount -t tmpfs none /run && mkdir -p /run/dbus /run/tuned && dbus-daemon --system --fork --nopidfile");
    place.ok("tuned -d -l tuned.log -P tuned.pid -p sysctl-advisor");
    place.ok("for i in $(seq 300); do tuned-adm active 2>/dev/null | grep -q sysctl-advisor && exit 0; sleep 0.1; done; exit 1");
    place.ok("for i in $(seq 300); do tuned-adm verify && exit 0; sleep 0.1; done; cat tuned.log; exit 1");
    place.assert_mended(&plan);
    assert_eq!(place.value("net.ipv4.tcp_fin_timeout"), "59", "the included profile is still in force");
}

#[test]
fn cloud_init_finds_the_fragment_valid_and_its_commands_set_the_values() {
    needs("cloud-init", "cloud-init");
    let place = Place::new();
    let plan = place.plan();
    place.ok("sysctl-advisor export cloud-init plan.json -o cloud.yaml");
    let valid = place.ok("cloud-init schema --config-file cloud.yaml");
    assert!(valid.contains("Valid"), "{valid}");
    // What its modules do, in their order, with cloud-init's own function for the files.
    let run = "import yaml, subprocess, logging\n\
               from cloudinit.config import cc_write_files\n\
               config = yaml.safe_load(open('cloud.yaml'))\n\
               assert set(config) <= {'write_files', 'runcmd'}, config\n\
               cc_write_files.write_files('export', config['write_files'], 'root:root')\n\
               [subprocess.run(command, check=True) for command in config['runcmd']]\n";
    std::fs::write(place.work.path().join("run.py"), run).unwrap();
    place.ok("/usr/bin/python3 run.py");
    place.assert_mended(&plan);
}

#[test]
fn ignition_takes_its_config_and_the_files_in_it_set_the_values() {
    needs("ignition-validate", "ignition");
    let place = Place::new();
    let plan = place.plan();
    place.ok("sysctl-advisor export ignition plan.json -o config.ign");
    place.ok("ignition-validate config.ign");
    let run = "import json, urllib.request\n\
               for file in json.load(open('config.ign'))['storage']['files']:\n    \
               open(file['path'], 'wb').write(urllib.request.urlopen(file['contents']['source']).read())\n";
    std::fs::write(place.work.path().join("run.py"), run).unwrap();
    place.ok("/usr/bin/python3 run.py && /lib/systemd/systemd-sysctl");
    place.assert_mended(&plan);
}

#[test]
fn a_container_runtime_s_options_are_words_of_a_shell() {
    let place = Place::new();
    let plan = place.plan();
    for name in ["docker", "podman"] {
        place.ok(&format!("sysctl-advisor export {name} plan.json -o sysctls.sh"));
        let words = place.ok(". ./sysctls.sh; printf '%s\\n' \"$@\"");
        let wanted: Vec<_> = plan.iter().map(|(key, value)| format!("--sysctl\n{key}={value}\n")).collect();
        assert_eq!(words, wanted.concat(), "{name}");
    }
}

#[test]
fn nix_evaluates_the_module_to_the_values_of_the_plan() {
    needs("nix-instantiate", "nix-bin");
    let place = Place::new();
    let plan = place.plan();
    place.ok("sysctl-advisor export nixos plan.json -o module.nix");
    let evaluated = place.ok("nix-instantiate --eval --strict --json --store dummy:// -E \
         '(import ./module.nix { lib.mkDefault = value: value; }).boot.kernel.sysctl'");
    let values: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&evaluated).unwrap();
    assert_eq!(values.len(), plan.len());
    for (key, proposed) in &plan {
        let value = &values[key];
        assert_eq!(value.as_str().map_or_else(|| value.to_string(), str::to_owned), *proposed, "{key}");
    }
}
