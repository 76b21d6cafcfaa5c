# Sysctls that no namespace has of its own, with the numbers of old guides: tcp-mem-too-large, tcp-mem-malformed,
# receive-budget-huge, receive-backlog-huge, busy-polling-long, datagram-buffers-huge, max-orphans-not-positive.
key net.ipv4.tcp_mem 16777216 16777216 16777216
key net.core.netdev_budget 50000
key net.core.netdev_max_backlog 250000
key net.core.busy_poll 1000
key net.core.rmem_default 16777216
key net.ipv4.tcp_max_orphans 0
report guides
follow
key net.ipv4.tcp_mem 16000 12000 8000
report malformed
follow
report followed
