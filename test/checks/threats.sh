#!/bin/bash
# docs/threats.md: each threat names a letter of STRIDE and at least one test, every test that it names is there, and no letter is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
page=${1:-docs/threats.md}
awk -F'|' -v page="$page" '
    /^\| [A-Z]+ \|/ {
        letter = $2; gsub(/ /, "", letter)
        if (letter !~ /^[STRIDE]$/) bad("no letter of STRIDE")
        if ($5 !~ /`test\//) bad("no test")
        seen[letter] = 1
    }
    function bad(what) { print page ":" NR ": " what; wrong = 1 }
    END {
        for (i = 1; i <= 6; i++) if (!(substr("STRIDE", i, 1) in seen)) { print page ": no threat of " substr("STRIDE", i, 1); wrong = 1 }
        exit wrong
    }' "$page"
missing=0
for test in $(grep -o '`test/[^`]*`' "$page" | tr -d '`' | sort -u); do
    [ -e "$test" ] || { echo "$page names $test, which is not there"; missing=1; }
done
exit $missing
