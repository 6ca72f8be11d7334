# Sourced by measure-scale: one function a question; each adds rows to "table".
# shellcheck shell=bash
# shellcheck disable=SC2154 # work, bin and result come from common.sh and measure-scale

port=${BENCH_PORT:-28080}
url=http://127.0.0.1:$port
management=http://127.0.0.1:$((port + 1))
edge_url=http://127.0.0.1:$((port + 2))
edge_management=http://127.0.0.1:$((port + 3))
rounds=${BENCH_ROUNDS:-3}
seconds=${BENCH_SECONDS:-8}

row() { printf '| %s | %s |\n' "$1" "$2" >>"$work/table"; }
note() { printf '%s\n' "$@" >>"$work/notes"; }
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
sql() { psql -XqAt -F ' ' -v ON_ERROR_STOP=1 "host=$work/origin/postgres/socket port=5432 user=longshore dbname=longshore" "$@"; }
memory() { awk -v key="$2:" '$1 == key { printf "%d", $2 / 1024 }' "/proc/$1/status"; }
seconds_since() { awk -v ms=$(($(now_ms) - $1)) 'BEGIN { printf "%.1f", ms / 1000 }'; }
# ranks FILE: nearest ranks of a file with a number a line.
ranks() {
    sort -n "$1" | awk '{ v[NR] = $1 }
        function at(share, i) { i = int(NR * share); if (i < NR * share) i++; return v[i < 1 ? 1 : i] }
        END { printf "p50 %.1f ms, p99 %.1f ms, most %.1f ms", at(0.5), at(0.99), v[NR] }'
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
spread() { sort -n | awk '{ v[NR] = $1 } END { print v[1] "-" v[NR] }'; }

# Tables that grow with the registry; a hot path that walks through one of them shows here.
big_tables="'crates', 'versions', 'checksums', 'dependencies', 'feed', 'audit', 'owners'"
scans() { sql -c "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname IN ($big_tables) ORDER BY relname"; }
scans_begin() { scans >"$work/scans.before"; }
scans_end() { # WHAT
    # An idle connection tells its counts after ten seconds.
    sleep 11
    scans >"$work/scans.after"
    local found
    found=$(join "$work/scans.before" "$work/scans.after" | awk '$3 > $2 { printf "%s%s %d times", sep, $1, $3 - $2; sep = ", " }')
    row "sequential scans of large tables: $1" "${found:-none}"
}

explanation() {
    cat <<END
The whole run has a nice of 10, PostgreSQL included; other programs may have run beside it (load averages above and below).
The registry is synthetic (\`longshore-bench corpus\`): names, numbers of versions and sizes of index files are crates.io's, crates are small.
PostgreSQL is the origin's own with its default settings. Ratios: both in turn, $rounds rounds, the median.
Load average at the end: $(cut -d' ' -f1-3 /proc/loadavg).
END
}

prepare() {
    corpus=${BENCH_CORPUS:-$work/corpus}
    if [ -z "${BENCH_CORPUS:-}" ]; then
        say "making the corpus"
        "$bin/longshore-bench" corpus --sizes "${BENCH_SIZES:?set it to a table of sizes, or BENCH_CORPUS to a corpus}" \
            --out "$corpus" ${BENCH_CRATES:+--crates "$BENCH_CRATES"} >"$work/corpus.log" 2>&1 || fail "$(tail -n 3 "$work/corpus.log")"
    fi
    cut -f1 "$corpus/corpus.tsv" >"$work/names"
    start origin "$bin/longshore-origin" serve --data "$work/origin" --address "127.0.0.1:$port" \
        --management-address "127.0.0.1:$((port + 1))" --log-level warning
    ready "$management" origin
    origin_pid=$(cat "$work/origin.pid")
    origin repository create main >/dev/null
    origin token create --login bench --name bench --action publish-new --action yank >"$work/token"
    origin edge create bench >"$work/credential"
}

step_import() {
    say "import"
    local began pid status=0 most=0 held
    began=$(now_ms)
    "$bin/longshore-origin" import main "$corpus" --data "$work/origin" >"$work/import.log" 2>&1 &
    pid=$!
    pids+=("$pid")
    while kill -0 $pid 2>/dev/null; do
        held=$(memory $pid VmHWM 2>/dev/null || true)
        [ "${held:-0}" -le "$most" ] || most=$held
        sleep 1
    done
    wait $pid || status=$?
    unset 'pids[-1]'
    [ $status = 0 ] || fail "the import ended with $status: $(tail -n 3 "$work/import.log")"
    row "import of $(wc -l <"$work/names") crates, $(awk -F'\t' '{ n += $2 } END { print n }' "$corpus/corpus.tsv") versions" "$(seconds_since "$began") s"
    row "most memory of the import" "$most MiB"
    row "memory of the origin meanwhile, most" "$(memory "$origin_pid" VmHWM) MiB"
    began=$(now_ms)
    "$bin/longshore-origin" import main "$corpus" --data "$work/origin" >"$work/import2.log" 2>&1 || fail "$(tail -n 3 "$work/import2.log")"
    row "the same import again, which finds everything there" "$(seconds_since "$began") s"
}

step_sizes() {
    say "sizes"
    row "database" "$(sql -c "SELECT pg_size_pretty(pg_database_size('longshore'))")"
    row "its largest tables with their indexes" "$(sql -c "
        SELECT string_agg(relname || ' ' || pg_size_pretty(size), ', ') FROM (SELECT relname, pg_total_relation_size(relid) AS size
        FROM pg_stat_user_tables ORDER BY size DESC LIMIT 5) AS largest")"
    row "blob folder" "$(du -sm "$work/origin/blobs" | cut -f1) MiB on disk, $(du -sm --apparent-size "$work/origin/blobs" | cut -f1) MiB of bytes"
    row "feed" "$(sql -c 'SELECT count(*) FROM feed') events"
}

# tps SCRIPT CLIENTS: transactions a second of PostgreSQL alone. Prepared, as the origin sends them.
tps() {
    pgbench -n -M prepared -D "names=$(wc -l <"$work/names")" -c "$2" -j 1 -T "$seconds" -f "loadtests/scale/pgbench-$1.sql" \
        "host=$work/origin/postgres/socket port=5432 user=longshore dbname=longshore" 2>"$work/pgbench.log" |
        awk '/^tps/ { printf "%.0f\n", $3 }' | grep . || fail "pgbench: $(tail -n 3 "$work/pgbench.log")"
}
# in_turn NAME OURS SCRIPT CLIENTS: both, again and again; adds a row with the ratio.
in_turn() {
    : >"$work/ours" && : >"$work/theirs" && : >"$work/ratios"
    local a b
    for _ in $(seq "$rounds"); do
        a=$($2) b=$(tps "$3" "$4")
        echo "$a" >>"$work/ours" && echo "$b" >>"$work/theirs"
        awk -v a="$a" -v b="$b" 'BEGIN { printf "%.2f\n", a / b }' >>"$work/ratios"
    done
    row "$1, $4 clients" "$(median <"$work/ours") a second"
    row "pgbench with the same statements, $4 clients" "$(median <"$work/theirs") a second"
    row "ratio" "$(median <"$work/ratios") ($(spread <"$work/ratios"))"
}

reads() {
    "$bin/longshore-bench" requests "$url/edge/v1/index/main" --crates "$work/names" --speech h1 --connections 8 \
        --token-file "$work/credential" --duration "${seconds}s" --json >"$work/reads.json" 2>"$work/reads.log" ||
        fail "$(tail -n 3 "$work/reads.log")"
    jq '.sides[0].total.requests_per_second | round' "$work/reads.json"
}
step_reads() {
    say "index reads"
    # pgbench can draw numbers, not names.
    sql -c 'CREATE TABLE bench_names AS SELECT row_number() OVER () AS n, identity, lower(name) AS name FROM crates' \
        -c 'ALTER TABLE bench_names ADD PRIMARY KEY (n)' -c 'VACUUM ANALYZE bench_names'
    scans_begin
    in_turn "index reads of an edge at the origin, any crate" reads index 8
    row "their latency, 8 at a time" "$(jq -r '.sides[0].total.latency_ms | "p50 \(.p50 * 10 | round / 10) ms, p99 \(.p99 * 10 | round / 10) ms"' "$work/reads.json")"
    scans_end "index reads"
}

# asked FILE CURL…: one request; its milliseconds go to the file, which must be a 200.
asked() {
    local file=$1 said
    shift
    said=$(curl -s -o "$work/body" -w '%{http_code} %{time_total}' "$@")
    [ "${said%% *}" = 200 ] || fail "${*: -1} answers ${said%% *}: $(head -c 200 "$work/body")"
    awk -v s="${said##* }" 'BEGIN { print s * 1000 }' >>"$file"
}

step_closure() {
    say "closures"
    local name bytes=0 most=0 count=0
    : >"$work/closures"
    scans_begin
    for _ in $(seq 5); do
        while read -r name; do
            # shellcheck disable=SC2059 # the length is a byte
            { printf '\x00\x01' && printf "\\x$(printf %02x ${#name})" && printf '%s\x00\x00' "$name"; } >"$work/question"
            asked "$work/closures" -H "authorization: $(cat "$work/credential")" --data-binary "@$work/question" \
                -H 'content-type: application/octet-stream' "$url/edge/v1/closure/main"
            bytes=$(stat -c %s "$work/body") && count=$((count + bytes))
            [ "$bytes" -le "$most" ] || most=$bytes
        done < <(head -n 30 "$work/names")
    done
    row "closure question, the 30 most used crates as roots" "$(ranks "$work/closures")"
    row "bytes of an answer, mean and most" "$((count / 150 / 1024)) KiB, $((most / 1024)) KiB"
    scans_end "closures"
}

search() { # TITLE WORDS
    : >"$work/searches"
    for _ in $(seq 40); do asked "$work/searches" -G --data-urlencode "q=$2" "$url/main/api/v1/crates"; done
    row "search: $1 (\`$2\`, $(jq .meta.total "$work/body") hits)" "$(ranks "$work/searches")"
}
step_search() {
    say "search"
    scans_begin
    search "an exact name" "$(sed -n 7p "$work/names")"
    search "a prefix" "$(sed -n 1p "$work/names" | cut -c1-3)"
    search "two words" "${BENCH_WORDS:-async client}"
    search "a common word" "${BENCH_WORD:-the}"
    scans_end "search"
}

uploads() {
    "$bin/longshore-bench" uploads "$url/main" --token-file "$work/token" --clients 4 --seconds "$seconds" --json \
        >"$work/uploads.json" 2>"$work/uploads.log" || fail "$(tail -n 3 "$work/uploads.log")"
    jq '.perSecond | round' "$work/uploads.json"
}
step_publish() {
    say "publishes"
    scans_begin
    in_turn "publishes of new crates" uploads publish 4
    row "their latency, 4 at a time" "$(jq -r '.ms | "p50 \(.p50) ms, p99 \(.p99) ms, most \(.max) ms"' "$work/uploads.json")"
    scans_end "publishes"
}

step_feed() {
    say "feed"
    local began head
    head=$(sql -c 'SELECT position FROM feed_head')
    scans_begin
    began=$(now_ms)
    # Ends with the head; curl is then told by the closed pipe.
    { curl -sN -H "authorization: $(cat "$work/credential")" "$url/edge/v1/feed?after=0" || true; } |
        awk -v head="$head" '/^id:/ { n++; if ($2 >= head) { print n; exit } }' >"$work/feed"
    row "an edge reads the whole feed, $(cat "$work/feed") events" "$(seconds_since "$began") s"
    "$bin/longshore-bench" fanout "$url" --credential-file "$work/credential" --token-file "$work/token" --subscribers 10 \
        --events 30 --rate 5 --json >"$work/fanout.json" 2>"$work/fanout.log" || fail "$(tail -n 3 "$work/fanout.log")"
    row "from a publish's request to an edge's event, 10 subscribers" "$(jq -r "$fanout_cell" "$work/fanout.json")"
    scans_end "feed"
    : >"$work/lists"
    for _ in $(seq 5); do
        began=$(now_ms)
        origin edge list >/dev/null
        echo $(($(now_ms) - began)) >>"$work/lists"
    done
    row "\`edge list\`, the program's start included" "$(ranks "$work/lists")"
    # Last: without words there is nothing that an index could find, and the counts above are others'.
    : >"$work/searches"
    for _ in $(seq 10); do asked "$work/searches" "$url/main/api/v1/crates?per_page=10"; done
    row "all crates, first page" "$(ranks "$work/searches")"
}
fanout_cell='.since_request | "p50 \(.p50) ms, p99 \(.p99) ms, most \(.max) ms"'

# rules TEXT: a file of them, behind its head.
rules() { printf 'format = 1\nask = "nobody"\n%s\n' "$1" >"$work/rules.toml"; }
# policy WHAT: sets the rules at hand; a row with the time, and what the command says.
policy() {
    local began said
    began=$(now_ms)
    said=$(origin policy set main "$work/rules.toml") || fail "the rules were not set"
    row "\`policy set\`: $1" "$(seconds_since "$began") s (${said##*; })"
}
step_policy() {
    say "policy"
    local began said versions
    versions=$(sql -c 'SELECT count(*) FROM versions')
    rules '[[rule]]
name = "severe"
decision = "block"
reason = "it has a known hole"
when.severity = "high"'
    began=$(now_ms)
    origin policy dry-run main "$work/rules.toml" >"$work/dry" || fail "the dry run failed"
    said=$(seconds_since "$began")
    row "\`policy dry-run\`, nothing is written" "$said s, $(awk -v n="$versions" -v s="$said" 'BEGIN { printf "%d", n / s }') versions a second"
    policy "no version is concerned yet"
    if [ -n "${BENCH_ADVISORIES:-}" ]; then
        began=$(now_ms)
        said=$(origin advisories sync "$BENCH_ADVISORIES") || fail "the advisories were not taken over"
        row "\`advisories sync\` of a whole database, verdicts included" "$(seconds_since "$began") s (${said##*; })"
        row "versions blocked by it" "$(sql -c "SELECT count(*) FROM decisions WHERE decision = 'block'")"
    fi
    rules '[[rule]]
name = "new"
decision = "quarantine"
reason = "it is too new"
when.younger-than = "10d"'
    policy "every version is held back"
    began=$(now_ms)
    origin policy remove main >/dev/null
    row "\`policy remove\`: every version is let go" "$(seconds_since "$began") s"
}

edge_starts() { # prints milliseconds to /readyz
    local began
    began=$(now_ms)
    start edge "$bin/longshore-edge" serve --name bench --data "$work/edge" --origin-url "$url" --credential-file "$work/credential" \
        --address "127.0.0.1:$((port + 2))" --management-address "127.0.0.1:$((port + 3))" --log-level warning
    until curl -sf -o /dev/null --max-time 2 "$edge_management/readyz"; do
        kill -0 "$(cat "$work/edge.pid")" 2>/dev/null || fail "$(tail -n 5 "$work/edge.log")"
        sleep 0.02
    done
    started_ms=$(($(now_ms) - began))
}
step_edge() {
    say "edge"
    local began count
    edge_starts
    row "start of an edge with an empty folder, to /readyz" "$started_ms ms"
    began=$(now_ms)
    # Each name once, in the sparse layout's own path, 8 at a time.
    awk '{ n = tolower($1); l = length(n)
        p = l < 3 ? l : l == 3 ? "3/" substr(n, 1, 1) : substr(n, 1, 2) "/" substr(n, 3, 2)
        printf "url=%s/main/index/%s/%s\noutput=/dev/null\n", url, p, n }' url="$edge_url" "$work/names" | split -l 1000 - "$work/ask-"
    for file in "$work"/ask-*; do echo "$file"; done |
        xargs -P 8 -n 1 curl -s -w '%{http_code}\n' -K | sort | uniq -c >"$work/warmed" || fail "not every file came"
    count=$(awk '$2 == 200 { print $1 }' "$work/warmed")
    [ "$count" = "$(wc -l <"$work/names")" ] || fail "of $(wc -l <"$work/names") index files, answers were: $(tr '\n' ' ' <"$work/warmed")"
    row "all $count index files asked of it once, 8 at a time" "$(seconds_since "$began") s"
    sleep 5
    row "its memory then, and its folder" "$(memory "$(cat "$work/edge.pid")" VmRSS) MiB (\`memory-bytes-max\` 256 MiB), $(du -sm "$work/edge" | cut -f1) MiB"
    kill "${pids[-1]}"
    wait "${pids[-1]}" || true
    unset 'pids[-1]'
    edge_starts
    row "its start with that folder, to /readyz" "$started_ms ms"
    row "its memory then, and after 5 s" "$(memory "$(cat "$work/edge.pid")" VmRSS) MiB, $(sleep 5 && memory "$(cat "$work/edge.pid")" VmRSS) MiB"
    "$bin/longshore-bench" requests "$edge_url/main/index" --crates "$work/names" --speech h1 --connections 8 \
        --duration "${seconds}s" --json >"$work/edge.json" 2>"$work/edge-reads.log" || fail "$(tail -n 3 "$work/edge-reads.log")"
    row "index reads at this edge, any crate, 8 connections" "$(jq -r '.sides[0].total | "\(.requests_per_second | round) a second, p50 \(.latency_ms.p50 * 10 | round / 10) ms, p99 \(.latency_ms.p99 * 10 | round / 10) ms"' "$work/edge.json")"
}
