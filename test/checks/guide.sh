#!/bin/bash
# docs/deployment-guide.md against the deployment guide, where that is there: a row for each heading, command and value, and files
# and tests that exist; a page that lacks a row, or names what is not there, is refused.
set -euo pipefail
cd "$(dirname "$0")/../.."
guide=../shared/reference/deployment-guide.md
[ -e "$guide" ] || echo "the guide is not there: only the page's own rows are looked at"
python3 test/checks/guide.py check "$guide"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/docs"
broken() { # broken SAID SED: the page changed by SED is refused, and that is said
    sed -E "$2" docs/deployment-guide.md >"$work/docs/deployment-guide.md"
    ! python3 test/checks/guide.py check "$guide" "$work/docs/deployment-guide.md" >"$work/said" && grep -qF "$1" "$work/said" ||
        { cat "$work/said"; echo "not refused: $1"; exit 1; }
}
[ ! -e "$guide" ] || broken 'no row says: docker-compose ps' '/`docker-compose ps`/d'
broken 'compose/nowhere.yml is not there' 's,^\| `docker-compose ps` \|.*,| `docker-compose ps` | `compose/nowhere.yml` | `test/checks/guide.sh` | |,'
broken 'neither file and test nor a reason: `docker-compose ps`' 's,^\| `docker-compose ps` \|.*,| `docker-compose ps` | `compose/` | | |,'
