//! Help, usage errors, completion scripts.

use insta::assert_snapshot;

use super::{command, finish, run};

fn help(arguments: &[&str]) -> String {
    let run = run(arguments);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.err, "");
    assert!(run.out.lines().all(|line| line.chars().count() <= 80), "{}", run.out);
    // Set for the tests; clap shows it.
    run.out.replace("SYSCTL_ADVISOR_CONFIG=/dev/null", "SYSCTL_ADVISOR_CONFIG=")
}

/// The help of a command less the section that all of them share, which the program's own help shows.
fn own_help(arguments: &[&str]) -> String {
    let text = help(arguments);
    let (own, shared) = text.split_once("\nEverywhere:\n").unwrap_or((&text, ""));
    for option in ["--config <FILE>", "--color <WHEN>", "-v, --verbose...", "-q, --quiet", "--log-format <FORMAT>"] {
        assert!(shared.contains(option), "{option}: {text}");
    }
    // What stands behind the section is not indented.
    let after = shared.lines().skip_while(|line| line.is_empty() || line.starts_with(' '));
    own.lines().chain(["Everywhere: ...", ""]).chain(after).map(|line| format!("{line}\n")).collect()
}

#[test]
fn help_of_the_program() {
    assert_snapshot!(help(&["--help"]), @"
    Tells what is wrong with this host's TCP settings, given what its sockets are
    really doing.

    It reads the TCP sockets by state, the kernel's counters over a short window and
    the net sysctls, evaluates rules, and says what to change - or that no sysctl
    helps and who has to act instead. Only `apply`, `confirm` and `rollback` change
    anything.

    Usage: sysctl-advisor [OPTIONS] <COMMAND>

    Commands:
      audit        Observe this host (or read a snapshot), evaluate the rules,
                   report
      drift        Compare what the files set with the effective values
      explain      Explain a rule, a sysctl key, a TCP state or a kernel counter
      snapshot     Save the state of this host, to audit it elsewhere or later
      plan         Turn the recommendations into an ordered list of changes, and try
                   each in a scratch network namespace
      remediate    Go through the findings one by one, and decide on each
      apply        Carry out a plan, so that it can be taken back at any moment
      confirm      Make a change permanent
      rollback     Take a change back
      changes      List the changes that were made, or show one
      agent        One run of the timer: audit, remember, tell what is new
      history      Show what earlier runs of the agent saw: trends, findings that
                   came and went
      rules        List, check and test rules; print the metrics they may use
      init         Write the commented configuration file
      config       Print what the configuration comes to, and where each value is
                   from
      completions  Print a completion script for a shell
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Everywhere:
          --config <FILE>
              Configuration file, read alone [default:
              /etc/sysctl-advisor/sysctl-advisor.toml and config.d/*.toml beside it]

              [env: SYSCTL_ADVISOR_CONFIG=]

          --color <WHEN>
              When to use colours; NO_COLOR is respected

              [default: auto]
              [possible values: auto, always, never]

      -v, --verbose...
              Say more on standard error (-vv: everything)

      -q, --quiet
              Say less: one line a finding, errors only

          --log-format <FORMAT>
              Form of messages on standard error

              [env: SYSCTL_ADVISOR_LOG_FORMAT=]
              [default: text]
              [possible values: text, json]

    Examples:
      sysctl-advisor audit                       what is wrong here, and what to do
      sysctl-advisor audit --format json         the same for programs
      sysctl-advisor audit --fail-on warning     exit code 10 when something is
      sysctl-advisor snapshot -o host.json       take it elsewhere...
      sysctl-advisor audit --snapshot host.json  ...and audit it there
      sysctl-advisor drift                       what files set, what is effective
      sysctl-advisor explain TIME_WAIT           what a state, key, counter, rule is
      sysctl-advisor config show                 what is configured, and where

    Exit codes:
       0  the command did its work
       1  the output or a file of the program could not be written or read
       2  the usage, the configuration, a rule or a file that was named is wrong
       3  the host could not be observed, or an agent run could not be reported
       4  a plan was not applied; the previous values are in force
       5  a change was not rolled back, or only in part
      10  the audit found something at or above --fail-on
    ");
    assert_snapshot!(help(&["-h"]), @"
    Tells what is wrong with this host's TCP settings, given what its sockets are
    really doing

    Usage: sysctl-advisor [OPTIONS] <COMMAND>

    Commands:
      audit        Observe this host (or read a snapshot), evaluate the rules,
                   report
      drift        Compare what the files set with the effective values
      explain      Explain a rule, a sysctl key, a TCP state or a kernel counter
      snapshot     Save the state of this host, to audit it elsewhere or later
      plan         Turn the recommendations into an ordered list of changes, and try
                   each in a scratch network namespace
      remediate    Go through the findings one by one, and decide on each
      apply        Carry out a plan, so that it can be taken back at any moment
      confirm      Make a change permanent
      rollback     Take a change back
      changes      List the changes that were made, or show one
      agent        One run of the timer: audit, remember, tell what is new
      history      Show what earlier runs of the agent saw: trends, findings that
                   came and went
      rules        List, check and test rules; print the metrics they may use
      init         Write the commented configuration file
      config       Print what the configuration comes to, and where each value is
                   from
      completions  Print a completion script for a shell
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Everywhere:
          --config <FILE>        Configuration file, read alone [default:
                                 /etc/sysctl-advisor/sysctl-advisor.toml and
                                 config.d/*.toml beside it] [env:
                                 SYSCTL_ADVISOR_CONFIG=]
          --color <WHEN>         When to use colours; NO_COLOR is respected
                                 [default: auto] [possible values: auto, always,
                                 never]
      -v, --verbose...           Say more on standard error (-vv: everything)
      -q, --quiet                Say less: one line a finding, errors only
          --log-format <FORMAT>  Form of messages on standard error [env:
                                 SYSCTL_ADVISOR_LOG_FORMAT=] [default: text]
                                 [possible values: text, json]

    Examples:
      sysctl-advisor audit                       what is wrong here, and what to do
      sysctl-advisor audit --format json         the same for programs
      sysctl-advisor audit --fail-on warning     exit code 10 when something is
      sysctl-advisor snapshot -o host.json       take it elsewhere...
      sysctl-advisor audit --snapshot host.json  ...and audit it there
      sysctl-advisor drift                       what files set, what is effective
      sysctl-advisor explain TIME_WAIT           what a state, key, counter, rule is
      sysctl-advisor config show                 what is configured, and where

    Exit codes:
       0  the command did its work
       1  the output or a file of the program could not be written or read
       2  the usage, the configuration, a rule or a file that was named is wrong
       3  the host could not be observed, or an agent run could not be reported
       4  a plan was not applied; the previous values are in force
       5  a change was not rolled back, or only in part
      10  the audit found something at or above --fail-on
    ");
}

#[test]
fn help_of_planning_fits_and_says_that_nothing_is_changed_unasked() {
    assert!(help(&["plan", "--help"]).contains("Nothing on this host is changed."));
    let remediate = help(&["remediate", "--help"]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(remediate.contains("Nothing is written unless you answer it with yes."), "{remediate}");
    assert!(!help(&["--help"]).contains("rehearse-in"), "hidden");
}

#[test]
fn help_of_audit() {
    assert_snapshot!(own_help(&["audit", "--help"]), @"
    Observe this host (or read a snapshot), evaluate the rules, report

    Usage: sysctl-advisor audit [OPTIONS]

    Options:
          --snapshot <FILE>
              Audit this snapshot instead of the running host (`-`: standard input)

          --format <FORMAT>
              Output format

              Possible values:
              - text:       For a person
              - json:       For a program; the schema is in docs/schema
              - prometheus: For the textfile collector of node_exporter

              [default: text]

          --details
              Show for each finding the explanation, how its numbers are computed,
              and the sources

          --rehearse
              Try the recommended values in a scratch network namespace, and show
              what the kernel answered

      -o, --output <FILE>
              Write the report to a file instead of standard output

          --rules <DIR>
              Folder with rules that are added, or replace those of the same id; may
              be given more than once [env: SYSCTL_ADVISOR_RULES, instead of the
              configured folders]

          --param <RULE.NAME=VALUE>
              Another value for a rule's parameter; may be given more than once

          --state-dir <DIR>
              Folder of the journals and the history [default: $STATE_DIRECTORY of
              systemd, else /var/lib/sysctl-advisor]

              [env: SYSCTL_ADVISOR_STATE_DIR=]

          --window <DURATION>
              Time between the two readings of the counters: 500ms, 2s, 1m; 0 takes
              one reading, and rules on rates are skipped [default: 2s] [env:
              SYSCTL_ADVISOR_WINDOW]

          --netns <WHICH>
              Network namespaces to look at: all, current, a name as of `ip netns`,
              or the number of a process in it [default: current] [env:
              SYSCTL_ADVISOR_NETNS]

          --fail-on <SEVERITY>
              Exit with code 10 when a finding is at least this bad: notice,
              warning, critical; or never [default: never] [env:
              SYSCTL_ADVISOR_FAIL_ON]

          --waivers <FILE>
              File with accepted findings [default:
              /etc/sysctl-advisor/waivers.toml] [env: SYSCTL_ADVISOR_WAIVERS]

      -h, --help
              Print help (see a summary with '-h')
    Everywhere: ...

    The report starts with the most severe finding. Each finding shows the numbers
    behind it, the change as `current -> proposed`, when the change takes effect,
    and which popular remedies to avoid. A rule whose numbers could not be read is
    listed as skipped. It never counts as passed. A waived finding is listed after
    the others and does not count for --fail-on.
    ");
}

#[test]
fn help_of_explain() {
    assert_snapshot!(own_help(&["explain", "-h"]), @"
    Explain a rule, a sysctl key, a TCP state or a kernel counter

    Usage: sysctl-advisor explain [OPTIONS] <NAME>

    Arguments:
      <NAME>  A rule's id, a key, a TCP state or a counter

    Options:
          --snapshot <FILE>
              Take present values from this snapshot instead of the running host
          --rules <DIR>
              Folder with rules that are added, or replace those of the same id; may
              be given more than once [env: SYSCTL_ADVISOR_RULES, instead of the
              configured folders]
          --param <RULE.NAME=VALUE>
              Another value for a rule's parameter; may be given more than once
      -h, --help
              Print help
    Everywhere: ...

    Examples:
      sysctl-advisor explain TIME_WAIT
      sysctl-advisor explain net.ipv4.tcp_fin_timeout
      sysctl-advisor explain ListenOverflows
      sysctl-advisor explain close-wait-leak
    ");
}

#[test]
fn help_of_drift() {
    assert_snapshot!(own_help(&["drift", "-h"]), @"
    Compare what the files set with the effective values

    Usage: sysctl-advisor drift [OPTIONS] [KEY|GLOB]...

    Arguments:
      [KEY|GLOB]...  Keys, or patterns with `*` [default: all keys]

    Options:
          --snapshot <FILE>  Compare what this snapshot holds instead of the running
                             host (`-`: standard input)
          --root <DIR>       Read the files of another root, such as an image. If it
                             has a proc/sys, that is compared
          --loader <LOADER>  Load the files as this loader does [default: the loader
                             of the system] [possible values: systemd, procps]
          --netns <WHICH>    Network namespace to compare with: current, a name from
                             `ip netns`, the number of a process in it, or none
                             (only what a boot would set) [default: current]
          --format <FORMAT>  Output format [default: text] [possible values: text,
                             json]
      -o, --output <FILE>    Write the report to a file instead of standard output
          --fail-on-drift    Exit with code 10 if a key is not in sync
          --no-rehearsal     Do not try values in a scratch network namespace
      -h, --help             Print help (see more with '--help')
    Everywhere: ...

    Examples:
      sysctl-advisor drift                           everything that is not in sync
      sysctl-advisor drift net.ipv4.tcp_rmem         one key: who sets it
      sysctl-advisor drift 'net.ipv4.conf.*'         keys by pattern
      sysctl-advisor drift --loader procps           as `sysctl --system` loads them
      sysctl-advisor drift --root /mnt --netns none  what an image sets at boot
      sysctl-advisor drift --snapshot host.json      another host, another time

    Status of a key: not_in_force, dead (no such key), invalid (the kernel rejects
    the value), wrong_scope (not this namespace's to set), runtime_only (a reboot
    reverts it), unread, in_sync.
    ");
}

#[test]
fn help_of_snapshot() {
    assert_snapshot!(own_help(&["snapshot", "-h"]), @"
    Save the state of this host, to audit it elsewhere or later

    Usage: sysctl-advisor snapshot [OPTIONS]

    Options:
      -o, --output <FILE>      File to write [default: standard output]
          --window <DURATION>  Time between the two readings of the counters: 500ms,
                               2s, 1m; 0 takes one reading, and rules on rates are
                               skipped [default: 2s] [env: SYSCTL_ADVISOR_WINDOW]
          --netns <WHICH>      Network namespaces to look at: all, current, a name
                               as of `ip netns`, or the number of a process in it
                               [default: current] [env: SYSCTL_ADVISOR_NETNS]
      -h, --help               Print help
    Everywhere: ...

    A snapshot holds counts, counters, sysctl values, the files that set sysctls,
    and the addresses of the busiest destinations and of listeners; no payload, no
    key material. `audit --snapshot FILE` and `drift --snapshot FILE` give the same
    findings on any machine.
    ");
}

#[test]
fn help_of_apply() {
    assert_snapshot!(own_help(&["apply", "--help"]), @"
    Carry out a plan, so that it can be taken back at any moment

    Usage: sysctl-advisor apply [OPTIONS] <PLAN>

    Arguments:
      <PLAN>  Plan that `plan -o FILE` wrote; it must belong to root and nobody else
              may write it

    Options:
      -y, --yes
              Do not ask
          --dry-run
              Check everything and show what would be written, but write nothing
          --confirm-within <DURATION>
              Roll back by itself unless `confirm` is run within this time: 30s, 10m
          --runtime-only
              For the running system only: `confirm` writes nothing for the next
              boot
          --state-dir <DIR>
              Folder of the journals and the history [default: $STATE_DIRECTORY of
              systemd, else /var/lib/sysctl-advisor] [env:
              SYSCTL_ADVISOR_STATE_DIR=]
          --window <DURATION>
              Time between the two readings of the counters: 500ms, 2s, 1m; 0 takes
              one reading, and rules on rates are skipped [default: 2s] [env:
              SYSCTL_ADVISOR_WINDOW]
      -h, --help
              Print help
    Everywhere: ...

    All values are written or none: at the first surprise those written so far are
    restored. The change lasts until the next boot; `confirm` makes it permanent,
    `rollback` takes it back. When rules of the plan have guards, rates are measured
    over --window before the first write; 0 measures none. Exit code 4: nothing is
    changed (the plan does not fit the host any more, or a value was refused); 5:
    taking it back failed.
    ");
}

#[test]
fn help_of_confirm() {
    assert_snapshot!(own_help(&["confirm", "--help"]), @"
    Make a change permanent

    Usage: sysctl-advisor confirm [OPTIONS] [ID]

    Arguments:
      [ID]  Number of the change [default: the latest that is not confirmed]

    Options:
          --force            Confirm it although a guard says that something is
                             worse than before
          --state-dir <DIR>  Folder of the journals and the history [default:
                             $STATE_DIRECTORY of systemd, else
                             /var/lib/sysctl-advisor] [env:
                             SYSCTL_ADVISOR_STATE_DIR=]
      -h, --help             Print help
    Everywhere: ...

    Writes the change's values to /etc/sysctl.d/90-sysctl-advisor.conf, unless it
    was applied with --runtime-only or in another network namespace than the one
    that the boot sets up. Refused when one of the values is not in force any more,
    when another file would win at the next boot, and when the guard of a rule
    behind the change says that something is worse than before it (exit code 4). A
    guard that cannot be judged is told and does not stop it.
    ");
}

#[test]
fn help_of_rollback() {
    assert_snapshot!(own_help(&["rollback", "--help"]), @"
    Take a change back

    Usage: sysctl-advisor rollback [OPTIONS] <ID|--last>

    Arguments:
      [ID]  Number of the change

    Options:
          --last             The latest change that is not rolled back
      -y, --yes              Do not ask
          --force            Restore the former values even where someone else
                             changed them since
          --state-dir <DIR>  Folder of the journals and the history [default:
                             $STATE_DIRECTORY of systemd, else
                             /var/lib/sysctl-advisor] [env:
                             SYSCTL_ADVISOR_STATE_DIR=]
      -h, --help             Print help
    Everywhere: ...

    Works for a change that is in force, confirmed, or was interrupted half way.
    Values that someone else changed since are named, and nothing is done without
    --force. Exit code 5: not everything could be restored.
    ");
}

#[test]
fn help_of_changes() {
    assert_snapshot!(own_help(&["changes", "--help"]), @"
    List the changes that were made, or show one

    Usage: sysctl-advisor changes [OPTIONS] [ID]

    Arguments:
      [ID]
              Number of the change

    Options:
          --in-force
              Only those whose values are in force, or would be after the next boot;
              as text, print nothing when there are none

          --format <FORMAT>
              Form of the list

              Possible values:
              - text: For a person
              - json: For a program; the schema is in docs/schema

              [default: text]

          --state-dir <DIR>
              Folder of the journals and the history [default: $STATE_DIRECTORY of
              systemd, else /var/lib/sysctl-advisor]

              [env: SYSCTL_ADVISOR_STATE_DIR=]

      -h, --help
              Print help (see a summary with '-h')
    Everywhere: ...
    ");
}

#[test]
fn help_of_agent() {
    assert_snapshot!(own_help(&["agent", "--help"]), @"
    One run of the timer: audit, remember, tell what is new

    Usage: sysctl-advisor agent [OPTIONS]

    Options:
          --apply
              Apply what held long enough and `[apply]` allows, and take back what
              made it worse; needs `[agent] apply = true`
          --rules <DIR>
              Folder with rules that are added, or replace those of the same id; may
              be given more than once [env: SYSCTL_ADVISOR_RULES, instead of the
              configured folders]
          --param <RULE.NAME=VALUE>
              Another value for a rule's parameter; may be given more than once
          --state-dir <DIR>
              Folder of the journals and the history [default: $STATE_DIRECTORY of
              systemd, else /var/lib/sysctl-advisor] [env:
              SYSCTL_ADVISOR_STATE_DIR=]
          --window <DURATION>
              Time between the two readings of the counters: 500ms, 2s, 1m; 0 takes
              one reading, and rules on rates are skipped [default: 2s] [env:
              SYSCTL_ADVISOR_WINDOW]
          --waivers <FILE>
              File with accepted findings [default:
              /etc/sysctl-advisor/waivers.toml] [env: SYSCTL_ADVISOR_WAIVERS]
      -h, --help
              Print help
    Everywhere: ...

    Systemd starts it every hour (sysctl-advisor.timer); by hand it does the same
    once and leaves. The counters are those since the previous run, or over --window
    where no earlier run is near enough. A finding is told when it held for some
    runs, in the journal or else on standard error; the report, the history and the
    gauges for Prometheus are written each time. docs/agent.md says where. Exit code
    3: nothing was seen, or nothing could be told.
    ");
}

#[test]
fn help_of_history() {
    assert_snapshot!(own_help(&["history", "--help"]), @"
    Show what earlier runs of the agent saw: trends, findings that came and went

    Usage: sysctl-advisor history [OPTIONS] [METRIC|RULE|STATE]

    Arguments:
      [METRIC|RULE|STATE]
              A metric, a TCP state, a counter or a rule; none: an overview

    Options:
          --since <DURATION>
              How far back to look: 12h, 7d, 90d

              [default: 7d]

          --netns <NAME>
              Network namespace to look at [default: host, else the only one there
              is]

          --format <FORMAT>
              Form of the report

              Possible values:
              - text: For a person
              - json: For a program; the schema is in docs/schema

              [default: text]

          --state-dir <DIR>
              Folder of the journals and the history [default: $STATE_DIRECTORY of
              systemd, else /var/lib/sysctl-advisor]

              [env: SYSCTL_ADVISOR_STATE_DIR=]

      -h, --help
              Print help (see a summary with '-h')
    Everywhere: ...

    Examples:
      sysctl-advisor history                            the last week
      sysctl-advisor history --since 30d TIME_WAIT      sockets in a state
      sysctl-advisor history ListenOverflows            a counter, per second
      sysctl-advisor history ports.largest_destination  a metric that rules use
      sysctl-advisor history close-wait-leak            when a rule found something

    Each run of `sysctl-advisor agent` adds to the history. Every TCP state is kept,
    and of the other metrics those that a rule uses.
    ");
}

#[test]
fn help_of_rules() {
    assert_snapshot!(own_help(&["rules", "--help"]), @"
    List, check and test rules; print the metrics they may use

    Usage: sysctl-advisor rules [OPTIONS] <COMMAND>

    Commands:
      list     Print the rules of this host with their severity
      new      Write a new rule with every field explained and tests that pass
      check    Check rule files: names, types, keys, documentation
      test     Check rule files and run the tests inside them
      metrics  Print every metric that a condition may use
      schema   Print the JSON Schema of a rule file or of what a command prints
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    Everywhere: ...
    ");
    assert_snapshot!(own_help(&["rules", "list", "-h"]), @"
    Print the rules of this host with their severity

    Usage: sysctl-advisor rules list [OPTIONS]

    Options:
          --format <FORMAT>
              Form of the list [default: text] [possible values: text, json]
          --rules <DIR>
              Folder with rules that are added, or replace those of the same id; may
              be given more than once [env: SYSCTL_ADVISOR_RULES, instead of the
              configured folders]
          --param <RULE.NAME=VALUE>
              Another value for a rule's parameter; may be given more than once
      -h, --help
              Print help (see more with '--help')
    Everywhere: ...
    ");
    assert_snapshot!(own_help(&["rules", "new", "-h"]), @"
    Write a new rule with every field explained and tests that pass

    Usage: sysctl-advisor rules new [OPTIONS] <ID>

    Arguments:
      <ID>  Id of the rule: lower case letters, digits and hyphens; no shipped rule
            has it

    Options:
      -o, --output <FILE>  File to write, `FOLDER/ID.toml`; a file that is there is
                           kept [default: standard output]
      -h, --help           Print help
    Everywhere: ...

    The new file is a complete rule, and `rules test FILE` passes on it. Replace the
    texts, names and numbers in it from the top down, and run `rules test FILE`
    after each step. docs/add-a-rule.md goes through one rule.

    Examples:
      sysctl-advisor rules new my-rule           print it
      sysctl-advisor rules new my-rule -o my-rules/my-rule.toml
      sysctl-advisor rules test my-rules         check it, and run its tests
      sysctl-advisor rules metrics               print the names for conditions
      sysctl-advisor audit --rules my-rules      use it
    ");
    assert_snapshot!(own_help(&["rules", "check", "-h"]), @"
    Check rule files: names, types, keys, documentation

    Usage: sysctl-advisor rules check [OPTIONS] [FILE]...

    Arguments:
      [FILE]...  Rule files or folders; none: the rules of this host

    Options:
          --rules <DIR>
              Folder with rules that are added, or replace those of the same id; may
              be given more than once [env: SYSCTL_ADVISOR_RULES, instead of the
              configured folders]
          --param <RULE.NAME=VALUE>
              Another value for a rule's parameter; may be given more than once
      -h, --help
              Print help
    Everywhere: ...
    ");
    assert_snapshot!(own_help(&["rules", "test", "-h"]), @"
    Check rule files and run the tests inside them

    Usage: sysctl-advisor rules test [OPTIONS] [FILE]...

    Arguments:
      [FILE]...  Rule files or folders; none: the rules of this host

    Options:
          --rules <DIR>
              Folder with rules that are added, or replace those of the same id; may
              be given more than once [env: SYSCTL_ADVISOR_RULES, instead of the
              configured folders]
          --param <RULE.NAME=VALUE>
              Another value for a rule's parameter; may be given more than once
      -h, --help
              Print help
    Everywhere: ...
    ");
    assert_snapshot!(own_help(&["rules", "metrics", "-h"]), @"
    Print every metric that a condition may use

    Usage: sysctl-advisor rules metrics [OPTIONS]

    Options:
          --healthy          Print the value of each on the healthy host that rule
                             tests start from
          --format <FORMAT>  Form of the list [default: text] [possible values:
                             text, json]
      -h, --help             Print help (see more with '--help')
    Everywhere: ...
    ");
    assert_snapshot!(own_help(&["rules", "schema", "-h"]), @"
    Print the JSON Schema of a rule file or of what a command prints

    Usage: sysctl-advisor rules schema [OPTIONS] [OF]

    Arguments:
      [OF]  What the schema is of [default: rule] [possible values: rule, report,
            plan, drift, history, changes]

    Options:
      -h, --help  Print help
    Everywhere: ...
    ");
}

#[test]
fn help_of_completions() {
    assert_snapshot!(own_help(&["completions", "-h"]), @"
    Print a completion script for a shell

    Usage: sysctl-advisor completions [OPTIONS] <SHELL>

    Arguments:
      <SHELL>  Shell that the script is for [possible values: bash, elvish, fish,
               powershell, zsh]

    Options:
      -h, --help  Print help
    Everywhere: ...
    ");
}

#[test]
fn what_does_not_exist_is_a_usage_error() {
    let cases: [&[&str]; 7] = [
        &["frobnicate"],
        &["audit", "--frobnicate"],
        &["audit", "--fail-on", "fatal"],
        &["audit", "--snapshot", "a", "--window", "1s"],
        &["-q", "-v", "audit"],
        &["rules", "schema", "poem"],
        &[],
    ];
    for arguments in cases {
        let run = run(arguments);
        assert_eq!(run.code, 2, "{run:?}");
        assert_eq!(run.out, "");
        assert!(run.err.contains("Usage:") || run.err.contains("--help"), "{run:?}");
    }
    assert_snapshot!(run(&["audti"]).err, @r"
    error: unrecognized subcommand 'audti'

      tip: a similar subcommand exists: 'audit'

    Usage: sysctl-advisor [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["explain", "tcp_fin_timeuot"]).err, @"error: `tcp_fin_timeuot` is no rule, key, TCP state or documented counter");
}

#[test]
fn completion_scripts_are_ones_that_the_shell_reads() {
    let bash = run(&["completions", "bash"]);
    assert_eq!(bash.code, 0);
    assert!(bash.out.contains("--fail-on") && bash.out.contains("_sysctl__advisor()"), "{}", bash.out);
    let check = finish(command("bash").arg("-n").write_stdin(bash.out));
    assert_eq!((check.code, check.err.as_str()), (0, ""));
    for (shell, start) in [("zsh", "#compdef sysctl-advisor"), ("fish", "# Print an optspec")] {
        let script = run(&["completions", shell]);
        assert_eq!(script.code, 0);
        assert!(script.out.starts_with(start) && script.out.contains("fail-on"), "{}", script.out);
    }
    // A broken configuration must not stand in the way of a shell that starts.
    let run = finish(command(super::PROGRAM).args(["--config", "/nonexistent", "completions", "fish"]));
    assert_eq!(run.code, 0, "{run:?}");
}
