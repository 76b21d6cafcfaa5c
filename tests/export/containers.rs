//! Containers whose own network namespace gets the keys: Podman by its options, systemd-nspawn by its drop-in.

use crate::place::{Place, needs};

/// A root file system with the machine's `/usr`, and folders for the state of both programs that are the place's own.
const ROOT: &str = "mount -t tmpfs none /run && mount -t tmpfs none /dev/shm && mount -t cgroup2 none /sys/fs/cgroup
    mkdir -p root && cd root && mkdir dev etc proc run sys tmp usr var && ln -s usr/bin usr/lib usr/lib64 .";
const PODMAN: &str = "podman --root $W/storage --runroot $W/runroot --tmpdir $W/tmp --storage-driver vfs \
    --cgroup-manager cgroupfs --events-backend file run --rm --cgroups disabled --network none \
    --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --volume /usr:/usr:ro";

/// A line that prints each key of the plan, from inside; and what it prints when each is as the plan proposes.
fn read(plan: &[(String, String)]) -> (String, String) {
    let keys: Vec<&str> = plan.iter().map(|(key, _)| key.as_str()).collect();
    let values = plan.iter().map(|(key, value)| format!("{key} = {value}\n"));
    (format!("/usr/sbin/sysctl {}", keys.join(" ")), values.collect())
}

#[test]
fn podman_starts_a_container_that_has_the_values() {
    needs("podman", "podman");
    needs("crun", "crun");
    let place = Place::new();
    let plan = place.plan();
    place.ok(ROOT);
    place.ok("sysctl-advisor export podman plan.json -o sysctls.sh");
    let (command, expected) = read(&plan);
    let inside = place.ok(&format!(". ./sysctls.sh; {PODMAN} \"$@\" --rootfs \"$W/root\" {command}"));
    assert_eq!(inside.replace('\t', " "), expected);
    place.assert_untouched();
    // Why a key of the machine is left out.
    let refused = place.sh(&format!("{PODMAN} --sysctl net.ipv4.tcp_mem='1 2 3' --rootfs \"$W/root\" /usr/bin/true"));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("tcp_mem"), "{said}");
}

#[test]
fn systemd_sysctl_loads_the_drop_in_in_a_container_of_nspawn() {
    needs("systemd-nspawn", "systemd-container");
    let place = Place::new();
    let plan = place.plan();
    place.ok(ROOT);
    place.ok("sysctl-advisor export systemd-nspawn plan.json -o root");
    let (command, expected) = read(&plan);
    let inside = place.ok(&format!(
        "systemd-nspawn --quiet --register=no --keep-unit --private-network --directory=root --bind-ro=/usr --as-pid2 \
         /usr/bin/sh -ec '/usr/lib/systemd/systemd-sysctl; {command}'"
    ));
    assert_eq!(inside.replace(['\t', '\r'], " ").replace(" \n", "\n"), expected);
    place.assert_untouched();
}
