//! Remarks for the tests of the formats, some of them with texts of a stranger.
//!
//! In: nothing. Out: [`Remarks`]. Must not: read anything.

use super::codes::graded;
use super::record::{Checked, Host, Origin, Remark, Remarks, What};
use crate::model::Severity;
use crate::observe::gap::Gap;

/// Text with everything that a format gives a meaning to.
pub(super) const HOSTILE: &str = "a\"b'c,d|e](f) %41 <g> & {0} \u{1b}[31m\r\n::error::h\\ni \u{202e}`j`";

pub(super) fn remark() -> Remark {
    let grade = graded("duplicates_disagree");
    Remark {
        severity: grade.severity,
        code: grade.code.into(),
        origin: Origin::File,
        cause: "",
        key: Some("net.core.somaxconn".to_owned()),
        file: Some("conf/90-tuning.conf".to_owned()),
        line: 3,
        columns: Some(1..25),
        snippet: "net.core.somaxconn = 128".to_owned(),
        text: "net.core.somaxconn is set to `128` here and to `4096` in line 9, which overrides this line.".to_owned(),
        explain: grade.explain.into(),
        references: Vec::new(),
    }
}

pub(super) fn example() -> Remarks {
    let status = graded("not_in_force");
    let whole = graded("world_writable");
    let remarks = vec![
        remark(),
        Remark {
            severity: status.severity,
            code: status.code.into(),
            origin: Origin::Status,
            cause: "file_changed_since",
            key: Some("net.ipv4.tcp_fin_timeout".to_owned()),
            line: 12,
            columns: Some(3..32),
            snippet: "  net.ipv4.tcp_fin_timeout = 30 ".to_owned(),
            text: "The files set `30`, and the value is `60`. The file was changed 5 min after the boot.".to_owned(),
            explain: status.explain.into(),
            ..remark()
        },
        Remark {
            severity: whole.severity,
            code: whole.code.into(),
            key: None,
            line: 0,
            columns: None,
            snippet: String::new(),
            text: "Every user can write this file.".to_owned(),
            explain: whole.explain.into(),
            ..remark()
        },
        Remark {
            severity: Severity::Critical,
            code: "timestamps-off".into(),
            origin: Origin::Rule,
            key: Some(HOSTILE.to_owned()),
            file: Some(format!("conf/{HOSTILE}.conf")),
            line: 1,
            columns: None,
            snippet: HOSTILE.to_owned(),
            text: format!("{HOSTILE} is harmful."),
            explain: "Without timestamps there is no PAWS. A second sentence.".into(),
            references: vec!["https://docs.kernel.org/networking/ip-sysctl.html".to_owned()],
            ..remark()
        },
        Remark {
            severity: Severity::Notice,
            code: "runtime_only".into(),
            origin: Origin::Status,
            cause: "not_persisted",
            key: Some("net.ipv4.tcp_sack".to_owned()),
            file: None,
            line: 0,
            columns: None,
            snippet: String::new(),
            text: "The value is `0`. No file sets it.".to_owned(),
            explain: graded("runtime_only").explain.into(),
            ..remark()
        },
    ];
    let key = |name: &str, unread: Option<&str>| Checked {
        what: What::Key(name.to_owned()),
        unread: unread.map(str::to_owned),
    };
    Remarks {
        command: "drift",
        observed_at: "2026-01-01T00:00:00Z".to_owned(),
        host: Some(Host {
            hostname: "web-1".to_owned(),
            id: "0123456789abcdef0123456789abcdef".to_owned(),
            labels: [("role".to_owned(), "web".to_owned())].into(),
            kernel: "6.12.0".to_owned(),
        }),
        about: "The files as systemd-sysctl loads them, compared with the host".to_owned(),
        checked: vec![
            key("net.core.somaxconn", None),
            key("net.ipv4.tcp_fin_timeout", None),
            key("net.ipv4.tcp_sack", None),
            key("net.ipv4.tcp_rmem", None),
            key("net.ipv4.tcp_fastopen_key", Some("Permission denied.")),
            Checked { what: What::File("conf/90-tuning.conf".to_owned()), unread: None },
            Checked { what: What::File("conf/empty.conf".to_owned()), unread: None },
        ],
        remarks,
        gaps: vec![Gap { what: "surroundings".to_owned(), why: "/proc/1/comm: Permission denied".to_owned() }],
    }
    .arranged()
}
