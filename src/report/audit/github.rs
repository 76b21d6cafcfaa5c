//! The report for a workflow of GitHub: a workflow command per line, of which the runner makes annotations.
//!
//! In: the sections of an audit. Out: one line per entry. The runner shows 10 annotations of each kind per step, so the worst
//! comes first, and what is many (sockets, checks that were not made) is `debug`; its number is in the first line.
//! Must not: write a command itself; `workflow` does.

use std::io;

use super::format::{Content, Format};
use super::sections::{GapAt, Head, Open, Writer};
use super::{summary, words};
use crate::audit::model::{Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::report::theme::Theme;
use crate::report::workflow::{Commands, kind};
use crate::snapshot::Namespace;
use crate::text::Lines;

const RULE: &str = "an annotation is short; `explain RULE` prints it";

pub(super) const FORMAT: Format = Format {
    name: "github",
    help: "Workflow commands of GitHub Actions, which become annotations",
    cannot_carry: &[
        (Content::Ids, "a person reads an annotation and recognises things by their names"),
        (Content::Explanation, RULE),
        (Content::Expressions, RULE),
        (Content::References, RULE),
        (Content::Harm, "the order of the annotations says it"),
        (Content::Bounds, "a person decides on a value"),
        (Content::Earlier, "a workflow starts on a new machine each time"),
    ],
    write: |sections, _, output| sections.give_to(Commands::default(), output),
};

impl<'a> Writer<'a> for Commands {
    fn head(&mut self, head: Head<'a>) {
        let (_, numbers) = summary::sentence(&head.summary, &Theme::plain());
        let mut lines = Lines::of(&[&numbers]);
        lines.add(&[&words::facts(&head)]);
        self.command("notice", &[("title", &words::title(&head))], &lines);
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        let mut lines = Lines::default();
        for Open { finding, seen: _ } in findings {
            lines.clear();
            words::what_to_act_on(finding, &mut lines);
            annotate(self, kind(finding.severity), finding, &lines);
        }
    }

    fn waived(&mut self, waived: Vec<(&'a Finding, &'a Waiver)>) {
        for (finding, waiver) in waived {
            let mut lines = Lines::of(&["Where: ", &words::place(finding)]);
            lines.add(&[finding.severity.name(), " ", &finding.rule, ", ", &words::waiver(waiver)]);
            annotate(self, "notice", finding, &lines);
        }
    }

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        namespaces.iter().for_each(|namespace| self.debug(&words::sockets(namespace)));
    }

    fn skipped(&mut self, skipped: &'a [Skipped]) {
        skipped.iter().for_each(|skip| self.debug(&words::skipped(skip)));
    }

    fn gaps(&mut self, gaps: Vec<GapAt<'a>>) {
        gaps.iter().for_each(|gap| self.debug(&words::gap(gap)));
    }

    fn broken_rules(&mut self, messages: &'a [String]) {
        for message in messages {
            self.command("warning", &[("title", "A rule file could not be loaded")], &Lines::of(&[message]));
        }
    }

    fn waiver_problems(&mut self, problems: &'a [WaiverProblem]) {
        for problem in problems {
            let line = problem.line.to_string();
            let properties = [("file", &*problem.file), ("line", &line), ("title", "A waiver waives nothing")];
            self.command("warning", &properties, &Lines::of(&[&words::waiver_problem(problem)]));
        }
    }

    fn resolved(&mut self, _episodes: Vec<&'a Episode>) {}

    fn finish(self, output: &mut dyn io::Write) -> io::Result<()> {
        output.write_all(self.0.as_bytes())
    }
}

/// An annotation of the line that the finding is about, if there is one.
fn annotate(commands: &mut Commands, kind: &str, finding: &Finding, lines: &Lines) {
    let place = finding.line.as_ref().map(|line| (line.file.as_str(), line.line.to_string()));
    let mut properties: Vec<(&str, &str)> = Vec::new();
    if let Some((file, line)) = &place {
        properties.extend([("file", *file), ("line", line.as_str())]);
    }
    properties.push(("title", &finding.title));
    commands.command(kind, &properties, lines);
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
        insta::assert_snapshot!(text, @r"
        ::notice title=sysctl-advisor on web-1 at 2026-01-01T00%3A00%3A00Z::1 critical, 2 warnings, 1 notice, 1 waived from 35 rules; 3 checks skipped, 1 rule file broken, 1 waiver expired or unused. 2 things could not be read.%0ALinux 6.12.0, 4 CPUs, 16.0 GiB, up 11 d 13 h, counters over 2 s
        ::error title=10.0.0.5%3A5432 takes 92 %25 of the ephemeral ports::Where: host: 10.0.0.1 -> 10.0.0.5:5432%0Aports in use: 26,012 ports%0Ashare of the range: 92 %25%0Arange: 32768 60999%0Areuse could help: yes%0Anonsense: unknown%0AChange net.ipv4.ip_local_port_range: 32768 60999 -> 16384 65535. Tried in a scratch namespace: the kernel accepts it. Risk medium. New connections use it at once. Side effects: A service that listens on a port from 16384 up can find it taken when it starts.%0ADo (application): Keep connections open: a pool, or HTTP keep-alive, needs a handful of ports.%0ADo (operator): More source addresses multiply the ports.%0ADo not: net.ipv4.tcp_fin_timeout: it ends orphaned FIN_WAIT2 sockets; TIME_WAIT lasts 60 s whatever it says%0ARule: ephemeral-ports (capacity)
        ::warning title=The accept queue of [2001%3Adb8%3Aaaaa%3Abbbb%3Acccc%3Adddd%3Aeeee%3Affff]%3A65535 overflowed and connections were lost::Where: blue: [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -> [2001:db8:1111:2222:3333:4444:5555:6666]:65535%0Awaited for accept() at the end of the window: 1 connection%0Aoverflows: 12.5/s%0Aage of the oldest: 2 h 5 min%0Amemory: 6.0 MiB%0Aowner: a-process-with-a-long-name (pid 4194304)%0AChange net.core.a_key_with_a_name_that_is_far_longer_than_most_of_them: (empty) -> 8192. Not possible here: the key belongs to the whole machine and is read-only in this namespace. Risk low. The next listen() uses it.%0ARule: accept-queue-overflow (capacity)
        ::warning title=evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLOSE_WAIT::Where: host: evil�]0;owned��[31m �2J�name (pid 12)%0Aevil�]0;owned��[31m �2J�name: evil�]0;owned��[31m �2J�name evil�]0;owned��[31m �2J�name%0AChange net.ipv4.ip_local_port_range: 32768 60999 -> 16384 65535. Tried in a scratch namespace: the kernel accepts it. Risk medium. New connections use it at once. Side effects: A service that listens on a port from 16384 up can find it taken when it starts.%0ADo (evil�]0;owned��[31m �2J�name): evil�]0;owned��[31m �2J�name%0ADo not: evil�]0;owned��[31m �2J�name: evil�]0;owned��[31m �2J�name%0ALook: `evil�]0;owned��[31m �2J�name` shows evil�]0;owned��[31m �2J�name.%0ARule: close-wait-leak (application)
        ::notice title=TCP timestamps are off::Where: host%0ARule: timestamps-off (hygiene)
        ::notice title=SYN cookies are off::Where: host%0Awarning syncookies-off, waived until 2027-01-31 by maria: lab machine
        ::debug::host: TCP sockets: LISTEN 12, SYN_RECV 1, ESTABLISHED 1,203, TIME_WAIT 25,300, CLOSE_WAIT 320
        ::debug::blue: TCP sockets could not be read
        ::debug::arp-table-near-limit could not be checked in blue: net.ipv4.neigh.default.gc_thresh3: No such file or directory
        ::debug::syn-backlog-drops could not be checked in blue: sockets: sock_diag: Operation not permitted
        ::debug::time-wait-overflow could not be checked in blue: sockets: sock_diag: Operation not permitted
        ::debug::machine: host.memory could not be read: /proc/meminfo: Permission denied
        ::debug::blue: sockets could not be read: sock_diag: Operation not permitted; /proc/net/tcp: Permission denied
        ::warning title=A rule file could not be loaded::/etc/sysctl-advisor/rules.d/mine.toml:2:1: unknown field `severty`
        ::warning file=/etc/sysctl-advisor/waivers.toml,line=9,title=A waiver waives nothing::/etc/sysctl-advisor/waivers.toml:9: waiver-expired close-wait-leak: ended on 2025-12-31 (by maria: �[31mthe vendor works on it)
        ");
    }
}
