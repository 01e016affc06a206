#!/bin/bash
# `topic backup` and `topic restore`: any bytes, tombstones, headers, times and partitions come back as they were; both go on where they were
# cut short; a file that was changed, and a topic that holds something else, are refused by name; the pipeline's bars come again of its inputs.
. test/scripts/cli.inc
program=$BUILD/data-processing
unset "${!WEIR_@}"

# all DIR: what `cat` says of the records, without their offsets.
all() { "$words" cat lines --dir "$1" | sed -E 's/"offset":[0-9]+,//'; }

echo "--- any record"
python3 - >"$work/records" <<'PY'
import base64, json, random
random.seed(1)
b64 = lambda data: None if data is None else {"base64": base64.b64encode(data).decode()}
some = [None, b"", b"\0", b"\xff\xfe{\"base64\":\"x\"}", b"plain", bytes(range(256)), random.randbytes(70000)]
for i in range(2500):
    headers = [[random.choice(["a", "\u20ac", "a b"]), random.choice([None, base64.b64encode(random.choice(some[1:6])).decode()])] for _ in range(i % 4)]
    print(json.dumps({"key": b64(some[i % 7] if i % 7 != 6 else b"k%d" % i), "timestamp": 1 + i * 7919 * 86400, "headers": headers, "value": b64(some[i // 7 % 7] if i < 600 else b"%d" % i)}))
PY
expect 0 "$words" local --dir "$work/one" --once --log.level=error --topics.partitions=3 --in lines="$work/records"
expect 0 "$program" topic backup lines --dir "$work/one" --to "$work/b" --dry-run
equal "1 topics, 3 partitions: 2500 records would be saved, 0 were saved before" "$(tail -n 1 "$work/out")" "a dry run"
[ ! -e "$work/b" ] || fail "a dry run has made a folder"
expect 0 "$program" topic backup lines --dir "$work/one" --to "$work/b"
expect 0 "$program" topic restore --from "$work/b" --dir "$work/two"
equal "1 topics, 3 partitions: 2500 records restored, 0 were there before" "$(tail -n 1 "$work/out")" "restored"
cmp <(all "$work/one") <(all "$work/two") || fail "what was restored is not what was saved"
[ -z "$(find "$work/b" -perm /077)" ] || fail "others can look into what was saved"
expect 2 "$program" topic restore ../b --from "$work/b" --dir "$work/two"
says "../b: it is no name of a topic"
grep -q '"cleanup.policy"\|"message.timestamp.type":"CreateTime"' "$work/b/lines/topic.json" || fail "settings are not saved"

echo "--- again: nothing; more records: these alone; a file that was cut short is gone on with"
expect 0 "$program" topic restore --from "$work/b" --dir "$work/two"
equal "1 topics, 3 partitions: 0 records restored, 2500 were there before" "$(tail -n 1 "$work/out")" "restored twice"
head -n 100 "$work/records" | sed 's/"key"/"x":1,"key"/' >"$work/more"
expect 0 "$words" local --dir "$work/one" --once --log.level=error --in lines="$work/more"
expect 0 "$program" topic backup lines --dir "$work/one" --to "$work/b"
equal "1 topics, 3 partitions: 100 records saved, 2500 were saved before" "$(tail -n 1 "$work/out")" "saved twice"
cp -r "$work/b" "$work/whole"
for file in "$work"/b/lines/*.jsonl; do truncate -s -1500 "$file"; done # in the last block's middle
expect 0 "$program" topic restore --from "$work/b" --dir "$work/three"
restored=$(sed -nE '$s/.*: ([0-9]+) records restored.*/\1/p' "$work/out")
[ "$restored" -gt 0 ] && [ "$restored" -lt 2600 ] || fail "$restored records of a backup that was cut short"
expect 0 "$program" topic backup lines --dir "$work/one" --to "$work/b"
diff -r "$work/b" "$work/whole" || fail "a backup that was gone on with is not the whole one"
expect 0 "$program" topic restore --from "$work/b" --dir "$work/three"
equal "1 topics, 3 partitions: $((2600 - restored)) records restored, $restored were there before" "$(tail -n 1 "$work/out")" "gone on with"
cmp <(all "$work/one") <(all "$work/three") || fail "what was restored in two parts is not what was saved"

echo "--- what is refused, before a record is sent"
cp -r "$work/b" "$work/bad"
python3 - "$work/bad/lines/1.jsonl" <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.index(b'"timestamp":') + 13
data[at] = ord("1") + (data[at] - ord("0")) % 9
open(sys.argv[1], "wb").write(data)
PY
expect 5 "$program" topic restore --from "$work/bad" --dir "$work/four"
says "lines/1.jsonl: block 1: its checksum is not that of its lines and of the blocks before"
expect 3 "$words" cat lines --dir "$work/four"
sed -i 2d "$work/bad/lines/0.jsonl"
expect 5 "$program" topic restore --from "$work/bad" --dir "$work/four" --dry-run
expect 1 "$program" topic backup lines --dir "$work/two" --to "$work/b"
says "it is of a topic that was there before, take another folder"
expect 0 "$words" local --dir "$work/five" --once --log.level=error --topics.partitions=3 --in lines=<(tail -n 100 "$work/records")
expect 1 "$program" topic restore --from "$work/b" --dir "$work/five"
says "lines: what the topic holds is not the beginning of what is to be restored"
expect 0 "$words" local --dir "$work/six" --once --log.level=error --topics.partitions=4 --in lines="$work/more"
expect 1 "$program" topic restore --from "$work/b" --dir "$work/six"
says "lines: it has 4 partitions, the backup 3"
expect 3 "$program" topic backup nosuch --dir "$work/one" --to "$work/b"
expect 2 "$program" topic backup --dir "$work/one" --to "$work/b"
says "or give --inputs"
expect 2 "$program" topic backup lines --dir "$work/one"

echo "--- the pipeline of its inputs"
"$program" generate --out "$work/made" --bars "$work/bars" --rows 300 --hours 3 --corrections 5 >/dev/null
expect 0 "$program" local --dir "$work/run" --once --log.level=error --http.port=-1 "$work"/made/*.csv
expect 0 "$program" topic backup --inputs --dir "$work/run" --to "$work/inputs"
expect 0 "$program" topic restore --from "$work/inputs" --dir "$work/again"
expect 0 "$program" local --dir "$work/again" --once --log.level=error --http.port=-1 "$work"/made/*.csv # loaded before: nothing is
expect 0 "$program" diff "$work/run" "$work/again"
expect 0 "$program" diff "$work/again" "$work/bars"

echo "--- not onto an application that has read them, or has state; once it is reset, it is"
equal "0 records restored" "$("$program" topic restore --from "$work/inputs" --dir "$work/run" | tail -n 1 | grep -o '0 records restored')" "onto itself"
"$program" generate --out "$work/later" --bars "$work/later.bars" --rows 300 --hours 3 --seed 9 >/dev/null
cp -r "$work/again" "$work/ahead"
expect 0 "$program" local --dir "$work/ahead" --once --log.level=error --http.port=-1 "$work"/later/*.csv
expect 0 "$program" topic backup --inputs --dir "$work/ahead" --to "$work/ahead.b"
expect 1 "$program" topic restore --from "$work/ahead.b" --dir "$work/again" --dry-run
says "normalization has read this topic before and keeps what it made of it"
says 'reset normalization" first'
topic=$(sed -nE 's/^error: ([^:]*): normalization has read.*/\1/p' "$work/err")
size() { "$program" cat "$topic" --dir "$work/$1" | wc -l; }
before=$(size again)
expect 1 "$program" topic restore --from "$work/ahead.b" --dir "$work/again"
equal "$before" "$(size again)" "records after that"
for step in normalization enrichment aggregation projection; do expect 0 "$program" reset $step --dir "$work/again"; done
expect 0 "$program" topic restore "$topic" --from "$work/ahead.b" --dir "$work/again"
equal "$(size ahead)" "$(size again)" "records after a reset"
