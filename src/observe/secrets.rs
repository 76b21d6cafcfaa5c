//! Values that must not be stored or shown, taken out of the texts of configuration files.
//!
//! In: texts as they were read. Out: the same, each secret replaced by as many `*`, so that places in the text stay.
//! Must not: change anything else.

use crate::keys;
use crate::observe::persisted::Persisted;
use crate::observe::surroundings::our_form;

/// Hides the values of the keys that hold secrets.
pub fn hide(persisted: &mut Persisted) {
    for text in persisted.files.iter_mut().filter_map(|file| file.text.as_mut()) {
        if text.lines().any(is_secret) {
            *text = text
                .split_inclusive('\n')
                .map(|line| if is_secret(line) { hidden(line) } else { line.to_owned() })
                .collect();
        }
    }
    if let Some(line) = persisted.command_line.as_mut().filter(|line| line.split_whitespace().any(is_boot_secret)) {
        *line = line
            .split_inclusive(' ')
            .map(|word| if is_boot_secret(word) { hidden(word) } else { word.to_owned() })
            .collect();
    }
}

fn is_secret(line: &str) -> bool {
    // A comment may hold the former value.
    let line = line.trim_start().trim_start_matches(['#', ';']);
    line.split_once('=').and_then(|(left, _)| our_form(left)).is_some_and(|key| keys::is_secret(&key))
}

fn is_boot_secret(word: &str) -> bool {
    word.strip_prefix("sysctl.").is_some_and(is_secret)
}

fn hidden(line: &str) -> String {
    let Some((left, right)) = line.split_once('=') else { return line.to_owned() };
    let stars = right.chars().flat_map(|c| {
        let shown = if c.is_whitespace() { c } else { '*' };
        std::iter::repeat_n(shown, if shown == '*' { c.len_utf8() } else { 1 })
    });
    format!("{left}={}", stars.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_becomes_stars_of_the_same_length_and_the_rest_stays() {
        let text = "net.core.somaxconn = 1\nnet/ipv4/tcp_fastopen_key = 00-é\r\n#net.ipv6.conf.eth0.stable_secret=::1";
        let lines: Vec<String> = text
            .split_inclusive('\n')
            .map(|line| if is_secret(line) { hidden(line) } else { line.to_owned() })
            .collect();
        assert_eq!(
            lines,
            [
                "net.core.somaxconn = 1\n",
                "net/ipv4/tcp_fastopen_key = *****\r\n",
                "#net.ipv6.conf.eth0.stable_secret=***"
            ]
        );
        assert_eq!(lines.concat().len(), text.len());
    }
}
