#!/bin/bash
# `reset` and `replay` over Apache Kafka: a group with members is refused by name; killed in between, a reset is repeated; state from
# before it is not taken on. Then the pipeline: reset, from 4 to 12 partitions, replayed: the bars of a plain computation.
. test/scripts/kafka.inc
. test/market/rebuild.inc
pipeline=$BUILD/data-processing
export LC_ALL=C
A=$($server start "$work/kafka")
W=(word_count --kafka.bootstrap.servers="$A" --state.dir="$work/state")
run() { expect 0 "$words" run "${W[@]:1}" --log.level=warn "${quick[@]}" --instance.id=w0 --commit.interval.ms=20 --once --lines "$@"; }
control() { "$words" cat word_count-weir-control "${W[@]:1}" | tail -n 1; }

echo "--- word count: refused while it runs, wherever its state is"
lines 300 1 >"$work/all.txt"
run --in lines="$work/all.txt"
"$words" run "${W[@]:1}" "${quick[@]}" --threads=2 --http.port=0 --log.level=debug >"$work/run.out" 2>&1 &
children+=($!)
await grep -q id=assigned "$work/run.out"
expect 4 "$words" reset "${W[@]}" --state.dir="$work/elsewhere"
says "error: word_count: the group of word_count has"
says "stop all its processes"
expect 4 "$words" replay "${W[@]}" --state.dir="$work/elsewhere" --from 2020-01-01
expect 4 "$words" reset "${W[@]}"
says "process ${children[-1]} holds it"
[ ! -e "$work/elsewhere" ] || fail "a folder was made"
kill -TERM "${children[-1]}"
wait "${children[-1]}"

# exact: the greatest count of each word is that of all that was loaded.
exact() {
    equal "$(plain "$work/all.txt")" "$("$words" cat counts "${W[@]:1}" | sed -E 's/.*"key":"([^"]*)".*"value":([0-9]+)\}$/\1 \2/' |
        sort -k1,1 -k2,2n | awk '{ last[$1] = $2 } END { for (word in last) print word, last[word] }' | sort)" "counts $1"
}

echo "--- a reset killed at points of it, and repeated"
for at in 1 4; do
    WEIR_CRASH_AT=reset:$at expect 137 "$words" reset "${W[@]}"
    expect 5 "$words" run "${W[@]:1}" --once
    says 'run "reset word_count" again'
    expect 0 "$words" reset "${W[@]}"
    run
    exact "after a reset that was killed at $at"
done
grep -q '"epoch":3,' <<<"$(control)" || fail "two resets, and not epoch 3: $(control)"

echo "--- the state folder of another machine, from before a reset"
cp -r "$work/state" "$work/old"
expect 0 "$words" reset "${W[@]}"
rm -rf "$work/state"
mv "$work/old" "$work/state"
run
says state-removed
exact "beside old state"

echo "--- a process that is frozen while its application is reset ends when it wakes"
: >"$work/run.out" # of the former one
"$words" run "${W[@]:1}" "${quick[@]}" --threads=1 --http.port=0 --log.level=debug >"$work/run.out" 2>&1 &
children+=($!)
await grep -q id=restore-done "$work/run.out"
kill -STOP "${children[-1]}"
expect 0 "$words" reset "${W[@]}" --state.dir="$work/elsewhere"
kill -CONT "${children[-1]}"
code=0
wait "${children[-1]}" || code=$?
[ $code = 5 ] || { cat "$work/run.out"; fail "it ended with $code"; }
grep -q "while this process was away: start it again" "$work/run.out" || fail "it does not say why it ended"
run
says state-removed
exact "after it was started again"

echo "--- a replay by time: all counts twice"
cat "$work/all.txt" "$work/all.txt" >"$work/twice.txt"
expect 0 "$words" replay "${W[@]}" --from 2020-01-01T00:00:00Z
mv "$work/twice.txt" "$work/all.txt"
run
exact "after a replay"

echo "--- a replay by offsets: what is refused, a dry run, the last record of a partition"
# the partition that has most: where it stands, and its end, which lies behind a marker
read -r p stands end < <("$words" lag "${W[@]:1}" --json | python3 -c 'import json, sys
inputs = [at for at in json.load(sys.stdin)["applications"][0]["inputs"] if at["topic"] == "lines"]
most = max(inputs, key=lambda at: at["committed"] or 0)
print(most["partition"], most["committed"], most["end"])')
[ "$stands" -gt 1 ] && [ "$end" -gt "$stands" ] || fail "lines:$p stands at $stands and ends at $end"
replay() { "$words" replay "${W[@]}" "$@"; }
while read -r place words_said; do
    expect 2 replay --from "$place"
    says "$words_said"
done <<END
lins:0=0 did you mean "lines"
counts:0=0 counts is no input of word_count
lines:99=0 lines has no partition 99: they go from 0 to
lines:$p=$((end + 100)) lines:$p has no offset $((end + 100)), it ends at $end
lines:$p=-1 lines:$p has no offset -1 any more, its first is 0
lines:$p=$end lines:$p is read up to $stands only
lines:$p=$stands nothing from there on was read yet
2099-01-01T00:00:00+02:00 no record of any input has an event time of 2099
yesterday is no place
END
expect 2 replay
expect 2 replay --from 2020-01-01 --from lines:$p=0
says "give it alone"
for dry in --dry-run ''; do
    expect 0 replay --from lines:$p=$((stands - 1)) $dry
    equal "word_count: 1 of 12 partitions, 1 offsets ${dry:+would be }read again" "$(tail -n 1 "$work/out")" "the sum of a replay"
    [ -n "$dry" ] || "$words" cat lines "${W[@]:1}" --partition "$p" | tail -n 1 | sed -E 's/.*"value":"(.*)"\}$/\1/' >>"$work/all.txt"
    run
    exact "after a replay by offset${dry:+ that was dry}"
done

echo "--- the pipeline"
rows=600
[ "${FORM:-short}" = short ] || rows=10000
"$pipeline" generate --out "$work/made" --bars "$work/made.bars" --seed 13 --rows $rows --corrections 5 --late 5 >/dev/null
where=(--kafka.bootstrap.servers="$A") state=(--state.dir="$work/pipeline") diffed=$A
"$pipeline" load "${where[@]}" --topics.partitions=4 --log.level=warn "$work"/made/*.csv
"$pipeline" load "${where[@]}" --topics.partitions=4 --log.level=warn "$work"/made/late/*.csv
run_all() {
    "$pipeline" run "${where[@]}" "${state[@]}" "${quick[@]}" --topics.partitions=4 --threads=2 --instance.id=p0 --once --log.level=warn "$@"
}
rebuild_story
