#!/bin/bash
# The same events over 1, 4 and 12 partitions, shuffled after they were loaded, within the grace and within 40 h: the converged
# bars, statistics, spreads and curves are the same, and the bars those of a plain computation; so they are in several runs, by other
# settings, and for a second tenant.
set -eu -o pipefail
. test/market/runs.inc

rows=600
[ "${FORM:-short}" = long ] && rows=20000
"$pipeline" generate --out "$work/made" --bars "$work/made.bars" --seed 5 --rows $rows --corrections 5 >/dev/null
market_derived
files=("$work"/made/*.csv "$futures")
if [ -d "$real" ]; then
    for file in "$real"/pjm_*; do
        files+=("$(market_file "$file" 40 1500)")
    done
    files+=("$(market_file "$real/miso_rt_hourly_hubs_2023.csv.gz" 12 300)" "$real"/ercot_api_np6*
        "$(market_file "$real/trades_gc_201312_tick_20131008.csv.gz" 400 20000)")
else
    echo "left out: the real files, $real is not there"
fi

market_run "$work/whole" "${files[@]}" "${definitions[@]}"
topics=()
for topic in ingestion.{pjm,miso,ercot}.raw.v1 ingestion.market.ticks.raw.v1; do
    "$pipeline" cat "$topic" --dir "$work/whole" >"$work/$topic"
    topics+=("$topic")
done
market_print "$work/whole"
grep -hE '"instrument_id":"(SYM|(PJM|ERCOT)\.HUB\.)[0-9]' "$work/whole.run"/aggregated.market.bars.{1m,5m,1h,1d}.v1 >"$work/of_made"
"$pipeline" diff "$work/of_made" "$work/made.bars"

# arrive PARTITIONS SHUFFLE_MS SEED
arrive() {
    local partitions=$1 most=$2 seed=$3 topic inputs=()
    rm -rf "$work/again" "$work/again.run"
    for topic in "${topics[@]}"; do
        python3 test/market/shuffle.py "$seed" "$most" <"$work/$topic" >"$work/$topic.shuffled"
        inputs+=(--in "$topic=$work/$topic.shuffled")
    done
    market_run "$work/again" "${inputs[@]}" "${definitions[@]}" --topics.partitions="$partitions"
    market_print "$work/again"
    echo "--- $partitions partitions, up to $most ms late, seed $seed"
    "$pipeline" diff "$work/whole" "$work/again"
    python3 test/market/revisions.py "$work/again.run" | tee "$work/said"
}

for partitions in 1 4 12; do
    arrive $partitions 240000 $partitions
    grep -q ' 0 of them corrected' "$work/said" # nothing was later than the grace
    arrive $partitions 144000000 $((partitions + 1))
    grep -q ' [1-9][0-9]* of them corrected' "$work/said"
    [ "${FORM:-short}" = short ] || arrive $partitions 144000000 $((partitions + 2))
done

echo "--- in four runs, each of which ends with all windows closed"
rm -rf "$work/again" "$work/again.run"
for topic in "${topics[@]}"; do
    python3 test/market/shuffle.py 7 144000000 <"$work/$topic" >"$work/$topic.shuffled"
    split --numeric-suffixes=1 -a 1 -n l/4 "$work/$topic.shuffled" "$work/$topic.part"
done
for ((part = 1; part <= 4; part++)); do
    inputs=()
    for topic in "${topics[@]}"; do
        inputs+=(--in "$topic=$work/$topic.part$part")
    done
    market_run "$work/again" "${inputs[@]}" "${definitions[@]}"
done
market_print "$work/again"
"$pipeline" diff "$work/whole" "$work/again"
python3 test/market/revisions.py "$work/again.run"

echo "--- by other settings"
for settings in "--statestore.cache.max.bytes=0 --threads=1 --changelog.cleanup=kafka-streams" \
    "--buffered.records.per.partition=1 --threads=4 --state.flush.interval.ms=0 --commit.interval.ms=0"; do
    rm -rf "$work/other" "$work/other.run"
    # shellcheck disable=SC2086
    market_run "$work/other" "${files[@]}" "${definitions[@]}" $settings
    "$pipeline" diff "$work/whole" "$work/other"
done

echo "--- for another tenant beside the first"
market_run "$work/whole" "${files[@]}" "${definitions[@]}" --tenant acme
market_print "$work/whole"
(cd "$work/whole.run" && cat "${outcomes[@]}") | grep '"key":"acme/' | sed 's/acme/default/g' >"$work/acme"
"$pipeline" diff "$work/again" "$work/acme"
