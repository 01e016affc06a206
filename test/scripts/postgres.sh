#!/bin/bash
# PostgreSQL as the truth of reference data, embedded: migrations; ticks meet the rows that are there, of their own tenant; a change
# is seen by its notification, a row that vanishes is deleted; the database is stopped and changed meanwhile: health says so, and it
# is caught up; what is wrong with it is named, the password never. FORM=long: it is away for 30 s and for 5 min, instead of 3 s.
. test/scripts/cli.inc
. test/servers/server.inc
server=test/servers/postgres.sh
trap '$server remove "$work/pg"; cleanup' EXIT
market=${BUILD:-build}/data-processing
dsn=$($server start "$work/pg" tls)
sql() { $server sql "$work/pg" "$@"; }
outages=(3)
[ "${FORM:-short}" = short ] || outages=(30 300)

echo "--- migrations: each once, those at the same time too; what was changed afterwards is refused"
migrate() { "$market" migrate postgres --postgres.dsn="$dsn" "$@"; }
expect 2 "$market" migrate postgres
says 'postgres.dsn: it is not set'
expect 3 "$market" migrate postgres --postgres.dsn="$(sed 's/port=[0-9]*/port=1/' <<<"$dsn")"
says 'Connection refused: is it up, and is postgres.dsn right?'
equal "postgres: 4 migrations to apply, 0 were there" "$(migrate --dry-run | tail -n 1)" "a dry run"
equal "" "$(sql "select tablename from pg_tables where schemaname = 'public'")" "tables after a dry run"
migrate >"$work/first" & migrate >"$work/second"
wait $!
equal 4 "$(cat "$work/first" "$work/second" | grep -c ^applied)" "migrations applied by two at once"
equal "postgres: 0 migrations applied, 4 were there" "$(migrate)" "a second run"
sql "begin; update schema_migrations set checksum = repeat('0', 64) where version = 2; commit"
expect 1 migrate
says '002_rules: it was changed after it was applied'
sql "delete from schema_migrations where version = 2"
expect 1 migrate
says '002_rules: it was not applied: relation "taxonomy_commodity_rules" already exists'
equal 3 "$(sql "select count(*) from schema_migrations")" "rows of the ledger after a migration that failed"
sql "set client_min_messages = warning; drop schema public cascade; create schema public; grant usage on schema public to public"
migrate >/dev/null

echo "--- the tables take no rows that are of no use"
refuse() { # STATEMENT WORDS
    expect 1 $server sql "$work/pg" "$1"
    says "$2"
}
refuse "insert into taxonomy_instruments (instrument_id) values ('no blanks')" taxonomy_instruments_instrument_id_check
refuse "insert into taxonomy_instruments (tenant_id, instrument_id) values ('a/b', 'A')" taxonomy_instruments_tenant_id_check
refuse "insert into taxonomy_instruments (instrument_id, currency) values ('A', 'usd')" taxonomy_instruments_currency_check
refuse "insert into pair_definitions (pair_id, kind) values ('P', 'bid_ask')" pair_definitions_kind_check
refuse "insert into pair_legs (pair_id, position, instrument_id, weight) values ('P', 1, 'A', 1)" pair_legs_tenant_id_pair_id_fkey
for interval in 15m 2h 90m 720m 12h 1d; do
    sql "begin; insert into pair_definitions (pair_id, kind, interval) values ('P', 'calendar', '$interval'); insert into curve_metadata (curve_id, interval) values ('P', '$interval'); rollback"
done
for interval in 7m 0m 13h 24h 2d 1 m 1d1 01h 1440m; do
    refuse "insert into pair_definitions (pair_id, kind, interval) values ('P', 'calendar', '$interval')" pair_definitions_interval_check
    refuse "insert into curve_metadata (curve_id, interval) values ('P', '$interval')" curve_metadata_interval_check
done

# ---- rows and ticks ----

sql "insert into taxonomy_commodities (tenant_id, commodity_code, unit, currency) values ('a', 'gold', 'ozt', 'USD')" \
    "insert into taxonomy_commodities (tenant_id, commodity_code, unit, currency, active) values ('b', 'silver', 'kg', 'EUR', false)" \
    "insert into taxonomy_instruments (tenant_id, instrument_id, commodity, region, contract_size, tick_size, metadata)
        values ('a', 'SYM00', 'gold', 'london', 100, 0.01, '{\"desk\": \"metals\", \"rank\": 3}'), ('b', 'SYM00', 'silver', null, null, null, '{}')" \
    "insert into instrument_aliases (tenant_id, alias, instrument_id) values ('a', 'XAU', 'SYM00')" \
    "insert into instrument_aliases (tenant_id, alias, instrument_id, active) values ('a', 'OLD', 'SYM00', false)" \
    "insert into taxonomy_commodity_rules (tenant_id, commodity, keywords) values ('c', 'cocoa', 'sym00, cacao')" \
    "insert into taxonomy_commodity_rules (tenant_id, commodity, keywords, priority, active) values ('c', 'coffee', 'sym00', 1000, false)" \
    "insert into taxonomy_region_rules (tenant_id, region, keywords, priority, active) values ('c', 'brazil', 'sym00', 1000, false)" \
    "insert into taxonomy_tier_rules (tenant_id, product_tier, keywords, priority, active) values ('c', 'premium', 'sym00', 1000, false)" \
    "insert into pair_definitions (tenant_id, pair_id, kind) values ('a', 'A-B', 'inter_market')" \
    "insert into pair_legs (tenant_id, pair_id, position, instrument_id, weight) values ('a', 'A-B', 1, 'A', 1), ('a', 'A-B', 2, 'B', -0.5)" \
    "insert into curve_metadata (tenant_id, curve_id, horizons) values ('a', 'GOLD', '1m, 1y')" \
    "insert into curve_members (tenant_id, curve_id, instrument_id) values ('a', 'GOLD', 'GC.201312')"
"$market" generate --out "$work/made" --bars "$work/made.bars" --rows 300 --hours 3 --instruments 3 >/dev/null
for tenant in a b c; do "$market" load --dir "$work/d" --tenant $tenant "$work/made/ticks.csv" >/dev/null; done

# rows TOPIC: key, version and what else of the rows as they are now; "-" where deleted.
rows() {
    "$market" cat "reference.$1.v1" --dir "$work/d" | python3 -c 'import json, sys
rows = {}
for line in sys.stdin:
    record = json.loads(line)
    rows[record["key"]] = record["value"]
for key in sorted(rows):
    print(key, *(str((rows[key] or {}).get(name, "-")) for name in sys.argv[1:]))' version "${@:2}"
}

echo "--- the first ticks of all meet the rows, each those of its tenant"
expect 0 "$market" local --dir "$work/d" --once --postgres.dsn="$dsn" --log.level=info
cp "$work/err" "$work/log-1"
says 'id=reference-loaded from=PostgreSQL rows=5 added=5 changed=0 removed=0'
"$market" cat enriched.market.ticks.v1 --dir "$work/d" | python3 -c 'import json, sys
seen = {}
for line in sys.stdin:
    tick = json.loads(line)["value"]
    if tick["instrument_id"] == "SYM00":
        tax = tick["taxonomy"]
        seen.setdefault(tick["tenant_id"], set()).add((tax["commodity"], tax["region"], tax["method"], tax["confidence"], tax["product_tier"], tick["contract_size"],
            tick["currency"], tick["reference_version"], "no_reference" in tick["quality_flags"], "low_confidence" in tick["quality_flags"]))
want = {"a": {("gold", "london", "database", 0.95, "standard", 100, "USD", 1, False, False)}, "b": {("silver", "unknown", "database", 0.95, "standard", None, "USD", 1, False, False)},
        "c": {("cocoa", "unknown", "rule_based", 0.5, "standard", None, "USD", 0, True, True)}}
assert seen == want, seen' || fail "ticks do not say what their rows say"
equal "a/SYM00 1 ozt {'desk': 'metals', 'rank': '3'} ['XAU']
b/SYM00 1 None {} []" "$(rows instruments unit metadata aliases)" "instruments"
equal "a/A-B 1 [{'instrument_id': 'A', 'weight': 1}, {'instrument_id': 'B', 'weight': -0.5}]" "$(rows pairs legs)" "pairs"
equal "a/GOLD 1 linear ['1m', '1y']" "$(rows curves method horizons)" "curves"
equal "c/RULES 1" "$(rows taxonomy)" "rules"

echo "--- run again: nothing is written; rows that changed meanwhile are, before the run ends"
ends() { for topic in instruments taxonomy pairs curves loads; do "$market" cat reference.$topic.v1 --dir "$work/d" | wc -l; done | xargs; }
before=$(ends)
expect 0 "$market" local --dir "$work/d" --once --postgres.dsn="$dsn" --log.level=info
equal "$before" "$(ends)" "records of the topics"
sql "update taxonomy_instruments set region = 'zurich' where tenant_id = 'a'" "delete from curve_metadata"
expect 0 "$market" local --dir "$work/d" --once --postgres.dsn="$dsn" --log.level=info
says 'rows=4 added=0 changed=1 removed=1'
equal "a/SYM00 2 zurich" "$(rows instruments region | sed -n 1p)" "a row that changed while nothing ran"
equal "a/GOLD -" "$(rows curves)" "a row that vanished while nothing ran"

# ---- running ----

"$market" local --dir "$work/d" --postgres.dsn="$dsn" --log.level=info --http.port=0 >"$work/log" 2>&1 &
children+=($!)
await grep -q id=http-open "$work/log"
port=$(sed -nE 's/.*id=http-open.* port=([0-9]+).*/\1/p' "$work/log" | head -n 1)
# check: status and words of the check of reference data.
check() {
    curl -s -m 5 "127.0.0.1:$port/health" | python3 -c 'import json, sys
health = json.load(sys.stdin)
check = health["checks"]["enrichment.reference"]
assert check["status"] == "healthy" or (health["status"] == "degraded" and not check["critical"]), health
print(check["status"], check.get("error", ""))'
}
checks() { check | grep -- "$1" >/dev/null; }
row_is() { rows instruments region | grep -x -- "$1" >/dev/null; }
await checks '^healthy'

echo "--- a notification brings a change within moments: the tables are read every 5 min otherwise"
sql "update taxonomy_instruments set region = 'paris' where tenant_id = 'a'" "insert into taxonomy_instruments (tenant_id, instrument_id) values ('a', 'NEW')"
await row_is "a/SYM00 3 paris"
await row_is "a/NEW 1 None"
sql "delete from taxonomy_instruments where instrument_id = 'NEW'"
await row_is "a/NEW - -"
sql "begin; update taxonomy_instruments set region = 'rome' where tenant_id = 'a'; rollback" "update taxonomy_instruments set region = region"
sql "update taxonomy_instruments set region = 'oslo' where tenant_id = 'b'"
await row_is "b/SYM00 2 oslo"
row_is "a/SYM00 3 paris" || fail "a row that did not change was written"

echo "--- the tables are read as of one moment: what is committed while they are read is of the next reading, whole"
loads() { grep -c id=reference-loaded "$work/log"; }
before=$(loads)
locks() { sql "select count(*) from pg_locks where relation = 'pair_definitions'::regclass and mode = '$1' and granted = $2"; }
is_locked() { [ "$(locks AccessExclusiveLock true)" = 1 ]; }
sql "begin; lock table pair_definitions in access exclusive mode;
    do \$\$ begin while not exists (select 1 from pg_locks where relation = 'pair_definitions'::regclass and not granted) loop perform pg_sleep(0.02); end loop; end \$\$;
    update taxonomy_instruments set region = 'later' where tenant_id = 'a'; insert into pair_definitions (tenant_id, pair_id, kind) values ('a', 'LATE', 'calendar');
    insert into pair_legs (tenant_id, pair_id, position, instrument_id, weight) values ('a', 'LATE', 1, 'A', 1), ('a', 'LATE', 2, 'B', -1); commit" >"$work/locker" 2>&1 &
children+=($!)
await is_locked
sql "notify reference_changed"
wait "${children[-1]}" || { cat "$work/locker"; fail "the tables could not be locked"; }
await row_is "a/SYM00 4 later"
rows pairs | grep -qx "a/LATE 1" || fail "the pair did not come with the instrument"
equal $((before + 1)) "$(loads)" "loads that wrote something"

echo "--- a database that never notifies: the poll finds what has changed"
kill -TERM "${children[0]}"
wait "${children[0]}" || fail "the stop ended with $?"
sql "alter table taxonomy_instruments disable trigger tell"
"$market" local --dir "$work/d" --postgres.dsn="$dsn" --postgres.poll.ms=1s --log.level=info --http.port=0 >"$work/log-2" 2>&1 &
children=($!)
await grep -q id=http-open "$work/log-2"
port=$(sed -nE 's/.*id=http-open.* port=([0-9]+).*/\1/p' "$work/log-2" | head -n 1)
await checks '^healthy'
sql "update taxonomy_instruments set region = 'silent' where tenant_id = 'b'"
await row_is "b/SYM00 3 silent"
sql "alter table taxonomy_instruments enable trigger tell"

for seconds in "${outages[@]}"; do
    echo "--- the database is away for $seconds s, and changed meanwhile"
    $server stop "$work/pg"
    await checks 'unhealthy.*postgres.dsn: \|unhealthy.*onnection'
    $server aside "$work/pg" "update taxonomy_instruments set region = 'away$seconds' where tenant_id = 'a'"
    "$market" cat reference.instruments.v1 --dir "$work/d" >"$work/while"
    sleep "$seconds" # as long as it is away; nothing is waited for
    ! grep -q "away$seconds" "$work/while" || fail "a change that nobody can have seen"
    $server again "$work/pg" >/dev/null
    await row_is "a/SYM00 [0-9]* away$seconds"
    await checks '^healthy'
done

echo "--- a row of no use stays as it was, and is named"
version=$(rows instruments | sed -n 's/^a.SYM00 //p')
sql "insert into taxonomy_instruments (tenant_id, instrument_id) values ('a', 'MORE')" \
    "update taxonomy_instruments set metadata = (select jsonb_object_agg('k' || n, n) from generate_series(1, 65) n) where tenant_id = 'a' and instrument_id = 'SYM00'"
await row_is "a/MORE 1 None"
await checks "SYM00 of tenant a is of no use to reference.instruments.v1"
equal "a/SYM00 $version" "$(rows instruments | sed -n "/a.SYM00/p")" "the row of no use"
sql "update taxonomy_instruments set metadata = '{}' where tenant_id = 'a'"
await checks '^healthy'

echo "--- tables that are gone delete nothing: the remedy is named, and it goes on once they are there"
sql "alter table taxonomy_instruments rename to elsewhere"
sql "notify reference_changed"
await checks 'make the tables by .data-processing migrate postgres'
row_is "a/MORE 1 None" || fail "rows were deleted with their table"
sql "alter table elsewhere rename to taxonomy_instruments"
await checks '^healthy'

echo "--- rights, passwords"
sql "create user reader password 'hidden'"
kill -TERM "${children[0]}"
wait "${children[0]}" || fail "the stop ended with $?"
# tells DSN WORDS: a run that reads these tables says so, goes on with what is there, and ends.
tells() {
    expect 0 "$market" local --dir "$work/d" --once --postgres.dsn="$1" --postgres.wait.ms=1s --log.level=info
    says "$2"
    cat "$work/err" >>"$work/log"
}
tells "${dsn/user=weir password=secret/user=reader password=hidden}" 'permission denied for table taxonomy_instruments: grant it to the user'
tells "${dsn/password=secret/password=hidden}" 'password authentication failed'
tells "${dsn/verify-full/disable}" 'no encryption'
tells "${dsn/ca.pem/other.pem}" 'certificate verify failed'
tells "${dsn/host=127.0.0.1/host=elsewhere.test hostaddr=127.0.0.1}" 'does not match host name'
tells "$(sed 's/port=[0-9]*/port=1/' <<<"$dsn")" 'Connection refused'
certificate "$work/pg" ca expired "" -1
certificate "$work/pg" ca named DNS:elsewhere.test
$server shows "$work/pg" expired
tells "$dsn" 'certificate verify failed: it has expired, or its authority is not in sslrootcert'
$server shows "$work/pg" named
tells "$dsn" 'does not match host name'
$server shows "$work/pg" server

echo "--- a password apart from the connection string, in a file that is read for each new connection"
bare=${dsn/ password=secret/}
expect 2 migrate --postgres.password=marked-hidden
says 'postgres.password: postgres.dsn has another password: give it in one place'
expect 0 env DATA_PROC_POSTGRES_PASSWORD=secret "$market" migrate postgres --postgres.dsn="$bare"
printf 'marked-hidden\n' >"$work/password"
"$market" local --dir "$work/d" --postgres.dsn="$bare" --postgres.password.file="$work/password" --log.level=debug --http.port=0 >"$work/log-3" 2>&1 &
children=($!)
await grep -q id=http-open "$work/log-3"
port=$(sed -nE 's/.*id=http-open.* port=([0-9]+).*/\1/p' "$work/log-3" | head -n 1)
await checks 'password authentication failed'
echo secret >"$work/password.new"
mv "$work/password.new" "$work/password"
await checks '^healthy'
kill -TERM "${children[0]}"
wait "${children[0]}" || fail "the stop ended with $?"
grep -q 'postgres.password=\*' "$work/log-3" || fail "the setting is not in the line of settings"
expect 2 "$market" local --dir "$work/d" --once --postgres.dsn="postgresql://weir:se@cret@127.0.0.1/weir"
says 'an @ of the password as %40'
cat "$work/err" >>"$work/log"
! grep -n topic-differs "$work/log" "$work/log-1" "$work/log-2" || fail "a topic was not made as it is wanted"
! grep -nE 'secret|hidden|cret@' "$work"/log* || fail "a password was said"

echo "--- a file does not contradict the database"
printf 'instrument_id\nX\n' >"$work/x.csv"
expect 2 "$market" load --dir "$work/d" --postgres.dsn="$dsn" --reference "$work/x.csv"
says 'postgres.dsn'
