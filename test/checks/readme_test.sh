#!/bin/bash
# The README's first code is examples/word_count.c, whole, in at most 30 lines; the files and make targets it names exist.
set -euo pipefail
cd "$(dirname "$0")/../.."

first=$(awk '/^```c$/ { inside = 1; next } /^```$/ && inside { exit } inside' README.md)
diff <(printf '%s\n' "$first") examples/word_count.c || { echo "the README shows another word_count.c"; exit 1; }
[ "$(wc -l <examples/word_count.c)" -le 30 ] || { echo "word_count.c has more than 30 lines"; exit 1; }

missing=0
for path in $(grep -ohE '`[a-z.]+/[A-Za-z0-9_./-]+`' README.md CONTRIBUTING.md docs/*.md | tr -d '`' | grep -v -e '^build/' -e '^\.cache/' -e '^\.\.' -e NAME | sort -u); do
    [ -d "${path%%/*}" ] || [ -d "framework/${path%%/*}" ] || continue # words with a slash
    [ -e "$path" ] || [ -e "$path.c" ] || [ -e "framework/$path" ] || { echo "a page names $path, which is not there"; missing=1; }
done
for target in $(grep -ohE '^ *make [a-z-]+|`make [a-z-]+' README.md CONTRIBUTING.md docs/*.md | awk '{ print $2 }' | sort -u); do
    grep -qE "^([a-z -]+ )?$target( [a-z -]+)?:" Makefile || { echo "a page names make $target, which is not there"; missing=1; }
done
exit $missing
