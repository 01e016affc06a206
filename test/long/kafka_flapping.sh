#!/bin/bash
# A broker that is killed again and again, away for up to 12 s each time, while a program loads its input and counts it: the
# program waits all of it out, loses nothing, counts nothing twice.
. test/scripts/cli.inc
server=test/servers/kafka.sh
trap '$server kill "$work/kafka"; cleanup' EXIT

committed() {
    "$words" cat counts --kafka.bootstrap.servers="$A" 2>/dev/null |
        sed -E 's/.*"key":"([^"]*)".*"value":([0-9]+)\}$/\1 \2/'
}

caught_up() {
    committed >"$work/committed" || return
    [ "$(awk '{ last[$1] = $2 } END { for (w in last) print w, last[w] }' "$work/committed" | sort)" = "$want" ]
}

lines 200000 6 >"$work/in.txt"
want=$(plain "$work/in.txt")
A=$($server start "$work/kafka")
"$words" run --kafka.bootstrap.servers="$A" --state.dir="$work/state" --instance.id=w0 --threads=2 --topics.partitions=4 \
    --lines --in lines="$work/in.txt" >"$work/out" 2>"$work/err" &
child=$!
children+=($child)
RANDOM=6
for ((i = 0; i < 8; i++)); do
    sleep $((1 + RANDOM % 4)) # so long it is there
    $server kill "$work/kafka" 1
    sleep $((RANDOM % 13)) # so long it is away
    $server node "$work/kafka" 1
    kill -0 $child 2>/dev/null || { tail -n 50 "$work/err"; fail "the program ended"; }
done
for ((i = 0; i < 120; i++)); do
    kill -0 $child 2>/dev/null || { tail -n 50 "$work/err"; fail "the program ended"; }
    ! caught_up || break
    sleep 1
done
caught_up || { tail -n 50 "$work/err"; fail "it did not catch up"; }
awk '$2 <= last[$1] { print; bad = 1 } { last[$1] = $2 } END { exit bad }' "$work/committed" || fail "a count came twice"
kill -TERM $child
wait $child || { tail -n 50 "$work/err"; fail "the stop ended with $?"; }
$server stop "$work/kafka"
