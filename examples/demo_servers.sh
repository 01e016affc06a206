#!/bin/bash
# The demonstration over servers: market files become bars and prices through four processes, one for each topology, over an
# Apache Kafka, a PostgreSQL, a Redis and a ClickHouse engine of their own. Aggregation is killed in mid-window and started again; the bars
# are those of an undisturbed run. What is known of instruments comes from PostgreSQL; ticks, bars and prices go to ClickHouse and Redis.
#   DATA, SEED, INSTRUMENT   as in demo.sh
#   KEEP=1                   leaves all running and prints URLs
set -euo pipefail
. "$(dirname "$0")/demo.inc"

servers=$here/../test/servers
kafka=$servers/kafka.sh postgres=$servers/postgres.sh redis=$servers/redis.sh clickhouse=$servers/clickhouse.sh
services=(normalization enrichment aggregation projection)
declare -A pids=() ports=()
starters=()

# Servers that the services need: each has a script in test/servers, a folder below OUT and a line here and in stop_all.
start_servers() {
    "$postgres" start "$out/postgres" >"$out/postgres.dsn" &
    starters+=($!)
    "$redis" start "$out/redis" >"$out/redis.url" &
    starters+=($!)
    "$clickhouse" start "$out/clickhouse" >"$out/clickhouse.url" &
    starters+=($!)
    brokers=$("$kafka" start "$out/kafka")
    echo "   Kafka at $brokers"
    wait "${starters[0]}" && wait "${starters[1]}" && wait "${starters[2]}"
    starters=()
    export WEIR_KAFKA_BOOTSTRAP_SERVERS=$brokers WEIR_POSTGRES_DSN WEIR_REDIS_URL WEIR_CLICKHOUSE_URL
    WEIR_POSTGRES_DSN=$(cat "$out/postgres.dsn")
    WEIR_REDIS_URL=$(cat "$out/redis.url")
    WEIR_CLICKHOUSE_URL=$(cat "$out/clickhouse.url")
}

# make_tables: and what is known of the instruments that are shown.
make_tables() {
    "$program" migrate postgres --log.level=warn | sed 's/^/   /'
    "$program" migrate clickhouse --log.level=warn | sed 's/^/   /'
    while read -r id; do
        echo "insert into taxonomy_instruments (instrument_id, commodity, region, product_tier) values ('$id', 'energy', 'demo', 'shown');"
    done < <(awk -v what=instruments -f "$here/demo.awk" "$out/minutes") | "$postgres" sql "$out/postgres" -
}

# start NAME [VARIABLE=VALUE]: a service, with a name of its own, so that the group knows it again. Windows of instruments that
# fall silent close after 2 s instead of 5 minutes.
start() {
    local name=$1
    shift
    nohup env "$@" "$program" run "$name" --state.dir="$out/$name" --instance.id="$name-0" --aggregation.minute_s.idle=2s \
        --aggregation.five_s.idle=2s --aggregation.hour_s.idle=2s --aggregation.day_s.idle=2s >>"$out/$name.log" 2>&1 </dev/null &
    pids[$name]=$!
}

# until_ready NAME: and its port is known.
until_ready() {
    local i name=$1
    for ((i = 0; i < 600; i++)); do
        kill -0 "${pids[$name]}" 2>/dev/null || { tail -n 20 "$out/$name.log"; die "$name does not run"; }
        ports[$name]=$(sed -nE 's/.*id=http-open.* port=([0-9]+).*/\1/p' "$out/$name.log" | tail -n 1)
        [ -z "${ports[$name]}" ] || [ "$(member ready "$(ask "${ports[$name]}" /health/ready 2>/dev/null)")" != true ] || return 0
        sleep 0.1
    done
    die "$name is not ready after a minute: $out/$name.log"
}

stop_services() {
    [ ${#pids[@]} -gt 0 ] || return 0
    kill -TERM "${pids[@]}" 2>/dev/null || :
    { wait "${pids[@]}"; } 2>/dev/null || :
}

stop_all() {
    trap - EXIT INT TERM
    stop_services
    { wait "${starters[@]}"; } 2>/dev/null || : # who still starts something has then started it
    "$kafka" kill "$out/kafka" 2>/dev/null || :
    "$clickhouse" kill "$out/clickhouse" 2>/dev/null || :
    "$redis" kill "$out/redis" 2>/dev/null || :
    "$postgres" remove "$out/postgres" 2>/dev/null || :
}

query() { "$clickhouse" query "$out/clickhouse" "$1"; }

# until_copied: ClickHouse's bars are the log's.
until_copied() {
    local i
    for ((i = 0; i < 240; i++)); do
        ! "$program" reconcile --from 1990-01-01 --to 2100-01-01 >"$out/reconciled" 2>&1 || return 0
        sleep 0.5
    done
    cat "$out/reconciled"
    die "ClickHouse's bars are not the log's after two minutes"
}

minutes() { "$program" cat aggregated.market.bars.1m.v1 2>/dev/null; }

# until_equal: the bars of the cluster are those of the undisturbed run.
until_equal() {
    local i
    for ((i = 0; i < 240; i++)); do
        ! "$program" diff "$out/whole" "$brokers" --of bars >"$out/diff" 2>&1 || return 0
        sleep 0.5
    done
    cat "$out/diff"
    die "the bars are not equal after two minutes"
}

for file in "$out"/kafka/node*/pid; do
    [ ! -e "$file" ] || ! grep -qaF "$(basename "$out")/kafka" "/proc/$(cat "$file")/cmdline" 2>/dev/null ||
        die "a demonstration still runs in $out: end it first ($kafka stop $out/kafka)"
done
rm -rf "$out"
mkdir -p "$out"
find_files

say "1. ${#files[@]} market files, undisturbed through one process and no server"
printf '   %s\n' "${files[@]##*/}"
events=$("$program" load --dir "$out/whole" --log.level=warn "${files[@]}" | sed -nE 's/^([0-9]+) events loaded$/\1/p') || :
[ "${events:-0}" -gt 0 ] || die "nothing was loaded"
"$program" local --dir "$out/whole" --once --log.level=warn
"$program" cat aggregated.market.bars.1m.v1 --dir "$out/whole" >"$out/minutes"
shown=${INSTRUMENT:-$(awk -v what=busiest -f "$here/demo.awk" "$out/minutes")}
echo "   $events events, $(wc -l <"$out/minutes") bars of a minute"

trap stop_all EXIT
trap 'exit 130' INT TERM
say "2. Apache Kafka, PostgreSQL, Redis, ClickHouse's engine, and a process for each topology"
start_servers
echo "   PostgreSQL at ${WEIR_POSTGRES_DSN%% user=*}, Redis at $WEIR_REDIS_URL, ClickHouse at $WEIR_CLICKHOUSE_URL"
make_tables
crash=$(awk -v seed="$seed" -v events="$events" 'BEGIN { srand(seed); print 1 + int(events * (0.2 + 0.3 * rand())) }')
for name in "${services[@]}"; do
    if [ "$name" = aggregation ]; then start "$name" WEIR_CRASH_AT="record:$crash"; else start "$name"; fi
done
for name in "${services[@]}"; do
    until_ready "$name"
    printf '   %-14s process %-8s http://127.0.0.1:%s/health\n' "$name" "${pids[$name]}" "${ports[$name]}"
done

say "3. The same files, and aggregation killed by SIGKILL at its record $crash (SEED=$seed)"
exec 4>&2 2>/dev/null # the shell's own words of it are left out
"$program" load --log.level=warn "${files[@]}" 2>&4 | sed 's/^/   /' || :
code=0
wait "${pids[aggregation]}" || code=$?
exec 2>&4 4>&-
[ $code = 137 ] || { tail -n 20 "$out/aggregation.log"; die "exit $code: aggregation was not killed"; }
echo "   exit $code, $(minutes | wc -l) bars of a minute so far"
"$program" explain "$shown" aggregation 2>/dev/null | sed -nE "s/^ +(.*, open: waits)/   $shown: \1/p" | tail -n 4 || :

say "4. Started again, and compared with the undisturbed run"
start aggregation
until_ready aggregation
until_equal
sed "s#$out/##g; s/^/   /" "$out/diff"

say "5. The last bars"
minutes >"$out/minutes"
awk -v what=bars -v instrument="$shown" -f "$here/demo.awk" "$out/minutes"

say "6. Latest prices, over HTTP"
awk -v what=instruments -f "$here/demo.awk" "$out/minutes" | latest_prices "${ports[projection]}"

say "7. The same in PostgreSQL, ClickHouse and Redis"
until_copied
tail -n 1 "$out/reconciled" | sed 's/^/   /'
query "SELECT table, sum(rows) AS total FROM system.parts WHERE database = 'data_processing' AND active AND rows > 0 AND table != 'schema_migrations'
    GROUP BY table ORDER BY table" | awk '{ printf "   ClickHouse  %-24s %9d rows\n", $1, $2 }'
"$redis" cli "$out/redis" 1 --raw dbsize | awk '{ printf "   Redis       %-24s %9d keys\n", "served:latest_price:*", $1 }'
"$postgres" sql "$out/postgres" "select count(*) from taxonomy_instruments" | awk '{ printf "   PostgreSQL  %-24s %9d rows\n", "taxonomy_instruments", $1 }'
query "SELECT instrument_id, formatDateTime(window_start, '%F %R', 'UTC'), close FROM data_processing.bars_1m FINAL
    WHERE instrument_id = '$shown' ORDER BY window_start DESC LIMIT 1" | sed 's/^/   ClickHouse, the last bar: /'
printf '   Redis, the latest price: '
"$redis" cli "$out/redis" 1 --raw get "served:latest_price:default:$shown" | cut -c 1-150

if [ -n "${KEEP:-}" ]; then
    trap - EXIT INT TERM
    id=$(awk -v what=instruments -f "$here/demo.awk" "$out/minutes" | tail -n 1)
    say "All go on running ('kill ${pids[*]}; $kafka stop $out/kafka; $redis stop $out/redis; $clickhouse stop $out/clickhouse; $postgres remove $out/postgres' ends them)"
    for name in "${services[@]}"; do echo "   http://127.0.0.1:${ports[$name]}/health"; done
    for path in /metrics "/projections/latest_price?tenant_id=default&instrument_id=$id" \
        "/projections/bars?tenant_id=default&instrument_id=$id&interval=1h"; do
        echo "   http://127.0.0.1:${ports[projection]}$path"
    done
    echo "   $program cat aggregated.market.bars.1m.v1 --kafka.bootstrap.servers=$brokers"
fi
