#!/bin/bash
# kill -9 at every point that the test door knows, on the same disk or with the state lost: counts stay exact, no output
# is there twice. FORM=long: more of them.
. test/scripts/cli.inc

rounds=1
[ "${FORM:-short}" = long ] && rounds=8
lines 3000 3 >"$work/in.txt"
want=$(plain "$work/in.txt")
flags=(--once --lines --in "lines=$work/in.txt" --log.level=error --commit.interval.ms=5 --threads=2)
killed=0

for ((round = 0; round < rounds; round++)); do
    for point in before-load after-load record before-commit after-flush mid-commit after-commit mid-restore stop; do
        for at in 1 $((round * 3 + 2)); do
            dir=$work/d
            rm -rf "$dir"
            # half of the input first, so that there is something to restore
            head -n 1500 "$work/in.txt" >"$work/half.txt"
            "$words" local --dir "$dir" --once --lines --in lines="$work/half.txt" --log.level=error
            [ "$at" = 1 ] && rm -rf "$dir/state"
            code=0
            WEIR_CRASH_AT=$point:$at "$words" local --dir "$dir" "${flags[@]}" >/dev/null 2>"$work/err" || code=$?
            case $code in
            137) killed=$((killed + 1)) ;;
            0) ;;
            *) cat "$work/err"; fail "$point:$at ended with $code" ;;
            esac
            "$words" local --dir "$dir" "${flags[@]}"
            equal "$want" "$(counts "$dir")" "counts after $point:$at"
            # each update of a word raises its count: a repeated or lost one shows
            "$words" cat counts --dir "$dir" | sed -E 's/.*"key":"([^"]*)".*"value":([0-9]+)\}$/\1 \2/' |
                awk '$2 <= last[$1] { print; bad = 1 } { last[$1] = $2 } END { exit bad }' || fail "a count came twice after $point:$at"
        done
    done
done 2>&1
[ "$killed" -ge 12 ] || fail "only $killed runs were killed"
echo "$killed kills"
