# The table has 80 to 95 of 100 entries, and each second another host wants one: it is cleaned by force again and again.
cable
key net.ipv4.neigh.default.gc_thresh1 16
key net.ipv4.neigh.default.gc_thresh2 32
key net.ipv4.neigh.default.gc_thresh3 100
traffic udp-hosts 10.9.1 78 200 1
report fault --window 6s
follow 6s
report followed --window 6s
