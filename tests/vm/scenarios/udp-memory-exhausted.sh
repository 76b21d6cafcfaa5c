# A program does not read its socket, and the limit of the machine is small. The first number of udp_mem is the limit.
key net.ipv4.udp_mem 2048 4096 8192
traffic udp-unread 1800 20
report half-full
hush
traffic udp-unread 5000 200
report fault
follow
hush
traffic udp-unread 5000 200
report followed
hush
back
