//! Who takes part in a scenario: listeners, groups of sockets, threads, each by its name.
//!
//! In: what acts made. Out: the same by name. Must not: let a thread live on when its part is over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::Socket;

use super::group::MemoryGroup;
use crate::lab::LabError;

/// Sockets that belong together, such as those that one listener accepted.
pub(super) type Group = Arc<Mutex<Vec<Socket>>>;

/// Everybody.
#[derive(Debug, Default)]
pub struct Cast {
    resets: bool,
    pub(super) listeners: BTreeMap<String, Arc<Vec<Socket>>>,
    groups: BTreeMap<String, Group>,
    threads: BTreeMap<String, Vec<Part>>,
    pub(super) workers: BTreeMap<String, Vec<Worker>>,
    /// The control groups of workers; after them, because a group with a process in it cannot end.
    pub(super) memory: BTreeMap<String, MemoryGroup>,
    pub(super) files: BTreeMap<String, Vec<File>>,
}

/// Something that goes on in the background.
#[derive(Debug)]
struct Part {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A process that belongs to somebody, and ends with the value.
#[derive(Debug)]
pub(super) struct Worker(pub(super) Child);

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended by itself is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks all of them to stop, before anything waits for the first.
fn stop<'a>(parts: impl IntoIterator<Item = &'a Part>) {
    parts.into_iter().for_each(|part| part.stop.store(true, Ordering::Relaxed));
}

impl Drop for Part {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A thread that panicked has said so on standard error.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Cast {
    /// Nobody yet. `resets`: whether TCP sockets end with a reset, so that the kernel keeps nothing of them.
    pub(in crate::lab) fn new(resets: bool) -> Self {
        Self { resets, ..Self::default() }
    }

    /// The sockets of this name; an empty group if there are none yet.
    pub(super) fn group(&mut self, name: &str) -> Group {
        Arc::clone(self.groups.entry(name.to_owned()).or_default())
    }

    /// The same, of something that has to be there.
    pub(super) fn known(&self, name: &str) -> Result<Group, LabError> {
        self.groups.get(name).map(Arc::clone).ok_or_else(|| LabError::broken(name, "nobody has this name"))
    }

    pub(super) fn listener(&self, name: &str) -> Result<Arc<Vec<Socket>>, LabError> {
        let found = self.listeners.get(name).map(Arc::clone);
        found.ok_or_else(|| LabError::broken(name, "no listener has this name"))
    }

    /// Runs `work` until its flag is set; it belongs to the one of this name.
    pub(super) fn start(
        &mut self,
        name: &str,
        work: impl FnOnce(&AtomicBool) + Send + 'static,
    ) -> Result<(), LabError> {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = std::thread::Builder::new().spawn(move || work(&flag));
        let thread = Some(thread.map_err(|error| LabError::broken(name, error))?);
        self.threads.entry(name.to_owned()).or_default().push(Part { stop, thread });
        Ok(())
    }

    /// Ends the threads of this name and leaves its sockets as they are.
    pub(super) fn rest(&mut self, name: &str) {
        stop(self.threads.get(name).into_iter().flatten());
        self.threads.remove(name);
    }

    /// The names of all.
    pub(in crate::lab) fn names(&self) -> BTreeSet<String> {
        let names = self.listeners.keys().chain(self.groups.keys()).chain(self.threads.keys());
        names.chain(self.workers.keys()).chain(self.files.keys()).cloned().collect()
    }

    /// Ends all but those of these names.
    pub(in crate::lab) fn end_all_but(&mut self, names: &BTreeSet<String>) {
        stop(self.threads.iter().filter(|(name, _)| !names.contains(*name)).flat_map(|(_, parts)| parts));
        self.threads.retain(|name, _| names.contains(name));
        if self.resets {
            let ending = self.groups.iter().filter(|(name, _)| !names.contains(*name));
            // What is no TCP socket has nothing to linger for.
            ending.for_each(|(_, group)| {
                locked(group).iter().for_each(|socket| drop(socket.set_linger(Some(Duration::ZERO))));
            });
        }
        self.listeners.retain(|name, _| names.contains(name));
        self.groups.retain(|name, _| names.contains(name));
        self.workers.retain(|name, _| names.contains(name));
        self.memory.retain(|name, _| names.contains(name));
        self.files.retain(|name, _| names.contains(name));
    }

    /// Ends the one of this name, with its sockets.
    pub(super) fn end(&mut self, name: &str) -> Result<(), LabError> {
        let threads = self.threads.remove(name);
        stop(threads.iter().flatten());
        let (listener, group) = (self.listeners.remove(name), self.groups.remove(name));
        let (workers, files) = (self.workers.remove(name), self.files.remove(name));
        let parts = [threads.is_some(), listener.is_some(), group.is_some(), workers.is_some(), files.is_some()];
        if !parts.contains(&true) {
            return Err(LabError::broken(name, "nobody has this name"));
        }
        drop((threads, workers));
        self.memory.remove(name);
        Ok(())
    }
}

/// The sockets of a group. A thread that panicked with the lock leaves them as good as they were.
pub(super) fn locked(group: &Group) -> MutexGuard<'_, Vec<Socket>> {
    group.lock().unwrap_or_else(PoisonError::into_inner)
}
