#!/bin/bash
# The pipeline into ClickHouse, the real engine: away at its start and killed in mid-run, what it has at the end is what the log has;
# a row that it cannot have is a dead letter, a wrong password ends the process; `reconcile` finds what was planted, `quality` too.
. test/scripts/clickhouse.inc

url=$($server start "$db")
export WEIR_CLICKHOUSE_URL=$url
expect 0 "$program" migrate clickhouse

echo "--- the pipeline: the engine away at its start and killed in mid-run"
"$program" generate --out "$work/made" --rows 900 --hours 5 --corrections 5 --seed 4 >/dev/null
$server kill "$db"
"$program" local --dir "$work/run" --once --http.port=0 --aggregation.bars.intervals=1m,5m,15m,1h,2h,1d "$work"/made/*.csv >"$work/local" 2>&1 &
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

echo "--- a row that is not to be had, and a password, in the pipeline"
ask "TRUNCATE TABLE data_processing.bars_1m"
"$program" cat aggregated.market.bars.1m.v1 --dir "$work/run" | head -n 5 | sed -E '3s/"volume":[^,]*,/"volume":1234567890123456789012345678901.5,/' >"$work/five"
five=("$program" local projection --dir "$work/five.run" --once --http.port=0 --in aggregated.market.bars.1m.v1="$work/five")
expect 2 env WEIR_CLICKHOUSE_PASSWORD=wrong "${five[@]}"
says "error: $url: Authentication failed"
expect 0 "${five[@]}"
equal 4 "$(ask "SELECT count() FROM data_processing.bars_1m FINAL")" "bars beside a bad one"
expect 0 "$program" cat processing.deadletter.projection.v1 --dir "$work/five.run"
grep -q '"offset":2,.*"code":"WEIR_REJECTED","message":"[^"]*bars_1m: Decimal value is too big' "$work/out" && [ "$(wc -l <"$work/out")" = 1 ] ||
    { cat "$work/out"; fail "the bad bar is no dead letter"; }

echo "--- reconcile"
for interval in 1m 5m 1h 1d other; do ask "TRUNCATE TABLE data_processing.bars_$interval"; done
bars=$(for i in 1m 5m 1h 1d other; do "$program" cat "aggregated.market.bars.$i.v1" --dir "$work/run"; done |
    sed -E 's/.*"key":("[^"]*").*"interval":("[^"]*"),"window_start":([0-9]*).*/\1 \2 \3/' | sort -u | wc -l)
expect 1 env -u WEIR_CLICKHOUSE_URL "$program" reconcile "${window[@]}" --clickhouse.url "$url" --repair --dry-run
equal "$bars bars in the log, 0 in ClickHouse: 0 equal, $bars missing, 0 extra, 0 different; $bars to be sent again, 0 cannot be" \
    "$(tail -n 1 "$work/out")" "an empty ClickHouse"
expect 0 "$program" reconcile "${window[@]}" --repair
expect 0 "$program" reconcile "${window[@]}"
equal "$bars bars in the log, $bars in ClickHouse: $bars equal, 0 missing, 0 extra, 0 different" "$(cat "$work/out")" "repaired"
# a topic that has another name is read by that: of hours nothing is in the log then
hours=$(ask "SELECT count() FROM data_processing.bars_1h FINAL")
expect 1 "$program" reconcile "${window[@]}" --aggregation.bars_1h.topic=hours.elsewhere
equal "$((bars - hours)) bars in the log, $bars in ClickHouse: $((bars - hours)) equal, 0 missing, $hours extra, 0 different" \
    "$(tail -n 1 "$work/out")" "a topic of another name"
# planted: one deleted, one changed in place, one of a later revision, one that nobody sent
read -r lost changed < <(ask "SELECT instrument_id FROM data_processing.bars_1h GROUP BY instrument_id ORDER BY instrument_id LIMIT 2" | xargs)
first="(SELECT min(window_start) FROM data_processing.bars_1h WHERE instrument_id = '$changed')"
ask "DELETE FROM data_processing.bars_1h WHERE instrument_id = '$lost'"
ask "INSERT INTO data_processing.bars_1h SELECT * REPLACE (high + 1 AS high) FROM data_processing.bars_1h FINAL
    WHERE instrument_id = '$changed' AND window_start = $first"
ask "INSERT INTO data_processing.bars_1d SELECT * REPLACE (revision + 1 AS revision) FROM data_processing.bars_1d FINAL
    WHERE instrument_id = '$changed' LIMIT 1"
ask "INSERT INTO data_processing.bars_5m SELECT * REPLACE ('NOBODY.X' AS instrument_id) FROM data_processing.bars_5m FINAL LIMIT 1"
ask "INSERT INTO data_processing.bars_other SELECT * REPLACE (low - 1 AS low) FROM data_processing.bars_other FINAL
    WHERE instrument_id = '$changed' AND interval = '15m' LIMIT 1"
expect 1 "$program" reconcile "${window[@]}" --all
lost_bars=$(grep -c ": missing in ClickHouse" "$work/out")
for line in "default/$lost 1h .*: missing in ClickHouse" "default/$changed 1h .*: high differs" "default/$changed 15m .*: low differs" \
    "default/$changed 1d .*: differs: epoch 1 revision [0-9]* in the log, 1 and [0-9]* in ClickHouse" "default/NOBODY.X 5m .*: extra in ClickHouse"; do
    grep -qx "$line" "$work/out" || { cat "$work/out"; fail "not found: $line"; }
done
grep -q ", $lost_bars missing, 1 extra, 3 different$" "$work/out" || { cat "$work/out"; fail "not counted"; }
expect 1 "$program" reconcile "${window[@]}" --repair
grep -q "; $((lost_bars + 2)) sent again, 1 cannot be$" "$work/out" || { cat "$work/out"; fail "not repaired"; }
expect 2 "$program" reconcile --from 2025-01-01 --dir "$work/run"
says "name a time"

echo "--- quality"
for table in enriched_ticks bars_1m bars_5m bars_1h bars_1d bars_other; do ask "TRUNCATE TABLE data_processing.$table"; done
span=(--from 2025-01-01 --to 2025-01-02)
expect 1 "$program" quality "${span[@]}"
grep -qx "empty: bars_1m: no row of the window" "$work/out" || fail "an empty table is not told"
cp "$work/out" "$work/same"
expect 1 "$program" quality --from 1735689600 --to 1735776000
cmp "$work/same" "$work/out" || fail "an epoch is another time than its date"
expect 0 "$program" quality "${span[@]}" --dry-run --clickhouse.url http://127.0.0.1:1 # nobody is asked
equal "22 questions would be asked of http://127.0.0.1:1" "$(tail -n 1 "$work/out")" "a dry run"
grep -q '^gap: bars_1m would be asked: SELECT ' "$work/out" || fail "a dry run does not say what it would ask"
expect 2 "$program" quality "${span[@]}" --gap soon
says '--gap is "soon": give a duration'
expect 2 "$program" quality --from 2025-01-01
says 'name a time for --to'
# good: an instrument with a bar for each interval of the day, of one hour's steps in bars of a minute too
for interval in 1m 5m 1h; do
    ask "INSERT INTO data_processing.bars_$interval (tenant_id, instrument_id, interval, window_start, window_end, open, high, low, close,
        vwap, volume, trade_count, first_event_time, last_event_time, state, epoch, revision)
        SELECT 'q', 'I', '$interval', toDateTime64('2025-01-01', 6, 'UTC') + INTERVAL number HOUR AS w, w + INTERVAL 1 MINUTE, 2, 3, 1, 2, 2, 1, 1,
        w, w, 'final', 1, 1 FROM numbers(24)"
done
ask "INSERT INTO data_processing.bars_1d SELECT * REPLACE ('1d' AS interval) FROM data_processing.bars_1h WHERE toHour(window_start) = 0"
ask "INSERT INTO data_processing.bars_other SELECT * REPLACE ('30m' AS interval) FROM data_processing.bars_1h UNION ALL
    SELECT * REPLACE ('2h' AS interval) FROM data_processing.bars_1h WHERE toHour(window_start) % 2 = 0"
ask "INSERT INTO data_processing.enriched_ticks (tenant_id, instrument_id, market, event_time, tick_id, revision, price)
    SELECT 'q', 'I', 'PJM', toDateTime64('2025-01-01', 6, 'UTC') + INTERVAL number HOUR, lower(hex(30 + number)), 1, 2 FROM numbers(24)"
expect 0 "$program" quality "${span[@]}"
equal "0 gaps, 0 values that cannot be, 0 instruments beyond limits, 0 duplicates, 0 markets out of date, 0 empty tables" "$(cat "$work/out")" "good rows"
# planted: one of each
ask "DELETE FROM data_processing.bars_1m WHERE toHour(window_start) = 9"
ask "DELETE FROM data_processing.bars_other WHERE interval = '2h' AND toHour(window_start) = 10"
ask "INSERT INTO data_processing.bars_1h SELECT * REPLACE (4 AS low, 2 AS revision) FROM data_processing.bars_1h WHERE toHour(window_start) = 5"
ask "INSERT INTO data_processing.enriched_ticks SELECT * REPLACE (event_time + 1 AS event_time) FROM data_processing.enriched_ticks WHERE toHour(event_time) = 7"
ask "INSERT INTO data_processing.enriched_ticks SELECT * REPLACE (2 AS revision, 99999 AS price, ['out_of_range'] AS quality_flags)
    FROM data_processing.enriched_ticks WHERE toHour(event_time) = 8"
ask "DELETE FROM data_processing.enriched_ticks WHERE toHour(event_time) > 20"
expect 1 "$program" quality "${span[@]}"
equal "gap: q/I 1m: nothing from 2025-01-01 09:00:00.000000 to 2025-01-01 10:00:00.000000, usually every 3600 s
gap: q/I 2h: nothing from 2025-01-01 10:00:00.000000 to 2025-01-01 12:00:00.000000, usually every 7200 s
value: q/I 1h 2025-01-01 05:00:00.000000: open, high, low and close do not fit, vwap is outside of low and high
limit: q/I: 1 prices out of the range of PJM, 99999 to 99999
duplicate: q/I tick 25: 2 rows
stale: q/PJM: the newest tick is of 2025-01-01 20:00:00.000000
2 gaps, 1 values that cannot be, 1 instruments beyond limits, 1 duplicates, 1 markets out of date, 0 empty tables" "$(tr -d '\0' <"$work/out")" "what was planted"
expect 1 "$program" quality "${span[@]}" --gap 3h --fresh 4h
grep -q "^0 gaps, .* 0 markets out of date" "$work/out" || fail "--gap and --fresh count for nothing: $(cat "$work/out")"
expect 1 "$program" quality "${span[@]}" --tenant other # has none at all
