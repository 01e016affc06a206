#!/bin/bash
# A lost state folder is restored from the changelog: a bar on a terminal, lines of the log elsewhere; counts stay. So is one whose
# damage shows in mid-run.
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

# Damage that no open sees: a block in the middle of a table, which is read for the words that it has.
seq -f 'word%05.0f' 20000 >"$work/many.txt"
expect 0 "$words" local --dir "$work/e" --once --lines --in lines="$work/many.txt" --log.level=warn
tables=$(find "$work/e/state" -name '*.sst' -size +24k)
[ -n "$tables" ] || fail "there is no table to damage"
for table in $tables; do
    printf 'damage' | dd of="$table" bs=1 seek=$(($(stat -c %s "$table") / 4)) conv=notrunc status=none
done
tac "$work/many.txt" >"$work/again.txt"
expect 0 "$words" local --dir "$work/e" --once --lines --in lines="$work/again.txt" --log.level=warn
says "id=state-damaged-restoring"
equal "$(cat "$work/many.txt" "$work/many.txt" | sort | uniq -c | awk '{ print $2, $1 }')" "$(counts "$work/e")" "counts after the damage"
expect 0 "$words" local --dir "$work/e" --once --log.level=warn
if grep -q damaged "$work/err"; then fail "the damage is still there"; fi
