# One limit of each table was raised and the others were forgotten.
key net.ipv4.neigh.default.gc_thresh1 4096
report ipv4
follow
key net.ipv6.neigh.default.gc_thresh2 8192
report ipv6
follow
report followed
