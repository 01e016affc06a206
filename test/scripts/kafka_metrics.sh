#!/bin/bash
# What librdkafka tells of its clients is in /metrics: of each client its brokers, with units of ours; a client that is gone leaves.
. test/scripts/kafka.inc
A=$($server start "$work/kafka")

page() { curl -sS -m 20 "127.0.0.1:${port[a]}/metrics" >"$work/metrics"; }
# sum NAME [LABELS]: over the series of a family whose labels hold the text; "none" where there are none.
sum() { awk -v name="$1" -v labels="${2-}" '$1 ~ "^" name "({|$)" && index($1, labels) { sum += $2; any = 1 } END { print any ? sum : "none" }' "$work/metrics"; }
grew() { page && awk -v have="$(sum "$@")" 'BEGIN { exit !(have != "none" && have > 0) }'; }

application metrics --kafka.statistics.interval.ms=200
begin a --threads=1
feed 500 1
exact "with statistics"
node=$A/1
await_of a grew weir_kafka_broker_requests_total "broker=\"$node\""
await_of a grew weir_kafka_broker_up GroupCoordinator
await_of a grew weir_kafka_broker_up TxnCoordinator
await_of a grew weir_kafka_rebalances_total
for name in responses_total sent_bytes_total received_bytes_total; do
    await_of a grew "weir_kafka_broker_$name" "broker=\"$node\""
done
for name in broker_throttle_seconds broker_waiting_requests broker_errors_total broker_retries_total broker_timeouts_total \
    broker_disconnects_total unsent_records unsent_bytes fetched_records fetched_bytes; do
    [ "$(sum "weir_kafka_$name")" != none ] || fail "there is no weir_kafka_$name"
done
# Microseconds would be thousands.
awk '/^weir_kafka_broker_round_trip_seconds/ && $2 > 60 { print; bad = 1 } END { exit bad }' "$work/metrics" || fail "a round trip is not in seconds"
clients() { grep -o 'client="[^"]*"' "$work/metrics" | sort -u | wc -l; }
equal 3 "$(clients)" "one thread's clients: member, reader, producer"

# The broker goes: it is no longer up.
down() { page && [ "$(sum weir_kafka_broker_up "broker=\"$node\"")" = 0 ]; }
$server kill "$work/kafka"
await_of a down
grew weir_kafka_broker_disconnects_total || fail "no connection ended"
