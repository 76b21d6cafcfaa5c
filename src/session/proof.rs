//! Whether a drop-in wins: the values that a boot would set with it among the host's files.
//!
//! In: the files of a host or of another root, a drop-in, the changes that it is for. Out: changes that other files make
//! needless, and [`Loses`]: what a boot would set instead, and which line does it. Must not: write the drop-in.

use std::path::Path;

use super::drift::{Scene, Target};
use super::error::SessionError;
use crate::audit;
use crate::drift::model::Assignment;
use crate::host::Host;
use crate::host::netns::Which;
use crate::keys::{self, KeyValue};
use crate::observe::persisted::{File, FileKind, Loader, Source};
use crate::observe::tuned;
use crate::plan::model::PlannedChange;

/// The files of a host, before a drop-in is among them.
#[derive(Debug)]
pub struct Files {
    scene: Scene,
}

/// A key that does not get its value, or that needs none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loses {
    pub key: String,
    pub loader: Loader,
    /// What a boot would give the key; `None` where no line of a file does.
    pub instead: Option<Assignment>,
}

/// The profile of TuneD that is active on this host, or under another root.
pub fn active_profile(root: Option<&Path>) -> Option<String> {
    tuned::active_profile(&root.map_or_else(Host::live, Host::recorded))
}

impl Files {
    /// Reads the files of this host, or of another root.
    pub fn read(root: Option<&Path>) -> Result<Self, SessionError> {
        let which = root.is_none().then_some(&Which::Current);
        Ok(Self { scene: Scene::of_host(&Target { root, files: &[], declared: None, which, now: false })? })
    }

    /// The name of the host whose values are at hand.
    pub fn hostname(&self) -> &str {
        &self.scene.system().hostname
    }

    /// For each change the line of another file that gives its key a value beyond the wanted one, where the change only wants
    /// *at least* (or *at most*, or a wider range): the drop-in would take it back.
    pub fn beyond(&self, changes: &[PlannedChange], drop_in: &str) -> Vec<Option<Assignment>> {
        let resolution = self.scene.resolution(crate::drift::loader_of(&self.scene.persisted));
        let beyond = |change: &PlannedChange| {
            let winner = &resolution.keys.get(change.name())?.winner;
            let value = value(change, winner)?;
            let is_beyond = audit::fulfils(&value, &change.after, change.bound) && value != change.after;
            (winner.file != drop_in && is_beyond).then(|| winner.clone())
        };
        changes.iter().map(beyond).collect()
    }

    /// The changes that a boot would not make, by either loader, although the drop-in with this text is at this path.
    pub fn losing(&mut self, path: &str, text: &str, changes: &[&PlannedChange]) -> Vec<Loses> {
        self.put(path, text);
        let mut losing = Vec::new();
        for loader in [Loader::Systemd, Loader::Procps] {
            let resolution = self.scene.resolution(loader);
            for change in changes {
                let winner = resolution.keys.get(change.name()).map(|resolved| &resolved.winner);
                let wins = winner.is_some_and(|winner| {
                    value(change, winner).is_some_and(|value| audit::fulfils(&value, &change.after, change.bound))
                });
                if !wins {
                    losing.push(Loses { key: change.name().to_owned(), loader, instead: winner.cloned() });
                }
            }
        }
        losing
    }

    /// Puts the drop-in among the files, in place of one of the same path.
    fn put(&mut self, path: &str, text: &str) {
        let files = &mut self.scene.persisted.files;
        files.retain(|file| file.path != path);
        files.push(File {
            path: path.to_owned(),
            source: Source::Directory,
            link: None,
            kind: FileKind::Regular,
            mode: Some(0o644),
            uid: Some(0),
            text: Some(text.to_owned()),
            bytes: text.len() as u64,
            cut: false,
            not_utf8: false,
        });
    }
}

/// What a line gives the key of a change.
fn value(change: &PlannedChange, line: &Assignment) -> Option<KeyValue> {
    keys::parse(change.key, &line.value).ok()
}
