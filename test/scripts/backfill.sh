#!/bin/bash
# A backfill: windows that have left begin anew from it, under an epoch of its own, whatever their age; the bars are those
# of a run that had its files from the start. Without --backfill the same rows are too late. Killed and repeated it goes on.
set -eu -o pipefail
. test/market/runs.inc

# What was loaded first, and what puts it far behind the instruments' own time.
trades=$work/trades_gc_201312_tick_20131108.csv prices=$work/pjm_rt_hrl_lmps.csv
cp test/market/samples/trades_gc_201312_tick_20131108_sample.csv "$trades"
cp test/market/samples/pjm_rt_hrl_lmps_sample.csv "$prices"
later=$work/trades_gc_201312_tick_20131208.csv later_prices=$work/pjm_rt_hrl_lmps_later.csv
cp "$trades" "$later"
sed 's/2025/2026/g' "$prices" >"$later_prices"
equal() { "$pipeline" diff "$work/$1" "$work/$2" || { echo "$1 and $2 differ"; exit 1; }; }
other() { ! "$pipeline" diff "$work/$1" "$work/$2" >"$work/said" || { echo "$1 and $2 do not differ"; exit 1; }; }
# epochs FOLDER: the epochs of its minute bars
epochs() { "$pipeline" cat aggregated.market.bars.1m.v1 --dir "$work/$1" | sed 's/.*"epoch":\([0-9]*\).*/\1/' | sort | uniq -c; }
letters() { "$pipeline" cat processing.deadletter.aggregation.v1 --dir "$work/$1" | grep -c '"code":"too_late"' || true; }

market_run "$work/plain" "$trades" "$prices"
market_run "$work/plain" "$later" "$later_prices"
cp -r "$work/plain" "$work/filled"

echo "--- again, without --backfill: too late, each row"
market_run "$work/plain" --again "$trades" "$prices"
equal plain filled
[ "$(letters plain)" -gt 0 ]

echo "--- again, as backfill: the same bars, of another epoch"
market_run "$work/filled" --again --backfill "$trades" "$prices"
equal plain filled
[ "$(letters filled)" = 0 ]
[ "$(epochs filled | awk '$2 == 2 { print $1 }')" = "$(epochs filled | awk '$2 == 1 { print $1 / 2 }')" ]

echo "--- with other prices: those of the backfill"
sed -i '1s/^\([^,]*\),[^,]*/\1,20000000/' "$trades"
sed -i '2,$s/,\([0-9]*\.[0-9]*\),/,1\1,/' "$prices"
market_run "$work/fresh" "$trades" "$prices"
market_run "$work/fresh" "$later" "$later_prices"
other fresh filled
market_run "$work/filled" --backfill "$trades" "$prices"
equal fresh filled
[ "$(letters filled)" = 0 ]
epochs filled

echo "--- killed"
cp -r "$work/plain" "$work/killed"
for at in record:5 mid-commit:2; do
    code=0
    WEIR_CRASH_AT=$at "$pipeline" local --dir "$work/killed" --once --backfill "$trades" "$prices" 2>/dev/null || code=$?
    [ $code = 137 ]
done
market_run "$work/killed" --backfill "$trades" "$prices"
equal fresh killed
[ "$(epochs killed)" = "$(epochs fresh | awk 'NR == 1 { printf "%7d 1\n%7d 2\n", $1, $1 / 2 }')" ]
