#!/bin/bash
# probe: 0 while a service is ready, 1 when it is not, does not answer or says no; where no port is known it is a wrong call.
. test/scripts/cli.inc
expect 1 "$words" probe --url 127.0.0.1:1
says "127.0.0.1:1: nobody listens"
expect 2 "$words" probe
says "word_count: its port is not known: set http.port, or name the service, --url HOST:PORT"

"$words" local --dir "$work/d" --http.port=0 2>"$work/service.err" &
service=$!
children+=($service)
await grep -q http-open "$work/service.err"
port=$(sed -n 's/.*id=http-open .*port=\([0-9]*\).*/\1/p' "$work/service.err")
await "$words" probe --http.port="$port"
WEIR_HTTP_PORT=$port WEIR_HTTP_ADDRESS=0.0.0.0 expect 0 "$words" probe word_count
equal "127.0.0.1:$port/health/ready: 200" "$(cat "$work/out")" "what a probe says"
expect 1 "$words" probe --url "127.0.0.1:$port" --path /nowhere
says "127.0.0.1:$port: it answered with status 404"
kill -TERM $service
wait $service
expect 1 "$words" probe --http.port="$port"
