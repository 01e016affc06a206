#!/bin/bash
# Bars of market files, all intervals, equal a plain computation in another language over the same files: day-ahead, hourly and
# five-minute prices of PJM together with revised rows, MISO, ERCOT, AESO, trades. FORM=long: the files whole.
set -eu -o pipefail
. test/market/runs.inc

# exact NAME FILE...: goes on in the folder of that name; all files that it was given so far count.
exact() {
    local name=$1
    shift
    market_run "$work/$name" "$@"
    printf '%s\n' "$@" | grep -v '^--' >>"$work/$name.files"
    market_print "$work/$name"
    xargs python3 test/market/feeds.py ticks <"$work/$name.files" | python3 test/market/exact.py "$work/$name.run"
}

samples=test/market/samples
exact samples $samples/{caiso,ercot,isone,miso,pjm,ticks}_* $samples/nyiso_2025*

if [ ! -d "$real" ]; then
    echo "left out: the real files, $real is not there"
    exit 0
fi
hourly=$(market_file "$real/pjm_rt_hrl_lmps_hubs_2025-05_07.csv.gz" 1400)
ahead=$(market_file "$real/pjm_da_hrl_lmps_hubs_2025-05_07.csv.gz" 1400)
fives=$(market_file "$real/pjm_rt_5min_hubs_2023-07.csv.gz" 300)
mkdir "$work/revised"
again=$work/revised/pjm_rt_hrl_lmps_again.csv da_again=$work/revised/pjm_da_hrl_lmps_again.csv late=$work/revised/pjm_rt_hrl_lmps_late.csv
python3 test/market/revised.py "$hourly" 1 1,2,3 >"$again"
python3 test/market/revised.py "$ahead" 2 1,2 >"$da_again"
python3 test/market/revised.py "$hourly" 3 1,2,3,4 40 >"$late"
exact pjm "$hourly" "$ahead" "$fives" "$again" "$da_again"
echo "--- revised again, in a later run"
exact pjm "$late"
grep -q '"state":"correction"' "$work/pjm.run/aggregated.market.bars.1h.v1"
echo "--- and all of it sent again"
exact pjm "$late" --again

echo "--- other markets"
others=()
for file in "$real"/{miso,ercot,aeso,caiso,isone,nyiso}_*; do
    others+=("$(market_file "$file" 200)")
done
exact others "${others[@]}"
exact trades "$(market_file "$real/trades_gc_201312_tick_20131008.csv.gz" 3000)" "$real"/trades_kraken_api_xbt* \
    "$(market_file "$real/trades_spy_tick_20131007.csv.gz" 3000)" "$(market_file "$real/trades_binance_futures_ws_ethusdt_20240808.jsonl.gz" 3000)"
