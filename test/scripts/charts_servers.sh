#!/bin/bash
# What the chart's own servers are started by, run here as it stands in the rendered chart: PostgreSQL's replica copies the primary by the script of the ConfigMap and follows
# it; Redis takes its password by standard input, demands it, and shows it in no list of processes.
set -euo pipefail
. test/scripts/cli.inc
. test/tools.inc
trap '[ -z "${redis:-}" ] || end_redis; test/servers/postgres.sh remove "$work/primary"; [ -z "${copy:-}" ] || { as pg_ctl -D "$copy/pg" -m immediate stop >"$work/out"; rm -rf "$copy"; }; cleanup' EXIT
helm template x charts/data-processing --values charts/data-processing/values-dev.yaml >"$work/rendered"
# part KIND NAME EXPRESSION: of that document.
part() {
    python3 -c 'import sys, yaml
for it in yaml.safe_load_all(open(sys.argv[1])):
    if it and (it["kind"], it["metadata"]["name"]) == (sys.argv[2], sys.argv[3]):
        print(eval(sys.argv[4], {"it": it}))' "$work/rendered" "$@"
}
PATH=$PATH:$(dirname "$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | tail -n 1)")
as() { if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- env PATH="$PATH" "$@"); else "$@"; fi; }

echo "--- PostgreSQL: a replica"
dsn=$(test/servers/postgres.sh start "$work/primary")
port=$(sed 's/.*port=\([0-9]*\).*/\1/' <<<"$dsn")
data=$(readlink "$work/primary/data")
copy=$(mktemp -d)
[ "$(id -u)" != 0 ] || chown postgres "$copy"
part ConfigMap x-data-processing-postgresql-scripts 'it["data"]["replication.sh"]' | as tee "$copy/replication.sh" >/dev/null
part ConfigMap x-data-processing-postgresql-scripts 'it["data"]["follow.sh"]' |
    sed "s/--host=x-data-processing-postgresql-primary --username=postgres/--host=127.0.0.1 --username=weir/" | as tee "$copy/follow.sh" >/dev/null
as env PGDATA="$data/pg" sh "$copy/replication.sh"
test/servers/postgres.sh sql "$work/primary" "select pg_reload_conf()" "create table t (n int)" "insert into t values (1)" >"$work/out"
grep -q weir "$copy/follow.sh" || fail "the script does not copy from the primary's Service"
as env PGDATA="$copy/pg" PGPORT="$port" PGPASSWORD=secret sh "$copy/follow.sh"
as env PGDATA="$copy/pg" PGPORT=1 sh "$copy/follow.sh" # what is there is not copied again
own=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
as pg_ctl -D "$copy/pg" -o "-p $own -k $copy" -l "$copy/log" -w start >"$work/out"
follows() { [ "$(PGPASSWORD=secret psql -XAtq -h 127.0.0.1 -p "$own" -U weir -d weir -c 'select count(*) from t')" = "$1" ]; }
await follows 1
test/servers/postgres.sh sql "$work/primary" "insert into t values (2), (3)"
await follows 3
equal t "$(PGPASSWORD=secret psql -XAtq -h 127.0.0.1 -p "$own" -U weir -d weir -c 'select pg_is_in_recovery()')" "whether it follows"

echo "--- Redis: the password"
command=$(part StatefulSet x-data-processing-redis 'it["spec"]["template"]["spec"]["containers"][0]["command"][2]')
mkdir "$work/redis"
own=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
PASSWORD=chart-password sh -c "${command/--dir \/data/--dir $work/redis --bind 127.0.0.1 --port $own}" >"$work/redis.log" 2>&1 &
redis=$!
end_redis() { REDISCLI_AUTH=chart-password redis-cli -p "$own" shutdown nosave || :; }
answers() { redis-cli -p "$own" ping 2>&1 | grep -q NOAUTH; }
await answers
equal PONG "$(REDISCLI_AUTH=chart-password redis-cli -p "$own" ping)" "with the password"
! tr '\0' ' ' </proc/"$(REDISCLI_AUTH=chart-password redis-cli -p "$own" info server | tr -d '\r' | sed -n 's/^process_id://p')"/cmdline | grep -q chart-password || fail "the password is in the list of processes"
equal volatile-ttl "$(REDISCLI_AUTH=chart-password redis-cli -p "$own" config get maxmemory-policy | tail -n 1)" "what goes when it is full"
