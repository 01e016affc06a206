#!/bin/bash
# Files and options that "load" and "local" cannot use: each is named, with the remedy, and has its exit code; nothing of them is loaded.
. test/scripts/cli.inc
market=${BUILD:-build}/data-processing
heading=datetime_beginning_utc,datetime_beginning_ept,pnode_id,pnode_name,total_lmp_rt,version_nbr
row='5/1/2025 4:00:00 AM,5/1/2025 12:00:00 AM,1,A,1.5,1'
product=rt_hrl_lmps

load() { expect "$1" "$market" load --dir "$work/log" --log.level=warn "${@:2}"; }
# loaded COUNT: events of the last command.
loaded() { equal "$1 events loaded" "$(tail -n 1 "$work/out")" "events"; }

printf '%s\n%s\n' "$heading" "$row" >"$work/good.csv"
for option in "tenant a/b" "day 2020-13-45" "zone Mars/North" "scale none"; do
    # shellcheck disable=SC2086 # a flag and its value
    load 2 --$option "$work/good.csv"
    says "--${option% *}: \"${option#* }\" is no"
done
load 1 "$work/good.csv" --product nothing
says '"nothing" of PJM, which has '
says "$product"
load 1 "$work/good.csv"
says 'product (--product)'

load 3 "$work/none.csv"
says 'there is no such file'
load 1 "$work"
says 'it is a folder'
: >"$work/empty.csv"
load 1 "$work/empty.csv"
says "error: $work/empty.csv: the file is empty"
printf 'x\n' >"$work/other.csv"
load 1 "$work/other.csv" "$work/good.csv" --product $product
says 'no kind of market file begins with "x"'
says '1 of 2 files refused, the others are loaded'
loaded 1

echo "--- a dry run says how much it would be, and sends nothing; of a folder that is not there too"
printf '%s\n%s\n%s\n' "$heading" "$row" "${row/,A,/,E,}" >"$work/good.csv"
for log in "log 1" "nowhere 2"; do
    expect 0 "$market" load --dir "$work/${log% *}" --product $product "$work/good.csv" --dry-run
    equal "${log#* } events would be loaded" "$(cat "$work/out")" "a dry run on ${log% *}"
    says "id=file-to-load file=$work/good.csv"
done
[ ! -e "$work/nowhere" ] || fail "a dry run made a folder"
printf 'instrument_id,commodity\nGC.201312,gold\nGC.201402,gold\n' >"$work/reference.csv"
dry() { # WHAT ADDED
    expect 0 "$market" load --dir "$work/log" --reference "$work/reference.csv" $1
    equal "0 events ${1:+would be }loaded; 2 reference rows: $2 added, 0 changed, 0 removed" "$(cat "$work/out")" "reference rows $1"
}
dry --dry-run 2
dry --dry-run 2
dry '' 2
dry --dry-run 0
load 0 "$work/good.csv" --product $product
loaded 1

# the mark that spreadsheets put first, ends of line as they write them
printf '\357\273\277%s\r\n%s\r\n' "$heading" "${row/,A,/,B,}" >"$work/marked.csv"
load 0 "$work/marked.csv" --product $product
loaded 1

printf '%s\n%s,' "$heading" "${row/,A,/,C,}" >"$work/wide.csv"
head -c 2000000 /dev/zero | tr '\0' 1 >>"$work/wide.csv"
load 0 "$work/wide.csv" --product $product
loaded 1
expect 0 "$market" cat ingestion.pjm.raw.v1 --dir "$work/log"
grep -q '"event_id":"wide.csv#1".*"row_too_long":2000[0-9]*}' "$work/out" || fail "the row that no event holds is not said"
printf '%s\n%s,' "$heading" "${row/,A,/,D,}" >"$work/wider.csv"
head -c 200000 /dev/zero | tr '\0' 1 >>"$work/wider.csv"
load 1 "$work/wider.csv" --product $product --max.record.bytes=100k
says "$work/wider.csv: row 1"
says 'max.record.bytes'

expect 2 "$market" local --dir "$work/none" --once normalizaton
says 'did you mean "normalization"'
expect 2 "$market" local --dir "$work/none" --once --aggregation.minute_s.size=7m
says 'size means nothing for minute_s'
expect 2 "$market" local --dir "$work/none" --once --aggregation.hour_s.retention=10m
says 'retention means nothing for hour_s'
printf '{"value":17}\n' >"$work/event.jsonl"
expect 1 "$market" try normalization --in ingestion.pjm.raw.v1="$work/event.jsonl"
says "$work/event.jsonl:1"
says 'see how cat prints it, or write {"base64"'
expect 2 "$market" schemas of
says 'no words'
ln -s /dev/null "$work/bars"
expect 5 "$market" generate --out "$work/made" --rows 10 --bars "$work/bars"
says "$work/bars"
[ -L "$work/bars" ] || fail "a link was replaced"
expect 0 "$market" generate --out "$work/made" --rows 10 --bars "$work/one.bars"
for command in schemas "generate --out $work/made --rows 10" "diff $work/one.bars $work/one.bars" "load --dir $work/log $work/good.csv --product $product"; do
    code=0
    # shellcheck disable=SC2086 # words of a command
    "$market" $command >/dev/full 2>"$work/err" || code=$?
    equal 5 "$code" "exit of $command where there is no room"
    says 'standard output: not all of it'
done
