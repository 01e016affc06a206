#!/bin/bash
# The pipeline over HTTP: a file goes in, the projection answers for the latest price, bars, statistics and a curve, and the answers
# are those of the served topic and of plain arithmetic.
. test/scripts/cli.inc
market=${BUILD:-build}/data-processing

# A made-up day of minutes: price 20 + minute/100, but for 13:30, which has none.
awk 'BEGIN { for (i = 0; i < 1440; i++) if (i != 810) printf "01/15/2019 %02d:%02d,%.2f\n", i / 60, i % 60, 20 + i / 100 }' >"$work/aeso_smp_1min.csv"
: >"$work/log"
cat >"$work/curves.jsonl" <<'EOT'
{"curve_id": "AESO.CURVE", "horizons": ["1m", "3m"], "members": [{"instrument_id": "AESO.AB", "tenor": "1m"}]}
EOT
"$market" local --dir "$work/d" --http.port=0 --aggregation.bars.intervals=1m,5m,15m,1h,4h,1d --reference "$work/curves.jsonl" "$work/aeso_smp_1min.csv" 2>"$work/log" &
pid=$!
children+=("$pid")
await grep -q id=http-open "$work/log"
port=$(sed -nE 's/.*id=http-open.* port=([0-9]+).*/\1/p' "$work/log")
ask() { curl -sS --max-time 20 "http://127.0.0.1:$port$1"; }
who='instrument_id=AESO.AB&tenant_id=default'
served() { ask "/projections/latest_price?$who" | grep -q '"price":34.39,'; }
await served

"$market" cat served.market.latest_prices.v1 --dir "$work/d" | tail -n 1 >"$work/last"
python3 - "$work/last" <(ask "/projections/latest_price?$who") <<'EOT' || fail "the latest price is not that of the topic"
import json, sys
assert json.load(open(sys.argv[1]))["value"] == json.load(open(sys.argv[2]))
EOT

# The last but one hour is closed by the last one's minutes.
hours() { ask "/projections/bars?$who&interval=1h" | grep -o window_start | wc -l; }
has_hours() { [ "$(hours)" -ge 23 ]; }
await has_hours
python3 - <(ask "/projections/bars?$who&interval=1h") <(ask "/projections/bars?$who&interval=1m&from=2019-01-15T20:00:00Z&to=2019-01-15T20:59:00Z") \
    <(ask "/projections/bars?$who&interval=15m") <<'EOT' || fail "the bars are not those of the file"
import datetime, json, sys
from zoneinfo import ZoneInfo
start = datetime.datetime(2019, 1, 15, tzinfo=ZoneInfo("America/Edmonton")).timestamp()
price = {int(start + 60 * i) : round(20 + i / 100, 2) for i in range(1440) if i != 810}
def check(bars, seconds):
    for bar in bars:
        at = bar["window_start"] // 1000000
        inside = [price[t] for t in range(at, at + seconds, 60) if t in price]
        assert (bar["open"], bar["high"], bar["low"], bar["close"], bar["trade_count"]) == \
            (inside[0], max(inside), min(inside), inside[-1], len(inside)), bar
hours, minutes, quarters = (json.load(open(path)) for path in sys.argv[1:])
check(hours["bars"], 3600)
check(minutes["bars"], 60)
check(quarters["bars"], 900)
assert len(quarters["bars"]) == 95 and all(bar["interval"] == "15m" for bar in quarters["bars"]), len(quarters["bars"])
assert len(minutes["bars"]) == 59, len(minutes["bars"]) # 13:30 in Alberta is 20:30 here
EOT
# Statistics and the curve are those of minutes that have closed: all but those of the last minutes have.
custom="instrument_id=AESO.AB&tenant_id=default&projection_type=rolling_stat"
has_stats() { ask "/projections/custom?$custom&window=last_100" | grep -q '"max":34.3'; }
has_curve() { ask "/projections/curve_snapshot?instrument_id=AESO.CURVE&tenant_id=default&horizon=1m" | grep -q '"price":34.3'; }
await has_stats
await has_curve
python3 - <(ask "/projections/custom?$custom&window=last_100") <(ask "/projections/curve_snapshot?instrument_id=AESO.CURVE&tenant_id=default&horizon=1m") <<'EOT' || fail "statistics or the curve are not those of the file"
import datetime, json, sys
from zoneinfo import ZoneInfo
start = datetime.datetime(2019, 1, 15, tzinfo=ZoneInfo("America/Edmonton")).timestamp()
minute = lambda us: int((us // 1000000 - start) // 60)
stats, curve = (json.load(open(path)) for path in sys.argv[1:])
last = minute(stats["window_end"])
assert stats["count"] == 100 and minute(stats["window_start"]) == last - 99 and last > 1400, stats
assert abs(stats["mean"] - (20 + (last - 49.5) / 100)) < 1e-9 and stats["max"] == round(20 + last / 100, 2), stats
at = minute(curve["window_start"])
assert at > 1400 and curve["price"] == round(20 + at / 100, 2) and len(curve["points"]) == 1 and curve["horizon"] == "1m", curve
EOT
equal "$(ask "/projections/curve_snapshot?instrument_id=AESO.CURVE&tenant_id=default&horizon=1m")" \
    "$(ask "/projections/curve_snapshot?instrument_id=AESO.CURVE&tenant_id=default&horizon=1M")" "a horizon in capitals"
equal '{"error":"Projection not found","status":404}' "$(ask "/projections/curve_snapshot?instrument_id=AESO.CURVE&tenant_id=default&horizon=1y")" "a horizon that the curve has not"
equal '{"error":"missing horizon","status":400}' "$(ask "/projections/curve_snapshot?instrument_id=AESO.CURVE&tenant_id=default")" "no horizon"
equal '{"error":"missing projection_type","status":400}' "$(ask "/projections/custom?$who")" "no type"
equal '{"error":"Projection not found","status":404}' "$(ask "/projections/custom?$who&projection_type=spread")" "a pair that is none"
equal '{"error":"Projection not found","status":404}' "$(ask '/projections/latest_price?instrument_id=AESO.XX&tenant_id=default')" "an unknown instrument"
equal '{"error":"missing tenant_id","status":400}' "$(ask '/projections/latest_price?instrument_id=AESO.AB')" "no tenant"
equal 400 "$(curl -sS -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/projections/bars?$who&from=yesterday")" "a time that is none"

refuses() { equal "$1" "$(ask "/projections/$2" | sed -E 's/.*"error":"([^"]*)".*/\1/')" "the answer to $2"; }
refuses 'unknown parameter limit: there are instrument_id|tenant_id|interval|from|to' "bars?$who&limit=1"
refuses 'unknown parameter instrument: there are instrument_id|tenant_id' "latest_price?$who&instrument=AESO.AB"
refuses 'projection_type: there are spread, basis, bid_ask and rolling_stat' "custom?$who&projection_type=curve"
refuses 'tenant_id is given twice' "latest_price?$who&tenant_id=default"
refuses 'from is behind to: exchange them' "bars?$who&from=2019-01-16&to=2019-01-15"
refuses 'interval: there are 1m, 5m, 1h, 1d, 15m, 4h' "bars?$who&interval=2h"
refuses 'interval: there are 1m, 5m, 1h, 1d, 15m, 4h' "bars?$who&interval=7m"
refuses 'interval: there are 1m, 5m, 1h, 1d' "bars?instrument_id=AESO.XX&tenant_id=default&interval=15m"
equal '{"bars":[],"more":false}' "$(ask "/projections/bars?$who&interval=15m&to=2019-01-01")" "an interval that there is, and no bar of that time"

kill -TERM "$pid"
code=0
wait "$pid" || code=$?
equal 0 "$code" "exit code after SIGTERM"
