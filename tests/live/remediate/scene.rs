//! A host on which only the rules of a test are evaluated, and a conversation with it in tmux.
//!
//! In: wishes of rules. Out: [`Scene`], which starts conversations; [`Talk`], which presses keys and looks at the screen. Must not:
//! write a sysctl of the machine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not in a #[test] function")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apply;
use crate::support::tmux::Tmux;

pub(crate) const REUSE: &str = "net.ipv4.tcp_tw_reuse";
pub(crate) const SOMAXCONN: &str = "net.core.somaxconn";
pub(crate) const FIN: &str = "net.ipv4.tcp_fin_timeout";
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_sysctl-advisor");

/// What a rule of a test wishes for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'a> {
    pub(crate) id: &'a str,
    /// Key and value; without, the rule has only advice.
    pub(crate) change: Option<(&'a str, &'a str)>,
    pub(crate) risk: &'a str,
    /// When it finds something.
    pub(crate) when: &'a str,
}

/// A rule that always finds something.
pub(crate) const fn wish<'a>(id: &'a str, key: &'a str, value: &'a str, risk: &'a str) -> Wish<'a> {
    Wish { id, change: Some((key, value)), risk, when: "tcp.time_wait >= 0" }
}

/// Two of low risk, three others.
pub(crate) const FIVE: &[Wish<'static>] = &[
    wish("a-reuse", REUSE, "1", "low"),
    wish("b-queue", SOMAXCONN, "8192", "low"),
    wish("c-fin", FIN, "30", "medium"),
    wish("d-sack", "net.ipv4.tcp_dsack", "0", "medium"),
    wish("e-more", "net.ipv4.tcp_sack", "0", "high"),
];

/// A host whose boot sets up the network namespace of the test: values can be made permanent.
pub(crate) struct Scene {
    pub(crate) host: apply::scene::Scene,
    /// Whether the conversation is outside, where no boot sets the namespace up.
    outside: bool,
}

impl Scene {
    pub(crate) fn new(wishes: &[Wish<'_>]) -> Self {
        let scene = Self { host: apply::scene::Scene::enter(), outside: false };
        std::fs::create_dir(scene.file("rules")).unwrap();
        for Wish { id, change, risk, when } in wishes {
            let change = change.map_or_else(
                || r#"advise = [{ who = "application", text = "Close what is not needed. Then look again." }]"#.to_owned(),
                |(key, value)| {
                    format!(
                        r#"recommend = [{{ key = "{key}", value = '{value}', bound = "exactly", risk = "{risk}", side_effects = "None." }}]"#
                    )
                },
            );
            let text = format!(
                r#"summary = "a rule of a test"
title = "{id} found something"
severity = "notice"
kind = "hygiene"
when = '{when}'
explain = "Why it matters is explained at length by {id}, for those who want to know."
references = ["RFC 9293"]
evidence."TIME_WAIT" = 'tcp.time_wait'
{change}
guard.worse_if = 'tcp.established > before.tcp.established + 1000'
test = [{{ name = "a", given = {{}}, expect = "fires" }}, {{ name = "b", given."tcp.time_wait" = -1, expect = "quiet" }}]
"#
            );
            // A rule of its own tests each condition; these only have to load.
            let text =
                if change.starts_with("advise") { text.replace("guard.worse_if", "# guard.worse_if") } else { text };
            std::fs::write(scene.file(&format!("rules/{id}.toml")), text).unwrap();
        }
        scene.configure("");
        scene
    }

    /// The same in a namespace that no boot sets up.
    pub(crate) fn outside(self) -> Self {
        Self { outside: true, ..self }
    }

    /// The configuration: the shipped rules are off, and what the test adds.
    pub(crate) fn configure(&self, more: &str) {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let mut shipped = Vec::new();
        for area in std::fs::read_dir(rules).unwrap().map(|area| area.unwrap().path()) {
            if !["keys", "reference", "fragments"].iter().any(|other| area.ends_with(other)) {
                shipped.extend(std::fs::read_dir(area).unwrap().map(|file| file.unwrap().path()));
            }
        }
        let names: Vec<_> = shipped.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()).collect();
        std::fs::write(self.file("config.toml"), format!("[rules]\ndisable = {names:?}\n{more}")).unwrap();
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.host.folder.path().join(name)
    }

    /// The command with the options that every conversation of the scene has.
    pub(crate) fn command(&self, more: &[&str]) -> Vec<String> {
        let path = |name: &str| self.file(name).to_str().unwrap().to_owned();
        let mut command = vec![PROGRAM.to_owned(), "remediate".into()];
        if !more.contains(&"--window") {
            command.extend(["--window".into(), "0".into()]);
        }
        command.extend(["--config".into(), path("config.toml"), "--rules".into(), path("rules")]);
        command.extend(["--state-dir".into(), path("state")]);
        command.extend(more.iter().map(|word| (*word).to_owned()));
        command
    }

    /// A shell of the scene in a terminal of this size. `sysctl-advisor` is the program.
    pub(crate) fn terminal(&self, width: u16, height: u16) -> Tmux {
        let tmux = Tmux::start(width, height);
        let bin = self.file("bin");
        if !bin.exists() {
            std::fs::create_dir(&bin).unwrap();
            std::os::unix::fs::symlink(PROGRAM, bin.join("sysctl-advisor")).unwrap();
        }
        if !self.outside {
            let enter = self.host.inside("bash");
            let words: Vec<&str> = enter.get_args().map(|word| word.to_str().unwrap()).collect();
            tmux.line(&format!("exec nsenter {} --norc -i", words.join(" ")));
        }
        tmux.line(&format!(
            "cd {}; PATH={}:$PATH; export NO_COLOR=1 PAGER=cat; clear",
            self.file("").display(),
            bin.display()
        ));
        tmux.wait_for("ready>");
        tmux
    }

    /// Begins a conversation on a terminal of this size, and waits until it shows this.
    pub(crate) fn talk_on(&self, size: (u16, u16), more: &[&str], shows: &str) -> Talk {
        let talk = Talk { tmux: self.terminal(size.0, size.1) };
        talk.tmux.line(&format!("clear; {}; echo code $?", self.command(more).join(" ")));
        talk.tmux.wait_for(shows);
        talk
    }

    pub(crate) fn talk(&self, more: &[&str], shows: &str) -> Talk {
        self.talk_on((80, 24), more, shows)
    }

    pub(crate) fn values(&self) -> [String; 3] {
        [REUSE, SOMAXCONN, FIN].map(|key| self.host.lab.sysctl(key))
    }

    /// What `changes` reports.
    pub(crate) fn changes(&self) -> String {
        let output = Command::new(PROGRAM).args(["changes", "--state-dir"]).arg(self.host.state()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn has_answers(&self) -> bool {
        self.host.state().join("remediate.json").exists()
    }
}

/// A conversation in a terminal.
pub(crate) struct Talk {
    pub(crate) tmux: Tmux,
}

impl Talk {
    /// Presses a key, and waits until the screen has this text.
    pub(crate) fn press(&self, key: &str, shows: &str) -> String {
        self.tmux.keys(&[key]);
        self.tmux.wait_for(shows)
    }

    /// Types a line and Enter, and waits until the screen has this text.
    pub(crate) fn type_line(&self, line: &str, shows: &str) -> String {
        self.tmux.line(line);
        self.tmux.wait_for(shows)
    }

    /// Waits for the end; the screen, and whether the terminal is as it was.
    pub(crate) fn ended(self, code: i32) -> String {
        let screen = self.tmux.wait_for(&format!("code {code}"));
        self.tmux.assert_restored();
        screen
    }

    /// Presses a key that ends it with success.
    pub(crate) fn end(self, key: &str) -> String {
        self.tmux.keys(&[key]);
        self.ended(0)
    }
}
