# Sourced by measure-peers after common.sh: the peers and our own servers, each pinned to the server's core.
# All live below "$work" and are ended by pid when the script ends.
# shellcheck shell=bash
# shellcheck disable=SC2154 # $work, $bin and $root come from common.sh and measure-peers

server_core=${BENCH_SERVER_CORE:-0}
client_core=${BENCH_CLIENT_CORE:-1}

# Ports, by server: the plain one and that for TLS; 0 where it has none.
declare -A plain_port=([edge]=22012 [nginx]=22020 [proxy]=22022 [varnish]=22024 [trafficserver]=22026)
declare -A tls_port=([edge]=22010 [nginx]=22021 [proxy]=22023 [varnish]=0 [trafficserver]=22027)

# Peers run as a user without rights, also if root measures.
peer_user=$(id -un)
drop=()
if [ "$(id -u)" = 0 ]; then
    peer_user=nobody
    drop=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
fi

make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout "$work/key.pem" \
        -out "$work/cert.pem" -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost 2>/dev/null
    chmod 644 "$work/cert.pem"
    [ "$(id -u)" != 0 ] || { install -o nobody -m 600 "$work/key.pem" "$work/peer-key.pem"; }
    [ -e "$work/peer-key.pem" ] || cp "$work/key.pem" "$work/peer-key.pem"
}

# fill TEMPLATE FILE NAME: puts this run's places into a configuration.
fill() {
    sed -e "s|@STATE@|$work/$3|g" -e "s|@ROOT@|$root|g" -e "s|@USER@|$peer_user|g" -e "s|@CERTIFICATE@|$work/cert.pem|g" \
        -e "s|@KEY@|$work/peer-key.pem|g" -e "s|@PORT@|${plain_port[$3]}|g" -e "s|@TLS_PORT@|${tls_port[$3]}|g" \
        -e "s|@UPSTREAM_PORT@|${plain_port[nginx]}|g" "$1" >"$2"
    chmod 644 "$2"
}

own() { # FOLDER...: the peer's own
    mkdir -p "$@"
    chmod 755 "$@"
    [ "$(id -u)" != 0 ] || chown "$peer_user" "$@"
}

# listening NAME: until its plain port answers; ten seconds at most.
listening() {
    for _ in $(seq 100); do
        kill -0 "$(cat "$work/$1.pid")" 2>/dev/null || break
        [ "$(curl -s -o /dev/null --max-time 2 -w '%{http_code}' "http://127.0.0.1:${plain_port[$1]}/main/index/config.json")" = 200 ] && return
        sleep 0.1
    done
    tail -n 20 "$work/$1.log" "$work/$1"/*.log "$work/$1"/log/* >&2 2>/dev/null || true
    fail "$1 does not answer"
}

start_nginx() { # nginx|proxy TEMPLATE
    own "$work/$1"
    fill "loadtests/peers/$2" "$work/$1.conf" "$1"
    start "$1" taskset -c "$server_core" "${drop[@]}" "$(program nginx)" -p "$work/$1" -c "$work/$1.conf" -e "$work/$1/error.log"
    listening "$1"
}

start_varnish() {
    own "$work/varnish"
    fill loadtests/peers/varnish.vcl "$work/varnish.vcl" varnish
    # One pool for one core; a thread for each connection, all there from the start. Its log stays in memory, and is cut short.
    start varnish taskset -c "$server_core" "${drop[@]}" "$(program varnishd)" -F -j none -n "$work/varnish/n" -f "$work/varnish.vcl" \
        -a "127.0.0.1:${plain_port[varnish]}" -s malloc,1g -p thread_pools=1 -p thread_pool_min=200 -p thread_pool_max=1000 \
        -p http_gzip_support=on -p timeout_idle=600 -p listen_depth=4096 -p vsl_mask=-VCL_trace,-Hit,-RespHeader,-ReqHeader,-Debug
    listening varnish
}

start_trafficserver() {
    local home=$work/trafficserver file
    own "$home" "$home"/{etc,run,log,cache,var,var/trafficserver}
    for file in loadtests/peers/trafficserver/*; do fill "$file" "$home/etc/${file##*/}" trafficserver; done
    mv "$home/etc/runroot.yaml" "$home/runroot.yaml"
    cp -r /etc/trafficserver/body_factory "$home/etc/"
    chmod -R a+rX "$home/etc"
    start trafficserver taskset -c "$server_core" "${drop[@]}" "$(program traffic_server)" --run-root="$home"
    listening trafficserver
}

# Debian keeps servers where not everybody's PATH looks.
program() { PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "$1" || fail "$1 is missing: apt-get install nginx-light varnish trafficserver nghttp2-client"; }

start_origin() {
    start origin "$bin/longshore-origin" serve --data "$work/origin" --address 127.0.0.1:22000 \
        --management-address 127.0.0.1:22001 --public-url http://127.0.0.1:22000 --log-level warning
    ready http://127.0.0.1:22001 origin
    origin repository create main --public >/dev/null
    origin repository create private --private >/dev/null
    origin token create --login bench --name bench >"$work/token"
}

# start_edge NAME PORT FLAG...: its management port is the next one.
start_edge() {
    local name=$1 port=$2 scheme=http
    shift 2
    [[ " $* " != *" --tls-certificate "* ]] || scheme=https
    [[ " $* " == *" --threads "* ]] || set -- "$@" --threads 1
    [ -e "$work/$name.credential" ] || origin edge create "$name" --credential-file "$work/$name.credential" >/dev/null
    start "$name" taskset -c "$server_core" "$bin/longshore-edge" serve --name "$name" --data "$work/data-$name" \
        --origin-url http://127.0.0.1:22000 --credential-file "$work/$name.credential" --address "127.0.0.1:$port" \
        --management-address "127.0.0.1:$((port + 1))" --public-url "$scheme://127.0.0.1:$port" --memory-bytes-max 1GiB \
        --log-level warning "$@"
    ready "http://127.0.0.1:$((port + 1))" "$name"
}

stop() { # NAME
    local pid position
    pid=$(cat "$work/$1.pid")
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    for position in "${!pids[@]}"; do [ "${pids[position]}" != "$pid" ] || unset "pids[position]"; done
    pids=("${pids[@]}")
}

# tree PID: it and all below it.
tree() {
    echo "$1"
    local child
    for child in $(pgrep -P "$1" || true); do tree "$child"; done
}

# cpu NAME: milliseconds of CPU that a server has taken, its children and finished threads included.
cpu() {
    local pid total=0 fields
    for pid in $(tree "$(cat "$work/$1.pid")"); do
        fields=$(cat "/proc/$pid/stat" 2>/dev/null) || continue
        # shellcheck disable=SC2206
        fields=(${fields##*) })
        total=$((total + fields[11] + fields[12]))
    done
    echo $((total * 1000 / $(getconf CLK_TCK)))
}

# rss NAME: KiB of memory of a server, its children included; what they share counts once.
rss() {
    local pid
    for pid in $(tree "$(cat "$work/$1.pid")"); do cat "/proc/$pid/smaps_rollup" 2>/dev/null || true; done |
        awk '/^Pss:/ { n += $2 } END { print n + 0 }'
}

versions() {
    echo "nginx $(program nginx >/dev/null && PATH=$PATH:/usr/sbin nginx -v 2>&1 | sed 's|.*/||'), Varnish" \
        "$(PATH=$PATH:/usr/sbin varnishd -V 2>&1 | grep -o 'varnish-[0-9.]*' | head -n 1 | cut -d- -f2), Traffic Server" \
        "$(PATH=$PATH:/usr/sbin traffic_server -V 2>/dev/null | grep -om 1 '[0-9]*\.[0-9.]*'), $(h2load --version), $(cargo --version | cut -d'(' -f1)"
}
