#!/bin/bash
# Each fuzzer of test/fuzz over inputs made of good ones, the same each time: 50,000, in the long form 1,000,000. Whoever finds a fault
# ends its process. Without a sanitizer that shows crashes, hangs and broken promises; `make asan` shows what is read beyond its bounds.
. test/scripts/cli.inc
fuzz=${BUILD:-build}/test/fuzz
count=50000
[ "${FORM:-short}" != long ] || count=1000000
seed() { cat >"$work/$1"; }
printf 'GET /count?word=a%%20b&x=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\nAuthorization: Bearer abc\r\n\r\n' | seed http1
printf 'POST http://h/p?a HTTP/1.0\r\nX: y\r\n\r\n' | seed http2
printf 'http.token = 0123456789abcdef\n# a\ncommit.interval.ms = 5s\nkafka.sasl.password = x\naggregation.a.grace = 1m\nmemory.max=1g\n' | seed config1
printf 'http.token.file = /none\nthreads = -1\n' | seed config2
printf 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}' | seed answers1
printf 'a\\tb\t1\t\\N\t2020-01-01 00:00:00' | seed answers2
printf 'rediss://user:p%%40ss@[::1]:6379,host:1/2' | seed answers3
printf '{"a":[1,-2.5e3,"x\\u00e9\\ud83d\\ude00",null,true],"b":{"c":""}}' | seed json1
made() { timeout 300 "$fuzz/fuzz_$1" --made $count "$work/$1"* >"$work/out" 2>&1 || { tail -n 5 "$work/out" >&2; fail "fuzz_$1 found a fault"; }; }
for kind in {0..9}; do
    printf "\\x0$kind"'{"instrument_id":"a","price":"1.5","event_time":1600000000000000}' | seed "market_records$kind"
    printf "\\x0$kind"'\x82\xa1a\x93\x01\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xc0\xa5price\xa31.5' | seed "market_records-packed$kind"
done
for name in http config answers json market_records; do made $name; done
