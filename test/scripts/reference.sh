#!/bin/bash
# Reference rows from a file: enriched ticks carry them, a changed file changes only what differs, rows that vanish are deleted, and
# a file that cannot be taken whole changes nothing. Bars are the same with and without.
. test/scripts/cli.inc
market=${BUILD:-build}/data-processing
topic=reference.instruments.v1

"$market" generate --out "$work/made" --bars "$work/made.bars" --rows 600 --hours 3 --instruments 3 >/dev/null
files=("$work"/made/*.csv)

# versions DIR: instrument, version and commodity of the topic's rows as they are now; "-" where deleted.
versions() {
    "$market" cat $topic --dir "$1" | python3 -c 'import json, sys
rows = {}
for line in sys.stdin:
    record = json.loads(line)
    rows[record["key"]] = record["value"]
for key in sorted(rows):
    row = rows[key]
    print(key, row["version"] if row else "-", row["commodity"] if row else "-")'
}
load() { expect 0 "$market" load --dir "$1" --log.level=info --reference "$2"; }

cat >"$work/rows.csv" <<'EOR'
instrument_id,commodity,region,product_tier,unit,contract_size,tick_size,aliases,active,metadata.desk,created_at
SYM00,gold,london,premium,ozt,100,.01,XAU | AU,t,metals,2025-01-01
PJM.HUB.00,electricity,midatlantic,,,,,,true,,
ERCOT.HUB.00,electricity,texas,,,,,,f,,
EOR

echo "--- ticks meet their rows, which were there before them"
expect 0 "$market" local --dir "$work/d" --once --reference "$work/rows.csv" --log.level=warn "${files[@]}"
"$market" cat enriched.market.ticks.v1 --dir "$work/d" >"$work/ticks"
python3 - "$work/ticks" <<'EOT2' || fail "ticks do not say what their rows say"
import json, sys
seen = {}
for line in open(sys.argv[1]):
    tick = json.loads(line)["value"]
    seen[tick["instrument_id"]] = seen.get(tick["instrument_id"], 0) + 1
    tax, flags = tick["taxonomy"], tick["quality_flags"]
    if tick["instrument_id"] == "SYM00":
        assert tick["reference_version"] == 1 and tick["contract_size"] == 100 and tick["tick_size"] == 0.01, tick
        assert tax == {"commodity": "gold", "region": "london", "product_tier": "premium", "confidence": 0.95, "method": "database"}, tax
        assert "no_reference" not in flags and "low_confidence" not in flags, flags
        assert tick["unit"] == "lot", tick["unit"] # the tick's own comes first
    elif tick["instrument_id"] == "PJM.HUB.00":
        assert tick["reference_version"] == 1 and (tax["region"], tax["product_tier"], tax["confidence"]) == ("midatlantic", "standard", 0.95), tax
    else: # not active, or no row
        assert tick["reference_version"] == 0 and tax["method"] == "market_default" and "no_reference" in flags, tick
assert set(seen) == {"SYM00", "PJM.HUB.00", "PJM.HUB.00.MCE", "PJM.HUB.00.MCC", "PJM.HUB.00.MLC", "ERCOT.HUB.00"}, seen
EOT2
grep -q '"aliases":\["XAU","AU"\].*"metadata":{"desk":"metals"}' <("$market" cat $topic --dir "$work/d") || fail "aliases or metadata of the row"
expect 0 "$market" diff "$work/d" "$work/made.bars"

echo "--- the same file writes nothing, a changed one what differs, JSON lines are taken too"
load "$work/d" "$work/rows.csv"
says 'id=reference-loaded'
says 'rows=3 added=0 changed=0 removed=0'
sed -i 's/^SYM00,gold/SYM00,silver/; /^ERCOT/d' "$work/rows.csv"
echo 'PJM.HUB.00.MCE,electricity,,,,,,,,,' >>"$work/rows.csv"
load "$work/d" "$work/rows.csv"
says 'rows=3 added=1 changed=1 removed=1'
equal "default/ERCOT.HUB.00 - -
default/PJM.HUB.00 1 electricity
default/PJM.HUB.00.MCE 1 electricity
default/SYM00 2 silver" "$(versions "$work/d")" "rows after the changed file"
"$market" cat $topic --dir "$work/d" | grep -v -e '"value":null' -e gold -e ERCOT >"$work/rows.jsonl"
load "$work/d" "$work/rows.jsonl"
says 'rows=3 added=0 changed=0 removed=0'
echo '{"instrument_id": "SYM00", "commodity": "gold", "version": 40}
{"tenant_id": "acme", "instrument_id": "SYM00"}' | gzip >"$work/rows.gz"
load "$work/d" "$work/rows.gz"
says 'rows=2 added=1 changed=1 removed=2'
grep -qx 'default/SYM00 40 gold' <(versions "$work/d") || fail "a version that the file says"

echo "--- rows that were loaded by an earlier call are there too, and bars do not depend on them"
expect 0 "$market" load --dir "$work/e" --reference "$work/rows.gz" "${files[@]}"
expect 0 "$market" local --dir "$work/e" --once --log.level=warn
"$market" cat enriched.market.ticks.v1 --dir "$work/e" | grep '"instrument_id":"SYM00"' >"$work/ticks"
[ -s "$work/ticks" ] && ! grep -v '"reference_version":40}' "$work/ticks" || fail "ticks of the second run met another row"
expect 0 "$market" diff "$work/d" "$work/e"

echo "--- files that are not taken"
before=$(versions "$work/d" | grep -v ' - -$')
refuse() { # TEXT-OF-FILE WORDS
    printf '%b' "$1" >"$work/bad"
    expect 1 "$market" load --dir "$work/d" --reference "$work/bad"
    says "$2"
    equal "$before" "$(versions "$work/d" | grep -v ' - -$')" "rows after $1"
}
refuse 'instrument_id,comodity\nA,b\n' '"comodity" is no field of a reference row: did you mean "commodity"?'
refuse 'instrument_id,active\nA,maybe\n' 'bad:2: active: "maybe" is no truth value'
refuse 'instrument_id,contract_size\nA,ten\n' 'bad:2: contract_size: "ten" is no decimal number'
refuse 'instrument_id,unit\nA,b,c\n' 'bad:2: the row has 3 cells, the heading 2'
refuse 'instrument_id\nA\nB\nA\n' 'bad:4: default/A stands in line 2 already'
refuse 'instrument_id\nno blanks\n' 'instrument_id'
refuse 'commodity\ngold\n' 'instrument_id'
refuse '{"instrument_id":"A"\n' 'bad:1: the line is no JSON object'
refuse '{"instrument_id":"A","names":1}\n' '"names" is no field of a reference row'
refuse '' 'the file is empty'
expect 3 "$market" load --dir "$work/d" --reference "$work/nothing"
says 'nothing'

echo "--- a heading alone takes all rows away"
printf 'instrument_id\n' >"$work/none.csv"
load "$work/d" "$work/none.csv"
says 'rows=0 added=0 changed=0 removed=2'
