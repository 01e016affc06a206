#!/bin/bash
# The pipeline serves by Redis: what it has at the end is what the topic of latest prices has, key by key and byte by byte, though the
# server hangs in mid-run and the program is killed; after rows that come late and out of order too; and an entry that is dropped goes.
. "$(dirname "$0")/cli.inc"
server=$(dirname "$0")/../servers/redis.sh
program=$BUILD/data-processing
redis=$work/redis
trap '[ ! -e "$redis/kind" ] || "$server" kill "$redis"; cleanup' EXIT

# run FILE...: in the background, to its end.
run() {
    "$program" local --dir "$work/dir" --once --redis.timeout.ms=500ms "$@" >"$work/out" 2>>"$work/err" &
    pid=$!
    children+=($pid)
}
served() { "$server" cli "$redis" 1 --raw keys 'served:latest_price:*'; }
some_served() { [ -n "$(served)" ]; }

# expected: "key value" of each, as the topic's last records and their versions say.
expected() {
    "$program" cat served.market.latest_prices.v1 --dir "$work/dir" | python3 -c 'import json, sys
last = {}
for line in sys.stdin:
    text = line[line.index("\"value\":") + 8 : line.rindex("}")]
    last[json.loads(line)["key"]] = text
for key, text in last.items():
    v = json.loads(text)
    version = [v["epoch"], v["event_time"], v["sequence"], v["tick_id"], 0 if "fallback" in v["quality_flags"] else 1, v["revision"], v["ingested_at"]]
    print("served:latest_price:" + key.replace("/", ":"), "{\"version\":\"" + ",".join(map(str, version)) + "\"," + text[1:])' | sort
}
actual() { served | while read -r key; do echo "$key $("$server" cli "$redis" 1 get "$key")"; done | sort; }

same() {
    expected >"$work/expected"
    actual >"$work/actual"
    [ "$(wc -l <"$work/expected")" -ge "$1" ] || fail "only $(wc -l <"$work/expected") prices"
    cmp "$work/expected" "$work/actual" || fail "Redis differs from the topic: $(diff "$work/expected" "$work/actual" | head -n 4)"
}

"$program" generate --out "$work/made" --rows 5000 --instruments 30 --shuffle 10m --duplicates 5 --corrections 5 --late 5 >"$work/out"
WEIR_REDIS_URL=$("$server" start "$redis" password)
export WEIR_REDIS_PASSWORD=s%cr:t WEIR_REDIS_URL=redis://${WEIR_REDIS_URL#*@}
mkdir "$work/dir"
run "$work"/made/*.csv
await some_served
kill -STOP "$(cat "$redis/node1/pid")"
await grep -q 'id=outlet-down .*outlet=redis .*it does not answer' "$work/err"
{ kill -9 $pid; wait $pid; } 2>/dev/null || :
kill -CONT "$(cat "$redis/node1/pid")"
run "$work"/made/*.csv
wait $pid || { tail "$work/err" >&2; fail "the second run ended with $?"; }
same 30
echo "the server hung, the program was killed: $(wc -l <"$work/actual") prices are the topic's"

run "$work"/made/late/*.csv
wait $pid || { tail "$work/err" >&2; fail "late rows: ended with $?"; }
same 30
echo "late rows: the same"

key=$(served | sort | head -n 1)
was=$("$server" cli "$redis" 1 get "$key")
"$program" rebuild projection --name latest_price --instrument "${key##*:}" --drop --dir "$work/dir" >"$work/out"
run
wait $pid || { tail "$work/err" >&2; fail "a drop: ended with $?"; }
equal "$(sed -E 's/^(\{"version":"[^"]*").*/\1,"deleted":true}/' <<<"$was")" "$("$server" cli "$redis" 1 get "$key")" "what was dropped"
[ -z "$("$program" cat processing.deadletter.projection.v1 --dir "$work/dir")" ] || fail "dead letters of projection"
echo "an entry that was dropped: its version stays"
! grep -q 's%cr' "$work/err" || fail "a password was said"
