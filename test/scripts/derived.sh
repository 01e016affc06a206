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

if [ ! -d "$real" ]; then
    echo "left out: the real files, $real is not there"
    exit 0
fi
derived power test/market/samples.pairs.jsonl "$(market_file "$real/pjm_rt_hrl_lmps_hubs_2025-05_07.csv.gz" 600 6000)" \
    "$(market_file "$real/pjm_da_hrl_lmps_hubs_2025-05_07.csv.gz" 600 6000)" "$(market_file "$real/aeso_smp_1min_2018-12-30.csv" 300)"
derived trades test/market/samples.pairs.jsonl "$(market_file "$real/trades_binance_futures_ws_ethusdt_20240808.jsonl.gz" 1500 20000)" "$real"/trades_kraken_api_xbt*
