#!/bin/bash
# Secrets, each with a mark of its own and given another way: a flag, a variable, a file, a line of a configuration, inside a URL and a
# connection string. None of them is in the log at its most talkative, in what HTTP answers, in errors, in the list of processes or in
# a core file.
. test/scripts/cli.inc
program=${BUILD:-build}/data-processing
mark() { printf 'MARK%s%s' "$1" "$(openssl rand -hex 12)"; }
url=$(mark url) dsn=$(mark dsn) flag=$(mark flag) variable=$(mark variable) line=$(mark line) token=$(mark token)
marks=(-e "$url" -e "$dsn" -e "$flag" -e "$variable" -e "$line" -e "$token")
printf '%s\n' "$token" >"$work/token"
printf 'kafka.ssl.key.password = %s\n' "$line" >"$work/settings"
mkdir "$work/cwd" "$work/seen"
program=$(realpath "$program")

# up SETTING...: `local` with all of them, its port in $port.
up() {
    (
        cd "$work/cwd" && ulimit -c unlimited && exec env WEIR_CLICKHOUSE_PASSWORD="$variable" "$program" local --dir "$work/d" \
            --log.level=debug --http.port=0 --clickhouse.url=http://127.0.0.1:1 --http.token.file "$work/token" \
            --redis.url="redis://user:$url/+@%41@127.0.0.1:1" --postgres.dsn "host=127.0.0.1 port=1 user=u password=$dsn dbname=d" \
            --kafka.sasl.password="$flag" --config "$work/settings" "$@"
    ) >"$work/seen/out" 2>"$work/seen/err" &
    pid=$!
    children+=("$pid")
    await grep -q id=http-open "$work/seen/err"
    port=$(sed -nE 's/.*id=http-open.* port=([0-9]+).*/\1/p' "$work/seen/err" | head -n 1)
}

echo "--- nothing of them is seen while it runs"
up
tr '\0' '\n' <"/proc/$pid/cmdline" >"$work/seen/cmdline"
for path in /health /health/ready /health/live /metrics /status /topology; do
    curl -sS --max-time 20 -i -H "Authorization: Bearer $token" "http://127.0.0.1:$port$path"
done >"$work/seen/http"
curl -sS --max-time 20 -i -H "Authorization: Bearer ${token}x" "http://127.0.0.1:$port/status" >>"$work/seen/http"
grep -q '"topologies"' "$work/seen/http" || fail "/status was not asked"
grep -q 'redis.url=redis://user:\*\*\*\*\*\*\*\*@127' "$work/seen/err" || fail "the line of settings shows no masks: $(grep id=settings "$work/seen/err")"
for name in kafka.sasl.password kafka.ssl.key.password clickhouse.password http.token; do
    grep -q "$name=\*\*\*\*\*\*\*\*" "$work/seen/err" || fail "$name is not in the line of settings"
done
! grep -rqF "${marks[@]}" "$work/seen" || fail "a secret is seen: $(grep -rF "${marks[@]}" "$work/seen" | head -n 3)"

echo "--- nor in a core file, for there is none; with core.dumps there is, and in it they are"
kill -ABRT "$pid"
wait "$pid" 2>/dev/null || :
[ -z "$(ls -A "$work/cwd")" ] || fail "a core file: $(ls "$work/cwd")"
up --core.dumps=true
kill -ABRT "$pid"
wait "$pid" 2>/dev/null || :
if [ -n "$(ls -A "$work/cwd")" ]; then
    grep -qF -e "$url" -e "$flag" "$work"/cwd/* || fail "a core file without them: then the test above shows nothing"
else
    echo "this system takes core files elsewhere, or none: left out"
fi

echo "--- nor in errors"
expect 2 env WEIR_HTTP_TOKEN="short$line" "$program" local --dir "$work/e" --http.port=0 --redis.url="rediss:/user:$url@" "--postgres.dsn=host=h passwor=$dsn"
cat "$work/out" "$work/err" >"$work/seen/errors"
expect 2 "$program" run --kafka.bootstrap.servers=127.0.0.1:1 --kafka.security.protocol=sasl_ssl --kafka.sasl.mechanism=NONE --kafka.sasl.username=u --kafka.sasl.password="$flag"
cat "$work/out" "$work/err" >>"$work/seen/errors"
expect 2 "$program" local --dir "$work/e" --config <(printf 'http.token %s\n' "$token")
cat "$work/out" "$work/err" >>"$work/seen/errors"
! grep -qF "${marks[@]}" "$work/seen/errors" || fail "a secret is in an error: $(grep -F "${marks[@]}" "$work/seen/errors")"

echo "--- files: what cannot be read, twice given, of names that may not"
refused() { expect 2 "$program" local --dir "$work/e" "${@:2}"; says "$1"; }
: >"$work/empty"
refused "$work/empty: the file is empty: write the secret into it" --clickhouse.password.file="$work/empty"
refused 'clickhouse.password is given twice, as itself and as a file: take one away' --clickhouse.password=x --clickhouse.password.file="$work/token"
refused 'unknown key "tenant.file"' --tenant.file="$work/token"
expect 3 env DATA_PROC_REDIS_PASSWORD_FILE="$work/none" "$program" local --dir "$work/e"
says "$work/none: there is no such file"
