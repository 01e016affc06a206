#!/bin/bash
# Standard input and pipes: rows are taken as they come, each time anew; a stop does not wait for the other end.
. test/scripts/cli.inc

printf 'a b\n' | "$words" local --dir "$work/d" --once --lines --in lines=- --log.level=warn
printf 'a\n' | "$words" local --dir "$work/d" --once --lines --in lines=/dev/stdin --log.level=warn
"$words" local --dir "$work/d" --once --lines --in lines=<(printf 'b\nno end') --log.level=warn
equal 'a 2
b 2
end 1
no 1' "$(counts "$work/d")" "counts of three pipes"
equal '"a" 1' "$(printf 'a\n' | "$words" try word_count --lines --in lines=- | sed -E 's/.*"key":("a").*"value":(1)\}/\1 \2/')" "what try makes of standard input"

# rows come through before the pipe ends; SIGTERM ends a run whose pipe stays open
mkfifo "$work/fifo"
"$words" local --dir "$work/f" --lines --in lines="$work/fifo" 2>"$work/log" &
pid=$!
children+=("$pid")
exec 7>"$work/fifo"
printf 'early bird\nwaits for its e' >&7
has_bird() { [ "$(counts "$work/f")" = 'bird 1
early 1' ]; }
await has_bird
printf 'nd\n' >&7
has_end() { counts "$work/f" | grep -qx 'end 1'; }
await has_end
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
equal 0 "$code" "exit after SIGTERM with an open pipe"
exec 7>&-

expect 2 "$words" local --dir "$work/none" --once --in lines=/tmp
says 'it is a folder'
expect 3 "$words" local --dir "$work/none" --once --in lines="$work/nofile"
[ ! -e "$work/none" ] || fail "a folder was made for a run whose input is not there"
printf '{"value":"x"}\n{"value":3}\n' >"$work/bad.jsonl"
code=0
"$words" local --dir "$work/d" --once --in lines=- --log.level=error <"$work/bad.jsonl" 2>"$work/err" || code=$?
equal 1 "$code" "exit for a broken line of standard input"
says 'standard input:2'
code=0
gzip -c "$work/bad.jsonl" | "$words" local --dir "$work/d" --once --in lines=- --log.level=error 2>"$work/err" || code=$?
equal 1 "$code" "exit for a compressed pipe"
says 'gzip -dc'
head -c 3000000 /dev/zero | tr '\0' y >"$work/wide.txt"
expect 1 "$words" local --dir "$work/d" --once --lines --in lines="$work/wide.txt"
says 'max.record.bytes'
