//! The pictures of README: what a terminal really shows, from recordings that give the same screen everywhere.

use crate::support::picture::{assert_is_current, svg};
use crate::support::tmux::Tmux;

const PROGRAM: &str = env!("CARGO_BIN_EXE_sysctl-advisor");
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

/// A terminal in which `sysctl-advisor` is the program of this build and `tests/data` is where README has it.
fn terminal(lines: u16) -> Tmux {
    let tmux = Tmux::start(80, lines);
    tmux.line(&format!("cd {DATA}/../..; PATH={}:$PATH; clear", PROGRAM.trim_end_matches("/sysctl-advisor")));
    tmux
}

#[test]
fn the_picture_of_the_report_is_what_the_terminal_shows() {
    let tmux = terminal(24);
    tmux.line("SYSCTL_ADVISOR_CONFIG= ; sysctl-advisor audit --snapshot tests/data/does-not-accept.json");
    tmux.wait_for("--full");
    let screen = tmux.ask(&["capture-pane", "-p", "-e"]);
    let report = screen.split_once("sysctl-advisor on ").unwrap();
    let start = report.0.rfind('\n').map_or(0, |end| end + 1);
    let until = screen.rfind("ready>").map_or(screen.len(), |prompt| screen[..prompt].rfind('\n').unwrap());
    let picture = svg("The report of sysctl-advisor audit on a terminal", &screen[start..until]);
    assert_is_current("audit.svg", &picture);
}

#[test]
fn the_picture_of_the_live_view_is_what_the_terminal_shows() {
    let tmux = terminal(24);
    tmux.line(
        "sysctl-advisor watch --config /dev/null --state-dir /nonexistent --replay tests/data/watch.ndjson --speed 50",
    );
    tmux.wait_for("look 17 of 17");
    // The last look is drawn again when the recording is over.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let picture = svg(
        "sysctl-advisor watch while a listener fills up and ports run out",
        &tmux.ask(&["capture-pane", "-p", "-e"]),
    );
    assert_is_current("watch.svg", &picture);
    tmux.keys(&["q"]);
    tmux.wait_for("ready>");
}
