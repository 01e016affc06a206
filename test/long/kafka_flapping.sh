#!/bin/bash
# A broker that is killed again and again, away for up to 12 s each time, while a program loads its input and counts it: the
# program waits all of it out, loses nothing, counts nothing twice. It has work each time.
. test/scripts/kafka.inc
quick=()

A=$($server start "$work/kafka")
application flapping --threads=2 --topics.partitions=4 --lines
lines 200000 6 >"$work/all.txt"
cp "$work/all.txt" "$work/in.txt"
begin a --instance.id=w0 --in flapping-lines="$work/in.txt"
RANDOM=6
for ((i = 0; i < 8; i++)); do
    sleep $((1 + RANDOM % 4)) # so long it is there
    kill -STOP "${pid[a]}" # what is fed now is left to do when the broker goes
    feed 2000 $((100 + i))
    ! caught_up || fail "all was counted when the broker went, at $i"
    $server kill "$work/kafka" 1
    kill -CONT "${pid[a]}"
    sleep $((RANDOM % 13)) # so long it is away
    $server node "$work/kafka" 1
    ! gone a || { show; fail "the program ended"; }
done
exact "after a broker that was killed again and again" 120
grep -q 'id=thread-recovers code=WEIR_ABORT' "$work/a.err" || fail "no transaction was aborted"
leave a
$server stop "$work/kafka"
