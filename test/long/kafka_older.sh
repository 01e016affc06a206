#!/bin/bash
# The scripts of the engine in their short form over older brokers: what they show over the newest one holds there too.
set -euo pipefail

# over VERSION SCRIPT...
over() {
    local script
    for script in "${@:2}"; do
        echo "=== $script over $1"
        KAFKA_VERSION=$1 FORM=short "test/scripts/$script.sh"
    done
}
over 3.9.1 kafka_run kafka_group kafka_faults kafka_brokers kafka_refused kafka_pipeline kafka_reset
over 3.5.2 kafka_run kafka_group
