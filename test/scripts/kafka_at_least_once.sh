#!/bin/bash
# `delivery = at_least_once` over Apache Kafka: offsets are committed by the members themselves. A clean stop leaves nothing to be
# done again; SIGKILL loses nothing, on the same disk, while nothing can be sent and while offsets cannot be committed; behind a
# commit it repeats nothing. Two processes: offsets advance; one is killed, the other one has all.
. test/scripts/kafka.inc
through_proxy
Produce=0 OffsetCommit=8

# lines ROWS SEED: as elsewhere, and in each line a word of its own: what is counted twice hides none that is lost.
lines() {
    awk -v rows="$1" -v seed="$2" 'BEGIN { srand(seed); for (i = 0; i < rows; i++)
        print "w" int(rand() * 40), "w" int(rand() * 40), "line" seed "x" i }'
}

lag() {
    "$words" lag --kafka.bootstrap.servers="$A" --application.id="$app" --word_count.lines.topic="$app-lines" \
        --word_count.out.topic="$app-counts" --json | sed -E 's/.*"lag":([0-9]+)\}$/\1/'
}
lag_is() { [ "$(lag)" = "$1" ]; }

# metric NAME FAMILY [LABEL]: its sum over the series that have the label.
metric() { curl -s -m 5 "127.0.0.1:${port[$1]}/metrics" | grep "^$2[{ ]" | grep -F "${3:-}" | awk '{ sum += $NF } END { print sum + 0 }'; }

# lacking: the words whose last count is below plain counting.
lacking() {
    committed >"$work/committed"
    awk 'NR == FNR { last[$1] = $2; next } last[$1] < $2 { print $1, last[$1] + 0, "of", $2 }' "$work/committed" <(plain "$work/all.txt")
}

# done_all: what the first look takes for done may have been on its way between two topics.
done_all() { lag_is 0 && lag_is 0; }

# least WHEN: at last all is committed, and whatever is committed has its outputs.
least() {
    await_of a done_all
    lacking >"$work/lacking"
    [ ! -s "$work/lacking" ] || { show; head -n 20 "$work/lacking" >&2; fail "$(wc -l <"$work/lacking") words are lost $1"; }
}

# again: all that was fed comes once more. A file that begins as a former one would be that one, grown: so the other way round.
again() {
    tac "$work/all.txt" >"$work/again.txt"
    cat "$work/again.txt" >>"$work/all.txt"
    load "$app-lines" "$work/again.txt"
    least "when all came once more"
}

# stuck NAME: a commit of it has waited for the broker for health.commit.wait.ms.
stuck() { health "$1/ready" '"ready":false'; }

echo "--- a clean stop: all is committed; the next start reads nothing back and takes nothing twice"
application clean --delivery=at_least_once --threads=1 --topics.partitions=2 --kafka.session.timeout.ms=30000
begin a --instance.id=w-a
feed 300 1
exact "at least once, undisturbed"
grep -q 'id=at-least-once-state ' "$work/a.err" || fail "it does not warn of state at least once"
leave a
equal 0 "$(lag)" "the lag after a clean stop"
begin a --instance.id=w-a
feed 100 2
exact "after a clean stop"
equal 100 "$(metric a weir_records_consumed_total '"clean-lines"')" "the lines taken after a clean stop"
equal 0 "$(metric a weir_restore_records_total)" "the changelog records read back after a clean stop"
leave a

echo "--- killed behind a commit: nothing is repeated; the same disk reads back what was not flushed"
for at in mid-commit after-commit; do
    equal 0 "$(lag)" "the lag before a kill at $at"
    flushed=$(changes)
    WEIR_CRASH_AT=$at:3 begin a --instance.id=w-a
    feed_until_gone a ${#at}00
    ended a 137
    tail=$(($(changes) - flushed))
    begin a --instance.id=w-a
    exact "after a kill at $at"
    equal $tail "$(restored "$work/a.err")" "changelog records read back after a kill at $at"
    ! grep -q id=store-restored-from-start "$work/a.err" || fail "a store was emptied after a kill at $at"
    leave a
done

echo "--- killed before a commit: nothing is lost"
application killed --delivery=at_least_once --threads=1 --topics.partitions=2 --health.commit.wait.ms=200ms
for at in record:150 before-commit:3 after-flush:3; do
    WEIR_CRASH_AT=$at begin a --instance.id=w-a
    feed_until_gone a ${#at}00
    ended a 137
    begin a --instance.id=w-a
    least "after a kill at $at"
    leave a
    equal 0 "$(lag)" "the lag after a kill at $at and a stop"
done

echo "--- killed while nothing can be sent, and while no offset can be committed: nothing is lost"
for api in $Produce $OffsetCommit; do
    begin a --instance.id=w-a
    await_of a placed 4 a
    proxy hold request $api a
    feed 300 50$api
    proxy await
    await_of a stuck a
    kill -KILL "${pid[a]}"
    ended a 137
    proxy lose
    begin a --instance.id=w-a
    least "after a kill while request $api was held back"
    leave a
done

echo "--- all that was fed comes once more: the state has lost none of it"
begin a --instance.id=w-a
again
leave a

echo "--- two processes: offsets advance while both are members; each line is taken once"
application two --delivery=at_least_once --threads=1 --topics.partitions=2 --kafka.session.timeout.ms=30000
begin a
begin b
await_of b placed 4 a b
feed 500 1
exact "with two members"
await_of b lag_is 0
for name in a b; do metric $name weir_records_consumed_total '"two-lines"'; done >"$work/taken"
equal 500 "$(awk '{ sum += $1 } END { print sum }' "$work/taken")" "the lines that two members took"
! grep -qx 0 "$work/taken" || fail "one of two members took nothing"
for name in a b; do leave $name; done
equal 0 "$(lag)" "the lag after both have stopped"

echo "--- one of two is killed in mid-commit: nothing is lost"
application mourned --delivery=at_least_once --threads=1 --topics.partitions=2
begin b
WEIR_CRASH_AT=after-flush:2 begin a
await_of b placed 4 a b
feed_until_gone a 1
ended a 137
least "after a kill of one of two"
again
leave b
equal 0 "$(lag)" "the lag after a kill and a stop"
