# Two hundred entries are connections that stand; a hundred others want to begin, and nobody answers them.
track
key net.netfilter.nf_conntrack_max 200
traffic tcp-held 127.0.0.1 200
traffic udp-flows 127.0.0.1 100 100
report fault
follow
wait_for sh -c "[ \$(cat /proc/sys/net/netfilter/nf_conntrack_count) -ge 300 ]"
report followed
