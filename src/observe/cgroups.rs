//! Control groups with a memory limit, and what their sockets hold of it.
//!
//! In: the tree of cgroup v2, `/proc/PID`. Out: a [`Cgroup`] for each limit that much memory of sockets counts for, with the network
//! namespace of its processes. Must not: judge; walk into groups whose sockets hold nearly nothing, which are nearly all.
//!
//! The kernel charges the buffers of TCP and UDP sockets to the group of the process that made or accepted them, and to all groups
//! above it (`mem_cgroup_charge_skmem`). `sock` in `memory.stat` has the sum of a group and those below it.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::observe::gap::Gap;

/// How many a snapshot keeps of the machine.
pub const CGROUPS_KEPT: usize = 256;
/// How many groups are looked at, and how deep.
const CGROUPS_READ: usize = 1024;
const DEEPEST: usize = 32;
/// Memory of sockets below which a group is of no interest.
const LEAST: u64 = 256 << 10;
/// Processes of a group whose network namespace is looked up.
const PROCESSES_READ: usize = 64;

const ROOT: &str = "/sys/fs/cgroup";

/// One group with a limit of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cgroup {
    /// Below the root of the tree that this program sees.
    pub path: String,
    /// `memory.max`; bytes, like the other two.
    pub limit: u64,
    /// `memory.current`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// `sock` in `memory.stat`, with the groups below it.
    pub sock: u64,
    /// `memory.events.local`; of an older kernel `memory.events`, which counts what happened in the groups below it too.
    pub events: BTreeMap<String, u64>,
    /// One of its processes: `nginx (pid 12)`.
    pub owner: String,
}

/// A group, and the network namespace that most of its processes are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub namespace: String,
    pub cgroup: Cgroup,
}

impl Placed {
    /// Those of one namespace of the running system; a recorded tree has only one.
    pub fn of(all: &[Self], host: &Host, namespace: &str) -> Vec<Cgroup> {
        let is_here = |placed: &&Self| !host.is_live() || placed.namespace == namespace;
        all.iter().filter(is_here).map(|placed| placed.cgroup.clone()).collect()
    }
}

/// Those of the machine, the one whose sockets hold the largest share of its limit first; none where sockets do not count
/// against such limits. `None` where that is not known.
pub fn read(host: &Host) -> (Option<Vec<Placed>>, Vec<Gap>) {
    match charges_sockets(host) {
        Ok(true) => {}
        Ok(false) => return (Some(Vec::new()), Vec::new()),
        Err(why) => return (None, vec![gap("cgroup", why)]),
    }
    let mut walk = Walk { host, looked_at: 0, refused: 0, left_out: 0, found: Vec::new() };
    walk.visit("", 0);
    let Walk { refused, left_out, found, .. } = walk;
    let mut unplaced = 0;
    let mut placed = Vec::new();
    for Found { mut cgroup, processes } in nearest(found) {
        match namespace_of(host, &processes) {
            Some((namespace, owner)) => {
                cgroup.owner = owner;
                placed.push(Placed { namespace, cgroup });
            }
            None => unplaced += 1,
        }
    }
    placed.sort_by(|one, other| other.cgroup.share().total_cmp(&one.cgroup.share()));
    let more = left_out + placed.len().saturating_sub(CGROUPS_KEPT);
    placed.truncate(CGROUPS_KEPT);
    let gaps = [
        (refused, "cgroup.refused", "control groups may not be read"),
        (unplaced, "cgroup.unplaced", "control groups have no process whose network namespace can be seen"),
        (more, "cgroup.others", "more control groups were not looked at"),
    ];
    let gaps = gaps.into_iter().filter(|(count, ..)| *count > 0);
    (Some(placed), gaps.map(|(count, what, why)| gap(what, format!("{count} {why}"))).collect())
}

/// Whether sockets count against the memory limits of groups, as the memory controller of cgroup v2 does it. That of v1 does
/// not, unless somebody sets a limit for sockets alone.
fn charges_sockets(host: &Host) -> Result<bool, String> {
    match host.read_text(&format!("{ROOT}/cgroup.controllers")) {
        Ok(controllers) => Ok(controllers.split_whitespace().any(|name| name == "memory")),
        Err(_) if host.list(&format!("{ROOT}/memory")).is_ok() => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

/// A group with a limit, and processes in it or below.
struct Found {
    cgroup: Cgroup,
    processes: Vec<u32>,
}

struct Walk<'a> {
    host: &'a Host,
    looked_at: usize,
    refused: usize,
    left_out: usize,
    found: Vec<Found>,
}

impl Walk<'_> {
    /// Looks at a group and, if its sockets hold memory or nobody counts it, at those below. The processes that were seen.
    fn visit(&mut self, path: &str, depth: usize) -> Vec<u32> {
        let sock = match self.host.read_text(&format!("{ROOT}{path}/memory.stat")) {
            Ok(text) => number_of(&text, "sock").unwrap_or(0),
            // A group without the controller counts for the one above it. The root of an older kernel is one.
            Err(error) if error.kind == ErrorKind::NotFound => LEAST,
            // A file beside the groups.
            Err(error) if error.kind == ErrorKind::NotADirectory => return Vec::new(),
            Err(_) => {
                self.refused += 1;
                return Vec::new();
            }
        };
        if sock < LEAST {
            return Vec::new();
        }
        if self.looked_at == CGROUPS_READ || depth == DEEPEST {
            self.left_out += 1;
            return Vec::new();
        }
        self.looked_at += 1;
        let mut processes = self.processes(path);
        for name in self.host.list(&format!("{ROOT}{path}")).unwrap_or_default() {
            processes.extend(self.visit(&format!("{path}/{name}"), depth + 1));
            processes.truncate(PROCESSES_READ);
        }
        let cgroup = self.limited(path, sock);
        self.found.extend(cgroup.map(|cgroup| Found { cgroup, processes: processes.clone() }));
        processes
    }

    fn processes(&self, path: &str) -> Vec<u32> {
        let text = self.host.read_text(&format!("{ROOT}{path}/cgroup.procs")).unwrap_or_default();
        // One of another PID namespace is shown as 0.
        let numbers = text.lines().filter_map(|line| line.parse().ok()).filter(|number| *number != 0);
        numbers.take(PROCESSES_READ).collect()
    }

    /// `None` for a group without a limit of its own.
    fn limited(&self, path: &str, sock: u64) -> Option<Cgroup> {
        let text = |file: &str| self.host.read_text(&format!("{ROOT}{path}/{file}")).ok();
        let limit = text("memory.max")?.trim().parse().ok()?;
        let memory = text("memory.current").and_then(|text| text.trim().parse().ok());
        let events = text("memory.events.local").or_else(|| text("memory.events")).unwrap_or_default();
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        Some(Cgroup { path, limit, memory, sock, events: numbers(&events), owner: String::new() })
    }
}

impl Cgroup {
    fn share(&self) -> f64 {
        self.sock as f64 / self.limit.max(1) as f64
    }

    fn is_above(&self, other: &Self) -> bool {
        let rest = if self.path == "/" { Some(other.path.as_str()) } else { other.path.strip_prefix(&self.path) };
        self.path != other.path && rest.is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Of limits that count the same sockets, the one that is reached first: without groups that one below them comes before, then
/// without those below a group that is left.
fn nearest(mut found: Vec<Found>) -> Vec<Found> {
    let groups = |found: &[Found]| found.iter().map(|found| found.cgroup.clone()).collect::<Vec<_>>();
    let all = groups(&found);
    let comes_later = |group: &Cgroup| all.iter().any(|other| group.is_above(other) && other.share() >= group.share());
    found.retain(|found| !comes_later(&found.cgroup));
    let left = groups(&found);
    found.retain(|found| !left.iter().any(|other| other.is_above(&found.cgroup)));
    found
}

/// The network namespace of most of these processes, and the one with the lowest number there.
fn namespace_of(host: &Host, processes: &[u32]) -> Option<(String, String)> {
    let mut namespaces: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for process in processes {
        if let Ok(namespace) = host.read_link(&format!("/proc/{process}/ns/net")) {
            namespaces.entry(namespace).or_default().push(*process);
        }
    }
    let (namespace, processes) = namespaces.into_iter().max_by_key(|(_, processes)| processes.len())?;
    let first = processes.into_iter().min()?;
    let name = host.read_text(&format!("/proc/{first}/comm")).unwrap_or_default();
    Some((namespace, format!("{} (pid {first})", name.trim_end())))
}

/// Lines of a name and a number.
fn numbers(text: &str) -> BTreeMap<String, u64> {
    let line = |line: &str| {
        let (name, number) = line.split_once(' ')?;
        Some((name.to_owned(), number.parse().ok()?))
    };
    // The kernel has less than ten; a recorded tree may have anything.
    text.lines().take(64).filter_map(line).collect()
}

fn number_of(text: &str, wanted: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(wanted)?.strip_prefix(' ')?.parse().ok())
}

fn gap(what: &str, why: String) -> Gap {
    Gap { what: what.to_owned(), why }
}

#[cfg(test)]
mod tests;
