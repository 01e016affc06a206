#!/bin/sh
# The demonstration: a day of gold trades becomes minute bars; the process kills itself in mid-window, goes on, and
# the bars are the same. Embedded: no server. DATA=folder or tick file, SEED=number.
set -eu

bars=${BARS:-build/examples/minute_bars}
here=$(dirname "$0")
out=${OUT:-build/demo}
seed=${SEED:-$(date +%s)}
name=trades_gc_201312_tick_20131008.csv.gz
day=1381190400000

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

find_ticks() {
    for place in "${DATA:-}" "${DATA:-}/$name" ../shared/data/real/$name; do
        [ -f "$place" ] && echo "$place" && return
    done
    awk -v rows=50000 -v seed="$seed" -f "$here/ticks.awk" >"$out/ticks.csv"
    echo "$out/ticks.csv"
}

rows_of() { case $1 in *.gz) gzip -dc "$1" ;; *) cat "$1" ;; esac; }

run() { "$bars" local --dir "$1" --once --in ticks="$out/ticks.jsonl" --log.level=warn; }

show() { "$bars" cat bars --dir "$1" | sort; }

rm -rf "$out"
mkdir -p "$out"
ticks=$(find_ticks)
rows_of "$ticks" | awk -F, -v day=$day -f "$here/records.awk" >"$out/ticks.jsonl"
count=$(wc -l <"$out/ticks.jsonl")
say "Input: $count trades of $ticks"

say "1. Undisturbed"
run "$out/whole"

crash=$(awk -v seed="$seed" -v count="$count" 'BEGIN { srand(seed); print int(count * (0.2 + 0.6 * rand())) }')
say "2. The same, killed by SIGKILL at record $crash (SEED=$seed)"
WEIR_CRASH_AT=record:$crash run "$out/killed" && { echo "the process was not killed"; exit 1; } || echo "killed: exit $?"

say "3. Resumed on the same folder"
run "$out/killed"

"$bars" cat bars --dir "$out/whole" | awk -f "$here/last_bars.awk" >"$out/whole.bars"
"$bars" cat bars --dir "$out/killed" | awk -f "$here/last_bars.awk" >"$out/killed.bars"
cmp "$out/whole.bars" "$out/killed.bars" || { echo "the bars differ"; exit 1; }
say "$(wc -l <"$out/whole.bars") bars, equal with and without the kill. The last ones:"
awk -f "$here/table.awk" "$out/killed.bars"
