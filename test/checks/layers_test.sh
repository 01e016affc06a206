#!/bin/bash
# .ci/layers passes on the tree and fails, by name, on a copy with one wrong include added.
set -euo pipefail
cd "$(dirname "$0")/../.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

.ci/layers || { echo "the tree itself breaks a rule"; exit 1; }
git ls-files -z --cached --others --exclude-standard -- '*.c' '*.h' '*.cc' | while IFS= read -r -d '' file; do
    [ ! -f "$file" ] || install -D -m 644 "$file" "$copy/$file"
done
.ci/layers "$copy"

# refused FILE INCLUDE WORDS: FILE with #include INCLUDE appended is refused with WORDS.
refused() {
    local file=$copy/$1 words="$1:"
    mkdir -p "$(dirname "$file")"
    [ ! -f "$file" ] || cp "$file" "$copy/kept"
    printf '#include %s\n' "$2" >>"$file"
    if .ci/layers "$copy" >"$copy/said"; then
        echo "not refused: $2 in $1"
        exit 1
    fi
    grep -qF "$words" "$copy/said" && grep -qF "$3" "$copy/said" || { echo "other words for $2 in $1:"; cat "$copy/said"; exit 1; }
    rm "$file"
    [ ! -f "$copy/kept" ] || mv "$copy/kept" "$file"
}

refused framework/base/extra.c '"framework/log/log.h"' 'order: framework/base may not include framework/log'
refused framework/kafka/extra.c '"framework/task/task.h"' 'order: framework/kafka may not include framework/task'
refused framework/runtime/extra.c '"statestores/engines.h"' 'direction: framework/runtime may not include statestores'
refused framework/weir.h '"framework/base/base.h"' 'may not include framework/base'
refused schemas/extra.c '"statestores/engines.h"' 'direction: schemas may not include statestores'
refused statestores/extra.c '"topologies/main.h"' 'direction: statestores may not include topologies'
refused examples/extra.c '"framework/weir.h"' 'direction: examples see the public headers only'
refused framework/nowhere/extra.c '"framework/weir.h"' 'has no place in the table'
refused framework/task/extra.c '"task.h"' 'paths: includes start at the top'
refused framework/store/extra.c '<rocksdb/c.h>' 'door: only statestores'
refused statestores/extra.c '<librdkafka/rdkafka.h>' 'door: only framework/kafka'
refused framework/runtime/extra.c '<event2/http.h>' 'door: only framework/http'
refused framework/json/extra.c '<msgpack.h>' 'door: only schemas and test and bench'
refused statestores/extra.c '<openssl/evp.h>' 'door: only schemas'
refused framework/http/extra.c '<openssl/ssl.h>' 'door: only framework/tls'
refused topologies/redis/extra.c '<libpq-fe.h>' 'door: only topologies/postgres'
refused topologies/extra.c '<hiredis/hiredis.h>' 'door: only topologies/redis'
refused topologies/postgres/extra.c '<curl/curl.h>' 'door: only topologies/clickhouse'
refused framework/store/extra.c '<xxhash.h>' 'door: only framework/base'
refused framework/main/extra.c '<jansson.h>' 'door: only framework/json and test'
refused framework/main/extra.c '<check.h>' 'door: only test'
.ci/layers "$copy"
