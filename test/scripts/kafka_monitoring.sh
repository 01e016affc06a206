#!/bin/bash
# The four services over Apache Kafka with a Redis, and a Prometheus that scrapes them by compose/prometheus.yml with the rules of the chart: each
# query of rules and dashboards has data, but for those that need an event, which it names; the pages are as Prometheus wants them. A service
# that is killed has its alert. The counterpart of the guide's test_monitoring.py.
. test/scripts/cli.inc
kafka=test/servers/kafka.sh redis=test/servers/redis.sh
trap '$kafka kill "$work/kafka"; $redis kill "$work/redis"; cleanup' EXIT
market=$BUILD/data-processing
unset "${!WEIR_@}"
command -v prometheus promtool >/dev/null || fail "there is no prometheus: install the package prometheus"

$redis start "$work/redis" >"$work/redis.url" &
"$market" generate --out "$work/made" --bars "$work/made.bars" --rows 4000 --hours 6 --seed 3 --late 5 >/dev/null
A=$($kafka start "$work/kafka")
wait $!
export WEIR_KAFKA_BOOTSTRAP_SERVERS=$A WEIR_REDIS_URL
WEIR_REDIS_URL=$(cat "$work/redis.url")

declare -A pids=() ports=()
for service in normalization enrichment aggregation projection; do
    "$market" run $service --instance.id=$service-0 --state.dir="$work/state/$service" --commit.interval.ms=50 --threads=1 --topics.partitions=4 \
        --http.port=0 --kafka.statistics.interval.ms=500 --aggregation.minute_s.idle=1s >"$work/$service.log" 2>&1 </dev/null &
    pids[$service]=$!
    children+=($!)
done
for service in "${!pids[@]}"; do
    await grep -q id=http-open "$work/$service.log"
    ports[$service]=$(sed -nE 's/.*id=http-open.* port=([0-9]+).*/\1/p' "$work/$service.log" | head -n 1)
done

# Prometheus as compose has it, but for places and the clock: alerts wait for seconds instead of minutes.
mkdir "$work/rules"
cp charts/data-processing/monitoring/rules/*.yml "$work/rules/"
sed -i -E 's/^( +for: [0-9]+)[mh]$/\1s/' "$work/rules/alerts.yml"
listen=$(bash -c '. test/servers/server.inc; free_ports 1' test/servers/x)
sed -E -e 's/_interval: 15s/_interval: 1s/' -e "s,/etc/prometheus/rules,$work/rules,; s/localhost:9090/127.0.0.1:$listen/" \
    -e "s/normalization-service:8080/127.0.0.1:${ports[normalization]}/; s/enrichment-service:8081/127.0.0.1:${ports[enrichment]}/" \
    -e "s/aggregation-service:8082/127.0.0.1:${ports[aggregation]}/; s/projection-service:8083/127.0.0.1:${ports[projection]}/" \
    compose/prometheus.yml >"$work/prometheus.yml"
expect 0 promtool check config "$work/prometheus.yml"
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --web.listen-address=127.0.0.1:"$listen" >"$work/prometheus.log" 2>&1 </dev/null &
children+=($!)
# Rates are of what comes after the first scrape.
scraped() { curl -sS -m 5 "127.0.0.1:$listen/api/v1/query" --data-urlencode 'query=sum(up{service!=""}) == 4' | grep -q '"value"'; }
await scraped

expect 0 "$market" load "$work"/made/*.csv
for path in "${ports[@]}"; do curl -sS -m 20 -o /dev/null "127.0.0.1:$path/projections/latest_price?instrument_id=none"; done
python3 test/monitoring/queries.py ask "http://127.0.0.1:$listen" || { grep -hE 'level=(warn|error)' "$work"/*.log >&2 || :; fail "queries without data"; }
for service in "${!ports[@]}"; do
    curl -sS -m 20 "127.0.0.1:${ports[$service]}/metrics" >"$work/$service.metrics"
    promtool check metrics <"$work/$service.metrics" || fail "/metrics of $service is not as Prometheus wants it"
done
[ "$(cat "$work"/*.metrics | grep -c '^weir_build_info')" = 4 ] || fail "four pages were looked at"

firing() { curl -sS -m 5 "127.0.0.1:$listen/api/v1/alerts" | python3 -c 'import json, sys
alerts = json.load(sys.stdin)["data"]["alerts"]
sys.exit(not any(a["state"] == "firing" and a["labels"]["alertname"] == sys.argv[1] and a["labels"].get("service") == sys.argv[2] for a in alerts))' "$@"; }
! firing ServiceDown projection || fail "a service that is up has an alert"
kill -KILL "${pids[projection]}"
await firing ServiceDown projection
! firing ServiceDown enrichment || fail "the alert is of all services"
