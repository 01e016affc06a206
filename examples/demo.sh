#!/bin/bash
# The demonstration: market files become bars and prices, through all four topologies in one process and no server. Killed in
# mid-window it goes on, and the bars are those of an undisturbed run.
#   DATA=file or folder   what is loaded; else the files beside the tree, else made-up ones
#   SEED=number           of the moment of the kill, and of what is made up
#   INSTRUMENT=id         whose bars are shown; else the busiest one's
#   KEEP=1                leaves it running and prints its URLs
set -euo pipefail
. "$(dirname "$0")/demo.inc"

# Progress is drawn on standard error where that is a terminal.
run=(--once --log.level=warn --commit.interval.ms=20)
minutes() { "$program" cat aggregated.market.bars.1m.v1 --dir "$1"; }

rm -rf "$out"
mkdir -p "$out"
find_files

say "1. ${#files[@]} market files become raw events"
printf '   %s\n' "${files[@]##*/}"
events=$("$program" load --dir "$out/killed" --log.level=warn "${files[@]}" | sed -nE 's/^([0-9]+) events loaded$/\1/p') || :
[ "${events:-0}" -gt 0 ] || die "nothing was loaded"
echo "   $events events"
cp -a "$out/killed" "$out/whole"

say "2. Undisturbed through all four topologies"
"$program" local --dir "$out/whole" "${run[@]}"
minutes "$out/whole" >"$out/minutes"
echo "   $(wc -l <"$out/minutes") bars of a minute"

crash=$(awk -v seed="$seed" -v events="$events" 'BEGIN { srand(seed); print 1 + int(events * (1.5 + 2 * rand())) }')
say "3. Again, killed by SIGKILL at record $crash (SEED=$seed)"
code=0
# the shell's own words of it are left out
(WEIR_CRASH_AT=record:$crash "$program" local --dir "$out/killed" "${run[@]}" 2>&4 || exit $?) 4>&2 2>/dev/null || code=$?
[ $code = 137 ] || die "exit $code: the process was not killed"
[ ! -t 2 ] || printf "\r\033[K" >&2 # the bar that it left
echo "   exit $code, $(minutes "$out/killed" | wc -l) bars of a minute so far"
shown=${INSTRUMENT:-$(awk -v what=busiest -f "$here/demo.awk" "$out/minutes")}
"$program" explain "$shown" aggregation --dir "$out/killed" 2>/dev/null | sed -nE "s/^ +(.*, open: waits)/   $shown: \1/p" | tail -n 4 || :

say "4. Resumed on the same folder, and compared with the undisturbed run"
"$program" local --dir "$out/killed" "${run[@]}"
"$program" diff "$out/whole" "$out/killed" | sed "s#$out/##g; s/^/   /"

say "5. The last bars"
minutes "$out/killed" >"$out/minutes"
awk -v what=bars -v instrument="$shown" -f "$here/demo.awk" "$out/minutes"

say "6. Latest prices, over HTTP"
: >"$out/log"
nohup "$program" local --dir "$out/killed" --http.port=0 >"$out/log" 2>&1 </dev/null &
server=$!
trap 'kill "$server" 2>/dev/null || :' EXIT
for ((i = 0; i < 300; i++)); do
    port=$(sed -nE 's/.*id=http-open.* port=([0-9]+).*/\1/p' "$out/log")
    [ -z "$port" ] || [ "$(member ready "$(ask "$port" /health/ready)")" != true ] || break
    kill -0 "$server" 2>/dev/null || { cat "$out/log"; die "it does not run"; }
    sleep 0.1
done
awk -v what=instruments -f "$here/demo.awk" "$out/minutes" | latest_prices "$port"

if [ -n "${KEEP:-}" ]; then
    trap - EXIT
    id=$(awk -v what=instruments -f "$here/demo.awk" "$out/minutes" | tail -n 1)
    say "It goes on running (kill $server ends it)"
    for path in /health /metrics "/projections/latest_price?tenant_id=default&instrument_id=$id" \
        "/projections/bars?tenant_id=default&instrument_id=$id&interval=1h"; do
        echo "   http://127.0.0.1:$port$path"
    done
else
    kill -TERM "$server"
    wait "$server"
    trap - EXIT
fi
