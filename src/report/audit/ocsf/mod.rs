//! The report for a store of security events: the Open Cybersecurity Schema Framework.
//!
//! In: the sections of an audit. Out: one event per line of JSON: a Scan Activity for the audit, so that *no finding* and *did
//! not run* differ, and a Detection Finding for each finding.
//! Must not: have an attribute that the schema does not have; what is ours is in `unmapped`, as `--format ndjson` has it.

mod event;
mod view;

use std::io;

use super::format::{Content, Format};
use super::kept::KeptLists;
use super::ndjson::{self, Lines, RUN, RunLine};
use super::sections::{GapAt, Head, Open, Writer};
use crate::audit::model::{Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::report::as_json::{self, Made};
use crate::snapshot::Namespace;
use event::{Parts, event};
use view::{Base, Device, Event, Metadata, Product, Scan, ScanActivity, System};

pub(super) const FORMAT: Format = Format {
    name: "ocsf",
    help: "Events of the OCSF schema, for a store of security events",
    cannot_carry: &[
        (Content::Looks, "a command is for whoever is logged in on the host"),
        (Content::Earlier, "the store has the events of earlier audits"),
    ],
    write: |sections, _, output| sections.give_to(Events::default(), output),
};

/// The version of the schema; tests validate the events against it.
const VERSION: &str = "1.5.0";
/// A class of the schema.
const SCAN_ACTIVITY: u32 = 6007;

#[derive(Default)]
struct Events<'a> {
    /// What goes into `unmapped`.
    lines: Lines<'a>,
    /// Seconds of the agent's run.
    duration: Option<f64>,
}

impl<'a> Writer<'a> for Events<'a> {
    fn head(&mut self, head: Head<'a>) {
        self.duration = head.run.map(|run| run.seconds);
        self.lines.head(head);
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        self.lines.findings(findings);
    }

    fn waived(&mut self, waived: Vec<(&'a Finding, &'a Waiver)>) {
        self.lines.waived(waived);
    }

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        self.lines.namespaces(namespaces);
    }

    fn skipped(&mut self, skipped: &'a [Skipped]) {
        self.lines.skipped(skipped);
    }

    fn gaps(&mut self, gaps: Vec<GapAt<'a>>) {
        self.lines.gaps(gaps);
    }

    fn broken_rules(&mut self, messages: &'a [String]) {
        self.lines.broken_rules(messages);
    }

    fn waiver_problems(&mut self, problems: &'a [WaiverProblem]) {
        self.lines.waiver_problems(problems);
    }

    fn resolved(&mut self, episodes: Vec<&'a Episode>) {
        self.lines.resolved(episodes);
    }

    fn finish(self, output: &mut dyn io::Write) -> io::Result<()> {
        let Self { lines: Lines { run, findings }, duration } = &self;
        let base = base(run)?;
        let mut lines = as_json::Lines::to(output);
        lines.add(&scan(run, &base, *duration))?;
        let (mut parts, mut lists) = (Parts::default(), KeptLists::default());
        findings.iter().try_for_each(|finding| {
            let line = ndjson::finding(run, finding, &mut lists)?;
            lines.add(&event(finding, &line, &base, &mut parts)?)
        })
    }
}

fn base<'a>(run: &RunLine<'a>) -> serde_json::Result<Base<'a>> {
    let metadata = Metadata {
        version: VERSION,
        product: Product { name: "sysctl-advisor", vendor_name: "sysctl-advisor", version: run.program_version },
        profiles: ["host"],
    };
    let device = Device {
        hostname: run.hostname,
        uid: run.host_id,
        type_id: 0,
        // 200: Linux.
        os: System { name: "Linux", type_id: 200, kernel_release: run.kernel },
        boot_uid: run.boot_id,
    };
    Ok(Base {
        class_uid: SCAN_ACTIVITY,
        category_uid: 6,
        // Completed.
        type_uid: SCAN_ACTIVITY * 100 + 2,
        activity_id: 2,
        // Informational.
        severity_id: 1,
        // Success.
        status_id: 1,
        time: run.observed_at.parse().map_or(0, jiff::Timestamp::as_millisecond),
        message: "The host was audited.",
        metadata: Made::of(&metadata)?,
        device: Made::of(&device)?,
    })
}

fn scan<'a>(run: &'a RunLine<'a>, base: &Base<'a>, duration: Option<f64>) -> Event<'a, ScanActivity, RunLine<'a>> {
    Event {
        base: base.clone(),
        of_class: ScanActivity {
            // Scheduled, if the timer of the agent started it; else manual.
            scan: Scan { name: "audit", type_id: if duration.is_some() { 2 } else { 1 } },
            duration: duration.map(|seconds| (seconds * 1000.0) as i64),
            num_detections: run.critical + run.warning + run.notice,
            num_skipped_items: run.skipped.len(),
            total: run.rules,
        },
        unmapped: [(RUN, run)].into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::format::Look;
    use super::super::sections::Reported;
    use super::*;
    use crate::report::example;

    #[test]
    fn the_events_read_so() {
        let snapshot = example::snapshot();
        let text = FORMAT.text(Reported::of(&example::audit(&snapshot)), &Look::plain()).unwrap();
        let events: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(events.len(), 6);
        let shown = |number: usize| {
            let mut event = events[number].clone();
            event["unmapped"] = event["unmapped"].as_object().unwrap().keys().cloned().collect();
            serde_json::to_string_pretty(&event).unwrap()
        };
        insta::assert_snapshot!(shown(0), @r#"
        {
          "class_uid": 6007,
          "category_uid": 6,
          "type_uid": 600702,
          "activity_id": 2,
          "severity_id": 1,
          "status_id": 1,
          "time": 1767225600000,
          "message": "The host was audited.",
          "metadata": {
            "version": "1.5.0",
            "product": {
              "name": "sysctl-advisor",
              "vendor_name": "sysctl-advisor",
              "version": "0.1.0"
            },
            "profiles": [
              "host"
            ]
          },
          "device": {
            "hostname": "web-1",
            "uid": "00000000000040008000000000000001",
            "type_id": 0,
            "os": {
              "name": "Linux",
              "type_id": 200,
              "kernel_release": "6.12.0"
            },
            "boot_uid": "11111111-2222-3333-4444-555555555555"
          },
          "scan": {
            "name": "audit",
            "type_id": 1
          },
          "num_detections": 4,
          "num_skipped_items": 3,
          "total": 35,
          "unmapped": [
            "sysctl-advisor/run/1"
          ]
        }
        "#);
        insta::assert_snapshot!(shown(1), @r#"
        {
          "class_uid": 2004,
          "category_uid": 2,
          "type_uid": 200401,
          "activity_id": 1,
          "severity_id": 5,
          "status_id": 1,
          "time": 1767225600000,
          "message": "10.0.0.5:5432 takes 92 % of the ephemeral ports",
          "metadata": {
            "version": "1.5.0",
            "product": {
              "name": "sysctl-advisor",
              "vendor_name": "sysctl-advisor",
              "version": "0.1.0"
            },
            "profiles": [
              "host"
            ]
          },
          "device": {
            "hostname": "web-1",
            "uid": "00000000000040008000000000000001",
            "type_id": 0,
            "os": {
              "name": "Linux",
              "type_id": 200,
              "kernel_release": "6.12.0"
            },
            "boot_uid": "11111111-2222-3333-4444-555555555555"
          },
          "finding_info": {
            "uid": "web-1/0123456789abcdef",
            "uid_alt": "0123456789abcdef",
            "title": "10.0.0.5:5432 takes 92 % of the ephemeral ports",
            "desc": "Every outgoing connection to one address and port needs a local port of its own. When none is left, connect() fails with EADDRNOTAVAIL.\n\nA second paragraph that the short form leaves to `explain`.",
            "types": [
              "capacity"
            ],
            "analytic": {
              "uid": "ephemeral-ports",
              "name": "ephemeral-ports",
              "type_id": 1
            }
          },
          "resources": [
            {
              "name": "10.0.0.1 -> 10.0.0.5:5432",
              "namespace": "host"
            }
          ],
          "evidences": [
            {
              "name": "ports in use",
              "data": {
                "expression": "destination.ports_blocked",
                "unit": "ports",
                "value": "26012"
              }
            },
            {
              "name": "share of the range",
              "data": {
                "expression": "destination.port_use",
                "unit": "share",
                "value": "0.921"
              }
            },
            {
              "name": "range",
              "data": {
                "expression": "net.ipv4.ip_local_port_range",
                "unit": "",
                "value": "32768 60999"
              }
            },
            {
              "name": "reuse could help",
              "data": {
                "expression": "net.ipv4.tcp_tw_reuse != 1",
                "unit": "",
                "value": "true"
              }
            },
            {
              "name": "nonsense",
              "data": {
                "expression": "0.0 / 0.0",
                "unit": "",
                "value": "NaN"
              }
            }
          ],
          "remediation": {
            "desc": "Change net.ipv4.ip_local_port_range: 32768\t60999 -> 16384 65535. Tried in a scratch namespace: the kernel accepts it. Risk medium. New connections use it at once. Side effects: A service that listens on a port from 16384 up can find it taken when it starts.\nDo (application): Keep connections open: a pool, or HTTP keep-alive, needs a handful of ports.\nDo (operator): More source addresses multiply the ports.\nDo not: net.ipv4.tcp_fin_timeout: it ends orphaned FIN_WAIT2 sockets; TIME_WAIT lasts 60 s whatever it says",
            "references": [
              "https://docs.kernel.org/networking/ip-sysctl.html"
            ]
          },
          "is_alert": true,
          "unmapped": [
            "sysctl-advisor/finding/1"
          ]
        }
        "#);
        insta::assert_snapshot!(shown(5), @r#"
        {
          "class_uid": 2004,
          "category_uid": 2,
          "type_uid": 200401,
          "activity_id": 1,
          "severity_id": 3,
          "status_id": 3,
          "time": 1767225600000,
          "message": "SYN cookies are off",
          "metadata": {
            "version": "1.5.0",
            "product": {
              "name": "sysctl-advisor",
              "vendor_name": "sysctl-advisor",
              "version": "0.1.0"
            },
            "profiles": [
              "host"
            ]
          },
          "device": {
            "hostname": "web-1",
            "uid": "00000000000040008000000000000001",
            "type_id": 0,
            "os": {
              "name": "Linux",
              "type_id": 200,
              "kernel_release": "6.12.0"
            },
            "boot_uid": "11111111-2222-3333-4444-555555555555"
          },
          "finding_info": {
            "uid": "web-1/0123456789abcdef",
            "uid_alt": "0123456789abcdef",
            "title": "SYN cookies are off",
            "desc": "Without timestamps there is no PAWS.",
            "types": [
              "hygiene"
            ],
            "analytic": {
              "uid": "syncookies-off",
              "name": "syncookies-off",
              "type_id": 1
            }
          },
          "resources": [
            {
              "name": "host",
              "namespace": "host"
            }
          ],
          "evidences": [],
          "is_alert": false,
          "comment": "waived until 2027-01-31 by maria: lab machine",
          "unmapped": [
            "sysctl-advisor/finding/1"
          ]
        }
        "#);
    }
}
