# Sourced by the scripts beside it: an origin and edges with a folder of their own, ended when the script ends.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.."
fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}
say() { echo "==> $*" >&2; }

# The head of a script is its help.
for argument in "$@"; do
    case $argument in
        --help | -h)
            sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "loadtests/${0##*/}"
            exit 0
            ;;
    esac
done

bin=${BENCH_BIN:-.build/release}
for program in longshore-origin longshore-edge longshore-bench; do
    [ -x "$bin/$program" ] || fail "$bin/$program is missing: swift build -c release --static-swift-stdlib --product $program, or set BENCH_BIN"
done
bin=$(cd "$bin" && pwd)
# Secrets are written below, so nobody else reads; but PostgreSQL runs as a user of its own and must get through.
umask 077
work=$(mktemp -d /tmp/longshore-bench-XXXXXX)
mkdir "$work/origin"
chmod 711 "$work" "$work/origin"
pids=()

# Ends what was started here, by pid, the newest first.
tidy_up() {
    local number
    for ((number = ${#pids[@]} - 1; number >= 0; number--)); do
        kill "${pids[number]}" 2>/dev/null || true
        wait "${pids[number]}" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap tidy_up EXIT
trap 'exit 130' INT TERM

# start NAME COMMAND...: in the background; its output goes to a file.
start() {
    local name=$1
    shift
    "$@" >>"$work/$name.log" 2>&1 &
    pids+=($!)
    echo $! >"$work/$name.pid"
}

# ready URL NAME: waits for /readyz of a management address; a minute at most.
ready() {
    for _ in $(seq 300); do
        kill -0 "$(cat "$work/$2.pid")" 2>/dev/null || break
        curl -sf -o /dev/null --max-time 2 "$1/readyz" && return
        sleep 0.2
    done
    tail -n 20 "$work/$2.log" >&2
    fail "$2 is not ready"
}

origin() { "$bin/longshore-origin" "$@" --data "$work/origin" 2>/dev/null; }

# facts: what stands above every table of results.
facts() {
    echo "Measured $(date -u +%Y-%m-%d) at commit ${BENCH_COMMIT:-$(git rev-parse --short HEAD)} by \`loadtests/${0##*/}\`."
    echo "Machine: $(nproc) cores ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)), $(free -g | awk '/^Mem/{print $2}') GiB," \
        "Linux $(uname -r), PostgreSQL $(psql --version | grep -o '[0-9.]*' | head -n 1). Origin, edges, PostgreSQL and the load share it."
    echo "Load average before the measurement: $(cut -d' ' -f1-3 /proc/loadavg)."
}
