#!/bin/bash
# .ci/dependencies, with dpkg-query, apt-get, sudo and id played by stubs: what it installs, when, as whom, and how it ends.
set -euo pipefail
cd "$(dirname "$0")/../.."
stubs=$(mktemp -d)
trap 'rm -rf "$stubs"' EXIT
for tool in sh env grep; do ln -s "$(command -v $tool)" "$stubs/$tool"; done

# stub NAME: reads its body.
stub() { { echo "#!/bin/sh"; cat; } >"$stubs/$1" && chmod +x "$stubs/$1"; }

# case_is WORDS STATUS TEXT: runs it with only the stubs there.
case_is() {
    local status=0
    : >"$stubs/apt.log"
    PATH=$stubs STUBS=$stubs .ci/dependencies "${mode:-test}" >"$stubs/said" 2>&1 || status=$?
    if [ "$status" != "$2" ] || { [ -n "$3" ] && ! grep -qF -- "$3" "$stubs/said" "$stubs/apt.log"; }; then
        echo "$1: exit $status, wanted $2 and '$3' in:"
        cat "$stubs/said" "$stubs/apt.log"
        exit 1
    fi
}

stub id <<<'echo ${STUB_UID:-0}'
stub apt-get <<'EOT'
echo "apt-get $*" >>"$STUBS/apt.log"
case "$1" in update) : >"$STUBS/lists" ;; *) [ -e "$STUBS/lists" ] ;; esac
EOT

stub dpkg-query <<<'echo install ok installed'
case_is "nothing missing" 0 ""
[ ! -s "$stubs/said" ] && [ ! -s "$stubs/apt.log" ] || { echo "nothing missing, yet it did something"; exit 1; }

stub dpkg-query <<<'case "$*" in *libxxhash-dev|*check) exit 1 ;; *zlib1g-dev) echo deinstall ok config-files ;; *) echo install ok installed ;; esac'
export STUB_UID=1000
case_is "neither root nor sudo" 3 "missing: libxxhash-dev zlib1g-dev check"
case_is "neither root nor sudo" 3 "apt-get install -y --no-install-recommends libxxhash-dev zlib1g-dev check"
[ ! -s "$stubs/apt.log" ] || { echo "apt was called without root"; exit 1; }

mode=build case_is "mode build has no test packages" 3 "apt-get install -y --no-install-recommends libxxhash-dev zlib1g-dev"
! grep -q 'zlib1g-dev check' "$stubs/said" || { echo "mode build asks for a test package"; exit 1; }

stub sudo <<<'echo sudo >>"$STUBS/apt.log"; exec "$@"'
case_is "sudo, lists missing: update, then again" 0 "apt-get update"
[ "$(grep -c '^sudo$' "$stubs/apt.log")" = 3 ] || { echo "not all of apt through sudo"; cat "$stubs/apt.log"; exit 1; }
case_is "sudo, lists there" 0 "apt-get install -y"
! grep -q update "$stubs/apt.log" || { echo "a needless update"; exit 1; }

rm "$stubs/sudo"
STUB_UID=0 case_is "root" 0 "apt-get install -y"
stub apt-get <<<'exit 100'
STUB_UID=0 case_is "apt fails" 100 "missing: libxxhash-dev"
mode=other case_is "wrong call" 2 "usage:"
