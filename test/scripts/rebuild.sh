#!/bin/bash
# The pipeline on the embedded log is reset, grown from 4 to 12 partitions, replayed: the bars stay those of the plain computation.
. test/scripts/cli.inc
. test/market/rebuild.inc
pipeline=$BUILD/data-processing
export LC_ALL=C
rows=1500
[ "${FORM:-short}" = short ] || rows=20000
"$pipeline" generate --out "$work/made" --bars "$work/made.bars" --seed 11 --rows $rows --corrections 5 --late 5 >/dev/null
where=(--dir "$work/data") state=() diffed=$work/data
run_all() { "$pipeline" local "${where[@]}" --once --log.level=warn "$@"; }
run_all "$work"/made/*.csv
run_all "$work"/made/late/*.csv
rebuild_story
