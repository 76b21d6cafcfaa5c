# A program talks to 90 hosts of the local network, and the table has room for 64.
cable
key net.ipv4.neigh.default.gc_thresh1 16
key net.ipv4.neigh.default.gc_thresh2 32
key net.ipv4.neigh.default.gc_thresh3 64
traffic udp-hosts 10.9.2 40 200
report healthy
hush
traffic udp-hosts 10.9.2 90 200
report fault
follow
report followed
