//! The remarks of a drift: statuses of keys, problems of files and lines, findings of rules.
//!
//! In: a [`DriftPage`], and the files as they were named on the command line. Out: [`Remarks`].
//! Must not: say a thing twice; the page decides which statuses and problems are reported.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::codes::{grade_of, severity};
use super::record::{Checked, Host, Origin, Remark, Remarks, What, as_typed};
use crate::drift::SourceLines;
use crate::drift::explain::lint::is_administrators;
use crate::drift::model::{Assignment, COMMAND_LINE, Drift, Fate, KeyDrift, Problem, Status};
use crate::observe::persisted::Loader;
use crate::observe::system::SystemFacts;
use crate::report::drift::DriftPage;
use crate::session::review::BootFinding;
use crate::units;

/// The remarks of a page. `named` are the page's `files` as they were typed, in the same order.
pub fn of_drift(page: &DriftPage<'_>, named: &[PathBuf]) -> Remarks {
    let mut writer = Writer {
        page,
        named,
        lines: SourceLines::of(page.persisted),
        keys: keys_of_lines(page.drift),
        followers: page.followers(),
    };
    let statuses = page.drift.keys.iter().filter(|key| page.is_reported(key)).map(|key| writer.status(key));
    let mut remarks: Vec<Remark> = statuses.collect();
    remarks.extend(page.problems().into_iter().map(|problem| writer.problem(problem)));
    remarks.extend(page.review.iter().map(|finding| writer.finding(finding)));
    let system = page.system;
    Remarks {
        command: "drift",
        observed_at: page.snapshot.map_or_else(units::now, |snapshot| snapshot.taken_at.clone()),
        host: page.own_values.then(|| host_of(system)),
        about: about(page),
        checked: checked(&writer),
        remarks,
        gaps: page.gaps.to_vec(),
    }
    .arranged()
}

fn host_of(system: &SystemFacts) -> Host {
    Host {
        hostname: system.hostname.clone(),
        id: system.machine_id.clone().unwrap_or_default(),
        labels: system.labels.clone(),
        kernel: system.kernel.clone(),
    }
}

fn about(page: &DriftPage<'_>) -> String {
    let loader = match page.drift.resolution.loader {
        Loader::Systemd => "systemd-sysctl",
        Loader::Procps => "sysctl --system",
    };
    let files = match (page.files, page.root.as_str()) {
        ([], "/") => "The files".to_owned(),
        ([], root) => format!("The files of {root}"),
        (named, _) => units::quantity_of(named.len(), "files"),
    };
    let against = match page.namespace {
        Some(name) => format!("compared with {}", crate::model::with_article(name)),
        None => "compared with nothing".to_owned(),
    };
    format!("{files} as {loader} loads them, {against}")
}

struct Writer<'a> {
    page: &'a DriftPage<'a>,
    named: &'a [PathBuf],
    lines: SourceLines<'a>,
    keys: HashMap<(&'a str, u32), Vec<&'a str>>,
    followers: HashMap<&'a str, usize>,
}

impl Writer<'_> {
    fn status(&mut self, key: &KeyDrift) -> Remark {
        let code = key.status.name();
        let cause = key.cause.as_ref();
        let line = key.boot.as_ref();
        let mut sentences = vec![values(key)];
        sentences.extend(cause.map(|cause| sentence(&cause.text)));
        if let Some(&number) = self.followers.get(key.key.as_str()) {
            let more = units::quantity_of(number, "more keys");
            sentences.push(format!("The kernel sets {more} with it."));
        }
        sentences.retain(|text| !text.is_empty());
        Remark {
            severity: severity(code, line.is_some_and(|line| self.is_vendors(&line.file))),
            cause: cause.map_or("", |cause| cause.code),
            key: Some(key.key.clone()),
            text: sentences.join(" "),
            ..self.of_code(code, Origin::Status, line.map(place))
        }
    }

    fn problem(&mut self, problem: &Problem) -> Remark {
        let Problem { file, line, span, code, text } = problem;
        let key = self.keys.get(&(file.as_str(), *line)).and_then(|keys| key_of(keys, text));
        Remark {
            severity: severity(code, self.is_vendors(file)),
            key: key.map(str::to_owned),
            text: sentence(text),
            ..self.of_code(code, Origin::File, Some((file, *line, span.0..span.1)))
        }
    }

    /// One for the first of its lines; the others are named.
    fn finding(&mut self, finding: &BootFinding) -> Remark {
        let BootFinding { rule, severity, title, explain, references, proposes, lines } = finding;
        let said = |(key, line): &(String, Assignment)| {
            format!("{key} = {} ({}:{})", value_or_empty(&line.value), self.shown(&line.file), line.line)
        };
        let more: Vec<String> = lines.iter().skip(1).map(said).collect();
        let also = if more.is_empty() { String::new() } else { format!(" With: {}.", more.join(", ")) };
        let proposed = proposes.iter().map(|(key, value)| format!(" The audit recommends {key} = {value}."));
        let first = lines.first();
        Remark {
            severity: *severity,
            code: Cow::Owned(rule.clone()),
            key: first.map(|(key, _)| key.clone()),
            text: sentence(title) + &also + &proposed.collect::<String>(),
            explain: Cow::Owned(explain.clone()),
            references: references.clone(),
            ..self.of_code("", Origin::Rule, first.map(|(_, line)| place(line)))
        }
    }

    /// What follows of the code and the place.
    fn of_code(
        &mut self,
        code: &'static str,
        origin: Origin,
        place: Option<(&str, u32, std::ops::Range<usize>)>,
    ) -> Remark {
        let grade = grade_of(code);
        let source = place.as_ref().filter(|(_, line, _)| *line > 0);
        let source = source.map(|(file, line, span)| self.lines.find(file, *line, span));
        let source = source.filter(|source| !source.text.is_empty());
        let columns = source.as_ref().map(|source| {
            let column = |bytes: usize| {
                let before = source.text.get(..bytes).unwrap_or_default();
                u32::try_from(before.chars().count()).unwrap_or(u32::MAX).saturating_add(1)
            };
            column(source.marked.start)..column(source.marked.end)
        });
        Remark {
            severity: severity(code, false),
            code: Cow::Borrowed(code),
            origin,
            cause: "",
            key: None,
            file: place.as_ref().map(|(file, ..)| self.shown(file)),
            line: place.as_ref().map_or(0, |(_, line, _)| *line),
            columns,
            snippet: source.map(|source| source.text).unwrap_or_default(),
            text: String::new(),
            explain: Cow::Borrowed(grade.map_or("", |grade| grade.explain)),
            references: Vec::new(),
        }
    }

    /// The file as a viewer finds it: as it was typed, below the root that was typed.
    fn shown(&self, file: &str) -> String {
        let position = self.page.files.iter().position(|known| known == file);
        if let Some(typed) = position.and_then(|position| self.named.get(position)) {
            return as_typed(typed);
        }
        if self.page.root == "/" || file == COMMAND_LINE {
            return file.to_owned();
        }
        as_typed(&Path::new(&self.page.root).join(file.trim_start_matches('/')))
    }

    /// Whether the line is a package's, and not the administrator's.
    fn is_vendors(&self, file: &str) -> bool {
        self.page.files.is_empty() && !is_administrators(file)
    }
}

fn place(line: &Assignment) -> (&str, u32, std::ops::Range<usize>) {
    (&line.file, line.line, line.span.clone())
}

/// What the files set, and what is effective.
fn values(key: &KeyDrift) -> String {
    let now = key.runtime.as_deref().map(|now| format!("`{}`", value_or_empty(now)));
    match (&key.boot, now) {
        (Some(line), _) if key.status == Status::Invalid => format!("The files set `{}`.", value_or_empty(&line.text)),
        (Some(line), Some(now)) => format!("The files set `{}`, and the value is {now}.", value_or_empty(&line.value)),
        (Some(_), None) => String::new(),
        (None, Some(now)) => format!("The value is {now}."),
        (None, None) => String::new(),
    }
}

/// A key may hold nothing.
fn value_or_empty(value: &str) -> &str {
    if value.trim().is_empty() { "(empty)" } else { value }
}

/// A text that ends with a full stop is a sentence as it is, whatever it begins with. Another one gets a full stop, and a
/// capital unless it begins with the name of a key or a file.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '?', '!']) {
        return text.to_owned();
    }
    let is_word = text.split(' ').next().is_some_and(|first| first.chars().all(char::is_alphabetic));
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    if is_word { format!("{first}{}.", letters.as_str()) } else { format!("{text}.") }
}

/// The keys that each line sets, directly before those by pattern or by the kernel.
fn keys_of_lines(drift: &Drift) -> HashMap<(&str, u32), Vec<&str>> {
    let mut keys: HashMap<(&str, u32), Vec<&str>> = HashMap::new();
    let is_direct = |line: &Assignment| line.spread_from.is_none() && line.from_glob.is_none();
    for direct in [true, false] {
        for key in &drift.keys {
            for line in key.boot.iter().chain(&key.shadowed).filter(|line| is_direct(line) == direct) {
                keys.entry((&line.file, line.line)).or_default().push(&key.key);
            }
        }
    }
    keys
}

/// The key of a line that a text is about: one that it names, the longest, else the one that the line names.
fn key_of<'a>(keys: &[&'a str], text: &str) -> Option<&'a str> {
    let named = keys.iter().filter(|key| text.contains(**key)).max_by_key(|key| key.len());
    named.or(keys.first()).copied()
}

fn checked(writer: &Writer<'_>) -> Vec<Checked> {
    let page = writer.page;
    let keys = page.drift.keys.iter().map(|key| {
        let is_unread = key.status == Status::Unread && !page.is_review();
        let why = || key.cause.as_ref().map_or("The value is not known.", |cause| &cause.text).to_owned();
        Checked { what: What::Key(key.key.clone()), unread: is_unread.then(why) }
    });
    let read = page.drift.resolution.files.iter().filter(|used| matches!(used.fate, Fate::Read { .. }));
    let files = read.map(|used| Checked { what: What::File(writer.shown(&used.file)), unread: None });
    keys.chain(files).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::model::{Cause, FileUse, Resolution, codes};
    use crate::keys::Written;
    use crate::model::Severity;
    use crate::observe::persisted::{self, FileKind, Persisted, Source};

    const TEXT: &str = "# ä\n  net.core.somaxconn = 1\nnet.ipv4.tcp_sack=0\nnet.ipv4.gone = 1\nnet.ipv4.conf.*.x = 1\n";
    const OWN: &str = "/etc/sysctl.d/a.conf";
    const VENDOR: &str = "/usr/lib/sysctl.d/b.conf";

    fn file(path: &str) -> persisted::File {
        persisted::File {
            path: path.to_owned(),
            source: Source::Directory,
            link: None,
            kind: FileKind::Regular,
            mode: None,
            uid: None,
            text: Some(TEXT.to_owned()),
            bytes: TEXT.len() as u64,
            cut: false,
            not_utf8: false,
        }
    }

    fn line(file: &str, line: u32, found: &str) -> Assignment {
        let start = TEXT.find(found).unwrap();
        let (_, value) = found.split_once('=').unwrap();
        Assignment {
            value: value.trim().to_owned(),
            text: value.trim().to_owned(),
            written: Written::default(),
            file: file.to_owned(),
            line,
            span: start..start + found.len(),
            ignore_failure: false,
            from_glob: None,
            spread_from: None,
        }
    }

    fn key(key: &str, status: Status, cause: &str, boot: Option<Assignment>) -> KeyDrift {
        let cause = Some(Cause { code: "unknown", text: cause.to_owned() });
        KeyDrift { key: key.to_owned(), boot, runtime: Some("7".to_owned()), status, cause, shadowed: Vec::new() }
    }

    fn remarks(root: &str, namespace: Option<&str>) -> Remarks {
        let at = |line: u32, code, text: &str| Problem {
            file: OWN.to_owned(),
            line,
            span: (0, 0),
            code,
            text: text.to_owned(),
        };
        let glob =
            Assignment { from_glob: Some("net.ipv4.conf.*.x".to_owned()), ..line(OWN, 5, "net.ipv4.conf.*.x = 1") };
        let follower = |name: &str| {
            let mut key = key(name, Status::NotInForce, "", Some(line(OWN, 2, "net.core.somaxconn = 1")));
            key.cause = Some(Cause { code: crate::drift::model::FOLLOWS, text: String::new() });
            key.boot.as_mut().unwrap().spread_from = Some("net.core.somaxconn".to_owned());
            key
        };
        let drift = Drift {
            resolution: Resolution {
                loader: Loader::Systemd,
                keys: std::collections::BTreeMap::new(),
                problems: Vec::new(),
                files: vec![FileUse { file: OWN.to_owned(), fate: Fate::Read { assignments: 3 } }],
                loopback: Vec::new(),
            },
            keys: vec![
                key("net.core.somaxconn", Status::NotInForce, "why", Some(line(OWN, 2, "net.core.somaxconn = 1"))),
                follower("net.ipv4.follows"),
                key("net.ipv4.conf.eth0.x", Status::InSync, "", Some(glob)),
                key("net.ipv4.gone", Status::Dead, "it is gone", Some(line(VENDOR, 4, "net.ipv4.gone = 1"))),
                key("net.ipv4.rmem", Status::Unread, "Permission denied.", None),
                key("net.ipv4.tcp_sack", Status::RuntimeOnly, "No file sets it.", None),
            ],
            problems: vec![
                at(0, codes::WORLD_WRITABLE, "Every user can write this file."),
                at(5, codes::COSTLY_VALUE, "net.ipv4.conf.eth0.x has a cost"),
                Problem { file: VENDOR.to_owned(), ..at(4, codes::DEAD_KEY, "net.ipv4.gone: it is gone") },
            ],
        };
        let finding = BootFinding {
            rule: "sack-off".to_owned(),
            severity: Severity::Critical,
            title: "SACK is off".to_owned(),
            explain: "Why.".to_owned(),
            references: vec!["https://example.org".to_owned()],
            proposes: Vec::new(),
            lines: vec![
                ("net.ipv4.tcp_sack".to_owned(), line(OWN, 3, "net.ipv4.tcp_sack=0")),
                ("net.core.somaxconn".to_owned(), line(OWN, 2, "net.core.somaxconn = 1")),
            ],
        };
        let page = DriftPage {
            drift: &drift,
            persisted: &Persisted { files: vec![file(OWN), file(VENDOR)], ..Persisted::default() },
            root: root.to_owned(),
            files: &[],
            namespace,
            own_values: true,
            snapshot: None,
            gaps: &[],
            is_boot: true,
            review: &[finding],
            system: &SystemFacts {
                hostname: "web-1".to_owned(),
                kernel: "6.12.0".to_owned(),
                ..SystemFacts::default()
            },
            declared: false,
            all: false,
        };
        of_drift(&page, &[])
    }

    fn listed(remarks: &Remarks) -> String {
        let line = |remark: &Remark| {
            let Remark { severity, code, key, columns, snippet, text, .. } = remark;
            let (place, key) = (remark.place(), key.as_deref().unwrap_or("-"));
            format!("{place} {columns:?} {} {code} {key} [{snippet}] {text}", severity.name())
        };
        remarks.remarks.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_thing_is_said_once_at_its_place() {
        insta::assert_snapshot!(listed(&remarks("/", Some("host"))), @"
        /etc/sysctl.d/a.conf None warning world_writable - [] Every user can write this file.
        /etc/sysctl.d/a.conf:2 Some(3..25) warning not_in_force net.core.somaxconn [  net.core.somaxconn = 1] The files set `1`, and the value is `7`. Why. The kernel sets 1 more key with it.
        /etc/sysctl.d/a.conf:3 Some(1..20) critical sack-off net.ipv4.tcp_sack [net.ipv4.tcp_sack=0] SACK is off. With: net.core.somaxconn = 1 (/etc/sysctl.d/a.conf:2).
        /etc/sysctl.d/a.conf:5 Some(1..22) notice costly_value net.ipv4.conf.eth0.x [net.ipv4.conf.*.x = 1] net.ipv4.conf.eth0.x has a cost.
        /usr/lib/sysctl.d/b.conf:4 Some(1..18) notice dead net.ipv4.gone [net.ipv4.gone = 1] The files set `1`, and the value is `7`. It is gone.
         None notice runtime_only net.ipv4.tcp_sack [] The value is `7`. No file sets it.
        ");
    }

    #[test]
    fn what_is_not_effective_is_no_remark_of_a_review_and_paths_have_the_root() {
        insta::assert_snapshot!(listed(&remarks("image", None)), @"
        image/etc/sysctl.d/a.conf None warning world_writable - [] Every user can write this file.
        image/etc/sysctl.d/a.conf:3 Some(1..20) critical sack-off net.ipv4.tcp_sack [net.ipv4.tcp_sack=0] SACK is off. With: net.core.somaxconn = 1 (image/etc/sysctl.d/a.conf:2).
        image/etc/sysctl.d/a.conf:5 Some(1..22) notice costly_value net.ipv4.conf.eth0.x [net.ipv4.conf.*.x = 1] net.ipv4.conf.eth0.x has a cost.
        image/usr/lib/sysctl.d/b.conf:4 Some(1..18) notice dead net.ipv4.gone [net.ipv4.gone = 1] The files set `1`, and the value is `7`. It is gone.
        ");
    }

    #[test]
    fn a_text_becomes_a_sentence_and_a_sentence_stays() {
        let cases = [
            ("no existing key matches `x`", "No existing key matches `x`."),
            ("net.ipv4.x has a cost", "net.ipv4.x has a cost."),
            ("systemd does not run here.", "systemd does not run here."),
            ("Did you mean y?", "Did you mean y?"),
            (" ", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(sentence(text), expected);
        }
    }

    #[test]
    fn what_could_not_be_read_is_not_in_sync() {
        let unread = |remarks: Remarks| {
            let keys = remarks.checked.into_iter().filter(|checked| checked.unread.is_some());
            keys.map(|checked| checked.what).collect::<Vec<_>>()
        };
        assert_eq!(unread(remarks("/", Some("host"))), [What::Key("net.ipv4.rmem".to_owned())]);
        // Of a review nothing was to be read.
        assert_eq!(unread(remarks("/", None)), []);
    }
}
