#!/bin/bash
# The pipeline on a tick file: its minutes are exact; loaded twice, and killed while it loads and runs, the bars are the
# same. FORM=long: 20 kills.
set -eu
program=$BUILD/data-processing
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
RANDOM=17
real=../shared/data/real published=()
if [ -d $real ]; then
    ticks=$real/trades_gc_201312_tick_20131008.csv.gz published=($real/trades_gc_201312_minute_bars_20131008.csv.gz)
else
    echo "left out: the published gold minutes, $real is not there"
    ticks=$dir/trades_gc_201312_tick_20131008.csv
    awk -v rows=50000 -v seed=7 -f test/bars/ticks.awk >"$ticks"
fi
kills=3
[ "${FORM:-short}" = long ] && kills=20

run() { "$program" local --dir "$1" --once --log.level=warn --commit.interval.ms=20ms "$ticks"; }
check() {
    "$program" cat aggregated.market.bars.1m.v1 --dir "$1" >"$dir/bars"
    python3 test/market/bars.py "$ticks" "$dir/bars" "${published[@]}"
}

echo "--- whole"
run "$dir/whole"
check "$dir/whole"

echo "--- loaded again: nothing changes"
raw=$("$program" cat ingestion.market.ticks.raw.v1 --dir "$dir/whole" | wc -l)
run "$dir/whole"
[ "$("$program" cat ingestion.market.ticks.raw.v1 --dir "$dir/whole" | wc -l)" = "$raw" ]
check "$dir/whole"

echo "--- killed $kills times"
moments=(record before-commit mid-commit after-commit)
killed=0
for ((i = 0; i < kills; i++)); do
    moment=${moments[i % 4]}
    at=$((RANDOM % 40 + 1))
    [ "$moment" = record ] && at=$((RANDOM + RANDOM % 8000 + 1))
    code=0
    WEIR_CRASH_AT=$moment:$at run "$dir/killed" 2>"$dir/err" || code=$?
    [ $code = 137 ] || [ $code = 0 ] || { echo "$moment:$at ended with $code"; cat "$dir/err"; exit 1; }
    [ $code = 0 ] || killed=$((killed + 1))
    [ $((RANDOM % 3)) = 0 ] && rm -rf "$dir/killed/state"
done
[ $killed -gt 0 ]
run "$dir/killed"
check "$dir/killed"
"$program" diff "$dir/whole" "$dir/killed"
echo "$killed kills"

echo "--- another tick is another run"
mkdir "$dir/few"
head -c 200 <(gzip -cdf "$ticks") | head -n 3 >"$dir/few/trades_gc_201312_tick_20131008.csv"
ticks=$dir/few/trades_gc_201312_tick_20131008.csv
run "$dir/other"
code=0
"$program" diff "$dir/whole" "$dir/other" >"$dir/said" || code=$?
[ $code = 1 ]
grep -q 'only in' "$dir/said"
