#!/bin/bash
# Redis for tests: servers on free ports of 127.0.0.1, all they write below DIR. Prints an address as redis.url takes it.
#   test/servers/redis.sh start DIR [KIND]     single; password: of the default user and of the user "weir"; tls: the same,
#                                              by TLS alone, its authority is DIR/ca.pem; mutual: by TLS, of clients with a
#                                              certificate (DIR/weir.crt and .key) alone, no password; cluster: three nodes;
#                                              tls-cluster: the same by TLS, without passwords
#   test/servers/redis.sh again DIR [NODE]     what was stopped or killed, on the same port; its data is gone
#   test/servers/redis.sh cli DIR NODE WORD... redis-cli of a node; nodes are 1, 2, 3
#   test/servers/redis.sh stop DIR [NODE]      SIGTERM to one node or all, and waits
#   test/servers/redis.sh kill DIR [NODE]      SIGKILL
# Needs redis-server, openssl (tls) and python3. REDIS_SET="a b;c d": more lines of its configuration. REDIS_NAMES: whom the
# certificate of tls is made out to, IP:127.0.0.1,DNS:localhost.
. "$(dirname "$0")/server.inc"

# configuration NODE PORT BUS
configuration() {
    printf '%s\n' "bind 127.0.0.1" "dir $dir/node$1" 'save ""' "appendonly no" "logfile $dir/node$1/log" \
        "enable-debug-command local" "loglevel notice" "set-proc-title no"
    case $kind in
    tls | mutual | tls-cluster) printf '%s\n' "port 0" "tls-port $2" "tls-cert-file $dir/server.crt" "tls-key-file $dir/server.key" \
        "tls-ca-cert-file $dir/ca.pem" "tls-auth-clients $([ "$kind" = mutual ] && echo yes || echo no)" ;;
    *) echo "port $2" ;;
    esac
    case $kind in
    password | tls) printf '%s\n' "requirepass s%cr:t" \
        "user weir on >p@ss ~served:* ~metadata:* -@all +@read +@write +@scripting +@connection" ;;
    *cluster) printf '%s\n' "cluster-enabled yes" "cluster-config-file nodes.conf" "cluster-port $3" "cluster-node-timeout 1000" \
        "cluster-require-full-coverage no" ;;
    esac
    [ "$kind" != tls-cluster ] || echo "tls-cluster yes"
    tr ';' '\n' <<<"${REDIS_SET:-}"
}

configure() {
    local nodes=1 ports i
    [[ $kind != *cluster ]] || nodes=3
    read -ra ports < <(free_ports $((2 * nodes)))
    ! secure || certificates "$dir" "${REDIS_NAMES:-}"
    echo "$kind" >"$dir/kind"
    for ((i = 1; i <= nodes; i++)); do
        mkdir -p "$dir/node$i"
        echo "${ports[i - 1]}" >"$dir/node$i/port"
        echo "${ports[nodes + i - 1]}" >"$dir/node$i/bus"
        configuration $i "${ports[i - 1]}" "${ports[nodes + i - 1]}" >"$dir/node$i/redis.conf"
    done
}

secure() { case $kind in tls | mutual | tls-cluster) ;; *) false ;; esac; }

port() { cat "$dir/node$1/port"; }

# cli NODE WORD...
cli() {
    local node=$1
    local with=(-h 127.0.0.1 -p "$(port "$node")")
    shift
    ! secure || with+=(--tls --cacert "$dir/ca.pem" --cert "$dir/weir.crt" --key "$dir/weir.key")
    case $kind in password | tls) export REDISCLI_AUTH=s%cr:t ;; esac
    redis-cli "${with[@]}" "$@"
}

launch() {
    redis-server "$dir/node$1/redis.conf" >"$dir/node$1/said" 2>&1 </dev/null &
    echo $! >"$dir/node$1/pid"
}

# await NODE: until it answers.
await() {
    local try
    for ((try = 0; try < 200; try++)); do
        [ "$(cli "$1" PING 2>/dev/null)" != PONG ] || return 0
        [ "$try" -lt 20 ] || runs "$1" || break
        sleep 0.05
    done
    cat "$dir/node$1/said" "$dir/node$1/log" >&2
    die "node $1 does not come up"
}

# form_cluster: each node has a third of the slots; until all agree.
form_cluster() {
    local i try ends=(0 5461 10923 16384)
    for i in 1 2 3; do
        cli $i cluster addslotsrange "${ends[i - 1]}" $((ends[i] - 1)) >/dev/null
        cli $i cluster set-config-epoch $i >/dev/null
    done
    for i in 2 3; do cli 1 cluster meet 127.0.0.1 "$(port $i)" "$(cat "$dir/node$i/bus")" >/dev/null; done
    for ((try = 0; try < 200; try++)); do
        for i in 1 2 3; do cli $i cluster info; done | tr -d '\r' >"$dir/info"
        [ "$(grep -c -e cluster_state:ok -e cluster_slots_ok:16384 -e cluster_known_nodes:3 "$dir/info")" != 9 ] || return 0
        sleep 0.05
    done
    cat "$dir/info" >&2
    die "the nodes do not agree"
}

address() {
    local i hosts=
    for i in "$dir"/node*; do hosts+=${hosts:+,}127.0.0.1:$(cat "$i/port"); done
    case $kind in
    password) echo "redis://:s%25cr%3at@$hosts" ;;
    tls) echo "rediss://:s%25cr%3at@$hosts" ;;
    mutual | tls-cluster) echo "rediss://$hosts" ;;
    *) echo "redis://$hosts" ;;
    esac
}

# runs NODE
runs() { runs_with "$dir/node$1/pid" "$dir/node$1/redis.conf"; }

# end SIGNAL [NODE]
end() {
    local signal=$1 node
    for node in "$dir"/node${2:-*}; do
        ! runs "${node##*/node}" || kill "-$signal" "$(cat "$node/pid")" 2>/dev/null || true
    done
    for node in "$dir"/node${2:-*}; do
        while runs "${node##*/node}"; do sleep 0.02; done
        rm -f "$node/pid"
    done
}

[ $# -ge 2 ] || usage
dir=$(realpath -m "$2")
need_tools "redis-server, python3 and openssl" redis-server redis-cli python3 openssl
[ ! -e "$dir/kind" ] || kind=$(cat "$dir/kind")
case $1 in
start)
    kind=${3:-single}
    case $kind in single | password | tls | mutual | cluster | tls-cluster) ;; *) usage ;; esac
    mkdir -p "$dir"
    configure
    for node in "$dir"/node*; do launch "${node##*/node}"; done
    for node in "$dir"/node*; do await "${node##*/node}"; done
    [[ $kind != *cluster ]] || form_cluster
    address
    ;;
again)
    for node in "$dir"/node${3:-*}; do launch "${node##*/node}"; done
    for node in "$dir"/node${3:-*}; do await "${node##*/node}"; done
    ;;
cli) cli "${@:3}" ;;
stop) end TERM "${3:-}" ;;
kill) end KILL "${3:-}" ;;
*) usage ;;
esac
