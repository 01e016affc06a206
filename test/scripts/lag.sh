#!/bin/bash
# lag: how far an application is behind, from the log alone: never run, killed, stopped, running; as a table and as JSON.
# Markers of commits take offsets, and are not counted where few are left.
. test/scripts/cli.inc
D=$work/d

# of FIELD: the sum over the inputs that begin with the topic lines.
of() {
    "$words" lag --dir "$D" --json |
        python3 -c 'import json, sys
inputs = [i for i in json.load(sys.stdin)["applications"][0]["inputs"] if i["topic"] == "lines"]
print(len(inputs), sum(i[sys.argv[1]] or 0 for i in inputs))' "$1"
}
lag_is() { [ "$("$words" lag --dir "$D" --json | sed -E 's/.*"lag":([0-9]+)\}$/\1/')" = "$1" ]; }

echo "--- loaded, nothing processed"
lines 200 1 >"$work/in.txt"
WEIR_CRASH_AT=after-load:1 expect 137 "$words" local --dir "$D" --in lines="$work/in.txt" --lines --commit.interval.ms=1h \
    --log.level=error
equal "4 200" "$(of lag)" "the lag of what was never committed"
equal "4 0" "$(of committed)" "what is committed"

echo "--- processed, then more is loaded"
expect 0 "$words" local --dir "$D" --once --log.level=error
equal "4 0" "$(of lag)" "the lag when all is done"
lines 120 2 >"$work/more.txt"
WEIR_CRASH_AT=after-load:1 expect 137 "$words" local --dir "$D" --in lines="$work/more.txt" --lines \
    --commit.interval.ms=1h --log.level=error
equal "4 120" "$(of lag)" "the lag of what came after"
equal "4 200" "$(of committed)" "what is committed"
expect 0 "$words" lag --dir "$D"
grep -qE "^  lines +0 +50 +82 +30\$" "$work/out" || { cat "$work/out"; fail "no line of lines/0"; }
grep -qE '^  all +120$' "$work/out" || { cat "$work/out"; fail "no total"; }

echo "--- while it runs"
"$words" local --dir "$D" --log.level=error 2>"$work/err" &
children+=($!)
await lag_is 0
equal "4 0" "$(of lag)" "the lag when all is done"
kill -TERM "${children[-1]}"
wait "${children[-1]}" || fail "the stop ended with $?"

echo "--- what is refused"
expect 2 "$words" lag word_cound --dir "$D"
says 'did you mean "word_count"'
expect 3 "$words" lag --dir "$work/nowhere"
says nowhere
