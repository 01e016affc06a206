#!/bin/bash
# Settings of data-processing's own from all sides, and DATA_PROC_ variables: each sets something, or is said to mean nothing.
. test/scripts/cli.inc
program=$BUILD/data-processing

# run VARIABLE...: starts a topology on an empty folder and ends it; what it says is in $work/err.
run() { expect "$1" env "${@:2}" "$program" local --dir "$work/dir" --once enrichment; }

for word in local dev development staging prod production test Production; do
    run 0 DATA_PROC_ENV=$word
done
run 2 DATA_PROC_ENV=moon
says 'DATA_PROC_ENV: env is "moon", it must be local, dev, development, staging, prod, production or test'

run 0 DATA_PROC_REDIS_POOL_MIN=1 DATA_PROC_NO_SUCH_THING=1 DATA_PROC_AGGREGATION_BATCH_SIZE=1 DATA_PROC_TENANT_ID=acme
for name in DATA_PROC_REDIS_POOL_MIN DATA_PROC_NO_SUCH_THING DATA_PROC_AGGREGATION_BATCH_SIZE; do
    says "variable-without-meaning variable=$name "
done
says 'changed="tenant=acme"'
[ "$(grep -c variable-without-meaning "$work/err")" = 3 ] || fail "a variable that means something is said to mean nothing"

# weaker than a variable of ours, stronger than a file; secrets are not shown
printf 'clickhouse.database = file\n' >"$work/conf"
expect 0 env DATA_PROC_CLICKHOUSE_DATABASE=old DATA_PROC_CLICKHOUSE_PASSWORD=hunter2 "$program" local --dir "$work/dir" \
    --once --config "$work/conf" enrichment
says clickhouse.database=old
says 'clickhouse.password=********'
run 0 DATA_PROC_CLICKHOUSE_DATABASE=old WEIR_CLICKHOUSE_DATABASE=new
says clickhouse.database=new

# those that were seconds and minutes are so still; addresses are made of their parts
seconds=(DATA_PROC_PROCESSING_TIMEOUT=clickhouse.timeout.ms NORMALIZE_TICKS_IDEMPOTENCY_TTL_SECONDS=normalization.trades_seen_s.retention
    DATA_PROC_PROJECTION_CACHE_TTL=redis.ttl.ms DATA_PROC_PROJECTION_REFRESH_INTERVAL=projection.latest.refresh)
run 0 "${seconds[@]/=*/=77}" NORMALIZE_TICKS_BACKFILL_WINDOW_MINUTES=78
for pair in "${seconds[@]}"; do says "${pair#*=}=77s"; done
says normalization.judged.fallback_age=78m
run 0 DATA_PROC_AUDIT_FLUSH_INTERVAL=0.5 DATA_PROC_AUDIT_CLICKHOUSE_TIMEOUT=30.0
says audit.flush.ms=0.5s
says audit.timeout.ms=30.0s
run 0 NORMALIZE_TICKS_BACKFILL_ENABLED=yes
says normalization.decoded.fallback=on

# all that stand for a setting are taken: none names one that is not there
value() {
    case $1 in
    *_ENV) echo dev ;;
    *LOG_LEVEL) echo WARNING ;;
    *ENABLED) echo true ;;
    *_THRESHOLD) echo 0.01 ;;
    *_INTERVALS) echo 5m,1h,1d ;;
    *) echo 30 ;;
    esac
}
sed -nE 's/^\| `((DATA_PROC|NORMALIZE_TICKS)_[A-Z_]+)` \| `.*/\1/p' docs/configuration.md >"$work/names"
[ "$(wc -l <"$work/names")" -ge 25 ] || fail "the table of docs/configuration.md was not read"
all=()
while read -r name; do all+=("$name=$(value "$name")"); done <"$work/names"
expect 0 env "${all[@]}" "$program" describe
expect 0 env "${all[@]}" "$program" help
