#!/bin/bash
# Loading over Apache Kafka by several processes: other files at once, and the same file, of which each row comes once; `lag`
# meanwhile and after.
. test/scripts/cli.inc
server=test/servers/kafka.sh
trap '$server kill "$work/kafka"; cleanup' EXIT
A=$($server start "$work/kafka")

# loader NAME FILE: in command, word count as an application of its own that loads a file.
loader() {
    command=("$words" run --kafka.bootstrap.servers="$A" --application.id="$1" --state.dir="$work/$1" --threads=1
        --log.level=error --lines --once --in lines="$2")
}
# rows: the committed rows of the topic, in order.
rows() {
    "$words" cat lines --kafka.bootstrap.servers="$A" | sed -E 's/.*"value":"(.*)"\}$/\1/' | sort
}
some_rows() { [ -n "$("$words" cat lines --kafka.bootstrap.servers="$A" | head -n 1)" ]; }
lag() {
    "$words" lag --kafka.bootstrap.servers="$A" --application.id="$1" --json | sed -E 's/.*"lag":([0-9]+)\}$/\1/'
}

echo "--- three files by three processes at once"
for i in 1 2 3; do
    awk -v file=$i 'BEGIN { for (i = 0; i < 10000; i++) print "file" file " row" i }' >"$work/$i.txt"
    loader a$i "$work/$i.txt"
    "${command[@]}" >"$work/out$i" 2>&1 &
    children+=($!)
done
for i in 1 2 3; do wait "${children[i - 1]}" || { cat "$work"/out?; fail "a loader ended with $?"; }; done
[ "$(rows)" = "$(sort "$work"/[123].txt)" ] || fail "rows of three loaders: not each once"

echo "--- the same files again: nothing"
for i in 1 2 3; do
    loader again "$work/$i.txt"
    expect 0 "${command[@]}"
done
equal 30000 "$(rows | wc -l)" "rows when the files are loaded again"
equal 0 "$(lag again)" "the lag of an application that is done"

echo "--- memory.max bounds what is fetched and what is sent, too"
awk 'BEGIN { srand(7); for (i = 0; i < 100000; i++)
    printf "word%d other%d third%d\n", rand() * 1000000, rand() * 1000000, rand() * 1000000 }' >"$work/backlog.txt"
loader backlog "$work/backlog.txt"
expect 0 "${command[@]}"
python3 - "$words" "$A" "$work" <<'PY' || fail "the bound"
import resource, subprocess, sys
words, address, work = sys.argv[1:]
subprocess.run([words, "run", f"--kafka.bootstrap.servers={address}", "--application.id=bounded", f"--state.dir={work}/bounded",
                "--memory.max=96m", "--log.level=error", "--once"], check=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"memory.max 96m: peak {peak >> 10} MiB")
sys.exit(peak > 96 << 10)
PY

echo "--- one file by two: the second takes over, the first is told"
$server kill "$work/kafka"
rm -rf "$work/kafka"
A=$($server start "$work/kafka")
awk 'BEGIN { for (i = 0; i < 300000; i++) print "row" i }' >"$work/in.txt"
loader first "$work/in.txt"
"${command[@]}" >"$work/first.out" 2>"$work/first.err" &
first=$!
children+=($first)
await some_rows
[ "$(rows | wc -l)" -lt 300000 ] || fail "all was loaded before the second came: nothing is shown"
loader second "$work/in.txt"
expect 0 "${command[@]}"
[ "$(rows)" = "$(sort "$work/in.txt")" ] || fail "rows of two loaders: not each once"
equal 0 "$(lag second)" "the lag of the second"
[ "$(lag first)" -gt 0 ] || fail "the first one has no lag"
code=0
wait $first || code=$?
equal 6 $code "the exit of the loader that was fenced"
grep -q 'in.txt: another process has begun to load the same file' "$work/first.err" || { cat "$work/first.err"; fail "not told why"; }
[ "$(rows)" = "$(sort "$work/in.txt")" ] || fail "rows after the first has ended: not each once"
