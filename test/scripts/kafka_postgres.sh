#!/bin/bash
# Reference data from PostgreSQL over Apache Kafka: the first ticks of all meet whole tables, those of their tenant; a loader that is
# killed in the middle of a load leaves what the next one completes; one that is frozen with its rows sent, while another takes over,
# writes nothing that counts; the database away for 15 s in mid-run, changed meanwhile (FORM=long: for 30 s and for 5 min).
. test/scripts/cli.inc
kafka=test/servers/kafka.sh server=test/servers/postgres.sh
trap '$kafka kill "$work/kafka"; $server remove "$work/pg"; cleanup' EXIT
market=$BUILD/data-processing
rows=30000 outages=(15)
[ "${FORM:-short}" = short ] || { rows=201000 outages=(30 300); }

$kafka start "$work/kafka" >"$work/brokers" &
dsn=$($server start "$work/pg")
wait $!
export WEIR_KAFKA_BOOTSTRAP_SERVERS=$(cat "$work/brokers") WEIR_POSTGRES_DSN=$dsn WEIR_TOPICS_PARTITIONS=4
sql() { $server sql "$work/pg" "$@"; }
declare -A pids

# serve NAME [MOMENT]: a process of enrichment. Its words are those of this life.
serve() {
    : >"$work/$1.log"
    WEIR_CRASH_AT=${2:-} "$market" run enrichment --instance.id="$1" --state.dir="$work/state-$1" --threads=1 --http.port=0 \
        --commit.interval.ms=20 --kafka.session.timeout.ms=4000 --kafka.heartbeat.interval.ms=500 \
        --kafka.transaction.timeout.ms=4000 --log.level=info >"$work/$1.log" 2>&1 </dev/null &
    pids[$1]=$!
    children+=($!)
}
show() { tail -n 20 "$work"/*.log >&2; fail "$1"; }
ask() { curl -s -m 5 "127.0.0.1:$(sed -nE 's/.*id=http-open.* port=([0-9]+).*/\1/p' "$work/$1.log")$2"; }
is_ready() { ask "$1" /health/ready | grep '"ready":true' >/dev/null; }
# checks NAME STATUS: its check of reference data; degraded at worst.
checks() {
    ask "$1" /health | python3 -c 'import json, sys
health = json.load(sys.stdin)
assert health["healthy"] and health["checks"]["enrichment.reference"]["status"] == sys.argv[1], health' "$2"
}
gone() { ! runs "${pids[$1]}"; }
frozen() { grep -q '^State:.*T' "/proc/${pids[$1]}/status"; }
leave() {
    kill -TERM "${pids[$1]}"
    wait "${pids[$1]}" || show "$1: the stop ended with $?"
}

# told TOPIC: "key version region" of each record of a topic, in order; version "-" where it was deleted.
told() {
    "$market" cat "reference.$1.v1" | python3 -c 'import json, sys
for line in sys.stdin:
    record = json.loads(line)
    value = record["value"] or {}
    print(record["key"], value.get("version", "-"), value.get("region", "-"))'
}
count() { "$market" cat "reference.$1.v1" 2>/dev/null | wc -l; }

echo "--- $rows rows of three tenants, of the same ids; the loader is killed in the middle of its first load"
"$market" migrate postgres >/dev/null
sql "insert into taxonomy_instruments (tenant_id, instrument_id, commodity, region) select t, 'SYM' || to_char(n, 'FM000000'), 'gold', t || n
    from unnest(array['a', 'b', 'c']) t, generate_series(0, $rows / 3 - 1) n"
{
    echo "symbol,timestamp,market,sequence,price,volume,currency,unit"
    for ((i = 0; i < 200; i++)); do printf 'SYM%06d,2024-01-02T10:%02d:00Z,CME,%d,%d.5,1,USD,lot\n' $((i * rows / 600)) $((i % 60)) $i $i; done
} >"$work/ticks.csv"
for tenant in a b c; do "$market" load --tenant $tenant "$work/ticks.csv" >/dev/null 2>&1; done
"$market" run normalization --once --state.dir="$work/state-n" --log.level=warn 2>"$work/n.log" || show "normalization failed"
for ((at = 3; at < 12; at++)); do # commits of ticks that wait may come before the loader's first one
    serve killed before-commit:$at
    await gone killed
    wait "${pids[killed]}" || :
    part=$(count instruments)
    [ "$part" = 0 ] || break
done
[ "$part" -gt 0 ] && [ "$part" -lt $rows ] || fail "$part rows are committed of a load that was killed in its middle"
equal 0 "$(count loads)" "loads that have ended"

echo "--- two processes complete it: each row once; ticks meet the rows of their tenant, all of them"
serve one
serve two
for name in one two; do await is_ready $name; done
is_loaded() { [ "$(count loads)" -gt 0 ]; }
await is_loaded
told instruments >"$work/told"
equal $rows "$(sort -u "$work/told" | wc -l)" "rows"
equal $rows "$(grep -c ' 1 ' "$work/told")" "records of rows"
enriched() { "$market" cat enriched.market.ticks.v1 2>/dev/null >"$work/ticks"; [ "$(wc -l <"$work/ticks")" = 600 ]; }
await enriched
python3 - "$work/ticks" <<'EOT' || show "ticks do not say what their rows say"
import json, sys
for line in open(sys.argv[1]):
    tick = json.loads(line)["value"]
    want = tick["tenant_id"] + str(int(tick["instrument_id"][3:]))
    assert tick["reference_version"] == 1 and tick["taxonomy"]["region"] == want, tick
EOT
equal 1 "$(grep -l id=reference-loaded "$work/one.log" "$work/two.log" | wc -l)" "processes that load"
leave one
leave two

echo "--- a loader is frozen with rows sent, another one takes over, the first one wakes up"
serve zombie after-flush:1:stop
await checks zombie healthy
sql "update taxonomy_instruments set region = 'new' where tenant_id = 'b'" "delete from taxonomy_instruments where tenant_id = 'c' and instrument_id < 'SYM000010'"
await frozen zombie
serve heir
changed() { [ "$(told instruments | grep -c ' 2 new\| - -')" -ge $((rows / 3 + 10)) ]; }
await is_ready heir
await changed
kill -CONT "${pids[zombie]}"
sql "insert into taxonomy_instruments (tenant_id, instrument_id, region) values ('a', 'LAST', 'end')"
has_last() { told instruments | grep -x 'a/LAST 1 end' >/dev/null; }
await has_last
settled() { [ "$(grep -c 'id=stopped\|level=error\|id=recover\|id=fenced\|abort' "$work/zombie.log")" -gt 0 ] || gone zombie || is_ready zombie; }
await settled
told instruments >"$work/told"
equal "$((rows / 3)) 10 1" "$(grep -c ' 2 new' "$work/told") $(grep -c ' - -' "$work/told") $(grep -c LAST "$work/told")" "records of what changed"
equal "" "$(sort "$work/told" | grep -v ' - -' | uniq -d | sed 3q)" "records that came twice"
gone zombie || leave zombie

for seconds in "${outages[@]}"; do
    echo "--- the database is away for $seconds s, and changed meanwhile"
    $server kill "$work/pg"
    await checks heir unhealthy
    $server aside "$work/pg" "update taxonomy_instruments set region = 'away$seconds' where tenant_id = 'a'"
    "$market" load --again --tenant a "$work/ticks.csv" >/dev/null 2>&1 # goes on with what is there
    sleep "$seconds" # as long as it is away; nothing is waited for
    checks heir unhealthy || show "health says nothing of a database that is away"
    $server again "$work/pg" >/dev/null
    caught_up() { [ "$(told instruments | grep -c " away$seconds$")" = $((rows / 3 + 1)) ]; }
    await caught_up
    await checks heir healthy
done
leave heir
! grep -n 'password=secret' "$work"/*.log || fail "the password was said"
