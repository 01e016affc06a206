#!/bin/bash
# Two processes share a topology's partitions over Apache Kafka: a key asked of either is answered, by the process that has it or by the
# other one, which passes the question on, once. One that hangs, is killed or goes away makes nobody wait for long.
. test/scripts/cli.inc
server=test/servers/kafka.sh
trap '$server kill "$work/kafka"; cleanup' EXIT
export WEIR_KAFKA_BOOTSTRAP_SERVERS WEIR_COMMIT_INTERVAL_MS=20
WEIR_KAFKA_BOOTSTRAP_SERVERS=$($server start "$work/kafka")
words=${BUILD:-build}/examples/word_server
declare -A pid=() port=()

up() {
    : >"$work/$1.err"
    "$words" run --state.dir="$work/$1" --instance.id="$1" --threads=1 --http.port=0 --topics.partitions=4 --http.route.timeout.ms=1500 \
        --kafka.session.timeout.ms=4000 --kafka.heartbeat.interval.ms=500 --kafka.transaction.timeout.ms=4000 "${@:2}" 2>"$work/$1.err" &
    pid[$1]=$!
    children+=($!)
    await grep -q id=http-open "$work/$1.err"
    port[$1]=$(sed -nE 's/.*id=http-open.* port=([0-9]+).*/\1/p' "$work/$1.err")
}
# ask NAME WORD [CURL...]: the status, with the body in $work/body.
ask() { curl -sS --max-time 10 -o "$work/body" -w '%{http_code}' "${@:3}" "127.0.0.1:${port[$1]}/count?word=$2"; }
lines 400 5 >"$work/in.txt"
plain "$work/in.txt" >"$work/counts"

up a
expect 0 "$words" run --state.dir="$work/feed" --application.id=feed --word_server.out.topic=feed-counts --threads=1 --http.port=-1 \
    --log.level=warn --once --lines --in lines="$work/in.txt"
up b

# all NAME...: each of them answers for every word, with its count.
all() {
    local name
    for name in "$@"; do all_of "$name" || return 1; done
}
all_of() {
    python3 - "$work/counts" "${port[$1]}" <<'PY'
import http.client, json, sys
ask = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]), timeout=10)
for word, count in map(str.split, open(sys.argv[1])):
    ask.request("GET", "/count?word=" + word)
    answer = ask.getresponse()
    if answer.status != 200 or json.loads(answer.read()) != {"word": word, "count": int(count)}: sys.exit(1)
PY
}
# owned NAME: words that it has itself: what is passed on already is not passed on again, but is 421.
owned() {
    python3 - "$work/counts" "${port[$1]}" <<'PY'
import http.client, sys
ask = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]), timeout=10)
for word, count in map(str.split, open(sys.argv[1])):
    ask.request("GET", "/count?word=" + word, headers={"X-Weir-Routed": "1"})
    answer = ask.getresponse()
    answer.read()
    if answer.status != 421: print(word if answer.status == 200 else "strange %d" % answer.status)
PY
}
shared() {
    owned a >"$work/of-a"
    owned b >"$work/of-b"
    [ -s "$work/of-a" ] && [ -s "$work/of-b" ] && [ "$(cat "$work/of-a" "$work/of-b" | sort)" = "$(cut -d' ' -f1 "$work/counts" | sort)" ]
}
echo "--- each key is one process's, and both answer for all"
await shared
await all a b
word=$(head -n 1 "$work/of-b")
count=$(awk -v word="$word" '$1 == word { print $2 }' "$work/counts")
equal "" "$(curl -sS --head --max-time 10 "127.0.0.1:${port[a]}/count?word=$word" | grep -v '^[A-Z].*: \|^HTTP/1.1 200\|^.$')" "a HEAD that is passed on"
equal "404 404" "$(ask a never; echo -n ' '; ask b never)" "a word that never came"
python3 - "${port[a]}" "$word" <<'PY' || fail "requests on one connection are not answered in order"
import socket, sys
port, word = int(sys.argv[1]), sys.argv[2]
with socket.create_connection(("127.0.0.1", port), 10) as s:
    for target in ("/count?word=" + word, "/health/live", "/count?word=" + word):
        s.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    s.shutdown(socket.SHUT_WR)
    text = b""
    while chunk := s.recv(65536):
        text += chunk
assert [b'"word"' in part for part in text.split(b"HTTP/1.1 200 OK")[1:]] == [True, False, True], text
PY

echo "--- the owner hangs: a bounded wait, and others are answered meanwhile"
kill -STOP "${pid[b]}"
ask a "$word" >"$work/status" &
asker=$!
equal 200 "$(curl -sS --max-time 1 -o /dev/null -w '%{http_code}' "127.0.0.1:${port[a]}/health/live")" "health meanwhile"
wait "$asker"
equal 503 "$(cat "$work/status")" "the status when the owner hangs"
grep -q "127.0.0.1:${port[b]}, which has the key, does not answer for it: no answer in time; try again" "$work/body" || fail "the words: $(cat "$work/body")"

echo "--- the owner is killed: said at once, until another one has the key"
kill -KILL "${pid[b]}"
status=$(ask a "$word")
[ "$status" = 503 ] || [ "$status" = 200 ] || fail "status $status when the owner is gone"
await all a

echo "--- one that comes back elsewhere is found; one that ends says so"
up b --http.advertised=localhost
grep -q . "$work/b.err"
await shared
await all a b
kill -TERM "${pid[b]}"
wait "${pid[b]}"
await all a
"$words" cat word_server-weir-members >"$work/members"
grep '"key":"b"' "$work/members" | tail -n 1 | grep -q '"value":null' || fail "b did not say at last that it has ended: $(cat "$work/members")"

echo "--- the same over TLS and with a token: passed on to who has a certificate of ours, and shows it the token"
. test/servers/server.inc
mkdir "$work/tls"
certificates "$work/tls"
openssl rand -hex 32 >"$work/token"
secure=(--http.tls.ca.file="$work/tls/ca.pem" --http.token.file="$work/token")
shows() { echo "--http.tls.certificate.file=$work/tls/$1.crt" "--http.tls.key.file=$work/tls/$1.key"; }
kill -TERM "${pid[a]}"
wait "${pid[a]}"
up a "${secure[@]}" $(shows server)
up b "${secure[@]}" $(shows server)
curl_all() {
    local word count
    while read -r word count; do
        [ "$(curl -sS --max-time 10 --cacert "$work/tls/ca.pem" -H "Authorization: Bearer $(cat "$work/token")" \
            "https://127.0.0.1:${port[$1]}/count?word=$word")" = "{\"word\":\"$word\",\"count\":$count}" ] || return 1
    done <"$work/counts"
}
await curl_all a
await curl_all b
kill -TERM "${pid[b]}"
wait "${pid[b]}"
up b "${secure[@]}" $(shows stranger)
stranger() {
    local word
    while read -r word _; do
        curl -sS --max-time 10 --cacert "$work/tls/ca.pem" -H "Authorization: Bearer $(cat "$work/token")" \
            "https://127.0.0.1:${port[a]}/count?word=$word"
    done <"$work/counts" >"$work/answers"
    grep -q 'its certificate is refused: unable to get local issuer certificate: name its authority in http.tls.ca.file' "$work/answers"
}
await stranger
