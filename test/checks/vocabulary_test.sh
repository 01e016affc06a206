#!/bin/bash
# What the compiler catches in a declared topology, gcc and clang alike: a misspelt, unused or redefined node, a store
# where a node belongs, a verb of another shape. Each program differs from a good one in one place.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/weir"
ln -s "$PWD"/framework/*.h "$PWD"/statestores/engines.h "$work/weir/"

cat >"$work/good.c" <<'END'
#include <weir/engines.h>
#include <weir/main.h>

static weir_process show;
static weir_test    is_long;
static weir_map     shorten;
static weir_fold    add;

SOURCE    (lines,  "lines", weir_string, weir_string);
KEEP      (longer, is_long);
MAP_VALUES(brief,  shorten);
PEEK      (seen,   show);
KEYS      (sums,   weir_string, weir_int64);
AGGREGATE (sum,    sums, NULL, add);
SINK      (out,    "out", weir_string, weir_int64);
static TOPOLOGY(good, .paths = PATHS(
    PATH(lines, longer, brief, seen, sum, out)));

static int show(struct weir_context *ctx, const struct weir_record *rec) { return ctx == NULL || rec == NULL; }
static int is_long(struct weir_context *ctx, const struct weir_record *rec) { return show(ctx, rec); }
static int shorten(struct weir_context *ctx, const struct weir_record *rec, struct weir_record *ret)
{
    ret->value = NULL;
    return show(ctx, rec);
}
static int add(struct weir_context *ctx, const struct weir_record *rec, void *state)
{
    *(int64_t *)state += 1;
    return show(ctx, rec);
}
int main(int argc, char **argv)
{
    return weir_main(argc, argv, (const struct weir_topology *const[]){ &good, NULL }, weir_engines);
}
END

compile() { "$1" -std=gnu11 -Wall -Wextra -Werror -c -o /dev/null -I "$work" "$2" 2>"$work/said"; }

# refused NAME SED-EXPRESSION WORDS: the changed program is refused by both compilers, with one of WORDS (extended).
refused() {
    sed -E "$2" "$work/good.c" >"$work/$1.c"
    ! cmp -s "$work/good.c" "$work/$1.c" || { echo "$1: the change changed nothing"; exit 1; }
    for compiler in gcc clang-14; do
        if compile "$compiler" "$work/$1.c"; then echo "$1: $compiler takes it"; exit 1; fi
        grep -qE "$3" "$work/said" || { echo "$1: $compiler says otherwise:"; cat "$work/said"; exit 1; }
    done
    echo "ok $1"
}

for compiler in gcc clang-14; do
    compile "$compiler" "$work/good.c" || { echo "$compiler refuses the good program:"; cat "$work/said"; exit 1; }
done
refused misspelt 's/PATH\(lines, longer/PATH(lines, lnger/' "undeclared.*(did you mean|identifier 'lnger'; did you mean) .longer"
refused misspelt-store 's/\(sum,    sums,/(sum,    smus,/' 'undeclared|undeclared identifier'
refused unused 's/brief, seen, sum/brief, sum/' 'unused-const-variable'
refused redefined 's/^PEEK .*$/&\nPEEK(brief, show);/' 'redefinition of .brief'
refused store-for-node 's/seen, sum, out/seen, sums, out/' 'incompatible pointer'
refused node-for-store 's/\(sum,    sums,/(sum,    brief,/' 'incompatible pointer'
refused wrong-verb 's/\(longer, is_long\)/(longer, shorten)/' 'incompatible (function )?pointer'
refused wrong-fold 's/NULL, add\)/NULL, show)/' 'incompatible (function )?pointer'
refused no-such-field 's/\.paths =/.path =/' "no member named .path|has no member|does not refer"
