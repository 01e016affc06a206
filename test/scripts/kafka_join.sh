#!/bin/bash
# A task with two inputs over Apache Kafka: visits meet the table of towns and are counted, by one, two and three processes over 4
# partitions, which join, die in mid-transaction and leave while records come in. Partition n of both topics is always with the
# same process; what was joined and what was counted is what plain computations say, each once. Then one is stopped while it works.
. test/scripts/kafka.inc
A=$($server start "$work/kafka")
app=join
program=$BUILD/test/programs/visits
topics=(--kafka.bootstrap.servers="$A" --application.id=join --visiting.towns.topic=join-towns --visiting.visits.topic=join-visits
    --visiting.out.topic=join-named --visiting.sums.topic=join-sums)
count=("$program" run "${topics[@]}" --threads=1 --topics.partitions=4 --commit.interval.ms=20 "${quick[@]}")

# keyed FIELDS: "key value" lines as JSON.
keyed() { sed -E 's/(.*) (.*)/{"key":"\1","value":"\2"}/'; }
# of TOPIC: what is committed in it, as "key value" lines.
of() { "$program" cat "$1" "${topics[@]}" | sed -E 's/.*"key":"([^"]*)".*"value":"?([^"]*)"?\}$/\1 \2/'; }
all_committed() { "$program" lag "${topics[@]}" --json | grep -q '"lag":0}$'; }

# name_towns NAMES: each town has a name of these from now on; the visits after that meet it, in whatever process.
name_towns() {
    names=$1
    for ((i = 0; i < 40; i++)); do echo "t$i $names$i"; done | keyed >"$work/towns-$1"
    load join-towns "$work/towns-$1" ""
    await all_committed
}

# visit ROWS SEED
visit() {
    awk -v rows="$1" -v seed="$2" 'BEGIN { srand(seed); while (rows-- > 0) print "t" int(rand() * 40), "v" seed "." rows }' >"$work/visits"
    sed -E "s|t([0-9]+) (.*)|t\1 \2/$names\1|" "$work/visits" >>"$work/want"
    keyed <"$work/visits" >"$work/visits-$2"
    load join-visits "$work/visits-$2" ""
}

joined() {
    of join-named | sort >"$work/named" && of join-sums >"$work/sums" && cmp -s "$work/named" <(sort "$work/want") &&
        [ "$(awk '{ last[$1] = $2 } END { for (k in last) print k, last[k] }' "$work/sums" | sort)" = \
            "$(cut -d ' ' -f 1 "$work/want" | sort | uniq -c | awk '{ print $2, $1 }' | sort)" ]
}
# exact WHEN
exact() {
    local until=$((SECONDS + 60))
    until joined || [ $SECONDS -gt $until ]; do sleep 0.25; done
    joined || { show; diff "$work/named" <(sort "$work/want") | head -n 20 >&2 || :; fail "not what it should be $1"; }
    awk '$2 <= last[$1] { exit 1 } { last[$1] = $2 }' "$work/sums" || fail "a sum came twice $1"
}

# together NAME...: these are the group, and each of their tasks has one partition of both topics.
together() {
    placed 8 "$@" || return 1
    for name in "$@"; do
        curl -s -m 5 "127.0.0.1:${port[$name]}/status" | python3 -c 'import json, sys
for task in json.load(sys.stdin)["topologies"][0]["tasks"]:
    inputs = sorted((at["topic"], at["partition"]) for at in task["inputs"])
    number = inputs[0][1]
    if inputs != [("join-towns", number), ("join-visits", number)]: sys.exit(f"a task of {inputs}")' || return 1
    done
}

begin a
name_towns a
visit 1000 1 &
feeder=$!
begin b
await_of b together a b
wait $feeder
exact "with a second process"
name_towns b
WEIR_CRASH_AT=after-flush:1 begin c
await_of c together a b c
visit 500 2
ended c 137
visit 500 3
exact "after a death in mid-transaction"
await_of b together a b
begin c
visit 500 4 &
feeder=$!
await_of c together a b c
wait $feeder
leave a
visit 500 5
await_of c together b c
exact "after one has left"
for name in b c; do leave $name; done

echo "--- stopped in the midst of its work, of which nothing is committed before: out in time, what was done is committed and durable"
visited() { grep -c '^visit$' "$work/c.err"; }
at_work() { [ "$(visited)" -ge 300 ]; }
VISIT_MS=3 begin c --commit.interval.ms=50s --kafka.transaction.timeout.ms=60000
visit 4000 6
await_of c at_work
placed 8 c || fail "it is not alone"
began=$(date +%s%3N)
leave c
took=$(($(date +%s%3N) - began))
[ $took -le 10000 ] || fail "the stop took $took ms"
before=$(visited)
[ "$before" -lt 4000 ] || fail "there was nothing left to do at the stop"
begin c
exact "after a stop in the midst of its work"
equal 4000 $((before + $(visited))) "visits that both lives have worked on"
! grep 'id=restore-done ' "$work/c.err" | grep -v 'records=0 ' || fail "the stop left something to read back"
grep -q 'id=restore-done ' "$work/c.err" || fail "nothing was said of restoring"
leave c
! grep -h 'id=task-parted ' "$work"/?.err || fail "inputs of a task were given to two members"
