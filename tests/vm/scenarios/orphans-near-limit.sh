# Orphans whose peer does not read: more than a quarter of the limit, from which on the kernel may reset some.
cable
far_traffic tcp-accepts 8000 4096
key net.ipv4.tcp_max_orphans 1100
traffic orphans 10.2.0.2 8000 300 300
report fault
follow
report followed
