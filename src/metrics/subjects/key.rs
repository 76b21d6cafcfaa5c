//! Sysctls that the configuration files set, or that were set at runtime only: `key.*`.

use crate::drift::explain::lint::{self, Flaws};
use crate::drift::model::{Assignment, FOLLOWS, KeyDrift};
use crate::metrics::reading::Reading;
use crate::metrics::table::{FirstRead, Row, Table, flag, int, text};

pub(in crate::metrics) static TABLE: Table<KeyDrift> = Table {
    prefix: "key",
    first_read: FirstRead::Never,
    records: |reading| reading.drift.as_ref().map(|drift| drift.keys.as_slice()),
    label: |_, key| key.key.clone(),
    identity: |_, key| key.key.clone(),
    is_same: |one, other| one.key == other.key,
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<KeyDrift>] = &[
    text("key.name", "net.ipv4.tcp_fin_timeout", "name of the key", |_, key| Some(key.key.clone())),
    text("key.boot", "60", "the value that a boot would set; empty where no file sets it", |_, key| Some(line(key).map(|line| line.value.clone()).unwrap_or_default())),
    text("key.runtime", "60", "the effective value; empty where there is none to read", |_, key| Some(key.runtime.clone().unwrap_or_default())),
    text("key.status", "in_sync", "in_sync, runtime_only, not_in_force, dead, invalid, wrong_scope or unread", |_, key| Some(key.status.name().to_owned())),
    text("key.cause", "", "code of the cause, as `drift --format json` has it; empty where there is none", |_, key| Some(code(key).to_owned())),
    text("key.why", "", "the cause in sentences", |_, key| Some(key.cause.as_ref().map(|cause| cause.text.clone()).unwrap_or_default())),
    text("key.file", "/etc/sysctl.d/60-local.conf", "the file whose line a boot would follow; empty where there is none", |_, key| Some(line(key).map(|line| line.file.clone()).unwrap_or_default())),
    int("key.line", "", 1, "number of that line", |_, key| Some(line(key)?.line.into())),
    flag("key.persisted", true, "whether a file sets it", |_, key| Some(line(key).is_some())),
    flag("key.own", true, "whether that line is the administrator's (in /etc, /run or /usr/local) and not a package's", |_, key| Some(line(key).is_some_and(|line| lint::is_administrators(&line.file)))),
    flag("key.optional", false, "whether that line begins with `-`: a failure does not count", |_, key| Some(line(key).is_some_and(|line| line.ignore_failure))),
    flag("key.below_net", true, "whether the name begins with net.", |_, key| Some(key.key.starts_with("net."))),
    flag("key.waiting", false, "whether it does not exist because its module or interface is not there", |_, key| Some(["interface_missing", "module_not_loaded", "no_ipv6"].contains(&code(key)))),
    flag("key.follows", false, "whether its value is not effective only because that of the key that it follows is not", |_, key| Some(code(key) == FOLLOWS)),
    int("key.shadowed", "lines", 0, "lines that set it too and lose", |_, key| i64::try_from(key.shadowed.len()).ok()),
    text("key.without_effect", "", "why the kernel ignores the key; empty where it does not", |reading, key| Some(flaws(reading, key).without_effect)),
    flag("key.bytes_for_pages", false, "whether the files give bytes where the kernel counts pages: more than the machine's memory", |reading, key| Some(flaws(reading, key).bytes_for_pages)),
    flag("key.not_ascending", false, "whether the files' numbers fall where they must not", |reading, key| Some(flaws(reading, key).not_ascending)),
    flag("key.meaningless", false, "whether the kernel accepts the files' value though it makes no sense", |reading, key| Some(flaws(reading, key).meaningless)),
    int("key.disagreeing", "lines", 0, "lines of the same file that set it to another value", |reading, key| i64::try_from(flaws(reading, key).disagreeing).ok()),
    text("key.loser", "", "FILE:LINE of an administrator's line that another file overrides with another value; empty where there is none", |reading, key| Some(flaws(reading, key).loser.map(|line| format!("{}:{}", line.file, line.line)).unwrap_or_default())),
    text("key.loser_value", "", "the value in that line", |reading, key| Some(flaws(reading, key).loser.map(|line| line.value).unwrap_or_default())),
];

/// The line that a boot would follow.
const fn line(key: &KeyDrift) -> Option<&Assignment> {
    key.boot.as_ref()
}

fn code(key: &KeyDrift) -> &str {
    key.cause.as_ref().map_or("", |cause| cause.code)
}

fn flaws(reading: &Reading<'_>, key: &KeyDrift) -> Flaws {
    lint::flaws(key, &reading.snapshot.system)
}
