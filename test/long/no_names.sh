#!/bin/bash
# A name server that never answers, while another process's address waits for it: the stop does not. Needs root: a mount of its own.
. test/scripts/cli.inc
server=test/servers/kafka.sh
trap '$server kill "$work/kafka"; cleanup' EXIT
export WEIR_KAFKA_BOOTSTRAP_SERVERS
WEIR_KAFKA_BOOTSTRAP_SERVERS=$($server start "$work/kafka")
words=${BUILD:-build}/examples/word_server

# begin NAME FLAG...: a process in the background, $pid.
begin() {
    "$words" run --state.dir="$work/$1" --instance.id="$1" --http.port=0 --topics.partitions=1 "${@:2}" 2>"$work/$1.err" &
    pid=$!
    children+=("$pid")
    await grep -q id=http-open "$work/$1.err"
}
told() { "${words%_server}_count" cat word_server-weir-members | grep -q nowhere.example; }
begin ghost --http.advertised=nowhere.example:80
await told
kill -9 "$pid"

python3 -c '
import socket, sys
port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
port.bind(("127.0.0.1", 53))
open(sys.argv[1], "w").close()
while True:
    port.recv(1000)
    open(sys.argv[2], "w").close()
' "$work/listens" "$work/asked" &
children+=($!)
await test -e "$work/listens"
echo "nameserver 127.0.0.1" >"$work/resolv.conf"
unshare --mount --propagation private bash -c 'mount --bind "$1/resolv.conf" /etc/resolv.conf && exec "${@:2}"' - "$work" \
    "$words" run --state.dir="$work/a" --instance.id=a --http.port=0 --topics.partitions=1 2>"$work/a.err" &
pid=$!
children+=("$pid")
await test -e "$work/asked"
kill -TERM "$pid"
for ((i = 0; i < 60; i++)); do
    runs "$pid" || break
    sleep 0.05
done
! runs "$pid" || fail "it waits for a name for longer than 3 s"
wait "$pid"
