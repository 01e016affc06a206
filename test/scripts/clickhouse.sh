#!/bin/bash
# ClickHouse, the real engine: migrations; each table takes its records, exact; inserts while the engine is killed, away for 15 s and
# started again, with answers lost: no identity twice, no older row over a newer; versions of contents and deletions; what is refused, by name; user, password, TLS, certificates of clients.
# FORM=long: away for 30 s and for 5 minutes.
. test/scripts/clickhouse.inc

# counted TABLE: rows FINAL, and identities among them.
counted() { ask "SELECT count(), uniqExact(instrument_id, window_start) FROM data_processing.$1 FINAL WHERE tenant_id = 't'"; }

echo "--- nobody there, nothing set"
expect 3 "$program" migrate clickhouse --clickhouse.url http://127.0.0.1:1
says "http://127.0.0.1:1: it does not answer"
expect 2 "$program" migrate clickhouse
says "clickhouse.url: it is not set"
expect 2 "$program" migrate clickhouse --clickhouse.url ftp://x
says "clickhouse.url: it is not of http or https"
python3 -c '
import http.server
class Page(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Page)
print(server.server_port, flush=True)
server.serve_forever()' >"$work/page" &
children+=($!)
await test -s "$work/page"
expect 2 "$program" migrate clickhouse --clickhouse.url "http://127.0.0.1:$(cat "$work/page")"
says "what answers is no ClickHouse"
kill "${children[-1]}"
{ wait "${children[-1]}"; } 2>/dev/null || :
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
have=$(for table in enriched_ticks bars_1m bars_5m bars_1h bars_1d bars_other rolling_stats spreads curves served_latest served_curve_snapshots; do
    echo "$table $(ask "SELECT * EXCEPT (inserted_at) FROM data_processing.$table FINAL WHERE tenant_id = 't' FORMAT JSONEachRow")"
done)
equal "$(cat test/clickhouse/one.txt)" "$have" "what the tables hold"

echo "--- contents of one tick: the same one counts in whatever order they come"
# insert TABLE: JSON lines of standard input.
insert() { ask "INSERT INTO data_processing.$1 FORMAT JSONEachRow $(cat)"; }
contents() { python3 test/clickhouse/contents.py "$1"; }
read -r ordered all < <(contents count)
for table in enriched_ticks served_latest; do
    rows=data_processing.$table
    for which in first second; do contents $which | insert $table; done
    equal $((2 * ordered)) "$(ask "SELECT count() FROM $rows FINAL WHERE tenant_id IN ('ab', 'ba') AND toYear(inserted_at) = 2101 AND instrument_id < 'I$ordered'")" \
        "rows of $table of which the greater content counts"
done
equal "$all" "$(ask "SELECT count() FROM (SELECT instrument_id FROM data_processing.enriched_ticks FINAL WHERE tenant_id IN ('ab', 'ba')
    GROUP BY instrument_id HAVING uniqExact(inserted_at) = 1)")" "ticks of which the same content counts"

echo "--- what is taken away: not under FINAL, nor what is not newer"
ask "INSERT INTO data_processing.served_latest (tenant_id, instrument_id, tick_id, epoch, event_time, price, deleted) VALUES
    ('gone', 'A', repeat('0', 64), 1, 5, 1, 1), ('gone', 'B', repeat('0', 64), 1, 5, 1, 1), ('gone', 'C', repeat('0', 64), 1, 5, 1, 1)"
ask "INSERT INTO data_processing.served_latest (tenant_id, instrument_id, tick_id, epoch, event_time, price) VALUES
    ('gone', 'A', repeat('0', 64), 1, 5, 1), ('gone', 'B', repeat('0', 64), 1, 4, 1), ('gone', 'C', repeat('0', 64), 1, 6, 1)"
equal C "$(ask "SELECT instrument_id FROM data_processing.served_latest FINAL WHERE tenant_id = 'gone'")" "latest prices after a deletion"
ask "INSERT INTO data_processing.served_curve_snapshots (tenant_id, curve_id, horizon, epoch, window_start, rebuild, deleted) VALUES
    ('gone', 'A', '3m', 1, 5, 0, 1), ('gone', 'B', '3m', 1, 5, 0, 1), ('gone', 'C', '3m', 1, 5, 0, 1)"
ask "INSERT INTO data_processing.served_curve_snapshots (tenant_id, curve_id, horizon, epoch, window_start, rebuild) VALUES
    ('gone', 'A', '3m', 1, 5, 0), ('gone', 'B', '3m', 1, 4, 1), ('gone', 'C', '3m', 2, 1, 0)"
equal "B C" "$(ask "SELECT curve_id FROM data_processing.served_curve_snapshots FINAL WHERE tenant_id = 'gone' ORDER BY curve_id" | xargs)" "snapshots after a deletion"

echo "--- tables of before: their rows stay; those of another engine are left alone"
# before DATABASE ENGINE: as a program before 008 made them, with a price.
before() {
    local statement
    ask "CREATE DATABASE $1"
    sed -E '/^--/d; s/^CREATE TABLE IF NOT EXISTS /&'"$1"'./; s/ReplacingMergeTree\(version\)/'"$2"'/' schemas/migrations/clickhouse/005_served.sql |
        while read -r -d ';' statement; do ask "$statement"; done
    ask "INSERT INTO $1.served_latest (tenant_id, instrument_id, tick_id, epoch, event_time, price, inserted_at) VALUES ('t', 'A', repeat('0', 64), 1, 5, 1.5, '2100-01-01 00:00:00')"
}
before old "ReplacingMergeTree(version)"
before other "MergeTree"
for name in old other; do
    expect 0 "$program" migrate clickhouse --clickhouse.database $name
    equal "A 1.5 2100-01-01 00:00:00.000000" "$(ask "SELECT instrument_id, price, inserted_at FROM $name.served_latest" | tr '\t' ' ')" "a row of before in $name"
done
equal "ReplacingMergeTree MergeTree" "$(ask "SELECT engine FROM system.tables WHERE name = 'served_latest' AND database IN ('old', 'other') ORDER BY database = 'other'" | xargs)" "engines"
ask "INSERT INTO old.served_latest (tenant_id, instrument_id, tick_id, epoch, event_time, price, deleted) VALUES ('t', 'A', repeat('0', 64), 1, 5, 1.5, 1)"
equal 0 "$(ask "SELECT count() FROM old.served_latest FINAL")" "a row of before, taken away"

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
    : >"$work/many" # of a former one
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
: >"$work/many"
"$fill" "$url" many 100 6 6 >"$work/many" &
children+=($!)
await grep -q 'away: .*bars_1m.*: run "migrate clickhouse"' "$work/many"
ask "RENAME TABLE data_processing.hidden TO data_processing.bars_1m"
wait "${children[-1]}" || fail "a table that came back is not filled"
ask "ALTER TABLE data_processing.bars_1m DROP COLUMN unit"
: >"$work/many"
"$fill" "$url" many 100 7 7 >"$work/many" &
children+=($!)
await grep -q 'away: .*Unknown field.*: unit.*: run "migrate clickhouse"' "$work/many"
ask "ALTER TABLE data_processing.bars_1m ADD COLUMN unit LowCardinality(Nullable(String))"
wait "${children[-1]}" || fail "a column that came back is not filled"
