#!/bin/bash
# Pages made from tables in the code are as the code says: `make docs` writes them; exit codes are by hand.
. test/scripts/cli.inc

"$BUILD/data-processing" help --markdown >"$work/configuration.md"
diff docs/configuration.md "$work/configuration.md" || fail "docs/configuration.md is not what the code says: make docs"

"$words" help --metrics >"$work/metrics.md"
diff docs/metrics.md "$work/metrics.md" || fail "docs/metrics.md is not what the code says: make docs"

"$BUILD/data-processing" schemas >"$work/schemas.md"
diff docs/schemas.md "$work/schemas.md" || fail "docs/schemas.md is not what the tables say: make docs"

"$words" help | sed -nE '/^Exit codes:/,$ s/^  ([0-9]+)  (.*)$/| \1 | \2 |/p' >"$work/codes"
sed -nE 's/^(\| [0-9]+ \| [^|]*\|).*/\1/p' docs/exit-codes.md | diff "$work/codes" - || fail "docs/exit-codes.md has other codes"

# each code of weir.h, with its scope
awk '/^#define WEIR_ERRORS/,/^$/' framework/weir.h | sed -nE 's/.*X\((WEIR_[A-Z_]+), (-?[0-9]+), ([A-Z]+), "([^"]*)".*/| `\1` | \2 | \L\3\E | \4 |/p' >"$work/errors"
[ "$(wc -l <"$work/errors")" -ge 25 ] || fail "the table of weir.h was not read"
grep -E '^\| `WEIR_' docs/exit-codes.md | diff "$work/errors" - || fail "docs/exit-codes.md has other error codes"
