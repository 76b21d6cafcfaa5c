# What the scenarios are written with. It is read before each of them, in a shell that ends at the first error.

program=/test/sysctl-advisor

# key NAME VALUE...: sets a sysctl, and makes sure that the kernel took it.
key() {
    local file=/proc/sys/$(echo "$1" | tr . /) name=$1
    shift
    echo "$*" >"$file"
    [ "$(tr '\t' ' ' <"$file")" = "$*" ] || { echo "$name is $(cat "$file"), not $*"; return 1; }
    echo "$name = $*"
}

# report STEP [OPTION...]: what an audit finds now, for the host to judge.
report() {
    local step=$1 status=0
    shift
    case "$*" in *--window*) ;; *) set -- "$@" --window 1s ;; esac
    "$program" audit --format json "$@" >report.json 2>errors || status=$?
    case $status in 0|10) ;; *) cat errors; return 1 ;; esac
    { printf '{"scenario":"%s","step":"%s","report":' "$SCENARIO" "$step"; cat report.json; echo '}'; } >report.line
    cat report.line >&3
    echo "reported $step"
}

# follow [WINDOW]: does what the audit advises, as an administrator does: plan, apply.
follow() {
    rm -rf state plan.json
    "$program" plan --window "${1:-1s}" --state-dir state -o plan.json >planned 2>&1 || { cat planned; return 1; }
    "$program" apply plan.json --yes --window 0 --state-dir state >applied 2>&1 || { cat planned applied; return 1; }
    cat applied
}

# back: rolls back what `follow` applied.
back() {
    "$program" rollback --last --yes --state-dir state >rolled 2>&1 || { cat rolled; return 1; }
}

# load NAME ARGUMENT...: one that ends by itself, and must succeed.
load() {
    python3 -I -S /test/guest/traffic.py "$@"
}

# traffic NAME ARGUMENT...: starts a load and waits until it says that it stands. It lasts until `hush`.
traffic() {
    start python3 -I -S /test/guest/traffic.py "$@"
}

# The same in the namespace at the other end of the cable.
far_traffic() {
    start ip netns exec far python3 -I -S /test/guest/traffic.py "$@"
}

start() {
    : >ready
    "$@" >ready &
    loads="${loads:-} $!"
    wait_for grep -q ready ready
}

# in_far COMMAND...: a command of this library in that namespace.
in_far() {
    ip netns exec far sh -eu -c '. /test/guest/library.sh; "$@"' sh "$@"
}

# Ends every load that was started.
hush() {
    for load in ${loads:-}; do kill -9 "$load" 2>/dev/null || true; wait "$load" 2>/dev/null || true; done
    loads=
}

# wait_for COMMAND...: until it succeeds.
wait_for() {
    local tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || { echo "never came true: $*"; return 1; }
        sleep 0.1
    done
}

# A cable to another host: near0 10.2.0.1 here; far0 10.2.0.2, and all of 10.9.0.0/16, there.
cable() {
    ip netns add far
    ip link add near0 type veth peer name far0 netns far
    ip addr add 10.2.0.1/24 dev near0
    ip link set near0 up
    ip -n far link set lo up
    ip -n far addr add 10.2.0.2/24 dev far0
    ip -n far link set far0 up
    ip -n far route add local 10.9.0.0/16 dev lo
    ip route add 10.9.0.0/16 dev near0
}

# A firewall that looks at the state of packets: from now on the kernel tracks connections.
track() {
    nft -f - <<'NFT'
table inet test {
    chain out {
        type filter hook output priority 0
        ct state new counter
    }
}
NFT
}

# A network in which every packet disappears: 10.8.0.0/16.
nowhere() {
    ip link add nowhere type dummy
    ip addr add 10.8.0.1/16 dev nowhere
    ip link set nowhere up
}

# Datagrams from the cable end before any socket.
drop_datagrams() {
    nft -f - <<'NFT'
table inet test {
    chain in {
        type filter hook prerouting priority -300
        iifname "near0" meta l4proto udp drop
    }
}
NFT
}
