# Sourced after common.sh: an origin in one network namespace, edges there or behind a long link in another. Needs root.
# BENCH_TUNLINK names a script that joins two namespaces: `tunlink.py NS_A NS_B --delay-ms N` gives them 10.99.0.1 and
# 10.99.0.2, says `up`, and cuts or restores the link at SIGUSR1. BENCH_DELAY_MS is its delay in each direction.
# shellcheck shell=bash

tunlink=${BENCH_TUNLINK:?set it to the script that joins two network namespaces}
delay=${BENCH_DELAY_MS:-40}
[ "$(id -u)" = 0 ] || fail "network namespaces need root"
near=lsnear$$ far=lsfar$$

leave() {
    tidy_up
    ip netns del $near 2>/dev/null || true
    ip netns del $far 2>/dev/null || true
}
trap leave EXIT

cable() { # NAMESPACE NUMBER
    ip netns add "$1"
    ip link add "ls$2$$" type veth peer name eth0 netns "$1"
    ip addr add "10.98.$2.1/24" dev "ls$2$$"
    ip link set "ls$2$$" up
    ip -n "$1" addr add "10.98.$2.2/24" dev eth0
    ip -n "$1" link set eth0 up
    ip -n "$1" link set lo up
}

# We stand outside, with a cable into each namespace that is never cut; the origin is 10.98.1.2, what is far 10.98.2.2.
far_origin() {
    cable $near 1
    cable $far 2
    start link python3 -u "$tunlink" $near $far --delay-ms "$delay"
    for _ in $(seq 50); do grep -q up "$work/link.log" && break || sleep 0.1; done
    cat >"$work/serve-origin" <<END
#!/bin/sh
exec ip netns exec $near "$bin/longshore-origin" serve --data "$work/origin" --address 0.0.0.0:28080 \\
    --management-address 0.0.0.0:29080 --public-url http://10.98.1.2:28080 --log-level notice
END
    chmod +x "$work/serve-origin"
    start origin "$work/serve-origin"
    ready http://10.98.1.2:29080 origin
    # A TCP connection takes one round trip.
    rtt=$(ip netns exec $far curl -s -o /dev/null --max-time 5 -w '%{time_connect}' http://10.99.0.1:29080/healthz) ||
        fail "the link does not work"
    origin repository create main >/dev/null
}

edge() { # NAME NAMESPACE ORIGIN OUTSIDE FLAG...
    [ -e "$work/$1.credential" ] || origin edge create "$1" >"$work/$1.credential"
    start "$1" ip netns exec "$2" "$bin/longshore-edge" serve --name "$1" --data "$work/edge-$1" --origin-url "$3" \
        --credential-file "$work/$1.credential" --address 0.0.0.0:28081 --management-address 0.0.0.0:29081 \
        --public-url "http://$4:28081" "${@:5}"
    ready "http://$4:29081" "$1"
}
