#!/bin/bash
# Slow verbs and the stop: it waits for the record at hand, not for all that is buffered; a verb that does not come back is
# left behind when the time is up, and the next start does its record again.
. test/scripts/cli.inc
slow=${BUILD:-build}/test/programs/slow

# begin MS FLAGS...: `local` in the background with a verb that takes that long.
begin() {
    : >"$work/err" # not what the one before said
    SLOW_MS=$1 "$slow" local --dir "$work/d" --topics.partitions=1 --lines --in in="$work/in.txt" "${@:2}" 2>"$work/err" &
    pid=$!
    children+=("$pid")
    await grep -q -e '^dozing$' "$work/err"
}
stop() {
    kill -TERM "$pid"
    code=0
    wait "$pid" || code=$?
}
outputs() { "$slow" cat out --dir "$work/d" | wc -l; }
has_outputs() { [ "$(outputs)" -gt 0 ]; }

lines 2000 1 >"$work/in.txt"
begin 50 # all of it would take 100 s
await has_outputs
stop
equal 0 "$code" "exit of a stop among slow records"
[ "$(outputs)" -lt 1000 ] || fail "the stop did all that was buffered"

before=$(outputs)
begin 60000 --shutdown.timeout.ms=300
stop
equal 5 "$code" "exit when a verb does not come back"
says 'still at work 300 ms after it was told to stop'
equal "$before" "$(outputs)" "outputs after a verb that did not come back"

export SLOW_MS=0
expect 0 "$slow" local --dir "$work/d" --once --log.level=error
equal 2000 "$(outputs)" "outputs in the end"
