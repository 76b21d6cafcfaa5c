//! What the system is: which loader it boots with, which procps it has, whether ufw is on.
//!
//! In: a host. Out: the loader with its evidence, a version, ufw's settings.
//! Must not: run a program.

use std::io::{BufRead, BufReader, Cursor, Read};

use memchr::memmem;

use super::{Loader, LoaderFound, Ufw};
use crate::host::{EntryKind, Host};

const SYSTEMD_SYSCTL: [&str; 2] = ["/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl"];
const SYSCTL: [&str; 3] = ["/usr/sbin/sysctl", "/sbin/sysctl", "/usr/bin/sysctl"];
/// Scripts that call `sysctl --system`: of Debian, of OpenRC, of older distributions.
const SCRIPTS: [&str; 3] = ["/etc/runlevels/boot/sysctl", "/etc/init.d/procps", "/etc/init.d/sysctl"];
const UNITS: [&str; 2] = ["/etc/systemd/system/systemd-sysctl.service", "/run/systemd/system/systemd-sysctl.service"];
const INITS: [&str; 2] = ["/sbin/init", "/usr/sbin/init"];

/// The loader that a boot would run. What runs at the moment tells most; an image tells by its init and its scripts.
pub(super) fn loader(host: &Host) -> LoaderFound {
    let mut evidence = Vec::new();
    let first = |paths: &[&'static str]| paths.iter().copied().find(|path| exists(host, path));
    let mut says = |loader, why: String| {
        evidence.push(why);
        loader
    };
    let booted = host.is_live() && exists(host, "/run/systemd/system");
    let init = INITS.iter().find_map(|path| host.entry(path).ok().filter(|entry| entry.real.ends_with("/systemd")));
    let loader = if booted {
        says(Some(Loader::Systemd), "/run/systemd/system exists: systemd is running".to_owned())
    } else if let Some(init) = init {
        says(Some(Loader::Systemd), format!("/sbin/init is {}", init.real))
    } else if let Some(script) = first(&SCRIPTS) {
        says(Some(Loader::Procps), format!("systemd does not run here, and {script} calls `sysctl --system`"))
    } else if let Some(path) = first(&SYSTEMD_SYSCTL) {
        says(Some(Loader::Systemd), format!("{path} exists"))
    } else if let Some(path) = first(&SYSCTL) {
        says(Some(Loader::Procps), format!("{path} exists, and there is no systemd-sysctl"))
    } else {
        says(None, "neither systemd-sysctl nor sysctl is installed".to_owned())
    };
    let is_null = |path: &&&str| host.entry(path).is_ok_and(|entry| entry.kind == EntryKind::Null);
    let masked = UNITS.iter().find(is_null).filter(|_| loader == Some(Loader::Systemd));
    let loader = match (loader, masked) {
        (_, Some(unit)) => says(None, format!("{unit} is masked: nothing is loaded at boot")),
        (loader, None) => loader,
    };
    LoaderFound { loader, evidence }
}

fn exists(host: &Host, path: &str) -> bool {
    host.entry(path).is_ok_and(|entry| !matches!(entry.kind, EntryKind::Dangling | EntryKind::LinkLoop))
}

/// The version of the package, from dpkg's or apk's database; other databases are no text.
pub(super) fn procps_version(host: &Host) -> Option<String> {
    version(host, "/var/lib/dpkg/status", "Package: procps", "Version: ")
        .or_else(|| version(host, "/lib/apk/db/installed", "P:procps-ng", "V:"))
}

/// The version of a package: the database is too large to be held for one line of it.
fn version(host: &Host, path: &str, package: &str, version: &str) -> Option<String> {
    let entry = host.entry(path).ok().filter(|entry| entry.kind == EntryKind::Regular)?;
    let database = host.open_beginning(&entry.real, LARGEST_DATABASE).ok()?;
    let paragraph = behind_line(database, package.as_bytes())?;
    for line in BufReader::new(paragraph).split(b'\n') {
        let line = line.ok()?;
        match line.strip_prefix(version.as_bytes()) {
            Some(version) => return Some(String::from_utf8_lossy(version).into_owned()),
            // The package's paragraph ends.
            None if line.is_empty() => return None,
            None => {}
        }
    }
    None
}

/// What follows a line in a file. The thousands of lines before it are not taken apart.
fn behind_line(mut file: impl Read, line: &[u8]) -> Option<impl Read> {
    let wanted = [b"\n", line, b"\n"].concat();
    let finder = memmem::Finder::new(&wanted);
    // As if a line ended before the first one.
    let mut seen = vec![b'\n'];
    loop {
        if file.by_ref().take(PIECE).read_to_end(&mut seen).ok()? == 0 {
            return None;
        }
        if let Some(at) = finder.find(&seen) {
            seen.drain(..at + wanted.len());
            return Some(Cursor::new(seen).chain(file));
        }
        // The line may have begun at the end of this piece.
        seen.drain(..seen.len().saturating_sub(wanted.len()));
    }
}

/// A file that belongs to a package, read as safely as one of the administrator's.
pub(super) fn text(host: &Host, path: &str) -> Option<String> {
    let entry = host.entry(path).ok().filter(|entry| entry.kind == EntryKind::Regular)?;
    let content = host.read_beginning(&entry.real, LARGEST_DATABASE).ok()?;
    Some(String::from_utf8_lossy(&content).into_owned())
}

/// Debian's list of installed packages has a few MiB.
const LARGEST_DATABASE: u64 = 32 << 20;
/// How much of one is searched at a time.
const PIECE: u64 = 64 << 10;

/// ufw's settings, when it is installed.
pub(super) fn ufw(host: &Host) -> Option<Ufw> {
    let setting = |text: &str, name: &str| {
        text.lines().filter_map(|line| line.trim().strip_prefix(name)?.strip_prefix('=')).next_back().map(unquoted)
    };
    let defaults = text(host, "/etc/default/ufw")?;
    let state = text(host, "/etc/ufw/ufw.conf").unwrap_or_default();
    Some(Ufw {
        enabled: setting(&state, "ENABLED").is_some_and(|value| value.eq_ignore_ascii_case("yes")),
        file: setting(&defaults, "IPT_SYSCTL").filter(|path| path.starts_with('/')),
    })
}

/// As a shell would read a simple value.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inner = ['"', '\''].iter().find_map(|&quote| value.strip_prefix(quote)?.split_once(quote));
    let plain = || value.split_ascii_whitespace().next().unwrap_or_default();
    inner.map_or_else(plain, |(inner, _)| inner).to_owned()
}
