#!/bin/bash
# The cache in Redis of instruments that reference data has not: what others put there is taken, of the tick's own tenant and id; that
# there is none is remembered for 300 s; a row of the table goes first; what is unreadable, and a Redis that is away, change nothing.
. test/scripts/cli.inc
server=test/servers/redis.sh
trap '$server kill "$work/redis"; cleanup' EXIT
market=${BUILD:-build}/data-processing
url=$($server start "$work/redis")
redis() { $server cli "$work/redis" 1 "$@"; }

"$market" generate --out "$work/made" --bars "$work/made.bars" --rows 300 --hours 3 --instruments 3 >/dev/null
printf 'instrument_id,commodity\nERCOT.HUB.00,steam\n' >"$work/rows.csv"
known() { printf '{"tenant_id":"%s","instrument_id":"%s","commodity":"%s","active":true,"version":7}' "$1" "$2" "$3"; }
redis set metadata:default:SYM00 "$(known default SYM00 gold)" >/dev/null
redis set metadata:default:ERCOT.HUB.00 "$(known default ERCOT.HUB.00 wrong)" >/dev/null
redis set metadata:default:PJM.HUB.00.MCC "$(known other PJM.HUB.00.MCC wrong)" >/dev/null
redis set metadata:other:PJM.HUB.00 "$(known other PJM.HUB.00 wrong)" >/dev/null
redis set metadata:default:PJM.HUB.00.MCE '{"version":' >/dev/null

# seen DIR: instrument, commodity, version of its row, whether it says that there is none.
seen() {
    "$market" cat enriched.market.ticks.v1 --dir "$1" | python3 -c 'import json, sys
print(*sorted({(t["instrument_id"], t["taxonomy"]["commodity"], t["reference_version"], "no_reference" in t["quality_flags"])
    for t in (json.loads(line)["value"] for line in sys.stdin)}), sep="\n")'
}

echo "--- what Redis says, where the table says nothing"
expect 0 "$market" local --dir "$work/d" --once --redis.url="$url" --reference "$work/rows.csv" --log.level=warn "$work"/made/*.csv
equal "('ERCOT.HUB.00', 'steam', 1, False)
('PJM.HUB.00', 'electricity', 0, True)
('PJM.HUB.00.MCC', 'electricity', 0, True)
('PJM.HUB.00.MCE', 'electricity', 0, True)
('PJM.HUB.00.MLC', 'electricity', 0, True)
('SYM00', 'gold', 7, False)" "$(seen "$work/d")" "what ticks met"

echo "--- that there is none stands there, too, for 300 s, and takes no one's place"
for id in PJM.HUB.00 PJM.HUB.00.MLC; do
    left=$(redis ttl metadata:default:$id)
    [ "$left" -gt 0 ] && [ "$left" -le 300 ] || fail "metadata:default:$id stays for $left s"
done
equal "$(known default SYM00 gold)" "$(redis get metadata:default:SYM00)" "what others put there"

echo "--- a thread has one connection, however many tasks"
received() { redis info stats | tr -d '\r' | sed -n 's/^total_connections_received://p'; }
before=$(received)
expect 0 "$market" local --dir "$work/t" --once --threads=1 --redis.url="$url" --log.level=warn "$work"/made/*.csv enrichment normalization
equal 1 $(($(received) - before - 1)) "connections for the four tasks of enrichment, and one to ask"

echo "--- a Redis that is away is no error"
$server kill "$work/redis"
expect 0 "$market" local --dir "$work/e" --once --redis.timeout.ms=100ms --redis.url="$url" --log.level=warn "$work"/made/*.csv enrichment normalization
equal "('SYM00', 'unknown', 0, True)" "$(seen "$work/e" | grep SYM00)" "what ticks met"
