//! The report for continuous integration: JUnit's XML.
//!
//! In: the sections of an audit. Out: XML 1.0, a test case for each finding and for each check that was not made.
//! Must not: let what could not be checked pass. Rules without a finding have no names here: they are one test case.

use std::io;

use super::format::{Content, Format};
use super::sections::{GapAt, Head, Open, Writer};
use super::{summary, words};
use crate::audit::model::{Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::model::in_words;
use crate::report::junit::{CLASS, Suite};
use crate::snapshot::Namespace;
use crate::text::Lines;

pub(super) const FORMAT: Format = Format {
    name: "junit",
    help: "JUnit XML, for continuous integration",
    cannot_carry: &[
        (Content::Ids, "a test is recognised by its class and its name, which are the rule and the subject"),
        (Content::Harm, "the order of the tests says it"),
        (Content::Bounds, "a person reads the report of a test and decides on a value"),
        (Content::Earlier, "the system that runs tests compares runs by itself"),
    ],
    write: |sections, _, output| sections.give_to(Suite::default(), output),
};

impl<'a> Writer<'a> for Suite {
    fn head(&mut self, head: Head<'a>) {
        let seconds = head.window.seconds;
        Self::head(self, &head.system.hostname, head.taken_at, seconds);
        self.property("version", head.written_by);
        self.property("host", &words::facts(&head));
        self.property("window_seconds", &seconds.to_string());
        let numbers = &head.summary;
        self.property("rules", &numbers.rules.to_string());
        if numbers.rules == 0 || numbers.namespaces.is_empty() {
            self.error(CLASS, "rules without a finding", "Nothing was checked.");
            return;
        }
        let quiet = numbers.rules.saturating_sub(numbers.rules_firing + numbers.rules_only_skipped);
        if quiet > 0 {
            let text = format!("{} found nothing.", summary::counted(quiet, "rules"));
            self.pass(CLASS, "rules without a finding", &text);
        }
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        let mut lines = Lines::default();
        for Open { finding, seen: _ } in findings {
            lines.clear();
            words::what_to_act_on(finding, &mut lines);
            words::background(finding, &mut lines);
            self.fail(&finding.rule, &words::place(finding), finding.severity.name(), &finding.title, &lines);
        }
    }

    fn waived(&mut self, waived: Vec<(&'a Finding, &'a Waiver)>) {
        for (finding, waiver) in waived {
            let message = format!("{} ({}), {}", finding.title, finding.severity.name(), words::waiver(waiver));
            self.skip(&finding.rule, &words::place(finding), &message);
        }
    }

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        for (number, namespace) in namespaces.iter().enumerate() {
            self.property(&format!("namespace_{}", number + 1), &words::sockets(namespace));
        }
    }

    fn skipped(&mut self, skipped: &'a [Skipped]) {
        for Skipped { rule, namespace, reason } in skipped {
            self.skip(rule, in_words(namespace), &format!("could not be checked: {reason}"));
        }
    }

    fn gaps(&mut self, gaps: Vec<GapAt<'a>>) {
        for gap in gaps {
            let name = format!("{}: {}", words::gap_place(&gap), gap.gap.what);
            self.skip(&format!("{CLASS}.not-read"), &name, &format!("could not be read: {}", gap.gap.why));
        }
    }

    fn broken_rules(&mut self, messages: &'a [String]) {
        for (number, message) in messages.iter().enumerate() {
            self.error(&format!("{CLASS}.rule-file-broken"), &format!("rule file {}", number + 1), message);
        }
    }

    fn waiver_problems(&mut self, problems: &'a [WaiverProblem]) {
        for problem in problems {
            let class = format!("{CLASS}.{}", problem.trouble.name());
            let name = format!("{}:{}: {}", problem.file, problem.line, problem.rule);
            self.error(&class, &name, &words::waiver_problem(problem));
        }
    }

    fn resolved(&mut self, _episodes: Vec<&'a Episode>) {}

    fn finish(self, output: &mut dyn io::Write) -> io::Result<()> {
        Self::write(self, output)
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::Look;
    use super::super::sections::Reported;
    use super::*;
    use crate::report::example;

    #[test]
    fn the_text_reads_so() {
        let snapshot = example::snapshot();
        let text = FORMAT.text(Reported::of(&example::audit(&snapshot)), &Look::plain()).unwrap();
        let text = text.replace(&"x".repeat(300), "xxx").replace(&"path/".repeat(30), "path/");
        insta::assert_snapshot!(text, @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites>
        <testsuite name="sysctl-advisor" tests="13" failures="4" errors="2" skipped="6" hostname="web-1" timestamp="2026-01-01T00:00:00Z" time="2">
        <properties>
        <property name="version" value="0.1.0"/>
        <property name="host" value="Linux 6.12.0, 4 CPUs, 16.0 GiB, up 11 d 13 h, counters over 2 s"/>
        <property name="window_seconds" value="2"/>
        <property name="rules" value="35"/>
        <property name="namespace_1" value="host: TCP sockets: LISTEN 12, SYN_RECV 1, ESTABLISHED 1,203, TIME_WAIT 25,300, CLOSE_WAIT 320"/>
        <property name="namespace_2" value="blue: TCP sockets could not be read"/>
        </properties>
        <testcase classname="sysctl-advisor" name="rules without a finding" time="0"><system-out>27 rules found nothing.</system-out></testcase>
        <testcase classname="ephemeral-ports" name="host: 10.0.0.1 -&gt; 10.0.0.5:5432" time="0"><failure type="critical" message="10.0.0.5:5432 takes 92 % of the ephemeral ports">Where: host: 10.0.0.1 -&gt; 10.0.0.5:5432
        ports in use: 26,012 ports
        share of the range: 92 %
        range: 32768 60999
        reuse could help: yes
        nonsense: unknown
        Change net.ipv4.ip_local_port_range: 32768 60999 -&gt; 16384 65535. Tried in a scratch namespace: the kernel accepts it. Risk medium. New connections use it at once. Side effects: A service that listens on a port from 16384 up can find it taken when it starts.
        Do (application): Keep connections open: a pool, or HTTP keep-alive, needs a handful of ports.
        Do (operator): More source addresses multiply the ports.
        Do not: net.ipv4.tcp_fin_timeout: it ends orphaned FIN_WAIT2 sockets; TIME_WAIT lasts 60 s whatever it says
        Rule: ephemeral-ports (capacity)
        Why: Every outgoing connection to one address and port needs a local port of its own. When none is left, connect() fails with EADDRNOTAVAIL. A second paragraph that the short form leaves to `explain`.
        ports in use is destination.ports_blocked
        share of the range is destination.port_use
        range is net.ipv4.ip_local_port_range
        reuse could help is net.ipv4.tcp_tw_reuse != 1
        nonsense is 0.0 / 0.0
        Source: https://docs.kernel.org/networking/ip-sysctl.html</failure></testcase>
        <testcase classname="accept-queue-overflow" name="blue: [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -&gt; [2001:db8:1111:2222:3333:4444:5555:6666]:65535" time="0"><failure type="warning" message="The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 overflowed and connections were lost">Where: blue: [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -&gt; [2001:db8:1111:2222:3333:4444:5555:6666]:65535
        waited for accept() at the end of the window: 1 connection
        overflows: 12.5/s
        age of the oldest: 2 h 5 min
        memory: 6.0 MiB
        owner: a-process-with-a-long-name (pid 4194304)
        Change net.core.a_key_with_a_name_that_is_far_longer_than_most_of_them: (empty) -&gt; 8192. Not possible here: the key belongs to the whole machine and is read-only in this namespace. Risk low. The next listen() uses it.
        Rule: accept-queue-overflow (capacity)
        Why: The queue is full.
        waited for accept() at the end of the window is listener.queue
        overflows is rate.TcpExt.ListenOverflows * 1.0 + 0.0 * double(listener.queue)
        age of the oldest is window.seconds
        memory is host.memory_bytes
        owner is listener.owner</failure></testcase>
        <testcase classname="close-wait-leak" name="host: evil�]0;owned��[31m �2J�name (pid 12)" time="0"><failure type="warning" message="evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLOSE_WAIT">Where: host: evil�]0;owned��[31m �2J�name (pid 12)
        evil�]0;owned��[31m �2J�name: evil�]0;owned��[31m �2J�name evil�]0;owned��[31m �2J�name
        Change net.ipv4.ip_local_port_range: 32768 60999 -&gt; 16384 65535. Tried in a scratch namespace: the kernel accepts it. Risk medium. New connections use it at once. Side effects: A service that listens on a port from 16384 up can find it taken when it starts.
        Do (evil�]0;owned��[31m �2J�name): evil�]0;owned��[31m �2J�name
        Do not: evil�]0;owned��[31m �2J�name: evil�]0;owned��[31m �2J�name
        Look: `evil�]0;owned��[31m �2J�name` shows evil�]0;owned��[31m �2J�name.
        Rule: close-wait-leak (application)
        Why: xxx
        evil�]0;owned��[31m �2J�name is evil�]0;owned��[31m �2J�name
        Source: https://example.org/path/</failure></testcase>
        <testcase classname="timestamps-off" name="host" time="0"><failure type="notice" message="TCP timestamps are off">Where: host
        Rule: timestamps-off (hygiene)
        Why: Without timestamps there is no PAWS.</failure></testcase>
        <testcase classname="syncookies-off" name="host" time="0"><skipped message="SYN cookies are off (warning), waived until 2027-01-31 by maria: lab machine"/></testcase>
        <testcase classname="arp-table-near-limit" name="blue" time="0"><skipped message="could not be checked: net.ipv4.neigh.default.gc_thresh3: No such file or directory"/></testcase>
        <testcase classname="syn-backlog-drops" name="blue" time="0"><skipped message="could not be checked: sockets: sock_diag: Operation not permitted"/></testcase>
        <testcase classname="time-wait-overflow" name="blue" time="0"><skipped message="could not be checked: sockets: sock_diag: Operation not permitted"/></testcase>
        <testcase classname="sysctl-advisor.not-read" name="machine: host.memory" time="0"><skipped message="could not be read: /proc/meminfo: Permission denied"/></testcase>
        <testcase classname="sysctl-advisor.not-read" name="blue: sockets" time="0"><skipped message="could not be read: sock_diag: Operation not permitted; /proc/net/tcp: Permission denied"/></testcase>
        <testcase classname="sysctl-advisor.rule-file-broken" name="rule file 1" time="0"><error type="sysctl-advisor.rule-file-broken" message="/etc/sysctl-advisor/rules.d/mine.toml:2:1: unknown field `severty`"/></testcase>
        <testcase classname="sysctl-advisor.waiver-expired" name="/etc/sysctl-advisor/waivers.toml:9: close-wait-leak" time="0"><error type="sysctl-advisor.waiver-expired" message="/etc/sysctl-advisor/waivers.toml:9: waiver-expired close-wait-leak: ended on 2025-12-31 (by maria: �[31mthe vendor works on it)"/></testcase>
        </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn where_nothing_was_checked_no_test_passes() {
        let snapshot = example::snapshot();
        let mut audit = example::audit(&snapshot);
        (audit.rules, audit.findings, audit.skipped) = (0, Vec::new(), Vec::new());
        let text = FORMAT.text(Reported::of(&audit), &Look::plain()).unwrap();
        assert!(text.contains("message=\"Nothing was checked.\"") && !text.contains("system-out"), "{text}");
    }
}
