//! What kind of file it is.
//!
//! In: its name and text. Out: [`Syntax`]. Must not: parse more than it takes to tell.

use crate::diagnostic::Diagnostic;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// `KEY = VALUE`, a line each.
    SysctlD,
    /// Sections; the values are in `[sysctl]`.
    Tuned,
    Yaml,
    Json,
    Toml,
}

/// Endings of names, and the syntax that they stand for.
const ENDINGS: [(&str, Syntax); 11] = [
    (".yaml", Syntax::Yaml),
    (".yml", Syntax::Yaml),
    (".sls", Syntax::Yaml),
    (".bu", Syntax::Yaml),
    (".json", Syntax::Json),
    (".ign", Syntax::Json),
    (".toml", Syntax::Toml),
    (".sysctl", Syntax::SysctlD),
    ("sysctl.conf", Syntax::SysctlD),
    ("/tuned.conf", Syntax::Tuned),
    (".ini", Syntax::Tuned),
];

/// Languages that only their own programs read, and what to give us in their place.
const PROGRAMS: [(&str, &str); 5] = [
    (
        ".nix",
        "a Nix file is a program; give the JSON that `nix eval --json` or `nix-instantiate --eval --strict --json` prints",
    ),
    (".pp", "a Puppet manifest is a program; give the Hiera data, or the JSON of `puppet catalog compile`"),
    (".rb", "a Ruby file is a program; give the file of attributes as JSON"),
    (".j2", "this is a template; render it first, and give the result"),
    (".erb", "this is a template; render it first, and give the result"),
];

impl Syntax {
    /// As `--syntax` takes it.
    pub const ALL: [(&'static str, Self); 5] = [
        ("sysctl.d", Self::SysctlD),
        ("tuned", Self::Tuned),
        ("yaml", Self::Yaml),
        ("json", Self::Json),
        ("toml", Self::Toml),
    ];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, syntax)| *syntax)
    }

    /// By the name; where that says nothing, by the first line that does.
    pub(super) fn of(file: &str, text: &str) -> Result<Self, Diagnostic> {
        let name = format!("/{file}");
        if let Some((_, why)) = PROGRAMS.iter().find(|(ending, _)| name.ends_with(ending)) {
            return Err(Diagnostic::of_file(file.to_owned(), (*why).to_owned()));
        }
        let by_name = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, syntax)| *syntax);
        Ok(by_name.unwrap_or_else(|| Self::of_text(text)))
    }

    fn of_text(text: &str) -> Self {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.clone().find(|line| !line.starts_with(['#', ';'])).unwrap_or_default();
        let is_section = |line: &str| line.starts_with('[') && line.ends_with(']') && !line.contains([',', '"']);
        let is_yaml = |line: &str| line.starts_with("---") || line.starts_with("- ") || line.ends_with(':');
        if first.starts_with('{') || (first.starts_with('[') && !is_section(first)) {
            Self::Json
        } else if lines.clone().any(|line| line == "[sysctl]") {
            Self::Tuned
        } else if is_section(first) {
            Self::Toml
        } else if is_yaml(first)
            || text.starts_with("#cloud-config")
            || lines.all(|line| !line.contains('=')) && first.contains(": ")
        {
            Self::Yaml
        } else {
            Self::SysctlD
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_and_without_one_the_text() {
        for (file, text, syntax) in [
            ("a.yml", "", Syntax::Yaml),
            ("etc/sysctl.conf", "", Syntax::SysctlD),
            ("90-a.conf", "# a\nnet.core.somaxconn = 4096\n", Syntax::SysctlD),
            ("etc/tuned/a/tuned.conf", "[main]\n", Syntax::Tuned),
            ("a.conf", "[main]\nsummary=a\n[sysctl]\n", Syntax::Tuned),
            ("-", "{\"a\": 1}", Syntax::Json),
            ("-", "[settings.kernel.sysctl]\n", Syntax::Toml),
            ("-", "#cloud-config\nwrite_files: []\n", Syntax::Yaml),
            ("-", "sysctls:\n  a: b=c\n", Syntax::Yaml),
            ("-", "- name: a\n", Syntax::Yaml),
            ("-", "net.core.somaxconn: 1\n", Syntax::Yaml),
            ("-", "net.core.somaxconn=1\n", Syntax::SysctlD),
        ] {
            assert_eq!(Syntax::of(file, text).unwrap(), syntax, "{file}: {text}");
        }
    }

    #[test]
    fn a_program_is_refused_with_what_to_give_in_its_place() {
        let error = Syntax::of("configuration.nix", "").unwrap_err();
        assert!(error.to_string().starts_with("configuration.nix: a Nix file is a program; give the JSON"), "{error}");
    }
}
