//! What happens while a plan is carried out, confirmed or undone, for whoever watches.
//!
//! In: nothing; these are records. Must not: hold behaviour.

use std::path::Path;

use crate::apply::verdict::Verdict;

/// One step that was just made or is about to be.
#[derive(Debug)]
pub enum Progress<'a> {
    /// What follows happens in this network namespace.
    Inside { namespace: &'a str },
    /// The journal is on the disk.
    Journal { id: u64, folder: &'a Path },
    /// The change will be rolled back by itself unless it is confirmed; `how` names what watches.
    Armed { how: &'a str, before: &'a str },
    /// From here on only these files can be opened for writing; or why they are not the only ones.
    Confined { files: usize, status: &'a str },
    /// The kernel took the value.
    Written { key: &'a str, from: &'a str, to: &'a str },
    /// Something is not as it should be; everything is undone.
    Surprise { why: &'a str },
    /// A key has its former value again.
    Restored { key: &'a str, value: &'a str },
    /// A key was changed by someone else since, and is left to them.
    Left { key: &'a str, value: &'a str },
    /// The drop-in was written, restored or removed.
    DropIn { path: &'a str, what: &'a str },
    /// What a guard of the change says.
    Judged { verdict: &'a Verdict },
    /// Worth knowing, not in the way.
    Note { text: &'a str },
}

/// Called for each step as it happens, also from a thread in another network namespace. It must not fail: a reader that
/// went away is no reason to stop half way.
pub type OnProgress<'a> = &'a mut (dyn FnMut(&Progress<'_>) + Send);
