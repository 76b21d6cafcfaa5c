# Programs do not read, with the limits that the kernel chose: data in queues grows to 85 % of where it begins to shrink buffers.
set -- $(cat /proc/sys/net/ipv4/tcp_mem)
traffic tcp-unread 60 $(($2 / 2))
report half
hush
traffic tcp-unread 60 $(($2 * 85 / 100))
report fault
key net.ipv4.tcp_mem $(($1 * 2)) $(($2 * 2)) $(($3 * 2))
report followed
