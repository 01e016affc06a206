#!/bin/bash
# SIGKILL at seeded moments of the whole pipeline, from inside and from outside, on the same disk or with the state folder emptied:
# the converged bars, statistics, spreads and curves are those of an undisturbed run, no record is there twice, and no revision. A load that is killed and repeated
# gives the same raw events, to the byte. FORM=long: 20 kills.
set -eu -o pipefail
. test/market/runs.inc
RANDOM=23
kills=3 rows=2000
[ "${FORM:-short}" = long ] && kills=20 rows=40000

"$pipeline" generate --out "$work/made" --seed 9 --rows $rows --corrections 5 --malformed 1 >/dev/null
market_derived
files=("$work"/made/*.csv "$futures")
if [ -d "$real" ]; then
    for file in "$real"/pjm_* "$real"/miso_rt_* "$real"/ercot_rt_*; do
        files+=("$(market_file "$file" 60 1300)")
    done
else
    echo "left out: the real files, $real is not there"
fi
topics=(ingestion.{pjm,miso,ercot}.raw.v1 ingestion.market.ticks.raw.v1)

market_run "$work/whole" "${files[@]}" "${definitions[@]}"
market_print "$work/whole" "${topics[@]}"
echo "$(cat "$work"/whole.run/ingestion.* | wc -l) raw events"

# disturbed FOLDER ENVIRONMENT...: a run over the inputs that may be killed; *killed counts.
disturbed() {
    local folder=$1 code=0 process
    shift
    env "$@" "$pipeline" local --dir "$folder" --once --log.level=warn --commit.interval.ms=20ms "${inputs[@]}" 2>"$work/err" &
    process=$!
    if [ -n "$delay" ]; then
        sleep "$delay"
        kill -9 $process 2>/dev/null || :
    fi
    wait $process 2>/dev/null || code=$?
    case $code in
    137) killed=$((killed + 1)) ;;
    0) rm -rf "$folder" ;; # it came to its end: from the beginning again
    *) echo "$* ended with $code"; cat "$work/err"; exit 1 ;;
    esac
}

# suffers NAME: kills, then a run to the end; what comes of it is that of the whole run.
suffers() {
    local folder=$work/$1 moment delay i
    killed=0
    for ((i = 0; killed < kills && i < 3 * kills; i++)); do
        moment=${moments[i % ${#moments[@]}]} delay=
        case $moment in
        outside) delay=0.$((RANDOM % 900 + 100)); disturbed "$folder" ;;
        record) disturbed "$folder" WEIR_CRASH_AT=record:$((RANDOM * rows / kills / 4096 + 1)) ;;
        *) disturbed "$folder" WEIR_CRASH_AT=$moment:$((RANDOM % 30 + 1)) ;;
        esac
        [ $((RANDOM % 3)) != 0 ] || rm -rf "$folder/state"
    done
    [ $killed = $kills ] || { echo "only $killed kills"; exit 1; }
    market_run "$folder" "${inputs[@]}"
    market_print "$folder" "${topics[@]}"
    "$pipeline" diff "$work/whole" "$folder"
    python3 test/market/revisions.py "$folder.run"
    for topic in "${counted[@]}"; do
        cmp <(wc -l <"$work/whole.run/$topic") <(wc -l <"$folder.run/$topic") || { echo "$topic: another number of records"; exit 1; }
    done
    echo "$killed kills"
}

moments=(record before-commit outside mid-commit after-flush after-commit)
inputs=("${files[@]}" "${definitions[@]}")
counted=("${topics[@]}" normalized.market.ticks.v1 enriched.market.ticks.v1 processing.deadletter.{normalization,enrichment,aggregation}.v1)
suffers killed

echo "--- up to 40 h out of order, over 12 partitions"
moments=(after-flush record outside before-load mid-commit after-load)
inputs=(--topics.partitions=12 "${definitions[@]}")
counted=("${topics[@]}" processing.deadletter.normalization.v1) # the order decides which of two contents normalization passes on
for topic in "${topics[@]}"; do
    python3 test/market/shuffle.py 3 144000000 <"$work/whole.run/$topic" >"$work/$topic"
    inputs+=(--in "$topic=$work/$topic")
done
suffers shuffled

echo "--- a load, killed and repeated"
# events FOLDER: all raw events that were loaded, whatever their place: rows without an instrument have no key
events() {
    for topic in "${topics[@]}"; do
        "$pipeline" cat "$topic" --dir "$1"
    done | sed 's/"partition":[0-9]*,"offset":[0-9]*,//' | sort
}
killed=0
for ((i = 0; i < kills; i++)); do
    moment=before-load
    [ $((RANDOM % 2)) = 0 ] || moment=after-load
    code=0
    WEIR_CRASH_AT=$moment:$((RANDOM % 2 + 1)) "$pipeline" load --dir "$work/load" "${files[@]}" --log.level=warn >/dev/null 2>"$work/err" &
    wait $! 2>/dev/null || code=$?
    [ $code = 0 ] || [ $code = 137 ] || { cat "$work/err"; exit 1; }
    killed=$((killed + (code == 137)))
done
[ $killed -gt 0 ]
"$pipeline" load --dir "$work/load" "${files[@]}" --log.level=warn
[ "$("$pipeline" load --dir "$work/load" "${files[@]}" --log.level=warn)" = "0 events loaded" ]
events "$work/load" >"$work/load.events"
events "$work/whole" | cmp - "$work/load.events"
echo "$killed kills"
