//! Debian's Chromium, which opens a page without a network.
//!
//! In: a file. Out: what the browser made of it. Must not: let it reach anything but the file.

use std::path::Path;
use std::process::Command;

use crate::place::needs;

/// What a browser made of a page.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The document after its scripts ran.
    pub(crate) dom: String,
    /// What the console has to say, a line for each message.
    pub(crate) console: Vec<String>,
}

impl Opened {
    pub(crate) fn title(&self) -> &str {
        self.dom.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).unwrap().0
    }
}

/// Runs the browser with these flags in a network namespace that has nothing but loopback; its output and its messages.
fn run(flags: &[&str], page: &Path) -> (String, String) {
    needs("chromium", "chromium");
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", "ip link set lo up && exec chromium \"$@\"", "chromium"]);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]);
    command.args(["--disable-component-update", "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr"]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.args(flags).arg(format!("file://{}", page.display()));
    let output = command.env("HOME", profile.path()).output().unwrap();
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{messages}");
    (String::from_utf8(output.stdout).unwrap(), messages)
}

/// Opens a page, and waits until its scripts have run.
pub(crate) fn open(page: &Path) -> Opened {
    let (dom, messages) = run(&["--dump-dom", "--window-size=500,800"], page);
    let console = messages.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    Opened { dom, console }
}

/// The text of the page as it is printed.
pub(crate) fn printed(page: &Path) -> String {
    needs("pdftotext", "poppler-utils");
    let folder = tempfile::tempdir().unwrap();
    let pdf = folder.path().join("page.pdf");
    run(&[&format!("--print-to-pdf={}", pdf.display()), "--no-pdf-header-footer"], page);
    let output = Command::new("pdftotext").arg(&pdf).arg("-").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
