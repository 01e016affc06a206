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

bold= plain=
[ ! -t 1 ] || { bold=$(printf '\033[1m') plain=$(printf '\033[0m'); }
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# The tick file: DATA's, the published one beside the tree, else made-up ticks.
find_ticks() {
    if [ -n "${DATA:-}" ]; then
        for place in "$DATA" "$DATA/$name"; do
            [ ! -f "$place" ] || { echo "$place"; return; }
        done
        echo "DATA=$DATA is no tick file, nor a folder with $name" >&2
        return 1
    fi
    if [ -f ../shared/data/real/$name ]; then
        echo ../shared/data/real/$name
        return
    fi
    awk -v rows=50000 -v seed="$seed" -f "$here/ticks.awk" >"$out/ticks.csv"
    echo "$out/ticks.csv"
}

rows_of() { case $1 in *.gz) gzip -dc "$1" ;; *) cat "$1" ;; esac; }

run() { "$bars" local --dir "$1" --once --in ticks="$out/ticks.jsonl" --log.level=warn --commit.interval.ms=10; }

# The last bar of each minute, in order of time.
show() { "$bars" cat bars --dir "$1" | awk -f "$here/last_bars.awk"; }

rm -rf "$out"
mkdir -p "$out"
ticks=$(find_ticks)
rows_of "$ticks" | awk -F, -v day=$day -f "$here/records.awk" >"$out/ticks.jsonl"
count=$(wc -l <"$out/ticks.jsonl")
say "$count trades of $ticks"

say "1. Undisturbed"
run "$out/whole"
show "$out/whole" >"$out/whole.bars"
echo "   $(wc -l <"$out/whole.bars") bars"

crash=$(awk -v seed="$seed" -v count="$count" 'BEGIN { srand(seed); print int(count * (0.2 + 0.6 * rand())) }')
say "2. Again from nothing, killed by SIGKILL at record $crash (SEED=$seed)"
code=0
(WEIR_CRASH_AT=record:$crash run "$out/killed") 2>"$out/killed.log" || code=$?
[ $code = 137 ] || { cat "$out/killed.log"; echo "exit $code: the process was not killed"; exit 1; }
show "$out/killed" >"$out/half.bars"
echo "   exit $code, $(wc -l <"$out/half.bars") bars so far"

say "3. Resumed on the same folder"
run "$out/killed"
show "$out/killed" >"$out/killed.bars"
cmp "$out/whole.bars" "$out/killed.bars" || { echo "the bars differ"; exit 1; }
echo "   $(wc -l <"$out/killed.bars") bars, equal to the undisturbed ones"

say "The last of them, and the day's prices (* close, : low to high)"
awk -f "$here/table.awk" "$out/killed.bars"
