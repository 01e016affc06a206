#!/bin/bash
# compose/docker-compose.yml without Docker: its services are started in its order, each when what it waits for is so, with exactly its commands and
# variables, over servers of the tests; the health loop of docs/compose.md and what helm test does; files are loaded as that page says, and prices and rows come; metrics; all end well.
. test/scripts/cli.inc
. test/compose/services.inc

# In an image ports are the file's; else free ones.
services=(normalization-service enrichment-service aggregation-service projection-service)
if [ -z "${IN_IMAGE:-}" ]; then
    read -ra ports < <(bash -c '. test/servers/server.inc; free_ports 4' test/servers/x)
    for i in 0 1 2 3; do port[${services[i]}]=${ports[i]}; done
fi
mapfile -t order <"$work/compose/order"

echo "--- up, in this order: ${order[*]}"
for service in "${order[@]}"; do
    case $service in prometheus | grafana) continue ;; esac
    bring_up "$service"
done
for service in "${services[@]}"; do await_healthy "$service"; done
equal 4 "${#pids[@]}" "services that run"

echo "--- the health loop"
loop=$(sed -nE 's/^    (for port in 8080 .*)/\1/p' docs/compose.md)
for service in "${services[@]}"; do loop=${loop//"$(variable "$service" DATA_PROC_HEALTH_PORT)"/"$(port_of "$service")"}; done
bash -c "$loop" >"$work/said" 2>&1 || { cat "$work/said"; fail "the loop ended with $?"; }
equal 4 "$(grep -o '"ready":true' "$work/said" | wc -l)" "services that are ready"
! grep -q 'is not ready' "$work/said" || { cat "$work/said"; fail "one is not ready"; }

# helm_test: what the containers of the chart's test do, at the services that run here; prints how many of them are content.
helm_test() {
    local words content=0
    while read -ra words; do "$BUILD/data-processing" "${words[@]}" >"$work/said" 2>&1 && content=$((content + 1)); done <"$work/helm_test"
    echo $content
}
if [ -z "${IN_IMAGE:-}" ]; then # nothing can be fetched in there
    echo "--- helm test"
    . test/tools.inc
    helm template x charts/data-processing --values charts/data-processing/values-dev.yaml --show-only templates/tests/ready.yaml | /usr/bin/python3 -c 'import sys, yaml
for container in yaml.safe_load(sys.stdin)["spec"]["containers"]:
    print(*container["args"])' >"$work/helm_test"
    for service in "${services[@]}"; do
        sed -i "s/x-data-processing-${service%-service}:$(variable "$service" DATA_PROC_HEALTH_PORT)/127.0.0.1:$(port_of "$service")/" "$work/helm_test"
    done
    equal 4 "$(grep -c '127\.0\.0\.1' "$work/helm_test")" "containers that ask a service of this machine"
    equal 4 "$(helm_test)" "services that helm test finds ready"
fi

echo "--- /health, /health/live, /metrics, /status, /topology"
for service in "${services[@]}"; do
    url=http://127.0.0.1:$(port_of "$service")
    for path in /health /health/live /status /topology; do curl -fsS "$url$path" >"$work/body" || fail "$service$path"; done
    curl -fsS "$url/metrics" >"$work/metrics"
    grep -qE "^weir_threads?.*topology=\"${service%-service}\"|^weir_[a-z_]+\{.*topology=\"${service%-service}\"" "$work/metrics" || fail "$service has no metrics of its own"
done

echo "--- files in, prices out"
"$BUILD/data-processing" generate --out "$work/files" --bars "$work/made.bars" --rows 600 --seed 11 >/dev/null
chmod -R a+rX "$work/files"
folder=$work/files
[ -z "${IN_IMAGE:-}" ] || folder=/files
for file in "$work"/files/*.csv; do
    (inside tools load "$folder/${file##*/}") >"$work/said" 2>&1 || { cat "$work/said"; fail "load ended with $?"; }
done
url=http://127.0.0.1:$(port_of projection-service)
await curl -fsS "$url/projections/latest_price?tenant_id=default&instrument_id=PJM.HUB.00"
has_rows() { [ "$(CLICKHOUSE_USER=$(variable clickhouse CLICKHOUSE_USER) CLICKHOUSE_PASSWORD=$(variable clickhouse CLICKHOUSE_PASSWORD) \
    test/servers/clickhouse.sh query "$work/clickhouse" "SELECT count() > 0 FROM data_processing.served_latest")" = 1 ]; }
await has_rows
cached() { REDISCLI_AUTH=$(variable redis REDISCLI_AUTH) test/servers/redis.sh cli "$work/redis" 1 --raw get served:latest_price:default:PJM.HUB.00 | grep -q '"version"'; }
await cached
echo "--- down"
take_down normalization-service
[ -n "${IN_IMAGE:-}" ] || equal 3 "$(helm_test)" "services that helm test finds ready when one is down"
for service in "${services[@]:1}"; do take_down "$service"; done
! curl -fsS -m 2 "$url/health" >/dev/null 2>&1 || fail "projection still answers"
