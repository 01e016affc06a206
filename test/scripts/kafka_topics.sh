#!/bin/bash
# Topics that are there when an application starts: settings by which they would delete or refuse its records end it, with the topic, the setting
# and the remedy; others are told. What it makes itself is as it should be, three copies of the broker's own accord with two that must have
# a record too.
. test/scripts/kafka.inc
A=$($server start "$work/kafka")
forever=9223372036854775807

application ours --dead.letters.topic=ours-letters --threads=1 --topics.partitions=1
start=("${count[@]}" --once --state.dir="$work/state" --log.level=warn)
expect 0 "${start[@]}"
expect 0 "${start[@]}"
! grep topic-differs "$work/err" || fail "what it made itself differs"
put() { test/servers/kafka_ask.py "$A" set "$@"; }

# ends CODE: it ends so; a setting is not with every broker at once.
ends() {
    local code=0
    "${start[@]}" >"$work/out" 2>"$work/err" </dev/null || code=$?
    [ "$code" = "$1" ]
}

# refused TOPIC NAME VALUE WANTED [REST]: with this setting it does not start, with the wanted one it does.
refused() {
    put "$1" "$2" "$3"
    await ends 2
    says "$1: the topic has $2=$3 and would lose or refuse our records: set $2=$4 on it${5-} (WEIR_BAD_CONFIG)"
    put "$1" "$2" "$4"
    await ends 0
}
# told TOPIC NAME VALUE [FLAG...]: it starts, and says so.
told() {
    put "$1" "$2" "$3"
    expect 0 "${start[@]}" "${@:4}"
    says "topic-differs topic=$1 setting=$2"
}

echo "--- internal topics"
letters=ours-letters
changelog=ours-counts-changelog repartition=ours-counts-repartition
put $changelog retention.ms 604800000
refused $changelog cleanup.policy compact,delete compact
put $changelog retention.ms -1
refused $changelog message.timestamp.type LogAppendTime CreateTime
refused $changelog message.timestamp.after.max.ms 3600000 $forever
refused $changelog message.timestamp.before.max.ms 3600000 $forever
refused $repartition cleanup.policy compact delete
refused $repartition retention.ms 604800000 -1
refused $repartition retention.bytes 1000000 -1

echo "--- topics that it writes to, which may be as they are if somebody says so"
may=", or topics.check=warn if it shall"
refused ours-counts retention.ms 604800000 -1 "$may"
refused ours-counts message.timestamp.after.max.ms 3600000 $forever "$may"
refused "$letters" retention.ms 604800000 -1 "$may"
told ours-counts retention.ms 604800000 --topics.check=warn
put ours-counts retention.ms -1

printf '%s\n' datetime_beginning_utc,datetime_beginning_ept,pnode_id,pnode_name,total_lmp_rt,version_nbr \
    '5/1/2025 4:00:00 AM,5/1/2025 12:00:00 AM,1,A,1.5,1' >"$work/good.csv"
load=("$BUILD/data-processing" load --kafka.bootstrap.servers="$A" --topics.partitions=1 --product=rt_hrl_lmps "$work/good.csv")
expect 0 "${load[@]}"
put ingestion.pjm.raw.v1 retention.ms 604800000
expect 2 "${load[@]}"
says "ingestion.pjm.raw.v1: the topic has retention.ms=604800000 and would lose or refuse our records: set retention.ms=-1 on it$may"
expect 0 "${load[@]}" --topics.check=warn
says "topic-differs topic=ingestion.pjm.raw.v1 setting=retention.ms"

echo "--- what loses nothing"
put $changelog retention.ms 604800000 # of a compacted topic, as Kafka Streams makes them
expect 0 "${start[@]}"
put $changelog retention.ms -1
told $changelog cleanup.policy compact,delete # without a bound
put $changelog cleanup.policy compact
put ours-counts retention.ms 604800000
put ours-counts cleanup.policy compact # the usual home of a table
expect 0 "${start[@]}"
told $changelog max.message.bytes 1000
told ours-lines retention.ms 604800000 # others write it

if [ "${FORM:-short}" = long ]; then
    echo "--- a broker with one bound of time to either side"
    $server stop "$work/kafka"
    A=$(KAFKA_VERSION=3.5.2 $server start "$work/kafka-3.5")
    trap '$server kill "$work/kafka-3.5"; $server kill "$work/kafka"; cleanup' EXIT
    application ours --threads=1 --topics.partitions=1
    start=("${count[@]}" --once --state.dir="$work/state-3.5" --log.level=warn)
    expect 0 "${start[@]}"
    expect 0 "${start[@]}"
    ! grep topic-differs "$work/err" || fail "what it made itself differs"
    refused $changelog message.timestamp.difference.max.ms 3600000 $forever
    $server stop "$work/kafka-3.5"
fi

echo "--- as the broker has it: three copies"
$server stop "$work/kafka"
# Later brokers hold to a minimum of their own, whatever their file says: 3.9 does what it is told.
A=$(KAFKA_VERSION=3.9.1 KAFKA_SET="min.insync.replicas=1" $server start "$work/three" 3)
trap '$server kill "$work/three"; $server kill "$work/kafka"; cleanup' EXIT
application three --threads=1 --topics.partitions=1
start=("${count[@]}" --once --state.dir="$work/state-three" --log.level=warn)
expect 0 "${start[@]}"
! grep topic-differs "$work/err" || fail "what it made itself differs"
for topic in three-lines three-counts three-counts-changelog three-counts-repartition; do
    equal 2 "$(test/servers/kafka_ask.py "$A" get $topic min.insync.replicas)" "how many copies of $topic must have a record"
done

echo "--- brokers of the years between go by one bound of time, unless another one is set"
refused three-counts message.timestamp.difference.max.ms 3600000 $forever "$may"
