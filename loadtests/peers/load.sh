# Sourced by measure-peers: loads one server, and two in turn.
# shellcheck shell=bash
# shellcheck disable=SC2154 # the server's ports and cores come from servers.sh, rounds and seconds from measure-peers

: >"$work/table"
: >"$work/runs"
warm_min=2000 # each file once

# load SERVER SPEECH PATHS COUNT CONNECTIONS STREAMS FLAG...: COUNT requests; prints microseconds of the server's CPU a request,
# requests a second, and bytes of body a request. SPEECH: tls (HTTP/2 over TLS) or plain (HTTP/1.1).
load() {
    local server=$1 speech=$2 paths=$3 count=$4 connections=$5 streams=$6 base flags=() before
    shift 6
    if [ "$speech" = tls ]; then base=https://127.0.0.1:${tls_port[$server]}; else
        base=http://127.0.0.1:${plain_port[$server]}
        flags=(--h1)
    fi
    [ "$server" != edge ] || server=edge-$speech # two edges: one speaks HTTPS only
    sed "s|^|$base|" "$paths" >"$work/uris"
    before=$(cpu "$server")
    taskset -c "$client_core" h2load -n "$count" -c "$connections" -m "$streams" -i "$work/uris" "${flags[@]}" "$@" \
        >"$work/h2load" 2>&1 || true
    awk -v ms=$(($(cpu "$server") - before)) -v count="$count" '
        /^finished in/ { rate = $4 }
        /^status codes:/ { ok = $3 + $5 }
        /^traffic:/ { match($0, /\([0-9]+\) data/); data = substr($0, RSTART + 1) + 0 }
        END {
            if (ok != count) exit 1
            printf "%.3f %.0f %.0f\n", ms * 1000 / count, rate, data / count
        }' "$work/h2load" || {
        cat "$work/h2load" >&2
        fail "$server did not answer $count requests well"
    }
}

# in_turn ROW PEER SPEECH EDGE_PATHS PEER_PATHS CONNECTIONS STREAMS HEADER FLAG...: edge, peer, edge, peer; a line of
# "runs" each: row, round, side, CPU, rate, bytes. HEADER is for the edge alone, or "".
in_turn() {
    local row=$1 peer=$2 speech=$3 edge_paths=$4 peer_paths=$5 connections=$6 streams=$7 header=$8 own=() counts=() side round out
    shift 8
    [ -z "$header" ] || own=(-H "$header")
    local warm=$((connections * 100))
    [ $warm -ge "$warm_min" ] || warm=$warm_min
    one() { # SIDE COUNT FLAG...
        local count=$2
        if [ "$1" = edge ]; then load edge "$speech" "$edge_paths" "$count" "$connections" "$streams" "${@:3}" "${own[@]}"; else
            load "$peer" "$speech" "$peer_paths" "$count" "$connections" "$streams" "${@:3}"
        fi
    }
    # The first pass fills caches and says how many requests a round's time takes.
    for side in edge peer; do
        out=$(one "$side" "$warm" "$@")
        out=$(one "$side" "$warm" "$@")
        counts+=("$(echo "$out" | awk -v s="$seconds" -v c="$connections" '{ n = $2 * s; if (n < c) n = c; printf "%d", n - n % c }')")
    done
    for round in $(seq "$rounds"); do
        out=$(one edge "${counts[0]}" "$@")
        echo "$row $round edge $out" >>"$work/runs"
        out=$(one peer "${counts[1]}" "$@")
        echo "$row $round peer $out" >>"$work/runs"
    done
}

# asked SERVER SPEECH FIGURE… FLAG...: what `longshore-bench requests` says of a round; FIGURE is a key of its JSON, with `-` after the last.
asked() {
    local figure server=$1 base=https://127.0.0.1:${tls_port[$1]} speech=h2 figures=()
    if [ "$2" = plain ]; then
        base=http://127.0.0.1:${plain_port[$1]}
        speech=h1
    fi
    [ "$server" != edge ] || server=edge-$2
    shift 2
    while [ "$1" != - ]; do figures+=("$1") && shift; done
    "$bin/longshore-bench" requests "$base" --paths "$work/paths" --speech "$speech" --gzip --ca-file "$work/cert.pem" --pin "$client_core" \
        --pid "$(cat "$work/$server.pid")" --pid-tree --warmup 1s --duration "${seconds}s" --json "${@:2}" >"$work/requests.json" 2>"$work/requests.log" || {
        cat "$work/requests.log" >&2
        fail "$server did not answer well"
    }
    # The rounds stand before their total; there is one.
    for figure in "${figures[@]}"; do grep -m 1 "\"$figure\" :" "$work/requests.json" | sed 's/.*: //; s/,$//'; done | paste -sd' '
}

# judge ROW WHAT PEER TARGET [UNIT]: a line of the table; with the unit µs/MB, by the bytes of the answer. The ratio of a pair of rounds is peer by edge: above 1 the edge is better.
judge() {
    awk -v row="$1" -v what="$2" -v peer="$3" -v target="$4" -v unit="${5:-µs}" '
        function middle(list, count,   i, j, t) {
            for (i = 1; i < count; i++) for (j = i + 1; j <= count; j++)
                if (list[j] < list[i]) { t = list[i]; list[i] = list[j]; list[j] = t }
            return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
        }
        unit == "µs/MB" { $4 = $4 * 1000000 / $6 }
        function short(value) { return sprintf(value < 100 ? "%.1f" : "%.0f", value) }
        $1 == row && $3 == "edge" { edge[++n] = $4; er[n] = $5 }
        $1 == row && $3 == "peer" { other[n] = $4; pr[n] = $5; ratio[n] = edge[n] > 0 ? $4 / edge[n] : 0 }
        END {
            e = middle(edge, n); p = middle(other, n); r = middle(ratio, n)
            printf "| %s | %s | %s | %s %s | %s %s | %.2f | %.2f-%.2f | %s | %s |\n", row, what, peer, short(e), unit, short(p), unit,
                r, ratio[1], ratio[n], target, (r >= target ? "reached" : "not reached")
        }' "$work/runs" | tee -a "$work/table" >&2
}
