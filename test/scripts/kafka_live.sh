#!/bin/bash
# Made-up events over Apache Kafka at a rate, as live feeds have them, through all four topologies into ClickHouse: bars of windows that are
# open are there while they come (`early`); at the end each has its closed bar, and none is open. What `generate` says it has sent is there;
# bars of 15 minutes and 2 hours among them are those that it computes plainly.
. test/scripts/cli.inc
kafka=test/servers/kafka.sh clickhouse=test/servers/clickhouse.sh
trap '$kafka kill "$work/kafka"; $clickhouse kill "$work/clickhouse"; cleanup' EXIT
market=$BUILD/data-processing
unset "${!WEIR_@}"
export LC_ALL=C WEIR_CLICKHOUSE_URL WEIR_KAFKA_BOOTSTRAP_SERVERS
($clickhouse start "$work/clickhouse" >"$work/clickhouse.url") &
WEIR_KAFKA_BOOTSTRAP_SERVERS=$($kafka start "$work/kafka")
wait $!
WEIR_CLICKHOUSE_URL=$(cat "$work/clickhouse.url")
expect 0 "$market" migrate clickhouse
ask() { $clickhouse query "$work/clickhouse" "$1"; }
intervals=1m,5m,15m,1h,2h,1d
flags=(--topics.partitions=2 --threads=1 --http.port=0 --clickhouse.flush.ms=100 --commit.interval.ms=100 --log.level=info
    --aggregation.bars.intervals=$intervals --state.dir="$work/state")

"$market" run "${flags[@]}" --aggregation.bars.early=200ms --instance.id=all >"$work/run.log" 2>&1 &
running=$!
children+=($running)
"$market" generate --rate 300 --rows 3000 --instruments 6 --intervals $intervals --corrections 5 --bars "$work/made.bars" --topics.partitions=2 \
    --log.level=warn >"$work/said" &
sending=$!
children+=($sending)

echo "--- while they come: bars of open windows"
open() { [ "$(ask "SELECT count() FROM data_processing.$1 FINAL WHERE state = 'open' AND revision = 0")" -gt 0 ]; }
for table in bars_1m bars_5m bars_1h bars_1d bars_other; do await open $table; done
wait $sending || fail "generate ended with $?"
total=0
for topic in market.ticks pjm ercot; do total=$((total + $("$market" cat ingestion.$topic.raw.v1 | wc -l))); done
equal "$(sed -nE 's/^([0-9]+) events in .*/\1/p' "$work/said")" $total "events that were sent"

echo "--- at the end: each window has closed, once"
kill -TERM $running
wait $running || { tail "$work/run.log"; fail "the stop ended with $?"; }
expect 0 "$market" run "${flags[@]}" --once --instance.id=all
expect 0 "$market" diff "$WEIR_KAFKA_BOOTSTRAP_SERVERS" "$work/made.bars" --of bars
grep -q '"interval":"15m"' "$work/made.bars" && grep -q '"interval":"2h"' "$work/made.bars" || fail "generate computes no other intervals"
expect 0 "$market" reconcile --from 2020-01-01 --to 2079-01-01
for table in bars_1m bars_5m bars_1h bars_1d bars_other; do
    equal 0 "$(ask "SELECT count() FROM data_processing.$table FINAL WHERE state = 'open'")" "open rows of $table"
done
