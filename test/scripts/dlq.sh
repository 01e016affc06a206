#!/bin/bash
# Dead letters beyond a rate fold, and name each record that was refused and no other, through kills. `dlq` lists them, and sends their
# records again once, killed or not.
. test/scripts/cli.inc
bars=${BUILD:-build}/examples/minute_bars
export WEIR_DEAD_LETTERS_TOPIC=rejects WEIR_LOG_LEVEL=warn
rows=6000

awk -v rows=$rows 'BEGIN { for (i = 0; i < rows; i++) {
    bad = i % 3 == 0 || (i > 2000 && i < 2600)
    value = bad ? "{\"base64\":\"bm8gdHJhZGU=\"}" : "{\"row\":" i ",\"price\":2.5,\"size\":3}"
    printf "{\"key\":\"k%d\",\"timestamp\":%d,\"value\":%s}\n", i % 7, 1000 + i, value } }' >"$work/in.jsonl"
run() { "$bars" local --dir "$work/$1" --once --in ticks="$work/in.jsonl" --topics.partitions=2 --commit.interval.ms=0 \
    --dead.letters.per.second=10 "${@:2}"; }

# named FOLDER: offsets that letters name, as often as they do, and what was refused; by lines "partition offset".
named() {
    "$bars" cat rejects --dir "$work/$1" >"$work/rejects"
    "$bars" cat ticks --dir "$work/$1" >"$work/ticks"
    python3 - "$work/rejects" "$work/ticks" "$work/named" "$work/bad" <<'PY'
import json, sys
named, count = [], 0
for line in open(sys.argv[1]):
    letter = json.loads(line)["value"]
    if "offsets" not in letter:
        named.append((letter["partition"], letter["offset"]))
        continue
    runs = [[int(n) for n in run.split("-")] for run in letter["offsets"].split(",")]
    mine = [n for run in runs for n in range(run[0], run[-1] + 1)]
    assert mine == sorted(set(mine)) and mine[0] == letter["first_offset"] and mine[-1] == letter["last_offset"]
    assert len(mine) == letter["count"] and letter["stage"] == "minute_bars/ticks" and letter["code"] == "WEIR_UNREADABLE"
    named += [(letter["partition"], n) for n in mine]
    count += 1
assert count > 0, "nothing was folded"
ticks = [json.loads(line) for line in open(sys.argv[2])]
bad = [(t["partition"], t["offset"]) for t in ticks if "base64" in t["value"]]
for path, pairs in ((sys.argv[3], named), (sys.argv[4], bad)):
    open(path, "w").writelines("%d %d\n" % pair for pair in sorted(pairs))
PY
}

echo "--- folded: each refused record is named once, through kills"
for at in after-flush:2 mid-commit:3 before-commit:4 after-commit:2; do
    for delivery in exactly_once at_least_once; do
        code=0
        WEIR_CRASH_AT=$at run "$delivery-$at" --delivery=$delivery 2>"$work/err" || code=$?
        equal 137 $code "exit of a killed run ($at)"
        expect 0 run "$delivery-$at" --delivery=$delivery
        named "$delivery-$at"
        if [ $delivery = at_least_once ]; then sort -u -o "$work/named" -n -k1,1 -k2,2 "$work/named"; fi
        sort -n -k1,1 -k2,2 "$work/bad" | cmp - <(sort -n -k1,1 -k2,2 "$work/named") || fail "$at, $delivery: other records are named than were refused"
    done
done
dir=exactly_once-mid-commit:3
bad=$(wc -l <"$work/bad")

echo "--- list"
expect 0 "$bars" dlq list --dir "$work/$dir" --summary
grep -q "^rejects: $bad dead letters of $bad records, 1 kinds\$" "$work/out" || fail "the summary: $(cat "$work/out")"
expect 0 "$bars" dlq list minute_bars --dir "$work/$dir" --json --summary
equal "minute_bars/ticks WEIR_UNREADABLE $bad $bad 0" "$(python3 -c 'import json; k = json.loads(input())
print(k["stage"], k["code"], k["letters"], k["records"], k["redriven"])' <"$work/out")" "the summary as JSON"
first=$(head -n 1 "$work/bad" | tr ' ' :)
expect 0 "$bars" dlq list rejects --dir "$work/$dir" --from "ticks:$first" --stage minute_bars
grep -q "of ticks:$first at .* WEIR_UNREADABLE at minute_bars/ticks: " "$work/out" || fail "the letter is not listed: $(cat "$work/out")"
equal 3 "$(wc -l <"$work/out")" "lines about one record"
for none in "--code other" "--stage ticks --to 2000-01-01" "--tenant t" "--from ticks:7:0"; do
    expect 0 "$bars" dlq list --dir "$work/$dir" $none
    equal "rejects: 0 dead letters of 0 records, 0 kinds" "$(cat "$work/out")" "what is left by $none"
done

expect 0 "$bars" explain k1 --dir "$work/$dir"
folded=$("$bars" dlq list --dir "$work/$dir" --json --summary | sed -E 's/.*"folded":([0-9]+).*/\1/')
grep -q "  $folded more in rejects are folded and name no keys" "$work/out" || fail "explain says nothing of folded letters: $(cat "$work/out")"

echo "--- redrive: killed twice, each record once"
summary() { tail -n 1 "$work/out"; }
expect 2 "$bars" dlq redrive --dir "$work/$dir"
says 'say which letters'
expect 0 "$bars" dlq redrive --all --dry-run --dir "$work/$dir"
equal "$bad dead letters: $bad records would be sent again, 0 were before, 0 are no longer there, 0 are refused, 0 letters are of no record" "$(summary)" "a dry run"
equal "$rows" "$("$bars" cat ticks --dir "$work/$dir" | wc -l)" "records after a dry run"
expect 0 "$bars" dlq redrive --from "ticks:$first" --dir "$work/$dir"
for at in before-load:2 after-load:2; do
    code=0
    WEIR_CRASH_AT=$at "$bars" dlq redrive --code WEIR_UNREADABLE --dir "$work/$dir" || code=$?
    equal 137 $code "exit of a killed redrive"
done
expect 0 "$bars" dlq redrive --all --dir "$work/$dir"
grep -q ' 0 are no longer there, 0 are refused' "$work/out" || fail "not all are there: $(summary)"
expect 0 "$bars" dlq redrive --all --dir "$work/$dir"
equal "$bad dead letters: 0 records sent again, $bad were before, 0 are no longer there, 0 are refused, 0 letters are of no record" "$(summary)" "one more time"
expect 0 "$bars" dlq list --dir "$work/$dir" --summary
grep -q "of $bad records, $bad of them sent again" "$work/out" || fail "the list does not know: $(cat "$work/out")"
"$bars" cat ticks --dir "$work/$dir" >"$work/ticks"
python3 - "$work/ticks" "$rows" "$bad" <<'PY' || fail "what was sent again is not what was refused"
import base64, json, sys
ticks = [json.loads(line) for line in open(sys.argv[1])]
again = [t for t in ticks if t["headers"]]
assert len(ticks) - len(again) == int(sys.argv[2]) and len(again) == int(sys.argv[3]), (len(ticks), len(again))
what = lambda t: (t["partition"], t["key"], t["timestamp"], json.dumps(t["value"]))
assert sorted(map(what, again)) == sorted(what(t) for t in ticks if not t["headers"] and "base64" in t["value"])
assert all(t["headers"][0][0] == "weir.redriven" and base64.b64decode(t["headers"][0][1]).startswith(b"rejects:") for t in again)
PY

echo "--- what fails once more may be sent once more"
expect 0 run "$dir"
expect 0 "$bars" dlq redrive --all --dry-run --dir "$work/$dir"
equal "$((2 * bad)) dead letters: $bad records would be sent again, $bad were before, 0 are no longer there, 0 are refused, 0 letters are of no record" "$(summary)" "after another failure"
expect 0 "$bars" dlq redrive --from "rejects:0:0" --to elsewhere --dry-run --dir "$work/$dir"
expect 3 "$bars" dlq redrive --from "rejects:0:0" --to elsewhere --dir "$work/$dir"
says 'there is no such topic or partition'
expect 3 "$bars" dlq redrive --all --dir "$work/nowhere"
expect 2 "$bars" dlq redrive --from ticks:x --dir "$work/$dir"
says 'TOPIC:PARTITION:OFFSET'
expect 2 "$bars" dlq list --again --dir "$work/$dir"
expect 2 "$bars" dlq
expect 3 "$bars" dlq list reject --dir "$work/$dir"
says 'there is no such topic: did you mean "rejects"?'
expect 3 "$bars" dlq redrive elsewhere.letters --all --dir "$work/$dir"
says 'there is no such topic, nor a topology of that name'
