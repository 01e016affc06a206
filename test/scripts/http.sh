#!/bin/bash
# `local` with a port: ready after the restore, metrics that grow and read as Prometheus wants them, a query that equals the
# output topic at the end, and the end of it all.
. test/scripts/cli.inc
words=${BUILD:-build}/examples/word_server

ask() { curl -sS --max-time 20 "http://127.0.0.1:$port$1"; }
status() { curl -sS --max-time 20 -o "$work/body" -w '%{http_code}' "http://127.0.0.1:$port$1"; }
is_ready() { [ "$(status /health/ready)" = 200 ]; }
# value NAME [LABELS]: the sum over the series of a family whose labels hold the text.
value() { ask /metrics | awk -v name="$1" -v labels="${2-}" '$1 ~ "^" name "({|$)" && index($1, labels) { sum += $2 } END { print sum + 0 }'; }

lines 3000 7 >"$work/in.txt"
up "$work/d" --lines --in lines="$work/in.txt"
await is_ready
processed() { [ "$(value weir_records_consumed_total 'topic="lines"')" = 3000 ] && [ "$(value weir_topic_lag_records)" = 0 ]; }
await processed

# What a query says is what the topic says.
for word in w0 w7 w39; do
    want=$(plain "$work/in.txt" | awk -v word=$word '$1 == word { print $2 }')
    await grep -q . <(ask "/count?word=$word")
    equal "{\"word\":\"$word\",\"count\":$want}" "$(ask "/count?word=$word")" "the count of $word"
done
equal "$(counts "$work/d")" "$(ask /counts | tr '{}' '\n' | sed -nE 's/"word":"(.*)","count":([0-9]+).*/\1 \2/p' | sort)" "all counts"
equal 404 "$(status '/count?word=never')" "a word that never came"
equal '{"error":"missing word","status":400}' "$(ask /count)" "no word given"

# Metrics: the form, and that they are all in the page.
ask /metrics >"$work/metrics"
awk '
    /^# HELP / { if ($3 in helped) bad("twice", $3); helped[$3] = 1; family = $3; next }
    /^# TYPE / { if ($3 != family) bad("TYPE apart from HELP", $3); type = $4; types[$3] = $4; next }
    {
        name = $0; sub(/[{ ].*/, "", name)
        base = name
        if (type == "histogram") sub(/_(bucket|sum|count)$/, "", base)
        if (base != family) bad("a line outside its family", $0)
        if (type == "counter" && name !~ /_total$/) bad("a counter without _total", name)
        if (type != "counter" && name ~ /_total$/) bad("_total, but no counter", name)
        series = $0; sub(/ [^ ]*$/, "", series)
        if (series in seen) bad("a series twice", series)
        seen[series] = 1
        if ($NF !~ /^([0-9.e+-]+|NaN|[+-]Inf)$/) bad("no number", $0)
    }
    function bad(what, where) { print what ": " where; wrong = 1 }
    END { exit wrong }' "$work/metrics" || fail "/metrics is not as Prometheus wants it"
grep -oE '^# HELP [a-z_]+' "$work/metrics" | cut -d' ' -f3 | while read -r name; do
    grep -qF "| \`$name\` |" docs/metrics.md || fail "$name is not in docs/metrics.md"
done
for name in weir_records_produced_total weir_commit_seconds_count weir_thread_seconds_total weir_store_rows weir_tasks \
    process_resident_memory_bytes weir_task_stream_time_seconds; do
    [ "$(value "$name")" != 0 ] || fail "$name is 0"
done
curl -sS -o /dev/null -D - "http://127.0.0.1:$port/metrics" | grep -qi '^content-type: text/plain; version=0.0.4; charset=utf-8' ||
    fail "the content type of /metrics"

# Status: sums that must agree.
ask /status >"$work/status"
python3 - "$work/status" <<'EOT' || fail "/status does not add up"
import json, sys
status = json.load(open(sys.argv[1]))
tasks = status["topologies"][0]["tasks"]
inputs = [i for t in tasks for i in t["inputs"]]
assert {t["state"] for t in tasks} == {"running"}, tasks
assert all(i["lag"] == 0 and i["done_to"] == i["end"] for i in inputs), inputs
assert sum(i["topic"] == "lines" for i in inputs) == 4, inputs
stores = [s for t in tasks for s in t["stores"]]
assert len(stores) == 4 and all(s["store"] == "counts" and s["value"] == "int64" for s in stores), stores
assert all(s["rows"] > 0 for s in stores), stores
EOT

# A second start has the same answers, from what it finds or reads back.
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
rm -rf "$work/d/state"
up "$work/d"
await is_ready
[ "$(value weir_restore_records_total)" != 0 ] || fail "nothing was restored"
equal "$(plain "$work/in.txt" | awk '$1 == "w7" { print $2 }')" "$(ask '/count?word=w7' | sed -E 's/.*:([0-9]+)}/\1/')" "the count after a restore"

# While it stops, it says so, and then the port is closed.
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
equal 0 "$code" "exit code after SIGTERM"
! ask /health >/dev/null 2>&1 || fail "the port is still open"

# A port that is taken: said by name, before anything is done.
up "$work/other"
expect 4 "$words" local --dir "$work/third" --once --http.port="$port"
says "127.0.0.1:$port"
expect 2 "$words" local --dir "$work/third" --http.port=70000
says http.port
