#!/bin/bash
# What is dropped goes from Redis, ClickHouse's engine and HTTP, and what is not newer does not bring it back, in a new process too: a latest
# price, a curve, statistics and a spread; then what is newer is served. `rebuild projection --since` serves statistics, spreads and curves again.
. test/scripts/clickhouse.inc
redis=$work/redis
trap 'test/servers/redis.sh kill "$redis"; $server kill "$db"; cleanup' EXIT
keys=(latest_price:t:A curve_snapshot:t:C:3m custom:rolling_stat:t:A:5m custom:spread:t:A)
keys=("${keys[@]/#/served:}")

WEIR_REDIS_URL=$(test/servers/redis.sh start "$redis")
WEIR_CLICKHOUSE_URL=$($server start "$db")
export WEIR_REDIS_URL WEIR_CLICKHOUSE_URL
expect 0 "$program" migrate clickhouse

# records N EPOCH TIME: of each sort one, of that epoch, of the second TIME of a day.
records() {
    python3 - "$work/in$1" "$2" "$3" <<'END'
import json, sys
folder, epoch, second = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
import os
os.makedirs(folder)
at = 1735689600000000 + second * 1000000
said = {"window_start": at, "window_end": at + 60000000, "quality_flags": ["valid"], "state": "final", "epoch": epoch, "revision": 1, "currency": None, "unit": None}
def put(name, topic, key, value):
    with open(f"{folder}/{name}", "w") as to:
        print(json.dumps({"topic": topic, "key": "t/" + key, "timestamp": at // 1000, "value": {"schema_version": 1, "tenant_id": "t", **value}}), file=to)
put("ticks", "enriched.market.ticks.v1", "A", {"tick_id": f"{second:064x}", "instrument_id": "A", "market": "CME", "kind": "trade", "event_time": at, "sequence": 1, "interval": 0,
    "revision": 1, "ingested_at": at, "normalized_at": at, "price": second, "volume": 2, "quality_flags": [], "metadata": {}, "tags": [],
    "taxonomy": {"commodity": "unknown", "region": "unknown", "product_tier": "standard", "confidence": 0.4, "method": "market_default"}, "reference_version": 0})
put("stats", "aggregated.market.stats.v1", "A", {"instrument_id": "A", "window": "5m", **said, "count": 2, "mean": second, "min": 1, "max": 2, "range": 1,
    "standard_deviation": 0.5, "volume": None, "first_event_time": 1, "last_event_time": 2})
put("spreads", "aggregated.market.spreads.v1", "A", {"pair_id": "A", "kind": "calendar", "interval": "1m", **said, "value": second, "legs": [], "stale": False})
put("curves", "pricing.curve.updates.v1", "C", {"curve_id": "C", "interval": "1m", **said, "as_of": "2025-01-01", "method": "linear", "day_count": "act_365",
    "points": [], "horizons": [{"horizon": "3m", "date": 1, "days": 92, "price": second}], "stale": False})
END
}
# bring N: these records, into the same folder.
bring() {
    expect 0 "$program" local projection --dir "$work/run" --once --http.port=0 --in enriched.market.ticks.v1="$work/in$1/ticks" \
        --in aggregated.market.stats.v1="$work/in$1/stats" --in aggregated.market.spreads.v1="$work/in$1/spreads" --in pricing.curve.updates.v1="$work/in$1/curves"
}
# what Redis and ClickHouse have of each: its second, or - where there is none.
held() {
    test/servers/redis.sh cli "$redis" 1 --raw mget "${keys[@]}" | sed -E 's/^$|.*"deleted":true\}$/-/; s/.*"(price|mean|value)":([0-9]+).*/\2/'
    ask "SELECT if(count() = 0, '-', toString(any(price))) FROM data_processing.served_latest FINAL WHERE tenant_id = 't' UNION ALL
        SELECT if(count() = 0, '-', toString(any(price))) FROM data_processing.served_curve_snapshots FINAL WHERE tenant_id = 't'"
}
# holds SECOND... WHAT: of latest price, curve, statistics, spread; of latest price and curve in ClickHouse.
holds() { equal "${*:1:6}" "$(held | xargs)" "$7"; }

# again: what came of the log is read once more, where nothing was dropped.
again() {
    for table in served_latest served_curve_snapshots; do ask "TRUNCATE TABLE data_processing.$table"; done
    test/servers/redis.sh cli "$redis" 1 flushall >/dev/null
    expect 0 "$program" rebuild projection --since 2025-01-01 --dir "$work/run"
    expect 0 "$program" local projection --dir "$work/run" --once --http.port=0
    holds 10 10 10 10 10 10 "what a rebuild since a time serves again"
}

records 1 1 10
records 2 1 5
records 3 1 20
bring 1
holds 10 10 10 10 10 10 "served"
again
for id in A C; do expect 0 "$program" rebuild projection --instrument $id --tenant t --drop --dir "$work/run"; done
expect 0 "$program" local projection --dir "$work/run" --once --http.port=0
says "id=nothing-invalid key=t/A projection=curve_snapshot"
holds - - - - - - "what was dropped"
for key in "${keys[@]}"; do echo "pttl $key"; done | test/servers/redis.sh cli "$redis" 1 >"$work/ttl"
awk '$1 < -2 || $1 > 60000 { exit 1 }' "$work/ttl" || fail "what was dropped stays for $(xargs <"$work/ttl") ms"
test/servers/redis.sh cli "$redis" 1 flushall >/dev/null # as after that time: now what projection remembers counts alone
for file in "$work"/in1/*; do cat "$file" >>"$work/in2/${file##*/}"; done
bring 2
holds - - - - - - "what was dropped, and older, and the same once more"
bring 3
holds 20 20 20 20 20 20 "what is newer"
equal 3 "$(ask "SELECT count() FROM data_processing.enriched_ticks FINAL")" "ticks, which stay"

expect 0 "$program" rebuild projection --name spread --instrument A --tenant t --drop --dir "$work/run"
expect 0 "$program" local projection --dir "$work/run" --once --http.port=0
holds 20 20 20 - 20 20 "a drop of one custom type"

