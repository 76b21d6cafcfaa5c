//! What each key does.

use super::scene::{FIN, FIVE, PROGRAM, REUSE, SOMAXCONN, Scene, Wish, wish};

const LOW: &str = "Apply the 2 low-risk changes now, and at each boot";

#[test]
fn every_answer_does_what_it_says_after_the_last_yes() {
    let scene = Scene::new(FIVE);
    let waivers = scene.file("waivers.toml");
    // The file does not exist: it is made when it is written.
    let more = ["--waivers", waivers.to_str().unwrap()];
    let talk = scene.talk(&more, LOW);
    talk.press("e", "a-reuse found something");
    talk.press("a", "b-queue found something");
    talk.press("r", "c-fin found something");
    talk.press("m", "Why it matters is explained at length by c-fin");
    talk.press("Escape", "Question 3 of 5");
    talk.press("s", "d-sack found something");
    talk.press("w", "Why do you accept this finding?");
    talk.type_line("", "expected a line of text");
    talk.type_line("old peers", "Who is responsible");
    talk.type_line("alice", "Until which day");
    talk.type_line("2000-01-01", "this day is in the past");
    talk.tmux.keys(&["C-u"]);
    talk.type_line("2999-12-31", "e-more found something");
    let summary = talk.press("s", "Summary: 1 change at each boot, 1 change in the running system only");
    for shown in
        ["1  - net.ipv4.tcp_tw_reuse = 2", "2  - net.core.somaxconn = 4096", "until 2999-12-31, by alice: old peers"]
    {
        assert!(summary.contains(shown), "{shown}:\n{summary}");
    }
    assert_eq!(scene.values(), ["2", "4096", "60"], "nothing is written yet");
    let last = talk.end("y");
    assert_eq!(scene.values(), ["1", "8192", "60"]);
    for shown in
        ["keep it until the next boot", "make it permanent", "roll it back", "d-sack is waived until 2999-12-31"]
    {
        assert!(last.replace('\n', "").contains(shown), "{shown}:\n{last}");
    }
    for id in ["1", "2"] {
        assert!(
            scene.host.state().join("changes").join(id).join("baseline.json").exists(),
            "measured before change {id}"
        );
    }
    let written = std::fs::read_to_string(&waivers).unwrap();
    assert!(written.contains("rule = \"d-sack\"") && written.contains("reason = \"old peers\""), "{written}");
    assert!(!scene.has_answers(), "what is written is not kept");

    // The waived finding is not asked about again, and what was changed is not a wish any more.
    let talk = scene.talk(&more, "4 findings: 4 notices");
    talk.end("q");
    scene.host.ok(&["rollback", "1", "--yes"]);
    assert_eq!(scene.values(), ["2", "8192", "60"]);
}

#[test]
fn one_key_applies_all_that_is_safe_and_the_printed_command_makes_it_permanent() {
    let scene = Scene::new(&FIVE[..2]);
    let talk = scene.talk_on((160, 40), &[], LOW);
    talk.press("y", "Summary: 2 changes at each boot");
    let screen = talk.end("y");
    assert_eq!(scene.values(), ["1", "8192", "60"]);
    let confirm = screen.lines().find(|line| line.contains(" confirm 1 ")).unwrap();
    let (command, _) = confirm.trim().split_once("  ").unwrap();
    assert!(command.contains("--state-dir"), "{command}");
    let tmux = scene.terminal(160, 40);
    tmux.line(&format!("{command}; echo code $?"));
    tmux.wait_for("code 0");
    let drop_in = scene.host.drop_in().unwrap();
    assert!(
        drop_in.contains("net.core.somaxconn = 8192") && drop_in.contains("net.ipv4.tcp_tw_reuse = 1"),
        "{drop_in}"
    );
}

#[test]
fn what_lasts_waits_for_what_it_needs_of_the_running_system() {
    let (probing, segment) = ("net.ipv4.tcp_mtu_probing", "net.ipv4.tcp_base_mss");
    let scene = Scene::new(&[wish("a-probing", probing, "1", "medium"), wish("b-segment", segment, "1200", "medium")]);
    let talk = scene.talk(&[], "2  more to decide");
    talk.press("f", "a-probing found something");
    talk.press("a", "b-segment found something");
    talk.press("r", "Summary: 1 change at each boot, 1 change in");
    talk.end("y");
    let values = [probing, segment].map(|key| scene.host.lab.sysctl(key));
    assert_eq!(values, ["1", "1200"]);
    let changes = scene.changes();
    let place = |key| changes.find(key).unwrap_or_else(|| panic!("{changes}"));
    assert!(place(segment) < place(probing), "{changes}");
}

#[test]
fn back_forward_and_the_number_in_the_summary_change_an_answer() {
    let scene = Scene::new(FIVE);
    let talk = scene.talk(&[], LOW);
    talk.press("n", "c-fin found something");
    talk.press("a", "d-sack found something");
    let back = talk.press("b", "c-fin found something");
    assert!(back.contains("Your answer: apply, now and at each boot."), "{back}");
    talk.press("Right", "d-sack found something");
    talk.press("Left", "c-fin found something");
    talk.press("Enter", "d-sack found something");
    talk.press("s", "e-more found something");
    let summary = talk.press("f", "Summary: 1 change at each boot, 3 skipped, 1 not decided");
    let third = summary.lines().find(|line| line.contains("- net.ipv4.tcp_fin_timeout = 60")).unwrap();
    assert!(third.trim_start().starts_with("3 "), "{summary}");
    talk.press("1", "Number: 1");
    talk.press("Enter", "Change your answer");
    talk.press("r", "Summary: 1 change at each boot, 1 change in the running system only");
    talk.press("7", "Number: 7");
    talk.press("Enter", "expected a number from 1 to 5");
    talk.press("Escape", "[x] export");
    // No goes nowhere and loses nothing.
    talk.press("n", "Nothing was written. Press q to leave");
    talk.end("q");
    assert_eq!(scene.values(), ["2", "4096", "60"]);
}

#[test]
fn what_an_answer_ends_is_not_asked_about() {
    let when = "net.ipv4.tcp_sack == 1";
    let follows = Wish { when, ..wish("b-follows", "net.ipv4.tcp_dsack", "0", "medium") };
    let advice = Wish { when, change: None, ..wish("c-advice", "", "", "") };
    let scene = Scene::new(&[wish("a-first", "net.ipv4.tcp_sack", "0", "medium"), follows, advice]);
    let talk = scene.talk(&[], "3 findings");
    talk.press("f", "Question 1 of 2");
    let summary = talk.press("r", "Summary: 1 change in the running system only");
    assert!(!summary.contains("tcp_dsack") && !summary.contains("b-follows"), "{summary}");
    talk.press("b", "a-first found something");
    talk.press("s", "b-follows found something");
    talk.press("s", "1 finding needs something else than a sysctl");
    talk.end("q");
}

#[test]
fn what_no_sysctl_ends_is_one_list_from_which_it_is_read_and_waived() {
    let advice = |id| Wish { change: None, ..wish(id, "", "", "") };
    let scene = Scene::new(&[advice("a-peer"), advice("b-peer")]);
    let waivers = scene.file("waivers.toml");
    std::fs::write(&waivers, "").unwrap();
    let talk = scene.talk(&["--waivers", waivers.to_str().unwrap()], "2  no sysctl helps");
    let list = talk.press("f", "2 findings need something else than a sysctl");
    assert!(list.contains("application: Close what is not needed.") && !list.contains("Then look again"), "{list}");
    talk.press("2", "Number: 2");
    let shown = talk.press("Enter", "b-peer found something");
    assert!(!shown.contains("[a]pply") && !shown.contains("[r]unning"), "{shown}");
    talk.press("w", "Why do you accept");
    talk.type_line("it is theirs", "Who is responsible");
    talk.type_line("alice", "Until which day");
    let list = talk.press("Enter", "waive until");
    assert!(list.contains("1  notice    a-peer"), "{list}");
    talk.press("f", "Summary: 1 waived.");
    talk.end("y");
    let written = std::fs::read_to_string(&waivers).unwrap();
    assert!(written.contains("rule = \"b-peer\"") && !written.contains("a-peer"), "{written}");
    assert!(!scene.host.state().join("changes").exists(), "a waiver is not a change");
}

#[test]
fn where_nothing_lasts_nothing_is_said_to() {
    let scene = Scene::new(FIVE).outside();
    let start = scene.talk(&[], "Apply the 2 low-risk changes in the running system only?");
    start.press("y", "c-fin found something");
    let shown = start.tmux.screen();
    assert!(shown.contains("It cannot be made permanent: no boot sets up this network namespace."), "{shown}");
    assert!(!shown.contains("[a]pply") && shown.contains("[r]unning system only"), "{shown}");
    // The key does nothing.
    start.press("a", "Question 1 of 3");
    start.press("r", "Question 2 of 3");
    start.press("s", "Question 3 of 3");
    start.press("s", "Summary: 3 changes in the running system only, 2 skipped.");
    let last = start.end("y");
    assert!(last.contains("keep it until the next boot") && !last.contains("make it permanent"), "{last}");
    assert_eq!(scene.values(), ["1", "8192", "30"]);
    // A drop-in that cannot be written is the same.
    let scene = Scene::new(&FIVE[..2]);
    scene.host.shell("mount -o remount,ro /etc/sysctl.d");
    let talk = scene.talk(&[], "Apply the 2 low-risk changes in the running system only?");
    talk.press("e", "cannot be written: Read-only file system");
    talk.end("q");
}

#[test]
fn what_may_not_be_changed_is_in_the_list_with_the_reason() {
    let scene = Scene::new(&FIVE[..2]);
    scene.configure("[apply]\nnever = [\"net.core.*\"]\n");
    let talk = scene.talk(&[], "Apply the low-risk change now");
    talk.press("n", "net.core.somaxconn cannot be applied here: the configuration");
    talk.press("f", "Summary: 1 skipped");
    // There is nothing to write.
    talk.press("y", "Summary: 1 skipped");
    talk.end("q");
    assert_eq!(scene.values(), ["2", "4096", "60"]);
}

#[test]
fn a_change_that_waits_for_a_confirmation_is_named_before_the_first_question() {
    let scene = Scene::new(&[FIVE[0], wish("b-other", REUSE, "1", "low")]);
    let plan = scene.host.plan(&[(REUSE, "2", "0")]);
    scene.host.ok(&["apply", &plan, "--yes", "--window", "0"]);
    let talk = scene.talk_on((200, 40), &[], "net.ipv4.tcp_tw_reuse is not confirmed yet");
    let screen = talk.tmux.screen().replace('\n', " ");
    let command = format!("sysctl-advisor rollback 1 --state-dir {}", scene.host.state().display());
    assert!(screen.contains(&command), "{screen}");
    talk.end("q");
}

#[test]
fn a_value_that_moved_while_the_person_thought_is_left_alone() {
    let scene = Scene::new(&FIVE[..1]);
    let talk = scene.talk(&[], "Apply the low-risk change now");
    talk.press("y", "Summary: 1 change at each boot");
    scene.host.lab.set(REUSE, "0");
    talk.tmux.keys(&["y"]);
    let screen = talk.ended(4);
    assert!(screen.contains("drifted since the plan was made"), "{screen}");
    assert_eq!(scene.host.lab.sysctl(REUSE), "0");
    assert!(scene.has_answers(), "the answers are still there for another run");
}

#[test]
fn without_a_terminal_or_with_rules_that_others_may_write_it_refuses() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::{Command, Stdio};
    let scene = Scene::new(&FIVE[..1]);
    let command = scene.command(&[]);
    let refused = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(refused(Command::new(PROGRAM).args(&command[1..])).contains("needs a terminal"));

    let rule = scene.file("rules/a-reuse.toml");
    std::fs::set_permissions(&rule, std::fs::Permissions::from_mode(0o666)).unwrap();
    let talk = scene.talk(&[], "a-reuse.toml");
    talk.ended(2);
    assert_eq!(scene.values().map(|value| value.len()), [1, 4, 2], "{FIN} {SOMAXCONN} and the others are as they were");
}

#[test]
fn more_opens_the_pager_and_comes_back() {
    let scene = Scene::new(&FIVE[2..3]);
    let tmux = scene.terminal(80, 24);
    let pager = scene.file("pager");
    std::fs::write(&pager, "#!/bin/sh\ncat > \"$0.text\"\necho the pager has it\nread -r line < /dev/tty\n").unwrap();
    std::fs::set_permissions(&pager, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    tmux.line(&format!("export PAGER={}; clear; {}; echo code $?", pager.display(), scene.command(&[]).join(" ")));
    tmux.wait_for("1  more to decide");
    tmux.keys(&["f"]);
    tmux.wait_for("Question 1 of 1");
    tmux.keys(&["m"]);
    tmux.wait_for("the pager has it");
    tmux.keys(&["Enter"]);
    tmux.wait_for("Question 1 of 1");
    tmux.keys(&["q"]);
    tmux.wait_for("code 0");
    tmux.assert_restored();
    let text = std::fs::read_to_string(scene.file("pager.text")).unwrap();
    assert!(text.contains("Why it matters is explained at length by c-fin") && text.contains("worse if"), "{text}");
}
