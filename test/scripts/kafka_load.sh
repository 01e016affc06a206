#!/bin/bash
# Loading over Apache Kafka by several processes: other files at once, and the same file, of which each row comes once; `lag`
# meanwhile and after, of who has done all, is behind, or never ran; `top` of a process that works.
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

echo "--- lag: its table and its JSON, of who never ran, has done all, is behind"
# places APPLICATION: of each partition of the input what the JSON says, in the table's words; then the sum.
places() {
    "$words" lag --kafka.bootstrap.servers="$A" --application.id="$1" --json | python3 -c 'import json, sys
application, = json.load(sys.stdin)["applications"]
for at in application["inputs"]:
    if at["topic"] == "lines": print(at["partition"], "-" if at["committed"] is None else at["committed"], at["end"], at["lag"])
print("all", application["lag"])'
}
for name in never again; do
    expect 0 "$words" lag --kafka.bootstrap.servers="$A" --application.id=$name
    grep -qF "word_count (application $name)" "$work/out" || fail "the table does not say whose it is"
    equal "$(places $name)" "$(awk '$1 == "lines" { print $2, $3, $4, $5 } $1 == "all" { print $1, $2 }' "$work/out")" "the table of $name"
done
[ "$(places never | grep -cE '^[0-9]+ - ([0-9]+) \1$')" = "$(places never | grep -vc all)" ] || fail "who never ran is not behind by all: $(places never)"
equal "" "$(places again | awk '$1 == "all" ? $2 != 0 : $2 == "-" || $4 != 0')" "partitions of who has done all that are behind"
awk 'BEGIN { for (i = 0; i < 60; i++) print "more row" i }' >"$work/more.txt"
loader more "$work/more.txt"
expect 0 "${command[@]}"
equal "all 60" "$(places again | tail -n 1)" "the lag of who is behind, without markers"
equal 60 "$(places again | awk '$1 != "all" { sum += $4 } END { print sum }')" "the sum of its partitions"
expect 3 "$words" lag --kafka.bootstrap.servers=127.0.0.1:1

echo "--- top: who does not run is absent, with the lag that the brokers know; frames of who works"
expect 0 "$words" top --once --url 127.0.0.1:1 --kafka.bootstrap.servers="$A" --application.id=again
grep -qE '^- +word_count +absent +- +- +60 ' "$work/out" || { cat "$work/out"; fail "the lag of what nobody runs"; }
"$words" run --kafka.bootstrap.servers="$A" --application.id=again --state.dir="$work/again" --threads=1 --http.port=0 2>"$work/again.err" &
again=$!
children+=($again)
await grep -q http-open "$work/again.err"
at=127.0.0.1:$(sed -n 's/.*id=http-open .*port=\([0-9]*\).*/\1/p' "$work/again.err")
works() { "$words" top --once --url "$at" | grep -qE "^$at +word_count +running "; }
await works
awk 'BEGIN { for (i = 0; i < 20000; i++) print "top row" i }' >"$work/top.txt"
loader more "$work/top.txt"
python3 - "$words" "$at" "${command[@]}" <<'PY' || fail "top"
import fcntl, os, pty, re, struct, subprocess, sys, termios, time
words, at, *loader = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 132, 0, 0))
    os.execv(words, [words, "top", "--url", at])
said, load, until = b"", None, time.time() + 60
row = re.compile(rf"^{at} +word_count +running +(\d+|-) +([\d.]+|-) +(\d+|-) +(\d+) +0 +\d+M +(\d+|-)", re.M)
while True:
    said += os.read(terminal, 65536)
    frames = [frame.decode() for frame in re.findall(rb"\x1b\[H(.*?)\x1b\[J", said, re.S)]
    rows = [found.groups() for found in map(row.search, frames) if found]
    if rows and load is None:
        load = subprocess.Popen(loader)
    worked = [i for i, (records, commits, *_) in enumerate(rows) if records.strip("-0") and commits.strip("-0.")]
    if worked and load.poll() == 0 and rows[-1][0] == "0" and rows[-1][2] == "0":
        break
    if time.time() > until:
        sys.exit("\n".join(frames))
os.write(terminal, b"q")
if os.waitpid(child, 0)[1] != 0 or len(rows) != len(frames):
    sys.exit(f"{rows} of\n" + "\n".join(frames))
print(f"{len(frames)} frames, {len(worked)} of work")
PY
kill -TERM $again
wait $again || { cat "$work/again.err"; fail "the stop ended with $?"; }
equal "all 0" "$(places again | tail -n 1)" "the lag when all is done"

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
