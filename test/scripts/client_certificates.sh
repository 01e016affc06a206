#!/bin/bash
# Servers that demand a certificate of their clients: Redis, ClickHouse, PostgreSQL: shown by configuration it works; none, another authority's,
# one without its key, and a file of no use are refused by name. Servers that show one that is too old, or of another host (PostgreSQL: postgres.sh).
. test/scripts/clickhouse.inc
. test/servers/server.inc
tool=$BUILD/test/redis/redis
trap '$server kill "$db"; test/servers/redis.sh kill "$work/redis"; test/servers/postgres.sh remove "$work/postgres"; cleanup' EXIT
unset "${!PG@}"

# refused COMMAND...: it fails; which code depends on whether the server's words arrive.
refused() { ! "$@" >"$work/out" 2>"$work/err" || fail "taken: $*"; }

echo "--- Redis"
url=$(test/servers/redis.sh start "$work/redis" mutual)
# once [NAME]: an entry is put and settled, with that certificate.
once() {
    printf '%s\n' 'put served:once 1 {}' 'settle 5000' look |
        env ${1:+REDIS_CERT="$work/redis/$1.crt" REDIS_KEY="$work/redis/${2:-$1}.key"} "$tool" "$url" "$work/redis/ca.pem" 2>&1
}
equal "ok settled up 0 " "$(once weir | xargs) " "our certificate"
# What it says of that may get lost with the connection: then it is asked again, and health names the setting.
[[ $(once) = *"${url#*//}"*redis.cert.file* ]] || fail "none: $(once)"
[[ $(once stranger) = *"${url#*//}"*redis.cert.file* ]] || fail "another authority's: $(once stranger)"
[[ $(once weir stranger) = *WEIR_BAD_CONFIG*redis.key.file*stranger.key* ]] || fail "another key: $(once weir stranger)"
run=(env WEIR_REDIS_URL="$url" WEIR_REDIS_CA_FILE="$work/redis/ca.pem" WEIR_REDIS_CERT_FILE="$work/redis/weir.crt")
local=("$program" local projection --dir "$work/run" --once --http.port=0)
expect 2 "${run[@]}" "${local[@]}"
says "redis.key.file: it is not set"
expect 2 "${run[@]}" WEIR_REDIS_KEY_FILE=/dev/null "${local[@]}"
says "redis.key.file: /dev/null holds no key"
expect 0 "${run[@]}" WEIR_REDIS_KEY_FILE="$work/redis/weir.key" "${local[@]}"

certificate "$work/redis" ca back
for name in aged named; do
    certificate "$work/redis" ca $name "$([ $name = aged ] || echo DNS:elsewhere.test)" "$([ $name = named ] || echo -1)"
    test/servers/redis.sh cli "$work/redis" 1 config set tls-cert-file "$work/redis/$name.crt" tls-key-file "$work/redis/$name.key" >/dev/null
    once weir >"$work/$name" || :
    redis-cli -p "${url##*:}" --tls --insecure --cert "$work/redis/weir.crt" --key "$work/redis/weir.key" \
        config set tls-cert-file "$work/redis/back.crt" tls-key-file "$work/redis/back.key" >/dev/null
done
[[ $(cat "$work/aged") = *"its certificate is refused: it has expired: renew it there"* ]] || fail "too old: $(cat "$work/aged")"
[[ $(cat "$work/named") = *"it is made out to others than 127.0.0.1"* ]] || fail "another host's: $(cat "$work/named")"

echo "--- ClickHouse"
url=$(CLICKHOUSE_TLS=mutual $server start "$db")
migrate=(env WEIR_CLICKHOUSE_URL="$url" WEIR_CLICKHOUSE_CA_FILE="$db/ca.pem")
with() { echo WEIR_CLICKHOUSE_CERT_FILE="$db/$1.crt" WEIR_CLICKHOUSE_KEY_FILE="$db/${2:-$1}.key"; }
refused "${migrate[@]}" "$program" migrate clickhouse
says "certificate of its clients (clickhouse.cert.file)?"
refused "${migrate[@]}" $(with stranger) "$program" migrate clickhouse
says "certificate of its clients (clickhouse.cert.file)?"
expect 2 "${migrate[@]}" $(with weir stranger) "$program" migrate clickhouse
says "clickhouse.cert.file, clickhouse.key.file: "
expect 2 "${migrate[@]}" WEIR_CLICKHOUSE_KEY_FILE="$db/weir.key" "$program" migrate clickhouse
says "clickhouse.cert.file: it is not set"
expect 0 "${migrate[@]}" $(with weir) "$program" migrate clickhouse
expect 0 "${migrate[@]}" $(with weir) "$fill" "$url" many 100 1 1
"${migrate[@]}" "$fill" "$url" many 100 1 1 >"$work/out" 2>&1 &
children+=($!)
await grep -q "certificate of its clients (clickhouse.cert.file)?" "$work/out"

# shows NAME WORDS: a server that shows that certificate is refused so.
shows() {
    local port
    port=$(free_ports 1)
    openssl s_server -accept "127.0.0.1:$port" -cert "$db/$1.crt" -key "$db/$1.key" -quiet >"$work/shown" 2>&1 </dev/null &
    children+=($!)
    await bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
    refused env WEIR_CLICKHOUSE_URL="https://127.0.0.1:$port" WEIR_CLICKHOUSE_CA_FILE="$db/ca.pem" "$program" migrate clickhouse
    says "$2"
    kill "${children[-1]}"
    { wait "${children[-1]}"; } 2>/dev/null || :
}
certificate "$db" ca aged "" -1
certificate "$db" ca named DNS:elsewhere.test
shows aged "certificate has expired"
shows named "no alternative certificate subject name matches"

echo "--- PostgreSQL"
dsn=$(test/servers/postgres.sh start "$work/postgres" mutual)
expect 0 "$program" migrate postgres --postgres.dsn "$dsn"
refused "$program" migrate postgres --postgres.dsn "${dsn% sslcert=*} sslcert=none"
says "certificate"
refused "$program" migrate postgres --postgres.dsn "${dsn//weir.crt/stranger.crt}"
says "weir.key"
refused "$program" migrate postgres --postgres.dsn "$(sed 's/weir\.\(crt\|key\)/stranger.\1/g' <<<"$dsn")"
says "unknown ca"
