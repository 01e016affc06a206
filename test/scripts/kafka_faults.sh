#!/bin/bash
# Faults of the way to the broker and of the members, over Apache Kafka: what ends a transaction is lost, held back or comes too
# late; an owner freezes with a transaction open and wakes up when another one has its partitions; two processes have one name;
# a start is stopped before the broker has answered. Outputs and state stay exact, and each update is seen once.
. test/scripts/kafka.inc

# The broker names the proxy as its address, so that all goes through it.
mkdir -p "$work/proxy"
test/servers/kafka_proxy.py "$work/proxy" &
children+=($!)
await test -s "$work/proxy/commands"
await test -s "$work/proxy/proxy"
A=127.0.0.1:$(cat "$work/proxy/proxy")
KAFKA_SET="advertised.listeners=PLAINTEXT://$A;transaction.abort.timed.out.transaction.cleanup.interval.ms=200" \
    $server start "$work/kafka" | sed 's/.*://' >"$work/proxy/target"

# proxy COMMAND...: has it obey, and gives its answer.
proxy() {
    local answer
    exec 3<>"/dev/tcp/127.0.0.1/$(cat "$work/proxy/commands")"
    echo "$*" >&3
    read -r -t 30 answer <&3 || fail "the proxy meets nothing: $*"
    exec 3>&-
    [ "$answer" = ok ] || echo "$answer"
}

frozen() { grep -q '^State:.T' "/proc/${pid[$1]}/status"; }
said() { grep -q "id=$2 " "$work/$1.err"; }
transaction_is() { test/servers/kafka_ask.py "$A" transactions | grep -q "^$app-[a-z0-9]*-0 $1"; }

EndTxn=26 InitProducerId=22 CreateTopics=19

echo "--- the end of a transaction is lost: its request, its answer, with their connection"
application lost --threads=1 --topics.partitions=2
begin a
feed 200 1
await_of a placed 4 a
for what in request reply; do
    proxy drop $what $EndTxn a
    feed 300 ${#what}
    proxy await
    exact "after a lost $what"
done

echo "--- it comes too late: the broker has ended the transaction by itself"
proxy hold request $EndTxn a
feed 300 10
proxy await
await transaction_is CompleteAbort
proxy release
exact "after an end that came too late"
await_of a said a thread-recovers

echo "--- it is held back when the process has to stop: out in time, and the next one goes on from what stands"
for what in request reply; do
    proxy hold $what $EndTxn a
    feed 300 2${#what}
    proxy await
    leave a
    proxy release
    begin a
    exact "after a stop while the $what was held back"
done
leave a

echo "--- an owner is frozen with a transaction open; another one has its partitions; it wakes up"
application frozen --threads=1 --topics.partitions=2
WEIR_CRASH_AT=after-flush:3:stop begin a
for ((seed = 1; seed < 30; seed++)); do
    ! frozen a || break
    feed 200 $seed
done
await_of a frozen a
begin b
exact "while the former owner is frozen"
kill -CONT "${pid[a]}"
await_of a said a thread-recovers
await_of a placed 4 a b
feed 300 100
exact "after the former owner woke up"
for name in a b; do leave $name; done

echo "--- the same between its offsets and the end of its transaction: the new owner waits for that, and begins behind it"
application between --threads=1 --topics.partitions=2 --kafka.transaction.timeout.ms=60000
begin a
feed 200 1
await_of a placed 4 a
proxy hold request $EndTxn a
feed 300 2
proxy await
kill -STOP "${pid[a]}"
begin b
await_of b said b waiting-for-offsets
committed >"$work/before"
proxy release
exact "after the transaction of a frozen owner was ended"
[ "$(wc -l <"$work/before")" -lt "$(wc -l <"$work/committed")" ] || fail "nothing was waited for"
kill -CONT "${pid[a]}"
await_of a placed 4 a b
feed 300 3
exact "after the former owner woke up"
for name in a b; do leave $name; done

echo "--- two processes of one name: the former one ends, and says why"
application twins --threads=1 --topics.partitions=2
begin a --instance.id=same
feed 200 1
await_of a placed 4 a
begin b --instance.id=same
ended a 6
grep -q "another process runs as this instance" "$work/a.err" || fail "it does not say why: $(tail -n 5 "$work/a.err")"
feed 300 2
exact "with the second of two twins"
leave b

echo "--- stopped while it starts: topics are being made; a thread's producer is being opened"
for at in "starting $CreateTopics" "twins $InitProducerId"; do
    application "${at% *}" --threads=1 --topics.partitions=2
    proxy hold request "${at#* }" s
    "${count[@]}" --state.dir="$work/state-start" --kafka.client.id=s >"$work/s.out" 2>"$work/s.err" &
    pid[s]=$! children+=($!)
    proxy await
    kill -TERM "${pid[s]}"
    ended s 1
    grep -q "stopped before a broker" "$work/s.err" || fail "it does not say so: $(tail -n 5 "$work/s.err")"
    proxy release
done
