//! "Did you mean": where a person types the name of a key, a part of the name or a misspelt one finds it.
//!
//! The suggestion of a rule's file is in `bad_input`, that of `history` in `tests/live/history`.

use super::{data, run};

/// The full name of the key, however its last part is misspelt and whatever is before it.
#[test]
fn a_misspelt_key_without_its_directory_finds_the_full_name() {
    let (snapshot, folder) = (data("quiet.json"), tempfile::tempdir().unwrap());
    let root = folder.path().to_str().unwrap();
    for typed in ["tcp_fin_timeuot", "net.ipv4.tcp_fin_timeuot", "net/ipv4/tcp_fin_timeuot"] {
        for (arguments, code) in [
            (&["explain", typed][..], 0),
            (&["plan", "--snapshot", &snapshot, "--no-rehearse", "--only", typed], 2),
            (&["drift", "--root", root, "--netns", "none", typed], 0),
        ] {
            let run = run(arguments);
            assert_eq!(run.code, code, "{run:?}");
            let said = [run.out.as_str(), run.err.as_str()].concat();
            let found = said.split_whitespace().collect::<Vec<_>>().join(" ");
            let answers = ["did you mean `net.ipv4.tcp_fin_timeout`?", "key explain net.ipv4.tcp_fin_timeout "];
            assert!(answers.iter().any(|answer| found.contains(answer)), "{arguments:?}: {run:?}");
        }
    }
}

#[test]
fn a_word_that_is_like_no_name_has_no_suggestion() {
    let run = run(&["explain", "nonsense"]);
    assert!(run.code == 2 && !run.err.contains("did you mean"), "{run:?}");
}
