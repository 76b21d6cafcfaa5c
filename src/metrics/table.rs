//! A table of metrics: all that is known of one kind of record, a row for each metric.
//!
//! In: a [`Reading`], the place of a record in it, the name of a metric. Out: its value, and whether two readings speak of
//! the same thing. Must not: know which subjects there are.

use super::reading::Reading;
use super::value::{Type, Value};
use crate::observe::ages::{Ages, EDGES};

/// One metric of a record `T`. `healthy` is its value on the host that the tests inside rule files are laid over.
#[derive(Debug)]
pub(super) struct Row<T: 'static> {
    /// With the table's prefix: `listener.queue`.
    pub(super) name: &'static str,
    /// `sockets`, `ports`, `bytes`, `s`, `1/s`; empty for a text, a flag or a bare number.
    pub(super) unit: &'static str,
    pub(super) help: &'static str,
    /// It speaks of the window as a whole already, so that it has no change of its own.
    is_of_window: bool,
    get: Get<T>,
}

/// The function that gets a metric, by the type of what it returns; `None` where it was not read.
#[derive(Debug)]
enum Get<T: 'static> {
    Int(i64, fn(&Reading<'_>, &T) -> Option<i64>),
    /// A number that only grows, until the thing is made again.
    Counter(i64, fn(&Reading<'_>, &T) -> Option<i64>),
    Double(f64, fn(&Reading<'_>, &T) -> Option<f64>),
    Bool(bool, fn(&Reading<'_>, &T) -> Option<bool>),
    Text(&'static str, fn(&Reading<'_>, &T) -> Option<String>),
    /// None of them on a healthy host.
    Ages(fn(&T) -> &Ages),
}

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident($healthy:ty) $get:ident -> $value:ty;)*) => {$(
        $(#[$doc])*
        pub(super) const fn $name<T>(
            name: &'static str,
            unit: &'static str,
            healthy: $healthy,
            help: &'static str,
            get: fn(&Reading<'_>, &T) -> Option<$value>,
        ) -> Row<T> {
            Row { name, unit, help, is_of_window: false, get: Get::$get(healthy, get) }
        }
    )*};
}

rows! {
    int(i64) Int -> i64;
    counter(i64) Counter -> i64;
    double(f64) Double -> f64;
}

pub(super) const fn flag<T>(
    name: &'static str,
    healthy: bool,
    help: &'static str,
    get: fn(&Reading<'_>, &T) -> Option<bool>,
) -> Row<T> {
    Row { name, unit: "", help, is_of_window: false, get: Get::Bool(healthy, get) }
}

pub(super) const fn text<T>(
    name: &'static str,
    healthy: &'static str,
    help: &'static str,
    get: fn(&Reading<'_>, &T) -> Option<String>,
) -> Row<T> {
    Row { name, unit: "", help, is_of_window: false, get: Get::Text(healthy, get) }
}

/// A histogram of sockets by age.
pub(super) const fn ages<T>(name: &'static str, help: &'static str, get: fn(&T) -> &Ages) -> Row<T> {
    Row { name, unit: "sockets", help, is_of_window: false, get: Get::Ages(get) }
}

/// A count of the snapshot as conditions compute with it; what no `i64` can hold is the largest one.
pub(super) fn whole(value: u64) -> Option<i64> {
    Some(i64::try_from(value).unwrap_or(i64::MAX))
}

impl<T> Row<T> {
    /// A metric of what happened in the window.
    pub(super) const fn of_window(self) -> Self {
        Self { is_of_window: true, ..self }
    }

    pub(super) const fn kind(&self) -> Type {
        match self.get {
            Get::Int(..) | Get::Counter(..) => Type::Int,
            Get::Double(..) => Type::Double,
            Get::Bool(..) => Type::Bool,
            Get::Text(..) => Type::Text,
            Get::Ages(_) => Type::Ages,
        }
    }

    const fn grows(&self) -> bool {
        matches!(self.get, Get::Counter(..))
    }

    fn healthy(&self) -> Value {
        match self.get {
            Get::Int(value, _) | Get::Counter(value, _) => Value::Int(value),
            Get::Double(value, _) => Value::Double(value),
            Get::Bool(value, _) => Value::Bool(value),
            Get::Text(value, _) => Value::Text(value.to_owned()),
            Get::Ages(_) => Value::Ints(vec![0; EDGES.len()]),
        }
    }

    fn value(&self, reading: &Reading<'_>, record: &T) -> Option<Value> {
        Some(match self.get {
            Get::Int(_, get) | Get::Counter(_, get) => Value::Int(get(reading, record)?),
            Get::Double(_, get) => Value::Double(get(reading, record)?),
            Get::Bool(_, get) => Value::Bool(get(reading, record)?),
            Get::Text(_, get) => Value::Text(get(reading, record)?),
            Get::Ages(get) => Value::Ints(get(record).counts().iter().map(|&count| count.into()).collect()),
        })
    }
}

/// Where two readings of a table come from, and with it whether its metrics have `delta.` and `rate.`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstRead {
    /// The sockets; they are read twice only if a rule asks for a change of them.
    Sockets,
    /// Facts about the machine, likewise.
    System,
    /// Read at both ends of each window.
    Always,
    /// Of the snapshot as a whole: there is one reading.
    Never,
}

/// All metrics of one kind of record.
#[derive(Debug)]
pub(super) struct Table<T: 'static> {
    /// What the names begin with, without the dot.
    pub(super) prefix: &'static str,
    pub(super) first_read: FirstRead,
    pub(super) rows: &'static [Row<T>],
    /// The records of a reading; `None` where they were not read.
    pub(super) records: for<'r> fn(&'r Reading<'_>) -> Option<&'r [T]>,
    /// What reports call a record.
    pub(super) label: fn(&Reading<'_>, &T) -> String,
    /// What stays the same of it from one run to the next; several records may have the same.
    pub(super) identity: fn(&Reading<'_>, &T) -> String,
    /// Whether a record of the earlier reading is the same thing.
    pub(super) is_same: fn(&T, &T) -> bool,
    /// Whether the counters of a thing that the earlier reading does not have were 0 then.
    pub(super) absent_is_zero: fn(&Reading<'_>) -> bool,
}

impl<T> Table<T> {
    /// A table with one record for each namespace, which reports call by the namespace's name.
    pub(super) const fn of_namespace(
        prefix: &'static str,
        first_read: FirstRead,
        records: for<'r> fn(&'r Reading<'_>) -> Option<&'r [T]>,
        rows: &'static [Row<T>],
    ) -> Self {
        Self {
            prefix,
            first_read,
            rows,
            records,
            label: |reading, _| reading.namespace.name.to_string(),
            identity: |reading, _| reading.namespace.name.without_pid(),
            is_same: |_, _| true,
            absent_is_zero: |_| false,
        }
    }
}

/// A metric of a table, whatever its records are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Described {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: Type,
    pub(super) grows: bool,
    pub(super) is_of_window: bool,
    pub(super) healthy: Value,
}

/// A table whose records are of some kind: [`Table`] for each kind, and nothing else.
pub(super) trait AnyTable: Sync + std::fmt::Debug {
    fn prefix(&self) -> &'static str;
    fn first_read(&self) -> FirstRead;
    fn described(&self) -> Vec<Described>;
    fn find(&self, name: &str) -> Option<Described>;
    /// How many records a reading has; `None` where they were not read.
    fn len(&self, reading: &Reading<'_>) -> Option<usize>;
    fn label(&self, reading: &Reading<'_>, place: usize) -> String;
    fn identity(&self, reading: &Reading<'_>, place: usize) -> String;
    fn value(&self, reading: &Reading<'_>, place: usize, name: &str) -> Option<Value>;
    /// The place of the same thing in an earlier reading.
    fn place_before(&self, now: &Reading<'_>, place: usize, before: &Reading<'_>) -> Option<usize>;
    /// What a metric was of a thing that the earlier reading does not have; `None` where that is not known.
    fn value_of_absent(&self, before: &Reading<'_>, name: &str) -> Option<Value>;
}

impl<T: std::fmt::Debug + 'static> AnyTable for Table<T> {
    fn prefix(&self) -> &'static str {
        self.prefix
    }

    fn first_read(&self) -> FirstRead {
        self.first_read
    }

    fn described(&self) -> Vec<Described> {
        self.rows.iter().map(describe).collect()
    }

    fn find(&self, name: &str) -> Option<Described> {
        self.rows.iter().find(|row| row.name == name).map(describe)
    }

    fn len(&self, reading: &Reading<'_>) -> Option<usize> {
        (self.records)(reading).map(<[T]>::len)
    }

    fn label(&self, reading: &Reading<'_>, place: usize) -> String {
        self.record(reading, place).map(|record| (self.label)(reading, record)).unwrap_or_default()
    }

    fn identity(&self, reading: &Reading<'_>, place: usize) -> String {
        self.record(reading, place).map(|record| (self.identity)(reading, record)).unwrap_or_default()
    }

    fn value(&self, reading: &Reading<'_>, place: usize, name: &str) -> Option<Value> {
        let row = self.rows.iter().find(|row| row.name == name)?;
        row.value(reading, self.record(reading, place)?)
    }

    fn place_before(&self, now: &Reading<'_>, place: usize, before: &Reading<'_>) -> Option<usize> {
        let record = self.record(now, place)?;
        let earlier = (self.records)(before)?;
        // Most things are at the same place in both.
        let here = earlier.get(place).filter(|other| (self.is_same)(record, other));
        here.map(|_| place).or_else(|| earlier.iter().position(|other| (self.is_same)(record, other)))
    }

    fn value_of_absent(&self, before: &Reading<'_>, name: &str) -> Option<Value> {
        let is_zero = self.find(name)?.grows && (self.records)(before).is_some() && (self.absent_is_zero)(before);
        is_zero.then_some(Value::Int(0))
    }
}

impl<T> Table<T> {
    fn record<'r>(&self, reading: &'r Reading<'_>, place: usize) -> Option<&'r T> {
        (self.records)(reading)?.get(place)
    }
}

fn describe<T>(row: &Row<T>) -> Described {
    Described {
        name: row.name,
        unit: row.unit,
        help: row.help,
        kind: row.kind(),
        grows: row.grows(),
        is_of_window: row.is_of_window,
        healthy: row.healthy(),
    }
}
