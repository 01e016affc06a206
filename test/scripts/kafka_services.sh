#!/bin/bash
# The pipeline as services over Apache Kafka with PostgreSQL, Redis and ClickHouse's engine. Projection is killed between what these
# acknowledged and its commit. ClickHouse is killed in mid-run, so that a commit is given up, then Redis stopped, both away for 15 s. Nothing
# is lost, no identity is there twice under FINAL, no older row stands over a newer one, /health says so meanwhile and nobody leaves the
# group; all is caught up without a hand. A pair and a curve come from PostgreSQL, which is away too and has another pair when it comes back:
# ticks, bars, prices, statistics, spreads and curves outside are those of their topics. SIGTERM while they are away ends projection in time. FORM=long: away for 30 s, and for 5 minutes.
. test/scripts/cli.inc
kafka=test/servers/kafka.sh redis=test/servers/redis.sh clickhouse=test/servers/clickhouse.sh postgres=test/servers/postgres.sh
trap 'stop_servers; cleanup' EXIT
market=$BUILD/data-processing
outages=(15) rows=8000 hours=12
[ "${FORM:-short}" = short ] || { outages=(30 300) rows=100000 hours=30; }
unset "${!WEIR_@}"
export LC_ALL=C

stop_servers() {
    $kafka kill "$work/kafka"
    $redis kill "$work/redis"
    $clickhouse kill "$work/clickhouse"
    $postgres remove "$work/postgres"
} 2>/dev/null

# ---- files: loaded bit by bit ----

"$market" generate --out "$work/made" --bars "$work/made.bars" --rows $rows --hours $hours --seed 3 --corrections 5 --late 5 --shuffle 5m >/dev/null
files=("$work"/made/*.csv) late=("$work"/made/late/*.csv)
[ ${#files[@]} -ge 3 ] || fail "there should be a file for each of three feeds"

# ---- servers, started side by side ----

(REDIS_SET="appendonly yes;appendfsync always" $redis start "$work/redis" >"$work/redis.url") &
($clickhouse start "$work/clickhouse" >"$work/clickhouse.url") &
($postgres start "$work/postgres" >"$work/postgres.dsn") &
A=$($kafka start "$work/kafka")
wait
export WEIR_KAFKA_BOOTSTRAP_SERVERS=$A WEIR_CLICKHOUSE_URL WEIR_REDIS_URL WEIR_POSTGRES_DSN
WEIR_CLICKHOUSE_URL=$(cat "$work/clickhouse.url")
WEIR_REDIS_URL=$(cat "$work/redis.url")
WEIR_POSTGRES_DSN=$(cat "$work/postgres.dsn")
expect 0 "$market" migrate clickhouse
expect 0 "$market" migrate postgres
$postgres sql "$work/postgres" "insert into pair_definitions (pair_id, kind) values ('ERCOT.PAIR', 'inter_market'), ('PJM.PAIR', 'inter_market')" \
    "insert into pair_legs (pair_id, position, instrument_id, weight) select m || '.PAIR', n, m || '.HUB.0' || n, 1 - 2 * n
        from unnest(array['ERCOT', 'PJM']) m, generate_series(0, 1) n" \
    "insert into curve_metadata (curve_id, horizons) values ('PJM.CURVE', '1m, 2m, 1y')" \
    "insert into curve_members (curve_id, instrument_id, tenor) select 'PJM.CURVE', 'PJM.HUB.0' || n, 1 + 2 * n || 'm' from generate_series(0, 2) n"

# ---- services ----

declare -A pids
ids=(projection-0 aggregation-0 enrichment-0 normalization-0)
flags=(--commit.interval.ms=50 --threads=1 --http.port=0 --clickhouse.flush.ms=200 --aggregation.minute_s.idle=1s --aggregation.five_s.idle=1s
    --aggregation.hour_s.idle=1s --aggregation.day_s.idle=1s)

# serve ID [MOMENT]
serve() {
    WEIR_CRASH_AT=${2:-} "$market" run "${1%-*}" --instance.id="$1" --state.dir="$work/state/$1" "${flags[@]}" \
        >>"$work/$1.log" 2>&1 </dev/null &
    pids[$1]=$!
    children+=($!)
}

at() { echo "http://127.0.0.1:$(sed -nE 's/.*id=http-open.* port=([0-9]+).*/\1/p' "$work/$1.log" | tail -n 1)$2"; }
ask() { curl -s --max-time 5 "$(at "$1" "$2")"; }
status() { curl -s --max-time 5 -o /dev/null -w '%{http_code}' "$(at "$1" "$2")"; }
is_ready() { runs "${pids[$1]}" && ask "$1" /health/ready | grep -q '"ready":true'; }
load() { "$market" load --log.level=warn "$@" >/dev/null 2>"$work/load.err" || { cat "$work/load.err" >&2; fail "load ended with $?"; }; }
sql() { $clickhouse query "$work/clickhouse" "$1"; }
# defined TOPIC ID...: the topic of definitions has these, and no others.
defined() { [ "$("$market" cat "reference.$1.v1" 2>/dev/null | sed -E 's/.*"key":"default\/([^"]*)".*/\1/' | sort -u | xargs)" = "${*:2}" ]; }
members() { test/servers/kafka_ask.py "$A" members data-processing-projection; }

fatal() {
    tail -n 15 "$work"/*-0.log >&2
    fail "$1"
}

# ---- what is outside ----

declare -A topics=([ticks]=enriched.market.ticks.v1 [latest]=served.market.latest_prices.v1 [stats]=aggregated.market.stats.v1
    [spreads]=aggregated.market.spreads.v1 [curves]=pricing.curve.updates.v1)
us() { echo "toUnixTimestamp64Micro($1)"; }
prices() { echo "arrayStringConcat(arrayMap(one -> ifNull(toString(one.price), ''), $1), ',')"; }
# rows NAME COLUMNS TABLE, beside look's other questions.
rows() {
    sql "SELECT $2 FROM data_processing.$3 FINAL" >"$work/$1.rows" &
    readers+=($!)
}

# look: the log beside ClickHouse and Redis, by plain computation: exit 0 where all is there and right.
look() {
    local name readers=()
    for name in "${!topics[@]}"; do
        "$market" cat "${topics[$name]}" >"$work/$name" 2>/dev/null &
        readers+=($!)
    done
    rows ticks "tenant_id, instrument_id, $(us event_time), sequence, tick_id, revision, toString(price)" enriched_ticks
    rows stats "tenant_id, instrument_id, \`window\`, $(us window_end), epoch, revision, \`count\`, mean, \`min\`, \`max\`" rolling_stats
    rows spreads "tenant_id, pair_id, kind, \`interval\`, $(us window_start), epoch, revision, value, $(prices legs)" spreads
    rows curves "tenant_id, curve_id, \`interval\`, $(us window_start), epoch, revision, $(prices points), $(prices horizons)" curves
    $redis cli "$work/redis" 1 --raw --scan --pattern 'served:*' | grep -v '^served:mark:' >"$work/keys" || return
    for name in "${readers[@]}"; do wait "$name" || return; done
    [ -s "$work/keys" ] || return
    xargs -a "$work/keys" -d '\n' $redis cli "$work/redis" 1 --raw MGET >"$work/values" || return
    python3 - "$work" <<'END'
import json, sys, collections
from decimal import Decimal

work = sys.argv[1]
records = lambda name: (json.loads(line, parse_float=Decimal) for line in open(f"{work}/{name}"))
number = lambda text: None if text in (None, "\\N") else Decimal(text).normalize()
wrong = []

# Of several contents of a tick the one of the greatest (revision, ingestion time, price) counts.
ticks = {}
for record in records("ticks"):
    tick = record["value"]
    key = (tick["tenant_id"], tick["instrument_id"], str(tick["event_time"]), str(tick["sequence"]), tick["tick_id"])
    content = (tick["revision"], tick["ingested_at"], number(tick["price"]))
    if key not in ticks or content[:2] >= ticks[key][:2]:
        ticks[key] = max(content, ticks.get(key, content), key=lambda one: (one[0], one[1], one[2] is not None, one[2] or 0))
seen = collections.Counter()
for line in open(f"{work}/ticks.rows"):
    *key, revision, price = line.rstrip("\n").split("\t")
    key = tuple(key)
    seen[key] += 1
    if key not in ticks:
        wrong.append(f"{key}: only in ClickHouse")
    elif (ticks[key][0], ticks[key][2]) != (int(revision), number(price)):
        wrong.append(f"{key}: {ticks[key]} in the log, revision {revision} price {price} in ClickHouse")
wrong += [f"{key}: {count} times in ClickHouse" for key, count in seen.items() if count != 1]
wrong += [f"{key}: not in ClickHouse" for key in ticks if key not in seen]


# Of several records of an identity the one of the greatest (epoch, revision) counts. A list of numbers is one text with commas.
def compare(name, key_of, columns_of):
    greatest = {}
    for record in records(name):
        value = record["value"]
        known = greatest.setdefault(key_of(value), value)
        if (value["epoch"], value["revision"]) >= (known["epoch"], known["revision"]):
            greatest[key_of(value)] = value
    rows = [line.rstrip("\n").split("\t") for line in open(f"{work}/{name}.rows")]
    size = len(key_of(next(iter(greatest.values())))) if greatest else 0
    have = {tuple(row[:size]): row[size:] for row in rows}
    wrong.extend(f"{name} {key}: only in the log or in ClickHouse" for key in have.keys() ^ greatest.keys())
    if len(have) != len(rows):
        wrong.append(f"{name}: {len(rows)} rows of {len(have)} identities in ClickHouse")
    for key in have.keys() & greatest.keys():
        value = greatest[key]
        want = [value["epoch"], value["revision"]] + [one for one in columns_of(value) if one is not None]
        if [float(one) for field in have[key] for one in field.split(",") if one not in ("", "\\N")] != [float(one) for one in want]:
            wrong.append(f"{name} {key}: {want} in the log, {have[key]} in ClickHouse")
    return greatest
texts = lambda value, *names: tuple(str(value[name]) for name in names)
stats = compare("stats", lambda value: texts(value, "tenant_id", "instrument_id", "window", "window_end"),
                lambda value: [value[name] for name in ("count", "mean", "min", "max")])
spreads = compare("spreads", lambda value: texts(value, "tenant_id", "pair_id", "kind", "interval", "window_start"),
                  lambda value: [value["value"]] + [leg["price"] for leg in value["legs"]])
curves = compare("curves", lambda value: texts(value, "tenant_id", "curve_id", "interval", "window_start"),
                 lambda value: [one["price"] for one in value["points"] + value["horizons"]])

# What is served: the newest of each entry.
latest = {}
for record in records("latest"):
    latest[f'served:latest_price:{record["value"]["tenant_id"]}:{record["value"]["instrument_id"]}'] = record["value"]
def newest(values, time, key_of):
    for value in sorted(values, key=lambda value: (value["epoch"], value[time], value["revision"])):
        latest[key_of(value)] = value
types = {"bid_ask": "bid_ask", "spot_future": "basis"}
newest(stats.values(), "window_end",
       lambda value: f'served:custom:rolling_stat:{value["tenant_id"]}:{value["instrument_id"]}:{value["window"]}')
newest(spreads.values(), "window_start",
       lambda value: f'served:custom:{types.get(value["kind"], "spread")}:{value["tenant_id"]}:{value["pair_id"]}')
for update in sorted(curves.values(), key=lambda value: (value["epoch"], value["window_start"], value["revision"])):
    for horizon in update["horizons"]:
        value = {name: member for name, member in update.items() if name not in ("interval", "day_count", "horizons")}
        value |= {name: horizon[name] for name in ("horizon", "price", "confidence", "reason")}
        value["points"] = [point for point in update["points"] if point["days"] <= horizon["days"]]
        latest[f'served:curve_snapshot:{update["tenant_id"]}:{update["curve_id"]}:{horizon["horizon"]}'] = value
served = dict(zip(open(f"{work}/keys").read().splitlines(), records("values")))
for key, value in latest.items():
    have = dict(served.get(key) or {})
    have.pop("version", None)
    if have != value:
        wrong.append(f"{key}: {value} in the log, {have} in Redis")
wrong += [f"{key}: only in Redis" for key in served.keys() - latest.keys()]
print(f"{len(ticks)} ticks, {len(stats)} statistics, {len(spreads)} spreads, {len(curves)} curves, {len(latest)} served entries, "
      f"{len(wrong)} of them wrong outside of the log")
print("\n".join(wrong[:5]))
sys.exit(1 if wrong or not ticks or not stats or not spreads else 0)
END
}

# agrees: ... at last; and the bars, by the program's own command.
agrees() {
    local i
    for ((i = 0; i < 120; i++)); do
        ! look >"$work/look" 2>&1 || ! "$market" reconcile --from 2000-01-01 --to 2040-01-01 >"$work/reconciled" 2>&1 || {
            head -n 1 "$work/look"
            tail -n 1 "$work/reconciled"
            return
        }
        sleep 1
    done
    cat "$work/look" "$work/reconciled" >&2
    fatal "what is outside is not what the log has"
}

# health NAME STATUS: of one outlet's check of projection.
health() {
    ask projection-0 /health | python3 -c 'import json, sys
check = json.load(sys.stdin)["checks"]["projection.outlet." + sys.argv[1]]
sys.exit(check["status"] != sys.argv[2] or not check["critical"])' "$1" "$2"
}

# Commits that were aborted because ClickHouse did not acknowledge in time.
unsettled() { grep -c 'text="clickhouse has not acknowledged' "$work/projection-0.log" || :; }
gives_up() { [ "$(unsettled)" -gt "$given_up" ]; }
# In mid-commit, or between two: then no commit was begun that could be given up.
given_up_or_down() { gives_up || health clickhouse unhealthy; }
outlets_are() { health redis "$1" && health clickhouse "$1"; }

# ---- one life ----

echo "--- projection is killed between what is acknowledged and its commit, and started again"
for id in "${ids[@]:1}"; do serve "$id"; done
serve projection-0 after-settle:3
for id in "${ids[@]}"; do await is_ready "$id"; done
await defined pairs ERCOT.PAIR PJM.PAIR
await defined curves PJM.CURVE
load "${files[0]}"
await_end() { ! runs "${pids[projection-0]}"; }
await await_end
code=0
{ wait "${pids[projection-0]}"; } 2>/dev/null || code=$?
equal 137 $code "the exit of projection"
serve projection-0
await is_ready projection-0
agrees
await outlets_are healthy
equal 200 "$(status projection-0 /health)" /health

part=1 pairs=()
for seconds in "${outages[@]}"; do
    echo "--- Redis, ClickHouse and PostgreSQL away for $seconds s"
    members >"$work/members"
    before=$SECONDS
    given_up=$(unsettled)
    load "${files[part++]}" &
    loader=$!
    $clickhouse kill "$work/clickhouse"
    await given_up_or_down
    $redis stop "$work/redis"
    $postgres stop "$work/postgres"
    wait $loader || fatal "the load failed"
    await outlets_are unhealthy
    equal 503 "$(status projection-0 /health)" "/health while they are away"
    equal "200 200" "$(status projection-0 /health/live) $(status projection-0 /health/ready)" "live and ready while they are away"
    $postgres aside "$work/postgres" "insert into pair_definitions (pair_id, kind) values ('PAIR.$seconds', 'calendar')"
    $postgres aside "$work/postgres" "insert into pair_legs (pair_id, position, instrument_id, weight) values ('PAIR.$seconds', 0, 'PJM.HUB.00', 1), ('PAIR.$seconds', 1, 'PJM.HUB.02', -1)"
    while [ $((SECONDS - before)) -lt "$seconds" ]; do sleep 0.2; done # the outage itself
    runs "${pids[projection-0]}" || fatal "projection does not run any more"
    equal "$(cat "$work/members")" "$(members)" "the members of its group"
    outlets_are unhealthy || fail "they are away, and /health does not say so"
    $redis again "$work/redis" >/dev/null &
    $clickhouse start "$work/clickhouse" >/dev/null
    wait $!
    $postgres again "$work/postgres" >/dev/null
    pairs+=("PAIR.$seconds")
    await defined pairs ERCOT.PAIR "${pairs[@]}" PJM.PAIR
    agrees
    await outlets_are healthy
done

echo "--- stopped while they are away; late rows"
$redis stop "$work/redis"
$clickhouse stop "$work/clickhouse"
load "${late[@]}"
await outlets_are unhealthy
kill -TERM "${pids[projection-0]}"
wait "${pids[projection-0]}" || fatal "projection: the stop ended with $?"
$redis again "$work/redis" >/dev/null
$clickhouse start "$work/clickhouse" >/dev/null
serve projection-0
await is_ready projection-0
agrees
kill -TERM "${pids[@]}"
for id in "${ids[@]}"; do wait "${pids[$id]}" || fatal "$id: the stop ended with $?"; done
! grep -hE 'level=error' "$work"/*-0.log || fail "errors are said"
