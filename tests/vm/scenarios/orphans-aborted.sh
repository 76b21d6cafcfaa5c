# A program closes connections whose peer does not read, with data on the way: more of them than the machine allows. The
# kernel resets the excess at once, and others when their timers expire, so for a moment there may be fewer than allowed.
cable
far_traffic tcp-accepts 8000 4096
key net.ipv4.tcp_max_orphans 20
traffic orphans 10.2.0.2 8000 900 40
report fault --window 4s
follow
report followed --window 2s
