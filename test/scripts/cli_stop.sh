#!/bin/bash
# SIGTERM: exit 0, all committed and durable, the next start replays nothing. A second writer is refused by the holder's
# pid; `cat` reads while `local` runs.
. test/scripts/cli.inc

lines 2000 4 >"$work/in.txt"
"$words" local --dir "$work/d" --lines --in lines="$work/in.txt" 2>"$work/log" &
pid=$!
children+=("$pid")
finished() { [ "$(counts "$work/d")" = "$(plain "$work/in.txt")" ]; }
await finished

expect 4 "$words" local --dir "$work/d" --once
says "$pid"

kill -TERM "$pid"
code=0
wait "$pid" || code=$?
equal 0 "$code" "exit code after SIGTERM"
grep -q 'id=stopped' "$work/log" || fail "no word of the end"

expect 0 "$words" local --dir "$work/d" --once --log.level=debug
if grep 'id=restore-done' "$work/err" | grep -vq 'records=0 '; then
    cat "$work/err"
    fail "a clean stop left something to replay"
fi
grep -q 'id=restore-done' "$work/err" || fail "nothing was said of restoring"

# What has read all takes its time to write its state: the time-out is of who is told to stop.
expect 0 "$words" local --dir "$work/own" --once --shutdown.timeout.ms=0 --lines --in lines="$work/in.txt"
equal "$(plain "$work/in.txt")" "$(counts "$work/own")" "counts of a run without time to stop in"

# A second signal ends the process at once: both are there when it wakes up, the first is taken, the second kills.
: >"$work/log" # of the former one
"$words" local --dir "$work/d" 2>"$work/log" &
pid=$!
children+=("$pid")
await grep -q id=started "$work/log"
kill -STOP "$pid"
await grep -q '^State:[[:space:]]*T' "/proc/$pid/status"
kill -TERM "$pid"
kill -INT "$pid"
kill -CONT "$pid"
code=0
wait "$pid" || code=$?
equal 143 "$code" "exit after two signals"

# A kill without a stop: at most the changelog since the last flush is replayed, never more than there is.
: >"$work/log"
"$words" local --dir "$work/d" --log.level=debug 2>"$work/log" &
pid=$!
children+=("$pid")
await grep -q id=restore-done "$work/log"
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
expect 0 "$words" local --dir "$work/d" --once --log.level=debug
equal "$(plain "$work/in.txt")" "$(counts "$work/d")" "counts after kill -9"
