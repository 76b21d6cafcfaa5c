//! What every command says of the same trouble: a damaged snapshot, a broken rule, a namespace that is not there.

use super::{PROGRAM, Run, command, data, finish, run, scratch, spoilt, without};

/// What each command writes on standard error, all of them with this exit code.
fn errors(commands: &[&[&str]], arguments: &[&str], code: i32) -> Vec<String> {
    let runs = commands.iter().map(|command| run(&[command, arguments].concat()));
    let error = |run: Run| {
        assert_eq!(run.code, code, "{run:?}");
        assert_ne!(run.err, "");
        run.err
    };
    runs.map(error).collect()
}

fn all_the_same(errors: &[String]) {
    assert!(errors.iter().all(|error| *error == errors[0]), "{errors:#?}");
}

#[test]
fn a_damaged_snapshot_is_the_same_error_for_every_command_that_reads_one() {
    let good = std::fs::read_to_string(data("quiet.json")).unwrap();
    for damage in ["", "{", "{}", &good[..good.len() / 2], &good.replace("snapshot/1", "snapshot/9")] {
        let (_folder, file) = scratch("s.json", damage);
        let commands: [&[&str]; 4] = [&["audit"], &["plan"], &["drift"], &["explain", "net.ipv4.tcp_rmem"]];
        all_the_same(&errors(&commands, &["--snapshot", file.to_str().unwrap()], 2));
    }
}

#[test]
fn a_broken_rule_is_the_same_warning_for_every_command_that_judges() {
    let (folder, _) = scratch("mine.toml", spoilt("severity", "severty"));
    let rules = ["--rules", folder.path().to_str().unwrap()];
    let snapshot = data("quiet.json");
    let commands: [&[&str]; 2] = [&["audit", "--snapshot", &snapshot], &["plan", "--snapshot", &snapshot]];
    let mut said = errors(&commands, &rules, 2);
    let state = tempfile::tempdir().unwrap();
    let (_config, config) = scratch("c.toml", "[agent]\njournal = false\n");
    let agent = ["agent", "--window", "0", "--config", config.to_str().unwrap()];
    let agent = finish(command(PROGRAM).args(agent).args(rules).arg("--state-dir").arg(state.path()));
    assert_eq!(agent.code, 2, "{agent:?}");
    // The agent has no standard output; what it found follows.
    said.push(agent.err.chars().take(said[0].chars().count()).collect());
    all_the_same(&said);
    assert!(without(&folder, &said[0]).contains("DIR/mine.toml:3:1"), "{}", said[0]);
}

#[test]
fn a_namespace_that_is_not_there_is_the_same_error_for_every_command_that_observes() {
    let commands: [&[&str]; 4] = [&["audit"], &["plan"], &["snapshot"], &["drift"]];
    // Which namespaces exist changes while this runs: other tests make some.
    let known = "; known namespaces: ";
    let said = errors(&commands, &["--netns", "no-such-namespace"], 2);
    let said: Vec<String> = said.iter().map(|error| error.split_once(known).unwrap().0.to_owned()).collect();
    all_the_same(&said);
}

#[test]
fn a_namespace_that_may_not_be_entered_is_the_same_error_for_every_command_that_observes() {
    let nobody =
        ["--net", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--no-new-privs"];
    let said: Vec<String> = ["audit", "plan", "snapshot", "drift"]
        .map(|name| {
            // From a namespace of its own: that of process 1 is another one.
            let mut command = command("unshare");
            let run = finish(
                command.args(nobody).args([PROGRAM, name, "--netns", "1"]).env("SYSCTL_ADVISOR_CONFIG", "/dev/null"),
            );
            assert_eq!((run.code, run.out.as_str()), (3, ""), "{run:?}");
            run.err
        })
        .into();
    all_the_same(&said);
    assert!(said[0].contains("cannot enter the network namespace `1`"), "{}", said[0]);
}
