# All packets are processed by the CPU that sends them, in rounds that are too short; then RPS spreads them.
cable
ip -n far link set far0 gso_max_segs 1
drop_datagrams
far_traffic bursts 10.2.0.1 150 16 1
report keeps-up --window 3s
key net.core.netdev_budget 32
report fault --window 3s
echo f >/sys/class/net/near0/queues/rx-0/rps_cpus
report followed --window 3s
