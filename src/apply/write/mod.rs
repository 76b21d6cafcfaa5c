//! A key's name and value on their way into the kernel.
//!
//! In: a [`Key`] of the catalogue, typed values. Out: the value written and read back, or what the kernel made of it.
//! Must not: build a path itself; [`keys::path`] does, of harmless names only.

pub mod persist;
pub mod sandbox;
pub mod undisturbed;
pub mod undo;

use crate::host::{Host, ReadError};
use crate::keys::{self, Key, KeyValue};

/// The present value, typed.
pub fn read(host: &Host, key: &Key) -> Result<KeyValue, ReadError> {
    let path = keys::path(&key.name).unwrap_or_default();
    let text = host.read_sysctl(&path)?;
    keys::parse(key, &text).map_err(|error| ReadError {
        path,
        why: error.to_string(),
        kind: std::io::ErrorKind::InvalidData,
        number: None,
    })
}

/// Writes a value and makes sure that the kernel has exactly that; else what is wrong, in words.
pub fn write(host: &Host, key: &Key, value: &KeyValue) -> Result<(), String> {
    let path = keys::path(&key.name).ok_or_else(|| format!("{}: this is not the name of a key", key.name))?;
    host.write_sysctl(&path, &value.to_string()).map_err(|error| format!("the kernel rejected {value}: {error}"))?;
    let taken = read(host, key).map_err(|error| format!("{value} was written and cannot be read back: {error}"))?;
    if taken == *value {
        Ok(())
    } else {
        Err(format!("{value} was written to {}, and the kernel changed it to {taken}", key.name))
    }
}
