#!/bin/bash
# The audit trail in ClickHouse and in a topic: what starts, stops, asks and resets leaves its events in both; either one away stops
# neither the services nor the other one, is counted, and caught up; what a full queue loses is said by the chain; an event that was
# removed or edited, in the table or in the topic, is found, and the first bad one is named.
. test/scripts/clickhouse.inc
kafka=test/servers/kafka.sh
trap '$kafka kill "$work/kafka"; $server kill "$db"; cleanup' EXIT
$kafka start "$work/kafka" >"$work/A" &
url=$($server start "$db")
wait $!
A=$(cat "$work/A")
export WEIR_CLICKHOUSE_URL=$url WEIR_KAFKA_BOOTSTRAP_SERVERS=$A WEIR_LOG_LEVEL=warn
export DATA_PROC_AUDIT_ENABLED=true DATA_PROC_AUDIT_KAFKA_TOPIC=security.audit.v1 DATA_PROC_AUDIT_FLUSH_INTERVAL=0 DATA_PROC_ENV=prod
expect 0 env -u DATA_PROC_AUDIT_ENABLED "$program" migrate clickhouse

actions() { ask "SELECT concat(service_name, ' ', action, ' ', outcome) FROM data_processing.audit_events FINAL WHERE $1 ORDER BY event_time, sequence"; }
verify() { # verify EXIT [PLACE]
    expect "$1" env -u DATA_PROC_AUDIT_ENABLED "$program" audit verify ${2:-}
}
metric() { curl -s "http://$at/metrics" | sed -n "s/^$1 //p"; }
# serve NAME ARG...: a service in the background; at: where it answers.
serve() {
    local name=$1
    shift
    : >"$work/$name.log" # of a former one
    "$program" local "$@" --log.level=info --dir "$work/$name" --http.port=0 2>"$work/$name.log" &
    pid=$!
    children+=($pid)
    await grep -q id=http-open "$work/$name.log"
    at=127.0.0.1:$(sed -n 's/.*id=http-open .*port=\([0-9]*\).*/\1/p' "$work/$name.log" | head -n 1)
    await curl -sf "http://$at/health/ready"
}
stop() {
    kill "$pid"
    wait "$pid" || { tail "$work"/*.log; fail "the service ended with $?"; }
}

echo "--- a service: start, settings, a question, stop; secrets nowhere; not of a service that is switched off"
serve one projection enrichment --redis.password=hunter2hunter2 --enrichment.audit.enabled=false --http.token=hunter2hunter2hunter2
expect 0 curl -s "http://$at/status"
expect 0 curl -s -H 'Authorization: Bearer hunter2hunter2hunter2' -H 'X-Request-Id: r-77' "http://$at/projections/latest_price?tenant_id=t1&instrument_id=A%0AB"
expect 0 curl -s "http://$at/health"
for ((i = 0; i < 40; i++)); do curl -s "http://$at/projections/none?secret=$i" >/dev/null; done
expect 0 curl -s -H 'Authorization: Bearer hunter2hunter2hunter2' "http://$at/projections/latest_price?access_token=hunter2"
stop
equal "projection service_start done
projection settings_in_force done
projection http_refused refused
projection http_query refused
projection http_query refused
projection service_stop done" "$(actions "service_name IN ('projection', 'enrichment')" | uniq | sed '5,6{/http_refused/d}')" "what a service leaves"
equal 30 "$(ask "SELECT count() FROM data_processing.audit_events FINAL WHERE action = 'http_refused'")" "refusals that are noted, of 41"
equal 11 "$(ask "SELECT sum(JSONExtractInt(details, 'others_not_noted')) FROM data_processing.audit_events FINAL")" "refusals that are counted"

equal "prod t1 /projections/latest_price r-77 127.0.0.1 {\"query\":{\"tenant_id\":\"t1\",\"instrument_id\":\"A\\\\nB\"},\"status\":400}" \
    "$(ask "SELECT environment, tenant_id, resource_id, request_id, ip_address, details FROM data_processing.audit_events FINAL
        WHERE action = 'http_query' AND request_id = 'r-77' FORMAT TSV" | tr '\t' ' ')" "a question"
equal 0 "$(ask "SELECT count() FROM data_processing.audit_events WHERE details LIKE '%hunter2%'")" "events with a secret"
equal 1 "$(ask "SELECT count() FROM data_processing.audit_events FINAL WHERE details LIKE '%redis.password%'")" "settings that name it"

echo "--- commands: begun and ended, with their outcome"
expect 0 "$program" reset projection --dir "$work/one" --dry-run
expect 2 "$program" replay projection --dir "$work/one"
expect 0 "$program" dlq redrive --all --dir "$work/one" --dry-run
expect 0 "$program" migrate clickhouse
equal "data-processing reset begun
data-processing reset done
data-processing replay begun
data-processing replay failed
data-processing dlq begun
data-processing dlq done
data-processing migrate begun
data-processing migrate done" "$(actions "actor_type = 'user'")" "what commands leave"
equal "$(id -un)" "$(ask "SELECT DISTINCT actor_id FROM data_processing.audit_events WHERE actor_type = 'user'")" "who it was"
verify 0
grep -q "^ClickHouse: 43 events in 5 chains, 0 of them bad; 0 written twice, 0 not there$" "$work/out" || { cat "$work/out"; fail "ClickHouse"; }
grep -q "^the topic: 43 events in 5 chains, 0 of them bad" "$work/out" || { cat "$work/out"; fail "the topic"; }

echo "--- the chain by another program: SHA-256 of what docs/audit.md says"
"$program" cat security.audit.v1 >"$work/topic" # itself an event, behind these
python3 test/market/audit_chain.py <"$work/topic" || fail "the chain is not as docs/audit.md says"

echo "--- ClickHouse away: the topic goes on, nobody waits; a full queue is counted, said by the chain, and no removal"
serve two projection --audit.queue.size=20
$server kill "$db"
ask_for() { local i; for ((i = 0; i < $1; i++)); do curl -s "http://$at/projections/latest_price?tenant_id=t&instrument_id=$i" >/dev/null; done; }
ask_for 60
await bash -c "curl -s http://$at/metrics | grep -q '^weir_audit_writer_up{writer=\"clickhouse\"} 0'"
await bash -c "curl -s http://$at/metrics | grep -Eq '^weir_audit_written_total\{writer=\"kafka\"\} 62'"
equal 1 "$(metric 'weir_audit_outages_total{writer="clickhouse"}')" "outages"
lost=$(metric 'weir_audit_dropped_total{writer="clickhouse"}')
waits=$(metric 'weir_audit_queue_events{writer="clickhouse"}')
[ "$lost" -gt 0 ] && [ "$waits" -ge 20 ] || fail "$lost are lost, $waits wait"
equal 0 "$(metric 'weir_audit_dropped_total{writer="kafka"}')" "events that the topic has lost"
equal 1 "$(metric 'weir_audit_writer_up{writer="kafka"}')" "whether the topic is up"
$server start "$db" >/dev/null
await bash -c "curl -s http://$at/metrics | grep -q '^weir_audit_writer_up{writer=\"clickhouse\"} 1'"
await bash -c "curl -s http://$at/metrics | grep -q '^weir_audit_queue_events{writer=\"clickhouse\"} 0'"
stop
grep -q "id=audit-waits writer=clickhouse" "$work/two.log" || fail "an outage is not said"
grep -q "id=audit-writes-again writer=clickhouse lost=$lost" "$work/two.log" || { grep audit "$work/two.log"; fail "its end is not said"; }
equal "$lost" "$(ask "SELECT JSONExtractInt(details, 'lost') FROM data_processing.audit_events FINAL WHERE action = 'audit_lost'")" "losses that the chain says"
verify 0
grep -q "^ClickHouse: .*, $lost not there$" "$work/out" || { cat "$work/out"; fail "losses are not told"; }

echo "--- Kafka away: the table goes on; caught up"
serve three projection
$kafka stop "$work/kafka"
ask_for 5
await bash -c "curl -s http://$at/metrics | grep -q '^weir_audit_written_total{writer=\"clickhouse\"} 7'"
$kafka node "$work/kafka" 1 >/dev/null
await bash -c "curl -s http://$at/metrics | grep -q '^weir_audit_written_total{writer=\"kafka\"} 7'"
stop
verify 0

echo "--- removed and edited events of the table"
ask "CREATE TABLE data_processing.kept AS data_processing.audit_events"
ask "INSERT INTO data_processing.kept SELECT * FROM data_processing.audit_events FINAL"
chain=$(ask "SELECT chain_id FROM data_processing.kept WHERE service_name = 'projection' GROUP BY chain_id ORDER BY min(event_time) LIMIT 1")
# broken WHAT SELECT NUMBER WORDS [SELECT]: with these rows in place of all, the first bad event is NUMBER of the chain. The rows of the
# second SELECT come after: of rows of one insert that are of the same event the engine keeps any.
broken() {
    ask "TRUNCATE TABLE data_processing.audit_events"
    ask "INSERT INTO data_processing.audit_events $2"
    [ $# -lt 5 ] || ask "INSERT INTO data_processing.audit_events $5"
    verify 1 clickhouse
    grep -q "^ClickHouse: first bad event of chain $chain (projection): event $chain-$3: .*$4" "$work/out" || { cat "$work/out"; fail "$1 is not found"; }
}
all="FROM data_processing.kept"
here="chain_id = '$chain'"
broken "a removed event" "SELECT * $all WHERE NOT ($here AND sequence = 2)" 2 "it was removed"
broken "the first one removed" "SELECT * $all WHERE NOT ($here AND sequence = 1)" 1 "it was removed"
broken "an edited text" "SELECT * REPLACE (if($here AND sequence = 3, 'done', outcome) AS outcome) $all" 3 "it was edited"
broken "an edited time" "SELECT * REPLACE (if($here AND sequence = 3, event_time + 1, event_time) AS event_time) $all" 3 "it was edited"
broken "an event in two forms" "SELECT * $all" 2 "it was edited" "SELECT * REPLACE ('x' AS actor_id) $all WHERE $here AND sequence = 2"
broken "another hash" "SELECT * REPLACE (if($here AND sequence = 2, repeat('a', 64), event_hash) AS event_hash) $all" 2 "it was edited"
last=$(ask "SELECT max(sequence) $all WHERE $here")
# the last one removed: only what the topic has tells
ask "TRUNCATE TABLE data_processing.audit_events"
ask "INSERT INTO data_processing.audit_events SELECT * $all WHERE NOT ($here AND sequence = $last)"
verify 0 clickhouse
until=$(ask "SELECT toUnixTimestamp(max(event_time)) + 62 $all WHERE $here")
if [ "$FORM" = long ]; then
    while [ "$(date +%s)" -lt "$until" ]; do sleep 1; done
    verify 1
    grep -q "^ClickHouse: first bad event of chain $chain .* event $chain-$last: it is missing here, and the other place has it" "$work/out" ||
        { cat "$work/out"; fail "a chain without its end is not found"; }
fi
ask "TRUNCATE TABLE data_processing.audit_events"
ask "INSERT INTO data_processing.audit_events SELECT * $all"
verify 0

echo "--- a key: chains are sealed with it; without it, or with another, they are not good; nor is one without a seal that comes behind"
openssl rand -hex 32 >"$work/key"
openssl rand -hex 32 >"$work/other"
expect 0 env WEIR_AUDIT_KEY_FILE="$work/key" "$program" reset projection --dir "$work/one" --dry-run
sealed() { expect "$1" env -u DATA_PROC_AUDIT_ENABLED WEIR_AUDIT_KEY_FILE="$work/$2" "$program" audit verify clickhouse; }
sealed 0 key
{ cat "$work/other" "$work/key"; } >"$work/both"
sealed 0 both
sealed 1 other
grep -q 'first bad event of chain sealed-.*-1: .*sealed with another key than those of audit.key' "$work/out" || { cat "$work/out"; fail "another key"; }
verify 1 clickhouse
expect 2 env WEIR_AUDIT_KEY=short "$program" cat x --dir "$work/one"
says "audit.key: a key has at least 32 characters"
expect 0 "$program" reset projection --dir "$work/one" --dry-run
sealed 1 key
grep -q 'it is not sealed, and chains from before it are' "$work/out" || { cat "$work/out"; fail "a chain without a seal"; }
ask "TRUNCATE TABLE data_processing.audit_events"
ask "INSERT INTO data_processing.audit_events SELECT * $all"

echo "--- an event of the topic, said once more in other words"
expect 0 env -u DATA_PROC_AUDIT_ENABLED "$program" topic backup security.audit.v1 --to "$work/saved"
python3 - "$work/saved/security.audit.v1" "$chain" <<'PY'
import base64, glob, hashlib, json, sys
for path in glob.glob(sys.argv[1] + "/*.jsonl"):
    lines = open(path).read().splitlines()
    for line in lines:
        record = json.loads(line)
        if "block" in record: last = record; continue
        event = json.loads(base64.b64decode(record["value"]["base64"]))
        if (event["chain_id"], event["sequence"]) == (sys.argv[2], 2):
            event["actor_id"] = "somebody else"
            record["value"]["base64"] = base64.b64encode(json.dumps(event).encode()).decode()
            forged = json.dumps(record) + "\n"
    if "forged" in globals():
        digest = hashlib.sha256((last["sha256"] + forged).encode()).hexdigest()
        open(path, "a").write(forged + '{"block":%d,"records":1,"next":%d,"sha256":"%s"}\n' % (last["block"] + 1, last["next"] + 1, digest))
        break
PY
expect 0 env -u DATA_PROC_AUDIT_ENABLED "$program" topic restore --from "$work/saved"
grep -q ": 1 records restored" "$work/out" || { cat "$work/out"; fail "nothing is forged"; }
verify 1 topic
grep -q "first bad event of chain $chain .*: event $chain-2: it was edited" "$work/out" || { cat "$work/out"; fail "a forged record is not found"; }

echo "--- what is wanted and cannot be"
expect 2 env -u WEIR_CLICKHOUSE_URL -u DATA_PROC_AUDIT_KAFKA_TOPIC "$program" cat x --dir "$work/one"
says "there is nowhere to write it to: set clickhouse.url, or audit.topic"
expect 2 env -u WEIR_KAFKA_BOOTSTRAP_SERVERS "$program" cat x --dir "$work/one"
says "set kafka.bootstrap.servers"
expect 2 env -u WEIR_CLICKHOUSE_URL -u DATA_PROC_AUDIT_KAFKA_TOPIC "$program" audit verify
