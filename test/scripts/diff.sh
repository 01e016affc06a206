#!/bin/bash
# `diff`: of each kind of record that comes of ticks, what differs is named by its first field, and what only says how a run went is no
# difference; kinds are chosen, or left out by name; nothing to compare is an error. Files alone: runs and clusters are in arrival.sh, kills.sh.
. test/scripts/cli.inc
market=$(realpath "${BUILD:-build}/data-processing")

went='"state":"final","epoch":1,"revision":1,"currency":"USD","unit":"MWh"'
{
    echo '{"tenant_id":"t","instrument_id":"A","interval":"15m","window_start":900000000,"window_end":1800000000,"open":5,"high":6,"low":4,"close":5.5,"volume":2,"vwap":5.25,"trade_count":3,"first_event_time":900000000,"last_event_time":960000000,"quality_flags":["valid","late_arrival"],"flagged_count":0,'"$went}"
    echo '{"key":"t/A","value":{"tenant_id":"t","instrument_id":"A","window":"last_10","window_start":1000000,"window_end":2000000,"count":10,"mean":5,"min":4,"max":6,"range":2,"standard_deviation":0.5,"volume":null,"first_event_time":1000000,"last_event_time":2000000,"quality_flags":["valid"],"state":"open","epoch":1,"revision":7,"currency":"USD","unit":null}}'
    echo '{"tenant_id":"t","pair_id":"P","kind":"calendar","interval":"1m","window_start":60000000,"window_end":120000000,"value":-2.5,"bid_price":null,"ask_price":null,"legs":[{"instrument_id":"A","weight":1,"price":5,"window_start":60000000,"age":0,"stale":false},{"instrument_id":"B","weight":-1,"price":7.5,"window_start":0,"age":60000000,"stale":true}],"stale":true,"quality_flags":["valid"],'"$went}"
    echo '{"tenant_id":"t","curve_id":"C","interval":"1m","window_start":60000000,"window_end":120000000,"as_of":"1970-01-01","method":"linear","day_count":"act_365","points":[{"instrument_id":"A","contract_month":"1970-02","tenor":null,"delivery":2678400000000,"days":31,"price":5,"volume":2,"window_start":60000000,"age":0,"stale":false,"confidence":1}],"horizons":[{"horizon":"1m","date":2678400000000,"days":31,"price":5,"confidence":1,"reason":null},{"horizon":"1y","date":31536000000000,"days":365,"price":null,"confidence":null,"reason":"outside_points"}],"stale":false,"quality_flags":["valid"],'"$went}"
} >"$work/a"

# changed SED LINE: the records with a change differ as the line says, whichever of the two comes first.
changed() {
    sed -E "$1" "$work/a" >"$work/b"
    ! cmp -s "$work/a" "$work/b" || fail "$1 changes nothing"
    for pair in "a b" "b a"; do
        # shellcheck disable=SC2086 # two names
        (cd "$work" && expect 1 "$market" diff $pair) || exit
        grep -qx "$2" "$work/out" || { cat "$work/out"; fail "$1: nothing says $2"; }
        equal 3 "$(grep -c ' 1 equal, 0 differ, 0 only in the first, 0 only in the second$' "$work/out")" "kinds that $1 leaves equal"
    done
}
# same SED: nobody minds.
same() {
    sed -E "$1" "$work/a" >"$work/b"
    ! cmp -s "$work/a" "$work/b" || fail "$1 changes nothing"
    expect 0 "$market" diff "$work/a" "$work/b"
    equal 4 "$(wc -l <"$work/out")" "lines of $1"
}

echo "--- what differs"
changed 's/"close":5.5/"close":5.6/' 't/A 15m 900000000: close differs'
changed 's/"vwap":5.25/"vwap":null/' 't/A 15m 900000000: vwap differs'
changed 's/"flagged_count":0/"flagged_count":1/' 't/A 15m 900000000: flagged_count differs'
changed 's/\["valid","late_arrival"/["suspicious","late_arrival"/' 't/A 15m 900000000: quality_flags differs'
changed 's/"mean":5/"mean":5.000000000000001/' 't/A last_10: mean differs'
changed 's/"window_start":1000000/"window_start":1000001/' 't/A last_10: window_start differs'
changed 's/"value":-2.5/"value":-2.50000001/' 't/P calendar 60000000: value differs'
changed 's/"age":60000000,"stale":true/"age":60000000,"stale":false/' 't/P calendar 60000000: legs differs'
changed 's/"days":31,"price":5,"volume":2/"days":31,"price":5,"volume":null/' 't/C curve 60000000: points differs'
changed 's/"reason":"outside_points"/"reason":"too_few_points"/' 't/C curve 60000000: horizons differs'
changed 's/"as_of":"1970-01-01"/"as_of":"1970-01-02"/' 't/C curve 60000000: as_of differs'
changed 's/"window_start":900000000/"window_start":0/' 't/A 15m 0: only in b'

echo "--- what only says how a run went"
same 's/"state":"final","epoch":1,"revision":1/"state":"correction","epoch":3,"revision":2/'
same 's/"revision":7/"revision":8/'
same 's/,"late_arrival"//'
same 's/(("pair_id"|"curve_id").*)"valid"/\1"price_spike"/'

echo "--- the last revision counts, wherever it stands; open bars do not"
sed -E 's/"revision":([0-9])/"revision":1\1/' "$work/a" >"$work/later"
sed -E 's/"(close|mean)":/&9/; s/"value":-/&9/; s/1970-01-01/1970-01-05/' "$work/a" >"$work/earlier"
grep close "$work/a" | sed 's/"state":"final"/"state":"open"/; s/"revision":1/"revision":99/; s/"close":/&8/' >"$work/open"
for files in "later earlier open" "open earlier later"; do
    # shellcheck disable=SC2086 # names
    (cd "$work" && cat $files >b)
    expect 0 "$market" diff "$work/a" "$work/b"
done

echo "--- what is withdrawn is not there, and keeps away what came before it"
for id in pair curve; do
    grep "${id}_id" "$work/a" | sed -E 's/"state":"final","epoch":1,"revision":1/"state":"withdrawn","epoch":1,"revision":2/; s/"value":-2.5/"value":null/' >"$work/withdrawn"
    grep -v "${id}_id" "$work/a" >"$work/rest"
    cat "$work/withdrawn" "$work/a" >"$work/b"
    expect 1 "$market" diff "$work/a" "$work/b"
    equal 1 "$(grep -c ' 0 equal, 0 differ, 1 only in the first, 0 only in the second$' "$work/out")" "kinds that a withdrawn $id is missing from"
    cat "$work/withdrawn" "$work/rest" >"$work/c"
    expect 0 "$market" diff "$work/b" "$work/c"
done

echo "--- kinds"
grep pair_id "$work/a" >"$work/spreads"
expect 0 "$market" diff "$work/a" "$work/spreads"
equal "not compared, as only one of the two has any: bars, statistics, curves" "$(head -n 1 "$work/out")" "what is left out"
equal 2 "$(wc -l <"$work/out")" lines
expect 0 "$market" diff "$work/a" "$work/spreads" --of spreads
expect 1 "$market" diff "$work/a" "$work/spreads" --of spreads,curves
grep -q '^1 curves in .*: 0 equal, 0 differ, 1 only in the first' "$work/out" || fail "the curve is not missed"
: >"$work/empty"
expect 1 "$market" diff "$work/a" "$work/empty"
equal 4 "$(grep -c ' 0 equal, 0 differ, 1 only in the first, 0 only in the second$' "$work/out")" "kinds that an empty file lacks"

echo "--- what is refused"
expect 2 "$market" diff "$work/empty" "$work/empty"
says "neither $work/empty nor $work/empty has a record to compare"
expect 2 "$market" diff "$work/spreads" "$work/spreads" --of stats
says 'has a record to compare'
expect 2 "$market" diff "$work/a" "$work/a" --of stat
says '"stat" is none of bars, stats, spreads, curves: did you mean "stats"?'
expect 2 "$market" diff "$work/a"
says 'name two runs'
sed '3s/"kind":"calendar"/"kind":"basis"/' "$work/a" >"$work/b"
expect 2 "$market" diff "$work/a" "$work/b"
says "$work/b: line 3 is no bar, statistic, spread or curve"
