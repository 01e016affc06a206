#!/bin/bash
# Saves what cannot be made again: topics that nobody of ours makes, ClickHouse's tables, PostgreSQL, the configuration. docs/backup.md.
#   backup.sh FOLDER [--dry-run]
# Repeated on the same folder it saves what is new of topics and of ClickHouse's partitions that have changed, and PostgreSQL anew. Services may run.
# Settings are the services' own variables; DATA_PROCESSING names the program; CONFIG_FILES more files to be saved, with spaces between.
. "$(dirname "$0")/backup.inc"
[[ $# -ge 1 && ${2:---dry-run} = --dry-run ]] || usage
folder=$1 dry=${2:-}
[ -n "$dry" ] || { mkdir -p "$folder" && chmod go= "$folder"; } # also one that was there

topics() {
    has_kafka || { echo "topics: kafka.bootstrap.servers is not set: left out"; return; }
    "$program" topic backup --inputs --to "$folder/topics" ${dry:+--dry-run} | tail -n 1 | sed 's/^/topics: /'
}

# A file for each partition of a table, of the rows that it had, named by its parts: what has not changed is there already.
clickhouse_tables() {
    local table partition parts file made=0 kept=0
    [ -n "$(setting CLICKHOUSE_URL)" ] || { echo "clickhouse: clickhouse.url is not set: left out"; return; }
    ask "SELECT table, partition_id, lower(hex(cityHash64(arraySort(groupArray(name))))) FROM system.parts WHERE database = currentDatabase()
        AND active AND table != 'schema_migrations' GROUP BY table, partition_id ORDER BY table, partition_id" >"$scratch/parts"
    while IFS=$'\t' read -r table partition parts; do
        file=$folder/clickhouse/$table/$partition-$parts.native.gz
        if [ -e "$file" ]; then
            kept=$((kept + 1))
            continue
        fi
        made=$((made + 1))
        [ -z "$dry" ] || continue
        mkdir -p "$folder/clickhouse/$table"
        clickhouse "SELECT * FROM \`$table\` WHERE _partition_id = '$partition' FORMAT Native"
        gzip -1 <"$scratch/answer" >"$file.part"
        rm -f "$folder/clickhouse/$table/$partition"-*.native.gz # as it was before
        mv "$file.part" "$file"
    done <"$scratch/parts"
    echo "clickhouse: $made partitions ${dry:+would be }saved, $kept have not changed"
}

postgres_database() {
    [ -n "$(setting POSTGRES_DSN)" ] || { echo "postgres: postgres.dsn is not set: left out"; return; }
    postgres
    [ -z "$dry" ] || { echo "postgres: the database would be saved"; return; }
    pg_dump --format=custom --no-owner --no-privileges --dbname="$dsn" --file="$folder/postgres.part"
    mv "$folder/postgres.part" "$folder/postgres.dump"
    echo "postgres: $(pg_restore --list "$folder/postgres.dump" | grep -c 'TABLE DATA') tables saved"
}

# With its secrets: the folder is for its owner alone.
configuration() {
    local file
    [ -z "$dry" ] || return 0
    mkdir -p "$folder/configuration"
    env | grep -E '^(WEIR|DATA_PROC)_' | sort >"$folder/configuration/environment" || :
    for file in ${CONFIG_FILES:-}; do install -m 600 "$file" "$folder/configuration/"; done
    "$program" version >"$folder/configuration/version"
    echo "configuration: $(wc -l <"$folder/configuration/environment") variables, $(find "$folder/configuration" -type f | wc -l) files saved"
}

topics
clickhouse_tables
postgres_database
configuration
echo "redis: nothing is saved, projection writes all of it again (docs/backup.md)"
[ -n "$dry" ] || (cd "$folder" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum >"$scratch/sums" && mv "$scratch/sums" SHA256SUMS)
echo "done${dry:+: nothing was changed}"
