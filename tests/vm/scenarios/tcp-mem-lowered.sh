# The numbers of a smaller machine.
key net.ipv4.tcp_mem 2400 3200 4800
report unused
traffic tcp-unread 20 2000
report used
follow
report followed
