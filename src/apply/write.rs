//! A key's name and value on their way into the kernel.
//!
//! In: a [`Key`] of the catalogue, typed values. Out: the value written and read back, or what the kernel made of it.
//! Must not: build a path from anything but a name that was taken apart and found harmless.

use crate::host::{Host, ReadError};
use crate::keys::{self, Key, KeyValue};

/// The file of a key, or `None` for a name that is none: levels of small letters, digits, `_` and `-` between dots.
/// `..`, an absolute path, a NUL and the like cannot come out of it.
pub fn path(name: &str) -> Option<String> {
    let harmless = |level: &str| {
        !level.is_empty()
            && level.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'-'))
    };
    let levels: Vec<&str> = name.split('.').collect();
    let fits = levels.len() >= 2 && levels.iter().all(|level| harmless(level));
    fits.then(|| format!("/proc/sys/{}", levels.join("/")))
}

/// Whether a value can stand in a line of `sysctl.d` and in a key's file: printable ASCII and within the one page that the kernel reads of it.
pub fn is_printable(value: &str) -> bool {
    value.len() < 4095 && value.bytes().all(|c| c == b' ' || c.is_ascii_graphic())
}

/// The present value, typed.
pub fn read(host: &Host, key: &Key) -> Result<KeyValue, ReadError> {
    let path = path(&key.name).unwrap_or_default();
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
    let path = path(&key.name).ok_or_else(|| format!("{}: not a key's name", key.name))?;
    host.write_sysctl(&path, &value.to_string()).map_err(|error| format!("the kernel refused {value}: {error}"))?;
    let taken = read(host, key).map_err(|error| format!("{value} was written and cannot be read back: {error}"))?;
    if taken == *value {
        Ok(())
    } else {
        Err(format!("{} was given {value} and the kernel made {taken} of it", key.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_lead_elsewhere_is_no_key() {
        assert_eq!(path("net.core.somaxconn").as_deref(), Some("/proc/sys/net/core/somaxconn"));
        for name in [
            "",
            "net",
            "net..core",
            "net.../etc",
            "/etc/passwd",
            "net/core/somaxconn",
            "net.core.\0",
            "net. core",
            "..",
            "Net.core",
        ] {
            assert_eq!(path(name), None, "{name:?}");
        }
    }

    #[test]
    fn every_key_of_the_catalogue_has_a_path() {
        assert!(keys::catalogue().iter().all(|key| path(&key.name).is_some()));
    }

    proptest::proptest! {
        #[test]
        fn no_name_leaves_proc_sys(name in "([a-z./\\\\0-]|\\PC){0,30}") {
            if let Some(path) = path(&name) {
                proptest::prop_assert!(path.starts_with("/proc/sys/") && !path.contains("..") && !path.contains('\0'));
            }
        }
    }
}
