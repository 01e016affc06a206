#!/bin/bash
# A lost state folder is restored from the changelog: a bar on a terminal, lines of the log elsewhere; counts stay.
. test/scripts/cli.inc

lines 4000 6 >"$work/in.txt"
expect 0 "$words" local --dir "$work/d" --once --lines --in lines="$work/in.txt" --log.level=warn
want=$(plain "$work/in.txt")

rm -rf "$work/d/state"
expect 0 "$words" local --dir "$work/d" --once --log.format=json
grep -q '"id":"restore-begins".*"task":"counted".*"offsets":[1-9]' "$work/err" || fail "no word of the restore's begin"
grep -q '"id":"restore-done".*"task":"counted".*"records":[1-9]' "$work/err" || fail "no word of the restore's end"
if grep -v '^{"time":.*}$' "$work/err"; then fail "a line of the log is no JSON object"; fi
equal "$want" "$(counts "$work/d")" "counts after the restore"

# a terminal 60 columns wide
rm -rf "$work/d/state"
script -qec "stty cols 60; $words local --dir $work/d --once" "$work/typed" </dev/null >/dev/null
tr '\r' '\n' <"$work/typed" >"$work/shown"
grep -aqE 'restoring word_count \[[#.]{30}\]' "$work/shown" || { cat -v "$work/shown"; fail "no bar on the terminal"; }
bar=$(grep -aoE 'restoring word_count .*' "$work/shown" | awk '{ if (length > most) most = length } END { print most }')
[ "$bar" -lt 60 ] || fail "the bar is $bar columns wide on 60"
# ... and one of what is done
grep -aqE 'process \[[#.]{30}\]' "$work/shown" || { cat -v "$work/shown"; fail "no progress on the terminal"; }
# the bar is gone before the last message
grep -av -e '^Script done' -e '^ *$' "$work/shown" | tail -n 1 | grep -aq 'id=stopped' || { cat -v "$work/shown"; fail "something follows the last message"; }
equal "$want" "$(counts "$work/d")" "counts after the second restore"
