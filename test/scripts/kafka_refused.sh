#!/bin/bash
# What a broker refuses or deletes. A record that is too large for a topic, one of the future, one without a key for a compacted topic:
# each ends in a dead letter with its reason, without its bytes where they are too many for that; the others arrive once. Sent again each fails
# once more, once. Records of 2023 stay on a
# broker that keeps a second where a topic does not say otherwise, and looks every second.
. test/scripts/cli.inc
server=test/servers/kafka.sh
narrow=$BUILD/test/programs/narrow
trap '$server kill "$work/kafka"; cleanup' EXIT
export WEIR_KAFKA_BOOTSTRAP_SERVERS
WEIR_KAFKA_BOOTSTRAP_SERVERS=$(KAFKA_SET="log.retention.ms=1000;log.retention.check.interval.ms=1000" $server start "$work/kafka")
rows=400

awk -v rows=$rows 'BEGIN {
    large = "x"
    while (length(large) < 250000) large = large large
    for (i = 0; i < rows; i++) {
        key = "\"k" i "\""; time = 1700000000000 + i; value = "v" i
        if (i == 90) value = large
        if (i == 91) time = 4100000000000
        if (i == 300) key = "null"
        if (i == 310) value = large large large
        printf "{\"key\":%s,\"timestamp\":%.0f,\"value\":\"%s\"}\n", key, time, value
    }
}' >"$work/in.json"
run=("$narrow" run narrow --once --state.dir="$work/state" --instance.id=n0 --threads=1 --topics.partitions=2)

echo "--- each a dead letter"
expect 0 "${run[@]}" --in in="$work/in.json"
grep -c log-refuses "$work/err"
"$narrow" cat letters >"$work/letters"
equal '1700000000090 "azkw" "eHh4 narrow/in WEIR_TOO_LARGE
1700000000300 null "djMw narrow/in WEIR_REJECTED
1700000000310 null null narrow/in WEIR_TOO_LARGE
4100000000000 "azkx" "djkx narrow/in WEIR_BAD_TIME' "$(sed -E 's/.*"timestamp":([0-9]+),"key_base64":([^,]*),"value_base64":(null|"[^"]{4}).*"stage":"([^"]*)","code":"([^"]*)".*/\1 \2 \3 \4 \5/' "$work/letters" | sort)" "the letters"
for topic in small recent keyed; do
    "$narrow" cat $topic | sed -E 's/.*"value":"(v[0-9]+)".*/\1/' | sort >"$work/$topic"
    awk -v rows=$rows 'BEGIN { for (i = 0; i < rows; i++) if (i != 90 && i != 91 && i != 300 && i != 310) print "v" i }' | sort |
        cmp - "$work/$topic" || fail "$topic has other records"
done

echo "--- nothing is left to do"
expect 0 "${run[@]}"
equal 4 "$("$narrow" cat letters | wc -l)" "letters after another run"

echo "--- old records stay where nobody says otherwise"
grep -v 4100000000000 "$work/in.json" >"$work/old.json" # its segment would be young for ever
expect 0 "$narrow" run fleeting --once --state.dir="$work/state" --threads=1 --topics.partitions=1 --in old="$work/old.json"
none_in() { [ "$("$narrow" cat "$1" | wc -l)" = 0 ]; }
await none_in brief
for topic in small recent keyed; do equal $((rows - 4)) "$("$narrow" cat $topic | wc -l)" "records of $topic"; done
equal $rows "$("$narrow" cat in | wc -l)" "records of in"
equal $((rows - 1)) "$("$narrow" cat old | wc -l)" "records of old"

echo "--- sent again: the bytes from the letter, or from where they were read; what the broker refuses stays"
expect 0 "$narrow" dlq list letters --summary
grep -q '^letters: 4 dead letters of 4 records, 3 kinds$' "$work/out" || fail "the list: $(cat "$work/out")"
expect 0 "$narrow" dlq redrive letters --all
equal "4 dead letters: 4 records sent again, 0 were before, 0 are no longer there, 0 are refused, 0 letters are of no record" "$(cat "$work/out")" "sent again"
expect 0 "$narrow" dlq redrive letters --all
equal "4 dead letters: 0 records sent again, 4 were before, 0 are no longer there, 0 are refused, 0 letters are of no record" "$(cat "$work/out")" "sent again twice"
"$narrow" cat in >"$work/in"
equal 4 "$(grep -c weir.redriven "$work/in")" "records sent again"
equal "$(grep -v weir.redriven "$work/in" | grep -E '"timestamp":(1700000000(090|300|310)|41)' | sed -E 's/"offset":[0-9]+,//; s/"headers":[^]]*\]*,//' | sort | sha256sum)" \
    "$(grep weir.redriven "$work/in" | sed -E 's/"offset":[0-9]+,//; s/"headers":[^]]*\]*,//' | sort | sha256sum)" "what was sent again"
expect 0 "${run[@]}"
expect 0 "$narrow" dlq list letters --summary
grep -q '^letters: 8 dead letters of 8 records, 3 kinds$' "$work/out" || fail "the list after that: $(cat "$work/out")"
expect 1 "$narrow" dlq redrive letters --to small --code WEIR_TOO_LARGE
grep -q ' 0 records sent again to small, .* 4 are refused' "$work/out" || fail "the topic takes them: $(cat "$work/out")"
