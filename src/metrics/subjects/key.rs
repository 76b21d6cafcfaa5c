//! Sysctls that the configuration files set, or that were set at runtime only: `key.*`.

use crate::drift::explain::lint::{self, Flaws};
use crate::drift::model::{Assignment, FOLLOWS, KeyDrift};
use crate::metrics::reading::Reading;
use crate::metrics::table::{FirstRead, Row, Table, flag, int, text};

pub(in crate::metrics) static TABLE: Table<KeyDrift> = Table {
    prefix: "key",
    first_read: FirstRead::Never,
    records: |reading| reading.drift().map(|drift| drift.keys.as_slice()),
    label: |_, key| key.key.clone(),
    identity: |_, key| key.key.clone(),
    is_same: |one, other| one.key == other.key,
    absent_is_zero: |_| false,
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<KeyDrift>] = &[
    text("key.name", "net.ipv4.tcp_fin_timeout", "name of the key", |_, key| Some(key.key.clone())),
    text("key.boot", "60", "the value that a boot would set; empty if no file sets the key", |_, key| Some(line(key).map(|line| line.value.clone()).unwrap_or_default())),
    text("key.text", "60", "the text that the file has for it; the kernel can use another value, as with a comment after the value; empty if no file sets the key", |_, key| Some(line(key).map(|line| line.text.clone()).unwrap_or_default())),
    text("key.ignored", "", "the end of that text that the kernel ignores, as a comment after a number; empty if it uses the whole text", |_, key| Some(line(key).map(|line| line.written.ignored.clone()).unwrap_or_default())),
    text("key.runtime", "60", "the effective value; empty if it cannot be read", |_, key| Some(key.runtime.clone().unwrap_or_default())),
    text("key.status", "in_sync", "its status: in_sync, runtime_only, not_in_force, dead, invalid, wrong_scope or unread", |_, key| Some(key.status.name().to_owned())),
    text("key.cause", "", "code of the cause, as in `drift --format json`; empty if there is none", |_, key| Some(code(key).to_owned())),
    text("key.why", "", "the cause in sentences", |_, key| Some(key.cause.as_ref().map(|cause| cause.text.clone()).unwrap_or_default())),
    text("key.file", "/etc/sysctl.d/60-local.conf", "the file with the line that is effective after a boot; empty if no file sets the key", |_, key| Some(line(key).map(|line| line.file.clone()).unwrap_or_default())),
    int("key.line", "", 1, "number of that line", |_, key| Some(line(key)?.line.into())),
    flag("key.persisted", true, "whether a file sets it", |_, key| Some(line(key).is_some())),
    flag("key.own", true, "whether that line is in a file of the administrator (in /etc, /run or /usr/local) and not in a file of a package", |_, key| Some(line(key).is_some_and(|line| lint::is_administrators(&line.file)))),
    flag("key.optional", false, "whether that line begins with `-`, so that the loader ignores a failure", |_, key| Some(line(key).is_some_and(|line| line.ignore_failure))),
    flag("key.below_net", true, "whether the name begins with net.", |_, key| Some(key.key.starts_with("net."))),
    flag("key.waiting", false, "whether it does not exist because its module is not loaded or its interface does not exist", |_, key| Some(["interface_missing", "module_not_loaded", "no_ipv6"].contains(&code(key)))),
    flag("key.follows", false, "whether it copies another key, and its value is not effective only because the value of that key is not effective", |_, key| Some(code(key) == FOLLOWS)),
    int("key.shadowed", "lines", 0, "number of lines that set it too and are overridden", |_, key| i64::try_from(key.shadowed.len()).ok()),
    text("key.without_effect", "", "why the kernel ignores the key; empty if the kernel uses it", |reading, key| Some(lint::without_effect(key, &reading.snapshot.system.kernel).to_owned())),
    flag("key.bytes_for_pages", false, "whether the value in the files is probably in bytes: the unit is pages, and the value is more than the machine's memory", |reading, key| Some(flaws(reading, key).bytes_for_pages)),
    flag("key.not_ascending", false, "whether the numbers in the files decrease although they must not", |reading, key| Some(flaws(reading, key).not_ascending)),
    flag("key.meaningless", false, "whether the kernel accepts the value in the files although it has no meaning", |reading, key| Some(flaws(reading, key).meaningless)),
    text("key.unusual", "", "why somebody sets the value in the files, which is outside of the usual range, and what it costs; empty if it is usual", |reading, key| Some(flaws(reading, key).unusual)),
    int("key.disagreeing", "lines", 0, "number of lines in the same file that set it to another value", |reading, key| i64::try_from(flaws(reading, key).disagreeing).ok()),
    text("key.loser", "", "FILE:LINE of a line of the administrator that another file overrides with another value; empty if there is none", |reading, key| Some(flaws(reading, key).loser.map(|line| format!("{}:{}", line.file, line.line)).unwrap_or_default())),
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
