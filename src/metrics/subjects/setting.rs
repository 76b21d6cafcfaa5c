//! Sysctls whose effective value is not a usual one: `setting.*`.

use crate::metrics::settings::Setting;
use crate::metrics::table::{FirstRead, Row, Table, flag, text};

pub(in crate::metrics) static TABLE: Table<Setting> = Table {
    prefix: "setting",
    first_read: FirstRead::Never,
    absent_is_zero: |_| false,
    records: |reading| (!reading.namespace.sysctls.is_empty()).then(|| reading.settings()),
    label: |_, setting| setting.name.to_owned(),
    identity: |_, setting| setting.name.to_owned(),
    is_same: |one, other| one.name == other.name,
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<Setting>] = &[
    text("setting.name", "net.ipv4.tcp_fin_timeout", "name of the key", |_, setting| Some(setting.name.to_owned())),
    text("setting.value", "60", "its effective value", |_, setting| Some(setting.value.clone())),
    text("setting.default", "60", "the kernel's own default; empty if the kernel computes it", |_, setting| Some(setting.default.to_owned())),
    flag("setting.meaningless", false, "whether the kernel accepts the value although it has no meaning", |_, setting| Some(setting.why.is_empty())),
    text("setting.unusual", "", "why somebody sets such a value, and what it costs; empty if it has no meaning", |_, setting| Some(setting.why.to_owned())),
];
