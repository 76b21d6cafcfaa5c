# Bursts come over the cable, and the backlog queue of the CPU is shorter than one of them.
cable
traffic sink 7001
ip -n far link set far0 gso_max_segs 1
far_traffic bursts 10.2.0.1 20 1 1
report healthy
key net.core.netdev_max_backlog 10
report fault
follow
report followed
