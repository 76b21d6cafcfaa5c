//! Values in documents of each kind, and documents that are none.

use super::*;

/// Place, line, text of the document, and `KEY = VALUE` of each value.
fn values(declared: &Declared) -> Vec<String> {
    let mut all = Vec::new();
    for group in &declared.groups {
        let file = group.as_file("");
        let text = file.text.unwrap();
        let mut at = 0;
        for (number, line) in text.split('\n').enumerate() {
            for piece in line.split('\r').filter(|piece| piece.contains('=')) {
                let start = at + line.find(piece).unwrap();
                let place = &declared.text[group.in_document(&(start..start + piece.len()))];
                all.push(format!("{}|{}|{place}|{piece}", group.place, number + 1));
            }
            at += line.len() + 1;
        }
    }
    all
}

fn of(file: &str, text: &str) -> Declared {
    read(file, text, None).unwrap()
}

fn codes(declared: &Declared) -> Vec<(&'static str, u32)> {
    declared.problems.iter().map(|problem| (problem.code, problem.line)).collect()
}

#[test]
fn ansible_tasks_and_variables() {
    let declared = of(
        "site.yml",
        "\
- hosts: all
  vars:
    sysctls: {net.core.somaxconn: 4096, 'net.ipv4.tcp_rmem': 4096 131072 6291456}
  tasks:
    - name: Set net.ipv4.tcp_tw_reuse
      ansible.posix.sysctl:
        name: net.ipv4.tcp_tw_reuse
        value: \"2\"
    - ansible.posix.sysctl: {name: net.ipv4.tcp_fin_timeout, value: '{{ fin }}'}
    - ansible.posix.sysctl: {name: vm.swappiness, state: absent, value: 1}
    - ansible.posix.sysctl: {name: net.ipv4.ip_forward, value: yes}
      when: is_router
",
    );
    insta::assert_snapshot!(values(&declared).join("\n"), @r#"
    [0].vars.sysctls|3|net.core.somaxconn: 4096|net.core.somaxconn = 4096
    [0].vars.sysctls|3|'net.ipv4.tcp_rmem': 4096 131072 6291456|net.ipv4.tcp_rmem = 4096 131072 6291456
    [0].tasks|8|"2"|net.ipv4.tcp_tw_reuse = 2
    [0].tasks[3]|11|net.ipv4.ip_forward, value: yes|net.ipv4.ip_forward = 1
    "#);
    assert_eq!((codes(&declared), declared.templates), (vec![("yaml_boolean", 11)], 1));
}

#[test]
fn salt_states_hiera_and_nixos() {
    let salt = of(
        "a.sls",
        "net.core.somaxconn:\n  sysctl.present:\n    - value: 4096\nreuse:\n  sysctl.present:\n    - name: net.ipv4.tcp_tw_reuse\n    - value: 2\n",
    );
    let hiera = of(
        "common.yaml",
        "sysctl::values:\n  net.core.somaxconn:\n    ensure: present\n    value: '4096'\n  vm.swappiness: {ensure: absent, value: 1}\n",
    );
    let nixos = of(
        "sysctl.json",
        "{\"boot\":{\"kernel\":{\"sysctl\":{\"net.core.somaxconn\":4096,\"net.ipv4.tcp_timestamps\":true,\"vm.swappiness\":null}}}}",
    );
    let all: Vec<String> = [salt, hiera, nixos].iter().flat_map(values).collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    |3|4096|net.core.somaxconn = 4096
    |7|2|net.ipv4.tcp_tw_reuse = 2
    sysctl::values|4|'4096'|net.core.somaxconn = 4096
    boot.kernel.sysctl|1|"net.core.somaxconn":4096|net.core.somaxconn = 4096
    boot.kernel.sysctl|1|"net.ipv4.tcp_timestamps":true|net.ipv4.tcp_timestamps = 1
    "#);
}

#[test]
fn kubernetes_compose_and_cloud_init() {
    let pods = of(
        "pods.yaml",
        "\
kind: Pod
spec:
  securityContext:
    sysctls:
      - {name: net.core.somaxconn, value: \"1024\"}
      - name: net.ipv4.tcp_syncookies
        value: 1
  initContainers:
    - command: [sh, -c, 'sysctl -w net.ipv4.tcp_tw_reuse=1']
---
kind: Tuned
spec:
  profile:
    - data: |
        [main]
        summary=a
        [sysctl]
        net.core.somaxconn = >2048
",
    );
    assert_eq!(codes(&pods), [("not_a_string", 7)]);
    let compose = of(
        "compose.yml",
        "services:\n  web:\n    sysctls:\n      - net.core.somaxconn=1024\n  db:\n    sysctls:\n      net.core.somaxconn: 2048\n",
    );
    let cloud = of(
        "user-data",
        "#cloud-config\nwrite_files:\n  - path: /etc/sysctl.d/99-a.conf\n    content: |\n      # a\n      net.ipv4.tcp_rmem = 4096 131072 6291456\nruncmd:\n  - [sysctl, -w, net.core.somaxconn=9000]\n",
    );
    let all: Vec<String> = [&pods, &compose, &cloud].into_iter().flat_map(values).collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    document 1: spec.securityContext.sysctls|5|net.core.somaxconn, value: "1024"|net.core.somaxconn = 1024
    document 1: spec.securityContext.sysctls|7|1|net.ipv4.tcp_syncookies = 1
    document 1: spec.initContainers.command|9|'sysctl -w net.ipv4.tcp_tw_reuse=1'|net.ipv4.tcp_tw_reuse = 1
    document 2: spec.profile[0].data|18|net.core.somaxconn = >2048|net.core.somaxconn = 2048
    services.web.sysctls|4|net.core.somaxconn=1024|net.core.somaxconn = 1024
    services.db.sysctls|7|net.core.somaxconn: 2048|net.core.somaxconn = 2048
    write_files.content|6|net.ipv4.tcp_rmem = 4096 131072 6291456|net.ipv4.tcp_rmem = 4096 131072 6291456
    runcmd|8|net.core.somaxconn=9000|net.core.somaxconn = 9000
    "#);
    let owners: Vec<Owner> = pods.groups.iter().chain(&compose.groups).map(|group| group.owner).collect();
    assert_eq!(owners, [Owner::Pod, Owner::Host, Owner::Host, Owner::Container, Owner::Container]);
}

#[test]
fn machines_that_are_configured_as_a_whole() {
    let bottlerocket = of("user.toml", "[settings.kernel.sysctl]\n\"net.core.somaxconn\" = \"9000\"\n");
    let talos = of("talos.yaml", "machine:\n  sysctls:\n    net.core.somaxconn: \"9000\"\n");
    let ignition = of(
        "a.ign",
        "{\"storage\":{\"files\":[{\"path\":\"/etc/sysctl.d/a.conf\",\"contents\":{\"source\":\"data:,net.core.somaxconn%20%3D%209000%0Anet.ipv4.tcp_rmem%3D1%202%203\"}}]}}",
    );
    let tuned = of("a.conf", "[main]\nsummary=a\n[sysctl]\nnet.core.somaxconn=>2048\nvm.swappiness=${x}\n");
    assert_eq!(tuned.templates, 1);
    let all: Vec<String> = [bottlerocket, talos, ignition, tuned].iter().flat_map(values).collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    settings.kernel.sysctl|2|"net.core.somaxconn" = "9000"|net.core.somaxconn = 9000
    machine.sysctls|3|net.core.somaxconn: "9000"|net.core.somaxconn = 9000
    storage.files.contents.source|1|"data:,net.core.somaxconn%20%3D%209000%0Anet.ipv4.tcp_rmem%3D1%202%203"|net.core.somaxconn = 9000
    storage.files.contents.source|1|"data:,net.core.somaxconn%20%3D%209000%0Anet.ipv4.tcp_rmem%3D1%202%203"|net.ipv4.tcp_rmem = 1 2 3
    [sysctl]|4|net.core.somaxconn=>2048|net.core.somaxconn = 2048
    "#);
}

#[test]
fn what_is_not_of_its_syntax_is_refused_with_the_place() {
    let error = |file: &str, text: &str| read(file, text, None).unwrap_err();
    let yaml = error("a.yml", "a:\n  - b\n c: é\n");
    assert!(yaml.to_string().starts_with("a.yml:3:"), "{yaml}");
    let template = error("a.sls", "{% if a %}\nb: {{ c }}\n");
    assert!(template.help.unwrap().contains("template"));
    let json = error("a.json", "{\"a\": [1,}\n");
    assert!(json.to_string().starts_with("a.json:1:"), "{json}");
    let toml = error("a.toml", "a = \n");
    assert!(toml.to_string().starts_with("a.toml:1:"), "{toml}");
    let deep = error("a.yml", &"[".repeat(150));
    assert!(deep.message.contains("levels"), "{deep}");
}

#[test]
fn a_document_of_aliases_stays_small() {
    let mut text = "a0: &a0 [net.core.somaxconn=1]\n".to_owned();
    for level in 1..60 {
        let inner = format!("*a{}, ", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", inner.trim_end_matches(", ")));
    }
    assert_eq!(values(&of("a.yml", &text)).len(), 1);
}

#[test]
fn json_may_be_indented_with_tabs() {
    assert_eq!(of("a.json", "{\n\t\"a\": {\n\t\t\"vm.swappiness\": \"1\"\n\t}\n}\n").groups.len(), 1);
}
