//! A whole conversation about real faults, and the audit after it.

use super::scene::Scene;

/// What an old guide writes into a host's files.
const OLD_GUIDE: &[(&str, &str)] = &[
    ("net.ipv4.tcp_sack", "0"),
    ("net.ipv4.tcp_timestamps", "0"),
    ("net.ipv4.tcp_window_scaling", "0"),
    ("net.ipv4.tcp_abort_on_overflow", "1"),
    ("net.ipv4.tcp_fin_timeout", "5"),
    ("net.ipv4.ip_local_port_range", "40000 40400"),
    ("net.ipv4.tcp_rmem", "4096 4096 8192"),
    ("net.core.somaxconn", "16"),
];

#[test]
fn the_settings_of_an_old_guide_are_repaired_and_the_audit_after_it_is_quiet() {
    let scene = Scene::new(&[]);
    std::fs::write(scene.file("config.toml"), "").unwrap();
    let file: String = OLD_GUIDE.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    std::fs::write(scene.host.path("/etc/sysctl.d/10-guide.conf"), file).unwrap();
    OLD_GUIDE.iter().for_each(|(key, value)| scene.host.lab.set(key, value));

    let talk = scene.talk_on((120, 40), &[], "low-risk changes now, and at each boot");
    talk.tmux.keys(&["y"]);
    // Every other decision is one about a change: apply it.
    let mut questions = 0;
    loop {
        let screen = talk.tmux.wait("a question or the summary", |screen| {
            screen.contains("Question ") || screen.contains("Summary: ") || screen.contains("something else")
        });
        let next = |done: &str| !screen.contains(done);
        match () {
            () if !next("Summary: ") => break,
            () if !next("something else") => talk.tmux.keys(&["f"]),
            () => {
                talk.tmux.keys(&["a"]);
                questions += 1;
            }
        }
        talk.tmux.wait("another screen", |now| now != screen);
        assert!(questions < 10, "{screen}");
    }
    let summary = talk.tmux.screen();
    assert!(!summary.contains("not decided"), "{summary}");
    talk.end("y");
    for (key, value) in OLD_GUIDE {
        assert_ne!(scene.host.lab.sysctl(key), *value, "{key}");
    }
    scene.host.ok(&["confirm", "1", "--force"]);

    let config = scene.file("config.toml");
    let audit = scene.host.ok(&["audit", "--window", "0", "--format", "json", "--config", config.to_str().unwrap()]);
    let report: serde_json::Value = serde_json::from_str(&audit.out).unwrap();
    let wishes: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| !finding["recommendations"].as_array().is_none_or(Vec::is_empty))
        .map(|finding| finding["rule"].clone())
        .collect();
    assert!(wishes.is_empty(), "{wishes:?}");
    let talk = scene.terminal(120, 40);
    talk.line(&format!("clear; {}; echo code $?", scene.command(&[]).join(" ")));
    let screen =
        talk.wait("it has nothing to change", |screen| screen.contains("code 0") || screen.contains("findings"));
    assert!(!screen.contains("low risk, and") && !screen.contains("more to decide"), "{screen}");
}
