#!/bin/bash
# A cluster of three brokers, each topic three times: one is killed in mid-run, and the one that coordinates the group goes while
# a member joins, and comes back. Nothing is lost, nothing comes twice. Topics are made with the copies that are configured, and
# internal ones that have too few are named.
. test/scripts/kafka.inc
export KAFKA_HEAP=256m
all=$($server start "$work/kafka" 3)
A=$all

# coordinator: the node that coordinates the group; others: a broker that is there when it is not.
coordinated() { test/servers/kafka_ask.py "$A" coordinator "$app" >"$work/coordinator"; }
others() { echo "127.0.0.1:$(cat "$work/kafka/node$(($(cat "$work/coordinator") % 3 + 1))/port")"; }

echo "--- one of three is killed while records come in"
application three --threads=1 --topics.partitions=4 --topics.replication=3
begin a --instance.id=w-a
begin b --instance.id=w-b
feed 500 1
await_of a placed 8 a b
await coordinated
feed 500 2 &
feeder=$!
$server kill "$work/kafka" "$(cat "$work/coordinator")"
wait $feeder
A=$(others)
feed 500 3
exact "with one broker of three gone"
$server node "$work/kafka" "$(cat "$work/coordinator")"
A=$all

echo "--- the coordinator goes while a member joins, and comes back"
await coordinated
$server stop "$work/kafka" "$(cat "$work/coordinator")" &
stopping=$!
begin c --instance.id=w-c
wait $stopping
A=$(others)
feed 500 4
$server node "$work/kafka" "$(cat "$work/coordinator")"
A=$all
await_of c placed 8 a b c
exact "after the coordinator came back"
for name in a b c; do leave $name; done

echo "--- copies that are too few are named, enough of them are not"
restart() { expect 0 "${count[@]}" --once --state.dir="$work/state-$app-a" --log.level=warn "$@"; }
restart
! grep topic-differs "$work/err" || fail "three copies were said to be too few"
for pair in "min.insync.replicas 1" "unclean.leader.election.enable true"; do
    # shellcheck disable=SC2086
    test/servers/kafka_ask.py "$A" set three-counts-changelog $pair
done
restart
says "topic-differs topic=three-counts-changelog setting=min.insync.replicas wanted=2 found=1"
says "topic-differs topic=three-counts-changelog setting=unclean.leader.election.enable wanted=false found=true"
application thin --threads=1 --topics.partitions=1 --topics.replication=1
restart
restart --topics.replication=3
says "topic-differs topic=thin-counts-changelog setting=replication wanted=3 found=1"
