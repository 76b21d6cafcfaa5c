//! Which files a loader reads, and in which order.
//!
//! In: the candidates. Out: each with its [`Fate`], those that are read first, in the order of reading.
//! Must not: look at a line.
//!
//! In both loaders a name in one directory masks the same name in the directories that come later, whatever stands
//! behind it; then the names are sorted as bytes, directories not counted. systemd passes hidden files over and knows
//! `/etc/sysctl.conf` only through a link; procps reads hidden files, and `/etc/sysctl.conf` last.

use std::collections::BTreeMap;

use crate::drift::model::{Fate, Problem, codes};
use crate::observe::persisted::{DirectoryState, File, FileKind, Loader, Persisted, Source};

pub(in crate::drift) fn of(persisted: &Persisted, loader: Loader) -> Vec<(&File, Fate)> {
    let mut candidates: Vec<(usize, &File)> = Vec::new();
    let (mut last, mut unread) = (Vec::new(), Vec::new());
    for file in &persisted.files {
        match file.source {
            Source::Directory if loader == Loader::Systemd && file.base_name().starts_with('.') => unread.push(file),
            Source::Directory => candidates.push((rank(persisted, file), file)),
            Source::SysctlConf if loader == Loader::Procps => last.push((0, file)),
            Source::Credential if loader == Loader::Systemd => last.push((1, file)),
            Source::Ufw if is_loaded_by_ufw(persisted, file) => last.push((2, file)),
            Source::SysctlConf | Source::Credential | Source::Ufw => unread.push(file),
        }
    }
    candidates.sort_by(|(one, a), (other, b)| one.cmp(other).then_with(|| a.path.cmp(&b.path)));
    let mut by_name: BTreeMap<&str, &File> = BTreeMap::new();
    let mut masked = Vec::new();
    for (_, file) in candidates {
        match by_name.get(file.base_name()) {
            Some(first) => masked.push((file, Fate::MaskedBy(first.path.clone()))),
            None => {
                by_name.insert(file.base_name(), file);
            }
        }
    }
    last.sort_by_key(|(position, _)| *position);
    let read = by_name.into_values().chain(last.into_iter().map(|(_, file)| file));
    let mut order: Vec<_> = read.map(|file| (file, fate(file))).collect();
    order.extend(masked);
    order.extend(unread.into_iter().map(|file| (file, Fate::NotLooked)));
    order
}

/// The place of the file's directory among those that are looked through.
fn rank(persisted: &Persisted, file: &File) -> usize {
    let directory = file.path.rsplit_once('/').map_or("", |(directory, _)| directory);
    persisted.directories.iter().position(|known| known.path == directory).unwrap_or(usize::MAX)
}

fn is_loaded_by_ufw(persisted: &Persisted, file: &File) -> bool {
    persisted.ufw.as_ref().is_some_and(|ufw| ufw.enabled && ufw.file.as_deref() == Some(file.path.as_str()))
}

fn fate(file: &File) -> Fate {
    match &file.kind {
        FileKind::Regular if file.text.is_some() => Fate::Read { assignments: 0 },
        FileKind::Regular => Fate::Failed("was not read".to_owned()),
        FileKind::Null => Fate::Null,
        FileKind::Directory => Fate::Failed("is a directory".to_owned()),
        FileKind::Fifo => Fate::Failed("is a fifo".to_owned()),
        FileKind::Socket => Fate::Failed("is a socket".to_owned()),
        FileKind::Device => Fate::Failed("is a device".to_owned()),
        FileKind::Dangling => Fate::Failed("is a symbolic link to a file that does not exist".to_owned()),
        FileKind::LinkLoop => Fate::Failed("is a symbolic link to itself".to_owned()),
        FileKind::Unreadable(why) => Fate::Failed(why.clone()),
    }
}

/// What is wrong with files and directories as a whole.
pub(in crate::drift) fn problems(persisted: &Persisted, order: &[(&File, Fate)], loader: Loader) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |file: &str, code, text: String| {
        problems.push(Problem { file: file.to_owned(), line: 0, span: (0, 0), code, text });
    };
    for directory in &persisted.directories {
        if let DirectoryState::Unreadable(why) = &directory.state {
            say(&directory.path, codes::UNREADABLE_DIRECTORY, format!("the directory could not be read: {why}"));
        }
    }
    for (file, fate) in order {
        match fate {
            Fate::Failed(_) if matches!(file.kind, FileKind::Fifo) => {
                let why = "it is a fifo: the loader waits until something writes to it, and sets nothing until then";
                say(&file.path, codes::BLOCKS_LOADER, why.to_owned());
            }
            Fate::Failed(why) => say(&file.path, codes::UNREADABLE_FILE, format!("it sets nothing: it {why}")),
            Fate::Read { .. } => {
                if file.cut {
                    let read = file.text.as_ref().map_or(0, String::len);
                    let why = format!("only the first {read} of its {} bytes were examined", file.bytes);
                    say(&file.path, codes::FILE_CUT, why);
                }
                if file.not_utf8 {
                    let why = "it contains bytes that are not UTF-8; they are shown as `\u{fffd}`";
                    say(&file.path, codes::NOT_UTF8, why.to_owned());
                }
            }
            Fate::MaskedBy(_) | Fate::Null | Fate::NotLooked => {}
        }
        let is_pattern = file.source == Source::Directory && file.base_name().contains(['*', '?', '[', '{']);
        if loader == Loader::Procps && is_pattern && !matches!(fate, Fate::MaskedBy(_)) {
            let why = "procps uses the name of the file as a pattern, and may read other files instead";
            say(&file.path, codes::NAME_IS_PATTERN, why.to_owned());
        }
    }
    problems
}
