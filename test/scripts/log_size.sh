#!/bin/bash
# 100,000 lines of word count leave the lines, the last counts and little else: hops are trimmed, changelogs compacted.
. test/scripts/cli.inc

rows() { "$words" cat "$1" --dir "$work/d" | wc -l; }
below() { [ "$1" -lt "$2" ] || fail "$3: $1 records, not below $2"; }

awk 'BEGIN { for (i = 0; i < 100000; i++) { line = ""; for (j = 0; j < 10; j++) line = line "w" (i * 7 + j * j * 31) % 500 " "; print line } }' >"$work/in.txt"
expect 0 "$words" local --dir "$work/d" --once --lines --in lines="$work/in.txt" --log.level=warn
equal "$(plain "$work/in.txt")" "$(counts "$work/d")" "counts"
equal 100000 "$(rows lines)" "lines"
equal 0 "$(rows word_count-counts-repartition)" "records of the hop after the run"
below "$(rows word_count-counts-changelog)" 60000 "changelog after the run"

expect 0 "$words" local --dir "$work/d" --once --log.level=warn
equal 500 "$(rows word_count-counts-changelog)" "changelog when the log was opened again"
