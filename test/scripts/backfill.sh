#!/bin/bash
# A backfill: windows that have left begin anew from it, under the next epoch, whatever their age; the bars are those of a
# run that had its files from the start. Files are loaded in any order. Killed and repeated, a backfill goes on.
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
# rebuilt FOLDER EPOCH: what epochs prints when half of its windows have begun anew
rebuilt() { epochs "$1" | awk -v epoch="$2" '{ printf "%7d 1\n%7d %d\n", $1, $1 / 2, epoch }'; }
letters() { "$pipeline" cat processing.deadletter.aggregation.v1 --dir "$work/$1" | grep -c '"code":"too_late"' || true; }

market_run "$work/plain" "$trades" "$prices"
market_run "$work/plain" "$later" "$later_prices"
for name in filled again killed; do cp -r "$work/plain" "$work/$name"; done

echo "--- as backfill: the same bars, of another epoch"
market_run "$work/filled" --again --backfill "$trades" "$prices"
equal plain filled
[ "$(letters filled)" = 0 ]
[ "$(epochs filled)" = "$(rebuilt plain 2)" ]

echo "--- what is too late goes as backfill by itself"
market_run "$work/again" --again "$trades" "$prices" "$later" "$later_prices"
[ "$(letters again)" = 0 ]
[ "$(epochs again | awk '$2 == 2 { print $1 }')" = "$(epochs plain | awk '{ print $1 / 2 }')" ]
market_run "$work/turned" "$later" "$later_prices"
market_run "$work/turned" "$trades" "$prices"
equal plain turned

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
for at in record:5 mid-commit:2; do
    code=0
    WEIR_CRASH_AT=$at "$pipeline" local --dir "$work/killed" --once --backfill "$trades" "$prices" 2>/dev/null || code=$?
    [ $code = 137 ]
done
market_run "$work/killed" --backfill "$trades" "$prices"
equal fresh killed
[ "$(epochs killed)" = "$(rebuilt fresh 2)" ]
