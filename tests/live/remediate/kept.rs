//! Nothing that was answered is lost: quitting, going on, saving, exporting, throwing away.

use super::scene::{FIVE, REUSE, Scene, wish};

const LOW: &str = "Apply the 2 low-risk changes";

#[test]
fn a_conversation_goes_on_where_it_was_left() {
    let scene = Scene::new(FIVE);
    let talk = scene.talk(&[], LOW);
    talk.press("y", "c-fin found something");
    talk.press("s", "d-sack found something");
    let screen = talk.end("q");
    assert!(screen.contains("Nothing was written.") && screen.contains("Kept: 3 answers. To continue:"), "{screen}");
    assert!(screen.replace('\n', "").contains("sysctl-advisor remediate --config"), "{screen}");
    assert_eq!(scene.values(), ["2", "4096", "60"]);

    let talk = scene.talk(&[], "3 answers are kept from an earlier run, the last of ");
    talk.press("c", "d-sack found something");
    talk.press("s", "e-more found something");
    talk.press("s", "Summary: 2 changes at each boot, 3 skipped.");
    talk.end("C-c");

    // Another proposal is another question.
    let rule = scene.file("rules/a-reuse.toml");
    let text = std::fs::read_to_string(&rule).unwrap();
    std::fs::write(&rule, text.replace("value = '1'", "value = '0'")).unwrap();
    let talk = scene.talk(&[], "5 answers are kept");
    let screen = talk.press("c", LOW);
    assert!(screen.contains("the finding or the proposal is another one now: a-reuse."), "{screen}");
    talk.end("q");

    let talk = scene.talk(&[], "[n]ew");
    talk.press("n", LOW);
    talk.end("q");
    assert!(!scene.has_answers());
}

#[test]
fn answers_are_thrown_away_only_after_a_question() {
    let scene = Scene::new(&FIVE[..1]);
    let talk = scene.talk(&[], "low-risk change");
    talk.press("y", "Summary: 1 change");
    talk.press("t", "Throw all answers away?");
    talk.press("n", "Summary: 1 change");
    talk.press("t", "Throw all answers away?");
    let screen = talk.end("y");
    assert!(screen.contains("Nothing was written, and the answers were thrown away."), "{screen}");
    assert!(!scene.has_answers() && scene.values()[0] == "2");
}

#[test]
fn a_file_of_somebody_else_is_named_and_left_alone() {
    let scene = Scene::new(&FIVE[..1]);
    std::fs::create_dir(scene.host.state()).unwrap();
    let file = scene.host.state().join("remediate.json");
    std::fs::write(&file, "{\"schema\": \"mine\"}").unwrap();
    let talk = scene.talk(&[], "the answers of this run are not kept");
    talk.press("y", "Summary: 1 change");
    talk.end("q");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"schema\": \"mine\"}");
}

#[test]
fn a_saved_plan_is_one_that_apply_takes_by_the_printed_command() {
    let scene = Scene::new(FIVE);
    std::fs::write(scene.file("notes"), "mine").unwrap();
    let talk = scene.talk_on((200, 40), &[], LOW);
    talk.press("y", "c-fin found something");
    talk.press("r", "d-sack found something");
    talk.press("s", "e-more found something");
    talk.press("s", "Summary: 2 changes at each boot, 1 change in the running system only");
    talk.press("s", "File for the plan: [plan.json]");
    talk.type_line("notes", "notes exists and is not a plan");
    talk.tmux.keys(&["C-u"]);
    talk.type_line("my plan.json", "Saved in my plan.json and my plan-running.json.");
    let screen = talk.end("q");
    assert_eq!(std::fs::read_to_string(scene.file("notes")).unwrap(), "mine");
    assert_eq!(scene.values(), ["2", "4096", "60"]);

    let commands: Vec<&str> = screen.lines().filter(|line| line.contains("advisor apply ")).collect();
    assert_eq!(commands.len(), 2, "{screen}");
    let tmux = scene.terminal(200, 40);
    for command in commands {
        let (command, _) = command.trim().rsplit_once("  ").unwrap();
        tmux.line(&format!("clear; {command} --yes --window 0; echo code $?"));
        tmux.wait_for("code 0");
    }
    assert_eq!(scene.values(), ["1", "8192", "30"]);
    let changes = scene.changes();
    assert!(changes.contains("effective, not confirmed"), "{changes}");
    let second = scene.host.ok(&["confirm", "2"]);
    assert!(!second.out.contains("next boot sets them"), "only for the running system: {second:?}");
    assert!(scene.host.ok(&["confirm", "1"]).out.contains("next boot sets them"));
}

#[test]
fn the_changes_are_exported_for_another_tool() {
    let scene = Scene::new(&[FIVE[0], wish("b-fin", super::scene::FIN, "30", "medium")]);
    let talk = scene.talk(&[], "low-risk change");
    talk.press("y", "b-fin found something");
    talk.press("r", "Summary: 1 change at each boot, 1 change in");
    talk.press("x", "Format, one of sysctl.d");
    talk.type_line("ansibel", "`ansible` is similar");
    talk.tmux.keys(&["C-u"]);
    talk.type_line("", "File or folder to write to");
    let shown = talk.press("Enter", "net.ipv4.tcp_tw_reuse = 1");
    assert!(!shown.contains("tcp_fin_timeout"), "a drop-in is for each boot: {shown}");
    talk.press("x", "1 change for the running system only left out");
    talk.press("x", "Format, one of sysctl.d");
    talk.type_line("sysctl-commands", "File or folder to write to");
    talk.type_line("set.sh", "Exported as sysctl-commands to set.sh");
    talk.end("q");
    assert_eq!(scene.host.lab.sysctl(REUSE), "2");
    let text = std::fs::read_to_string(scene.file("set.sh")).unwrap();
    assert!(text.contains("tcp_tw_reuse=1") && text.contains("tcp_fin_timeout=30"), "{text}");
    scene.host.shell(&format!("sh -e {}", scene.file("set.sh").display()));
    assert_eq!(scene.values(), ["1", "4096", "30"]);
}

#[test]
fn without_a_state_directory_the_answers_are_in_the_user_s_folder() {
    use std::os::unix::fs::MetadataExt as _;
    let scene = Scene::new(&FIVE[..1]);
    let home = scene.file("home");
    let file = home.join(".local/state/sysctl-advisor/remediate.json");
    let command = scene.command(&[]);
    let state = command.iter().position(|word| word == "--state-dir").unwrap();
    let command = [&command[..state], &command[state + 2..]].concat().join(" ");
    for (shows, key, next) in
        [("low-risk change", "y", "Summary: 1 change"), ("1 answer is kept", "n", "low-risk change")]
    {
        let tmux = scene.terminal(80, 24);
        tmux.line(&format!("clear; HOME={} {command}; echo code $?", home.display()));
        tmux.wait_for(shows);
        tmux.keys(&[key]);
        tmux.wait_for(next);
        assert_eq!(file.exists(), key == "y", "{key}");
        tmux.keys(&["q"]);
        tmux.wait_for("code 0");
        if key == "y" {
            assert_eq!(file.metadata().unwrap().mode() & 0o7777, 0o600);
            assert_eq!(file.parent().unwrap().metadata().unwrap().mode() & 0o7777, 0o700);
        }
    }
    assert!(!scene.host.state().exists());
}
