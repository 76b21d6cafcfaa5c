//! The kernel's command line: `sysctl.net.core.somaxconn=4096`, which kernels since 5.8 set before they start init.
//!
//! In: the text of `/proc/cmdline`. Out: entries like those of a file.
//! Must not: know what a loader does later.

use super::parse::ParsedLine;
use crate::observe::persisted::command_line::words;

/// The settings in it, in order. The kernel makes a `/` of each `.` and leaves a `/` alone, so that an interface with a
/// dot in its name cannot be meant; an empty value is refused.
pub(in crate::drift) fn entries(text: &str) -> Vec<ParsedLine> {
    let mut entries = Vec::new();
    for span in words(text) {
        let word = unquoted(&text[span.clone()]);
        // The rest is for init.
        if word == "--" {
            break;
        }
        let Some(rest) = word.strip_prefix("sysctl.").or_else(|| word.strip_prefix("sysctl/")) else { continue };
        if let Some((name, value)) = rest.split_once('=')
            && !value.is_empty()
        {
            entries.push(ParsedLine {
                line: 1,
                span,
                name: name.replace('.', "/"),
                value: Some(value.to_owned()),
                ignore_failure: false,
            });
        }
    }
    entries
}

/// Without the quotation marks at the ends of the word or of its value.
fn unquoted(word: &str) -> String {
    if let Some(inner) = word.strip_prefix('"') {
        return inner.strip_suffix('"').unwrap_or(inner).to_owned();
    }
    match word.split_once("=\"") {
        Some((name, value)) => format!("{name}={}", value.strip_suffix('"').unwrap_or(value)),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        entries(text).into_iter().map(|entry| (entry.name, entry.value.unwrap_or_default())).collect()
    }

    #[test]
    fn settings_are_picked_out_with_their_places() {
        let text = "root=/dev/vda1 quiet sysctl.net.core.somaxconn=4096 sysctl/net/ipv4/tcp_syncookies=2\n";
        let found = entries(text);
        assert_eq!(&text[found[0].span.clone()], "sysctl.net.core.somaxconn=4096");
        assert_eq!(
            read(text),
            [
                ("net/core/somaxconn".to_owned(), "4096".to_owned()),
                ("net/ipv4/tcp_syncookies".to_owned(), "2".to_owned())
            ]
        );
    }

    #[test]
    fn quotation_marks_hold_a_value_together() {
        let expected = [("net/ipv4/tcp_rmem".to_owned(), "4096 131072 6291456".to_owned())];
        assert_eq!(read(r#"sysctl.net.ipv4.tcp_rmem="4096 131072 6291456" ro"#), expected);
        assert_eq!(read(r#""sysctl.net.ipv4.tcp_rmem=4096 131072 6291456""#), expected);
    }

    #[test]
    fn what_is_for_init_or_empty_or_no_setting_is_left() {
        assert_eq!(read("sysctl.a.b= sysctl.c sysctlx.d=1 systemd.unit=x -- sysctl.e.f=1"), []);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(sysctl[./]|[a-z.=\" \\n-]){0,30}|\\PC{0,40}") {
            for entry in entries(&text) {
                proptest::prop_assert!(text.get(entry.span).is_some());
            }
        }
    }
}
