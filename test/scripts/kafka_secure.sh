#!/bin/bash
# Apache Kafka that demands TLS, certificates, passwords and rights. All ways in count words exactly; what is wrong in a certificate, a
# password or a right ends the process within seconds, with an error that names it; a password in a file changes while it is used.
. test/scripts/cli.inc
server=test/servers/kafka.sh
trap '$server kill "$work/kafka"; cleanup' EXIT
# SCRAM of librdkafka before 2.6.1 is refused by Kafka 4 (docs/kafka.md).
export KAFKA_VERSION=${KAFKA_VERSION:-3.9.1} KAFKA_SECURE=1
own=$($server start "$work/kafka")
tls=$work/kafka/tls
at() { echo "127.0.0.1:$(cat "$work/kafka/node1/ports/$1")"; }
ask() { test/servers/kafka_ask.py "$own" "$@"; }
ca=(--kafka.ssl.ca.location="$tls/ca.pem")
ours() { echo "--kafka.ssl.certificate.location=$tls/$1.crt" "--kafka.ssl.key.location=$tls/$1.key"; }
# by MECHANISM USER: the password is in a file.
by() { echo "--kafka.sasl.mechanism=$1" "--kafka.sasl.username=$2" "--kafka.sasl.password.file=$work/$2"; }
printf 'p@ss,w=rd\n' >"$work/weir"
printf 'sesame-1' >"$work/alice"
printf 'marked-wrong-secret' >"$work/nobody"
ask scram alice sesame-1

# refuse NAME WORDS DOOR SETTING...: `run` ends with 2, in 20 s, and says so of the broker.
refuse() {
    local name=$1 want=$2 door=$3 code=0
    shift 3
    timeout -k 5 20 "$words" run --kafka.bootstrap.servers="$(at "$door")" --http.port=-1 --state.dir="$work/state-$name" "$@" \
        >"$work/$name.out" 2>"$work/$name.err" </dev/null || code=$?
    [ $code = 2 ] && grep -q "^error: $(at "$door"): .*$want.*(WEIR_BAD_CONFIG)$" "$work/$name.err" || {
        cat "$work/$name.err" >&2
        echo "exit $code of $name, or not said: $want" >&2
        return 1
    }
}

echo "--- who is not what he says: certificates, passwords, ports that speak otherwise"
sasl=(--kafka.security.protocol=sasl_ssl "${ca[@]}")
ssl=(--kafka.security.protocol=ssl)
trust='of no authority that we trust: name that in kafka.ssl.ca.location'
wrong='user or password is wrong: look at kafka.sasl.username and kafka.sasl.password'
hangs_up='it wants a password: set kafka.security.protocol to sasl_ssl'
checks=()
refuse untrusted "$trust" tls "${ssl[@]}" --kafka.ssl.ca.location="$tls/other.pem" & checks+=($!)
refuse expired 'its certificate has expired: renew it there' expired "${ssl[@]}" "${ca[@]}" & checks+=($!)
refuse elsewhere 'its certificate is made out to others: write in kafka.bootstrap.servers' elsewhere "${ssl[@]}" "${ca[@]}" & checks+=($!)
refuse bare 'it wants a certificate of ours: set kafka.ssl.certificate.location' mutual "${ssl[@]}" "${ca[@]}" & checks+=($!)
# shellcheck disable=SC2046
refuse stranger 'it refuses our certificate: look at kafka.ssl.certificate.location' mutual "${ssl[@]}" "${ca[@]}" $(ours stranger) & checks+=($!)
refuse plaintext 'it speaks otherwise there: look at kafka.security.protocol' tls & checks+=($!)
refuse silent "$hangs_up" sasl "${ssl[@]}" "${ca[@]}" & checks+=($!)
refuse bared "$hangs_up" plain & checks+=($!)
refuse notls 'it speaks no TLS there: look at kafka.security.protocol' plain "${ssl[@]}" "${ca[@]}" & checks+=($!)
for mechanism in PLAIN SCRAM-SHA-256 SCRAM-SHA-512; do
    # shellcheck disable=SC2046
    refuse "wrong-$mechanism" "$wrong" sasl "${sasl[@]}" $(by $mechanism nobody) --kafka.sasl.username=alice & checks+=($!)
done
for check in "${checks[@]}"; do wait "$check" || fail "see above"; done
expect 2 "$words" run --kafka.bootstrap.servers="$(at sasl)" "${sasl[@]}"
says 'kafka.sasl.mechanism: it is missing beside kafka.security.protocol=sasl_ssl'
expect 3 "$words" run --kafka.bootstrap.servers="$(at sasl)" "${sasl[@]}" --kafka.sasl.mechanism=PLAIN --kafka.sasl.password.file="$work/none"
says "$work/none: there is no such file"
! grep -rqF marked-wrong-secret "$work"/*.err "$work"/*.out || fail "a password is in an error"

count=1
# once EXPECTED_CODE [SETTING...]: counts fresh lines by SCRAM over TLS, once.
once() {
    local want=$1 code=0
    count=$((count + 1))
    lines 40 $count >"$work/in-$count.txt"
    # shellcheck disable=SC2046
    timeout -k 5 40 "$words" run --kafka.bootstrap.servers="$(at sasl)" "${sasl[@]}" $(by "${mechanism:-SCRAM-SHA-512}" alice) --threads=1 \
        --topics.partitions=1 --kafka.transaction.timeout.ms=5000 --http.port=-1 --state.dir="$work/state" --commit.interval.ms=20 \
        --once --lines --in lines="$work/in-$count.txt" "${@:2}" >"$work/out" 2>"$work/err" </dev/null || code=$?
    [ "$code" = "$want" ] || { grep -v id=settings "$work/err" >&2; fail "exit $code instead of $want"; }
}
# without KIND NAME RIGHT WORDS: with this right withdrawn it ends with 2, and says so.
without() {
    ask withdraw alice "$1" "$2" "$3"
    once 2
    grep -q "^error: $4.*(WEIR_FORBIDDEN)$" "$work/err" || { grep -v id=settings "$work/err" >&2; fail "not said: $4"; }
    ask grant alice "$1" "$2" "$3"
}

echo "--- who may nothing, or lacks one right"
once 2
says 'word_count-weir-control: '
says 'the brokers do not let our user do that: grant it the rights of docs/security.md (WEIR_FORBIDDEN)'
# The rights, as docs/security.md has them.
while read -r kind name rights; do
    # shellcheck disable=SC2086
    for user in alice weir; do ask grant $user $kind "$name" $rights; done
done < <(sed -nE 's/^\| (topic|group|id|cluster) `([^`]+)` \| ([A-Z_, ]+) \|.*/\1 \2 \3/p' docs/security.md | tr -d ,)
once 0
without topic lines READ '\(.*in-.*: the rows cannot be committed\|word_count: the input cannot be read\): the brokers do not let our user'
grep -q 'lines.*Topic authorization failed' "$work/err" || fail "the topic is not named"
without group word_count READ 'word_count: .*'
without id 'word_count-*' WRITE 'word_count-.*: the producer cannot be opened'
if [ "${FORM:-}" = long ]; then
    without topic counts WRITE '.*'
    without group 'weir-load-*' READ 'lines: it cannot be told what was loaded before'
fi

echo "--- all ways in; a password that changes while a process uses it"
counted() {
    # shellcheck disable=SC2046
    expect 0 "$words" cat counts --kafka.bootstrap.servers="$(at "$1")" "${@:2}"
    equal "$(sed -nE 's/.*"key":"([^"]*)".*"value":([0-9]+)\}$/\1 \2/p' "$work/out" | awk '{ n[$1] = $2 } END { for (w in n) print w, n[w] }' | sort)" \
        "$(cat "$work"/in-*.txt | plain /dev/stdin)" "the counts by $1"
}
# What was loaded before by one that then lacked a right is not loaded again.
# shellcheck disable=SC2046
once 0 $(for file in "$work"/in-*.txt; do echo "--in lines=$file"; done)
# shellcheck disable=SC2046
counted mutual "${ssl[@]}" "${ca[@]}" $(ours weir)
# shellcheck disable=SC2046
counted sasl "${sasl[@]}" $(by PLAIN weir)
# shellcheck disable=SC2046
counted plain --kafka.security.protocol=sasl_plaintext $(by SCRAM-SHA-256 alice)

echo "--- a password that changes while a process uses it, also over a broker that begins anew"
# shellcheck disable=SC2046
"$words" run --kafka.bootstrap.servers="$(at sasl)" "${sasl[@]}" $(by SCRAM-SHA-512 alice) --threads=1 --http.port=0 --state.dir="$work/state" \
    2>"$work/run.err" &
children+=($!)
pid=$!
await grep -q id=http-open "$work/run.err"
port=$(sed -nE 's/.*id=http-open.* port=([0-9]+).*/\1/p' "$work/run.err")
healthy() { [ "$(curl -s -o "$work/health" -w '%{http_code}' --max-time 5 "127.0.0.1:$port/health")" = "$1" ]; }
await healthy 200
ask scram alice sesame-2
$server stop "$work/kafka"
await healthy 503
KAFKA_VERSION=$KAFKA_VERSION $server node "$work/kafka" 1
await grep -q 'SASL authentication error' "$work/run.err"
printf sesame-2 >"$work/alice.new"
mv "$work/alice.new" "$work/alice"
await grep -q 'id=kafka-password-read' "$work/run.err"
await healthy 200
kill -TERM "$pid"
wait "$pid" || fail "it did not end well"
# shellcheck disable=SC2046
counted sasl "${sasl[@]}" $(by SCRAM-SHA-512 alice)
! grep -rqF -e sesame -e 'p@ss,w=rd' "$work"/*.err "$work"/*.out "$work/err" "$work/health" || fail "a password is in the log"
