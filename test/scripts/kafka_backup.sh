#!/bin/bash
# Backup and recovery: topics, ClickHouse, PostgreSQL and configuration are saved by compose/backup/backup.sh while they are there, and brought back
# by restore.sh onto other, empty servers: the bars, the tables, the reference rows and the audit trail are those of before; a file that is loaded once
# more adds nothing; a backup that was changed, or is not whole, is refused. The long form has more rows.
. test/scripts/clickhouse.inc
kafka=test/servers/kafka.sh postgres=test/servers/postgres.sh
trap '$kafka kill "$work/kafka"; $server kill "$db"; $postgres remove "$work/postgres"; cleanup' EXIT
unset "${!DATA_PROC_@}"
export DATA_PROCESSING=$program WEIR_LOG_LEVEL=warn
rows=$([ "$FORM" = long ] && echo 30000 || echo 900)

start_all() {
    $kafka start "$work/kafka" >"$work/A" &
    local first=$!
    $postgres start "$work/postgres" >"$work/dsn" &
    WEIR_CLICKHOUSE_URL=$($server start "$db")
    wait "$first" && wait $!
    WEIR_KAFKA_BOOTSTRAP_SERVERS=$(cat "$work/A") WEIR_POSTGRES_DSN=$(cat "$work/dsn")
    export WEIR_CLICKHOUSE_URL WEIR_KAFKA_BOOTSTRAP_SERVERS WEIR_POSTGRES_DSN
}
# run_all STATE: the four topologies until all is read, with an audit trail.
run_all() {
    expect 0 env DATA_PROC_AUDIT_ENABLED=true DATA_PROC_AUDIT_KAFKA_TOPIC=security.audit.v1 "$program" run --once --state.dir="$work/$1" \
        --topics.partitions=3 --http.port=-1
}
reference() { $postgres sql "$work/postgres" "select * from taxonomy_instruments order by 1, 2"; }
# tables: what is in ClickHouse, version and all, but for when it was inserted.
tables() {
    local table
    for table in audit_events bars_1m bars_5m bars_1h bars_1d enriched_ticks rolling_stats served_latest; do
        echo "$table $(ask "SELECT count(), sum(cityHash64(* EXCEPT $([ $table = audit_events ] && echo ingested_at || echo inserted_at))) FROM data_processing.$table FINAL")"
    done
}

echo "--- settings with any password in them"
# parts DSN: the password and the rest, as PostgreSQL's programs get them.
parts() { WEIR_POSTGRES_DSN=$1 bash -c '. compose/backup/backup.inc; postgres; printf "%s|%s" "${PGPASSWORD-none}" "$dsn"' "$0"; }
equal 'p@s\nd+"|postgresql://u@h/d?sslmode=verify-full' "$(parts 'postgresql://u:p%40s\nd+%22@h/d?sslmode=verify-full')" "in a URL"
equal 'p w|postgresql://h/d?user=u&sslmode=verify-full' "$(parts 'postgresql://h/d?user=u&password=p%20w&sslmode=verify-full')" "in a query"
equal "p w'|host=h  sslmode=verify-full" "$(parts "host=h password='p w\\'' sslmode=verify-full")" "in quotes"
equal 'pw|host=h  user=u' "$(parts 'host=h password = pw user=u')" "in words"
equal 'none|host=h sslpassword=x' "$(parts 'host=h sslpassword=x')" "nowhere"
printf 'of a file\n' >"$work/password"
equal 'of a file|host=h' "$(DATA_PROC_POSTGRES_PASSWORD_FILE=$work/password parts host=h)" "in a file of its own"
equal 'header = "K: a\\b\"c"' "$(bash -c '. compose/backup/backup.inc; option header "$1"' "$0" 'K: a\b"c')" "for curl"

start_all
expect 0 "$program" migrate postgres
expect 0 "$program" migrate clickhouse
$postgres sql "$work/postgres" "insert into taxonomy_instruments (instrument_id, commodity, region, product_tier)
    select 'PJM.HUB.0' || n, 'energy', 'west''n', E'tab\there' from generate_series(1, 5) n" >/dev/null
"$program" generate --out "$work/made" --bars "$work/bars" --rows "$rows" --hours 5 --corrections 5 --malformed 3 --seed 6 >/dev/null
expect 0 "$program" load "$work"/made/*.csv --topics.partitions=3
run_all state
export WEIR_AUDIT_TOPIC=security.audit.v1
for topic in aggregated.market.bars.{1m,5m,1h,1d}.v1; do "$program" cat "$topic"; done >"$work/before"
tables >"$work/tables" && reference >"$work/reference"

echo "--- saved, and saved again"
backup=compose/backup/backup.sh restore=compose/backup/restore.sh
ask "SYSTEM STOP MERGES" # a partition that a merge changes between the two is rightly saved twice
expect 0 $backup "$work/b" --dry-run
[ ! -e "$work/b" ] || fail "a dry run has made a folder"
mkdir -m 755 "$work/b" # by somebody else
echo "threads=2" >"$work/weir.conf"
expect 0 env CONFIG_FILES="$work/weir.conf" $backup "$work/b"
grep -qx "postgres: [0-9]* tables saved" "$work/out" || fail "PostgreSQL is not saved: $(cat "$work/out")"
expect 0 env CONFIG_FILES="$work/weir.conf" $backup "$work/b"
grep -Eqx "topics: [0-9]+ topics, [0-9]+ partitions: 0 records saved, [1-9][0-9]* were saved before" "$work/out" || fail "topics: $(cat "$work/out")"
grep -Eqx "clickhouse: 0 partitions saved, [1-9][0-9]* have not changed" "$work/out" || fail "clickhouse: $(cat "$work/out")"
cmp "$work/weir.conf" "$work/b/configuration/weir.conf"
grep -q '^WEIR_POSTGRES_DSN=' "$work/b/configuration/environment" || fail "variables are not saved"
[ -z "$(find "$work/b" -perm /077)" ] || fail "others can look into the backup"

echo "--- all of it is destroyed, and comes back on other servers"
$kafka kill "$work/kafka" && $server kill "$db" && $postgres remove "$work/postgres"
rm -rf "$work/kafka" "$db" "$work/state"
start_all
expect 0 $restore "$work/b" --dry-run
equal "" "$($postgres sql "$work/postgres" "select 1 from pg_tables where tablename = 'taxonomy_instruments'")" "tables after a dry run"
expect 0 $restore "$work/b"
equal "$(cat "$work/reference")" "$(reference)" "reference rows"
equal "$(cat "$work/tables")" "$(tables)" "ClickHouse's tables"
run_all anew
address=$WEIR_KAFKA_BOOTSTRAP_SERVERS
expect 0 "$program" diff "$address" "$work/before"
expect 0 "$program" diff "$address" "$work/bars"
expect 0 "$program" reconcile --from 2000-01-01 --to 2040-01-01
equal "$(grep -v audit_events "$work/tables" | sed 's/ .*//')" "$(tables | grep -v audit_events | sed 's/ .*//')" "tables"
ask "SELECT count() FROM data_processing.bars_1m FINAL" | cmp - <(sed -nE 's/^bars_1m ([0-9]+).*/\1/p' "$work/tables") || fail "bars twice in ClickHouse"
expect 0 "$program" audit verify clickhouse
expect 0 "$program" audit verify topic
expect 0 "$program" load "$work"/made/*.csv
equal "0 events loaded" "$(tail -n 1 "$work/out" | grep -o '^0 events loaded')" "a file that was loaded before"

echo "--- again: nothing twice; a changed file and a backup that is not whole are refused"
expect 1 $restore "$work/b" # what came since is in the topics now: they are not the beginning of what is to be restored
file=$(find "$work/b/clickhouse/bars_1m" -name '*.gz' | head -n 1)
printf 'x' >>"$file"
expect 1 $restore "$work/b"
says "files have changed since they were saved"
rm "$work/b/SHA256SUMS"
expect 1 $restore "$work/b" --dry-run
says "no backup, or one that was cut short"
