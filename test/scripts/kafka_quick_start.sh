#!/bin/bash
# compose/docker-compose.yml without Docker: its services are started in its order, each when what it waits for is so, with exactly its commands and
# variables, over servers of the tests; the health loop of docs/compose.md; files are loaded as that page says, and prices and rows come; metrics; all end well.
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
for service in "${services[@]}"; do take_down "$service"; done
! curl -fsS -m 2 "$url/health" >/dev/null 2>&1 || fail "projection still answers"
