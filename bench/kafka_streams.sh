#!/bin/bash
# Bars by Apache Kafka Streams (KafkaStreamsBars.java), as one would tune it for one thread: the parallel collector, a heap of 1 GiB.
#   bench/kafka_streams.sh prepare                    its parts, once, into .cache/peer and .cache/streams; and the classes
#   bench/kafka_streams.sh run SERVERS NAME GUARANTEE COUNT FOLDER [KEY=VALUE...]
# Needs a JDK of 17 or later and curl. HEAP: another size, as 512m.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$(realpath -m "$here/../.cache")
peer=$here/../test/conformance/peer/parts.sha256
. "$here/../test/maven.inc"

case ${1:-} in
prepare)
    command -v javac >/dev/null || { echo "$0: there is no javac: install openjdk-17-jdk-headless" >&2; exit 1; }
    maven_parts "$peer" "$cache/peer/parts"
    maven_parts "$here/kafka_streams.sha256" "$cache/streams/parts"
    javac -Xlint:all --release 17 -d "$cache/streams/classes" -cp "$cache/peer/parts/*" "$here/KafkaStreamsBars.java"
    ;;
run)
    shift
    exec java -XX:+UseParallelGC -Xmx"${HEAP:-1g}" -cp "$cache/streams/classes:$cache/streams/parts/*:$cache/peer/parts/*" KafkaStreamsBars "$@"
    ;;
*) sed -n 's/^#   //p' "$0" >&2; exit 2 ;;
esac
