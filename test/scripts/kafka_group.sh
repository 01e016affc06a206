#!/bin/bash
# Groups over Apache Kafka: one, two and three processes of an application, with 4 and 12 partitions; they join, leave, die in
# mid-transaction and come back, while records come in. Each works on exactly what the group gave it; counts are exact, and a
# reader of what is committed sees each update once. Membership is static where an instance is named, and else it is not.
. test/scripts/kafka.inc
A=$($server start "$work/kafka")

# instances: what the group calls the members, in order.
instances() { sed 1d "$work/members" | cut -d ' ' -f 2 | xargs; }

# generations NAME: how often it was given something.
generations() { grep -c 'id=assigned ' "$work/$1.err" || :; }

echo "--- 4 partitions, dynamic membership: join, die, leave, join"
application few --threads=1 --topics.partitions=4
begin a
feed 1000 1 &
feeder=$!
await_of a placed 8 a
begin b
await_of b placed 8 a b
wait $feeder
equal "- -" "$(instances)" "the instance ids of dynamic members"
case "$(given a)|$(given b)" in "0 1|2 3" | "2 3|0 1") ;; *) fail "no ranges: $(cat "$work/members")" ;; esac
WEIR_CRASH_AT=after-flush:2 begin c
feed_until_gone c 100
ended c 137
exact "after a death in mid-transaction"
await_of a placed 8 a b
leave b
members >"$work/members"
! grep -q '^b ' "$work/members" || fail "who left is still a member: $(cat "$work/members")"
begin b
begin c
feed 1000 3
await_of c placed 8 a b c
exact "with three processes"
for name in a b c; do leave $name; done

echo "--- 12 partitions, static membership: join, leave, come back, die and come back within the session's time"
application many --threads=1 --topics.partitions=12
begin a --instance.id=w-a
WEIR_CRASH_AT=after-flush:3 begin b --instance.id=w-b
begin c --instance.id=w-c
await_of c placed 24 a b c
equal "w-a-0000 w-b-0000 w-c-0000" "$(instances)" "the instance ids of static members"
equal "0 1 2 3|4 5 6 7|8 9 10 11" "$(given a)|$(given b)|$(given c)" "the ranges"
before=$(generations a)
feed_until_gone b 200
ended b 137
begin b --instance.id=w-b
feed 2000 5
exact "after a member died in mid-transaction, and came back within the session's time"
placed 24 a b c || fail "not as it was: $(cat "$work/members")"
equal "4 5 6 7" "$(given b)" "the ranges of the member that came back"
equal "$before" "$(generations a)" "the generations that another member has seen"
leave c
members >"$work/members"
grep -q '^c ' "$work/members" || fail "a static member has left the group at once: $(cat "$work/members")"
feed 2000 6
await_of a placed 24 a b
exact "after the session of a static member has ended"
for name in a b; do leave $name; done
