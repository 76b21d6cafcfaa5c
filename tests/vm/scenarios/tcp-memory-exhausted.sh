# Programs do not read: the kernel shrinks buffers, then it refuses them. Between the two the programs end, and a longer look
# sees a peak.
set -- $(cat /proc/sys/net/ipv4/tcp_mem)
traffic tcp-unread 60 $(($2 + 500))
report pressure
hush
report peak --window 8s &
peak=$!
sleep 2
traffic tcp-unread 60 $(($2 + 500))
hush
wait "$peak"
traffic tcp-unread 100 $(($3 * 2))
report fault
