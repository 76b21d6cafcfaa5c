//! The sentences that several formats have in common.
//!
//! In: the records of an audit. Out: plain text without layout, as it is: the format escapes what it gives a meaning to.
//! Must not: wrap lines, colour, or decide what a format shows.

use super::sections::{GapAt, Head, Seen};
use super::states;
use crate::audit::model::{Advice, Avoid, Evidence, Finding, NextLook, Recommendation, Skipped, Waiver, WaiverProblem};
use crate::drift::SourceLine;
use crate::metrics::roles::{Role, Roles};
use crate::model::{Bound, Kind, RehearsalResult, in_words};
use crate::observe::sockets::SocketSource;
use crate::observe::system::SystemFacts;
use crate::report::measured::measured;
use crate::snapshot::{Namespace, WindowSource};
use crate::text::{Lines, shell};
use crate::units;

/// `sysctl-advisor on web-1 at 2026-01-01T00:00:00Z`.
pub(super) fn title(head: &Head<'_>) -> String {
    let hostname = &head.system.hostname;
    let host = if hostname.is_empty() { String::new() } else { format!(" on {hostname}") };
    format!("sysctl-advisor{host} at {}", head.taken_at)
}

/// `Linux 6.12.0, 4 CPUs, 16.0 GiB, up 11 d, counters over 2 s`.
pub(super) fn facts(head: &Head<'_>) -> String {
    let Head { taken_at: _, written_by: _, system, window, run: _, summary: _ } = head;
    let SystemFacts { hostname: _, kernel, cpus, memory_bytes, uptime_seconds, .. } = system;
    let facts = [
        Some(format!("Linux {kernel}").trim_end().to_owned()),
        cpus.map(|cpus| units::quantity(i64::try_from(cpus).unwrap_or(i64::MAX), "CPUs")),
        memory_bytes.map(|size| units::bytes(i64::try_from(size).unwrap_or(i64::MAX))),
        uptime_seconds.map(|seconds| format!("up {}", units::duration(seconds as f64))),
        Some(match window.source {
            WindowSource::Sample => format!("counters over {}", units::duration(window.seconds)),
            WindowSource::PreviousRun => {
                format!("counters over {}, since the previous run", units::duration(window.seconds))
            }
            WindowSource::None => "one reading of the counters, so no rates".to_owned(),
        }),
    ];
    facts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The namespace, and the subject in it unless that is the namespace itself.
pub(super) fn place(finding: &Finding) -> String {
    let Finding { namespace, subject, .. } = finding;
    if *namespace == **subject { in_words(namespace).to_owned() } else { [in_words(namespace), ": ", subject].concat() }
}

/// Since when a finding is there, if that is known.
pub(super) fn said(seen: Seen) -> Option<String> {
    match seen {
        Seen::NotKnown => None,
        Seen::New => Some("new".to_owned()),
        Seen::Before { since, age } => Some(format!("for {} (since {})", units::span(age), units::day(since))),
    }
}

/// What a finding says beside its title: where, the numbers, the change, what to do, what not to do.
pub(super) fn what_to_act_on(finding: &Finding, lines: &mut Lines) {
    let Finding { rule, kind, evidence, recommendations, advice, avoid, line, follows_from, .. } = finding;
    lines.add(&["Where: ", &place(finding)]);
    if let Some(cause) = follows_from {
        lines.add(&["Cause: probably ", &cause.rule]);
    }
    if let Some(SourceLine { file, line, text, marked: _ }) = line {
        lines.add(&["Line: ", file, ":", &line.to_string(), ": ", text]);
    }
    for Evidence { label, expression: _, value, unit } in evidence {
        lines.add(&[label, ": ", &measured(value, unit)]);
    }
    for item in recommendations {
        lines.add(&["Change ", &change(item)]);
    }
    for Advice { who, text } in advice {
        lines.add(&["Do (", who, "): ", text]);
    }
    for Avoid { what, why } in avoid {
        lines.add(&["Do not: ", what, ": ", why]);
    }
    for (command, shows) in looks(finding) {
        lines.add(&["Look: `", &command, "` shows ", shows, "."]);
    }
    lines.add(&["Rule: ", rule, " (", kind.name(), ")"]);
}

/// The commands that show more, as one types them on this host, each with what it shows.
pub(super) fn looks(finding: &Finding) -> impl Iterator<Item = (String, &str)> {
    let there = within(&finding.namespace);
    finding.looks.iter().map(move |NextLook { command, shows }| (format!("{there}{command}"), &**shows))
}

/// What is behind a finding: the explanation, how its numbers are computed, the sources.
pub(super) fn background(finding: &Finding, lines: &mut Lines) {
    let Finding { explain, evidence, references, .. } = finding;
    lines.add(&["Why: ", explain]);
    for Evidence { label, expression, .. } in evidence.iter().filter(|item| !item.expression.is_empty()) {
        lines.add(&[label, " is ", expression]);
    }
    for reference in references {
        lines.add(&["Source: ", reference]);
    }
}

/// The key, its values and all that is known of the change.
pub(super) fn change(change: &Recommendation) -> String {
    let Recommendation { key, current, proposed, .. } = change;
    let proposed = proposed.to_string();
    [key, ": ", value_or_empty(current), " -> ", value_or_empty(&proposed), ". ", &effects(change)].concat()
}

/// What a change brings, in sentences.
pub(super) fn effects(change: &Recommendation) -> String {
    let Recommendation { risk, takes_effect, side_effects, blocked, rehearsed: result, .. } = change;
    let mut text = String::new();
    if let Some(why) = blocked {
        text.extend(["Not possible here: ", why, ". "]);
    }
    if let Some(result) = result {
        text.extend([rehearsed(*result), " "]);
    }
    text.extend(["Risk ", risk.name(), ". ", takes_effect]);
    if !side_effects.is_empty() {
        text.extend([" Side effects: ", side_effects]);
    }
    text
}

/// What the kernel of a scratch namespace answered.
pub(super) const fn rehearsed(result: RehearsalResult) -> &'static str {
    match result {
        RehearsalResult::Accepted => "Tried in a scratch namespace: the kernel accepts it.",
        RehearsalResult::Refused => "Tried in a scratch namespace: the kernel rejects it.",
        RehearsalResult::Changed => "Tried in a scratch namespace: the kernel changes it to another value.",
        RehearsalResult::NotPossible => "Could not be tried in a scratch namespace.",
    }
}

/// A key such as `ip_local_reserved_ports` may hold nothing.
pub(super) fn value_or_empty(value: &str) -> &str {
    if value.trim().is_empty() { "(empty)" } else { value }
}

/// `waived until 2027-01-31 by maria: lab machine`.
pub(super) fn waiver(waiver: &Waiver) -> String {
    let Waiver { reason, who, until, rule: _, namespace: _, subject: _ } = waiver;
    format!("waived until {until} by {who}: {reason}")
}

/// `blue: TCP sockets: LISTEN 12, TIME_WAIT 3`; a namespace that could not be read says so.
pub(super) fn sockets(namespace: &Namespace) -> String {
    let name = in_words(&namespace.name);
    let Some(sockets) = &namespace.sockets else { return format!("{name}: TCP sockets could not be read") };
    let states = states::listed(&sockets.states, units::count_u64);
    let states = if states.is_empty() { "none" } else { &states };
    format!("{name}: TCP sockets: {states}")
}

/// `TCP sockets of host: 26,836 (read through sock_diag)`.
pub(super) fn sockets_heading(namespace: &Namespace) -> String {
    let name = in_words(&namespace.name);
    let Some(sockets) = &namespace.sockets else { return format!("TCP sockets of {name}: could not be read") };
    let source = match sockets.source {
        SocketSource::SockDiag => "sock_diag",
        SocketSource::Procfs => "/proc/net/tcp: no queue limits, no ages",
    };
    let total = units::count_u64(sockets.states.total());
    format!("TCP sockets of {name}: {total} (read through {source})")
}

/// `container host, NAT`; with the fact that shows each if `why`. `None` if it has no role that is known.
pub(super) fn roles(roles: &Roles, why: bool) -> Option<String> {
    let word = |(role, shown): (Role, &str)| match why {
        true => format!("{} ({shown})", role.title),
        false => role.title.to_owned(),
    };
    let held: Vec<_> = roles.held().map(word).collect();
    (!held.is_empty()).then(|| held.join(", "))
}

/// A rule that says nothing of this namespace, and why.
pub(super) fn skipped(skipped: &Skipped) -> String {
    let Skipped { rule, namespace, reason } = skipped;
    format!("{rule} could not be checked in {}: {reason}", in_words(namespace))
}

/// Where, what and why.
pub(super) fn gap(gap: &GapAt<'_>) -> String {
    format!("{}: {} could not be read: {}", gap_place(gap), gap.gap.what, gap.gap.why)
}

pub(super) fn gap_place<'a>(gap: &GapAt<'a>) -> &'a str {
    gap.namespace.map_or("machine", |(_, name)| in_words(name))
}

/// `/etc/waivers.toml:9: waiver-expired syncookies-off: ended on 2025-12-31`.
pub(super) fn waiver_problem(problem: &WaiverProblem) -> String {
    let WaiverProblem { trouble, rule, file, line, text } = problem;
    format!("{file}:{line}: {} {rule}: {text}", trouble.name())
}

/// What there is to say where no change is proposed; none where one is, or where there is nothing to do.
pub(super) fn no_change(finding: &Finding) -> Option<&'static str> {
    // A finding about a line of a file is cured there.
    let is_silent = !finding.recommendations.is_empty() || finding.advice.is_empty() || finding.line.is_some();
    // A fault of the application has no cure in the kernel; elsewhere the cure may just not be for a program to name.
    let none = if finding.kind == Kind::Application { "None: no sysctl helps here." } else { "None is proposed." };
    (!is_silent).then_some(none)
}

/// How long the commands of [`by_hand`] have an effect.
pub(super) const UNTIL_BOOT: &str = "This lasts until the next boot. `remediate` can take a change back.";

/// What to type to change the values without this program: a command for each change that is possible.
pub(super) fn by_hand(finding: &Finding) -> Vec<String> {
    let possible = finding.recommendations.iter().filter(|change| change.blocked.is_none());
    possible.map(|change| command(&finding.namespace, change)).collect()
}

/// The command for one change.
pub(super) fn command(namespace: &str, change: &Recommendation) -> String {
    let assignment = shell(&format!("{}={}", change.key, change.proposed));
    format!("{}sysctl -w {assignment}", within(namespace))
}

/// What goes before a command so that it runs in a namespace, by the name that reports give it.
fn within(namespace: &str) -> String {
    match namespace.strip_prefix("pid ").and_then(|rest| rest.split(' ').next()) {
        Some(pid) => format!("nsenter --net --target {pid} "),
        None if namespace == "host" || in_words(namespace) != namespace => String::new(),
        None => format!("ip netns exec {} ", shell(namespace)),
    }
}

/// Which values are as good as the proposed one.
pub(super) const fn bound(bound: Bound) -> &'static str {
    match bound {
        Bound::AtLeast => "Each larger value is as good.",
        Bound::AtMost => "Each smaller value is as good.",
        Bound::Exactly => "No other value is as good.",
        Bound::Widen => "Each range that includes this one is as good.",
        Bound::Include => "Each list that includes these ports is as good.",
    }
}

/// The text at its blank lines.
pub(super) fn paragraphs(text: &str) -> impl Iterator<Item = String> + '_ {
    let lines: Vec<&str> = text.lines().collect();
    let paragraphs: Vec<String> = lines
        .split(|line| line.trim().is_empty())
        .map(|lines| lines.join(" "))
        .filter(|paragraph| !paragraph.is_empty())
        .collect();
    paragraphs.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_end_at_blank_lines() {
        let split: Vec<String> = paragraphs("\none\ntwo\n  \nthree").collect();
        assert_eq!(split, ["one two", "three"]);
        assert_eq!(paragraphs("").count(), 0);
    }
}
