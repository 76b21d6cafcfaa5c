//! Our resolution against the real loaders: what `systemd-sysctl` and `sysctl --system` leave in the kernel has to be
//! what we say, key by key.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod corpus;
mod generated;
mod interfaces;
mod lines;
mod sandbox;

use std::fmt::Write;

use sandbox::{LOADERS, Outcome};
use sysctl_advisor::drift::model::Fate;

#[test]
fn every_tree_of_the_corpus_ends_as_we_say() {
    let trees = || corpus::FILES.iter().chain(lines::LINES);
    assert!(trees().count() >= 60, "only {} trees", trees().count());
    let failures = sandbox::inside(move || {
        let mut failures = String::new();
        for (name, tree) in trees() {
            sandbox::lay(tree);
            let mut changed = 0;
            for loader in LOADERS {
                let outcome = sandbox::load(loader);
                changed += outcome.changed();
                check_places(name, &outcome);
                for difference in outcome.differences().into_iter().chain(outcome.false_verdicts()) {
                    writeln!(failures, "{name} ({}): {difference}", loader.name()).unwrap();
                }
            }
            // The values that a namespace begins with in `conf` are those of the machine.
            let is_sure = !tree.contains("conf.") && !tree.contains("ip_forward");
            if is_sure && (changed == 0) != name.starts_with("nothing") {
                writeln!(failures, "{name}: {changed} keys changed").unwrap();
            }
        }
        failures
    });
    assert!(failures.is_empty(), "{failures}");
}

/// The line and the bytes that an assignment names are those where its value stands.
fn check_places(name: &str, outcome: &Outcome) {
    for (key, resolved) in &outcome.ours.keys {
        for line in resolved.shadowed.iter().chain([&resolved.winner]).chain(&resolved.if_refused) {
            let file = outcome.persisted.files.iter().find(|file| file.path == line.file);
            let text = file.and_then(|file| file.text.as_deref()).unwrap_or_else(|| panic!("{name}: {}", line.file));
            let place = text.get(line.span.clone()).unwrap_or_else(|| panic!("{name}: {key} {:?}", line.span));
            assert!(place.ends_with(&line.text), "{name}: {key}: {place}");
            let number = text[..line.span.start].matches('\n').count() + 1;
            assert_eq!(usize::try_from(line.line).unwrap(), number, "{name}: {key}");
            let fate = outcome.ours.files.iter().find(|used| used.file == line.file).map(|used| &used.fate);
            assert!(matches!(fate, Some(Fate::Read { .. })), "{name}: {} {fate:?}", line.file);
        }
    }
}

#[test]
fn generated_trees_end_as_we_say() {
    let (trees, keys, failures) = sandbox::inside(|| generated::run(LOADERS));
    assert!(failures.is_empty(), "{failures}");
    assert!(trees >= 50 && keys >= 1000, "only {trees} trees set {keys} keys");
}

#[test]
fn keys_of_interfaces_end_as_we_say_whatever_is_up_when_the_loader_runs() {
    let (seed, done) = sandbox::inside(move || {
        let seed = interfaces::seed();
        (seed, interfaces::run(seed, LOADERS))
    });
    println!("seed {seed}: {} trees, {} keys set, {} keys compared", done.trees, done.set, done.compared);
    assert!(done.failures.is_empty(), "seed {seed}:\n{}", done.failures);
    assert!(done.trees >= 50 && done.set >= 2000, "only {} trees set {} keys", done.trees, done.set);
}
