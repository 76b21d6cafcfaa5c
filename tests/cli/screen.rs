//! What a person sees: the program on a real terminal, made by script(1), of a given size.

use std::path::Path;

use super::{PROGRAM, command, data, finish};

/// What the terminal of so many columns and lines shows of these commands; `$0` in them is the program.
fn shown(commands: &str, columns: usize, lines: usize, home: &Path) -> String {
    let inner = format!("stty cols {columns} rows {lines}; {}", commands.replace("$0", PROGRAM));
    let mut script = command("script");
    script.args(["-qec", &inner, "/dev/null"]);
    script
        .env("XDG_STATE_HOME", home)
        .env("SYSCTL_ADVISOR_CONFIG", "/dev/null")
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    script.env("PAGER", "sed 's/^/paged: /'");
    finish(&mut script).out.replace('\r', "")
}

fn wide(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

#[test]
fn a_report_fits_onto_the_terminal_and_is_as_wide_as_it() {
    let home = tempfile::tempdir().unwrap();
    let audit = format!("$0 audit --snapshot {}", data("does-not-accept.json"));
    for (columns, lines) in [(80, 24), (60, 20), (200, 50)] {
        let text = shown(&audit, columns, lines, home.path());
        assert!(text.lines().count() <= lines - 2, "{columns}x{lines}:\n{text}");
        assert!(text.contains("1 thing hurts now"), "{text}");
        assert!(!text.contains("paged"), "{text}");
        // A command has to be whole, however long it is.
        let prose: String =
            text.lines().filter(|line| !line.starts_with("  sysctl-advisor")).map(|it| format!("{it}\n")).collect();
        assert!(wide(&prose) <= columns, "{columns}x{lines}:\n{text}");
        assert!(columns < 100 || wide(&text) > 100, "there is room:\n{text}");
    }
}

#[test]
fn what_is_longer_than_the_screen_goes_through_the_pager_and_not_if_that_is_not_wanted() {
    let home = tempfile::tempdir().unwrap();
    let full = format!("$0 audit --full --snapshot {}", data("does-not-accept.json"));
    let text = shown(&full, 80, 24, home.path());
    assert!(text.lines().count() > 24 && text.lines().all(|line| line.starts_with("paged:")), "{text}");
    for commands in [format!("{full} --no-pager"), format!("PAGER= {full}"), format!("TERM=dumb {full}")] {
        let text = shown(&commands, 80, 24, home.path());
        assert!(text.lines().count() > 24 && !text.contains("paged"), "{commands}:\n{text}");
    }
    let missing = shown(&format!("PAGER=/no/such/pager {full}"), 80, 24, home.path());
    assert!(missing.contains("does not accept connections"), "the text is not lost:\n{missing}");
}

#[test]
fn the_numbers_on_the_screen_have_a_meaning_afterwards() {
    let home = tempfile::tempdir().unwrap();
    // A namespace with one fault of its own: timestamps are off.
    let inside = "unshare --net sh -c 'sysctl -qw net.ipv4.tcp_timestamps=0; $0 audit --window 0'";
    let screen = shown(inside, 80, 24, home.path());
    let line =
        screen.lines().find(|line| line.contains("TCP timestamps are off")).unwrap_or_else(|| panic!("{screen}"));
    let number = line.split_whitespace().next().unwrap();

    // The machine itself has timestamps: what is shown is what was on the screen.
    let one = shown(&format!("$0 audit {number} --no-pager"), 80, 24, home.path());
    assert!(one.contains(&format!("Finding {number} of the audit at ")), "{one}");
    assert!(one.contains("sysctl -w net.ipv4.tcp_timestamps=1"), "{one}");
    let rule = shown(&format!("$0 explain {number} --no-pager"), 80, 24, home.path());
    assert!(rule.starts_with("WARNING TCP timestamps are off\n\ntimestamps-off\n"), "{rule}");
    let welcome = shown("$0", 80, 24, home.path());
    assert!(welcome.starts_with("The last audit here, ") && welcome.contains("TCP timestamps are off"), "{welcome}");
    assert!(welcome.lines().count() <= 22, "{welcome}");

    let none = shown("$0 audit 99; $0 explain 99", 80, 24, home.path());
    assert_eq!(none.matches("99").count(), 2, "{none}");
    assert!(none.contains("no finding 99 in the last audit on this terminal, which has"), "{none}");

    // An id of a rule asks how it is now, and no format for programs has one finding alone.
    let now = shown("unshare --net $0 audit timestamps-off --window 0", 80, 24, home.path());
    assert!(now.contains("no finding `timestamps-off` in this audit"), "{now}");
    let json = shown(&format!("$0 audit {number} --format json"), 80, 24, home.path());
    assert!(json.contains("without FINDING the format json has all of them"), "{json}");
}

#[test]
fn a_report_without_numbers_does_not_replace_the_one_that_has_them() {
    let home = tempfile::tempdir().unwrap();
    let _ = shown("unshare --net $0 audit --window 0 -q", 80, 24, home.path());
    assert!(!home.path().join("sysctl-advisor").exists());
}

#[test]
fn in_a_pipe_nothing_is_remembered_and_nothing_is_paged() {
    let home = tempfile::tempdir().unwrap();
    let text = shown("unshare --net $0 audit --window 0 --full | cat; $0 explain 1", 80, 24, home.path());
    assert!(!text.contains("paged"), "{text}");
    assert!(text.contains("no audit on this terminal is remembered"), "{text}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn the_memory_of_the_last_audit_is_readable_for_its_user_alone_and_may_be_damaged() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    let _ = shown("unshare --net $0 audit --window 0", 80, 24, home.path());
    let file = home.path().join("sysctl-advisor/last-audit.json");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    for damage in ["", "{", "{\"schema\":\"sysctl-advisor/last-audit/2\"}", "\u{1b}[31m"] {
        std::fs::write(&file, damage).unwrap();
        let text = shown("$0 explain 1", 80, 24, home.path());
        assert!(text.contains("no audit on this terminal is remembered"), "{damage:?}: {text}");
        assert!(!text.contains("panicked"), "{text}");
    }
}

#[test]
fn a_locale_without_utf_8_gets_the_same_page_in_ascii() {
    let home = tempfile::tempdir().unwrap();
    let audit = format!("$0 audit --snapshot {}", data("does-not-accept.json"));
    let text = shown(&format!("LC_ALL=C; export LC_ALL; {audit}"), 80, 24, home.path());
    assert!(text.is_ascii() && text.contains("####") && text.contains("# ESTABLISHED 18  = LISTEN 1"), "{text}");
    let utf8 = shown(&format!("LC_ALL=C.UTF-8; export LC_ALL; {audit}"), 80, 24, home.path());
    assert!(utf8.contains("█ ESTABLISHED 18  ▓ LISTEN 1"), "{utf8}");
    assert_eq!(text.lines().count(), utf8.lines().count());
}

#[test]
fn the_commands_to_type_next_are_complete_and_survive_a_shell() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("host's state.json");
    std::fs::copy(data("does-not-accept.json"), &file).unwrap();
    std::fs::create_dir(home.path().join("rules")).unwrap();
    let audit = format!("cd {}; $0 audit --snapshot \"host's state.json\" --rules rules", home.path().display());
    let text = shown(&audit, 120, 30, home.path());
    let first = text.lines().find(|line| line.starts_with("  sysctl-advisor audit ")).unwrap();
    let command = first.split("  why").next().unwrap().trim().strip_prefix("sysctl-advisor").unwrap();
    assert!(command.contains("--rules rules"), "{text}");
    let again = shown(&format!("cd {}; $0{command}", home.path().display()), 120, 50, home.path());
    assert!(again.contains("Finding 1 of the audit at"), "{command}: {again}");
}
