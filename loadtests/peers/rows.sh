# Sourced by measure-peers: what is prepared, and the rows of the table.
# shellcheck shell=bash
# shellcheck disable=SC2154 # shared words come from the scripts sourced before
# shellcheck disable=SC2034

all_rows=(h2_gzip_8x64 h2_identity_8x64 h2_gzip_64x10 h2_identity_64x10 private_gzip_8x64 private_identity_8x64
    private_gzip_64x10 private_identity_64x10 h2_304_8x64 h1_nginx h1_proxy h1_varnish h1_trafficserver h1_304
    crate_plain_nginx crate_plain_varnish crate_plain_trafficserver crate_tls_nginx crate_tls_trafficserver
    p99 resolve memory_hot memory_idle two_cores)
gzip=(-H "accept-encoding: gzip")

prepare() {
    make_certificate
    say "importing"
    start_origin
    origin import main "$corpus" >&2 || true
    origin import private "$corpus" >&2 || true
    find "$corpus/index" -type f ! -name config.json -printf '%P\n' | LC_ALL=C sort | shuffled >"$work/names"
    [ -s "$work/names" ] || fail "$corpus/index holds no index file"
    sed 's|^|/main/index/|' "$work/names" >"$work/paths"
    sed 's|^|/private/index/|' "$work/names" >"$work/private"
    header="authorization: $(cat "$work/token")"

    say "filling the edges and the peers"
    start_edge edge-tls 22010 --tls-certificate "$work/cert.pem" --tls-key "$work/key.pem"
    start_edge edge-plain 22012
    echo /main/index/config.json >"$work/configuration"
    copy_files configuration
    copy_files paths
    local base list
    for base in https://127.0.0.1:22010 http://127.0.0.1:22012; do
        for list in paths private; do everything "$base" "$work/$list" -H "$header"; done
    done
    start_nginx nginx nginx-static.conf
    start_nginx proxy nginx-proxy.conf
    start_varnish
    start_trafficserver
    local peer
    for peer in proxy varnish trafficserver; do
        everything "http://127.0.0.1:${plain_port[$peer]}" "$work/paths" -H "accept-encoding: gzip"
        everything "http://127.0.0.1:${plain_port[$peer]}" "$work/paths"
    done
}

# The same order each time: no prefix of the list is of one size.
shuffled() { sort -R --random-source=<(yes longshore); }

# everything BASE PATHS FLAG...: each file once.
everything() {
    local base=$1 paths=$2
    shift 2
    sed "s|^\(.*\)\$|url=\"$base\1\"\noutput=/dev/null|" "$paths" >"$work/everything"
    curl -fsSk --parallel --parallel-max 16 "$@" -K "$work/everything" 2>"$work/curl.log" || {
        grep curl "$work/curl.log" | head -n 5 >&2
        fail "$base does not have everything"
    }
}

# nginx serves what the edge serves: both encodings, byte for byte; no .gz where the edge does not compress.
copy_files() { # LIST
    local form flags suffix
    mkdir -p "$root"
    for form in identity gzip; do
        flags=() suffix=
        [ "$form" = identity ] || { flags=(-H "accept-encoding: gzip") && suffix=.gz; }
        sed "s|^\(.*\)\$|url=\"http://127.0.0.1:22012\1\"\noutput=\"$root\1$suffix\"|" "$work/$1" >"$work/copy"
        curl -fsS --create-dirs --parallel --parallel-max 16 "${flags[@]}" -K "$work/copy" 2>/dev/null || fail "the edge does not have everything"
    done
    while read -r form; do ! cmp -s "$root$form.gz" "$root$form" || rm "$root$form.gz"; done <"$work/$1"
    chmod -R a+rX "$root"
}

h2() { # ROW WHAT EDGE_PATHS HEADER CONNECTIONS STREAMS TARGET FLAG...
    in_turn "$1" nginx tls "$work/$3" "$work/paths" "$5" "$6" "$4" "${@:8}"
    judge "$1" "$2, $5 × $6" "nginx static" "$7"
}
row_h2_gzip_8x64() { h2 h2_gzip_8x64 "index, HTTP/2 over TLS, gzip" paths "" 8 64 3 "${gzip[@]}"; }
row_h2_identity_8x64() { h2 h2_identity_8x64 "index, HTTP/2 over TLS, identity" paths "" 8 64 3; }
row_h2_gzip_64x10() { h2 h2_gzip_64x10 "index, HTTP/2 over TLS, gzip" paths "" 64 10 3 "${gzip[@]}"; }
row_h2_identity_64x10() { h2 h2_identity_64x10 "index, HTTP/2 over TLS, identity" paths "" 64 10 3; }
row_private_gzip_8x64() { h2 private_gzip_8x64 "private, with a token, gzip" private "$header" 8 64 2.5 "${gzip[@]}"; }
row_private_identity_8x64() { h2 private_identity_8x64 "private, with a token, identity" private "$header" 8 64 2.5; }
row_private_gzip_64x10() { h2 private_gzip_64x10 "private, with a token, gzip" private "$header" 64 10 2.5 "${gzip[@]}"; }
row_private_identity_64x10() { h2 private_identity_64x10 "private, with a token, identity" private "$header" 64 10 2.5; }

h1() { # ROW PEER NAME TARGET
    in_turn "$1" "$2" plain "$work/paths" "$work/paths" 64 1 "" "${gzip[@]}"
    judge "$1" "index, HTTP/1.1, gzip, 64 connections" "$3" "$4"
}
row_h1_nginx() { h1 h1_nginx nginx "nginx static" 1.3; }
row_h1_proxy() { h1 h1_proxy proxy "nginx proxy_cache" 1.6; }
row_h1_varnish() { h1 h1_varnish varnish Varnish 2; }
row_h1_trafficserver() { h1 h1_trafficserver trafficserver "Traffic Server" 1.8; }


# What a client that holds all files asks: each with its own ETag.
not_modified() { # ROW WHAT SPEECH CONNECTIONS STREAMS TARGET
    local round out
    for round in $(seq "$rounds"); do
        out=$(asked edge "$3" server_cpu_us_per_request requests_per_second - --known --connections "$4" --streams "$5")
        echo "$1 $round edge $out" >>"$work/runs"
        out=$(asked nginx "$3" server_cpu_us_per_request requests_per_second - --known --connections "$4" --streams "$5")
        echo "$1 $round peer $out" >>"$work/runs"
    done
    judge "$1" "$2, $4 × $5" "nginx static" "$6"
}
row_h2_304_8x64() { not_modified h2_304_8x64 "304, HTTP/2 over TLS" tls 8 64 3; }
row_h1_304() { not_modified h1_304 "304, HTTP/1.1" plain 64 1 1.1; }

# A crate of one megabyte that nothing can compress, everywhere.
large_crate() {
    [ ! -e "$work/crate" ] || return 0
    local folder=$work/large checksum
    mkdir -p "$folder/bench-large-1.0.0/src" "$folder/crates"
    printf '[package]\nname = "bench-large"\nversion = "1.0.0"\nedition = "2021"\ndescription = "a megabyte"\nlicense = "MIT"\n' \
        >"$folder/bench-large-1.0.0/Cargo.toml"
    head -c 1000000 /dev/urandom >"$folder/bench-large-1.0.0/src/noise.bin"
    : >"$folder/bench-large-1.0.0/src/lib.rs"
    tar -C "$folder" -czf "$folder/crates/bench-large-1.0.0.crate" bench-large-1.0.0
    origin import main "$folder/crates" >&2
    checksum=$(sha256sum "$folder/crates/bench-large-1.0.0.crate" | cut -d' ' -f1)
    echo "/main/crates/bench-large/1.0.0/$checksum.crate" >"$work/crate"
    install -D -m 644 "$folder/crates/bench-large-1.0.0.crate" "$root$(cat "$work/crate")"
    chmod -R a+rX "$root"
}

crate() { # ROW PEER NAME SPEECH CONNECTIONS STREAMS
    large_crate
    local warm_min=100 what="crates of 1 MB, HTTP/1.1, 8 connections"
    [ "$4" = plain ] || what="crates of 1 MB, HTTP/2 over TLS, $5 × $6"
    in_turn "$1" "$2" "$4" "$work/crate" "$work/crate" "$5" "$6" ""
    judge "$1" "$what" "$3" 1 µs/MB
}
row_crate_plain_nginx() { crate crate_plain_nginx nginx "nginx static" plain 8 1; }
row_crate_plain_varnish() { crate crate_plain_varnish varnish Varnish plain 8 1; }
row_crate_plain_trafficserver() { crate crate_plain_trafficserver trafficserver "Traffic Server" plain 8 1; }
row_crate_tls_nginx() { crate crate_tls_nginx nginx "nginx static" tls 8 4; }
row_crate_tls_trafficserver() { crate crate_tls_trafficserver trafficserver "Traffic Server" tls 8 4; }

# Half of what the slower side can do, for both. Requests leave by chance at that rate, not by the answers.
row_p99() {
    local rate side round out half=
    for side in edge nginx; do
        rate=$(asked $side tls requests_per_second - --connections 8 --streams 64 | cut -d. -f1)
        [ -n "$half" ] && [ "$rate" -ge "$half" ] || half=$rate
    done
    half=$((half / 2))
    for round in $(seq "$rounds"); do
        out=$(asked edge tls p99 requests_per_second - --rate $half --connections 8 --streams 64)
        echo "p99 $round edge $out" >>"$work/runs"
        out=$(asked nginx tls p99 requests_per_second - --rate $half --connections 8 --streams 64)
        echo "p99 $round peer $out" >>"$work/runs"
    done
    judge p99 "p99 of gzip over HTTP/2 and TLS at $half requests a second, 8 connections" "nginx static" 1 ms
}

# cargo with all files held: every answer is 304.
row_resolve() {
    local project=${BENCH_PROJECT:-} corpus=${BENCH_PROJECT_CORPUS:-} side round start files questions
    [ -n "$project" ] && [ -n "$corpus" ] || {
        say "resolve is left out: BENCH_PROJECT and BENCH_PROJECT_CORPUS are not set"
        return
    }
    origin repository create project --public >/dev/null
    origin import project "$corpus" >&2
    find "$corpus/index" -type f ! -name config.json -printf '/project/index/%P\n' >"$work/project-paths"
    echo /project/index/config.json >>"$work/project-paths"
    copy_files project-paths
    everything https://127.0.0.1:22010 "$work/project-paths"
    for side in edge nginx; do
        mkdir -p "$work/home-$side" "$work/project-$side"
        cp -r "$project/." "$work/project-$side/"
        chmod -R u+w "$work/project-$side"
        rm -rf "$work/project-$side/.cargo"
        cat >"$work/home-$side/config.toml" <<END
[source.crates-io]
replace-with = "measured"
[source.measured]
registry = "sparse+https://127.0.0.1:${tls_port[$side]}/project/index/"
[http]
cainfo = "$work/cert.pem"
END
    done
    resolve() { # SIDE
        rm -f "$work/project-$1/Cargo.lock"
        (cd "$work/project-$1" && CARGO_HOME=$work/home-$1 taskset -c "$client_core" cargo generate-lockfile -q) || fail "cargo could not resolve"
    }
    for round in 1 2; do for side in edge nginx; do resolve $side; done; done
    questions=$(answers_304)
    resolve edge
    files=$(($(answers_304) - questions))
    [ "$files" -gt 0 ] || fail "the edge answered none of cargo's questions with 304"
    for round in $(seq $((rounds * 4))); do
        for side in edge nginx; do
            start=${EPOCHREALTIME/./}
            resolve $side
            [ $side = edge ] && echo "resolve $round edge $(((${EPOCHREALTIME/./} - start) / 1000)) 0" >>"$work/runs" ||
                echo "resolve $round peer $(((${EPOCHREALTIME/./} - start) / 1000)) 0" >>"$work/runs"
        done
    done
    judge resolve "warm \`cargo generate-lockfile\`, $files answers of 304, wall time" "nginx static" 1 ms
}
answers_304() {
    # A scrape reads what was counted a moment ago.
    sleep 0.3
    curl -fsS http://127.0.0.1:22011/metrics | awk '/^longshore_http_requests_total{.*status="304"/ { n += $2 } END { printf "%d", n }'
}

# A fresh edge that holds the registry of BENCH_HOT_CORPUS, or else four repositories of the files of the other rows.
row_memory_hot() {
    local name bytes=0 bound held files=0 hot=(main private hot-a hot-b) source=$corpus
    if [ -n "${BENCH_HOT_CORPUS:-}" ]; then hot=(hot) source=$BENCH_HOT_CORPUS; fi
    for name in "${hot[@]}"; do
        [[ $name == hot* ]] || continue
        origin repository create "$name" --public >/dev/null
        origin import "$name" "$source" >&2 || true
    done
    start_edge hot 22030
    for name in "${hot[@]}"; do
        find "$source/index" -type f ! -name config.json -printf "/$name/index/%P\n" | shuffled >"$work/hot-paths"
        files=$((files + $(wc -l <"$work/hot-paths")))
        bytes=$((bytes + $(everything http://127.0.0.1:22030 "$work/hot-paths" -H "$header" -w '%{size_download}\n' |
            awk '{ n += $1 } END { printf "%d", n }')))
        everything http://127.0.0.1:22030 "$work/hot-paths" -H "$header" -H "accept-encoding: gzip"
    done
    sleep 3
    held=$(curl -fsS http://127.0.0.1:22031/metrics | awk '/^longshore_cache_bytes{.*place="memory"/ { n += $2 } END { printf "%d", n }')
    bound=$((bytes * 16 / 10 + 60000000))
    awk -v used=$(($(rss hot) * 1024)) -v bytes=$bytes -v held="$held" -v bound=$bound -v files=$files 'BEGIN {
        printf "| memory_hot | memory with %d files hot, %.1f MB (the cache counts %.1f MB) | 1.6 × bytes + 60 MB | %.1f MB | %.1f MB | %.2f | | 1 | %s |\n",
            files, bytes / 1e6, held / 1e6, used / 1e6, bound / 1e6, bound / used, (used <= bound ? "reached" : "not reached") }' |
        tee -a "$work/table" >&2
    stop hot
}

# A thousand connections, each with one request behind it; growth of memory by the two servers.
row_memory_idle() {
    local side before connections=1000 growth=() client
    for side in edge-tls nginx; do
        before=$(rss $side)
        echo "https://127.0.0.1:${tls_port[${side%-tls}]}/main/index/config.json" >"$work/uris"
        taskset -c "$client_core" h2load -c $connections -m 1 -D 25 --rps 0.02 -i "$work/uris" >"$work/h2load" 2>&1 &
        client=$!
        sleep 15
        [ "$(ss -Htn state established "( sport = :${tls_port[${side%-tls}]} )" | wc -l)" -ge $connections ] || fail "$side does not have $connections connections"
        growth+=($(($(rss $side) - before)))
        wait $client || true
    done
    awk -v e="${growth[0]}" -v p="${growth[1]}" 'BEGIN {
        printf "| memory_idle | growth with 1,000 idle TLS connections | nginx static | %.1f MB | %.1f MB | %.2f | | 0.5 | %s |\n",
            e / 1024, p / 1024, p / e, (p / e >= 0.5 ? "reached" : "not reached") }' | tee -a "$work/table" >&2
}

# Two event loops on the core that one had: what they cost each other in locks and shared lines shows as CPU a request.
row_two_cores() {
    local round out count
    start_edge one 22040 --tls-certificate "$work/cert.pem" --tls-key "$work/key.pem"
    server_core=$server_core,$client_core start_edge two 22050 --threads 2 --tls-certificate "$work/cert.pem" --tls-key "$work/key.pem"
    tls_port[one]=22040 tls_port[two]=22050
    for out in one two; do everything "https://127.0.0.1:${tls_port[$out]}" "$work/paths"; done
    out=$(load one tls "$work/paths" 20000 8 64 "${gzip[@]}")
    count=$(echo "$out" | awk -v s="$seconds" '{ printf "%d", $2 * s }')
    for round in $(seq "$rounds"); do
        # The pairs turn around: one core's cost is the peer, so that a ratio of 1 is perfect.
        out=$(load two tls "$work/paths" "$count" 8 64 "${gzip[@]}")
        echo "two_cores $round edge $out" >>"$work/runs"
        out=$(load one tls "$work/paths" "$count" 8 64 "${gzip[@]}")
        echo "two_cores $round peer $out" >>"$work/runs"
    done
    judge two_cores "two threads on two cores beside the load, CPU a request" "one thread on one core" 0.9
    stop two
    stop one
}

explanation() {
    versions
    cat <<'END'

Each side is one process on one core, the load on the other; rounds go edge, peer, edge, peer. A row's ratio is the peer's figure by the
edge's, for each pair of rounds: above 1 the edge is better. Figures are medians of CPU time of the server with its children (user and
system) by requests, if no other unit is given. The caches hold everything before a row begins, and every answer was counted and good. The
edge checks access and writes each read into its journal; the peers do neither, and log nothing. Configurations: `loadtests/peers/`.
END
}

notes() {
    cat <<'END'

* 304 rows ask for each file with the ETag that the server gave for it.
* p99: requests are due at random times at half of what the slower side can do; latency counts from then, both sides at the same rate.
* memory_idle: 0.5 says that the edge takes twice what nginx takes. Memory is the proportional share (Pss) of all processes.
* two_cores: the load needs a core itself, so twice the requests can't be seen here. What one request costs with two threads on two
  cores, by what it costs with one on one, bounds the gain: 0.9 is 1.8 × one core.
END
}
