#!/bin/bash
# A broker that goes away in mid-run, with a transaction open, and comes back: killed, for longer than a transaction may take; in the
# long form stopped, for longer than the group waits for a member, and for minutes. The transaction is aborted, what it was made of
# processed once more: nothing is lost, nothing counted twice; health names it while it lasts; the program catches up by itself. Then,
# in the long form, an input that is quiet for longer than the broker keeps offsets of groups that are gone.
. test/scripts/kafka.inc
quick=()
rows=40000 ways=("kill 15") missed=0
[ "${FORM:-short}" = short ] || { rows=200000 ways+=("stop 30" "stop 180"); }

is_open() { test/servers/kafka_ask.py "$A" transactions | grep -q '^away-w0-0 Ongoing'; }
any() { [ -n "$(committed)" ]; }
# processed: records that its thread has taken, of lines and of words, committed or not
processed() {
    curl -s -m 5 "127.0.0.1:${port[a]}/status" |
        python3 -c 'import json, sys; print(sum(thread["records"] for thread in json.load(sys.stdin)["topologies"][0]["threads"]))'
}
health() { curl -s -m 5 "127.0.0.1:${port[a]}/health" | grep -q "$1"; }

lines $rows 5 >"$work/in.txt"
for ((i = 0; i < ${#ways[@]}; i++)); do
    how=${ways[i]}
    echo "--- ${how% *}, back after ${how#* } s"
    rm -rf "$work/kafka" "$work"/state-*
    A=$($server start "$work/kafka")
    application away --threads=1 --lines --statestore.cache.max.bytes=0 # updates are sent before the commit
    cp "$work/in.txt" "$work/all.txt"
    # it stops among its records: those of the open transaction that were sent last are not with the broker
    WEIR_CRASH_AT=record:$((rows * 2)):stop begin a --instance.id=w0 --commit.interval.ms=300 --in away-lines="$work/in.txt"
    await_of a frozen a
    until is_open && any; do # it has just begun
        kill -CONT "${pid[a]}"
        await_of a is_open
        kill -STOP "${pid[a]}"
    done
    ! caught_up || fail "all was counted before the broker went"
    $server "${how% *}" "$work/kafka" 1
    left=$SECONDS
    kill -CONT "${pid[a]}"
    await_of a health 'the log does not answer'
    sleep $((left + ${how#* } - SECONDS)) # this long it is away
    $server node "$work/kafka" 1
    exact "after ${how% *}, back after ${how#* } s" 300
    if grep -q 'id=thread-recovers code=WEIR_ABORT' "$work/a.err"; then
        [ "$(processed)" -gt $((rows + $(wc -w <"$work/in.txt"))) ] || fail "nothing was processed once more: $(processed) records"
    else # all of it was with the broker already, and its end went through when that was back
        [ $((++missed)) -lt 3 ] || fail "no transaction was aborted"
        ways+=("$how")
    fi
    await_of a health '"healthy":true'
    leave a
    $server stop "$work/kafka"
done
[ "${FORM:-short}" = long ] || exit 0

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
