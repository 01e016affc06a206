#!/bin/bash
# Each topic in the form that is its own, and in the other one where settings say so: the same bars, statistics and spreads come of either, and
# what is asked for by a wrong word is refused by name.
. test/scripts/cli.inc
market=${BUILD:-build}/data-processing

"$market" generate --out "$work/made" --rows 400 --hours 3 --instruments 3 >/dev/null
printf '%s\n' '{"pair_id":"P.C","kind":"inter_market","legs":[{"instrument_id":"PJM.HUB.00","weight":1},{"instrument_id":"ERCOT.HUB.00","weight":-1}],"max_age_ms":3600000}' >"$work/pairs.jsonl"
topics=(normalized.market.ticks.v1 enriched.market.ticks.v1 aggregated.market.bars.1m.v1 aggregated.market.stats.v1 aggregated.market.spreads.v1
    served.market.latest_prices.v1)
flipped=(--normalization.ticks.format=json --enrichment.enriched.format=json --aggregation.bars_1m.format=msgpack --aggregation.stats.format=msgpack
    --aggregation.spreads.format=msgpack --projection.prices.format=msgpack)

# forms DIR: of each topic, in what its values are written.
forms() {
    "$market" topic backup "${topics[@]}" --dir "$1" --to "$1.saved" >/dev/null
    for topic in "${topics[@]}"; do
        echo "$topic" "$(cat "$1.saved/$topic"/[0-9]*.jsonl | grep -o '"value":{"base64":"...' | sed 's/.*"//; s/^eyJ$/json/; s/^3AA$/msgpack/' | sort -u)"
    done
}

expect 0 "$market" local --dir "$work/own" --once --log.level=warn --reference "$work/pairs.jsonl" "$work"/made/*.csv
expect 0 "$market" local --dir "$work/other" --once --log.level=warn "${flipped[@]}" --reference "$work/pairs.jsonl" "$work"/made/*.csv
equal "normalized.market.ticks.v1 msgpack
enriched.market.ticks.v1 msgpack
aggregated.market.bars.1m.v1 json
aggregated.market.stats.v1 json
aggregated.market.spreads.v1 json
served.market.latest_prices.v1 json" "$(forms "$work/own")" "forms where nobody says otherwise"
equal "normalized.market.ticks.v1 json
enriched.market.ticks.v1 json
aggregated.market.bars.1m.v1 msgpack
aggregated.market.stats.v1 msgpack
aggregated.market.spreads.v1 msgpack
served.market.latest_prices.v1 msgpack" "$(forms "$work/other")" "forms that are asked for"
expect 0 "$market" diff "$work/own" "$work/other"

# last DIR TOPIC: what cat says of each key's last record, but for clocks and for how often it was sent, which is chance.
last() {
    "$market" cat "$2" --dir "$1" | sed -E 's/"(normalized_at|processing_lag_ms|offset|revision|timestamp)":[0-9]+,?//g; s/"headers":\[[^]]*\]\]?,?//' |
        python3 -c 'import json, sys
print(*sorted(dict((str(json.loads(line)["key"]) + str(json.loads(line)["value"].get("tick_id")), line) for line in sys.stdin).values()), sep="")'
}
for topic in normalized.market.ticks.v1 enriched.market.ticks.v1 served.market.latest_prices.v1; do # of the others diff knows what comes instead of what
    last "$work/own" "$topic" >"$work/one"
    last "$work/other" "$topic" >"$work/two"
    [ -s "$work/one" ] || fail "$topic is empty"
    cmp "$work/one" "$work/two" || { diff "$work/one" "$work/two" | head -n 6; fail "$topic: cat shows the forms as different records"; }
done

expect 2 "$market" describe --projection.prices.format=xml
grep -q 'projection.prices.format is "xml": give json or msgpack' "$work/err" || fail "a form that is none is not named"
expect 2 "$market" describe --projection.rejects.format=json
grep -q 'format means nothing for rejects' "$work/err" || fail "dead letters have one form"
