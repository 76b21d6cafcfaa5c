//! Trees of groups as files: which limits are found, whose they are, and what a tree that cannot be read leaves.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use proptest::prelude::*;

use super::*;

/// A tree in which `memory` is counted.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        tree.write("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn group(&self, path: &str, limit: &str, sock: u64, processes: &[u32]) {
        let folder = format!("sys/fs/cgroup{path}");
        self.write(&format!("{folder}/memory.stat"), &format!("anon 1\nsock {sock}\nsock_other 7\n"));
        self.write(&format!("{folder}/memory.current"), "9000000\n");
        self.write(&format!("{folder}/memory.events.local"), "low 0\nhigh 0\nmax 17\noom 1\noom_kill 0\n");
        self.write(
            &format!("{folder}/cgroup.procs"),
            &processes.iter().map(|pid| format!("{pid}\n")).collect::<String>(),
        );
        if !path.is_empty() {
            self.write(&format!("{folder}/memory.max"), limit);
        }
    }

    fn process(&self, number: u32, name: &str, namespace: &str) {
        self.write(&format!("proc/{number}/comm"), &format!("{name}\n"));
        fs::create_dir_all(self.0.path().join(format!("proc/{number}/ns"))).unwrap();
        symlink(namespace, self.0.path().join(format!("proc/{number}/ns/net"))).unwrap();
    }

    fn read(&self) -> (Option<Vec<Placed>>, Vec<Gap>) {
        read(&Host::recorded(self.0.path()))
    }

    fn paths(&self) -> Vec<String> {
        self.read().0.unwrap().into_iter().map(|placed| placed.cgroup.path).collect()
    }
}

const MIB: u64 = 1 << 20;

#[test]
fn a_container_with_a_limit_is_found_below_groups_without_one_with_the_namespace_of_its_processes() {
    let tree = Tree::new();
    tree.group("", "", 40 * MIB, &[1]);
    tree.group("/system.slice", "max\n", 40 * MIB, &[]);
    tree.group("/system.slice/web.scope", "67108864\n", 30 * MIB, &[12, 11, 13]);
    tree.group("/system.slice/idle.service", "67108864\n", LEAST - 1, &[20]);
    tree.process(11, "nginx", "net:[7]");
    tree.process(12, "nginx", "net:[7]");
    tree.process(13, "pause", "net:[8]");
    let (found, gaps) = tree.read();
    assert_eq!(gaps, []);
    let [Placed { namespace, cgroup }] = &found.unwrap()[..] else { panic!("one limit") };
    assert_eq!((namespace.as_str(), cgroup.owner.as_str()), ("net:[7]", "nginx (pid 11)"));
    assert_eq!((cgroup.path.as_str(), cgroup.limit, cgroup.sock), ("/system.slice/web.scope", 64 * MIB, 30 * MIB));
    assert_eq!((cgroup.memory, cgroup.events["max"], cgroup.events["oom"]), (Some(9_000_000), 17, 1));
}

#[test]
fn of_two_limits_for_the_same_sockets_the_nearer_one_is_told() {
    let tree = Tree::new();
    tree.group("", "", 40 * MIB, &[]);
    tree.group("/pod", &(64 * MIB).to_string(), 40 * MIB, &[]);
    tree.group("/pod/one", &(128 * MIB).to_string(), 20 * MIB, &[11]);
    tree.process(11, "one", "net:[7]");
    assert_eq!(tree.paths(), ["/pod"], "the pod comes to its limit first");
    tree.group("/pod/one", &(24 * MIB).to_string(), 20 * MIB, &[11]);
    assert_eq!(tree.paths(), ["/pod/one"]);
}

#[test]
fn processes_below_a_group_that_counts_no_memory_are_those_of_the_limit_above() {
    let tree = Tree::new();
    tree.group("", "", 40 * MIB, &[]);
    tree.group("/app.service", &(64 * MIB).to_string(), 40 * MIB, &[]);
    tree.write("sys/fs/cgroup/app.service/worker/cgroup.procs", "11\n0\n");
    tree.process(11, "worker", "net:[7]");
    let found = tree.read().0.unwrap();
    assert_eq!(found[0].cgroup.owner, "worker (pid 11)");
}

#[test]
fn where_sockets_do_not_count_against_limits_there_is_nothing_to_find_and_nothing_missing() {
    let v1 = Tree(tempfile::tempdir().unwrap());
    v1.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "1\n");
    assert_eq!(v1.read(), (Some(Vec::new()), Vec::new()));
    let without = Tree::new();
    without.write("sys/fs/cgroup/cgroup.controllers", "cpu pids\n");
    without.group("/box", &(64 * MIB).to_string(), 40 * MIB, &[]);
    assert_eq!(without.read(), (Some(Vec::new()), Vec::new()));
}

#[test]
fn hidden_processes_are_a_gap_and_so_is_a_missing_tree() {
    let tree = Tree::new();
    tree.group("", "", 40 * MIB, &[]);
    tree.group("/box", &(64 * MIB).to_string(), 40 * MIB, &[0, 4711]);
    let (found, gaps) = tree.read();
    assert_eq!((found, gaps[0].what.as_str()), (Some(Vec::new()), "cgroup.unplaced"));

    let (found, gaps) = read(&Host::recorded(Path::new("/nonexistent")));
    assert!(found.is_none() && gaps[0].why.contains("cgroup.controllers"), "{gaps:?}");
}

#[test]
fn a_tree_of_many_groups_is_not_walked_to_its_end() {
    let tree = Tree::new();
    tree.group("", "", 40 * MIB, &[]);
    for number in 0..CGROUPS_READ + 10 {
        tree.write(&format!("sys/fs/cgroup/g{number}/memory.stat"), "sock 1000000\n");
    }
    let (found, gaps) = tree.read();
    assert_eq!(found, Some(Vec::new()));
    assert!(gaps[0].why.starts_with("11 more"), "{gaps:?}");
}

proptest! {
    #[test]
    fn no_text_of_the_kernel_panics(text in "\\PC{0,200}", name in "[a-z_ ]{0,8}") {
        let _ = (numbers(&text), number_of(&text, &name), numbers(&format!("{name} {text}\n")));
    }
}
