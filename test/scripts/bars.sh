#!/bin/bash
# Minute bars: exact, whatever partitions, order and kills. FORM=long: 20 kills, all partition counts.
set -eu
kill=test/bars/kill.sh
made=$(mktemp)
trap 'rm -f "$made"' EXIT
awk -v rows=20000 -v seed=7 -f test/bars/ticks.awk >"$made"
kills=3 counts="1 12"
[ "${FORM:-short}" = long ] && kills=20 counts="1 4 12"

for partitions in $counts; do
    bash $kill "$made" $kills $((partitions + 1)) 24 "$partitions" 240000 on_close
    bash $kill "$made" $kills $((partitions + 2)) 24 "$partitions" 240000 on_commit
done

# by key time: within the grace each window once; over 40 hours of shuffling the converged bars
by_key=(--minute_bars.minute.time=per_key --minute_bars.minute.retention=48h)
for partitions in $counts; do
    bash $kill "$made" $kills $((partitions + 3)) 24 "$partitions" 240000 on_close "${by_key[@]}"
    ONCE=no bash $kill "$made" $kills $((partitions + 4)) 24 "$partitions" 144000000 on_close "${by_key[@]}"
done
bash $kill "$made" $kills 21 24 4 144000000 on_commit "${by_key[@]}"

real=../shared/data/real
if [ -d $real ]; then
    MINUTES=$real/trades_gc_201312_minute_bars_20131008.csv.gz \
        bash $kill $real/trades_gc_201312_tick_20131008.csv.gz $kills 11 1 1 0 on_close
    for partitions in $counts; do
        bash $kill $real/trades_gc_201312_tick_20131008.csv.gz $kills 12 24 "$partitions" 240000 on_close
    done
else
    echo "left out: the published gold minutes, $real is not there"
fi
