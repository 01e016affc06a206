#!/bin/bash
# ClickHouse, the real engine: migrations; each table takes its records, exact; inserts while the engine is killed, away for 15 s and
# started again, with answers lost: no identity twice, no older row over a newer; what is refused, by name; user, password, TLS;
# `reconcile` finds what was planted, `quality` too. FORM=long: away for 30 s and for 5 minutes.
. test/scripts/cli.inc
program=$BUILD/data-processing fill=$BUILD/test/clickhouse/clickhouse
server=test/servers/clickhouse.sh db=$work/clickhouse
trap '$server kill "$db"; $server kill "$work/secure"; cleanup' EXIT
unset "${!WEIR_@}"

ask() { $server query "$db" "$1"; }
fault() { $server fault "$db" "$1"; }
# counted TABLE: rows FINAL, and identities among them.
counted() { ask "SELECT count(), uniqExact(instrument_id, window_start) FROM data_processing.$1 FINAL WHERE tenant_id = 't'"; }

echo "--- nobody there, nothing set"
expect 3 "$program" migrate clickhouse --clickhouse.url http://127.0.0.1:1
says "http://127.0.0.1:1: it does not answer"
expect 2 "$program" migrate clickhouse
says "clickhouse.url: it is not set"
expect 2 "$program" migrate clickhouse --clickhouse.url ftp://x
says "clickhouse.url: it is not of http or https"
expect 2 "$program" migrate mysql
says "clickhouse or postgres"

echo "--- migrations"
url=$($server start "$db")
export WEIR_CLICKHOUSE_URL=$url
count=$(ls schemas/migrations/clickhouse/*.sql | wc -l)
expect 0 "$program" migrate clickhouse --dry-run
equal "clickhouse: $count migrations to apply, 0 were there" "$(tail -n 1 "$work/out")" "a dry run"
equal 0 "$(ask "SELECT count() FROM system.databases WHERE name = 'data_processing'")" "databases after a dry run"
"$program" migrate clickhouse >"$work/first" 2>&1 &
children+=($!)
expect 0 "$program" migrate clickhouse # two at once
wait "${children[-1]}" || { cat "$work/first"; fail "one of two migrations at once failed"; }
expect 0 "$program" migrate clickhouse
equal "clickhouse: 0 migrations applied, $count were there" "$(cat "$work/out")" "the third time"
equal "$count" "$(ask "SELECT count() FROM data_processing.schema_migrations FINAL")" "rows of the ledger"
ask "INSERT INTO data_processing.schema_migrations (version, name, checksum) VALUES (3, '003_bars', 'other'), (999, '999_later', 'x')"
expect 1 "$program" migrate clickhouse
says "003_bars: it was changed after it was applied"
ask "DROP TABLE data_processing.schema_migrations"
expect 0 "$program" migrate clickhouse # as after a run that was killed before it noted anything
equal "clickhouse: $count migrations applied, 0 were there" "$(tail -n 1 "$work/out")" "a ledger that is gone"
ask "INSERT INTO data_processing.schema_migrations (version, name, checksum) VALUES (999, '999_later', 'x')"
expect 0 "$program" migrate clickhouse
equal "clickhouse: 0 migrations applied, $count were there, 1 are of a newer program" "$(cat "$work/out")" "a newer program's"

echo "--- each table takes its records, exact"
expect 0 "$fill" "$url" one
have=$(for table in enriched_ticks bars_1m bars_5m bars_1h bars_1d rolling_stats spreads curves served_latest served_curve_snapshots; do
    echo "$table $(ask "SELECT * EXCEPT (inserted_at) FROM data_processing.$table FINAL WHERE tenant_id = 't' FORMAT JSONEachRow")"
done)
equal "$(cat test/clickhouse/one.txt)" "$have" "what the tables hold"

# With a user, a password and TLS, on a server of its own.
secure() {
    local url with
    url=$(CLICKHOUSE_USER=weir CLICKHOUSE_PASSWORD="s%c'r t" CLICKHOUSE_TLS=1 $server start "$work/secure")
    with=(env WEIR_CLICKHOUSE_URL="$url" WEIR_CLICKHOUSE_USER=weir)
    expect 3 "${with[@]}" WEIR_CLICKHOUSE_PASSWORD="s%c'r t" "$program" migrate clickhouse
    says "certificate"
    with+=(WEIR_CLICKHOUSE_CA_FILE="$work/secure/ca.pem")
    expect 2 "${with[@]}" WEIR_CLICKHOUSE_PASSWORD=wrong "$program" migrate clickhouse
    says "Authentication failed"
    ! grep -q wrong "$work/err" || fail "a password is told"
    expect 1 "${with[@]}" WEIR_CLICKHOUSE_PASSWORD=wrong "$fill" "$url" one
    grep -q "Authentication failed.*(WEIR_BAD_CONFIG)" "$work/out" || fail "a wrong password is not told: $(cat "$work/out")"
    with+=(WEIR_CLICKHOUSE_PASSWORD="s%c'r t")
    expect 0 "${with[@]}" "$program" migrate clickhouse
    expect 0 "${with[@]}" "$fill" "$url" one
}

echo "--- killed, away for 15 s, answers lost; meanwhile: user, password, TLS"
# away SECONDS ROWS REVISION [COMMAND]: rows of a revision are put while the engine is killed and away for that long, with the
# command's time in it.
away() {
    local begin writer
    "$fill" "$url" many "$2" "$3" "$3" >"$work/many" 2>&1 &
    writer=$!
    children+=($writer)
    await grep -q "settled 1000" "$work/many"
    fault "kind=drop&times=3&match=INSERT"
    await grep -q "away: http:.*: it does not answer" "$work/many"
    $server kill "$db"
    begin=$EPOCHSECONDS
    ${4:-true}
    sleep $((begin + $1 > EPOCHSECONDS ? begin + $1 - EPOCHSECONDS : 0))
    runs "$writer" || { cat "$work/many"; fail "the writer has ended"; }
    $server start "$db" >/dev/null
    wait "$writer" || { cat "$work/many"; fail "the writer failed"; }
    equal "all $2" "$(tail -n 1 "$work/many")" "rows settled"
    equal "$2	$2" "$(counted bars_1m "$3")" "rows and identities after $1 s"
}
ask "TRUNCATE TABLE data_processing.bars_1m"
ask "SYSTEM STOP MERGES"
fault "kind=drop&times=1&match=INSERT"
expect 0 "$fill" "$url" many 100 1 1
equal 100 "$(ask "SELECT count() FROM data_processing.bars_1m")" "rows of an insert whose answer was lost, by its token"
ask "SYSTEM START MERGES"
away 15 20000 2 secure
[ "$FORM" = short ] || { away 30 20000 3; away 300 20000 4; }
last=$(ask "SELECT max(revision) FROM data_processing.bars_1m FINAL")
expect 0 "$fill" "$url" many 20000 1 1 # what is older comes later
for query in "SELECT count(), sum(close), min(revision) FROM data_processing.bars_1m FINAL" \
    "SELECT count(), sum(c), min(r) FROM (SELECT argMax(close, version) AS c, argMax(revision, version) AS r
        FROM data_processing.bars_1m GROUP BY tenant_id, instrument_id, interval, window_start)"; do
    equal "20000	$((20000 * last))	$last" "$(ask "$query")" "the newest of each bar by $query"
done

echo "--- refused: later, for good, by a row"
fault "kind=refuse&status=500&code=252&times=2&match=INSERT" # too many parts
fault "kind=refuse&status=500&code=241&times=1&match=INSERT" # out of memory
fault "kind=refuse&status=502&times=1&match=INSERT"          # who stands between
fault "kind=delay&ms=1500&times=1&match=INSERT"              # longer than the time-out
expect 0 env WEIR_CLICKHOUSE_TIMEOUT_MS=1s "$fill" "$url" many 100 5 5
equal "100" "$(ask "SELECT count() FROM data_processing.bars_1m FINAL WHERE revision = 5")" "rows after refusals"
expect 1 "$fill" "$url" bad
grep -q "bars_1m: Decimal value is too big.*(at row 2).*(WEIR_REJECTED)" "$work/out" || fail "the bad row is not named: $(cat "$work/out")"
fault "kind=refuse&status=413&times=1&match=INSERT"
expect 1 "$fill" "$url" many 100 5 5
grep -q "WEIR_TOO_LARGE" "$work/out" || fail "a body that is too large is not told: $(cat "$work/out")"
ask "RENAME TABLE data_processing.bars_1m TO data_processing.hidden"
"$fill" "$url" many 100 6 6 >"$work/many" &
children+=($!)
await grep -q 'away: .*bars_1m.*: run "migrate clickhouse"' "$work/many"
ask "RENAME TABLE data_processing.hidden TO data_processing.bars_1m"
wait "${children[-1]}" || fail "a table that came back is not filled"
ask "ALTER TABLE data_processing.bars_1m DROP COLUMN unit"
"$fill" "$url" many 100 7 7 >"$work/many" &
children+=($!)
await grep -q 'away: .*Unknown field.*: unit.*: run "migrate clickhouse"' "$work/many"
ask "ALTER TABLE data_processing.bars_1m ADD COLUMN unit LowCardinality(Nullable(String))"
wait "${children[-1]}" || fail "a column that came back is not filled"

echo "--- the pipeline: the engine away at its start and killed in mid-run"
tables=(enriched_ticks served_latest bars_1m bars_5m bars_1h bars_1d)
for table in "${tables[@]}"; do ask "TRUNCATE TABLE data_processing.$table"; done
"$program" generate --out "$work/made" --rows 900 --hours 5 --corrections 5 --seed 4 >/dev/null
$server kill "$db"
"$program" local --dir "$work/run" --once --http.port=0 "$work"/made/*.csv >"$work/local" 2>&1 &
children+=($!)
await grep -q "id=outlet-down.*outlet=clickhouse.*$url: it does not answer" "$work/local"
ports=$(sed -n 's/.*id=http-open .*port=\([0-9]*\).*/\1/p' "$work/local")
await bash -c "for port in $(xargs <<<"$ports"); do curl -s http://127.0.0.1:\$port/health; done | grep -q 'outlet.clickhouse.*it does not answer'"
$server start "$db" >/dev/null
some() { [ "$(ask "SELECT count() > 0 FROM data_processing.enriched_ticks")" = 1 ]; }
await some
$server kill "$db"
sleep 2
$server start "$db" >/dev/null
wait "${children[-1]}" || { tail -n 20 "$work/local"; fail "the pipeline failed"; }
window=(--from 2000-01-01 --to 2040-01-01 --dir "$work/run")
expect 0 "$program" reconcile "${window[@]}"
"$program" cat enriched.market.ticks.v1 --dir "$work/run" | python3 -c '
import json, sys
best = {}
for line in sys.stdin:
    tick = json.loads(line)["value"]
    content = tick["revision"], tick["ingested_at"], tick["price"]
    best[tick["tick_id"]] = max(content, best.get(tick["tick_id"], content))
for tick_id in sorted(best): print(tick_id, "%.8f" % best[tick_id][2])' >"$work/ticks"
ask "SELECT tick_id, toDecimalString(price, 8) FROM data_processing.enriched_ticks FINAL ORDER BY tick_id" | tr '\t' ' ' >"$work/rows"
cmp "$work/ticks" "$work/rows" || fail "ticks of ClickHouse are not those of the log"
stats=$("$program" cat aggregated.market.stats.v1 --dir "$work/run" | sed -E 's/.*"key":("[^"]*").*"window":("[^"]*").*"window_end":([0-9]*).*/\1 \2 \3/' | sort -u | wc -l)
equal "$stats" "$(ask "SELECT count() FROM data_processing.rolling_stats FINAL WHERE tenant_id = 'default'")" "windows of statistics"
"$program" cat served.market.latest_prices.v1 --dir "$work/run" | python3 -c '
import json, sys
last = {}
for line in sys.stdin:
    value = json.loads(line)["value"]
    last[value["instrument_id"]] = value["tick_id"]
for instrument in sorted(last): print(instrument, last[instrument])' >"$work/latest"
ask "SELECT instrument_id, tick_id FROM data_processing.served_latest FINAL ORDER BY instrument_id" | tr '\t' ' ' >"$work/rows"
cmp "$work/latest" "$work/rows" || fail "latest prices of ClickHouse are not those of the log"

echo "--- reconcile"
for interval in 1m 5m 1h 1d; do ask "TRUNCATE TABLE data_processing.bars_$interval"; done
bars=$(for i in 1m 5m 1h 1d; do "$program" cat "aggregated.market.bars.$i.v1" --dir "$work/run"; done |
    sed -E 's/.*"key":("[^"]*").*"interval":("[^"]*"),"window_start":([0-9]*).*/\1 \2 \3/' | sort -u | wc -l)
expect 1 env -u WEIR_CLICKHOUSE_URL "$program" reconcile "${window[@]}" --clickhouse.url "$url" --repair --dry-run
equal "$bars bars in the log, 0 in ClickHouse: 0 equal, $bars missing, 0 extra, 0 different; $bars to be sent again, 0 cannot be" \
    "$(tail -n 1 "$work/out")" "an empty ClickHouse"
expect 0 "$program" reconcile "${window[@]}" --repair
expect 0 "$program" reconcile "${window[@]}"
equal "$bars bars in the log, $bars in ClickHouse: $bars equal, 0 missing, 0 extra, 0 different" "$(cat "$work/out")" "repaired"
# planted: one deleted, one changed in place, one of a later revision, one that nobody sent
read -r lost changed < <(ask "SELECT instrument_id FROM data_processing.bars_1h GROUP BY instrument_id ORDER BY instrument_id LIMIT 2" | xargs)
first="(SELECT min(window_start) FROM data_processing.bars_1h WHERE instrument_id = '$changed')"
ask "DELETE FROM data_processing.bars_1h WHERE instrument_id = '$lost'"
ask "INSERT INTO data_processing.bars_1h SELECT * REPLACE (high + 1 AS high) FROM data_processing.bars_1h FINAL
    WHERE instrument_id = '$changed' AND window_start = $first"
ask "INSERT INTO data_processing.bars_1d SELECT * REPLACE (revision + 1 AS revision) FROM data_processing.bars_1d FINAL
    WHERE instrument_id = '$changed' LIMIT 1"
ask "INSERT INTO data_processing.bars_5m SELECT * REPLACE ('NOBODY.X' AS instrument_id) FROM data_processing.bars_5m FINAL LIMIT 1"
expect 1 "$program" reconcile "${window[@]}" --all
lost_bars=$(grep -c ": missing in ClickHouse" "$work/out")
for line in "default/$lost 1h .*: missing in ClickHouse" "default/$changed 1h .*: high differs" \
    "default/$changed 1d .*: differs: epoch 1 revision [0-9]* in the log, 1 and [0-9]* in ClickHouse" "default/NOBODY.X 5m .*: extra in ClickHouse"; do
    grep -qx "$line" "$work/out" || { cat "$work/out"; fail "not found: $line"; }
done
grep -q ", $lost_bars missing, 1 extra, 2 different$" "$work/out" || { cat "$work/out"; fail "not counted"; }
expect 1 "$program" reconcile "${window[@]}" --repair
grep -q "; $((lost_bars + 1)) sent again, 1 cannot be$" "$work/out" || { cat "$work/out"; fail "not repaired"; }
expect 2 "$program" reconcile --from 2025-01-01 --dir "$work/run"
says "name a time"

echo "--- quality"
for table in enriched_ticks bars_1m bars_5m bars_1h bars_1d; do ask "TRUNCATE TABLE data_processing.$table"; done
span=(--from 2025-01-01 --to 2025-01-02)
expect 1 "$program" quality "${span[@]}"
grep -qx "empty: bars_1m: no row of the window" "$work/out" || fail "an empty table is not told"
# good: an instrument with a bar for each interval of the day, of one hour's steps in bars of a minute too
for interval in 1m 5m 1h; do
    ask "INSERT INTO data_processing.bars_$interval (tenant_id, instrument_id, interval, window_start, window_end, open, high, low, close,
        vwap, volume, trade_count, first_event_time, last_event_time, state, epoch, revision)
        SELECT 'q', 'I', '$interval', toDateTime64('2025-01-01', 6, 'UTC') + INTERVAL number HOUR AS w, w + INTERVAL 1 MINUTE, 2, 3, 1, 2, 2, 1, 1,
        w, w, 'final', 1, 1 FROM numbers(24)"
done
ask "INSERT INTO data_processing.bars_1d SELECT * REPLACE ('1d' AS interval) FROM data_processing.bars_1h WHERE toHour(window_start) = 0"
ask "INSERT INTO data_processing.enriched_ticks (tenant_id, instrument_id, market, event_time, tick_id, revision, price)
    SELECT 'q', 'I', 'PJM', toDateTime64('2025-01-01', 6, 'UTC') + INTERVAL number HOUR, lower(hex(30 + number)), 1, 2 FROM numbers(24)"
expect 0 "$program" quality "${span[@]}"
equal "0 gaps, 0 values that cannot be, 0 instruments beyond limits, 0 duplicates, 0 markets out of date, 0 empty tables" "$(cat "$work/out")" "good rows"
# planted: one of each
ask "DELETE FROM data_processing.bars_1m WHERE toHour(window_start) = 9"
ask "INSERT INTO data_processing.bars_1h SELECT * REPLACE (4 AS low, 2 AS revision) FROM data_processing.bars_1h WHERE toHour(window_start) = 5"
ask "INSERT INTO data_processing.enriched_ticks SELECT * REPLACE (event_time + 1 AS event_time) FROM data_processing.enriched_ticks WHERE toHour(event_time) = 7"
ask "INSERT INTO data_processing.enriched_ticks SELECT * REPLACE (2 AS revision, 99999 AS price, ['out_of_range'] AS quality_flags)
    FROM data_processing.enriched_ticks WHERE toHour(event_time) = 8"
ask "DELETE FROM data_processing.enriched_ticks WHERE toHour(event_time) > 20"
expect 1 "$program" quality "${span[@]}"
equal "gap: q/I 1m: nothing from 2025-01-01 09:00:00.000000 to 2025-01-01 10:00:00.000000, usually every 3600 s
value: q/I 1h 2025-01-01 05:00:00.000000: open, high, low and close do not fit, vwap is outside of low and high
limit: q/I: 1 prices out of the range of PJM, 99999 to 99999
duplicate: q/I tick 25: 2 rows
stale: q/PJM: the newest tick is of 2025-01-01 20:00:00.000000
1 gaps, 1 values that cannot be, 1 instruments beyond limits, 1 duplicates, 1 markets out of date, 0 empty tables" "$(tr -d '\0' <"$work/out")" "what was planted"
expect 1 "$program" quality "${span[@]}" --gap 2h --fresh 4h
grep -q "^0 gaps, .* 0 markets out of date" "$work/out" || fail "--gap and --fresh count for nothing: $(cat "$work/out")"
expect 1 "$program" quality "${span[@]}" --tenant other # has none at all
