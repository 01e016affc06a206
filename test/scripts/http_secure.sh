#!/bin/bash
# The HTTP port over TLS and with a bearer token: who shows neither learns nothing but how the process is; certificate and token are
# read again when their files change; slow, large and idle callers hold up nobody; what is wrong in the settings is said by name.
. test/scripts/cli.inc
. test/servers/server.inc
words=${BUILD:-build}/examples/word_server
tls=$work/tls
mkdir "$tls"
certificates "$tls"
certificate "$tls" ca second
cp "$tls/server.crt" "$work/shown.crt"
cp "$tls/server.key" "$work/shown.key"
openssl rand -hex 32 >"$work/token"
token=$(cat "$work/token")

secure=(--http.tls.certificate.file="$work/shown.crt" --http.tls.key.file="$work/shown.key" --http.tls.ca.file="$tls/ca.pem"
    --http.token.file="$work/token")
# status PATH [CURL...]: over TLS, the body in $work/body.
status() { curl -sS --max-time 20 --cacert "$tls/ca.pem" -o "$work/body" -w '%{http_code}' "${@:2}" "https://localhost:$port$1"; }
bearer() { status "$1" -H "Authorization: Bearer $2"; }

printf 'a b a\n' >"$work/in.txt"
up "$work/d" "${secure[@]}" --http.max.connections=4 --http.request.timeout.ms=10m --lines --in lines="$work/in.txt"
ready() { [ "$(status /health/ready)" = 200 ]; }
await ready

echo "--- plain HTTP is not spoken, nor an old TLS"
! curl -sS --max-time 5 "http://localhost:$port/health" >"$work/body" 2>&1 || fail "plain HTTP was answered: $(cat "$work/body")"
! curl -sS --max-time 5 --cacert "$tls/ca.pem" --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0 "https://localhost:$port/health" >/dev/null 2>&1 ||
    fail "TLS 1.1 was spoken"
! curl -sS --max-time 5 --cacert "$tls/other.pem" "https://localhost:$port/health" >/dev/null 2>&1 || fail "curl takes any certificate here"

echo "--- of TLS 1.2 those ciphers alone that keep the past secret"
tls12() { openssl s_client -connect "localhost:$port" -CAfile "$tls/ca.pem" -tls1_2 -cipher "$1" </dev/null >/dev/null 2>&1; }
tls12 ECDHE-RSA-AES128-GCM-SHA256 || fail "a good cipher is refused"
for cipher in AES128-GCM-SHA256 AES256-SHA ECDHE-RSA-AES128-SHA; do ! tls12 $cipher || fail "$cipher is spoken"; done

echo "--- without the token: probes and metrics alone, and not which paths there are"
for path in /health /health/ready /health/live /metrics; do equal 200 "$(status "$path")" "$path without the token"; done
for path in /status /topology '/count?word=a' /none /health/none //health; do
    equal 401 "$(status "$path")" "$path without the token"
    equal 401 "$(bearer "$path" "${token%?}0g")" "$path with a wrong token"
done
equal '{"error":"the token is missing: show it as \"Authorization: Bearer TOKEN\"","status":401}' "$(status /status >/dev/null; cat "$work/body")" "the words"
curl -sS --cacert "$tls/ca.pem" -o /dev/null -D - "https://localhost:$port/status" | grep -qi '^www-authenticate: bearer' || fail "no challenge"
counted() { [ "$(bearer '/count?word=a' "$token")" = 200 ] && [ "$(cat "$work/body")" = '{"word":"a","count":2}' ]; }
await counted
equal 404 "$(bearer /none "$token")" "a path that is not there, with the token"
equal 401 "$(status /status -H "Authorization: Basic $token")" "another scheme"
equal 400 "$(status /status -H "Authorization: Bearer $token" -H "Authorization: Bearer x")" "two tokens"
expect 0 "$words" top --once --url "https://localhost:$port" --http.token.file="$work/token" --http.tls.ca.file="$tls/ca.pem"
grep -q word_server "$work/out" || fail "top shows no service"
expect 0 "$words" top --once --url "https://localhost:$port" --http.tls.ca.file="$tls/ca.pem"
grep -q 'status 401' "$work/out" || fail "top without the token does not say so: $(cat "$work/out")"
expect 0 "$words" top --once --url "https://localhost:$port" --http.tls.ca.file="$tls/other.pem" --http.token.file="$work/token"
grep -q 'name its authority in http.tls.ca.file' "$work/out" || fail "top believes anybody: $(cat "$work/out")"

echo "--- another token and another certificate, while it runs"
{ echo "$token"; openssl rand -hex 32; } >"$work/token.new"
mv "$work/token.new" "$work/token"
second=$(tail -n 1 "$work/token")
both() { [ "$(bearer /status "$second") $(bearer /status "$token")" = "200 200" ]; }
await both
echo "$second" >"$work/token.new"
mv "$work/token.new" "$work/token"
one() { [ "$(bearer /status "$second") $(bearer /status "$token")" = "200 401" ]; }
await one
echo short >"$work/token.new"
mv "$work/token.new" "$work/token"
kept() { equal 200 "$(bearer /status "$second")" "the former token" && grep -q 'id=http-token-refused.*16 characters' "$work/log"; }
await kept
serial() { openssl s_client -connect "localhost:$port" -CAfile "$tls/ca.pem" </dev/null 2>/dev/null | openssl x509 -noout -subject; }
equal "subject=CN = server" "$(serial)" "the first certificate"
cp "$tls/second.crt" "$work/new.crt"
mv "$work/new.crt" "$work/shown.crt"
equal "subject=CN = server" "$(serial)" "the certificate while its key is not there"
grep -q 'id=http-certificate-refused .*http.tls.key.file' "$work/log" || fail "nothing is said of a certificate without its key"
cp "$tls/second.key" "$work/new.key"
mv "$work/new.key" "$work/shown.key"
equal "subject=CN = second" "$(serial)" "the second certificate"

echo "--- slow and large ones are shed, others answered meanwhile"
python3 - "$port" "$tls/ca.pem" "$second" <<'PY' || fail "slow or large callers"
import socket, ssl, sys, time
port, ca, token = int(sys.argv[1]), sys.argv[2], sys.argv[3]
trust = ssl.create_default_context(cafile=ca)
def dial(shake=True):
    plain = socket.create_connection(("127.0.0.1", port), 10)
    return trust.wrap_socket(plain, server_hostname="localhost") if shake else plain
def ask(text):
    with dial() as s:
        s.sendall(text)
        answer = b""
        try:
            while chunk := s.recv(65536): answer += chunk
        except (ConnectionError, ssl.SSLError): pass
        return answer.split(b" ", 2)[1].decode() if answer else "none"
head = f"GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n"
assert ask((head + "\r\n").encode()) == "200"
assert ask((head + "X: " + "a" * 20000 + "\r\n\r\n").encode()) == "431"
assert ask(f"GET /{'a' * 20000} HTTP/1.1\r\n".encode()) == "414"
assert ask((head + "Content-Length: 70000\r\n\r\n").encode()) == "413"
assert ask((head + "Content-Length: 60000\r\n\r\n" + "b" * 60000).encode()) == "200"
# All places are held by those that never shake hands: the next one gets in all the same.
slow = [dial(shake=False) for _ in range(4)]
begun = time.monotonic()
while True:
    try:
        if ask(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") == "200": break
    except (ConnectionError, ssl.SSLError): pass
    assert time.monotonic() - begun < 20, "the probe does not get in"
    time.sleep(0.05)
PY

echo "--- a certificate that is too old, or another host's, is refused by who calls, and named"
certificate "$tls" ca aged "" -1
certificate "$tls" ca named DNS:elsewhere.test
# shown NAME WORDS: it shows this certificate, and `top` says so.
shown() {
    cp "$tls/$1.key" "$work/new.key"
    cp "$tls/$1.crt" "$work/new.crt"
    mv "$work/new.key" "$work/shown.key"
    mv "$work/new.crt" "$work/shown.crt"
    expect 0 "$words" top --once --url "https://localhost:$port" --http.tls.ca.file="$tls/ca.pem" --http.token.file="$work/token"
    grep -qF "$2" "$work/out" || fail "top does not say so of $1: $(cat "$work/out")"
}
echo "$second" >"$work/token.new"
mv "$work/token.new" "$work/token"
shown aged 'its certificate is refused: it has expired: renew it there'
shown named 'it is made out to others than localhost: call it by a name in it'
shown second word_server

kill -TERM "$pid"
wait "$pid" || fail "it did not end well"

echo "--- a handshake has the time of a request, and ends without a word"
echo "$second" >"$work/token"
up "$work/d" "${secure[@]}" --http.request.timeout.ms=1s
python3 - "$port" <<'PY' || fail "a silent caller is waited for"
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20) as s:
    try: assert s.recv(1) == b""
    except ConnectionError: pass
PY
kill -TERM "$pid"
wait "$pid" || fail "it did not end well"

echo "--- what is wrong is said by name, before anything is done"
refused() { expect 2 "$words" local --dir "$work/e" --http.port=0 "${@:2}"; says "$1"; }
refused 'http.tls.key.file: it is not set: a certificate and its key belong together' --http.tls.certificate.file="$work/shown.crt"
refused 'http.tls.certificate.file: '"$work/none"' holds no certificate' --http.tls.certificate.file="$work/none" --http.tls.key.file="$work/shown.key"
refused 'http.tls.key.file: '"$tls/weir.key"' holds no key of the certificate in http.tls.certificate.file' --http.tls.certificate.file="$work/shown.crt" --http.tls.key.file="$tls/weir.key"
refused 'http.tls.ca.file: '"$work/in.txt"' holds no certificate' --http.tls.ca.file="$work/in.txt"
refused 'http.token: a token has at least 16 characters' --http.token=short
expect 3 "$words" local --dir "$work/e" --http.token.file="$work/none"
says "$work/none: there is no such file"
refused 'http.token is given twice' --http.token.file="$work/token" --http.token="$token$token"
! grep -rqF -e "$token" -e "$second" "$work/log" "$work/err" || fail "a token is in the log"
