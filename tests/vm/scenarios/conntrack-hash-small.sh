# The limit was raised and the hash table was not: first the numbers alone, then long chains, then chains that are too long.
track
nowhere
key net.netfilter.nf_conntrack_max 60000
key net.netfilter.nf_conntrack_buckets 512
report limit
traffic udp-flows 10.8.0.2 20000 1000
report fault
follow
report followed
