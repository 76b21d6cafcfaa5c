# TCP may have no more memory, and segments arrive for others.
set -- $(cat /proc/sys/net/ipv4/tcp_mem)
traffic tcp-unread 100 $(($3 * 2))
traffic tcp-sends 127.0.0.1 8001 40 8000 10
report fault --window 4s
