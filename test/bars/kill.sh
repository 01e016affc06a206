#!/bin/bash
# Minute bars through kill -9: N kills at seeded moments, some inside a commit, on the same disk or with the state
# emptied; the bars must equal the plain computation, and with ON_CLOSE each window must come once.
# kill.sh TICKS KILLS SEED KEYS PARTITIONS SHUFFLE_MS EMIT [SETTING...]
# ONCE=no: windows may come again, as corrections.
set -u
ticks=$1 kills=$2 seed=$3 keys=$4 partitions=$5 shuffle=$6 emit=$7
bars=${BARS:-build/examples/minute_bars}
here=$(dirname "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
RANDOM=$seed

python3 "$here/bars.py" records "$ticks" --keys "$keys" --shuffle-ms "$shuffle" --seed "$seed" >"$dir/in.jsonl" || exit 1
rows=$(wc -l <"$dir/in.jsonl")
flags=(--topics.partitions="$partitions" --threads=2 --log.level=error --minute_bars.minute.emit="$emit"
       --commit.interval.ms=20 "${@:8}")

moments=(record before-commit mid-commit after-commit)
killed=0
for ((i = 0; i < kills; i++)); do
    moment=${moments[i % 4]}
    case $moment in
    record) at=$((RANDOM * 32768 % (rows / 4) + RANDOM % 100 + 1)) ;;
    *) at=$((RANDOM % 6 + 1)) ;;
    esac
    WEIR_CRASH_AT=$moment:$at "$bars" local --dir "$dir/run" --once --in ticks="$dir/in.jsonl" "${flags[@]}" 2>"$dir/err"
    code=$?
    case $code in
    137) killed=$((killed + 1)) ;;
    0) ;;
    *) echo "run $i ($moment:$at, seed $seed) ended with $code:"; cat "$dir/err"; exit 1 ;;
    esac
    [ $((RANDOM % 3)) = 0 ] && rm -rf "$dir/run/state"
done
"$bars" local --dir "$dir/run" --once --in ticks="$dir/in.jsonl" "${flags[@]}" || { echo "the last run failed"; exit 1; }
"$bars" cat bars --dir "$dir/run" >"$dir/bars" || exit 1
once=()
[ "$emit" = on_close ] && [ "${ONCE:-yes}" = yes ] && once=(--once)
python3 "$here/bars.py" check "$ticks" "$dir/bars" --keys "$keys" "${once[@]}" || exit 1
[ -z "${MINUTES:-}" ] || python3 "$here/bars.py" published "$MINUTES" "$dir/bars" || exit 1
echo "$killed kills, seed $seed, $keys keys, $partitions partitions, shuffle $shuffle ms, emit $emit ${*:8}"
