#!/bin/bash
# Mistakes: each names the thing, the place and the remedy, and has its exit code.
. test/scripts/cli.inc

expect 2 "$words"
says 'name a command'
expect 0 "$words" --help
expect 0 "$words" help local
expect 0 "$words" local --help
grep -q -- --once "$work/out" || fail "local --help does not know --once"

expect 2 "$words" lokal
says 'did you mean "local"'
expect 2 "$words" local --onec
says 'did you mean --once'
expect 2 "$words" local --thraeds 2
says 'did you mean --threads'
expect 2 "$words" local --commit.intrval.ms=5
says 'did you mean "commit.interval.ms"'
expect 2 "$words" local --threads
says 'needs a value'
expect 2 "$words" local --threads=many
says 'threads is "many"'
expect 2 "$words" local --once=yes
says 'takes no value'
expect 2 "$words" local --dir a --dir b
says 'given twice'
expect 2 "$words" local word_cuont
says 'did you mean "word_count"'
expect 2 "$words" local --in lines
says '--in TOPIC=FILE'
expect 2 "$words" local --in line=x
says 'did you mean "lines"'
expect 2 env WEIR_THREDS=2 "$words" local
says 'WEIR_THREDS'
expect 2 env WEIR_CRASH_AT=nowhere:1 "$words" local
says 'no crash point'
expect 2 "$words" local --word_count.counts.retention=5 --dir "$work/x"
says 'retention means nothing for counts'
expect 2 "$words" describe --word_count.cuonts.cache=off --word_count.counts.cahce=off
says 'did you mean "counts"'
says 'did you mean "cache"'
equal 2 "$(wc -l <"$work/err")" "faults, a line each"
expect 2 "$words" run
says 'kafka.bootstrap.servers'
expect 3 "$words" lag --kafka.bootstrap.servers=127.0.0.1:1
says 'no broker answers at 127.0.0.1:1: are they up'
expect 2 "$words" cat
says 'name one topic'
expect 3 "$words" cat counts --dir "$work/none"
says '--dir'
expect 2 "$words" try word_count
says '--in TOPIC=FILE'
expect 2 "$words" local --dir '' --once
says '--dir'
expect 2 "$words" version of

expect 2 "$words" local --application.id=a/b --dir "$work/x"
says 'application.id: "a/b" cannot begin the names of topics'
[ ! -e "$work/x" ] || fail "a folder was made for a run that cannot be"

printf 'threads = 2\nthreds = 2\n' >"$work/conf"
expect 2 "$words" local --config "$work/conf"
says 'conf:2'
expect 3 "$words" local --dir "$work/d" --once --in lines="$work/nofile"
says 'no such file'

printf '{"value":"a b"}\n{"value":7}\n{"value":"c"}\n' >"$work/in.jsonl"
expect 1 "$words" local --dir "$work/d" --once --in lines="$work/in.jsonl"
says "$work/in.jsonl:2"
expect 1 "$words" local --dir "$work/d" --once --in lines="$work/in.jsonl"
says "$work/in.jsonl:2"
sed -i 's/7/"b"/' "$work/in.jsonl"
expect 0 "$words" local --dir "$work/d" --once --in lines="$work/in.jsonl"
equal "a 1
b 2
c 1" "$(counts "$work/d")" "counts after the mended file"

expect 3 "$words" cat cuonts --dir "$work/d"
says 'did you mean "counts"'
expect 2 "$words" cat counts --dir "$work/d" --partition 9
says 'from 0 to 3'
expect 2 "$words" cat counts --dir "$work/d" --from yesterday
says '--from'

gzip -c "$work/in.jsonl" | head -c 40 >"$work/cut.gz"
expect 5 "$words" local --dir "$work/d2" --once --in lines="$work/cut.gz"
says 'cut short'

# State made with four partitions meets a topic of another count only through a hand-made folder.
sed -i 's/ 4$/ 5/' "$work/d/state/word_count/PARTITIONS"
expect 2 "$words" local --dir "$work/d" --once
says 'has 4 partitions'
says 'was made with 5'

echo "weir 9" >"$work/d/FORMAT"
expect 2 "$words" local --dir "$work/d" --once
says 'FORMAT'

# a reader that goes away is no error
expect 0 "$words" local --dir "$work/p" --once --lines --in lines=<(lines 3000 5) --log.level=error
code=0
"$words" cat counts --dir "$work/p" 2>"$work/err" | head -n 1 >/dev/null || code=${PIPESTATUS[0]}
equal 0 "$code" "exit of cat into a closed pipe"
[ ! -s "$work/err" ] || fail "cat complained about a closed pipe: $(cat "$work/err")"

# what cannot be printed is no success, whatever the command
word=$("$words" cat counts --dir "$work/p" | head -n 1 | sed 's/.*"key":"\([^"]*\)".*/\1/')
for command in version help describe "cat counts --dir $work/p" "explain $word --dir $work/p"; do
    code=0
    # shellcheck disable=SC2086 # words of a command
    "$words" $command >/dev/full 2>"$work/err" || code=$?
    equal 5 "$code" "exit of $command where there is no room"
    equal 1 "$(grep -c 'standard output: not all of it' "$work/err")" "errors of $command where there is no room"
    code=0
    # shellcheck disable=SC2086
    "$words" $command >&- 2>"$work/err" || code=$?
    equal 5 "$code" "exit of $command where standard output is closed"
done

# no file of the folder takes the number of a standard stream that is closed, and with it what is said there
"$words" local --dir "$work/closed" --once --lines --in lines=<(lines 100 5) >&- 2>&- || fail "a run without standard streams"
equal 0 "$(grep -rl 'level=info' "$work/closed" | wc -l)" "files with log lines"
printf '\357\273\277{"value":"a b"}\n' >"$work/marked.jsonl"
expect 0 "$words" local --dir "$work/marked" --once --in lines="$work/marked.jsonl" --log.level=error
