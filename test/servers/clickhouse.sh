#!/bin/bash
# ClickHouse's engine behind its HTTP interface, for tests, on a free port of 127.0.0.1; all it writes is below DIR.
#   test/servers/clickhouse.sh start DIR            starts it and prints its URL; over data of before, on the port of before
#   test/servers/clickhouse.sh stop DIR             SIGTERM, and waits
#   test/servers/clickhouse.sh kill DIR             SIGKILL
#   test/servers/clickhouse.sh query DIR SQL        prints the answer
#   test/servers/clickhouse.sh fault DIR ABOUT      "kind=drop&times=1&match=INSERT": see clickhouse.py
# CLICKHOUSE_USER, CLICKHOUSE_PASSWORD: who may ask, of start and query. CLICKHOUSE_TLS=1, of start: HTTPS, by a certificate that
# DIR/ca.pem answers for; mutual: clients need one of the same authority, as DIR/weir.crt and .key are. Needs curl and python3. The
# engine comes once, by version and sha256, into .cache/clickhouse; NPM names another registry to take it from.
. "$(dirname "$0")/server.inc"
version=26.7.3-stable.1
sum=c0d32b129e988f2b9a9a31c9141aecf5e1e2453f9a079efc4d36ab8e3f92b2ad
cache=$(realpath -m "$here/../../.cache/clickhouse")
library=$cache/libchdb-$version.so

# take_engine: 180 MB by the network, 570 MB unpacked; in place only when its sum is right.
take_engine() {
    local package=lib-linux-x64-gnu
    [ ! -e "$library" ] || return 0
    [ "$(uname -m)" = x86_64 ] || die "there is no sum of the engine for $(uname -m) here"
    mkdir -p "$cache"
    part=$cache/part.$$ # not local: the trap outlives this function
    trap 'rm -f "$part" "$part.so"' EXIT
    curl -sSfL -o "$part" "${NPM:-https://registry.npmjs.org}/@chdb/$package/-/$package-$version.tgz"
    echo "$sum  $part" | sha256sum --check --quiet
    tar -xzOf "$part" package/libchdb.so >"$part.so"
    mv "$part.so" "$library"
}

running() { runs_with "$dir/pid" "$dir/data"; }

# launch: waits until it answers; 1: it has ended, or a minute is over.
launch() {
    local try
    rm -f "$dir/ready"
    env "${tls[@]}" USER_NAME="${CLICKHOUSE_USER:-default}" USER_PASSWORD="${CLICKHOUSE_PASSWORD:-}" \
        python3 "$here/clickhouse.py" "$library" "$dir/data" "$(cat "$dir/port" 2>/dev/null || echo 0)" \
        >"$dir/ready" 2>>"$dir/log" </dev/null &
    echo $! >"$dir/pid"
    for ((try = 0; try < 600; try++)); do
        [ ! -s "$dir/ready" ] || return 0
        kill -0 $! 2>/dev/null || break # not by its words: while it becomes python3 it has none
        sleep 0.1
    done
    kill -KILL $! 2>/dev/null || :
    wait $! || echo "the engine has ended while it started: exit $?" >>"$dir/log"
    return 1
}

start() {
    local try tls=() scheme=http
    if [ -n "${CLICKHOUSE_TLS:-}" ]; then
        [ -e "$dir/server.crt" ] || certificates "$dir"
        tls=(TLS_CERT="$dir/server.crt" TLS_KEY="$dir/server.key") scheme=https
    fi
    [ "${CLICKHOUSE_TLS:-}" != mutual ] || tls+=(TLS_CLIENTS="$dir/ca.pem")
    for ((try = 0; try < 3; try++)); do # on a busy machine the library has ended the process in its start, without a word: seen twice in some hundred
        launch && break
    done
    [ -s "$dir/ready" ] || { tail -n 20 "$dir/log" >&2; die "the engine does not come up"; }
    cp "$dir/ready" "$dir/port"
    echo "$scheme://127.0.0.1:$(cat "$dir/port")" | tee "$dir/url"
}

end() {
    local pid
    running || return 0
    pid=$(cat "$dir/pid")
    kill "-$1" "$pid" 2>/dev/null || :
    while running; do sleep 0.05; done
    rm -f "$dir/pid"
}

ask() {
    local trust=()
    [ ! -e "$dir/ca.pem" ] || trust=(--cacert "$dir/ca.pem" --cert "$dir/weir.crt" --key "$dir/weir.key")
    curl -sS --fail-with-body "${trust[@]}" -H "X-ClickHouse-User: ${CLICKHOUSE_USER:-default}" \
        -H "X-ClickHouse-Key: ${CLICKHOUSE_PASSWORD:-}" "$@"
}

[ $# -ge 2 ] || usage
dir=$(realpath -m "$2")
case $1 in
start)
    need_tools "curl, python3 and openssl" curl python3 openssl
    take_engine
    mkdir -p "$dir"
    ! running || die "it runs already in $dir"
    start
    ;;
stop) end TERM ;;
kill) end KILL ;;
query) ask "$(cat "$dir/url")/" --data-binary "$3" ;;
fault) ask -X POST "$(cat "$dir/url")/fault?$3" ;;
*) usage ;;
esac
