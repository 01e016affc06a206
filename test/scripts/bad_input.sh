#!/bin/bash
# Bad raw events of every kind: a dead letter with its reason for each, in the one shape, and the good ones between them arrive.
# Then good raw events damaged at random: what goes in still adds up. FORM=long: more seeds.
set -eu -o pipefail
. test/market/runs.inc
raw=ingestion.market.ticks.raw.v1

python3 test/market/bad.py records "$work/bad.jsonl" "$work/expected"
market_run "$work/bad" --in $raw="$work/bad.jsonl" --max.record.bytes=8m
market_print "$work/bad" $raw
python3 test/market/bad.py check "$work/expected" "$work/bad.run" $raw

echo "--- between our own topologies"
python3 test/market/bad.py between "$work/between.jsonl"
# between TOPOLOGY TOPIC
between() {
    market_run "$work/$1" "$1" --in "$2=$work/between.jsonl"
    for topic in "$2" "processing.deadletter.$1.v1"; do
        "$pipeline" cat "$topic" --dir "$work/$1" >"$work/$1.run/$topic"
    done
    python3 test/market/bad.py lettered "$work/$1.run" "$1" "$2"
    rm -rf "$work/$1" "$work/$1.run"
}
between enrichment normalized.market.ticks.v1
between aggregation enriched.market.ticks.v1
between projection enriched.market.ticks.v1
between projection aggregated.market.bars.1m.v1

echo "--- damaged at random"
rows=1500 seeds=3
[ "${FORM:-short}" = long ] && rows=20000 seeds=12
"$pipeline" generate --out "$work/made" --seed 3 --rows $rows >/dev/null
"$pipeline" load --dir "$work/made.log" "$work"/made/{ticks,ercot}*.csv --log.level=warn >/dev/null
for topic in $raw ingestion.ercot.raw.v1; do
    "$pipeline" cat "$topic" --dir "$work/made.log"
done >"$work/events"
# Not those of New York: a trade whose market is damaged is of a market without a zone, and the same symbol would have two days.
grep -v '"market":"NYSE"' "$work/events" >"$work/kept"
for ((seed = 1; seed <= seeds; seed++)); do
    python3 test/market/bad.py mutate $seed 3 <"$work/kept" >"$work/damaged.jsonl"
    market_run "$work/damaged" --in $raw="$work/damaged.jsonl" --log.quirks=off # offsets count records, as in conservation.sh
    market_print "$work/damaged" $raw
    events=$(wc -l <"$work/damaged.jsonl")
    # each of these events holds one price or trade
    echo "damaged rows $events events $events ticks $events absent 0" | python3 test/market/balance.py "$work/damaged.run" $raw
    rm -rf "$work/damaged" "$work/damaged.run"
done
