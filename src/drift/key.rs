//! Names of keys, as files write them and as we do.
//!
//! In: a name out of a file (`net/ipv4/tcp_rmem`, `net.ipv4.conf.eth0/100.rp_filter`). Out: the path under `/proc/sys`
//! that the loader makes of it, and our form: dots between the levels, `/` for a dot inside a name.
//! Must not: know which keys exist.
//!
//! Both loaders look at the first separator of a name. Is it a `/`, the name is a path as it stands; is it a `.`, every
//! `.` becomes a `/` and every `/` a `.`. So `net.ipv4.conf.eth0/100.rp_filter` and `net/ipv4/conf/eth0.100/rp_filter`
//! are the same key, and `net.ipv4.conf.eth0.100.rp_filter` is another one, which does not exist.

use std::borrow::Cow;

use crate::observe::persisted::Loader;

/// The path below `/proc/sys` that a loader makes of a name. It is also what the loader compares to find out whether
/// two lines mean the same key: systemd brings it into a normal form before, procps does not.
pub fn path(name: &str, loader: Loader) -> String {
    // procps drops a dash when it makes the path, though it has dropped one before.
    let name = if loader == Loader::Procps { name.strip_prefix('-').unwrap_or(name) } else { name };
    let path = if first_separator_is_dot(name) { swapped(name) } else { name.to_owned() };
    match loader {
        Loader::Procps => path,
        Loader::Systemd => {
            let simple = simplified(&path);
            // A name of separators only stays one slash.
            if simple.is_empty() && path.starts_with('/') { "/".to_owned() } else { simple }
        }
    }
}

fn first_separator_is_dot(name: &str) -> bool {
    name.find(['/', '.']).is_some_and(|at| name[at..].starts_with('.'))
}

fn swapped(name: &str) -> String {
    let swap = |character| match character {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    name.chars().map(swap).collect()
}

/// Without empty and `.` components.
fn simplified(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

/// Our form of a path that a loader would write to. `None`: no file below `/proc/sys` can have it, or the loader
/// refuses it.
pub fn from_path(path: &str, loader: Loader) -> Option<String> {
    // To procps it is the path of a directory, and systemd has removed it.
    if path.ends_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            // systemd refuses it, procps asks the kernel where the path leads.
            ".." if loader == Loader::Systemd => return None,
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    let is_possible = !parts.is_empty() && !path.contains('\0');
    is_possible.then(|| parts.iter().map(|part| part.replace('.', "/")).collect::<Vec<_>>().join("."))
}

/// The path below `/proc/sys` of a key in our form.
pub fn to_path(key: &str) -> String {
    swapped(key)
}

/// Our form of a name that a person wrote, whichever separators it has: for arguments and messages.
pub fn normal(name: &str) -> Cow<'_, str> {
    let is_normal = !name.contains('/');
    if is_normal {
        return Cow::Borrowed(name);
    }
    from_path(&path(name, Loader::Systemd), Loader::Systemd).map_or(Cow::Borrowed(name), Cow::Owned)
}

/// Whether a loader takes a name for a pattern.
pub fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, loader: Loader) -> Option<String> {
        from_path(&path(name, loader), loader)
    }

    #[test]
    fn the_first_separator_decides_what_the_others_mean() {
        for loader in [Loader::Systemd, Loader::Procps] {
            for name in ["net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter"] {
                assert_eq!(path(name, loader), "net/ipv4/conf/eth0.100/rp_filter");
                assert_eq!(key(name, loader).as_deref(), Some("net.ipv4.conf.eth0/100.rp_filter"));
            }
            assert_eq!(path("net/ipv4.tcp_rmem", loader), "net/ipv4.tcp_rmem");
            assert_eq!(path("net.ipv4/tcp_rmem", loader), "net/ipv4.tcp_rmem");
        }
    }

    #[test]
    fn our_form_and_the_path_lead_to_each_other() {
        let path = to_path("net.ipv4.conf.eth0/100.rp_filter");
        assert_eq!(path, "net/ipv4/conf/eth0.100/rp_filter");
        assert_eq!(from_path(&path, Loader::Procps).as_deref(), Some("net.ipv4.conf.eth0/100.rp_filter"));
    }

    #[test]
    fn superfluous_separators_are_removed_by_systemd_at_once_and_for_procps_by_the_kernel() {
        assert_eq!(path("net..ipv4.tcp_rmem", Loader::Systemd), "net/ipv4/tcp_rmem");
        assert_eq!(path("net..ipv4.tcp_rmem", Loader::Procps), "net//ipv4/tcp_rmem");
        assert_eq!(path("/net/ipv4/tcp_rmem", Loader::Systemd), "net/ipv4/tcp_rmem");
        for name in ["net..ipv4.tcp_rmem", "/net/ipv4/tcp_rmem", "net/./ipv4/tcp_rmem"] {
            for loader in [Loader::Systemd, Loader::Procps] {
                assert_eq!(key(name, loader).as_deref(), Some("net.ipv4.tcp_rmem"), "{name}");
            }
        }
    }

    #[test]
    fn a_way_back_is_followed_by_procps_and_refused_by_systemd() {
        let name = "net/ipv4/../core/somaxconn";
        assert_eq!(key(name, Loader::Procps).as_deref(), Some("net.core.somaxconn"));
        assert_eq!(key(name, Loader::Systemd), None);
        assert_eq!(key("net/../../etc/passwd", Loader::Procps), None);
        // Its first separator is a dot: these are no ways back.
        assert_eq!(path("../../etc", Loader::Systemd), ".etc");
        assert_eq!(key("net/ipv4/tcp_rmem/", Loader::Procps), None);
        assert_eq!(key("net/ipv4/tcp_rmem/", Loader::Systemd).as_deref(), Some("net.ipv4.tcp_rmem"));
        assert_eq!(key("", Loader::Procps), None);
    }

    #[test]
    fn a_person_s_spelling_is_brought_into_our_form() {
        assert_eq!(normal("net/ipv4/tcp_rmem"), "net.ipv4.tcp_rmem");
        assert_eq!(normal("net.ipv4.conf.eth0/100.rp_filter"), "net.ipv4.conf.eth0/100.rp_filter");
        assert_eq!(normal("net.ipv4.tcp_rmem"), "net.ipv4.tcp_rmem");
    }

    proptest::proptest! {
        #[test]
        fn no_name_panics(name in "[a-z./*-]{0,20}|\\PC{0,20}") {
            for loader in [Loader::Systemd, Loader::Procps] {
                if let Some(key) = key(&name, loader) {
                    proptest::prop_assert_eq!(from_path(&to_path(&key), loader), Some(key));
                }
            }
            let _ = normal(&name);
        }
    }
}
