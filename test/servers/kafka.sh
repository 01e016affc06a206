#!/bin/bash
# Apache Kafka in KRaft mode for tests: nodes on free ports of 127.0.0.1, all they write below DIR.
#   test/servers/kafka.sh start DIR [NODES]   starts 1 (or NODES) and prints their addresses, "host:port,host:port"
#   test/servers/kafka.sh node DIR NODE       starts a node again that was stopped or killed
#   test/servers/kafka.sh stop DIR [NODE]     SIGTERM to one node or all, and waits
#   test/servers/kafka.sh kill DIR [NODE]     SIGKILL
# KAFKA_VERSION: 3.5.2, 3.9.1 or 4.4.0 (the default). KAFKA_SET="a=b;c=d": more lines of server.properties. KAFKA_HEAP: 384m. KAFKA_JAVA: more flags of Java.
# KAFKA_SECURE=1, of one node: the address is for the test's own hands alone, which may do all; others are demanded something at the
# ports in the files of DIR/node1/ports: tls a certificate that they trust (DIR/tls/ca.pem), mutual one of their own too
# (DIR/tls/weir.crt), sasl user and password over TLS, plain the same without (PLAIN weir/p@ss,w=rd; SCRAM users are made by
# kafka_ask.py); expired and elsewhere show a certificate that is too old, or another host's. Nobody may do what is not granted
# (kafka_ask.py grant). Needs openssl.
# Needs a Java of 17 or later, curl and python3. The parts come once, by version and sha256, into .cache/kafka; MAVEN names
# another repository to take them from.
. "$(dirname "$0")/server.inc"
version=${KAFKA_VERSION:-4.4.0}
cache=$(realpath -m "$here/../../.cache/kafka/$version")
. "$here/../maven.inc"

need() {
    need_tools "openjdk-17-jre-headless, curl and python3" java curl python3
    [ -e "$here/kafka-$version.sha256" ] || die "there is no list of parts for version $version: take 3.5.2, 3.9.1 or 4.4.0"
}

# java_node ARG...: small: one collector, the first compiler alone unless KAFKA_JAVA says otherwise (of benches: nothing).
java_node() {
    # shellcheck disable=SC2086
    exec java -XX:+UseSerialGC ${KAFKA_JAVA--XX:TieredStopAtLevel=1} -XX:-UsePerfData -Xss512k -Xms64m "-Xmx${KAFKA_HEAP:-384m}" \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$cache/*" "$@"
}

doors="tls mutual sasl plain expired elsewhere"

# secure_list, secure_map: the listeners that demand something, and what they speak.
secure_list() {
    local door
    [ -n "${KAFKA_SECURE:-}" ] || return 0
    for door in $doors; do printf ',%s://127.0.0.1:%s' "${door^^}" "$(cat "$dir/node1/ports/$door")"; done
}
secure_map() { [ -z "${KAFKA_SECURE:-}" ] || echo ",TLS:SSL,MUTUAL:SSL,SASL:SASL_SSL,PLAIN:SASL_PLAINTEXT,EXPIRED:SSL,ELSEWHERE:SSL"; }

secure() {
    local door login="org.apache.kafka.common.security.plain.PlainLoginModule required user_weir=\"p@ss,w=rd\";"
    local scram="org.apache.kafka.common.security.scram.ScramLoginModule required;"
    for door in tls mutual sasl expired elsewhere; do
        echo "listener.name.$door.ssl.keystore.type=PEM"
        echo "listener.name.$door.ssl.keystore.location=$dir/tls/$door.both"
        echo "listener.name.$door.ssl.truststore.type=PEM"
        echo "listener.name.$door.ssl.truststore.location=$dir/tls/ca.pem"
    done
    echo "listener.name.mutual.ssl.client.auth=required"
    echo "listener.name.mutual.ssl.principal.mapping.rules=RULE:^CN=([^,]+).*\$/\$1/"
    for door in sasl plain; do
        echo "listener.name.$door.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
        echo "listener.name.$door.plain.sasl.jaas.config=$login"
        echo "listener.name.$door.scram-sha-256.sasl.jaas.config=$scram"
        echo "listener.name.$door.scram-sha-512.sasl.jaas.config=$scram"
    done
    echo "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    echo "super.users=User:ANONYMOUS"
    echo "connections.max.idle.ms=${KAFKA_IDLE:-600000}"
}

# secure_prepare: ports and certificates.
secure_prepare() {
    local door ports
    mkdir -p "$dir/tls" "$dir/node1/ports"
    # shellcheck disable=SC2086
    read -ra ports < <(free_ports "$(wc -w <<<$doors)")
    for door in $doors; do
        echo "${ports[0]}" >"$dir/node1/ports/$door"
        ports=("${ports[@]:1}")
        case $door in
        expired) certificate "$dir/tls" ca $door "" -1 ;;
        elsewhere) certificate "$dir/tls" ca $door DNS:elsewhere.test ;;
        *) certificate "$dir/tls" ca $door ;;
        esac
        cat "$dir/tls/$door.key" "$dir/tls/$door.crt" >"$dir/tls/$door.both"
    done
    certificates "$dir/tls"
}

# properties NODE PORT CONTROLLER VOTERS NODES
properties() {
    local copies=$(($5 < 3 ? 1 : 3))
    cat <<END
process.roles=broker,controller
node.id=$1
controller.quorum.voters=$4
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$3$(secure_list)
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT$(secure_map)
inter.broker.listener.name=PLAINTEXT
log.dirs=$dir/node$1/data
$([ -z "${KAFKA_SECURE:-}" ] || secure "$1")
offsets.topic.replication.factor=$copies
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=$copies
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=$((copies == 3 ? 2 : 1))
default.replication.factor=$copies
min.insync.replicas=$((copies == 3 ? 2 : 1))
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
END
    tr ';' '\n' <<<"${KAFKA_SET:-}"
}

configure() {
    local nodes=$1 ports voters= i id
    read -ra ports < <(free_ports $((2 * nodes)))
    id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'az' | cut -c 1-22)
    for ((i = 1; i <= nodes; i++)); do voters+=${voters:+,}$i@127.0.0.1:${ports[nodes + i - 1]}; done
    echo "$version" >"$dir/version"
    [ -z "${KAFKA_SECURE:-}" ] || secure_prepare
    for ((i = 1; i <= nodes; i++)); do
        mkdir -p "$dir/node$i"
        echo "${ports[i - 1]}" >"$dir/node$i/port"
        properties $i "${ports[i - 1]}" "${ports[nodes + i - 1]}" "$voters" "$nodes" >"$dir/node$i/server.properties"
        (java_node kafka.tools.StorageTool format -t "$id" -c "$dir/node$i/server.properties") >"$dir/node$i/log" 2>&1 ||
            { cat "$dir/node$i/log" >&2; die "node $i cannot be formatted"; }
    done
}

launch() {
    (java_node kafka.Kafka "$dir/node$1/server.properties") >>"$dir/node$1/log" 2>&1 </dev/null &
    echo $! >"$dir/node$1/pid"
}

# runs FILE: the pid file of a node.
runs() { runs_with "$1" "${1%pid}server.properties"; }

# await NODE: until its port answers.
await() {
    local try
    for ((try = 0; try < 600; try++)); do
        (exec 3<>"/dev/tcp/127.0.0.1/$(cat "$dir/node$1/port")") 2>/dev/null && return
        kill -0 "$(cat "$dir/node$1/pid")" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 20 "$dir/node$1/log" >&2
    die "node $1 does not come up"
}

end() {
    local signal=$1 file pid pids=()
    for file in "$dir"/node${2:-*}/pid; do ! runs "$file" || pids+=("$(cat "$file")"); done
    for pid in "${pids[@]}"; do kill "-$signal" "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do
        while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    done
}

[ $# -ge 2 ] || usage
dir=$(realpath -m "$2")
case $1 in
start)
    need
    maven_parts "$here/kafka-$version.sha256" "$cache"
    mkdir -p "$dir"
    configure "${3:-1}"
    for node in "$dir"/node*; do launch "${node##*/node}"; done
    for node in "$dir"/node*; do await "${node##*/node}"; done
    for node in "$dir"/node*; do echo "127.0.0.1:$(cat "$node/port")"; done | paste -sd ,
    ;;
node)
    version=$(cat "$dir/version")
    cache=$(realpath -m "$here/../../.cache/kafka/$version")
    launch "$3"
    await "$3"
    ;;
stop) end TERM "${3:-}" ;;
kill) end KILL "${3:-}" ;;
*) usage ;;
esac
