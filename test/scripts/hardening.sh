#!/bin/bash
# The hardening flags are really in what is built: read from the files themselves.
set -euo pipefail
build=${BUILD:-build}

fail() { echo "FAILED: $*"; exit 1; }
if grep -qE '^WEIR_SANITIZE:[A-Z]*=.' "$build/CMakeCache.txt"; then fail "a sanitized build has no hardening: give another BUILD"; fi

for file in "$build"/examples/word_count "$build"/examples/minute_bars "$build"/bench/* "$build"/libweir.so $(ls "$build"/data-processing 2>/dev/null); do
    header=$(readelf -hW "$file") segments=$(readelf -lW "$file") dynamic=$(readelf -dW "$file") symbols=$(readelf -sW "$file")
    grep -qE 'Type: +DYN' <<<"$header" || fail "$file is not position independent"
    grep -q GNU_RELRO <<<"$segments" || fail "$file has no read-only relocations"
    grep -qE '\((FLAGS|FLAGS_1)\).*NOW|BIND_NOW' <<<"$dynamic" || fail "$file binds late"
    grep -E 'GNU_STACK' <<<"$segments" | grep -q 'RW ' || fail "$file has an executable stack"
    if grep -qE 'TEXTREL|RPATH|RUNPATH' <<<"$dynamic"; then fail "$file relocates its text, or looks for libraries in a path of its own"; fi
    grep -q __stack_chk_fail <<<"$symbols" || fail "$file has no stack protector"
    grep -qE '__[a-z]+_chk' <<<"$symbols" || fail "$file has no fortified calls"
done

# what leaves no trace in a file stands in every compilation of ours
sources=$(grep -c '"command":' "$build/compile_commands.json")
for flag in -fstack-protector-strong -fstack-clash-protection -fcf-protection -D_FORTIFY_SOURCE=2 -Wall -Wextra -Werror -fvisibility=hidden; do
    [ "$flag" != -fcf-protection ] || [ "$(uname -m)" = x86_64 ] || continue
    have=$(grep '"command":' "$build/compile_commands.json" | grep -cF -- "$flag" || :)
    [ "$have" = "$sources" ] || fail "$flag in $have of $sources compilations"
done
