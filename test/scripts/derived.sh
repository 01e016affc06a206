#!/bin/bash
# Rolling statistics, bid-ask and other spreads, basis and forward curves equal a plain computation in another language, written from docs/statistics.md: over
# made-up futures (months that end, gaps, prices of zero and below, sums that end in a half, quotes; bars of 15m and 4h among them), and over market files with pairs of day-ahead and real time.
set -eu -o pipefail
. test/market/runs.inc
topics="aggregated.market.stats.v1 aggregated.market.spreads.v1 pricing.curve.updates.v1"

# derived NAME DEFINITIONS FILE...: a run of the files, compared.
derived() {
    local name=$1 topic flags=() definitions
    read -r -a definitions <<<"$2"
    shift 2
    for topic in "${definitions[@]}"; do flags+=(--reference "$topic"); done
    market_run "$work/$name" --aggregation.bars.intervals=1m,5m,15m,1h,4h,1d "${flags[@]}" "$@"
    for topic in $topics; do "$pipeline" cat "$topic" --dir "$work/$name" >"$work/$name.run/$topic"; done
    python3 test/market/feeds.py ticks "$@" | python3 test/market/derived.py check "$work/$name.run" "${definitions[@]}"
}

seeds="3"
[ "${FORM:-short}" = short ] || seeds="1 2 3 4 5 6 7 8"
for seed in $seeds; do
    mkdir "$work/made$seed"
    python3 test/market/derived.py make "$work/made$seed" "$seed"
    derived "run$seed" "$work/made$seed/pairs.jsonl $work/made$seed/curves.jsonl" "$work/made$seed/ticks.csv"
done

# twelve ticks of one instant and sequence, of other feeds: they are in the order of their ids
WANT=$work/want python3 - >"$work/ties" <<'END'
import hashlib, json
def tick(n, at, price):
    name = hashlib.sha256(str(n).encode()).hexdigest()
    print(json.dumps({"key": "t/A", "timestamp": at // 1000, "value": {"schema_version": 1, "tenant_id": "t", "tick_id": name, "instrument_id": "A", "market": "CME", "kind": "trade",
        "event_time": at, "sequence": 7, "interval": 0, "revision": 1, "ingested_at": at, "normalized_at": at, "price": price, "volume": 2, "quality_flags": ["valid"], "metadata": {},
        "tags": [], "taxonomy": {"commodity": "u", "region": "u", "product_tier": "standard", "confidence": 0.4, "method": "market_default"}, "reference_version": 0}}))
    return name, price
ticks = [tick(n, 1735689600000000, n * n) for n in range(12)]
tick(99, 1735696800000000, 1000)
open(__import__("os").environ["WANT"], "w").write(str((1000 + sum(price for _, price in sorted(ticks)[-9:])) / 10) + "\n")
END
"$pipeline" try aggregation --in enriched.market.ticks.v1="$work/ties" 2>/dev/null |
    sed -nE 's/.*"window":"last_10".*"count":10,"mean":([0-9.]+),.*/\1/p' | tail -n 1 >"$work/have"
cmp "$work/want" "$work/have" || { echo "the last ten of ticks of one instant are not the greatest by id"; exit 1; }

if [ ! -d "$real" ]; then
    echo "left out: the real files, $real is not there"
    exit 0
fi
derived power test/market/samples.pairs.jsonl "$(market_file "$real/pjm_rt_hrl_lmps_hubs_2025-05_07.csv.gz" 600 6000)" \
    "$(market_file "$real/pjm_da_hrl_lmps_hubs_2025-05_07.csv.gz" 600 6000)" "$(market_file "$real/aeso_smp_1min_2018-12-30.csv" 300)"
derived trades test/market/samples.pairs.jsonl "$(market_file "$real/trades_binance_futures_ws_ethusdt_20240808.jsonl.gz" 1500 20000)" "$real"/trades_kraken_api_xbt*
