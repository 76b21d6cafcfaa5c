//! Where a key's file is.
//!
//! In: a key's name, a value's text. Out: the path below /proc/sys, or nothing for a name that is none. Must not: build a path
//! from anything but a name that was taken apart and found harmless.

use super::InterfaceKey;

/// The file of a key, or `None` for a name that is none: levels of small letters, digits, `_` and `-` between dots; an interface may
/// have capital letters and, written as slashes, dots. `..`, an absolute path, a NUL and the like cannot come out of it.
pub fn path(name: &str) -> Option<String> {
    if let Some(key) = InterfaceKey::of(name).filter(InterfaceKey::is_of_one) {
        let fits = is_interface(key.who) && path(&key.with("all")).is_some();
        return fits.then(|| path_of_listed(name));
    }
    let harmless = |level: &str| {
        !level.is_empty()
            && level.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'-'))
    };
    let levels: Vec<&str> = name.split('.').collect();
    let fits = levels.len() >= 2 && levels.iter().all(|level| harmless(level));
    fits.then(|| format!("/proc/sys/{}", levels.join("/")))
}

/// Whether the kernel can have an interface of this name, in our form, and no folder is called so.
fn is_interface(who: &str) -> bool {
    const LONGEST: usize = 15;
    let harmless = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'/' | b'@' | b'+');
    who.len() <= LONGEST && who.bytes().all(harmless) && who.bytes().any(|c| c != b'/')
}

/// Whether a value can stand in a line of `sysctl.d` and in a key's file: printable ASCII and within the one page that the kernel reads of it.
pub fn is_printable(value: &str) -> bool {
    value.len() < 4095 && value.bytes().all(|c| c == b' ' || c.is_ascii_graphic())
}

/// The file of a key as a sysctl.d file may name it, where an interface's own name may hold dots: those are slashes there
/// (`net.ipv4.conf.eth0/100.rp_filter`). For keys that come from the kernel's own folder; they may have any letter.
pub fn path_of_listed(name: &str) -> String {
    let turned = name.chars().map(|c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    });
    format!("/proc/sys/{}", turned.collect::<String>())
}

/// Bytes that a name may have.
const LONGEST_KEY: usize = 256;

/// A name as it may be written in a file (`net/ipv4/conf/eth0.100/rp_filter`, `-net.core.somaxconn`), in our own form: dots
/// between levels, slashes within an interface's name. `None` for a glob or what no key can be called.
pub fn our_form(left: &str) -> Option<String> {
    let word = left.trim().trim_start_matches('-').trim();
    let odd = |c: char| c.is_whitespace() || c.is_control() || "*?[#;".contains(c);
    if word.is_empty() || word.len() > LONGEST_KEY || word.contains(odd) {
        return None;
    }
    // Whichever separator comes first separates levels; the other one is part of a name.
    let slashes = word.find(['.', '/']).is_some_and(|at| word[at..].starts_with('/'));
    let turned = word.chars().map(|c| match c {
        '.' if slashes => '/',
        '/' if slashes => '.',
        other => other,
    });
    let key: String = turned.collect();
    let is_sane = key.split('.').all(|part| !part.is_empty() && part != "//" && part != "/");
    is_sane.then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;

    #[test]
    fn the_file_of_an_interface_s_key_is_below_the_folders_of_interfaces() {
        let file = |who: &str| path(&format!("net.ipv4.conf.{who}.rp_filter"));
        assert_eq!(file("eth0").as_deref(), Some("/proc/sys/net/ipv4/conf/eth0/rp_filter"));
        assert_eq!(file("Bond0/100").as_deref(), Some("/proc/sys/net/ipv4/conf/Bond0.100/rp_filter"));
        for who in ["/", "//", "", "*", "eth 0", "eth\0", "sixteen-letters-", "ä"] {
            assert_eq!(file(who), None, "{who:?}");
        }
        assert_eq!(path("net.ipv4.conf.eth0.RP"), None);
    }

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
        assert!(keys::catalogue().iter().all(|key| path(&key.name.replace('*', "all")).is_some()));
        assert_eq!(path("net.ipv4.conf.*.rp_filter"), None, "it is the key of no interface");
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
