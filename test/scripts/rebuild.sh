#!/bin/bash
# The pipeline on the embedded log is reset, grown from 4 to 12 partitions, replayed: the bars stay those of the plain computation; entries of the projection; topics of other names.
. test/scripts/cli.inc
. test/market/rebuild.inc
pipeline=$BUILD/data-processing
export LC_ALL=C
rows=1500
[ "${FORM:-short}" = short ] || rows=20000
"$pipeline" generate --out "$work/made" --bars "$work/made.bars" --seed 11 --rows $rows --corrections 5 --late 5 >/dev/null
where=(--dir "$work/data") state=() diffed=$work/data
run_all() { "$pipeline" local "${where[@]}" --once --log.level=warn "$@"; }
run_all "$work"/made/*.csv
run_all "$work"/made/late/*.csv
rebuild_story

echo "--- entries of the projection: served once more, dropped, the others left alone"
# last FILE: of each key the last record, "key offset value" lines: the topic is compacted.
last() {
    "$pipeline" cat served.market.latest_prices.v1 "${where[@]}" | python3 -c 'import json, sys
last = {r["key"]: (r["offset"], r["value"]) for r in map(json.loads, sys.stdin)}
for key in sorted(last): print(key, last[key][0], json.dumps(last[key][1]))' >"$1"
}
values() { sed -E 's/^([^ ]*) [0-9]+ /\1 /; s/"epoch": [0-9]+/"epoch"/' "$1"; }
# moved: how many keys have a later record than before, with what values they have.
moved() { join <(cut -d ' ' -f 1,2 "$work/before") <(cut -d ' ' -f 1,2 "$1") | awk '$3 > $2' | wc -l; }
last "$work/before"
entries=$(wc -l <"$work/before")
expect 0 "$pipeline" rebuild projection --name latest_price --dry-run "${where[@]}"
equal "latest_price: $entries entries would be asked to be served again
$entries entries in all" "$(cat "$work/out")" "a dry run"
expect 0 "$pipeline" rebuild projection --name latest_price "${where[@]}"
equal "$entries entries in all" "$(tail -n 1 "$work/out")" "all entries"
run_all
last "$work/after"
equal "$entries" "$(moved "$work/after")" "prices served once more"
equal "$(values "$work/before")" "$(values "$work/after")" "what they are"
mv "$work/after" "$work/before"
gone=$(head -n 1 "$work/before" | sed -E 's/.*"instrument_id": "([^"]*)".*/\1/')
expect 0 "$pipeline" rebuild projection --instrument "$gone" --drop --name latest_price "${where[@]}"
run_all
last "$work/after"
equal 1 "$(moved "$work/after")" "entries that were dropped"
grep -qE "^default/$gone [0-9]+ null\$" "$work/after" || fail "it was not dropped: $(cat "$work/after")"
expect 2 "$pipeline" rebuild projection --name latest_prize "${where[@]}"
says 'did you mean "latest_price"'
expect 2 "$pipeline" rebuild
epoch=$(epoch_of projection)
expect 0 "$pipeline" rebuild projection --dry-run "${where[@]}"
expect 0 "$pipeline" rebuild projection --since 2025-03-08T12:00:00Z "${where[@]}"
expect 0 "$pipeline" rebuild projection "${where[@]}"
equal $((epoch + 2)) "$(epoch_of projection)" "the epoch after two rebuilds"
run_all
good "after the projection was rebuilt"
expect 2 "$pipeline" rebuild projection --since yesterday "${where[@]}"
says '--since: "yesterday" is no time'

echo "--- topics of other names: compared, read and asked for under these"
for name in aggregation.bars_1h=bars projection.bars_1h=bars aggregation.stats=stats projection.stats=stats projection.prices=prices projection.invalid=asked; do
    echo "${name%=*}.topic = own.${name#*=}"
done >"$work/names"
own=(--dir "$work/own" --config "$work/names")
keys() { "$pipeline" cat "$1" "${own[@]}" | sed -E 's/.*"key":("[^"]*").*/\1/' | sort; }
"$pipeline" generate --out "$work/few" --bars "$work/few.bars" --rows 200 --hours 2 >/dev/null
expect 0 "$pipeline" local "${own[@]}" --once --log.level=warn "$work"/few/*.csv
expect 0 "$pipeline" diff "$work/own" "$work/few.bars" --config "$work/names"
expect 1 "$pipeline" diff "$work/own" "$work/few.bars" # without the names an interval is missing
for kind in rolling_stat=stats latest_price=prices; do
    keys own.asked >"$work/asked"
    expect 0 "$pipeline" rebuild projection --name ${kind%=*} "${own[@]}"
    equal "$(keys own.${kind#*=} | uniq)" "$(keys own.asked | comm -13 "$work/asked" -)" "who is asked for ${kind%=*}"
done
keys own.prices >"$work/before"
expect 0 "$pipeline" local "${own[@]}" --once --log.level=warn
equal "$(uniq "$work/before")" "$(keys own.prices | comm -13 "$work/before" -)" "prices that are served once more"
