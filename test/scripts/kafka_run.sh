#!/bin/bash
# `run`: word count over Apache Kafka. SIGKILL at each point of a commit, on the same disk and with the state lost: counts stay
# exact, a reader of what is committed sees each update once; the same disk reads back what its last flush has not, an empty one
# all. Then a stop by signal, what is refused, and no broker at all.
. test/scripts/kafka.inc
A=$($server start "$work/kafka")
app=word_count
run=("$words" run --kafka.bootstrap.servers="$A" --state.dir="$work/state" --instance.id=w0 --threads=2 --lines
    --state.flush.interval.ms=1h)

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
part=0 flushed=0
for at in record:150 before-commit:2 after-flush:2 mid-commit:2 after-commit:1 stop:1 mid-restore:1; do
    part=$((part + 1))
    lines 600 $part >"$work/$part.txt"
    cat "$work/$part.txt" >>"$work/all.txt"
    # Whoever goes on flushes at its stop, or is killed there: so the tail grows.
    end=137 end_at=stop:1
    case ${at%:*} in record | stop | mid-restore) end=0 end_at= ;; esac
    [ "${at%:*}" != mid-restore ] || { rm -rf "$work/state"; flushed=0; }
    WEIR_CRASH_AT=$at expect 137 "${run[@]}" --once --in lines="$work/$part.txt" --commit.interval.ms=20 --log.level=error
    await settled
    tail=$(($(changes) - flushed))
    [ $at != stop:1 ] || [ $flushed -gt 0 -a $tail -gt 0 ] || fail "no tail: $flushed changes flushed, $tail not"
    WEIR_CRASH_AT=$end_at expect $end "${run[@]}" --once --in lines="$work/$part.txt"
    equal $tail "$(restored "$work/err")" "changelog records read back after a kill at $at"
    ! grep -q id=store-restored-from-start "$work/err" || { cat "$work/err"; fail "a store was emptied after a kill at $at"; }
    exact "after a kill at $at"
    [ $end != 0 ] || flushed=$(changes)
done

echo "--- a stop by signal: out, committed, and nothing to do at the next start"
"${run[@]}" --http.port=0 --log.level=error >"$work/out" 2>"$work/err" &
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
