//! A terminal that a test can look at and type into: tmux, with a shell in it.
//!
//! In: tmux, keys. Out: what the terminal shows, and how it is set. Must not: touch a tmux server of somebody else; each
//! terminal has a server of its own, in the network namespace of the calling thread.

use std::path::Path;
use std::process::Command;

use super::lab::{run, wait_until};

/// A terminal of a test.
#[derive(Debug)]
pub(crate) struct Tmux {
    folder: tempfile::TempDir,
}

impl Tmux {
    /// A terminal of this size in which an interactive shell waits with the prompt `ready> `.
    pub(crate) fn start(width: u16, height: u16) -> Self {
        let tmux = Self { folder: tempfile::tempdir().unwrap() };
        let (width, height) = (width.to_string(), height.to_string());
        let shell = "env -i PATH=\"$PATH\" HOME=/nonexistent LANG=C.UTF-8 TERM=\"$TERM\" PS1='ready> ' bash --norc -i";
        tmux.ask(&["-f", "/dev/null", "-u", "new-session", "-d", "-x", &width, "-y", &height, shell]);
        tmux.wait_for("ready>");
        tmux
    }

    /// What a command of tmux prints.
    pub(crate) fn ask(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.env_remove("TMUX").arg("-S").arg(self.socket()).args(arguments);
        run(&mut command)
    }

    /// Types keys, by their names in tmux: `Down`, `Enter`, `C-z`, `q`.
    pub(crate) fn keys(&self, keys: &[&str]) {
        self.ask(&[&["send-keys"], keys].concat());
    }

    /// Types a line at the shell.
    pub(crate) fn line(&self, text: &str) {
        self.ask(&["send-keys", "-l", text]);
        self.keys(&["Enter"]);
    }

    /// The text of the screen.
    pub(crate) fn screen(&self) -> String {
        self.ask(&["capture-pane", "-p"])
    }

    /// Waits until the screen has the text, and returns the screen.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        self.wait(&format!("the terminal shows {text:?}"), |screen| screen.contains(text))
    }

    /// Waits for a screen that is `done` and whole: tmux may show the upper half of a new screen above the rest of the old one,
    /// so two looks in a row have to agree. A screen that never rests is taken as it is after some looks.
    pub(crate) fn wait(&self, what: &str, done: impl Fn(&str) -> bool) -> String {
        const RESTLESS: usize = 20;
        let (mut seen, mut looks) = (String::new(), 0);
        let waited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_until(what, || {
                std::thread::sleep(std::time::Duration::from_millis(50));
                let before = std::mem::replace(&mut seen, self.screen());
                let is_done = done(&seen);
                looks += usize::from(is_done);
                is_done && (before == seen || looks > RESTLESS)
            });
        }));
        assert!(waited.is_ok(), "waited in vain until {what}; the terminal shows:\n{seen}");
        seen
    }

    /// The process that runs in front of the shell.
    pub(crate) fn process(&self, name: &str) -> i32 {
        let shell = self.ask(&["list-panes", "-F", "#{pane_pid}"]);
        let children = run(Command::new("ps").args(["-o", "pid=,comm=", "--ppid", shell.trim()]));
        let of_name = children.lines().find(|line| line.contains(name));
        of_name.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_else(|| panic!("{children}"))
    }

    /// Waits for the prompt, and makes sure that the terminal is one that a person can work with.
    pub(crate) fn assert_restored(&self) {
        self.wait("the shell has its screen and waits", |screen| {
            self.flag("alternate_on") == "0" && screen.trim_end().ends_with("ready>")
        });
        self.line("stty -a; echo checked");
        let settings = self.wait_for("\nchecked");
        for setting in ["icanon", "echo", "isig", "icrnl", "opost"] {
            assert!(settings.split_whitespace().any(|word| word == setting), "{setting}: {settings}");
        }
        assert_eq!(self.flag("cursor_flag"), "1", "the cursor is visible");
    }

    fn flag(&self, name: &str) -> String {
        self.ask(&["display-message", "-p", &format!("#{{{name}}}")]).trim().to_owned()
    }

    fn socket(&self) -> std::path::PathBuf {
        Path::new(self.folder.path()).join("tmux")
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").env_remove("TMUX").arg("-S").arg(self.socket()).arg("kill-server").status();
    }
}
