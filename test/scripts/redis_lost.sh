#!/bin/bash
# A Redis that loses what it had, flushed while projection is connected, or killed and started again empty, gets all that is served again by
# itself, though nothing new comes; what was dropped stays away.
. "$(dirname "$0")/cli.inc"
server=test/servers/redis.sh program=$BUILD/data-processing redis=$work/redis
trap '"$server" kill "$redis"; cleanup' EXIT

WEIR_REDIS_URL=$("$server" start "$redis")
export WEIR_REDIS_URL
"$program" generate --out "$work/made" --rows 600 --instruments 40 --hours 2 >/dev/null
expect 0 "$program" local --dir "$work/run" --once --http.port=0 "$work"/made/*.csv
served() { "$server" cli "$redis" 1 --raw keys 'served:[lc]*' | sort; }
served >"$work/before"
[ "$(wc -l <"$work/before")" -ge 40 ] || fail "only $(wc -l <"$work/before") entries"
gone=$(grep latest_price "$work/before" | head -n 1)
expect 0 "$program" rebuild projection --name latest_price --instrument "${gone##*:}" --drop --dir "$work/run"
grep -vxF "$gone" "$work/before" >"$work/want"

same() { served | grep -vxF "$gone" | cmp -s - "$work/want" && ! "$server" cli "$redis" 1 get "$gone" | grep -q price; }
marked() { [ "$("$server" cli "$redis" 1 exists served:mark:0 served:mark:15)" = 2 ]; }
"$program" local projection --dir "$work/run" --http.port=0 --redis.timeout.ms=500ms >"$work/local" 2>&1 &
children+=($!)
await marked
await same
"$server" cli "$redis" 1 flushall >/dev/null
await same
echo "flushed: $(wc -l <"$work/want") entries are back"
"$server" kill "$redis"
"$server" again "$redis"
await same
echo "killed, and empty: they are back"
[ -z "$("$server" cli "$redis" 1 get "$gone" | grep price)" ] || fail "what was dropped is back"
