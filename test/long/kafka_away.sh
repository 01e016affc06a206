#!/bin/bash
# A broker that goes away in mid-run and comes back: killed, for longer than a transaction may take; stopped, for longer than the
# group waits for a member, and for minutes. Nothing is lost, nothing counted twice; health names it while it lasts; the program
# catches up by itself. Then an input that is quiet for longer than the broker keeps offsets of groups that are gone.
. test/scripts/kafka.inc
quick=()

health() { curl -s -m 5 "127.0.0.1:${port[a]}/health" | grep -q "$1"; }
any() { [ -n "$(committed)" ]; }

lines 200000 5 >"$work/in.txt"
for how in "kill 15" "stop 30" "stop 180"; do
    echo "--- ${how% *}, back after ${how#* } s"
    rm -rf "$work/kafka" "$work"/state-*
    A=$($server start "$work/kafka")
    application away --threads=1 --lines
    cp "$work/in.txt" "$work/all.txt"
    begin a --instance.id=w0 --in away-lines="$work/in.txt"
    await_of a any
    $server "${how% *}" "$work/kafka" 1
    left=$SECONDS
    await_of a health 'the log does not answer'
    sleep $((left + ${how#* } - SECONDS)) # this long it is away
    $server node "$work/kafka" 1
    exact "after ${how% *}, back after ${how#* } s" 300
    await_of a health '"healthy":true'
    leave a
    $server stop "$work/kafka"
done

echo "--- an input is quiet for longer than offsets are kept of groups that are gone"
rm -rf "$work/kafka" "$work"/state-*
A=$(KAFKA_SET="offsets.retention.minutes=1;offsets.retention.check.interval.ms=5000" $server start "$work/kafka")
application quiet --threads=1 --topics.partitions=2
begin a
feed 1000 1
exact "before the quiet"
sleep 100 # one minute, a check, and some
leave a
begin a
feed 100 2
exact "after the quiet"
leave a
