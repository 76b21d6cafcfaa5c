//! Which kernels will read the files.
//!
//! In: a root. Out: [`Kernels`]. Must not: know what a kernel has or does not have; the catalogue does.

use std::collections::BTreeSet;

use crate::host::Host;

/// The kernels that the files are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernels {
    /// `uname -r` of each, the oldest first; at least one, which is empty where it is not known.
    pub releases: Vec<String>,
    pub basis: Basis,
}

/// How the kernels are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The one that runs.
    Running,
    /// Those whose modules the root has.
    Installed,
    /// The root has none: the one that runs here.
    Assumed,
    /// A person named it.
    Named,
}

/// Where modules are. The second is the first one on most systems.
const FOLDERS: [&str; 2] = ["/lib/modules", "/usr/lib/modules"];

impl Kernels {
    /// The kernel that runs.
    pub fn running(release: &str) -> Self {
        Self { releases: vec![release.to_owned()], basis: Basis::Running }
    }

    /// A kernel that a person named.
    pub fn named(release: &str) -> Self {
        Self { releases: vec![release.to_owned()], basis: Basis::Named }
    }

    /// The kernels of another root; `here` is the system that runs.
    pub fn of_root(root: &Host, here: &Host) -> Self {
        let real = FOLDERS.iter().filter_map(|folder| root.entry(folder).ok()).map(|entry| entry.real);
        let names = real.flat_map(|folder| root.list(&folder).unwrap_or_default());
        let found: BTreeSet<String> = names.filter(|name| numbers(name).len() > 1).collect();
        let mut releases: Vec<String> = found.into_iter().collect();
        releases.sort_by_key(|release| numbers(release));
        if releases.is_empty() {
            let release = here.read_sysctl("/proc/sys/kernel/osrelease").unwrap_or_default();
            return Self { releases: vec![release.trim_end().to_owned()], basis: Basis::Assumed };
        }
        Self { releases, basis: Basis::Installed }
    }
}

/// The numbers that a release begins with: 6, 1 and 0 of `6.1.0-18-amd64`. None for a name that is not a release.
fn numbers(release: &str) -> Vec<u32> {
    release.split(['.', '-', '+', '_']).map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::create_dir_all;
    use std::os::unix::fs::symlink;

    use super::*;

    fn kernels(folders: &[&str]) -> Kernels {
        let root = tempfile::tempdir().unwrap();
        for folder in folders {
            create_dir_all(root.path().join(folder)).unwrap();
        }
        // As it is on most systems; the link is one of the root, not of this machine.
        if folders.iter().all(|folder| folder.starts_with("usr/")) {
            symlink("/usr/lib", root.path().join("lib")).unwrap();
        }
        Kernels::of_root(&Host::recorded(root.path()), &Host::live())
    }

    #[test]
    fn the_kernels_of_a_root_are_those_that_it_has_modules_of() {
        let found = kernels(&["usr/lib/modules/6.12.9", "usr/lib/modules/6.6.1-cloud", "usr/lib/modules/extra"]);
        assert_eq!(
            (found.releases.as_slice(), found.basis),
            (&["6.6.1-cloud".into(), "6.12.9".into()][..], Basis::Installed)
        );
        let found = kernels(&["lib/modules/5.10.0-8-amd64", "usr/lib/modules/6.1.0-18-amd64"]);
        assert_eq!(found.releases, ["5.10.0-8-amd64", "6.1.0-18-amd64"]);
    }

    #[test]
    fn for_a_root_without_a_kernel_the_one_that_runs_here_is_assumed() {
        let found = kernels(&["etc"]);
        assert_eq!(found.basis, Basis::Assumed);
        assert_eq!(found.releases, [nix::sys::utsname::uname().unwrap().release().to_string_lossy()]);
    }
}
