# NAT has one port for all connections to a server: two connections want the same entry.
nowhere
translate() {
    nft -f - <<NFT
table ip translate
delete table ip translate
table ip translate {
    chain out {
        type nat hook postrouting priority 100
        ip daddr 10.8.0.2 tcp dport 80 $1
    }
}
NFT
}
translate "snat to 10.8.0.1:5000"
traffic tcp-knocks 10.8.0.2 80 50
report fault
translate "masquerade fully-random"
report followed
