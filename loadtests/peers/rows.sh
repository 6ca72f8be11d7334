# Sourced by measure-peers: what is prepared, and the rows of the table.
# shellcheck shell=bash
# shellcheck disable=SC2154 # shared words come from the scripts sourced before
# shellcheck disable=SC2034

all_rows=(h2_gzip_8x64 h2_identity_8x64 h2_gzip_64x10 h2_identity_64x10 private_gzip_8x64 private_identity_8x64
    private_gzip_64x10 private_identity_64x10 h1_nginx h1_proxy h1_varnish h1_trafficserver)
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
    copy_index
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
copy_index() {
    local form flags suffix
    mkdir -p "$root"
    for form in identity gzip; do
        flags=() suffix=
        [ "$form" = identity ] || { flags=(-H "accept-encoding: gzip") && suffix=.gz; }
        sed "s|^\(.*\)\$|url=\"http://127.0.0.1:22012\1\"\noutput=\"$root\1$suffix\"|" "$work/paths" >"$work/copy"
        curl -fsS --create-dirs --parallel --parallel-max 16 "${flags[@]}" -K "$work/copy" 2>/dev/null || fail "the edge does not have everything"
    done
    find "$root" -name '*.gz' | while read -r form; do ! cmp -s "$form" "${form%.gz}" || rm "$form"; done
    curl -fsS -o "$root/main/index/config.json" http://127.0.0.1:22012/main/index/config.json
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

explanation() { versions; }
notes() { :; }
