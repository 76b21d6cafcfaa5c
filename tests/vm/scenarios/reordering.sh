# One packet in ten overtakes the others on the way there.
cable
far_traffic tcp-drains 8000
ip link set near0 gso_max_segs 1
tc qdisc add dev near0 root netem delay 20ms
traffic tcp-sends 10.2.0.2 8000 5 20000 20
sleep 1
report healthy --window 3s
tc qdisc change dev near0 root netem delay 20ms reorder 10%
report fault --window 3s
