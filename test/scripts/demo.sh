#!/bin/bash
# `make demo`'s script: with the files beside the tree or made-up ones, with a folder that holds more than market files, left running,
# and with a DATA that is refused.
. test/scripts/cli.inc
export PROGRAM=${BUILD:-$PWD/build}/data-processing OUT=$work/shown SEED=4
demo=$PWD/examples/demo.sh
market=$PROGRAM

run() { "$demo" >"$work/said" 2>&1 </dev/null || { cat "$work/said"; fail "$*"; }; }
shows() { grep -qE "$1" "$work/said" || { cat "$work/said"; fail "nothing shows $1"; }; }
all_shown() {
    shows '^   [1-9][0-9]* events$'
    shows '^   exit 137, [0-9]+ bars of a minute so far$'
    shows '^   ([1-9][0-9]*) bars in whole, \1 in killed: \1 equal, 0 differ, 0 only in the first'
    shows '^  minute  +open'
    shows '^  +[0-9.]+ \|.*\*'
    shows "^  $1 +[0-9.]+  (USD|CAD|-) +20[0-9][0-9]-[0-9][0-9]-[0-9][0-9] "
}

echo "--- where nothing is beside the tree"
mkdir -p "$work/a/b"
(cd "$work/a/b" && run alone)
all_shown SYM00

echo "--- a folder, with a file that is refused, and left running"
mkdir "$work/data"
"$market" generate --out "$work/made" --rows 6000 >/dev/null
cp "$work"/made/*.csv "$work/made/load.conf" "$work/data"
echo "words" >"$work/data/README.md"
echo "1,2,3,4,5,6" >"$work/data/bars.csv"
DATA=$work/data KEEP=1 INSTRUMENT=PJM.HUB.00 run folder
all_shown PJM.HUB.00
shows 'load its trades instead \(1 of 4 files refused'
shows '^  PJM.HUB.00, 2025-03-'
pid=$(sed -nE 's/^It goes on running \(kill ([0-9]+) ends it\)$/\1/p' "$work/said")
trap 'kill "$pid" 2>/dev/null || :; cleanup' EXIT # it is no child of ours
mapfile -t urls < <(sed -nE 's#^   (http://127.*)#\1#p' "$work/said")
equal 4 "${#urls[@]}" "URLs"
for url in "${urls[@]}"; do curl -sSf --max-time 20 "$url" >"$work/body" || fail "$url"; done
grep -q '"bars":\[{' "$work/body" || fail "no bars at ${urls[3]}"
kill -TERM "$pid"
await eval "! kill -0 $pid"
trap cleanup EXIT

echo "--- what is refused"
DATA=$work/nothing expect 1 "$demo"
says 'there is no such file or folder'
