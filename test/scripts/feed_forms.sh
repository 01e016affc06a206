#!/bin/bash
# Other days and other forms of market files: days on which clocks change, made of the instants that they must give, become these instants
# and bars of 23 to 25 hours; samples in other forms (ends of line, marks, quotes, other columns, other orders) give the same ticks.
set -eu -o pipefail
. test/market/runs.inc
feeds=$BUILD/test/market/market

# same WANT HAVE WHAT: two files of ticks.
same() {
    cmp -s "$1" "$2" && return
    echo "$3: the ticks differ, wanted left, got right:"
    diff "$1" "$2" | head -n 10
    exit 1
}

years=2025
[ "${FORM:-short}" = short ] || years="2024 2025 2030"
for year in $years; do
    mkdir "$work/$year"
    python3 test/market/clock_days.py "$work/$year" "$year"
    sort "$work/$year/expected" >"$work/want"
    mv "$work/$year/expected" "$work/$year.expected"
    "$feeds" ticks "$work/$year"/* | sort >"$work/have"
    same "$work/want" "$work/have" "clock changes of $year"
    market_run "$work/run$year" "$work/$year"/*
    market_print "$work/run$year"
    python3 test/market/exact.py "$work/run$year.run" <"$work/$year.expected"
    python3 test/market/day_lengths.py "$work/run$year.run" >"$work/lengths"
    for hours in 23 24 25; do
        grep -qx "$((hours * 3600 * 1000000))" "$work/lengths" || { echo "no day of $hours hours"; exit 1; }
    done
done

python3 test/market/forms.py test/market/samples/* "$work/forms"
count=0
for folder in "$work"/forms/*; do
    originals=()
    for file in "$folder"/*; do
        name=$(basename "$file")
        originals+=("test/market/samples/${name%.gz}")
    done
    "$feeds" ticks "${originals[@]}" | sed 's/^!.*/!/' | sort >"$work/want"
    "$feeds" ticks "$folder"/* | sed 's/^!.*/!/' | sort >"$work/have"
    same "$work/want" "$work/have" "$(basename "$folder")"
    count=$((count + ${#originals[@]}))
done
echo "$count files in other forms give the ticks of the samples"
