#!/bin/bash
# Made-up market files go through the four topologies, and the bars are those of the generator's plain computation: in order
# and shuffled, with late rows, duplicates, corrections and broken rows, over both changes of the clock, with 1, 4 and 12 partitions.
. test/scripts/cli.inc
market=${BUILD:-build}/data-processing
rounds=6
[ "${FORM:-short}" = short ] || rounds=40
troubles=(--late 5 --duplicates 5 --corrections 10 --malformed 2 --shuffle 30m)

# make NAME FLAG...: files in $work/NAME, their bars in $work/NAME.bars, what was said in $work/NAME.said.
make() { "$market" generate --out "$work/$1" --bars "$work/$1.bars" "${@:2}" >"$work/$1.said"; }
run() { "$market" local --dir "$work/$1" --once --log.level=warn "${@:2}" 2>"$work/log" || { cat "$work/log"; fail "local on $1"; }; }
same() { expect 0 "$market" diff "$work/$1" "$work/$2.bars"; }
number() { sed -nE "s/.* ([0-9]+) $2.*/\1/p" "$work/$1.said"; }

echo "--- the same seed gives the same files, another one others"
make a --seed 5 --rows 3000 "${troubles[@]}"
make b --seed 5 --rows 3000 "${troubles[@]}"
make c --seed 6 --rows 3000 "${troubles[@]}"
diff -r "$work/a" "$work/b"
cmp "$work/a.bars" "$work/b.bars"
! cmp -s "$work/a/ticks.csv" "$work/c/ticks.csv" || fail "the seed changes nothing"

echo "--- every market's feeds, in files with all troubles over both changes of the clock, and as events"
for start in 2025-03-08T18:00:00Z 2025-11-01T18:00:00Z; do
    rm -rf "$work"/all*
    make all --feeds all --instruments 14 --rows 2500 --hours 26 --start $start "${troubles[@]}"
    run all.d "$work"/all/*.csv
    run all.d "$work"/all/late/*.csv
    same all.d all
    equal "$(number all malformed)" "$("$market" cat processing.deadletter.normalization.v1 --dir "$work/all.d" | wc -l)" "dead letters of all feeds"
done
equal 13 "$(find "$work/all" -maxdepth 1 -name '*.csv' | wc -l)" "files of all feeds"
"$market" generate --rate max --feeds all --rows 2000 --spacing 60s --instruments 14 --start 2025-11-01T18:00:00Z --malformed 2 --corrections 10 --late 2 \
    --dir "$work/allevents" --bars "$work/allevents.bars" --log.level=warn >"$work/allevents.said"
run allevents
same allevents allevents
equal "$(number allevents malformed)" "$("$market" cat processing.deadletter.normalization.v1 --dir "$work/allevents" | wc -l)" "dead letters of events of all feeds"
expect 2 "$market" generate --out "$work/none" --feeds trades,miso
says '--feeds: "trades,miso" is not all, nor a list of trades, pjm, pjm-hourly'
expect 2 "$market" generate --rate 1 --feeds pjm --dir "$work/none"
says 'begin with trades'

echo "--- in order"
make plain --rows 3000
run plain.d "$work"/plain/*.csv
same plain.d plain

echo "--- all troubles, spring and autumn; late rows after all windows were closed"
for start in 2025-03-08T18:00:00Z 2025-11-01T18:00:00Z; do
    rm -rf "$work"/rough*
    make rough --rows 6000 --start $start "${troubles[@]}"
    run rough.d "$work"/rough/*.csv
    expect 1 "$market" diff "$work/rough.d" "$work/rough.bars"
    run rough.d "$work"/rough/late/*.csv
    same rough.d rough
    broken=$("$market" cat processing.deadletter.normalization.v1 --dir "$work/rough.d" | wc -l)
    equal "$(number rough malformed)" "$broken" "dead letters of normalization"
    expect 0 "$market" dlq list --dir "$work/rough.d" --summary
    equal "4 topics: $broken dead letters of $broken records" "$(tail -n 1 "$work/out")" "the summary of dlq"
    [ "$broken" -gt 0 ] && [ "$(number rough late)" -gt 0 ] && [ "$(number rough corrections)" -gt 0 ]
    equal 0 "$("$market" cat processing.deadletter.aggregation.v1 --dir "$work/rough.d" | wc -l)" "dead letters of aggregation"
done

echo "--- at once, in another order of files, with 1 and 12 partitions"
for partitions in 1 12; do
    run parts.$partitions --topics.partitions=$partitions "$work"/rough/late/*.csv "$work"/rough/*.csv
    same parts.$partitions rough
done

echo "--- raw events shuffled after load: prices within 40 h, trades within 5 min"
"$market" load --dir "$work/raw" "$work"/rough/*.csv "$work"/rough/late/*.csv >"$work/out" 2>"$work/log"
given=()
for topic in pjm:144000000 ercot:144000000 market.ticks:300000; do
    name=ingestion.${topic%:*}.raw.v1
    "$market" cat "$name" --dir "$work/raw" | awk -v most="${topic#*:}" -v seed=3 'BEGIN { srand(seed) }
        { match($0, /"timestamp":[0-9]+/); printf "%.0f\t%s\n", substr($0, RSTART + 12, RLENGTH - 12) + rand() * most, $0 }' |
        sort -n | cut -f 2- >"$work/$name"
    given+=(--in "$name=$work/$name")
done
run shuffled "${given[@]}"
same shuffled rough

echo "--- killed at seeded moments while it loads and runs, its state lost now and then"
RANDOM=11 kills=0
moments=(record before-commit mid-commit after-commit)
for ((i = 0; i < rounds; i++)); do
    moment=${moments[i % 4]}
    at=$((RANDOM % 25 + 1))
    [ "$moment" = record ] && at=$((RANDOM % 8000 + 500))
    code=0
    (WEIR_CRASH_AT=$moment:$at "$market" local --dir "$work/killed" --once --log.level=warn --commit.interval.ms=20 "$work"/rough/*.csv 2>"$work/log" || exit $?) 2>/dev/null || code=$?
    [ $code = 137 ] || [ $code = 0 ] || { cat "$work/log"; fail "$moment:$at ended with $code"; }
    [ $code = 0 ] || kills=$((kills + 1))
    [ $((RANDOM % 3)) != 0 ] || rm -rf "$work/killed/state"
done
[ $kills -gt 1 ] || fail "only $kills kills"
run killed "$work"/rough/*.csv
run killed "$work"/rough/late/*.csv
same killed rough

echo "--- events, one after the other: the same bars, whenever they are sent; broken ones are dead letters"
events=(generate --rate max --rows 5000 --spacing 20s --seed 9 --start 2025-03-08T00:00:00Z --instruments 6
    --late 2 --duplicates 3 --corrections 10 --malformed 2)
"$market" "${events[@]}" --bars "$work/dry.bars" --dir "$work/events" --dry-run >"$work/dry.said"
[ ! -e "$work/events" ] && [ ! -e "$work/dry.bars" ] || fail "a dry run wrote something"
for name in events events2; do
    "$market" "${events[@]}" --bars "$work/$name.bars" --dir "$work/$name" --log.level=warn >"$work/$name.said"
    run $name
    same $name $name
done
cmp "$work/events.bars" "$work/events2.bars"
for what in late duplicates corrections malformed; do
    [ "$(number events $what)" -gt 0 ] || fail "no $what"
    equal "$(number dry $what)" "$(number events $what)" "what a dry run says of $what"
done
equal "$(number events malformed)" "$("$market" cat processing.deadletter.normalization.v1 --dir "$work/events" | wc -l)" "dead letters of events"

echo "--- at a rate, until it is stopped: what it says it has sent is there"
"$market" generate --rate 400 --dir "$work/live" --log.level=warn >"$work/live.said" &
pid=$!
children+=($pid)
sent() { [ "$("$market" cat ingestion.market.ticks.raw.v1 --dir "$work/live" | wc -l)" -gt 100 ]; }
await sent
kill -TERM $pid
wait $pid
total=0
for topic in market.ticks pjm ercot; do total=$((total + $("$market" cat ingestion.$topic.raw.v1 --dir "$work/live" | wc -l))); done
equal "$(sed -nE 's/^([0-9]+) events in .*/\1/p' "$work/live.said")" $total "events that were sent"

echo "--- days back from a date"
make days --days 2 --until 2025-03-10T00:00:00Z --rows 3000
run days.d "$work"/days/*.csv
same days.d days
equal 2025-03-08T00 "$(tail -n +2 "$work/days/ticks.csv" | cut -d, -f2 | sort | head -n 1 | cut -c1-13)" "the first hour"
equal 2025-03-09T23 "$(tail -n +2 "$work/days/ticks.csv" | cut -d, -f2 | sort | tail -n 1 | cut -c1-13)" "the last hour"

echo "--- one price of one bar is another"
sed '100s/"close":/"close":1/' "$work/rough.bars" >"$work/other.bars"
expect 1 "$market" diff "$work/shuffled" "$work/other.bars"
grep -q ' close differs' "$work/out"
sed '100s/"quality_flags":\[/&"suspicious",/' "$work/rough.bars" >"$work/other.bars"
expect 1 "$market" diff "$work/shuffled" "$work/other.bars"
grep -q ' quality_flags differs' "$work/out"
sed 's/"quality_flags":[^]]*\],//' "$work/rough.bars" >"$work/other.bars" # a plain computation may have none
expect 0 "$market" diff "$work/shuffled" "$work/other.bars"

echo "--- what is refused"
expect 2 "$market" generate
says 'name a folder for the files: --out DIR'
expect 2 "$market" generate --out "$work/none" --late 101
says '--late: "101" is not a per cent from 0 to 100'
expect 2 "$market" generate --out "$work/none" --rows 0
says '--rows: "0" is not a whole number from 1 to 50000000'
expect 2 "$market" generate --out "$work/none" --start 1999-01-01T00:00:00Z
says '--start: "1999-01-01T00:00:00Z" is not a whole hour'
expect 2 "$market" generate --rate 10 --out "$work/none"
says '--out is of files, --rate of events'
expect 2 "$market" generate --rate 10 --bars "$work/none" --dir "$work/none"
says 'without --rows there is no end'
expect 2 "$market" generate --until 2025-03-08T00:00:00Z --out "$work/none"
says 'say how many days before that'
[ ! -e "$work/none" ]
