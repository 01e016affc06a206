#!/bin/bash
# memory.max is a bound: with state, changelog and log far larger than it, the process's peak of memory stays below.
set -euo pipefail
: "${BUILD:?}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
lines=150000
[ "${FORM:-short}" = short ] || lines=1000000

awk -v n=$lines 'BEGIN { srand(7); for (i = 0; i < n; i++)
    printf "word%d other%d third%d\n", rand() * 1000000, rand() * 1000000, rand() * 1000000 }' >"$dir/lines"

# peak MEMORY: bytes that word count took at most, in its own process.
peak() {
    python3 - "$1" "$dir" "$BUILD/examples/word_count" <<'PY'
import resource, subprocess, sys
limit, folder, program = sys.argv[1:]
end = subprocess.run([program, "local", "--dir", folder + "/" + limit, "--memory.max", limit, "--once", "--lines",
                      "--in", "lines=" + folder + "/lines"], stderr=open(folder + "/said", "w"))
if end.returncode != 0:
    sys.exit(open(folder + "/said").read())
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
PY
}

for limit in 96 128; do
    bytes=$(peak ${limit}m)
    echo "memory.max ${limit}m: peak $((bytes >> 20)) MiB"
    [ "$bytes" -le $((limit << 20)) ]
done
