#!/bin/bash
# The Redis outlet and its client over real servers, without a topology: versions never go back, whoever writes; passwords; TLS;
# a cluster whose slots move meanwhile; a server that is killed, away for a while (15 s; long: 300 s), and empty afterwards.
. "$(dirname "$0")/cli.inc"
server=$(dirname "$0")/../servers/redis.sh
tool=$BUILD/test/redis/redis
away=15
[ "${FORM:-short}" = short ] || away=300
trap 'for dir in "$work"/*/; do [ ! -e "$dir/kind" ] || "$server" kill "$dir"; done; cleanup' EXIT

# say LINE: to the tool that runs; $said is its answer.
say() {
    echo "$1" >&"${talk[1]}"
    read -r said <&"${talk[0]}" || fail "the tool ended at: $1"
}
# want ANSWER LINE
want() {
    say "$2"
    [[ "$said" = $1 ]] || fail "$2: $said"
}
begin() {
    coproc talk { exec "$tool" "$@" 2>&1; }
    children+=("$talk_PID")
}
finish() {
    local pid=$talk_PID fd=${talk[1]}
    exec {fd}>&-
    wait "$pid" || fail "the tool ended with $?"
}
# once URL [CA]: an entry is put and settled by a tool of its own; its answers. vain: where it will not be.
once() { printf '%s\n' 'put served:once 1 {}' "settle ${patience:-5000}" look | "$tool" "$@" 2>&1; }
vain() { patience=$1 once "${@:2}"; }

get() { "$server" cli "$1" "${3:-1}" -c get "$2"; }
# is DIR KEY VALUE
is() { equal "$3" "$(get "$1" "$2")" "$2"; }

# ---- versions ----
one=$work/single
url=$("$server" start "$one")
begin "$url"
rising=(-10 -9 -1,5 -1,6 0 0,-1 0,0 0,9 0,10 0,10,0a 0,10,0b 1 9007199254740992 9007199254740993)
for version in "${rising[@]}"; do
    for other in "${rising[@]}"; do
        say "put served:$version/$other $version {\"by\":\"$version\"}"
        want settled "settle 5000"
        say "put served:$version/$other $other {\"by\":\"$other\"}"
    done
done
want settled "settle 5000"
for ((i = 0; i < ${#rising[@]}; i++)); do
    for ((j = 0; j < ${#rising[@]}; j++)); do
        best=${rising[i > j ? i : j]}
        echo "get served:${rising[i]}/${rising[j]} $best"
    done
done >"$work/pairs"
cut -d ' ' -f 1,2 "$work/pairs" | "$server" cli "$one" 1 >"$work/values"
sed -E 's/^get [^ ]* (.*)/{"version":"\1","by":"\1"}/' "$work/pairs" | cmp - "$work/values" || fail "an older version stands"

say 'put served:a 1,5 {"x":1}'
want settled "settle 5000"
ttl=$("$server" cli "$one" 1 pttl served:a)
[ "$ttl" -gt 3000000 ] && [ "$ttl" -le 3600000 ] || fail "it lives for $ttl ms"
say 'gone served:a 1,6'
want settled "settle 5000"
for version in 1,5 1,6; do
    say "put served:a $version {}"
    want settled "settle 5000"
    is "$one" served:a '{"version":"1,6","deleted":true}'
done
# of one version the deletion counts, whichever comes first; said again it lasts a minute more
"$server" cli "$one" 1 pexpire served:a 20000 >/dev/null
say 'gone served:a 1,6'
want settled "settle 5000"
ttl=$("$server" cli "$one" 1 pttl served:a)
[ "$ttl" -gt 20000 ] && [ "$ttl" -le 60000 ] || fail "a deletion that is said again lasts for $ttl ms"
say 'put served:b 1,5 {"x":1}'
want settled "settle 5000"
say 'gone served:b 1,5'
want settled "settle 5000"
is "$one" served:b '{"version":"1,5","deleted":true}'
say 'gone served:c 1,5' # neither is sent yet
say 'put served:c 1,5 {}'
say 'put served:d 1,5 {}'
say 'gone served:d 1,5'
want settled "settle 5000"
is "$one" served:c '{"version":"1,5","deleted":true}'
is "$one" served:d '{"version":"1,5","deleted":true}'
say 'gone served:a 1,4'
say 'put served:a 1,7 {"x":2}'
want settled "settle 5000"
is "$one" served:a '{"version":"1,7","x":2}'
say 'gone served:a 1,6'
want settled "settle 5000"
is "$one" served:a '{"version":"1,7","x":2}'
"$server" cli "$one" 1 script flush >/dev/null
say 'put served:a 1,8 {}'
want settled "settle 5000"
is "$one" served:a '{"version":"1,8"}'
"$server" cli "$one" 1 lpush served:list x >/dev/null
say 'put served:list 1 {}'
want '*served:list is refused*WRONGTYPE*' "settle 5000"
want ok forget
echo "versions: ${#rising[@]} in all pairs; deletions; a script that was flushed; a key of another kind"

# ---- several writers, each in an order of its own, and one who looks ----
for seed in 1 2 3; do
    echo "shuffle served:s: 40 100 $seed" | "$tool" "$url" >"$work/writer$seed" &
    writers+=($!)
done
want "looks some back 0" "watch served:s: 40 1500"
wait "${writers[@]}" || fail "a writer ended early"
equal "settled settled settled" "$(cat "$work"/writer? | xargs)" "the writers"
for ((i = 0; i < 40; i++)); do echo "get served:s:$i"; done | "$server" cli "$one" 1 | sort | uniq -c >"$work/values"
equal '40 {"version":"1,99"}' "$(xargs -d '\n' <"$work/values" | sed 's/^ *//')" "the last versions"
echo "writers: 3, of 4000 versions each; none went back"

# ---- killed in mid-run, away, empty afterwards ----
say "many served:k: 0 20000 1,1"
say "serve 1"
"$server" kill "$one"
say "settle 100"
want 'down *127.0.0.1*' look
say "many served:l: 0 2000 1,1"
echo "serve ${away}000" >&"${talk[1]}" # meanwhile:

# ---- passwords ----
two=$work/password
url=$("$server" start "$two" password)
at=${url#*@}
equal "ok settled up 0 " "$(once "$url" | xargs) " "the default user"
equal "ok settled up 0 " "$(once "redis://weir:p%40ss@$at" | xargs) " "a user"
[[ $(once "redis://weir:no@$at") = *WEIR_BAD_CONFIG*$at*WRONGPASS*redis.password* ]] || fail "a wrong password: $(once "redis://weir:no@$at")"
[[ $(once "redis://$at") = *WEIR_BAD_CONFIG*$at*NOAUTH*redis.password* ]] || fail "no password: $(once "redis://$at")"
[[ $(printf '%s\n' 'put other:key 1 {}' 'settle 5000' | "$tool" "redis://weir:p%40ss@$at") = *WEIR_BAD_CONFIG*NOPERM*served:* ]] || fail "a key that the user may not write"
[[ $(vain 1500 "rediss://:s%25cr%3at@$at") = *"down"*"does it speak TLS at this port"* ]] || fail "TLS to a plain port: $(vain 1500 "rediss://:s%25cr%3at@$at")"
"$server" stop "$two"
[[ $(vain 300 "redis://127.0.0.1:1") = *"down"*"127.0.0.1:1: cannot connect"* ]] || fail "nobody there"
[[ $(vain 1000 "redis://no.such.host.invalid") = *"down"*"no.such.host.invalid:6379: its name is not known"* ]] || fail "a name that nobody knows"

# ---- TLS ----
three=$work/tls
url=$("$server" start "$three" tls)
at=${url#*@}
port=${at#*:}
equal "ok settled up 0 " "$(once "$url" "$three/ca.pem" | xargs) " "TLS"
equal "ok settled up 0 " "$(once "${url%@*}@localhost:$port" "$three/ca.pem" | xargs) " "TLS by name"
[[ $(once "$url" "$three/other.pem") = *WEIR_BAD_CONFIG*$at*"certificate is refused"*redis.ca.file* ]] || fail "another authority"
[[ $(once "$url") = *WEIR_BAD_CONFIG*"certificate is refused"*redis.ca.file* ]] || fail "an authority that is not the system's"
[[ $(once "$url" /dev/null) = "refused WEIR_BAD_CONFIG: redis.ca.file: /dev/null"* ]] || fail "a file without certificates"
[[ $(vain 500 "redis://:s%25cr%3at@$at") = *"down"*"is this a TLS port"* ]] || fail "plain to a TLS port: $(vain 500 "redis://:s%25cr%3at@$at")"
"$server" stop "$three"
REDIS_NAMES=DNS:elsewhere.example "$server" start "$work/named" tls >"$work/url"
[[ $(once "$(cat "$work/url")" "$work/named/ca.pem") = *WEIR_BAD_CONFIG*"made out to others than 127.0.0.1"* ]] || fail "a certificate of another host"
"$server" stop "$work/named"
url=$("$server" start "$work/both" tls-cluster)
[[ $(printf '%s\n' 'many served:k: 0 1000 1' 'settle 5000' look | "$tool" "${url%%,*}" "$work/both/ca.pem") = *settled*"up 0"* ]] || fail "a cluster by TLS"
"$server" stop "$work/both"
echo "passwords and TLS: 4 and 8 ways"

# ---- back ----
read -r said <&"${talk[0]}"
equal ok "$said" "served for $away s"
want 'down [1-9]*cannot connect: Connection refused' look
"$server" again "$one"
want settled "settle 20000"
want 'up 0*' look
say "many served:m: 0 2000 1,1"
want settled "settle 20000"
equal 4000 "$("$server" cli "$one" 1 --raw eval "return #redis.call('KEYS', 'served:l:*') + #redis.call('KEYS', 'served:m:*')" 0)" "what was put later"
"$server" cli "$one" 1 debug sleep 3 >"$work/slept" 2>&1 &
say "put served:slept 1 {}"
want settled "settle 20000"
finish
"$server" stop "$one"
echo "outage: ${away} s, caught up; a server that did not answer for 3 s"

# ---- a cluster whose slot moves, and which loses a node ----
four=$work/cluster
url=$("$server" start "$four" cluster)
begin "${url%%,*}" # one node is enough to find the others
say "many served:c: 0 3000 1,1"
want settled "settle 10000"
on() { "$server" cli "$four" "$@" | tr -d '\r'; }
slot=$(on 1 cluster keyslot 'x{here}')
from=1
to=2
for node in 1 2 3; do on $node cluster slots >/dev/null; done
[ "$slot" -lt 5461 ] || { from=2 to=3; [ "$slot" -lt 10923 ] || from=3 to=1; }
say 'put old{here} 1,1 {}'
want settled "settle 10000"
on $to cluster setslot "$slot" importing "$(on $from cluster myid)" >/dev/null
on $from cluster setslot "$slot" migrating "$(on $to cluster myid)" >/dev/null
say 'put old{here} 1,2 {}' # still there
say 'put new{here} 1,1 {}' # asked for elsewhere
want settled "settle 10000"
on $from migrate 127.0.0.1 "$(cat "$four/node$to/port")" 'old{here}' 0 5000 >/dev/null
say 'put old{here} 1,3 {}' # asked for elsewhere
want settled "settle 10000"
for node in $to $from; do on $node cluster setslot "$slot" node "$(on $to cluster myid)" >/dev/null; done
say 'put old{here} 1,4 {}' # moved
say 'put new{here} 1,4 {}'
want settled "settle 10000"
is "$four" 'old{here}' '{"version":"1,4"}'
is "$four" 'new{here}' '{"version":"1,4"}'
on $from info errorstats >"$work/stats"
grep -q errorstat_ASK:count=2 "$work/stats" && grep -q errorstat_MOVED:count= "$work/stats" || fail "no redirects: $(cat "$work/stats")"

"$server" kill "$four" 3
say "many served:c: 0 3000 1,2"
say "settle 1000"
want 'not yet' "settle 100"
want "down*127.0.0.1:$(cat "$four/node3/port")*" look
"$server" again "$four" 3
want settled "settle 20000"
want 'up 0*' look
for ((i = 0; i < 3000; i++)); do echo "get served:c:$i"; done | "$server" cli "$four" 1 -c | grep -c '"version":"1,2"' >"$work/count" || :
equal 3000 "$(cat "$work/count")" "entries after a node was lost"
finish
"$server" stop "$four"
echo "cluster: a slot moved (ASK, MOVED), a node was lost and came back empty"
