#!/bin/bash
# `explain` says how a key stands: after a run, after a kill, and beside a process that runs; of the pipeline and of any other program.
. test/scripts/cli.inc
market=${BUILD:-build}/data-processing
minutes=${BUILD:-build}/examples/minute_bars

"$market" generate --out "$work/made" --rows 2400 --hours 4 --instruments 3 --malformed 10 --duplicates 10 --corrections 10 >/dev/null
files=("$work"/made/*.csv)
shows() { grep -qE -- "$1" "$work/out" || { cat "$work/out" >&2; fail "nothing shows $1"; }; }
# letters DIR KEY CODE: dead letters of normalization that a plain look finds.
letters() { "$market" cat processing.deadletter.normalization.v1 --dir "$1" | grep "\"key_base64\":\"$(printf %s "$2" | base64)\"" | grep -c "\"code\":\"$3\"" || :; }

cat >"$work/pairs.jsonl" <<'EOT'
{"pair_id": "A-B", "kind": "inter_market", "legs": [{"instrument_id": "PJM.HUB.00", "weight": 1}, {"instrument_id": "ERCOT.HUB.00", "weight": -1}], "max_age_ms": 3600000}
EOT
echo "--- after a run: all is read, all windows are closed, each dead letter has its reason"
expect 0 "$market" local --dir "$work/d" --once --log.level=info --reference "$work/pairs.jsonl" "${files[@]}"
cp "$work/err" "$work/d.log"
expect 0 "$market" explain PJM.HUB.00 --dir "$work/d"
shows '^  reads data-processing-normalization-by_instrument-repartition/[0-3]: committed up to [1-9][0-9]* of [1-9][0-9]*, .*; 0 records of the key wait$'
shows '^aggregation, task bars_[0-3]$'
shows '^  reads enriched.market.ticks.v1/[0-3]: committed up to [1-9][0-9]* of [1-9][0-9]*, .*; 0 records of the key wait$'
shows '^  minute_s: 48 windows$'
shows "^    the key's time is 2025-03-08T03:55:00Z; .*; the clock has closed what ends by 2025-03-08T03:56:00Z$"
shows '^    48 closed; the newest:$'
shows '^      2025-03-08T03:55:00Z to 2025-03-08T03:56:00Z, closed: by the clock, or the end of a run; a record of it is a correction$'
shows '^  ticks_s: 48 rows, the last three$' # not those of PJM.HUB.00.MCE
shows '^    tick of 2025-03-08T03:55:00Z, sequence 0: price [0-9.]+, revision 1$'
shows '^  latest_s: 1 rows$'
echo "--- the rows of stores: windows with their ends, of a day too; the same bars as were sent"
expect 0 "$market" state aggregation minute_s --dir "$work/d"
equal 48 "$(grep -c '"key":"default/PJM.HUB.00","start"' "$work/out")" "windows of a minute"
grep '"key":"default/PJM.HUB.00","start":1741406100000,"end":1741406160000,"timestamp":1741406100000,"value":{"schema_version":1,"fold":{"count":1,' "$work/out" >/dev/null || fail "no row of the last minute"
expect 0 "$market" state aggregation day_s --dir "$work/d"
grep -q '"key":"default/PJM.HUB.00","start":1741323600000,"end":1741410000000,' "$work/out" || { cat "$work/out"; fail "no row of the market's day"; }
for interval in 1d 1h; do
    "$market" cat aggregated.market.bars.$interval.v1 --dir "$work/d" | sed -E 's/.*"key":("[^"]*").*"window_start":([0-9]*)000,"window_end":([0-9]*)000.*/\1 \2 \3/' | sort -u >"$work/sent"
    "$market" state aggregation "$([ $interval = 1d ] && echo day_s || echo hour_s)" --dir "$work/d" | sed -E 's/.*"key":("[^"]*"),"start":([0-9]*),"end":([0-9]*).*/\1 \2 \3/' | sort >"$work/kept"
    cmp "$work/sent" "$work/kept" || fail "rows of $interval are not those of the bars"
done
expect 0 "$market" state enrichment pairs_s --dir "$work/d" # filled from a topic
grep -q '^{"store":"pairs_s","partition":[0-3],"key":"default/A-B",' "$work/out" || fail "no row of a global store"
expect 0 "$market" explain PJM.HUB.00 --dir "$work/d"

echo "--- what is counted out of a key, by reason: of all keys together what the metrics say"
dropped() { # KEY TASK REASON
    "$market" explain "$1" --dir "$work/d" "${2%% *}" 2>/dev/null | grep -A1 "^  drops_s: 1 rows" | grep -oE "[0-9]+ $3, the last one of 2025-03-08T0[0-3]:" | cut -d' ' -f1 || :
}
sum() { # TOPOLOGY REASON
    local key total=0
    for key in A-B SYM00 ERCOT.HUB.00 PJM.HUB.00{,.MCE,.MCC,.MLC}; do total=$((total + $(dropped $key "$1" "$2" | awk '{ n += $1 } END { print n + 0 }'))); done
    echo $total
}
for what in "normalization duplicate" "aggregation superseded" "projection behind_served"; do
    want=$(sed -nE "s/.*id=not-used topology=${what% *} reason=${what#* } records=([0-9]+).*/\1/p" "$work/d.log")
    [ "${want:-0}" -gt 0 ] || fail "nothing of $what"
    equal "$want" "$(sum $what)" "$what of all keys"
done
expect 0 "$market" explain PJM.HUB.00 --dir "$work/d"

for code in bad_number no_price bad_time; do
    want=$(letters "$work/d" PJM.HUB.00 $code)
    [ "$want" = 0 ] || shows "^    $want $code at normalization/decoded; the last one, ingestion.pjm.raw.v1/[0-3] offset [0-9]+, at .*Z: "
done
grep -q 'at normalization/decoded' "$work/out" || fail "no dead letter at all"
cp "$work/out" "$work/short"
expect 0 "$market" explain default/PJM.HUB.00 --dir "$work/d"
cmp "$work/out" "$work/short" || fail "the key with its tenant is another one"
expect 0 "$market" explain PJM.HUB.00.MCE --dir "$work/d" normalization # its raw events are the price's
shows 'at normalization/decoded; the last one, ingestion.pjm'
expect 0 "$market" explain A-B --dir "$work/d" enrichment aggregation projection
equal 2 "$(grep -c '^    {"schema_version":1,"tenant_id":"default","pair_id":"A-B","kind":"inter_market","legs":\[{"instrument_id":"PJM.HUB.00","weight":1}' "$work/out")" "definitions of a pair as they are written: of both who read them"
shows '^  pair_told_s: [1-9][0-9]* rows, the last three$'
shows '^  pair_opens_s: [1-9][0-9]* windows$'
shows '^    {"schema_version":2,"tenant_id":"default","pair_id":"A-B","kind":"inter_market","interval":"1m","window_start":' # what projection serves
expect 3 "$market" explain PJM.HUB.09 --dir "$work/d"
says 'default/PJM.HUB.09: no store, no input that is still to be read and no dead letter has the key'
expect 3 "$market" explain other/PJM.HUB.00 --dir "$work/d"
expect 2 "$market" explain
says 'name a key'
expect 3 "$market" explain A --dir "$work/nothing"
says 'there is no data here'

echo "--- a backfill has windows and a time of its own"
"$market" generate --out "$work/later" --rows 2400 --hours 4 --instruments 3 --start 2025-03-20T00:00:00Z >/dev/null
expect 0 "$market" local --dir "$work/b" --once --log.level=warn "${files[@]}" "$work"/later/*.csv
expect 0 "$market" local --dir "$work/b" --once --log.level=warn --again --backfill "${files[@]}"
expect 0 "$market" explain PJM.HUB.00 --dir "$work/b" aggregation
shows '^  minute_s: 96 windows$'
shows "^    the key's time is 2025-03-20T03:55:00Z"
shows '^    of "default/PJM.HUB.00@2":$'
shows "^    the key's time is 2025-03-08T03:55:00Z"
shows 'the last bar sent is revision 1 of epoch 2$'

echo "--- after a kill: what was committed, and what waits"
code=0
(WEIR_CRASH_AT=record:3000 "$market" local --dir "$work/k" --once --log.level=warn --commit.interval.ms=10 "${files[@]}" 2>/dev/null || exit $?) 2>/dev/null || code=$?
equal 137 $code "exit code of the killed run"
waiting() { for key in PJM.HUB.00 ERCOT.HUB.00 SYM00; do "$market" explain $key --dir "$work/k" 2>/dev/null || :; done | grep -cE '; [1-9][0-9]* records of the key wait$'; }
[ "$(waiting)" -gt 0 ] || fail "nothing waits after the kill"

echo "--- beside a process that runs: windows are open, and wait"
"$market" local --dir "$work/r" --http.port=0 "${files[@]}" 2>"$work/log" &
pid=$!
children+=("$pid")
stands() { "$market" explain PJM.HUB.00 --dir "$work/r" >"$work/out" && grep -q "the key's time is 2025-03-08T03:55:00Z" "$work/out" &&
    grep -q 'minute_s: 48 windows' "$work/out" && ! grep -q '[1-9][0-9]* records of the key wait' "$work/out"; }
await stands
shows '^    2 open$'
shows '^      2025-03-08T03:55:00Z to 2025-03-08T03:56:00Z, open: waits for a record of the key from 2025-03-08T04:01:00Z on, or for the clock to pass 20[2-9].*Z without one$'
shows '^    46 closed; the newest:$'
shows '^      2025-03-08T03:45:00Z to 2025-03-08T03:46:00Z, closed: a record of it is a correction$'
shows '^      2025-03-07T05:00:00Z to 2025-03-08T05:00:00Z, open: waits for a record of the key from 2025-03-08T05:05:00Z on'
shows '^        to be folded from shorter windows; no bar was sent yet$'
kill -TERM "$pid"
wait "$pid"

echo "--- any program: rows by key, windows by the partition's time and by the key's"
lines 400 3 >"$work/in.txt"
expect 0 "$words" local --dir "$work/w" --once --lines --in lines="$work/in.txt" --log.level=warn
want=$(plain "$work/in.txt" | awk '$1 == "w7" { print $2 }')
expect 0 "$words" explain w7 --dir "$work/w"
shows '^  counts: 1 rows$'
shows "^    $want$"
awk 'BEGIN { for (i = 0; i < 30; i++) printf "{\"key\":\"%s\",\"timestamp\":%.0f,\"value\":{\"row\":%d,\"price\":%d,\"size\":1}}\n", i < 20 ? "A" : "AB", 1700000000000 + 20000 * i, i, 10 + i }' >"$work/trades"
expect 0 "$minutes" local --dir "$work/m" --once --in ticks="$work/trades" --log.level=warn --topics.partitions=1
expect 0 "$minutes" explain A --dir "$work/m"
shows '^    2 open$' # AB's trades have moved the partition's time
shows '^      2023-11-14T22:19:00Z to 2023-11-14T22:20:00Z, open: takes what comes before a record of the partition from 2023-11-14T22:25:00Z on$'
shows '^    [1-9] past retention'
expect 0 "$minutes" explain AB --dir "$work/m"
shows '^  minutes_s: 4 windows$'
shows '^    4 open$'
expect 0 "$minutes" local --dir "$work/n" --once --in ticks="$work/trades" --log.level=warn --minute_bars.minute.time=per_key
expect 0 "$minutes" explain A --dir "$work/n" --minute_bars.minute.time=per_key
shows "^    the key's time is 2023-11-14T22:19:40Z; "
