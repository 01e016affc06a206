#!/bin/bash
# A spread and a curve whose members come to disagree, after they were told, are withdrawn: in their topics by one more revision, in Redis
# by a deletion, in ClickHouse by a row that readers leave out, over HTTP by 404; mended, they are what they were.
. test/scripts/clickhouse.inc
redis=$work/redis
trap '$server kill "$db"; [ ! -e "$redis/kind" ] || test/servers/redis.sh kill "$redis"; cleanup' EXIT

names=(XG.202507 XG.202508)
{
    echo symbol,timestamp,source_id,market,sequence,price,volume
    for ((i = 0; i < 60; i++)); do
        printf '%s,2025-06-02T10:%02d:%02dZ,made,XV,%d,%d.5,1\n' "${names[i % 2]}" $((i / 2)) $((i % 50)) $((i + 1)) $((100 + i * 7 % 11))
    done
} >"$work/ticks.csv"
echo '{"pair_id": "XG.CAL", "kind": "calendar", "legs": [{"instrument_id": "XG.202507", "weight": 1}, {"instrument_id": "XG.202508", "weight": -1}]}' >"$work/pairs.jsonl"
echo '{"curve_id": "XG", "horizons": ["1m", "2m"], "members": [{"instrument_id": "XG.202507"}, {"instrument_id": "XG.202508"}]}' >"$work/curves.jsonl"
export WEIR_REDIS_URL WEIR_CLICKHOUSE_URL
WEIR_REDIS_URL=$(test/servers/redis.sh start "$redis")
WEIR_CLICKHOUSE_URL=$($server start "$db")
expect 0 "$program" migrate clickhouse

# run CURRENCY [FLAG...]: the ticks, the second one in this currency.
run() {
    printf 'instrument_id,currency\n%s,USD\n%s,%s\n' "${names[@]}" "$1" >"$work/reference.csv"
    expect 0 "$program" local --dir "$work/run" --once --log.level=warn --reference "$work/reference.csv" --reference "$work/pairs.jsonl" \
        --reference "$work/curves.jsonl" "${@:2}" "$work/ticks.csv"
}
# last TOPIC: how many windows its last records withdraw, and how many stand.
last() {
    "$program" cat "$1" --dir "$work/run" | python3 -c 'import json, sys
last = {}
for line in sys.stdin:
    value = json.loads(line)["value"]
    if value.get("kind") == "bid_ask":
        continue
    was = last.get(value["window_start"])
    assert was is None or (was["epoch"], was["revision"]) < (value["epoch"], value["revision"]), (was, value)
    last[value["window_start"]] = value
for value in last.values():
    if value["state"] == "withdrawn":
        assert value.get("value") is None and not value.get("legs") and not value.get("points"), value
        assert all(at["price"] is None for at in value.get("horizons") or ()), value
states = [value["state"] == "withdrawn" for value in last.values()]
print(sum(states), "withdrawn,", len(states) - sum(states), "stand")'
}
rows() { ask "SELECT countIf(state = 'withdrawn'), countIf(state != 'withdrawn') FROM data_processing.$1 FINAL" | tr '\t' ' '; }
keys=(served:custom:spread:default:XG.CAL served:curve_snapshot:default:XG:1m served:curve_snapshot:default:XG:2m)
# which of the keys have no entry: a deletion, or after its seconds nothing.
deleted() { test/servers/redis.sh cli "$redis" 1 --raw mget "${keys[@]}" | sed -E 's/^$|.*"deleted":true.*/1/; t; s/.*/0/' | xargs; }

# answers STATUS: over HTTP, of the pair and of the curve.
answers() {
    local port query about="tenant_id=default&instrument_id"
    : >"$work/local" # of a former one
    "$program" local --dir "$work/run" --http.port=0 --log.level=info projection >"$work/local" 2>&1 &
    children+=($!)
    await grep -q id=http-open "$work/local"
    port=$(sed -nE 's/.*id=http-open.* port=([0-9]+).*/\1/p' "$work/local" | head -n 1)
    for query in "custom?$about=XG.CAL&projection_type=spread" "curve_snapshot?$about=XG&horizon=1m"; do
        await bash -c "curl -s -o '$work/answer' -w '%{http_code}' 'http://127.0.0.1:$port/projections/$query' | grep -x $1"
    done
    kill -TERM "${children[-1]}"
    wait "${children[-1]}"
}

# all WITHDRAWN STAND DELETED WHAT
all() {
    for topic in aggregated.market.spreads.v1 pricing.curve.updates.v1; do equal "$1 withdrawn, $2 stand" "$(last $topic)" "$topic $4"; done
    for table in spreads curves; do equal "$1 $2" "$(rows $table)" "rows of $table $4"; done
    equal "$(($1 > 0 ? 2 : 0)) $(($1 > 0 ? 0 : 2))" "$(rows served_curve_snapshots)" "rows of served_curve_snapshots $4"
    equal "$3" "$(deleted)" "what is deleted in Redis $4"
    answers $(($1 > 0 ? 404 : 200))
}
run USD
all 0 30 "0 0 0" "at first"
cp -r "$work/run" "$work/first"

echo "--- the second one is in another currency, it is said afterwards"
run CAD --again --backfill
all 30 0 "1 1 1" "once they disagree"
letters=$("$program" dlq list aggregation --code currency_mismatch --dir "$work/run" --json --summary | sed -E 's/.*"letters":([0-9]+).*/\1/' | awk '{ sum += $1 } END { print sum + 0 }')
[ "$letters" -ge 60 ] || fail "only $letters dead letters say why"
expect 1 "$program" diff "$work/first" "$work/run" --of spreads,curves
equal 2 "$(grep -c '^30 .* in .*, 0 in .*: 0 equal, 0 differ, 30 only in the first, 0 only in the second$' "$work/out")" "kinds that are gone"
run CAD --again --backfill
all 30 0 "1 1 1" "and once more"

echo "--- mended"
run USD --again --backfill
all 0 30 "0 0 0" "once they agree"
expect 0 "$program" diff "$work/first" "$work/run" --of spreads,curves
