#!/bin/bash
# A record that cannot be read: ends the run with the remedy in words, or is dead-lettered, or skipped, as told.
. test/scripts/cli.inc
bars=${BUILD:-build}/examples/minute_bars

printf '%s\n' '{"key":"k","timestamp":1000,"value":{"base64":"bm8gdHJhZGU="}}' \
    '{"key":"k","timestamp":1000,"value":{"row":1,"price":2.5,"size":3}}' >"$work/in.jsonl"
run() { "$bars" local --dir "$work/$1" --once --in ticks="$work/in.jsonl" --log.level=warn --topics.partitions=1 "${@:2}"; }

expect 5 run failing
says 'dead.letters.topic'
says 'deserialization.handler=continue'
says 'ticks-0@0'
expect 5 run failing --log.level=error
expect 0 run failing --deserialization.handler=continue
equal 1 "$("$bars" cat bars --dir "$work/failing" | grep -c '"open":2.5')" "bars of what could be read"

expect 0 run lettered --dead.letters.topic=rejects
equal 1 "$("$bars" cat bars --dir "$work/lettered" | grep -c '"open":2.5')" "bars beside the dead letter"
"$bars" cat rejects --dir "$work/lettered" >"$work/rejects"
equal 1 "$(wc -l <"$work/rejects")" "dead letters"
grep -q '"value":{"source_topic":"ticks","partition":0,"offset":0,.*"value_base64":"bm8gdHJhZGU=",.*"stage":"minute_bars/ticks","code":"WEIR_UNREADABLE"' "$work/rejects" ||
    fail "the dead letter is not decoded: $(cat "$work/rejects")"

expect 0 "$bars" try minute_bars --in ticks="$work/in.jsonl" --dead.letters.topic=rejects
grep -q '^{"topic":"rejects",.*"value":{"source_topic":"ticks"' "$work/out" || fail "try shows no dead letter"
