# Two hundred entries are connections that stand; a hundred others want to begin, and nobody answers them. Then the same in
# a container: it has its own entries, and the limit is the machine's.
track
key net.netfilter.nf_conntrack_max 200
traffic tcp-held 127.0.0.1 200
traffic udp-flows 127.0.0.1 100 100
report fault
follow
wait_for sh -c "[ \$(cat /proc/sys/net/netfilter/nf_conntrack_count) -ge 300 ]"
report followed
hush

key net.netfilter.nf_conntrack_max 200
cable
in_far track
in_far nowhere
far_traffic udp-flows 10.8.0.2 300 100
report container --netns far
key net.netfilter.nf_conntrack_max 1000
report container-followed --netns far
