# Datagrams to 1,200 ports, which nobody answers: 60 % of the entries are healthy, 80 % are not.
track
nowhere
key net.netfilter.nf_conntrack_max 2000
traffic udp-flows 10.8.0.2 1200 400
report sixty-percent
key net.netfilter.nf_conntrack_max 1500
report fault
follow
report followed
