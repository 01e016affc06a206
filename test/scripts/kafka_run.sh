#!/bin/bash
# `run`: word count over Apache Kafka. SIGKILL at each point of a commit, on the same disk and with the state lost: counts stay
# exact, a reader of what is committed sees each update once. Then a stop by signal, what is refused, and no broker at all.
. test/scripts/cli.inc
server=test/servers/kafka.sh
trap '$server kill "$work/kafka"; cleanup' EXIT
A=$($server start "$work/kafka")
run=("$words" run --kafka.bootstrap.servers="$A" --state.dir="$work/state" --log.level=error --instance.id=w0 --threads=2
    --lines)

# committed: the updates in the order of each partition, "word count" lines.
committed() {
    "$words" cat counts --kafka.bootstrap.servers="$A" | sed -E 's/.*"key":"([^"]*)".*"value":([0-9]+)\}$/\1 \2/'
}

# exact: the last counts are those of all that was loaded; no update came twice, none is missing.
exact() {
    committed >"$work/committed"
    awk '$2 <= last[$1] { print; bad = 1 } { last[$1] = $2 } END { exit bad }' "$work/committed" || fail "a count came twice $1"
    equal "$(plain "$work/all.txt")" "$(awk '{ last[$1] = $2 } END { for (w in last) print w, last[w] }' "$work/committed" | sort)" \
        "counts $1"
}

: >"$work/all.txt"
part=0
for at in record:150 before-commit:2 after-flush:2 mid-commit:2 after-commit:1 stop:1 mid-restore:1; do
    part=$((part + 1))
    lines 600 $part >"$work/$part.txt"
    cat "$work/$part.txt" >>"$work/all.txt"
    [ "${at%:*}" != mid-restore ] || rm -rf "$work/state"
    WEIR_CRASH_AT=$at expect 137 "${run[@]}" --once --in lines="$work/$part.txt" --commit.interval.ms=20
    expect 0 "${run[@]}" --once --in lines="$work/$part.txt"
    exact "after a kill at $at"
done

echo "--- a stop by signal: out, committed, and nothing to do at the next start"
"${run[@]}" --http.port=0 >"$work/out" 2>"$work/err" &
children+=($!)
lines 600 99 >"$work/99.txt"
cat "$work/99.txt" >>"$work/all.txt"
expect 0 "$words" run --kafka.bootstrap.servers="$A" --state.dir="$work/other" --log.level=error --once --lines \
    --in lines="$work/99.txt" --threads=1 --instance.id=w1
kill -TERM "${children[-1]}"
wait "${children[-1]}" || { cat "$work/err"; fail "the stop ended with $?"; }
exact "after two processes and a stop"

echo "--- what is refused"
expect 2 "$words" run
says "kafka.bootstrap.servers"
expect 2 "$words" run --kafka.bootstrap.servers="$A" --kafka.enable.idempotence=false
says "kafka.enable.idempotence"
expect 3 "$words" cat nowhere --kafka.bootstrap.servers="$A"
says "nowhere"

echo "--- no broker: it waits, and stops when asked"
"$words" run --kafka.bootstrap.servers=127.0.0.1:1 --state.dir="$work/none" >"$work/out" 2>"$work/err" &
children+=($!)
await grep -q 'id=waiting-for-brokers servers=127.0.0.1:1 ' "$work/err"
kill -TERM "${children[-1]}"
code=0
wait "${children[-1]}" || code=$?
equal 1 $code "the exit of a run that was stopped before a broker answered"
says 'before a broker answered at 127.0.0.1:1'
