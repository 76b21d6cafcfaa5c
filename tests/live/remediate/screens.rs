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
    assert_snapshot!(screens[0], @"");
    assert_snapshot!(screens[1], @"");
    assert_eq!(screens[2].lines().count(), screens[0].lines().count(), "{}", screens[2]);
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
    assert_snapshot!(screens[0], @"");
    assert_snapshot!(screens[1], @"");
    assert_snapshot!(screens[2], @"");
}

#[test]
fn the_summary_is_a_diff_with_numbers() {
    let scene = Scene::new(FIVE);
    let talk = scene.talk(&[], "low-risk changes");
    talk.press("y", "c-fin found something");
    talk.press("r", "d-sack found something");
    talk.press("s", "e-more found something");
    let screen = talk.press("f", "Summary: ");
    assert_snapshot!(shown(&screen, &scene), @"");
    talk.tmux.ask(&["resize-window", "-x", "60", "-y", "20"]);
    let small = talk.tmux.wait("the small one", |screen| screen.lines().count() == 20 && screen.contains("lines more"));
    assert_snapshot!(shown(&small, &scene), @"");
    let help = talk.press("?", "any key");
    assert!(help.contains("Waive: accept the finding"), "{help}");
    talk.press("x", "Summary: ");
    talk.end("q");
}
