//! The sysctls that TuneD's active profile sets.
//!
//! In: TuneD's own files. Out: key and value, as the profile has them. Must not: compute what a profile leaves to
//! variables and functions; such a value is kept as text.

use std::collections::{BTreeMap, BTreeSet};

use crate::host::Host;
use crate::keys::our_form;

const ACTIVE: [&str; 2] = ["/etc/tuned/active_profile", "/run/tuned/active_profile"];
const FOLDERS: [&str; 4] = ["/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned"];
/// Profiles include each other; no chain is as long.
const MOST_PROFILES: usize = 32;

/// Reads the active profile with all that it includes; `None` when there is none, or it cannot be read.
pub(in crate::observe) fn read(host: &Host) -> Option<BTreeMap<String, String>> {
    let names = ACTIVE.iter().find_map(|path| text(host, path))?;
    let mut found = BTreeMap::new();
    let mut seen = BTreeSet::new();
    // The included ones come first, so that a profile overrides what it includes.
    let mut wanted: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
    let mut read = Vec::new();
    while let Some(name) = wanted.pop().filter(|_| seen.len() < MOST_PROFILES) {
        if !is_name(&name) || !seen.insert(name.clone()) {
            continue;
        }
        let profile = FOLDERS.iter().find_map(|folder| text(host, &format!("{folder}/{name}/tuned.conf")))?;
        let (includes, keys) = parse(&profile);
        wanted.extend(includes);
        read.push(keys);
    }
    for keys in read.into_iter().rev() {
        found.extend(keys);
    }
    Some(found)
}

/// The names of the active profiles, as TuneD has them: one, or several with a space between them.
pub fn active_profile(host: &Host) -> Option<String> {
    let names = ACTIVE.iter().find_map(|path| text(host, path))?;
    let names: Vec<&str> = names.split_whitespace().filter(|name| is_name(name)).collect();
    (!names.is_empty()).then(|| names.join(" "))
}

fn text(host: &Host, path: &str) -> Option<String> {
    // A fifo would hang the read.
    if host.is_regular(path) { host.read_text(path).ok() } else { None }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains('/')
}

/// The profiles that a profile includes, and its `[sysctl]` section.
fn parse(profile: &str) -> (Vec<String>, BTreeMap<String, String>) {
    let (mut includes, mut keys) = (Vec::new(), BTreeMap::new());
    let mut section = "";
    for line in profile.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim();
        } else if let Some((name, value)) = line.split_once('=') {
            match section {
                "main" if name.trim() == "include" => {
                    includes.extend(
                        value.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned),
                    );
                }
                "sysctl" => keys.extend(our_form(name).map(|key| (key, value.trim().to_owned()))),
                _ => {}
            }
        }
    }
    (includes, keys)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_active_profile_overrides_what_it_includes() {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("etc/tuned/active_profile", "ours\n"),
            ("etc/tuned/ours/tuned.conf", "[main]\ninclude=base\n[sysctl]\nnet.core.somaxconn=1\n# vm.x=1\n"),
            (
                "usr/lib/tuned/base/tuned.conf",
                "[sysctl]\nnet.core.somaxconn=>2048\nvm.swappiness = 10\n[main]\ninclude=ours\n",
            ),
        ] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let found: Vec<_> = read(&Host::recorded(root.path())).unwrap().into_iter().collect();
        let expected = [("net.core.somaxconn", "1"), ("vm.swappiness", "10")];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(read(&Host::recorded(&root.path().join("usr"))), None);
    }
}
