#!/bin/bash
# Market files become the ticks that a plain computation in another language makes of them, one by one.
set -eu -o pipefail
feeds=$BUILD/test/market/market
python=test/market/feeds.py
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

# compare FILE...: the same ticks, and rows = raw events, raw events = prices or components, absent, refused.
compare() {
    for file in "$@"; do
        "$feeds" ticks "$file" | grep -v '^!' | sort >"$work/ours" || true
        python3 "$python" ticks "$file" | sort >"$work/plain"
        "$feeds" counts "$file" | sed 's/ [a-z]*$//' >"$work/ours.counts"
        python3 "$python" counts "$file" >"$work/plain.counts"
        diff "$work/ours.counts" "$work/plain.counts"
        if ! cmp -s "$work/ours" "$work/plain"; then
            echo "$file: the ticks differ, ours left, plain right:"
            diff "$work/ours" "$work/plain" | head -n 10
            exit 1
        fi
    done
}

compare test/market/samples/*

real=../shared/data/real
if [ ! -d $real ]; then
    echo "left out: the real files, $real is not there"
    exit 0
fi

compare $real/trades_gc_201312_tick_20131008.csv.gz $real/pjm_rt_hrl* $real/ercot_* $real/miso_* \
    $real/aeso_* $real/caiso_2* $real/isone_api* $real/nyiso_2022* $real/trades_kraken_api_xbt*
[ "${FORM:-short}" = short ] || compare $real/pjm_da* $real/pjm_rt_5min* $real/caiso_rt* $real/isone_* $real/nyiso_rt* $real/trades_binance* \
    $real/trades_spy_tick*

"$feeds" counts $real/trades_gc_201312_tick_20131008.csv.gz | grep -q 'events 52038 ticks 52038 '
for bars in $real/*_bars_* $real/*ohlc*; do
    "$feeds" counts "$bars" | grep -q ' refused published_bars: '
done
