//! The commands that findings give: the real tools take each of them, and the real finding has them with its own values.

use std::collections::BTreeMap;
use std::process::Command;

use sysctl_advisor::rules::set::RuleSet;

use crate::support::lab::run;

/// What the values in braces can be in a namespace that has a loopback and nothing else. `pid` is a process that opens no files
/// while a tool looks at it, as the one that runs the tests does.
fn filled(pattern: &str, pid: u32) -> String {
    let pid = pid.to_string();
    let values = BTreeMap::from([
        ("{destination.address}", "127.0.0.1"),
        ("{destination.port}", "5432"),
        ("{listener.port}", "8080"),
        ("{listener.pid}", &*pid),
        ("{owner.pid}", &*pid),
        ("{udp_socket.pid}", &*pid),
        ("{unix_listener.pid}", &*pid),
        ("{interface.name}", "lo"),
        ("{qdisc.interface}", "lo"),
    ]);
    let text = values.iter().fold(pattern.to_owned(), |text, (name, value)| text.replace(name, value));
    text.replace("timeout 10", "timeout 1")
}

/// Why the tool did not understand it. What it finds, and that it was ended, do not matter.
fn misunderstood(command: &str) -> Option<String> {
    let script = format!("ip link set lo up; {command}");
    let output = Command::new("unshare").args(["--net", "sh", "-c", &script]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let of_tool = |word: &str| command.contains(word);
    let known = match output.status.code() {
        Some(0 | 124) => true,
        // A loopback has no ring and no counters of a driver, and answers so.
        Some(_) if of_tool("ethtool") => {
            ["Operation not supported", "no stats available"].iter().any(|answer| errors.contains(answer))
        }
        // A kernel without tracepoints; the program was parsed before it looked for them.
        Some(_) if of_tool("bpftrace") => errors.contains("tracepoint not found") && !errors.contains("syntax error"),
        // No message of the kernel has the word.
        Some(1) if of_tool("journalctl") => errors.is_empty() || errors.contains("No journal files were found"),
        _ => false,
    };
    (!known).then(|| format!("{command}: {:?}: {errors}", output.status))
}

#[test]
fn the_real_tools_understand_each_command_of_the_shipped_rules() {
    let rules = RuleSet::shipped();
    let patterns = rules.iter().flat_map(|rule| rule.looks.iter().map(|look| look.run.pattern()));
    let mut quiet = Command::new("sleep").arg("600").spawn().unwrap();
    let commands: std::collections::BTreeSet<String> = patterns.map(|pattern| filled(&pattern, quiet.id())).collect();
    assert!(commands.len() > 40, "{}", commands.len());
    let unfilled: Vec<_> =
        commands.iter().filter(|command| command.contains("{destination") || command.contains(".pid}")).collect();
    assert_eq!(unfilled, [] as [&String; 0]);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let asked: Vec<_> = commands.iter().map(|command| scope.spawn(|| misunderstood(command))).collect();
        asked.into_iter().filter_map(|one| one.join().unwrap()).collect()
    });
    quiet.kill().unwrap();
    quiet.wait().unwrap();
    assert_eq!(wrong, [] as [String; 0]);
}

#[test]
fn a_finding_gives_commands_with_its_own_process_and_address_and_they_show_it() {
    let program = env!("CARGO_BIN_EXE_sysctl-advisor");
    // The server is process 2 of the namespace and does not accept: python waits in a system call that has a name.
    let script = format!(
        "ip link set lo up
        python3 -c 'import socket, time
s = socket.socket(); s.bind((\"127.0.0.1\", 8080)); s.listen(2)
c = [socket.socket() for _ in range(12)]
[x.setblocking(False) or x.connect_ex((\"127.0.0.1\", 8080)) for x in c]
time.sleep(60)' &
        for _ in $(seq 200); do ss -Hltn sport = :8080 | grep -q \"LISTEN 3 \" && break; sleep 0.1; done
        # The rule waits until nobody can call it a pause.
        sleep 3
        {program} audit accept-queue-not-drained --window 1s > /tmp/text
        cat /tmp/text
        sed -n 's/^ *\\(look \\)\\? *\\(cat .*wchan\\)$/\\2/p' /tmp/text > /tmp/commands
        echo == ; sh /tmp/commands
        kill $!"
    );
    let arguments = ["--net", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c"];
    let script = format!("mount -t tmpfs none /tmp; {script}");
    let shown = run(Command::new("unshare").args(arguments).arg(&script));
    let (text, found) = shown.split_once("==\n").unwrap();
    assert!(text.contains("ss -ltnp sport = :8080"), "{text}");
    assert!(found.contains("nanosleep"), "{shown}");
}
