#!/bin/bash
# docs/licences.md names what is linked, directly and by others, what is built with, what is run and what is taken from registries: all of it, and nothing else.
# The Dockerfile installs what is linked directly. Without a line, or with one too many, it fails; what is linked has a licence text.
. test/scripts/cli.inc
page=docs/licences.md
program=$BUILD/data-processing

# column SECTION N: the names of the N-th column of the tables below a heading; several in a cell are several.
column() { awk -v want="## $1" -v n="$2" -F '|' '/^## /{ on = index($0, want) == 1 } on && /^\| / { print $(n + 1) }' "$page" | grep -oE '`[^`]+`' | tr -d '`' | sort; }
# same WHAT WANT HAVE: files of names.
same() { diff -u "$2" "$3" >"$work/diff" || { cat "$work/diff"; fail "$page: $1"; }; }
package_of() { for path in "$1" "/usr$1" "$(realpath "$1")"; do dpkg-query -S "$path" 2>/dev/null || :; done | sed "s/:.*//" | head -n 1; }

echo "--- linked"
ldd "$program" | sed -nE 's#.*=> (/[^ ]+) .*#\1#p' >"$work/libraries"
objdump -p "$program" | awk '/NEEDED/ { print $2 }' >"$work/needed"
while read -r path; do
    package=$(package_of "$path")
    [ -s "/usr/share/doc/$package/copyright" ] || fail "$path: there is no licence text of ${package:-its package}"
    echo "$package" >>"$work/all"
    ! grep -qxF "${path##*/}" "$work/needed" || echo "$package" >>"$work/direct"
done <"$work/libraries"
sort -u "$work/direct" >"$work/linked"
sort -u "$work/all" | comm -13 "$work/linked" - >"$work/others"
column "Linked, directly" 1 >"$work/page"
same "linked directly" "$work/page" "$work/linked"
column "Linked by those" 1 >"$work/page"
same "linked by others" "$work/page" "$work/others"
grep -oE "^weir_part\(weir_(schemas_|topologies_)?parts [^)]*" .ci/cmake/parts.cmake | sed "s/^[^ ]* //" | tr " " "\n" | sed "s/>=.*//" | sort -u >"$work/parts"
column "Linked, directly" 2 >"$work/page"
same "parts of CMake" "$work/page" "$work/parts"

echo "--- in the image"
sed -n '/apt-get install -y/,/&& rm/p' compose/Dockerfile | tr ' ' '\n' | grep -E '^[a-z0-9.-]+$' | grep -vxE 'apt-get|install|-y|--no-install-recommends|rm|-rf' | sort >"$work/installed"
{ cat "$work/linked"; column "In the image besides" 1; } | grep -vx libc6 | sort >"$work/page"
same "installed by the Dockerfile" "$work/page" "$work/installed"

echo "--- run"
sed -nE 's/^(build|servers|test|long)="(.*)"$/\2/p' .ci/dependencies | tr ' ' '\n' | grep -v '^\$' | sort -u >"$work/wanted"
grep -vxE 'lib(c6|rocksdb|xxhash|event|rdkafka|msgpack|ssl|pq|hiredis|curl4-openssl)-dev|zlib1g-dev|ca-certificates|tzdata' "$work/wanted" >"$work/tools"
awk '/^Taken from/{ exit } { print }' "$page" >"$work/first.md"
page=$work/first.md column "Run, not linked" 1 >"$work/page"
same "packages of .ci/dependencies" "$work/page" "$work/tools"
{
    sed -nE 's/.*\bwheel ([a-z0-9-]+) [0-9].*/\1/p' test/tools.inc
    grep -rhvE '^ *#' test --include=*.sh --include=*.inc | grep -oE '\bgo_program [^ ")$]+@' | sed -E 's/go_program (.*)@/\1/' || :
    sed -nE 's/.*run_go get .* (.*)@v[0-9].*/\1/p' test/tools.inc
    sed -nE 's#.*/(@[a-z]+)/\$package.*#\1/lib-linux-x64-gnu#p' test/servers/clickhouse.sh
} | sort -u >"$work/taken"
sed -n '/^Taken from/,$p' "$page" | sed '1s/.*/## Taken/' >"$work/second.md"
page=$work/second.md column "Taken" 1 | grep -v '^test/' >"$work/page"
same "what tests take from registries" "$work/page" "$work/taken"
sed -nE 's/^    image: ([^$:]+):.*/\1/p' compose/docker-compose.yml | sort -u >"$work/images"
column "Run beside" 1 >"$work/page"
same "images of compose" "$work/page" "$work/images"
