#!/bin/bash
# Nothing is lost: raw events are ticks, dead letters, or counted under a reason; ticks are in bars, or counted. FORM=long: all files
# whole, else the heads of the large ones.
set -eu -o pipefail
. test/market/runs.inc

# balanced NAME TOPIC FILE...: one run over the files adds up.
balanced() {
    local name=$1 topic=$2
    shift 2
    market_run "$work/$name" "$@" --log.quirks=off # offsets count the records of a compacted topic: no marks between them
    market_print "$work/$name" "$topic"
    python3 test/market/feeds.py counts "$@" | python3 test/market/balance.py "$work/$name.run" "$topic"
    rm -rf "$work/$name" "$work/$name.run"
}

# Of these all rows are read by two implementations; some rows have no such time, some components are absent.
balanced samples-aeso ingestion.aeso.raw.v1 test/market/samples/aeso_*
balanced samples-nyiso ingestion.nyiso.raw.v1 test/market/samples/nyiso_*

if [ ! -d "$real" ]; then
    echo "left out: the real files, $real is not there"
    exit 0
fi
# all_balanced NAME TOPIC ROWS FILE...: each file by itself, in the short form their heads in one run.
all_balanced() {
    local name=$1 topic=$2 rows=$3 file heads=()
    shift 3
    for file in "$@"; do
        heads+=("$(market_file "$file" "$rows")")
        if [ "${FORM:-short}" = long ]; then
            balanced "$name" "$topic" "${heads[@]}"
            heads=()
        fi
    done
    [ ${#heads[@]} = 0 ] || balanced "$name" "$topic" "${heads[@]}"
}

for market in miso ercot pjm; do
    all_balanced $market ingestion.$market.raw.v1 120 "$real/$market"_*
done
all_balanced trades ingestion.market.ticks.raw.v1 4000 "$real"/trades_*_tick_* "$real"/trades_kraken_api_xbt* "$real"/trades_binance_*
