//! The stage: two network namespaces with a cable between them, in a process that takes them along when it ends.
//!
//! In: nothing but what the kernel allows; `ip` of iproute2. Out: [`Stage`]. Must not: write before it is proven that a
//! namespace is a new one; write any key that is not a namespace's own.
//!
//! ```text
//!  this host (audited)                           the far host (never audited)
//!  lo    10.1.0.1 10.1.0.2 10.1.0.3 fd00:1::1
//!  near0 10.2.0.1/24 fd00:2::1/64 --- cable ---- far0 10.2.0.2/24 fd00:2::2/64, and all of 10.9.0.0/16
//!        10.3.0.0/16: packets leave, and nobody is there who takes them
//! ```

#![cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, reason = "a door: the lab's own namespaces, and processes in them")
)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, ExitStatus, Stdio};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{getegid, geteuid};

use super::tools::{self, IP, IP_FORCED};
use super::{LabError, leftovers};
use crate::keys::{self, Scope};

const THREAD_NAMESPACE: &str = "/proc/thread-self/ns/net";
/// This program, also after its file was replaced.
pub const THIS_PROGRAM: &str = "/proc/self/exe";

/// One of the two hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The one that is audited.
    Near,
    Far,
}

impl Place {
    pub const fn far_if(far: bool) -> Self {
        if far { Self::Far } else { Self::Near }
    }
}

/// Ends this process when its parent ends, however that came. `is_there`: whether the parent is there, asked when the kernel
/// already watches it, so that no moment is left in which it can end unseen.
fn end_with_parent(is_there: impl FnOnce() -> bool) -> Result<(), LabError> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(|error| cannot("prctl(PR_SET_PDEATHSIG)", error))?;
    if is_there() { Ok(()) } else { Err(LabError::Broken("the process above this one is gone".to_owned())) }
}

/// Whether the door still holds the other end of our standard input. Its number cannot be asked for: it is in another
/// namespace of processes.
fn is_door_there() -> bool {
    let input = io::stdin();
    let mut asked = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
    let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
    poll(&mut asked, PollTimeout::ZERO).is_ok()
        && asked.iter().all(|it| it.revents().is_none_or(|is| !is.intersects(gone)))
}

/// What the door does: gives itself namespaces, and runs the stage in them, to its end. With `host` the network is the
/// machine's own, which is to be a throw-away one.
///
/// # Errors
/// [`LabError::NotHere`] with the kernel's reason where none may be made.
pub fn open(
    arguments: &[&OsStr],
    parent: u32,
    host: bool,
    started: impl FnOnce(u32, bool),
) -> Result<ExitStatus, LabError> {
    end_with_parent(|| std::os::unix::process::parent_id() == parent)?;
    let outside = mounts()?;
    let apart = CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS;
    let own = if host { apart } else { apart | CloneFlags::CLONE_NEWNET };
    let made = unshare(own);
    if host {
        made.map_err(|error| cannot("the machine's own network needs root", error))?;
    }
    let user = made.is_err();
    if user {
        become_root_of_a_user_namespace()?;
        unshare(own).map_err(|error| cannot("a network namespace cannot be made", error))?;
    }
    let stage =
        Command::new(THIS_PROGRAM).args(arguments).arg(format!("--outside={outside}")).stdin(Stdio::piped()).spawn();
    let mut stage = stage.map_err(|error| LabError::broken("the stage did not start", error))?;
    let input = stage.stdin.take();
    started(stage.id(), user);
    // Whoever looks on closes our input when they have seen enough. The stage waits for the same of us, undoes what does not
    // end with it, and goes.
    let _ = io::stdin().lock().read_to_end(&mut Vec::new());
    drop(input);
    stage.wait().map_err(|error| LabError::broken("the stage was lost", error))
}

/// Root in a user namespace, as which this user may make the others. The one user is all that there is in it.
fn become_root_of_a_user_namespace() -> Result<(), LabError> {
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER).map_err(|error| {
        cannot(
            "neither a network namespace nor a user namespace can be made: run it as root on a machine of your own",
            error,
        )
    })?;
    let write = |file: &str, text: String| {
        std::fs::write(format!("/proc/self/{file}"), text)
            .map_err(|error| LabError::NotHere(format!("the user namespace cannot be set up: {file}: {error}")))
    };
    write("setgroups", "deny".to_owned())?;
    write("uid_map", format!("0 {user} 1"))?;
    write("gid_map", format!("0 {group} 1"))
}

/// Lines for `ip -batch -` that make the near host and the cable. `far` is the network namespace of the far host, as `ip`
/// takes it.
pub fn near_end(far: &str) -> String {
    format!(
        "link set lo up
         addr add 10.1.0.1/24 dev lo
         addr add 10.1.0.2/24 dev lo
         addr add 10.1.0.3/24 dev lo
         addr add fd00:1::1/64 dev lo nodad
         link add near0 type veth peer name far0
         link set far0 netns {far}
         addr add 10.2.0.1/24 dev near0
         link set near0 up
         neigh replace 10.2.0.99 lladdr 02:00:00:00:00:99 dev near0 nud permanent
         route add 10.3.0.0/16 via 10.2.0.99
         route add 10.9.0.0/16 via 10.2.0.2
         addr add fd00:2::1/64 dev near0 nodad"
    )
}

/// The same for the far host, once the cable is there.
pub const FAR_END: &str = "link set lo up
    addr add 10.2.0.2/24 dev far0
    link set far0 up
    route add local 10.9.0.0/16 dev lo
    addr add fd00:2::2/64 dev far0 nodad";

/// The stage, as the process sees it that plays on it.
#[derive(Debug)]
pub struct Stage {
    near: File,
    far: File,
    /// Inodes of the two namespaces.
    own: [u64; 2],
    /// The keys that were set in the near one, each with its former value.
    set: RefCell<Vec<(String, String)>>,
    /// Whether the near one is the machine's.
    is_machine: bool,
    /// What cannot be seen here, and why.
    pub lacks: Option<String>,
}

/// A way into one of the two hosts, for a thread.
#[derive(Debug)]
pub struct Door(File);

impl Door {
    /// Takes the calling thread there for good.
    pub fn enter(&self) -> nix::Result<()> {
        setns(&self.0, CloneFlags::CLONE_NEWNET)
    }
}

impl Stage {
    /// Builds it around the calling process, which the door started and which has one thread yet.
    /// With `host` this host is the machine itself, and the far one a namespace.
    /// `outside` is the mount namespace from which the door came, by its number.
    pub fn build(process: &str, host: bool, outside: u64) -> Result<Self, LabError> {
        // A stage that somebody starts by hand would mount over the machine's /proc.
        if std::process::id() != 1 || outside == 0 || mounts()? == outside {
            return Err(LabError::NotHere("a stage is started by `lab run` only, in namespaces of its own".to_owned()));
        }
        end_with_parent(is_door_there)?;
        let lacks = own_proc().err().map(|error| {
            format!("Processes cannot be named here: /proc of the stage could not be mounted ({}).", error.desc())
        });
        let outside = inode(&namespace()?)?;
        let near = if host { namespace()? } else { fresh()? };
        let far = fresh()?;
        let own = [inode(&near)?, inode(&far)?];
        let is_new = own[0] != outside || host;
        if !is_new || own[1] == outside || own[0] == own[1] {
            return Err(LabError::NotHere(
                "the scratch network namespaces are not new, so they are not used".to_owned(),
            ));
        }
        let stage = Self { near, far, own, set: RefCell::default(), is_machine: host, lacks };
        stage.go(Place::Near)?;
        if let Some(left) = leftovers::dying().filter(|_| host) {
            return Err(LabError::broken("the scenario before this one left something behind", left));
        }
        // What is too long is cut by the kernel; a NUL cannot be in a scenario's text.
        let name = CString::new(process).unwrap_or_default();
        prctl::set_name(&name).map_err(|error| cannot("the process cannot be named", error))?;
        stage.lay_cable()?;
        Ok(stage)
    }

    fn file(&self, place: Place) -> &File {
        match place {
            Place::Near => &self.near,
            Place::Far => &self.far,
        }
    }

    fn go(&self, place: Place) -> Result<(), LabError> {
        setns(self.file(place), CloneFlags::CLONE_NEWNET)
            .map_err(|error| cannot("the way into the stage is lost", error))
    }

    /// Does something in one of the hosts. Sockets that are made there stay there.
    pub fn at<T>(&self, place: Place, act: impl FnOnce() -> T) -> Result<T, LabError> {
        self.go(place)?;
        let done = act();
        self.go(Place::Near)?;
        Ok(done)
    }

    /// For a thread that is to live in one of the hosts.
    pub fn door(&self, place: Place) -> Result<Door, LabError> {
        let file = self.file(place).try_clone();
        file.map(Door).map_err(|error| LabError::broken("the way into the stage", error))
    }

    /// The far host, as `ip` names a network namespace.
    pub fn path_of_far(&self) -> Result<String, LabError> {
        // Where /proc is not the stage's own, it knows this process by another number.
        let me = std::fs::read_link("/proc/self").map_err(|error| LabError::broken("/proc/self", error))?;
        Ok(format!("/proc/{}/fd/{}", me.display(), self.far.as_raw_fd()))
    }

    fn lay_cable(&self) -> Result<(), LabError> {
        self.at(Place::Near, || tools::run(IP, &near_end(&self.path_of_far()?)))??;
        self.at(Place::Far, || tools::run(IP, FAR_END))??;
        self.set(Place::Far, "net.core.somaxconn", "65535")
    }

    /// Sets several keys of a host, in the order of their names.
    pub fn set_all(&self, place: Place, values: &BTreeMap<String, String>) -> Result<(), LabError> {
        values.iter().try_for_each(|(key, value)| self.set(place, key, value))
    }

    /// Sets a key of a host.
    pub fn set(&self, place: Place, key: &str, value: &str) -> Result<(), LabError> {
        let former = self.write(place, key, value)?;
        if place == Place::Near {
            self.set.borrow_mut().push((key.to_owned(), former));
        }
        Ok(())
    }

    /// An error unless this host is a whole machine, for what a namespace does not have of its own.
    pub fn only_on_a_machine(&self, what: &str) -> Result<(), LabError> {
        let error = || LabError::broken(what, "only a machine has this, so the scenario needs `host = true`");
        if self.is_machine { Ok(()) } else { Err(error()) }
    }

    /// How many keys of this host were set until now, for [`Stage::undo_to`].
    pub fn mark(&self) -> usize {
        self.set.borrow().len()
    }

    /// Gives the keys that were set since then their former values, the last one first.
    pub fn undo_to(&self, mark: usize) -> Result<(), LabError> {
        let since = self.set.borrow_mut().split_off(mark);
        since.iter().rev().try_for_each(|(key, former)| self.write(Place::Near, key, former).map(drop))
    }

    /// Writes a key of a host. Returns what it was.
    fn write(&self, place: Place, key: &str, value: &str) -> Result<String, LabError> {
        let known = keys::catalogue().get(key).filter(|known| !known.read_only);
        let is_machine = self.is_machine && place == Place::Near;
        if !known.is_some_and(|known| known.scope == Scope::Namespace || is_machine) {
            return Err(LabError::broken(key, "this is not a key that each network namespace has for itself"));
        }
        let path = format!("/proc/sys/{}", key.replace('.', "/"));
        self.at(place, || {
            if !self.own.contains(&inode(&namespace()?)?) {
                return Err(LabError::broken(key, "this thread is not on the stage, so nothing is written"));
            }
            let failed = |error: std::io::Error| LabError::NotHere(format!("{key} = {value}: {error}"));
            let former = std::fs::read_to_string(&path).map_err(failed)?;
            // A write of no bytes would leave a list as it is.
            std::fs::write(&path, format!("{value}\n")).map_err(failed)?;
            Ok(former.split_whitespace().collect::<Vec<_>>().join(" "))
        })?
    }
}

impl Drop for Stage {
    /// What a namespace takes along when it ends has to be undone on a machine, so that the next scenario finds it as it was.
    fn drop(&mut self) {
        if !self.is_machine {
            return;
        }
        for (key, former) in self.set.take().iter().rev() {
            // A key of a module that is gone by now has no value to return to.
            let _ = self.write(Place::Near, key, former);
        }
        leftovers::end();
        let lines = "link del near0
             addr del 10.1.0.1/24 dev lo
             addr del 10.1.0.2/24 dev lo
             addr del 10.1.0.3/24 dev lo
             addr del fd00:1::1/64 dev lo";
        let _ = tools::run(IP_FORCED, lines);
    }
}

/// A `/proc` that shows the processes of the stage alone, in a mount namespace that is not shared.
fn own_proc() -> nix::Result<()> {
    const NONE: Option<&str> = None;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), flags, NONE)
}

/// A new network namespace, in which the calling thread is from now on.
fn fresh() -> Result<File, LabError> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| cannot("a network namespace cannot be made", error))?;
    namespace()
}

/// The number of the mount namespace that this process is in.
fn mounts() -> Result<u64, LabError> {
    let file = std::fs::metadata("/proc/self/ns/mnt");
    file.map(|file| file.ino()).map_err(|error| LabError::broken("/proc/self/ns/mnt", error))
}

fn namespace() -> Result<File, LabError> {
    File::open(THREAD_NAMESPACE).map_err(|error| LabError::broken(THREAD_NAMESPACE, error))
}

fn inode(namespace: &File) -> Result<u64, LabError> {
    namespace.metadata().map(|file| file.ino()).map_err(|error| LabError::broken(THREAD_NAMESPACE, error))
}

fn cannot(what: &str, error: Errno) -> LabError {
    LabError::NotHere(format!("{what} ({})", error.desc()))
}
