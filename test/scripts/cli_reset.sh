#!/bin/bash
# `reset` and `replay` on the embedded log: what they do, what they refuse; a reset that is killed at any point is repeated and
# completes, and until then nothing starts; state from before a reset is not taken on.
. test/scripts/cli.inc
D=$work/data
run() { expect 0 "$words" local --dir "$D" --log.level=warn --once --lines "$@"; }
reset() { "$words" reset word_count --dir "$D" "$@"; }
replay() { "$words" replay word_count --dir "$D" "$@"; }
epoch() { "$words" cat word_count-weir-control --dir "$D" | tail -n 1 | sed -E 's/.*"epoch":([0-9]+).*/\1/'; }
# sums WHAT: the last line of the last command.
sums() { equal "$1" "$(tail -n 1 "$work/out")" "the summary"; }
updates() { "$words" cat counts --dir "$D" | wc -l; }

# exact WHAT: a word's greatest count is that of all that was loaded.
exact() { equal "$(plain "$work/all.txt")" "$(counts "$D")" "counts $1"; }

lines 300 1 >"$work/all.txt"
run --in lines="$work/all.txt"
exact "of the first run"
first=$(updates)

echo "--- a dry run does nothing, a reset makes everything once more"
expect 0 reset --dry-run
grep -q "would be raised to 2" "$work/out"
sums "1 topologies would be reset: 1 inputs read again, 2 topics removed, 1 state folders emptied"
run
equal "$first" "$(updates)" "updates after a dry run"
cp -r "$D/state" "$work/old"
expect 0 reset
sums "1 topologies reset: 1 inputs read again, 2 topics removed, 1 state folders emptied"
equal 2 "$(epoch)" "the epoch"
! "$words" cat word_count-counts-changelog --dir "$D" 2>/dev/null || fail "the changelog is still there"
run
[ "$(updates)" -gt "$first" ] || fail "nothing was made after a reset"
exact "after a reset"

echo "--- what is of another shape of the topology is shown, and stays"
run --word_count.out.topic=counts --application.id=word_count-old
expect 0 reset --dry-run
grep -q "^note: word_count-old-counts-changelog is no internal topic" "$work/out" || fail "no note of what is left"
! grep -q "word_count-counts-changelog is no" "$work/out" || fail "its own topic is taken for a stranger's"

echo "--- state from before it comes back: it is not taken on"
rm -rf "$D/state"
mv "$work/old" "$D/state"
lines 50 2 >"$work/more.txt"
cat "$work/more.txt" >>"$work/all.txt"
run --in lines="$work/more.txt"
says state-removed
exact "beside old state"
run
! grep -q state-removed "$work/err" || fail "its own state was removed"

echo "--- killed at each point of a reset, repeated"
for ((at = 1; at < 20; at++)); do
    code=0
    WEIR_CRASH_AT=reset:$at reset >"$work/out" 2>&1 || code=$?
    [ $code = 137 ] || break
    if grep -q '"unfinished":true' <<<"$("$words" cat word_count-weir-control --dir "$D" | tail -n 1)"; then
        expect 5 "$words" local --dir "$D" --once
        says 'run "reset word_count" again'
        expect 5 replay --from 2020-01-01
        says 'run "reset word_count" again'
        expect 0 reset
    fi
    equal $((at + 2)) "$(epoch)" "the epoch after $at"
    run
    exact "after a reset that was killed at $at"
done
equal 0 $code "the last reset"
[ "$at" -ge 6 ] || fail "a reset has $at points only"
run
exact "after all of them"
[ -z "$(find "$D/state" -name '*.discarded')" ] || fail "something is left of discarded state"

echo "--- while it runs"
"$words" local --dir "$D" --http.port=0 >"$work/run.out" 2>&1 &
children+=($!)
await grep -q started "$work/run.out"
expect 4 reset
says "process ${children[-1]} holds it"
expect 4 replay --from 2020-01-01
kill -TERM "${children[-1]}"
wait "${children[-1]}"

echo "--- what else is refused"
expect 2 "$words" reset --dir "$D"
expect 2 "$words" reset word_coun --dir "$D"
says 'did you mean "word_count"'
expect 3 "$words" reset word_count --dir "$work/nowhere"
[ ! -e "$work/nowhere" ] || fail "a folder was made"
end=$("$words" lag --dir "$D" --json | sed -E 's/.*"topic":"lines","partition":0,"committed":([0-9]+).*/\1/')
while read -r place words_said; do
    expect 2 replay --from "$place"
    says "$words_said"
done <<END
lins:0=0 did you mean "lines"
counts:0=0 counts is no input of word_count
lines:4=0 lines has no partition 4: they go from 0 to 3
lines:0=$((end + 100)) lines:0 has no offset $((end + 100)), it ends at
lines:0=-1 has no offset -1 any more
lines:0=$end nothing from there on was read yet
2099-01-01T00:00:00+02:00 no record of any input has an event time of 2099
yesterday is no place
END
expect 2 replay
expect 2 replay --from 2020-01-01 --from lines:0=0
says "give it alone"

echo "--- a replay reads again from where it is told, and from there only"
before=$(epoch)
expect 0 replay --from lines:0=$((end - 1)) --dry-run
sums "word_count: 1 of 4 partitions, 1 offsets would be read again"
run
exact "after a dry run"
expect 0 replay --from lines:0=$((end - 1))
sums "word_count: 1 of 4 partitions, 1 offsets read again"
run
"$words" cat lines --dir "$D" --partition 0 | tail -n 1 | sed -E 's/.*"value":"(.*)"\}$/\1/' >>"$work/all.txt"
exact "after the last line was replayed"
equal "$before" "$(epoch)" "the epoch after a replay"
cat "$work/all.txt" >"$work/twice.txt"
"$words" cat lines --dir "$D" | sed -E 's/.*"value":"(.*)"\}$/\1/' >>"$work/twice.txt"
stood=$("$words" lag --dir "$D" --json | grep -oE '"topic":"lines","partition":[0-9]+,"committed":[0-9]+' | awk -F: '{ sum += $NF } END { print sum }')
expect 0 replay --from 1000000000 --supersede
sums "word_count: 4 of 4 partitions, $stood offsets read again, under a greater epoch"
run
mv "$work/twice.txt" "$work/all.txt"
exact "after all was replayed"
equal $((before + 1)) "$(epoch)" "the epoch after a replay that supersedes"

echo "--- more partitions: refused by name, on an empty disk too, until a reset"
expect 2 "$words" grow lines=3 --dir "$D"
says "it has 4"
expect 2 "$words" grow lines --dir "$D"
expect 3 "$words" grow lins=12 --dir "$D"
expect 2 "$words" grow lines=3 --dir "$D" --dry-run
expect 3 "$words" grow lins=12 --dir "$D" --dry-run
for dry in --dry-run ''; do
    expect 0 "$words" grow lines=12 counts=4 --dir "$D" $dry
    sums "1 topics ${dry:+would }have 8 partitions more"
done
refused() {
    expect 2 "$words" local --dir "$D" --once
    says "error: lines: the topic has 12 partitions now"
    says 'was made with 4: stop all processes of word_count, run "reset word_count" and start again'
}
refused
rm -rf "$D/state"
refused
"$words" cat lines --dir "$D" | sed -E 's/.*"value":"(.*)"\}$/\1/' >"$work/all.txt"
"$words" cat counts --dir "$D" | wc -l >"$work/counted"
expect 0 reset
lines 100 3 >"$work/more.txt"
cat "$work/more.txt" >>"$work/all.txt"
run --in lines="$work/more.txt"
last() { # of each word, of what was counted after the reset
    "$words" cat counts --dir "$D" | sed -E 's/.*"partition":([0-9]+),"offset":([0-9]+),"key":"([^"]*)".*"value":([0-9]+)\}$/\1 \2 \3 \4/' |
        awk '{ last[$3] = $4 } END { for (word in last) print word, last[word] }' | sort
}
equal "$(plain "$work/all.txt")" "$(last)" "counts over 12 partitions"
