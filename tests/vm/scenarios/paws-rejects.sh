# A device on the way sets the timestamp of one segment in ten to that of another clock.
cable
ip netns exec far sysctl -q -w net.ipv4.tcp_timestamps=2
traffic tcp-drains 8000
far_traffic tcp-sends 10.2.0.1 8000 10 3000 20
report healthy --window 2s
nft -f - <<'NFT'
table inet test {
    chain in {
        type filter hook prerouting priority -150
        tcp dport 8000 numgen random mod 10 == 0 tcp option timestamp tsval set 1
    }
}
NFT
report fault --window 2s
