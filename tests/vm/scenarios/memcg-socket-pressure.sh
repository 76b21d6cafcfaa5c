# A container of 40 MiB. Its program reads, then one does not read: the buffers of its sockets take a third of the memory. Then it reads a
# file as well, and the group is at its limit.
cable
group=/sys/fs/cgroup/box
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir "$group"
echo 40M >"$group/memory.max"
boxed() {
    start sh -c "echo \$\$ >$group/cgroup.procs; exec python3 -I -S /test/guest/traffic.py $*"
}
boxed tcp-drains 8001
far_traffic tcp-sends 10.2.0.1 8001 40 4000 10
report healthy --window 2s
hush
boxed tcp-accepts 8002 200000
far_traffic tcp-sends 10.2.0.1 8002 60 20000 20
wait_for sh -c "[ \$(sed -n 's/^sock //p' $group/memory.stat) -gt 11500000 ]"
report large --window 2s
echo 1 >/proc/sys/vm/drop_caches
start sh -c "echo \$\$ >$group/cgroup.procs; echo ready; while :; do cat /dev/vda >/dev/null; done"
report at-limit --window 4s
echo max >"$group/memory.max"
report followed --window 2s
hush
wait_for rmdir "$group"
