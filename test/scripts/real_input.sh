#!/bin/bash
# docs/real-input.md is what its command makes: of the smaller files each line again, FORM=long the page. And docs/weaknesses.md names what there is.
set -eu -o pipefail
page=docs/real-input.md
real=../shared/data/real
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

grep -o '`[^` ]*/[^` ]*`' docs/weaknesses.md | tr -d '`' | grep -v -e '^/' -e '^tenant/' | sort -u | while read -r path; do
    [ -e "$path" ] || { echo "docs/weaknesses.md names $path, which is not there"; exit 1; }
done
[ "$(grep -c '^| [0-9]* | ' docs/weaknesses.md)" = 50 ] || { echo "docs/weaknesses.md has not fifty rows"; exit 1; }

if [ ! -d $real ]; then
    echo "left out: the real files, $real is not there"
    exit 0
fi
if [ "${FORM:-short}" != short ]; then
    python3 test/market/real_input.py "$BUILD/data-processing" $real >"$work/page"
    diff "$page" "$work/page"
    echo "$page is what make docs-real makes"
    exit 0
fi
python3 test/market/real_input.py "$BUILD/data-processing" $real aeso_api_poolPrice_2024-04-14.json caiso_20200510_20200511_PRC_LMP_DAM_v1.csv \
    ercot_api_np6-905-cd_rt_spp_LZ_HOUSTON_2026-09-26.json isone_api_hourlylmp_da_final_2026-09-23_loc4000.json \
    miso_20260923_da_expost_lmp_extract.csv miso_api_GetLmpConsolidatedTable_2026-10-02_extract.json \
    trades_gc_201312_minute_bars_20131008.csv.gz trades_kraken_api_xbtusdt_2025-11-10.json >"$work/lines" 2>"$work/told"
while read -r line; do
    grep -qxF -- "$line" "$page" || { echo "$page has not the line that make docs-real makes:"; echo "$line"; exit 1; }
done <"$work/lines"
echo "$(wc -l <"$work/lines") lines of $page are made again"
