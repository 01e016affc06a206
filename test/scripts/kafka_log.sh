#!/bin/bash
# What every log promises, over Apache Kafka: the programs of test/log that see the interface alone, against a broker of
# 4.4.0, in the long form of 3.9.1 too. And the server's own script: started, killed, started again with what it had, stopped.
set -euo pipefail
folder=$(mktemp -d)
server=test/servers/kafka.sh
trap '$server kill "$folder"; rm -rf "$folder"' EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }

versions=4.4.0
[ "$FORM" = short ] || versions="3.9.1 4.4.0"
for version in $versions; do
    echo "--- Kafka $version"
    KAFKA=$(KAFKA_VERSION=$version $server start "$folder")
    export KAFKA
    for program in topics records commit markers group threads; do
        CK_TIMEOUT_MULTIPLIER=20 FORM=short "$BUILD/test/log/test_log_$program"
    done
    pid=$(cat "$folder/node1/pid")
    $server kill "$folder" 1
    ! kill -0 "$pid" 2>/dev/null || fail "the node is still there after kill"
    (! exec 3<>"/dev/tcp/${KAFKA/://}") 2>/dev/null || fail "the port still answers after kill"
    $server node "$folder" 1
    (exec 3<>"/dev/tcp/${KAFKA/://}") || fail "the port does not answer after the second start"
    pid=$(cat "$folder/node1/pid")
    $server stop "$folder"
    ! kill -0 "$pid" 2>/dev/null || fail "the node is still there after stop"
    rm -rf "${folder:?}"/*
done

echo "--- an unknown version is refused by name"
(! KAFKA_VERSION=1.0 $server start "$folder" 2>"$folder/words") || fail "version 1.0 was started"
grep -q "version 1.0" "$folder/words" || fail "the words do not name the version: $(cat "$folder/words")"
