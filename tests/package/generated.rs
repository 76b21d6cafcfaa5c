//! What a package brings besides the program: man pages and completions, as their own readers judge them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{PROGRAM, attempt, run, words};

fn generated() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(Command::new(PROGRAM).arg("generate").arg(folder.path()));
    folder
}

fn pages(folder: &tempfile::TempDir) -> Vec<PathBuf> {
    let mut pages: Vec<_> =
        fs::read_dir(folder.path().join("man")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    assert!(pages.len() > 15, "{pages:?}");
    pages
}

#[test]
fn man_warns_of_nothing_in_any_page() {
    let folder = generated();
    for page in pages(&folder) {
        let mut man = Command::new("man");
        man.env("LC_ALL", "C.UTF-8").env("MANROFFSEQ", "").env("MANWIDTH", "80");
        let judged = attempt(man.args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"]).arg(&page));
        assert!(judged.status.success() && judged.stderr.is_empty(), "{}: {}", page.display(), words(&judged).len());
        // What `whatis` and `apropos` find a page by.
        let named = run(Command::new("lexgrog").arg(&page));
        assert!(!named.contains("parse failed"), "{named}");
    }
}

#[test]
fn man_would_warn_of_a_macro_that_does_not_exist() {
    let folder = generated();
    let page = folder.path().join("wrong.1");
    fs::write(&page, fs::read_to_string(folder.path().join("man/sysctl-advisor.1")).unwrap() + "\n.XX wrong\n")
        .unwrap();
    let mut man = Command::new("man");
    let judged =
        attempt(man.env("LC_ALL", "C.UTF-8").args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"]).arg(&page));
    assert!(words(&judged).contains("XX"));
}

#[test]
fn the_same_version_gives_the_same_files() {
    let (first, second) = (generated(), generated());
    let tell = |folder: &tempfile::TempDir| run(Command::new("diff").arg("-r").args([first.path(), folder.path()]));
    assert_eq!(tell(&second), "");
}

#[test]
fn bash_completes_commands_and_options() {
    let folder = generated();
    // What bash does at the Tab key, which it does at a prompt only.
    let complete = |line: &str, word: &str| {
        let script = format!(
            "source {}\nfunction=$(complete -p sysctl-advisor | sed 's/.*-F \\([^ ]*\\) .*/\\1/')\n\
             COMP_WORDS=({line}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))\n\
             $function sysctl-advisor {word} '' || true; echo \"${{COMPREPLY[@]}}\"",
            folder.path().join("completions/bash/sysctl-advisor").display()
        );
        run(Command::new("bash").args(["--norc", "-ec", &script]))
    };
    let said = complete("sysctl-advisor au", "au");
    assert_eq!(said, "audit\n");
    assert_eq!(complete("sysctl-advisor audit --fail", "--fail"), "--fail-on\n");
    assert_eq!(complete("sysctl-advisor gen", "gen"), "\n", "hidden commands are not offered");
}

#[test]
fn fish_completes_commands_and_zsh_takes_the_script() {
    let folder = generated();
    let script = folder.path().join("completions/fish/sysctl-advisor.fish");
    let ask = format!("source {}; complete -C 'sysctl-advisor conf'", script.display());
    let said = run(Command::new("fish").env("HOME", folder.path()).args(["--no-config", "-c", &ask]));
    assert!(said.starts_with("config\t") && said.contains("confirm\t"), "{said}");
    let script = folder.path().join("completions/zsh/_sysctl-advisor");
    run(Command::new("zsh").arg("-n").arg(&script));
    let load = format!(
        "fpath=({} $fpath); autoload -Uz compinit; compinit -D -u; print -r -- $_comps[sysctl-advisor]",
        script.parent().unwrap().display()
    );
    assert_eq!(run(Command::new("zsh").env("HOME", folder.path()).args(["-fc", &load])).trim(), "_sysctl-advisor");
}
