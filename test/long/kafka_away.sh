#!/bin/bash
# A broker that goes away in mid-run and comes back: for longer than a transaction may take, killed; for longer than the
# group waits for a member, stopped. Nothing is lost, nothing counted twice, and the program catches up by itself.
. test/scripts/cli.inc
server=test/servers/kafka.sh
trap '$server kill "$work/kafka"; cleanup' EXIT

# committed: the updates in the order of each partition, "word count" lines.
committed() {
    "$words" cat counts --kafka.bootstrap.servers="$A" 2>/dev/null |
        sed -E 's/.*"key":"([^"]*)".*"value":([0-9]+)\}$/\1 \2/'
}

caught_up() {
    committed >"$work/committed" || return
    [ "$(awk '{ last[$1] = $2 } END { for (w in last) print w, last[w] }' "$work/committed" | sort)" = "$want" ]
}

any() { [ -n "$(committed)" ]; }

lines 200000 5 >"$work/in.txt"
want=$(plain "$work/in.txt")
for how in "kill 15" "stop 40"; do
    echo "--- ${how% *}, back after ${how#* } s"
    rm -rf "$work/kafka" "$work/state"
    A=$($server start "$work/kafka")
    "$words" run --kafka.bootstrap.servers="$A" --state.dir="$work/state" --instance.id=w0 --threads=1 --lines \
        --in lines="$work/in.txt" >"$work/out" 2>"$work/err" &
    child=$!
    children+=($child)
    await any
    $server "${how% *}" "$work/kafka" 1
    ! caught_up || fail "all was done before the broker went away: nothing is shown"
    sleep "${how#* }" # this long it is away
    $server node "$work/kafka" 1
    for ((i = 0; i < 60; i++)); do
        kill -0 $child 2>/dev/null || { cat "$work/err"; fail "the program ended"; }
        ! caught_up || break
        sleep 1
    done
    caught_up || { cat "$work/err"; fail "it did not catch up"; }
    awk '$2 <= last[$1] { print; bad = 1 } { last[$1] = $2 } END { exit bad }' "$work/committed" || fail "a count came twice"
    kill -TERM $child
    wait $child || { cat "$work/err"; fail "the stop ended with $?"; }
    $server stop "$work/kafka"
done
