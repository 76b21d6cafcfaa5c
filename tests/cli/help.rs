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
    let (own, shared) = text.split_once("\nGlobal options:\n").unwrap_or((&text, ""));
    for option in ["--config <FILE>", "--color <WHEN>", "-v, --verbose...", "-q, --quiet", "--log-format <FORMAT>"] {
        assert!(shared.contains(option), "{option}: {text}");
    }
    // What stands behind the section is not indented.
    let after = shared.lines().skip_while(|line| line.is_empty() || line.starts_with(' '));
    own.lines().chain(["Global options: ...", ""]).chain(after).map(|line| format!("{line}\n")).collect()
}

#[test]
fn help_of_the_program() {
    assert_snapshot!(help(&["--help"]), @"
    Audit this host's TCP settings against what its sockets do.

    The program reads the TCP sockets by state, the kernel's counters over a short
    window, and the net sysctls. It evaluates rules and reports what to change. If
    no sysctl helps, it reports who has to act instead.

    Five commands change sysctls or files in /etc/sysctl.d: `apply`, `confirm`,
    `rollback`, `remediate` and `agent --apply`. The others do not.

    Usage: sysctl-advisor [OPTIONS] [COMMAND]

    Commands:
      audit        Observe this host (or read a snapshot), evaluate the rules and
                   print a report
      watch        Show on the terminal what the host does now, with the findings as
                   they come and go
      drift        Compare the values that files set with the effective values
      lint         Review the values in files of sysctl.d, Ansible, Puppet, Salt,
                   NixOS, Kubernetes and others, without a host
      explain      Explain a rule, a sysctl key, a TCP state or a kernel counter
      snapshot     Save the state of this host, to audit it later or on another
                   machine
      plan         Turn the recommendations into an ordered list of changes, and try
                   each one in a scratch network namespace
      export       Write a plan in the form that another tool takes: sysctl.d,
                   Ansible, Puppet, and so on
      remediate    Decide on what was found, cause by cause, then apply what you
                   chose
      apply        Apply a plan. You can roll it back at any time
      confirm      Make an applied change permanent
      rollback     Roll back a change: restore the previous values
      changes      List the changes that this program made, or show one
      agent        Run one scheduled audit: record the results and report what
                   changed
      history      Show the results of earlier agent runs: trends, new findings and
                   resolved findings
      lab          Make a fault for real in a scratch network namespace, find it,
                   end it, and measure it again
      rules        List, check and test rules; print the metrics that rules can use
      init         Write the commented configuration file
      config       Print the effective configuration and the source of each value
      completions  Print a shell completion script
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Global options:
          --config <FILE>
              Read only this configuration file [default:
              /etc/sysctl-advisor/sysctl-advisor.toml and config.d/*.toml beside it]

              [env: SYSCTL_ADVISOR_CONFIG=]

          --color <WHEN>
              When to use colours; `auto` respects the variable NO_COLOR

              [default: auto]
              [possible values: auto, always, never]

      -v, --verbose...
              Print more messages on standard error (-vv: all)

      -q, --quiet
              Print one line per finding, and only errors on standard error

          --no-pager
              Print long text at once, not through a pager (the variable PAGER, else
              less)

          --log-format <FORMAT>
              Format of the messages on standard error

              [env: SYSCTL_ADVISOR_LOG_FORMAT=]
              [default: text]
              [possible values: text, json]

    Examples:
      sysctl-advisor audit                       report what is wrong, what to do
      sysctl-advisor audit --format json         the same report as JSON
      sysctl-advisor audit --fail-on warning     exit code 10 for a warning or worse
      sysctl-advisor snapshot -o host.json       save the state of this host
      sysctl-advisor audit --snapshot host.json  audit the saved state anywhere
      sysctl-advisor drift                       compare files with effective values
      sysctl-advisor explain TIME_WAIT           explain a state, key, counter, rule
      sysctl-advisor config show                 each option, its value, its source

    Exit codes:
       0  success
       1  the output or a file of the program could not be written or read
       2  the command line, the configuration, a rule or an input file is wrong
       3  the host could not be observed, or no result of an agent run was written
       4  a plan was not applied or a change not confirmed; the values are as before
       5  rollback failed or is incomplete
      10  audit or lint reached --fail-on, or drift has a key not in sync
      11  export left out a part of the plan, and --partial was not given
      12  plan or export has something to change, and --detailed-exitcode was given
      13  a scenario of the lab cannot run here, or was not as expected
    ");
    assert_snapshot!(help(&["-h"]), @"
    Audit this host's TCP settings against what its sockets do

    Usage: sysctl-advisor [OPTIONS] [COMMAND]

    Commands:
      audit        Observe this host (or read a snapshot), evaluate the rules and
                   print a report
      watch        Show on the terminal what the host does now, with the findings as
                   they come and go
      drift        Compare the values that files set with the effective values
      lint         Review the values in files of sysctl.d, Ansible, Puppet, Salt,
                   NixOS, Kubernetes and others, without a host
      explain      Explain a rule, a sysctl key, a TCP state or a kernel counter
      snapshot     Save the state of this host, to audit it later or on another
                   machine
      plan         Turn the recommendations into an ordered list of changes, and try
                   each one in a scratch network namespace
      export       Write a plan in the form that another tool takes: sysctl.d,
                   Ansible, Puppet, and so on
      remediate    Decide on what was found, cause by cause, then apply what you
                   chose
      apply        Apply a plan. You can roll it back at any time
      confirm      Make an applied change permanent
      rollback     Roll back a change: restore the previous values
      changes      List the changes that this program made, or show one
      agent        Run one scheduled audit: record the results and report what
                   changed
      history      Show the results of earlier agent runs: trends, new findings and
                   resolved findings
      lab          Make a fault for real in a scratch network namespace, find it,
                   end it, and measure it again
      rules        List, check and test rules; print the metrics that rules can use
      init         Write the commented configuration file
      config       Print the effective configuration and the source of each value
      completions  Print a shell completion script
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Global options:
          --config <FILE>        Read only this configuration file [default:
                                 /etc/sysctl-advisor/sysctl-advisor.toml and
                                 config.d/*.toml beside it] [env:
                                 SYSCTL_ADVISOR_CONFIG=]
          --color <WHEN>         When to use colours; `auto` respects the variable
                                 NO_COLOR [default: auto] [possible values: auto,
                                 always, never]
      -v, --verbose...           Print more messages on standard error (-vv: all)
      -q, --quiet                Print one line per finding, and only errors on
                                 standard error
          --no-pager             Print long text at once, not through a pager (the
                                 variable PAGER, else less)
          --log-format <FORMAT>  Format of the messages on standard error [env:
                                 SYSCTL_ADVISOR_LOG_FORMAT=] [default: text]
                                 [possible values: text, json]

    Examples:
      sysctl-advisor audit                       report what is wrong, what to do
      sysctl-advisor audit --format json         the same report as JSON
      sysctl-advisor audit --fail-on warning     exit code 10 for a warning or worse
      sysctl-advisor snapshot -o host.json       save the state of this host
      sysctl-advisor audit --snapshot host.json  audit the saved state anywhere
      sysctl-advisor drift                       compare files with effective values
      sysctl-advisor explain TIME_WAIT           explain a state, key, counter, rule
      sysctl-advisor config show                 each option, its value, its source

    Exit codes:
       0  success
       1  the output or a file of the program could not be written or read
       2  the command line, the configuration, a rule or an input file is wrong
       3  the host could not be observed, or no result of an agent run was written
       4  a plan was not applied or a change not confirmed; the values are as before
       5  rollback failed or is incomplete
      10  audit or lint reached --fail-on, or drift has a key not in sync
      11  export left out a part of the plan, and --partial was not given
      12  plan or export has something to change, and --detailed-exitcode was given
      13  a scenario of the lab cannot run here, or was not as expected
    ");
}

#[test]
fn help_of_planning_fits_and_says_that_nothing_is_changed_unasked() {
    assert!(help(&["plan", "--help"]).contains("Nothing on this host is changed."));
    let remediate = help(&["remediate", "--help"]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(remediate.contains("Nothing is written unless you press y in the summary."), "{remediate}");
    assert!(!help(&["--help"]).contains("rehearse-in"), "hidden");
}

#[test]
fn help_of_audit() {
    assert_snapshot!(own_help(&["audit", "--help"]), @"
    Observe this host (or read a snapshot), evaluate the rules and print a report

    Usage: sysctl-advisor audit [OPTIONS] [FINDING]...

    Arguments:
      [FINDING]...
              Show these findings in full: numbers of the last audit on this
              terminal (or of the snapshot), or ids of rules, which look at the host
              again

    Options:
          --finding <FINDING>
              The same as FINDING

          --snapshot <FILE>
              Audit this snapshot instead of the running host (`-`: standard input)

          --format <FORMAT>
              Output format

              Possible values:
              - text:        Human-readable
              - json:        Machine-readable; docs/schema has the JSON Schema
              - ndjson:      A line of JSON for the audit and for each finding, for
                a fleet
              - csv:         A row for each finding, for a spreadsheet
              - facts:       One JSON object with findings by rule, for Ansible and
                Puppet
              - prometheus:  Gauges for the textfile collector of node_exporter
              - openmetrics: The same gauges as OpenMetrics 1.0
              - sarif:       SARIF 2.1.0, for viewers and stores of static analysis
              - junit:       JUnit XML, for continuous integration
              - markdown:    Markdown, for a ticket or a wiki
              - html:        One file of HTML, for a mail or a colleague
              - github:      Workflow commands of GitHub Actions, which become
                annotations
              - nagios:      A check of Nagios; its exit codes are 0, 1, 2, 3
              - checkmk:     Local checks of Checkmk: the host, and each kind of
                finding
              - ocsf:        Events of the OCSF schema, for a store of security
                events

              [default: text]

          --full
              Show every finding with its numbers, what to do, and what not to do

          --details
              Show for each finding also the explanation, how its numbers are
              computed, and the sources

          --all
              Show also the rules that found nothing, by area

          --rehearse
              Try the recommended values in a scratch network namespace, and show
              what the kernel answered

      -o, --output <FILE>
              Write the report to a file instead of standard output

      -h, --help
              Print help (see a summary with '-h')

    What if:
          --set <KEY=VALUE>
              Report which findings would appear and vanish if the key had this
              value. Nothing is changed. Can be repeated

          --if-file <FILE>
              The same for the values in a file of sysctl.d, Ansible, Kubernetes and
              others (see `lint --help`)

          --at <PLACE>
              Only the values at this place of the file, such as
              `spec.securityContext.sysctls`

          --rules <DIR>
              Add the rules in this folder; a rule replaces another with the same
              id. Can be repeated [env: SYSCTL_ADVISOR_RULES, instead of the
              configured folders]

          --param <RULE.NAME=VALUE>
              Override a parameter of a rule. Can be repeated

          --state-dir <DIR>
              Folder with the journals of changes and the history [default:
              $STATE_DIRECTORY as systemd sets it, else /var/lib/sysctl-advisor]

              [env: SYSCTL_ADVISOR_STATE_DIR=]

          --window <DURATION>
              Time between the two readings of the counters: 500ms, 2s, 1m, at most
              1h; with 0 the counters are read once and rules that need rates are
              skipped [default: 2s] [env: SYSCTL_ADVISOR_WINDOW]

          --netns <WHICH>
              Network namespaces to observe: all, current, a name from `ip netns`,
              or the PID of a process in one [default: current] [env:
              SYSCTL_ADVISOR_NETNS]

          --budget <DURATION>
              Predicted CPU time for all network namespaces together, such as 500ms
              or 10s; or unlimited [default: 1s] [env: SYSCTL_ADVISOR_BUDGET]

          --connections <NUMBER>
              TCP connections of a namespace to look at one by one: where there are
              many more, the others are counted, and their ages and progress are
              estimated; or all [default: 20000]

          --fail-on <SEVERITY>
              Exit with code 10 if a finding has at least this severity: notice,
              warning, critical; or never [default: never] [env:
              SYSCTL_ADVISOR_FAIL_ON]

          --waivers <FILE>
              File with waivers, which are accepted findings [default:
              /etc/sysctl-advisor/waivers.toml] [env: SYSCTL_ADVISOR_WAIVERS]

          --label <NAME=VALUE>
              Label of this host, such as role=web, for reports that are put
              together: a fleet is grouped by it

          --role <ROLE>
              Role of this host that cannot be seen, or ROLE=no for one that it does
              not have

          --profile <PROFILE>
              Profile of rules: standard, or hardened for what baselines of security
              ask for too [default: standard] [env: SYSCTL_ADVISOR_PROFILE]
    Global options: ...

    The report fits onto a screen: a line for each cause, what hurts now first, and
    below it what follows from it. `!!` is critical, `!` a warning, `-` a notice;
    `*` means that a sysctl can be changed. `audit 1` shows the first of them in
    full: the numbers behind it, the change as `current -> proposed`, when the
    change takes effect, and which popular remedies to avoid. --full shows all of
    them.

    A rule whose numbers could not be read never counts as passed. A waived finding
    does not count for --fail-on.

    With --format nagios the exit codes are those of a Nagios plugin: 0 OK, 1
    warning, 2 critical, 3 unknown. Unknown means that the host could not be
    observed, or that a file is wrong. --fail-on has no effect.
    ");
}

#[test]
fn help_of_explain() {
    assert_snapshot!(own_help(&["explain", "-h"]), @"
    Explain a rule, a sysctl key, a TCP state or a kernel counter

    Usage: sysctl-advisor explain [OPTIONS] [NAME]...

    Arguments:
      [NAME]...  The id of a rule, a sysctl key, a TCP state, a kernel counter,
                 `handshake`, `close`, the number of a finding of the last audit, or
                 words to look for. Without it: everything that can be explained

    Options:
          --snapshot <FILE>
              Show the current values of this snapshot instead of the running host
              (`-`: standard input)
          --rules <DIR>
              Add the rules in this folder; a rule replaces another with the same
              id. Can be repeated [env: SYSCTL_ADVISOR_RULES, instead of the
              configured folders]
          --param <RULE.NAME=VALUE>
              Override a parameter of a rule. Can be repeated
      -h, --help
              Print help
    Global options: ...

    Examples:
      sysctl-advisor explain TIME_WAIT
      sysctl-advisor explain net.ipv4.tcp_fin_timeout
      sysctl-advisor explain net.ipv4.conf.eth0.rp_filter
      sysctl-advisor explain ListenOverflows
      sysctl-advisor explain close-wait-leak
      sysctl-advisor explain handshake
      sysctl-advisor explain 1
      sysctl-advisor explain too many open files
    ");
}

#[test]
fn help_of_drift() {
    assert_snapshot!(own_help(&["drift", "-h"]), @"
    Compare the values that files set with the effective values

    Usage: sysctl-advisor drift [OPTIONS] [KEY|GLOB]...

    Arguments:
      [KEY|GLOB]...  Keys, or patterns with `*` [default: all keys]

    Options:
          --snapshot <FILE>
              Compare the files and values of this snapshot instead of the running
              host (`-`: standard input)
          --root <DIR>
              Read the files under another root, such as an image. If it has a
              proc/sys, its values are compared
          --file <FILE>
              Review this file alone: what it would set here, what is wrong with it,
              and what the rules say of its values. Can be repeated
          --against <FILE>
              Compare the values that a file of Ansible, Puppet, Salt, Kubernetes
              and others declares (see `lint --help`) with the effective ones: what
              it would change here, what is wrong with it, and what the audit
              recommends instead
          --at <PLACE>
              Only the values at this place of the file of --against, such as
              `spec.securityContext.sysctls`
          --loader <LOADER>
              Load the files as this loader does: systemd-sysctl or `sysctl
              --system` of procps [default: the loader that this system uses]
              [possible values: systemd, procps]
          --when <WHEN>
              When the loader runs: at the next boot, or now by hand, with the
              interfaces and values as they are [default: boot] [possible values:
              boot, now]
          --netns <WHICH>
              Network namespace to compare with: current, a name from `ip netns`,
              the PID of a process in it, or none (show only what a boot would set)
              [default: current]
          --format <FORMAT>
              Output format [default: text] [possible values: text, json, ndjson,
              csv, sarif, junit, markdown, github, gitlab, nagios, checkmk]
      -o, --output <FILE>
              Write the report to a file instead of standard output
          --fail-on-drift
              Exit with code 10 if a key is not in sync; in a review (--file,
              --netns none), if there is any remark
          --no-rehearsal
              Do not try values in a scratch network namespace
          --rules <DIR>
              Add the rules in this folder; a rule replaces another with the same
              id. Can be repeated [env: SYSCTL_ADVISOR_RULES, instead of the
              configured folders]
          --param <RULE.NAME=VALUE>
              Override a parameter of a rule. Can be repeated
          --window <DURATION>
              Time between the two readings of the counters: 500ms, 2s, 1m, at most
              1h; with 0 the counters are read once and rules that need rates are
              skipped [default: 2s] [env: SYSCTL_ADVISOR_WINDOW]
      -h, --help
              Print help (see more with '--help')
    Global options: ...

    Examples:
      sysctl-advisor drift                           all keys that are not in sync
      sysctl-advisor drift net.ipv4.tcp_rmem         one key: which file sets it
      sysctl-advisor drift 'net.ipv4.conf.*'         keys by pattern
      sysctl-advisor drift --loader procps           as `sysctl --system` loads them
      sysctl-advisor drift --when now                what a run of the loader by
      hand would set
      sysctl-advisor drift --root /mnt --netns none  what an image would set at boot
      sysctl-advisor drift --file 90-tuning.conf     review one file
      sysctl-advisor drift --against web.yml         values that Ansible would set
      sysctl-advisor drift --snapshot host.json      a saved state of any host

    Status of a key: not_in_force (the kernel has another value than the file), dead
    (the key does not exist), invalid (the kernel rejects the value), wrong_scope
    (this network namespace cannot set the key), runtime_only (no file sets the
    value, so a reboot reverts it), unread (the value cannot be read), in_sync.

    With --format nagios the exit codes are those of a Nagios plugin: 0 OK, 1
    warning, 2 critical, 3 unknown. --fail-on-drift has no effect.
    ");
}

#[test]
fn help_of_snapshot() {
    assert_snapshot!(own_help(&["snapshot", "-h"]), @"
    Save the state of this host, to audit it later or on another machine

    Usage: sysctl-advisor snapshot [OPTIONS]

    Options:
      -o, --output <FILE>       File to write [default: standard output]
          --window <DURATION>   Time between the two readings of the counters:
                                500ms, 2s, 1m, at most 1h; with 0 the counters are
                                read once and rules that need rates are skipped
                                [default: 2s] [env: SYSCTL_ADVISOR_WINDOW]
          --netns <WHICH>       Network namespaces to observe: all, current, a name
                                from `ip netns`, or the PID of a process in one
                                [default: current] [env: SYSCTL_ADVISOR_NETNS]
          --label <NAME=VALUE>  Label of this host, such as role=web, for reports
                                that are put together: a fleet is grouped by it
          --role <ROLE>         Role of this host that cannot be seen, or ROLE=no
                                for one that it does not have
      -h, --help                Print help
    Global options: ...

    A snapshot holds socket counts, kernel counters, sysctl values, the files that
    set sysctls, and the addresses of the busiest destinations and of listeners. It
    holds no payload and no secret keys. `audit --snapshot FILE` and `drift
    --snapshot FILE` give the same findings on any machine.
    ");
}

#[test]
fn help_of_apply() {
    assert_snapshot!(own_help(&["apply", "--help"]), @"
    Apply a plan. You can roll it back at any time

    Usage: sysctl-advisor apply [OPTIONS] <PLAN>

    Arguments:
      <PLAN>  Plan file from `plan -o FILE`. It must belong to root, and nobody else
              may be able to write to it

    Options:
      -y, --yes
              Do not ask for confirmation
          --dry-run
              Check everything and print what would be written, but write nothing
          --confirm-within <DURATION>
              Roll back automatically unless `confirm` is run within this time: 30s,
              10m
          --runtime-only
              Change only the running system: `confirm` writes no file for the next
              boot
          --state-dir <DIR>
              Folder with the journals of changes and the history [default:
              $STATE_DIRECTORY as systemd sets it, else /var/lib/sysctl-advisor]
              [env: SYSCTL_ADVISOR_STATE_DIR=]
          --window <DURATION>
              Time between the two readings of the counters: 500ms, 2s, 1m, at most
              1h; with 0 the counters are read once and rules that need rates are
              skipped [default: 2s] [env: SYSCTL_ADVISOR_WINDOW]
      -h, --help
              Print help
    Global options: ...

    Either all values are written or none. If the kernel rejects a value, or reads
    back another one, the values written before are restored. The change lasts until
    the next boot: `confirm` makes it permanent, `rollback` restores the previous
    values. If rules of the plan have guards, rates are measured over --window
    before the first write (0: no rates). Exit code 4: nothing is changed, because
    the plan no longer matches this host or a value was rejected. Exit code 5: a
    value was written and could not be restored.
    ");
}

#[test]
fn help_of_confirm() {
    assert_snapshot!(own_help(&["confirm", "--help"]), @"
    Make an applied change permanent

    Usage: sysctl-advisor confirm [OPTIONS] [ID]

    Arguments:
      [ID]  Number of the change [default: the latest change that is not confirmed]

    Options:
          --force            Confirm the change even if a guard shows that something
                             is worse than before
          --state-dir <DIR>  Folder with the journals of changes and the history
                             [default: $STATE_DIRECTORY as systemd sets it, else
                             /var/lib/sysctl-advisor] [env:
                             SYSCTL_ADVISOR_STATE_DIR=]
      -h, --help             Print help
    Global options: ...

    Writes the values of the change to /etc/sysctl.d/90-sysctl-advisor.conf. It
    writes no file if the change was applied with --runtime-only, or in a network
    namespace that the boot does not set up. The command refuses with exit code 4 in
    three cases: a value is no longer effective, another file would override a value
    at the next boot, or a guard of a rule shows that something is worse than before
    the change. Right after the change it waits until the guards can compare, for as
    long as was measured before the change and for 10 s at most (not with --force).
    A guard that cannot be judged is reported, and the change is confirmed.
    ");
}

#[test]
fn help_of_rollback() {
    assert_snapshot!(own_help(&["rollback", "--help"]), @"
    Roll back a change: restore the previous values

    Usage: sysctl-advisor rollback [OPTIONS] <ID|--last>

    Arguments:
      [ID]  Number of the change

    Options:
          --last             Roll back the latest change that is not rolled back yet
      -y, --yes              Do not ask for confirmation
          --force            Restore the previous values even if someone else
                             changed them after the change
          --state-dir <DIR>  Folder with the journals of changes and the history
                             [default: $STATE_DIRECTORY as systemd sets it, else
                             /var/lib/sysctl-advisor] [env:
                             SYSCTL_ADVISOR_STATE_DIR=]
      -h, --help             Print help
    Global options: ...

    Works for a change that is effective, confirmed, or was interrupted. If someone
    else changed a value after the change, the command reports the value and
    restores nothing, unless --force is given. Exit code 5: not every value was
    restored.
    ");
}

#[test]
fn help_of_changes() {
    assert_snapshot!(own_help(&["changes", "--help"]), @"
    List the changes that this program made, or show one

    Usage: sysctl-advisor changes [OPTIONS] [ID]

    Arguments:
      [ID]
              Number of the change; without it, all changes are listed

    Options:
          --in-force
              Only changes whose values are effective now or would be after the next
              boot; as text, print nothing if there are none

          --format <FORMAT>
              Output format

              Possible values:
              - text: Human-readable
              - json: Machine-readable; docs/schema has the JSON Schema

              [default: text]

          --state-dir <DIR>
              Folder with the journals of changes and the history [default:
              $STATE_DIRECTORY as systemd sets it, else /var/lib/sysctl-advisor]

              [env: SYSCTL_ADVISOR_STATE_DIR=]

      -h, --help
              Print help (see a summary with '-h')
    Global options: ...
    ");
}

#[test]
fn help_of_agent() {
    assert_snapshot!(own_help(&["agent", "--help"]), @"
    Run one scheduled audit: record the results and report what changed

    Usage: sysctl-advisor agent [OPTIONS]

    Options:
          --apply
              Also apply what persistent findings recommend, within the `[apply]`
              limits, and roll back changes that make things worse; needs `[agent]
              apply = true`
          --rules <DIR>
              Add the rules in this folder; a rule replaces another with the same
              id. Can be repeated [env: SYSCTL_ADVISOR_RULES, instead of the
              configured folders]
          --param <RULE.NAME=VALUE>
              Override a parameter of a rule. Can be repeated
          --state-dir <DIR>
              Folder with the journals of changes and the history [default:
              $STATE_DIRECTORY as systemd sets it, else /var/lib/sysctl-advisor]
              [env: SYSCTL_ADVISOR_STATE_DIR=]
          --window <DURATION>
              Time between the two readings of the counters: 500ms, 2s, 1m, at most
              1h; with 0 the counters are read once and rules that need rates are
              skipped [default: 2s] [env: SYSCTL_ADVISOR_WINDOW]
          --budget <DURATION>
              Predicted CPU time for all network namespaces together, such as 500ms
              or 10s; or unlimited [default: 1s] [env: SYSCTL_ADVISOR_BUDGET]
          --connections <NUMBER>
              TCP connections of a namespace to look at one by one: where there are
              many more, the others are counted, and their ages and progress are
              estimated; or all [default: 20000]
          --waivers <FILE>
              File with waivers, which are accepted findings [default:
              /etc/sysctl-advisor/waivers.toml] [env: SYSCTL_ADVISOR_WAIVERS]
          --label <NAME=VALUE>
              Label of this host, such as role=web, for reports that are put
              together: a fleet is grouped by it
          --role <ROLE>
              Role of this host that cannot be seen, or ROLE=no for one that it does
              not have
          --profile <PROFILE>
              Profile of rules: standard, or hardened for what baselines of security
              ask for too [default: standard] [env: SYSCTL_ADVISOR_PROFILE]
      -h, --help
              Print help
    Global options: ...

    systemd starts this command every hour (sysctl-advisor.timer). Run by hand, it
    does the same once and exits. Rates are computed since the previous run, or over
    --window if no recent run is known. A finding is reported after it has persisted
    for several runs (`hold_off`). Messages go to the systemd journal, or to
    standard error if there is no journal. Each run also writes a report, the
    history, and gauges for Prometheus: docs/agent.md lists the files. Exit code 3:
    the host could not be observed, or no result could be written.
    ");
}

#[test]
fn help_of_history() {
    assert_snapshot!(own_help(&["history", "--help"]), @"
    Show the results of earlier agent runs: trends, new findings and resolved
    findings

    Usage: sysctl-advisor history [OPTIONS] [METRIC|RULE|STATE]

    Arguments:
      [METRIC|RULE|STATE]
              A metric, a TCP state, a counter or a rule; without it, an overview is
              printed

    Options:
          --since <DURATION>
              Show the results of this time until now: 12h, 7d, 90d

              [default: 7d]

          --netns <NAME>
              Network namespace to show [default: host, else the first one in the
              history]

          --format <FORMAT>
              Output format

              Possible values:
              - text: Human-readable
              - json: Machine-readable; docs/schema has the JSON Schema
              - html: One file of HTML with pictures, for a mail or a colleague

              [default: text]

          --state-dir <DIR>
              Folder with the journals of changes and the history [default:
              $STATE_DIRECTORY as systemd sets it, else /var/lib/sysctl-advisor]

              [env: SYSCTL_ADVISOR_STATE_DIR=]

      -h, --help
              Print help (see a summary with '-h')
    Global options: ...

    Examples:
      sysctl-advisor history                            the last 7 days
      sysctl-advisor history --since 30d TIME_WAIT      sockets in a state
      sysctl-advisor history ListenOverflows            a counter, per second
      sysctl-advisor history ports.largest_destination  a metric of a rule
      sysctl-advisor history close-wait-leak            when a rule had findings

    Each run of `sysctl-advisor agent` adds to the history. It keeps the number of
    sockets in each TCP state, and each metric that a rule uses.
    ");
}

#[test]
fn help_of_rules() {
    assert_snapshot!(own_help(&["rules", "--help"]), @"
    List, check and test rules; print the metrics that rules can use

    Usage: sysctl-advisor rules [OPTIONS] <COMMAND>

    Commands:
      list     Print the rules of this host with their severity
      new      Write a new rule file that explains each field and passes its tests
      check    Check rule files: names, types, keys, documentation
      test     Check rule files and run the tests inside them
      metrics  Print every metric that a rule can use
      schema   Print the JSON Schema of a rule file or of the output of a command
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    Global options: ...
    ");
    assert_snapshot!(own_help(&["rules", "list", "-h"]), @"
    Print the rules of this host with their severity

    Usage: sysctl-advisor rules list [OPTIONS]

    Options:
          --format <FORMAT>
              Output format [default: text] [possible values: text, json]
          --rules <DIR>
              Add the rules in this folder; a rule replaces another with the same
              id. Can be repeated [env: SYSCTL_ADVISOR_RULES, instead of the
              configured folders]
          --param <RULE.NAME=VALUE>
              Override a parameter of a rule. Can be repeated
      -h, --help
              Print help (see more with '--help')
    Global options: ...
    ");
    assert_snapshot!(own_help(&["rules", "new", "-h"]), @"
    Write a new rule file that explains each field and passes its tests

    Usage: sysctl-advisor rules new [OPTIONS] <ID>

    Arguments:
      <ID>  Id of the rule: lower case letters, digits and hyphens, not the id of a
            shipped rule

    Options:
      -o, --output <FILE>  File to write, `FOLDER/ID.toml`; an existing file is not
                           overwritten [default: standard output]
      -h, --help           Print help
    Global options: ...

    The new file is a complete rule, and `rules test FILE` passes on it. Replace its
    texts, names and numbers from the top down, and run `rules test FILE` after each
    step. docs/add-a-rule.md explains each step.

    Examples:
      sysctl-advisor rules new my-rule           print a new rule
      sysctl-advisor rules new my-rule -o my-rules/my-rule.toml
      sysctl-advisor rules test my-rules         check the rules, run their tests
      sysctl-advisor rules metrics               print the names for conditions
      sysctl-advisor audit --rules my-rules      use the new rules
    ");
    assert_snapshot!(own_help(&["rules", "check", "-h"]), @"
    Check rule files: names, types, keys, documentation

    Usage: sysctl-advisor rules check [OPTIONS] [FILE]...

    Arguments:
      [FILE]...  Rule files or folders [default: the rules of this host]

    Options:
          --rules <DIR>
              Add the rules in this folder; a rule replaces another with the same
              id. Can be repeated [env: SYSCTL_ADVISOR_RULES, instead of the
              configured folders]
          --param <RULE.NAME=VALUE>
              Override a parameter of a rule. Can be repeated
      -h, --help
              Print help
    Global options: ...
    ");
    assert_snapshot!(own_help(&["rules", "test", "-h"]), @"
    Check rule files and run the tests inside them

    Usage: sysctl-advisor rules test [OPTIONS] [FILE]...

    Arguments:
      [FILE]...  Rule files or folders [default: the rules of this host]

    Options:
          --rules <DIR>
              Add the rules in this folder; a rule replaces another with the same
              id. Can be repeated [env: SYSCTL_ADVISOR_RULES, instead of the
              configured folders]
          --param <RULE.NAME=VALUE>
              Override a parameter of a rule. Can be repeated
      -h, --help
              Print help
    Global options: ...
    ");
    assert_snapshot!(own_help(&["rules", "metrics", "-h"]), @"
    Print every metric that a rule can use

    Usage: sysctl-advisor rules metrics [OPTIONS]

    Options:
          --healthy          Print the value of each metric on the healthy host that
                             rule tests start from
          --format <FORMAT>  Output format [default: text] [possible values: text,
                             json]
      -h, --help             Print help (see more with '--help')
    Global options: ...
    ");
    assert_snapshot!(own_help(&["rules", "schema", "-h"]), @"
    Print the JSON Schema of a rule file or of the output of a command

    Usage: sysctl-advisor rules schema [OPTIONS] [OF]

    Arguments:
      [OF]  The kind of file or output [default: rule] [possible values: rule,
            report, finding, run, facts, plan, drift, check, remark, history,
            changes, what-if, lab]

    Options:
      -h, --help  Print help
    Global options: ...
    ");
}

#[test]
fn help_of_completions() {
    assert_snapshot!(own_help(&["completions", "-h"]), @"
    Print a shell completion script

    Usage: sysctl-advisor completions [OPTIONS] <SHELL>

    Arguments:
      <SHELL>  The shell to print the script for [possible values: bash, elvish,
               fish, powershell, zsh]

    Options:
      -h, --help  Print help
    Global options: ...
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
    assert_snapshot!(run(&["audti"]).err, @"
    error: unrecognized subcommand 'audti'

      tip: a similar subcommand exists: 'audit'

    Usage: sysctl-advisor [OPTIONS] [COMMAND]

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["explain", "tcp_fin_timeuot"]).err, @"");
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
