#!/bin/bash
# `make demo`'s script: with the tick file beside the tree where it is, with made-up ticks, and with a DATA that is none.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BARS=${BARS:-${BUILD:-build}/examples/minute_bars} OUT=$work/out

run() { SEED=4 examples/demo.sh >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }; }
shows() { grep -qE "$1" "$work/said" || { cat "$work/said"; echo "FAILED: nothing shows $1"; exit 1; }; }

awk -v rows=20000 -v seed=4 -f examples/ticks.awk >"$work/ticks.csv"
for DATA in "" "$work/ticks.csv"; do
    export DATA
    run
    shows '^   exit 137, [0-9][0-9]* bars so far$'
    shows '^   [0-9]+ bars, equal to the undisturbed ones$'
    shows '^  UTC  +open'
    shows '^  +[0-9.]+ \|.*\*'
done
if DATA=$work/nothing SEED=4 examples/demo.sh >"$work/said" 2>&1; then echo "FAILED: a DATA that is not there was passed over"; exit 1; fi
shows 'is no tick file'
