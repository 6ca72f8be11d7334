# Sourced by ./up and ./test: says what is happening, and installs the Debian packages that are missing.
# shellcheck shell=bash disable=SC2034 # the tables are read by who sources this

SWIFT_VERSION_MIN=6.2
CARGO_VERSION_MIN=1.68 # the first cargo that reads sparse registries without a switch

# package | how to see that it is there | what it is for
PACKAGES_TO_BUILD='
git|command git|fetching the Swift packages that we build on
pkg-config|command pkg-config|finding the libraries below
libpq-dev|library libpq|talking to PostgreSQL
libsqlite3-dev|library sqlite3|the catalogue of an edge'\''s cache
libssl-dev|library openssl|TLS
zlib1g-dev|library zlib|reading and writing gzip
libnghttp2-dev|library libnghttp2|HTTP/2 at the edge
'
PACKAGES_TO_RUN='
postgresql|postgres|the origin'\''s database
ca-certificates|file /etc/ssl/certs/ca-certificates.crt|trusting other servers
curl|command curl|asking whether the parts are ready
'
PACKAGES_TO_TEST='
openssl|command openssl|certificates for the tests
nghttp2-client|command h2load|an HTTP/2 client that is not ours
nghttp2-proxy|command nghttpx|a TLS terminator in front of the origin that speaks HTTP/2
iproute2|command ss|counting connections, network namespaces
python3|command python3|the long link between namespaces
tar|command tar|unpacking the test data
nginx-light|command nginx|the reverse proxies of docs/OPERATIONS.md
rsync|command rsync|the backup of docs/OPERATIONS.md
'

if [ -t 1 ]; then bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'; else bold='' red='' plain=''; fi

step() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '    %s\n' "$*"; }
fail() {
    printf '%s%s: %s%s\n' "$red" "${0##*/}" "$*" "$plain" >&2
    exit 1
}

# version_at_least HAVE WANT: 6.10 is newer than 6.9.
version_at_least() { [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

is_there() {
    case $1 in
        command) command -v "$2" >/dev/null ;;
        library) command -v pkg-config >/dev/null && pkg-config --exists "$2" ;;
        file) [ -e "$2" ] ;;
        postgres) command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ;;
    esac
}

# install_packages yes|no TABLE...: installs what the tables name and the machine lacks.
install_packages() {
    local may_install=$1 missing=() package check why
    shift
    while IFS='|' read -r package check why; do
        [ -n "$package" ] || continue
        # shellcheck disable=SC2086 # two words: what to look at, and for what
        is_there $check && continue
        missing+=("$package")
        say "missing: $package ($why)"
    done < <(printf '%s\n' "$@")
    [ ${#missing[@]} -gt 0 ] || return 0

    [ "$may_install" = yes ] || fail "these packages are missing: ${missing[*]}; install them, or leave out --no-install"
    command -v apt-get >/dev/null ||
        fail "this is no Debian or Ubuntu machine: install what these packages bring, then start again: ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "ask an administrator for: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    step "installing ${missing[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q ||
        fail "the package lists cannot be fetched (see above); check the network, or use --no-install"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" ||
        fail "not all packages could be installed (see above)"
}

check_swift() {
    command -v swift >/dev/null ||
        fail "there is no Swift compiler on PATH: get Swift $SWIFT_VERSION_MIN or newer at https://swift.org/install"
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1) || true
    [ -n "$version" ] || fail "\`swift --version\` does not work: install Swift again, from https://swift.org/install"
    version_at_least "$version" "$SWIFT_VERSION_MIN" ||
        fail "Swift $version is too old: get $SWIFT_VERSION_MIN or newer at https://swift.org/install"
}

# Prints cargo's version; nothing if there is no usable cargo. Succeeds either way: the caller says what is wrong.
cargo_version() { cargo --version 2>/dev/null | sed -n 's/^cargo \([0-9][0-9.]*\).*/\1/p' || true; }

# check_cargo: sentence and failure unless a cargo that can do it is on PATH.
check_cargo() {
    local version
    version=$(cargo_version)
    [ -n "$version" ] ||
        fail "there is no cargo on PATH: install Rust from https://rustup.rs (or start with --no-prove)"
    version_at_least "$version" "$CARGO_VERSION_MIN" ||
        fail "cargo $version cannot read sparse registries: get $CARGO_VERSION_MIN or newer from https://rustup.rs (or start with --no-prove)"
}

# check_disk FOLDER MEBIBYTES WHAT: the folder need not exist yet.
check_disk() {
    local folder=$1 free
    while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
    free=$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$free" -ge "$2" ] || fail "$folder has $free MiB free; $3 needs $2 MiB: free some space and start again"
}
