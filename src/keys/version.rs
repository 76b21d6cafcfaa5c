//! Kernel versions, as hosts and as the catalogue write them.
//!
//! In: `uname -r`; a version of the catalogue, such as `4.12` or `by 6.1`. Out: which one is older; words for a reader.
//! Must not: know a key.

/// What the catalogue puts before a version of which only the latest possible one is known.
const AT_THE_LATEST: &str = "by ";

/// The kernel that the catalogue was last checked against.
pub const NEWEST_KERNEL: &str = "6.18";

/// The first two numbers of a kernel's release (`uname -r`).
pub fn release(kernel: &str) -> Option<(u32, u32)> {
    let mut numbers = kernel.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

/// Whether a kernel (`uname -r`) is older than a version of the catalogue; not where one of the two cannot be read.
pub(super) fn is_older(kernel: &str, version: &str) -> bool {
    release(kernel).zip(release(latest(version))).is_some_and(|(kernel, version)| kernel < version)
}

/// The version itself, without the word that says that it can have been an earlier one.
fn latest(version: &str) -> &str {
    version.strip_prefix(AT_THE_LATEST).unwrap_or(version)
}

/// Whether a version of the catalogue is known for sure.
pub(super) fn is_exact(version: &str) -> bool {
    !version.starts_with(AT_THE_LATEST)
}

/// Whether the distribution adds much of newer kernels to this one, so that its version says little about what it lacks: Red
/// Hat's and its rebuilds (`4.18.0-553.el8_10.x86_64`), SUSE's (`5.14.21-150500.55.7-default`).
pub(super) fn has_newer_parts(kernel: &str) -> bool {
    let of_red_hat = kernel.split(".el").skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    of_red_hat || kernel.ends_with("-default")
}

/// `4.12`, or `6.1 at the latest`.
pub fn in_words(version: &str) -> String {
    if is_exact(version) { version.to_owned() } else { format!("{} at the latest", latest(version)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_possible_version_is_compared_and_said_as_such() {
        assert!(is_older("6.0.19", "by 6.1") && !is_older("6.1.0-18-amd64", "by 6.1") && !is_older("", "by 6.1"));
        assert!(is_older("4.9.0", "4.12") && !is_older("4.12.1", "4.12") && !is_older("5.0", "4.12"));
        assert_eq!((in_words("4.12"), in_words("by 6.1")), ("4.12".to_owned(), "6.1 at the latest".to_owned()));
    }

    #[test]
    fn kernels_of_red_hat_and_suse_have_parts_of_newer_ones() {
        for kernel in ["4.18.0-553.el8_10.x86_64", "5.14.0-427.13.1.el9_4.x86_64", "5.14.21-150500.55.7-default"] {
            assert!(has_newer_parts(kernel), "{kernel}");
        }
        for kernel in ["6.1.0-18-amd64", "5.15.0-100-generic", "6.18.44", "4.14.0-element", ""] {
            assert!(!has_newer_parts(kernel), "{kernel}");
        }
    }
}
