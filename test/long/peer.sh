#!/bin/bash
# Random cases, played by Apache Kafka Streams and by weir: the same in all that can be seen. SEED names another set.
set -euo pipefail
cd "$(dirname "$0")/../.."
peer=test/conformance/peer
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

echo "--- the recorded cases, recorded again"
$peer/run.sh "$folder/again" test/conformance/cases
$peer/same.py test/conformance/cases "$folder/again"

echo "--- 400 random cases of seed ${SEED:-1}"
$peer/generate.py "$folder/given" 400 "${SEED:-1}"
$peer/run.sh "$folder/recorded" "$folder/given"
"$BUILD/test/conformance/conformance" "$folder/recorded"
