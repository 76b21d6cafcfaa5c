# The way back takes 2 ms, and again and again half a second at once: timeouts come too early, and nothing is lost.
cable
far_traffic tcp-drains 8000
ip netns exec far tc qdisc add dev far0 root netem delay 2ms
traffic tcp-sends 10.2.0.2 8000 60 2000 10
sleep 1.5
report healthy --window 2s
(
    while true; do
        ip netns exec far tc qdisc change dev far0 root netem delay 2ms slot 500ms 500ms
        sleep 0.5
        ip netns exec far tc qdisc change dev far0 root netem delay 2ms slot 0ms 0ms
        sleep 1.5
    done
) &
report fault --window 12s
