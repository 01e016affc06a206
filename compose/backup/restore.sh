#!/bin/bash
# Brings back what backup.sh has saved, while no service runs: PostgreSQL, ClickHouse's tables, topics. docs/backup.md.
#   restore.sh FOLDER [--dry-run]
# The checksums are looked at first, all of them. It can be repeated: rows of ClickHouse replace themselves, records that are there stay.
. "$(dirname "$0")/backup.inc"
[[ $# -ge 1 && ${2:---dry-run} = --dry-run ]] || usage
export DATA_PROC_AUDIT_ENABLED=false WEIR_AUDIT_ENABLED=false # its topic is restored as it was, not behind an event of this
folder=$1 dry=${2:-}
[ -e "$folder/SHA256SUMS" ] || die "$folder: there is no SHA256SUMS in it: no backup, or one that was cut short"
(cd "$folder" && sha256sum --check --quiet SHA256SUMS) || die "$folder: files have changed since they were saved: take another backup"
echo "checksums: $(wc -l <"$folder/SHA256SUMS") files are as they were saved"

postgres_database() {
    [ -e "$folder/postgres.dump" ] || { echo "postgres: not in this backup"; return; }
    [ -n "$(setting POSTGRES_DSN)" ] || die "postgres.dsn is not set, and the backup has a database"
    postgres
    [ -z "$dry" ] || { echo "postgres: the database would be restored"; return; }
    pg_restore --clean --if-exists --no-owner --no-privileges --exit-on-error --single-transaction --dbname="$dsn" "$folder/postgres.dump"
    echo "postgres: $(pg_restore --list "$folder/postgres.dump" | grep -c 'TABLE DATA') tables restored"
}

clickhouse_tables() {
    local file table count=0
    [ -d "$folder/clickhouse" ] || { echo "clickhouse: not in this backup"; return; }
    [ -n "$(setting CLICKHOUSE_URL)" ] || die "clickhouse.url is not set, and the backup has its tables"
    [ -n "$dry" ] || "$program" migrate clickhouse | tail -n 1
    while read -r file; do
        count=$((count + 1))
        [ -z "$dry" ] || continue
        table=$(basename "$(dirname "$file")")
        gzip -dc "$file" >"$scratch/rows"
        clickhouse "INSERT INTO \`$table\` FORMAT Native" --url-query "insert_deduplicate=0" --request POST --upload-file "$scratch/rows"
    done < <(find "$folder/clickhouse" -name '*.native.gz' | sort)
    echo "clickhouse: $count partitions ${dry:+would be }restored"
}

topics() {
    [ -d "$folder/topics" ] || { echo "topics: not in this backup"; return; }
    has_kafka || die "kafka.bootstrap.servers is not set, and the backup has topics"
    "$program" topic restore --from "$folder/topics" ${dry:+--dry-run} | tail -n 1 | sed 's/^/topics: /'
}

postgres_database
clickhouse_tables
topics
echo "configuration: in $folder/configuration, for people to put where it belongs"
echo "done${dry:+: nothing was changed}; start the services on empty state folders: they make the rest again"
