#!/bin/bash
# compose/docker-compose.yml by the compose specification and by what that cannot say (test/compose/compose.py); broken copies are
# refused, each by name. compose/Dockerfile by hadolint. The guide's services, ports, names.
set -euo pipefail
cd "$(dirname "$0")/../.."
. test/tools.inc
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
specification=$(schemas)/compose-spec.json
python=/usr/bin/python3 # Debian's, which has Debian's modules

echo "--- the Dockerfile"
hadolint compose/Dockerfile || fail "compose/Dockerfile"
sed 's/^USER .*/USER root/; s/:12[.0-9]*-slim/:latest/' compose/Dockerfile >"$work/Dockerfile"
! hadolint "$work/Dockerfile" >"$work/said" || fail "hadolint finds nothing"
grep -q DL3002 "$work/said" || { cat "$work/said"; fail "hadolint finds no root"; }
version=$(sed -nE 's/^project\(weir VERSION ([0-9.]+) .*/\1/p' CMakeLists.txt)
grep -qx "ARG VERSION=$version" compose/Dockerfile || fail "the image's version is not $version"

echo "--- the compose file"
check() { $python test/compose/compose.py check "$1" "$specification"; }
check compose/docker-compose.yml || fail "compose/docker-compose.yml"
grep -q "image: apache/kafka:$(sed -nE 's/^version=\$\{KAFKA_VERSION:-(.*)\}$/\1/p' test/servers/kafka.sh)$" compose/docker-compose.yml || fail "Kafka is another one than the tests run"
engine=$(sed -nE 's/^version=([0-9.]+).*/\1/p' test/servers/clickhouse.sh)
grep -q "image: clickhouse/clickhouse-server:$engine$" compose/docker-compose.yml || fail "ClickHouse is not $engine"

echo "--- Docker Compose itself, new and old, reads it as the tests do"
for program in docker_compose docker_compose_old; do
    $program version >"$work/said" 2>&1 || { cat "$work/said"; fail "no $program"; }
    $program --file compose/docker-compose.yml --profile tools config --format json --output "$work/config.json" >"$work/said" 2>&1 || { cat "$work/said"; fail "$program does not take it"; }
    [ ! -s "$work/said" ] || { cat "$work/said"; fail "$program warns"; }
    $python test/compose/compose.py same compose/docker-compose.yml "$work/config.json" || fail "$program reads it otherwise"
done
docker_compose_old --file compose/docker-compose.yml --env-file compose/.env.example --profile tools config --format json --output "$work/example.json"
cmp "$work/example.json" "$work/config.json" || fail ".env.example does not have the defaults"
sed 's/"service_healthy"/"service_started"/' "$work/config.json" >"$work/other.json"
! $python test/compose/compose.py same compose/docker-compose.yml "$work/other.json" >"$work/said" || fail "nothing is compared"

# broken WORDS SED: a copy changed by a script of sed is refused with these words.
broken() {
    mkdir -p "$work/tree/compose" "$work/tree/docs"
    cp compose/Dockerfile compose/.env.example "$work/tree/compose/"
    cp -r compose/grafana compose/prometheus.yml "$work/tree/compose/"
    mkdir -p "$work/tree/charts/data-processing/monitoring/rules" "$work/tree/charts/data-processing/monitoring/dashboards"
    cp docs/configuration.md "$work/tree/docs/"
    sed -E "$2" compose/docker-compose.yml >"$work/tree/compose/docker-compose.yml"
    ! cmp -s compose/docker-compose.yml "$work/tree/compose/docker-compose.yml" || fail "$2 changes nothing"
    ! check "$work/tree/compose/docker-compose.yml" >"$work/said" || fail "$2 is not refused"
    grep -qF "$1" "$work/said" || { cat "$work/said"; fail "$2 is not refused as $1"; }
}
echo "--- broken ones"
broken "'restarts' was unexpected" '/image: grafana/s/$/\n    restarts: always/'
broken "is not of type" 's/retries: 12/retries: [12]/'
broken "depends on redis, which is not there" 's/^  redis:$/  redes:/'
broken "prometheus, which has no check" '/9090\/-\/ready/d; /^  prometheus:/,/^  grafana:/{/healthcheck:|<<: \*health/d}'
broken "migrate-clickhouse, which is started again" '/command: \[migrate, clickhouse\]/,/restart/s/"no"/always/'
broken "circle: " 's/^    image: apache\/kafka.*/&\n    depends_on: {projection-service: {condition: service_healthy}}/'
broken "there is no ./prometheus.yaml" 's/prometheus.yml:/prometheus.yaml:/'
broken "grafana is not declared" '$d'
broken "redis: runs as root" '/image: redis/,/user/s/999:999/0:0/'
broken "postgresql: may write to its root file system" '/image: postgres/,/read_only/{/read_only/d}'
broken "is no exact version" 's/(grafana\/grafana):.*/\1:latest/'
broken "is open to others" 's/"127.0.0.1:9090:/"9090:/'
broken "its port is not 8082 everywhere" 's/HEALTH_PORT: "8082"/HEALTH_PORT: "8083"/'
broken "DATA_PROC_KAFKA_AUTO_COMMIT sets nothing" 's/^  DATA_PROC_ENV: local/&\n  DATA_PROC_KAFKA_AUTO_COMMIT: "true"/'
broken "another health check" 's/probe, enrichment\]/version]/'
broken "variables: REDIS_PASSWORD" 's/REDIS_PASSWORD:-local/REDIS_PASSWORD:-other/'
