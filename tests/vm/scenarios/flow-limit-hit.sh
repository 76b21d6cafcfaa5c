# Bursts of one flow fill the backlog queue of a CPU by more than half, and somebody has switched the flow limit on.
cable
traffic sink 7001
ip -n far link set far0 gso_max_segs 1
key net.core.netdev_max_backlog 50
far_traffic bursts 10.2.0.1 20 1 1
report without-limit
key net.core.flow_limit_cpu_bitmap 2
report fault
key net.core.flow_limit_cpu_bitmap 0
report followed
