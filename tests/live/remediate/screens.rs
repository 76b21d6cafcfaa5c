//! How the screens look, on terminals of three sizes.

use insta::assert_snapshot;

use super::scene::{FIVE, Scene};

const SIZES: [(u16, u16); 3] = [(80, 24), (60, 20), (200, 50)];

/// The screen without what differs between two runs, and without its empty lines at the end.
fn shown(screen: &str, scene: &Scene) -> String {
    let folder = scene.file("").display().to_string();
    let text = screen.replace(folder.trim_end_matches('/'), "FOLDER");
    text.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_overview_asks_about_all_that_is_safe() {
    let scene = Scene::new(FIVE);
    let screens = SIZES.map(|size| {
        let talk = scene.talk_on(size, &[], "low-risk changes");
        let screen = shown(&talk.tmux.screen(), &scene);
        talk.end("q");
        screen
    });
    assert_snapshot!(screens[0], @"
    5 findings: 5 notices.
    Nothing is written before you press y in the summary. Every answer is kept.

        2  low risk, and the kernel accepted it in a scratch namespace: one question
        3  more to decide: one screen for each

    Low risk
      net.ipv4.tcp_tw_reuse  2 -> 1        a-reuse
      net.core.somaxconn     4096 -> 8192  b-queue

    Apply the 2 low-risk changes now, and at each boot after you confirm it?
    [y]es  [r]unning system only  [n]o  [e]ach one by one  [f]orward  [?] help
    [q]uit
    >
    ");
    assert_snapshot!(screens[1], @"
    5 findings: 5 notices.
    Nothing is written before you press y in the summary. Every
    answer is kept.

        2  low risk, and the kernel accepted it in a scratch
           namespace: one question
        3  more to decide: one screen for each

    Low risk
      net.ipv4.tcp_tw_reuse  2 -> 1        a-reuse
      net.core.somaxconn     4096 -> 8192  b-queue

    Apply the 2 low-risk changes now, and at each boot after you
    confirm it?
    [y]es  [r]unning system only  [n]o  [e]ach one by one
    [f]orward  [?] help  [q]uit
    >
    ");
    assert_snapshot!(screens[2], @"
    5 findings: 5 notices.
    Nothing is written before you press y in the summary. Every answer is kept.

        2  low risk, and the kernel accepted it in a scratch namespace: one question
        3  more to decide: one screen for each

    Low risk
      net.ipv4.tcp_tw_reuse  2 -> 1        a-reuse
      net.core.somaxconn     4096 -> 8192  b-queue

    Apply the 2 low-risk changes now, and at each boot after you confirm it?
    [y]es  [r]unning system only  [n]o  [e]ach one by one  [f]orward  [?] help  [q]uit
    >
    ");
}

#[test]
fn a_decision_has_its_numbers_its_change_and_its_price_on_one_screen() {
    let scene = Scene::new(FIVE);
    let screens = SIZES.map(|size| {
        let talk = scene.talk_on(size, &[], "");
        talk.tmux.wait("the first screen", |screen| screen.contains("low-risk changes") || screen.contains("[n]ew"));
        if talk.tmux.screen().contains("[n]ew") {
            talk.press("n", "low-risk changes");
        }
        let screen = shown(&talk.press("y", "c-fin found something"), &scene);
        talk.end("q");
        screen
    });
    assert_snapshot!(screens[0], @"
    Question 1 of 3
    NOTICE    c-fin found something
      evidence  TIME_WAIT  0 sockets
      change    - net.ipv4.tcp_fin_timeout = 60
                + net.ipv4.tcp_fin_timeout = 30
                Risk medium. When the timer is started the next time; a timer that
                  is already running keeps its expiry time: the next socket that
                  enters FIN_WAIT2 without an owner.
                The kernel: Accepts it: tried in a scratch namespace.

    [a]pply now and at each boot  [r]unning system only  [s]kip  [w]aive  [m]ore
    [b]ack  [f]orward  [?] help  [q]uit
    >
    ");
    assert_snapshot!(screens[1], @"
    Question 1 of 3
    NOTICE    c-fin found something
      evidence  TIME_WAIT  0 sockets
      change    - net.ipv4.tcp_fin_timeout = 60
                + net.ipv4.tcp_fin_timeout = 30
                Risk medium. When the timer is started the next
                  time; a timer that is already running keeps
                  its expiry time: the next socket that enters
                  FIN_WAIT2 without an owner.
                The kernel: Accepts it: tried in a scratch
                  namespace.

    [a]pply now and at each boot  [r]unning system only  [s]kip
    [w]aive  [m]ore  [b]ack  [f]orward  [?] help  [q]uit
    >
    ");
    assert_snapshot!(screens[2], @"
    Question 1 of 3
    NOTICE    c-fin found something
      evidence  TIME_WAIT  0 sockets
      change    - net.ipv4.tcp_fin_timeout = 60
                + net.ipv4.tcp_fin_timeout = 30
                Risk medium. When the timer is started the next time; a timer that is already running keeps its expiry time:
                  the next socket that enters FIN_WAIT2 without an owner.
                The kernel: Accepts it: tried in a scratch namespace.

    [a]pply now and at each boot  [r]unning system only  [s]kip  [w]aive  [m]ore  [b]ack  [f]orward  [?] help  [q]uit
    >
    ");
}

#[test]
fn the_summary_is_a_diff_with_numbers() {
    let scene = Scene::new(FIVE);
    let talk = scene.talk(&[], "low-risk changes");
    talk.press("y", "c-fin found something");
    talk.press("r", "d-sack found something");
    talk.press("s", "e-more found something");
    let screen = talk.press("f", "Summary: ");
    assert_snapshot!(shown(&screen, &scene), @"
    Summary: 2 changes at each boot, 1 change in the running system only, 1 skipped,
    1 not decided.

    Now, and at each boot after you confirm it
      1  - net.ipv4.tcp_tw_reuse = 2
         + net.ipv4.tcp_tw_reuse = 1
      2  - net.core.somaxconn = 4096
         + net.core.somaxconn = 8192

    Only in the running system, until the next boot
      3  - net.ipv4.tcp_fin_timeout = 60
         + net.ipv4.tcp_fin_timeout = 30

    Skipped: nothing is changed
      4  d-sack found something

    Not decided: nothing is changed
      5  e-more found something

    [y]es, write now  [number] and Enter: edit  [s]ave as a plan  [x] export
    [t]hrow away  [m]ore  [b]ack  [?] help  [q]uit and keep
    >
    ");
    talk.tmux.ask(&["resize-window", "-x", "60", "-y", "20"]);
    let small = talk.tmux.wait("the small one", |screen| screen.lines().count() == 20 && screen.contains("lines more"));
    assert_snapshot!(shown(&small, &scene), @"
    Summary: 2 changes at each boot, 1 change in the running
    system only, 1 skipped, 1 not decided.

    Now, and at each boot after you confirm it
      1  - net.ipv4.tcp_tw_reuse = 2
         + net.ipv4.tcp_tw_reuse = 1
      2  - net.core.somaxconn = 4096
         + net.core.somaxconn = 8192

    Only in the running system, until the next boot
      3  - net.ipv4.tcp_fin_timeout = 60
         + net.ipv4.tcp_fin_timeout = 30

    Skipped: nothing is changed
    … 4 lines more: m

    [y]es, write now  [number] and Enter: edit  [s]ave as a plan
    [x] export  [t]hrow away  [m]ore  [b]ack  [?] help
    [q]uit and keep
    >
    ");
    let help = talk.press("?", "any key");
    assert!(help.contains("Waive: accept the finding"), "{help}");
    talk.press("x", "Summary: ");
    talk.end("q");
}
