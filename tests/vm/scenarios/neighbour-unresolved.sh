# A program tries hosts of the local network that do not exist; then it sends a lot to one of them.
cable
ip route add 10.7.0.0/16 dev near0
traffic udp-hosts 10.7.1 100 200
sleep 4
report failed --window 2s
hush
traffic udp-hosts 10.7.2 1 1000
sleep 1
report dropped --window 2s
hush
