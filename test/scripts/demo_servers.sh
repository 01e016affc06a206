#!/bin/bash
# `make demo SERVERS=1`'s script, with made-up files: four processes over a Kafka of its own, aggregation killed and started again, bars
# equal; rows in PostgreSQL, ClickHouse and Redis; left running and ended as it says; ended by a signal: in each case nothing runs on.
. test/scripts/cli.inc
export PROGRAM=${BUILD:-$PWD/build}/data-processing OUT=$work/shown SEED=4 DATA=$work/made
demo=examples/demo_servers.sh
trap 'stop_servers; cleanup' EXIT
stop_servers() {
    test/servers/kafka.sh kill "$OUT/kafka"
    test/servers/redis.sh kill "$OUT/redis"
    test/servers/clickhouse.sh kill "$OUT/clickhouse"
    test/servers/postgres.sh remove "$OUT/postgres"
} 2>/dev/null

shows() { grep -qE "$1" "$work/said" || { cat "$work/said"; fail "nothing shows $1"; }; }
# running: how many processes work below OUT. The pattern does not match itself.
running() { grep -lsa "[/]${OUT#/}" /proc/[0-9]*/cmdline 2>/dev/null | wc -l; }
none_runs() { [ "$(running)" = 0 ]; }

"$PROGRAM" generate --out "$DATA" --rows 6000 --seed 5 --corrections 5 >/dev/null

echo "--- the whole, left running"
KEEP=1 INSTRUMENT=PJM.HUB.00 "$demo" >"$work/said" 2>&1 </dev/null || { cat "$work/said" "$OUT"/*.log; fail "the demonstration ended with $?"; }
shows '^   [1-9][0-9]* events, [1-9][0-9]* bars of a minute$'
for name in normalization enrichment aggregation projection; do shows "^   $name +process [0-9]+ +http://127.0.0.1:[0-9]+/health$"; done
shows '^   exit 137, [0-9]+ bars of a minute so far$'
shows '^   ([1-9][0-9]*) bars in whole, \1 in 127.0.0.1:[0-9]+: \1 equal, 0 differ, 0 only in the first, 0 only in the second$'
shows '^  PJM.HUB.00, 2025-03-'
shows '^  +[0-9.]+ \|.*\*'
shows '^   ([1-9][0-9]*) bars in the log, \1 in ClickHouse: \1 equal, 0 missing, 0 extra, 0 different'
for table in bars_1m bars_5m bars_1h bars_1d enriched_ticks served_latest; do shows "^   ClickHouse  $table +[1-9][0-9]* rows$"; done
shows '^   Redis       served:latest_price:\* +[1-9][0-9]* keys$'
shows '^   PostgreSQL  taxonomy_instruments +[1-9][0-9]* rows$'
shows '^   ClickHouse, the last bar: PJM.HUB.00'
shows '^   Redis, the latest price: \{"version":"1,'
shows "^  SYM00 +[0-9.]+  (USD|CAD|-) +20[0-9][0-9]-[0-9][0-9]-[0-9][0-9] "
mapfile -t urls < <(sed -nE 's#^   (http://127.*)#\1#p' "$work/said")
equal 7 "${#urls[@]}" "URLs"
for url in "${urls[@]}"; do curl -sSf --max-time 20 "$url" >"$work/body" || fail "$url"; done
grep -q '"bars":\[{' "$work/body" || fail "no bars at ${urls[-1]}"
[ "$(running)" -ge 7 ] || fail "four services, a broker, Redis and ClickHouse should run"
expect 1 "$demo"
says "a demonstration still runs in $OUT"
sh -c "$(sed -nE "s/^All go on running \('(.*)' ends them\)$/\1/p" "$work/said")"
await none_runs

echo "--- ended by a signal"
env --default-signal=INT "$demo" >"$work/said" 2>&1 </dev/null &
children+=($!)
await grep -qs '^2\. Apache Kafka' "$work/said"
await grep -qs 'Kafka at 127' "$work/said"
[ "$(running)" -ge 1 ] || fail "a broker should run"
kill -INT "${children[-1]}"
code=0
wait "${children[-1]}" || code=$?
equal 130 $code "the exit of a demonstration that was interrupted"
await none_runs
