#!/bin/bash
# `local --once`: counts are right, a repeated run adds nothing, a longer file adds its new rows, gzip is known by content.
. test/scripts/cli.inc

lines 500 1 >"$work/in.txt"
run() { expect 0 "$words" local --dir "$work/d" --once --lines --in lines="$1" --log.level=warn "${@:2}"; }

run "$work/in.txt"
equal "$(plain "$work/in.txt")" "$(counts "$work/d")" "counts of the first run"
rows=$("$words" cat counts --dir "$work/d" | wc -l)

run "$work/in.txt"
equal "$rows" "$("$words" cat counts --dir "$work/d" | wc -l)" "records after a repeat"

gzip -c "$work/in.txt" >"$work/other.name"
run "$work/other.name"
equal "$rows" "$("$words" cat counts --dir "$work/d" | wc -l)" "records after the same content, compressed"

cp "$work/in.txt" "$work/short.txt"
lines 100 2 >>"$work/in.txt"
run "$work/in.txt" --threads=3
equal "$(plain "$work/in.txt")" "$(counts "$work/d")" "counts of the longer file"
rows=$("$words" cat counts --dir "$work/d" | wc -l)
run "$work/short.txt"
equal "$rows" "$("$words" cat counts --dir "$work/d" | wc -l)" "records after the shorter file once more"

rm -rf "$work/d/state"
printf 'extra w1\n' >"$work/more.txt"
run "$work/more.txt"
cat "$work/in.txt" "$work/more.txt" >"$work/all.txt"
equal "$(plain "$work/all.txt")" "$(counts "$work/d")" "counts with the state folder lost in between"

printf 'no end' >"$work/tail.txt"
run "$work/tail.txt"
printf '\nnext\n' >>"$work/tail.txt"
run "$work/tail.txt"
cat "$work/all.txt" "$work/tail.txt" >"$work/all2.txt"
equal "$(plain "$work/all2.txt")" "$(counts "$work/d")" "counts of a file whose last line got its end later"
printf 'grown' >"$work/grown.txt"
run "$work/grown.txt"
printf ' longer\n' >>"$work/grown.txt"
expect 1 "$words" local --dir "$work/d" --once --lines --in lines="$work/grown.txt"
says "$work/grown.txt:2"
