#!/bin/bash
# Records cases with Apache Kafka Streams: plays each FILE, or all *.json below each DIR, and writes it with its expect to OUT.
#   test/conformance/peer/run.sh OUT FILE|DIR...
# Needs a JDK of 17 or later and curl. The parts come once, by version and sha256, into .cache/peer; MAVEN names another
# repository to take them from.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$(realpath -m "$here/../../../.cache/peer")
. "$here/../../maven.inc"
[ $# -ge 2 ] || { sed -n 's/^#   //p' "$0" >&2; exit 2; }
for tool in javac curl; do
    command -v $tool >/dev/null || { echo "$0: there is no $tool: install openjdk-17-jdk-headless and curl" >&2; exit 1; }
done

# compile: again when a source is newer than the last time.
compile() {
    [ -z "$(find "$here" -name '*.java' -newer "$cache/compiled" 2>/dev/null || echo first)" ] || {
        rm -rf "$cache/classes"
        javac -nowarn -Xlint:-options -XDsuppressNotes --release 17 -d "$cache/classes" -cp "$cache/parts/*" "$here"/*.java
        touch "$cache/compiled"
    }
}

maven_parts "$here/parts.sha256" "$cache/parts"
compile
out=$1
shift
mkdir -p "$out"
find "$@" -name '*.json' -print | sort >"$cache/files.$$"
trap 'rm -f "$cache/files.$$"' EXIT
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm # state that nobody keeps
java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto "-Djava.io.tmpdir=${TMPDIR:-/tmp}" -cp "$cache/classes:$cache/parts/*" Peer "$out" "@$cache/files.$$"
