#!/bin/bash
# cat, try, state, describe, version: what they print.
. test/scripts/cli.inc

printf '%s\n' '{"key":"k","timestamp":1000,"headers":[],"value":"a b a"}' '' '{"timestamp":2000,"value":"b"}' >"$work/in.jsonl"

expect 0 "$words" try word_count --in lines="$work/in.jsonl"
equal '{"topic":"counts","partition":0,"offset":0,"key":"a","timestamp":1000,"headers":[],"value":1}
{"topic":"counts","partition":0,"offset":1,"key":"b","timestamp":1000,"headers":[],"value":1}
{"topic":"counts","partition":0,"offset":2,"key":"a","timestamp":1000,"headers":[],"value":2}
{"topic":"counts","partition":0,"offset":3,"key":"b","timestamp":2000,"headers":[],"value":2}' "$(cat "$work/out")" "what try prints"

# try takes overrides and settings as local does
expect 0 "$words" try word_count --in lines="$work/in.jsonl" --word_count.out.topic=elsewhere
grep -q '"topic":"elsewhere"' "$work/out" || fail "try did not take an override given as a flag"
printf '{"value":"a"}\n' >"$work/one.jsonl"
expect 0 "$words" local --dir "$work/two" --once --in lines="$work/one.jsonl" --word_count.out.partitions=2 --log.level=warn
expect 2 "$words" cat counts --dir "$work/two" --partition 2
says 'from 0 to 1'
expect 2 "$words" local --dir "$work/two" --once --word_count.out.partitions=3 --log.level=warn
says 'the topic has 2 partitions'

expect 0 "$words" local --dir "$work/d" --once --topics.partitions=1 --in lines="$work/in.jsonl"
equal '{"topic":"lines","partition":0,"offset":0,"key":"k","timestamp":1000,"headers":[],"value":"a b a"}' \
    "$("$words" cat lines --dir "$work/d" | head -n 1)" "what cat prints"
equal 'a 2
b 2' "$(counts "$work/d")" "counts of JSON lines"
equal 1 "$("$words" cat lines --dir "$work/d" --from 1970-01-01T00:00:02Z | wc -l)" "records from a time on"
first=$("$words" cat lines --dir "$work/d" --from 1 | head -n 1 | sed -E 's/.*"offset":([0-9]+).*/\1/')
[ "$first" -ge 1 ] || fail "records from an offset on begin at $first"
equal 0 "$("$words" cat lines --dir "$work/d" --from end | wc -l)" "records from the end on"

# what cat prints goes in again
"$words" cat lines --dir "$work/d" >"$work/copy.jsonl"
expect 0 "$words" local --dir "$work/d2" --once --in lines="$work/copy.jsonl"
equal "$(counts "$work/d")" "$(counts "$work/d2")" "counts of what cat printed"
equal '"k" "a b a"' "$("$words" cat lines --dir "$work/d2" | grep '"k"' | sed -E 's/.*"key":("k").*"value":("[^"]*").*/\1 \2/')" \
    "key and value after a round trip"

# settings are told at the start, secrets are not, and what has no use here is said to have none
expect 0 env WEIR_KAFKA_SASL_PASSWORD=hunter2 "$words" local --dir "$work/d2" --once --threads=2
grep -q 'id=settings .*threads=2.*kafka.sasl.password=\*\*' "$work/err" || fail "the settings are not told"
if grep -q hunter2 "$work/err"; then fail "a secret is printed"; fi
grep -q 'id=settings-unused which=kafka' "$work/err" || fail "unused settings are passed over"
grep -q 'id=versions .*librocksdb [0-9]' "$work/err" || fail "versions are not told"

# an internal topic has its codecs too
"$words" cat word_count-counts-changelog --dir "$work/d" | grep -q '"key":"a".*"value":2' || fail "the changelog is not decoded"

# the rows of a store: what counts of its changelog, without what was taken away
expect 0 "$words" state --dir "$work/d"
grep -qE '^word_count \(application word_count\): 1 stores$' "$work/out" || fail "state does not name the topology"
grep -qE '^  counts +timestamped_key_value +word_count-counts-changelog: 1 partitions, [0-9]+ offsets$' "$work/out" || fail "state does not list the store"
equal '{"store":"counts","partition":0,"key":"a","timestamp":1000,"value":2}
{"store":"counts","partition":0,"key":"b","timestamp":2000,"value":2}' "$("$words" state word_count counts --dir "$work/d")" "the rows of a store"
expect 0 "$words" local --dir "$work/ages" --once --in lines="$work/in.jsonl" --topics.partitions=2 --log.level=warn
equal "$(counts "$work/ages")" "$("$words" state word_count counts --dir "$work/ages" | sed -E 's/.*"key":"([^"]*)".*"value":([0-9]+)\}$/\1 \2/' | sort)" "rows of all partitions"
for n in 0 1; do "$words" state word_count counts --dir "$work/ages" --partition $n; done >"$work/each"
equal "$("$words" state word_count counts --dir "$work/ages")" "$(cat "$work/each")" "rows by partition"
expect 2 "$words" state word_count count --dir "$work/d"
says 'word_count has no store "count": did you mean "counts"?'
expect 2 "$words" state word_count counts --dir "$work/d" --partition 1
says 'they go from 0 to 0'
expect 2 "$words" state word_count --dir "$work/d" --partition 0
says 'state TOPOLOGY STORE'
expect 2 "$words" state words counts --dir "$work/d"
says 'unknown topology "words"'
expect 3 "$words" state --dir "$work/nowhere"
says nowhere

expect 0 "$words" describe
grep -q '^Topologies:$' "$work/out" || fail "describe has no Topologies:"
grep -q 'Source: lines (topics: \[lines\])' "$work/out" || fail "describe has no source"
expect 0 "$words" describe --as dot
grep -q '^digraph "word_count" {$' "$work/out" || fail "describe --as dot draws no graph"
expect 0 "$words" describe --as mermaid
grep -q '^flowchart LR$' "$work/out" || fail "describe --as mermaid draws no graph"
expect 2 "$words" describe --as dto
says 'text, full, dot, mermaid or json'
expect 0 "$words" version
grep -q '^weir [0-9]' "$work/out" || fail "version does not say weir's"
grep -q 'rocksdb' "$work/out" || fail "version does not say RocksDB's"
