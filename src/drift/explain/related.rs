//! Lines that do not fit to the value of another key, and lines that need a module.
//!
//! In: [`AfterBoot`], the loader. Out: [`Problem`]s. Must not: know the values of interfaces.

use super::after::{AfterBoot, at};
use super::knowledge::module_of;
use crate::drift::model::{KeyDrift, Problem, Status, codes};
use crate::keys::{self, InterfaceKey, KeyValue};
use crate::observe::persisted::Loader;
use crate::text::printable;

type Check = fn(&AfterBoot<'_>, &mut Vec<Problem>);

const CHECKS: [Check; 8] = [
    established_below_keepalive,
    more_connections_than_buckets,
    backlog_without_use,
    every_port_reserved,
    open_files_lowered,
    advertisements_of_a_router,
    modules,
    congestion_control,
];

pub(super) fn problems(after: &AfterBoot<'_>, problems: &mut Vec<Problem>) {
    CHECKS.iter().for_each(|check| check(after, problems));
}

fn established_below_keepalive(after: &AfterBoot<'_>, problems: &mut Vec<Problem>) {
    const ESTABLISHED: &str = "net.netfilter.nf_conntrack_tcp_timeout_established";
    const KEEPALIVE: &str = "net.ipv4.tcp_keepalive_time";
    let Some(line) = after.line(ESTABLISHED).or_else(|| after.line(KEEPALIVE)) else { return };
    // Where neither a file nor the kernel has it, no firewall need be there.
    let (Some(forgotten), Some(probed)) = (after.number(ESTABLISHED), after.number(KEEPALIVE)) else { return };
    if !(1..probed).contains(&forgotten) {
        return;
    }
    let text = format!(
        "The firewall forgets an idle connection after {forgotten} s ({ESTABLISHED}), before its first keepalive probe after \
         {probed} s ({KEEPALIVE}). Its next packets can be dropped."
    );
    problems.push(at(line, codes::RELATED_KEY, text));
}

fn more_connections_than_buckets(after: &AfterBoot<'_>, problems: &mut Vec<Problem>) {
    const BUCKETS: &str = "net.netfilter.nf_conntrack_buckets";
    /// The kernel's own number on a machine with more than 4 GiB.
    const USUAL: i64 = 262_144;
    for key in ["net.netfilter.nf_conntrack_max", "net.nf_conntrack_max"] {
        let Some((line, most)) = after.line(key).zip(after.number(key)) else { continue };
        let buckets = after.number(BUCKETS).filter(|buckets| *buckets > 0).unwrap_or(USUAL);
        if most / buckets > 4 {
            let text = format!(
                "{key} = {most} with {buckets} buckets ({BUCKETS}): when the table is full, each packet has to search {} \
                 connections. Set the number of buckets as well.",
                most / buckets
            );
            problems.push(at(line, codes::RELATED_KEY, text));
        }
    }
}

fn backlog_without_use(after: &AfterBoot<'_>, problems: &mut Vec<Problem>) {
    const BACKLOG: &str = "net.ipv4.tcp_max_syn_backlog";
    const COOKIES: &str = "net.ipv4.tcp_syncookies";
    let cookies = after.number(COOKIES).unwrap_or(1);
    if let Some(line) = after.line(BACKLOG).filter(|_| cookies != 0) {
        let text = format!(
            "{BACKLOG} has no effect while {COOKIES} is {cookies}. The argument of listen() and net.core.somaxconn limit the \
             half-open connections of a listener then."
        );
        problems.push(at(line, codes::WITHOUT_EFFECT, text));
    }
}

fn every_port_reserved(after: &AfterBoot<'_>, problems: &mut Vec<Problem>) {
    const RESERVED: &str = "net.ipv4.ip_local_reserved_ports";
    const RANGE: &str = "net.ipv4.ip_local_port_range";
    let Some(line) = after.line(RESERVED).or_else(|| after.line(RANGE)) else { return };
    let parsed = |name: &str| keys::parse(keys::catalogue().get(name)?, after.value(name)?).ok();
    let (Some(KeyValue::PortList(reserved)), Some(KeyValue::PortRange { low, high })) =
        (parsed(RESERVED), parsed(RANGE))
    else {
        return;
    };
    if reserved.iter().any(|(first, last)| *first <= low && high <= *last) {
        let text = format!(
            "{RESERVED} contains the whole {RANGE} ({low} {high}), so every connect() fails with EADDRNOTAVAIL."
        );
        problems.push(at(line, codes::RELATED_KEY, text));
    }
}

fn open_files_lowered(after: &AfterBoot<'_>, problems: &mut Vec<Problem>) {
    const FILES: &str = "fs.file-max";
    if after.evidence.resolution.loader != Loader::Systemd {
        return;
    }
    if let Some((line, most)) = after.line(FILES).zip(after.number(FILES)).filter(|(_, most)| *most < i64::MAX) {
        let text = format!(
            "systemd raises {FILES} to the highest number at boot, and this line lowers it to {most}. fs.nr_open and \
             LimitNOFILE limit one process."
        );
        problems.push(at(line, codes::RELATED_KEY, text));
    }
}

fn advertisements_of_a_router(after: &AfterBoot<'_>, problems: &mut Vec<Problem>) {
    if after.number("net.ipv6.conf.all.forwarding") != Some(1) {
        return;
    }
    for drift in after.drifts() {
        let is_accept = InterfaceKey::of(&drift.key).is_some_and(|key| (key.family, key.name) == ("ipv6", "accept_ra"));
        let line = after.line(&drift.key).filter(|line| is_accept && line.from_glob.is_none() && line.value == "1");
        problems.extend(line.map(|line| {
            let text = format!(
                "{} = 1 has no effect while net.ipv6.conf.all.forwarding is 1: a router accepts router advertisements only \
                 with 2.",
                drift.key
            );
            at(line, codes::RELATED_KEY, text)
        }));
    }
}

/// Whether nobody could look, or looked and found that the module is missing.
fn may_miss_module(drift: &KeyDrift) -> bool {
    let code = drift.cause.as_ref().map(|cause| cause.code);
    matches!((drift.status, code), (Status::Unread, Some("unread")) | (_, Some("module_not_loaded")))
}

fn modules(after: &AfterBoot<'_>, problems: &mut Vec<Problem>) {
    for drift in after.drifts().filter(|drift| may_miss_module(drift)) {
        let at_boot = &after.evidence.surroundings.modules_at_boot;
        let module = module_of(&drift.key).filter(|module| !at_boot.contains(*module));
        problems.extend(module.zip(drift.boot.as_ref()).map(|(module, line)| {
            let text = format!(
                "The module {module} brings {}. If the module is not loaded when the loader runs, the line has no effect. A \
                 file in /etc/modules-load.d with the line `{module}` loads it before.",
                drift.key
            );
            at(line, codes::NEEDS_MODULE, text)
        }));
    }
}

/// Congestion controls of Linux, beside reno and cubic, which are built in nearly everywhere.
const CONGESTION_CONTROLS: [&str; 14] = [
    "bbr",
    "bic",
    "cdg",
    "dctcp",
    "highspeed",
    "htcp",
    "hybla",
    "illinois",
    "lp",
    "nv",
    "scalable",
    "vegas",
    "veno",
    "westwood",
];

fn congestion_control(after: &AfterBoot<'_>, problems: &mut Vec<Problem>) {
    const KEY: &str = "net.ipv4.tcp_congestion_control";
    let nobody_looked = after.evidence.sysctls.is_none();
    let Some(line) = after.line(KEY).filter(|_| nobody_looked) else { return };
    let name = line.value.as_str();
    let there = after.evidence.surroundings.congestion_controls.as_ref().is_some_and(|names| names.contains(name));
    if there || ["reno", "cubic"].contains(&name) {
        return;
    }
    let is_known = CONGESTION_CONTROLS.contains(&name) || name == "yeah";
    let shown = printable(name, 40);
    let (code, text) = if is_known {
        let text = format!(
            "The congestion control `{shown}` is a module in most kernels (tcp_{shown}). The write loads it; if this kernel \
             does not have the module, the write fails and the key keeps its value."
        );
        (codes::NEEDS_MODULE, text)
    } else {
        let text =
            format!("Linux has no congestion control `{shown}`. Unless this kernel has a patch, the write fails.");
        (codes::INVALID_VALUE, text)
    };
    problems.push(at(line, code, text));
}
