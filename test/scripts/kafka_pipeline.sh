#!/bin/bash
# The pipeline as services over Apache Kafka: normalization, enrichment, aggregation twice and projection, each a process of its own,
# started before any topic is there. They are killed at seeded moments, with their disk kept or emptied; stopped and started again;
# restored from the broker alone. The bars are those of the embedded log and of plain computations, each revision is there once. The
# broker keeps records for a second, and refuses those of the future, where a topic does not say otherwise: ticks of 2013 and of two days
# ahead stay. FORM=long: 20 kills, three processes of aggregation, more rows.
. test/scripts/cli.inc
server=test/servers/kafka.sh
trap '$server kill "$work/kafka"; $server kill "$work/one"; cleanup' EXIT
market=$BUILD/data-processing
real=../shared/data/real
export LC_ALL=C
RANDOM=31
kills=3 rows=1500 aggregations=2 parts=30
[ "${FORM:-short}" = short ] || { kills=20 rows=20000 aggregations=3 parts=90; }

# ---- files ----

"$market" generate --out "$work/made" --bars "$work/made.bars" --rows $rows --seed 9 --corrections 5 --late 5 --shuffle 5m >/dev/null
files=("$work"/made/*.csv) late=("$work"/made/late/*.csv) published=()
gold=$work/trades_gc_201312_tick_20131008.csv
if [ -d $real ]; then
    gold=$real/trades_gc_201312_tick_20131008.csv.gz published=($real/trades_gc_201312_minute_bars_20131008.csv.gz)
else
    echo "left out: the published gold minutes, $real is not there"
    awk -v rows=20000 -v seed=7 -f test/bars/ticks.awk >"$gold"
fi
python3 - >"$work/ahead.csv" <<'END'
import datetime
start = datetime.datetime.utcnow().replace(microsecond=0) + datetime.timedelta(days=2)
print("symbol,timestamp,market,sequence,price,volume,currency,unit")
for i in range(300):
    print(f"AHEAD,{(start + datetime.timedelta(seconds=50 * i)).isoformat()}Z,ICE,{i},{80 + i % 7}.25,1,USD,lot")
END
files+=("$gold" "$work/ahead.csv")
"$market" local --dir "$work/whole" --once --log.level=warn "${files[@]}"

# ---- services ----

declare -A pids
ids=(projection-0 aggregation-0 enrichment-0 normalization-0)
for ((i = 1; i < aggregations; i++)); do ids+=(aggregation-$i); done
# instruments that fall silent close at once: what comes later is a correction
flags=(--commit.interval.ms=20 --threads=1 --http.port=0 --aggregation.minute_s.idle=1s --aggregation.five_s.idle=1s
    --aggregation.hour_s.idle=1s --aggregation.day_s.idle=1s)

# serve ID [MOMENT]: in the background; its words are those of this life.
serve() {
    : >"$work/$1.log"
    WEIR_CRASH_AT=${2:-} "$market" run "${1%-*}" --instance.id="$1" --state.dir="$work/state/$1" "${flags[@]}" \
        >"$work/$1.log" 2>&1 </dev/null &
    pids[$1]=$!
    children+=($!)
}

# ask ID PATH
ask() { curl -s --max-time 5 "http://127.0.0.1:$(sed -nE 's/.*id=http-open.* port=([0-9]+).*/\1/p' "$work/$1.log")$2"; }
is_ready() { ask "$1" /health/ready | grep -q '"ready":true'; }
all_ready() { for id in "${ids[@]}"; do await is_ready "$id"; done; }
restored() { ask "$1" /metrics | awk '/^weir_restore_records_total/ { sum += $NF } END { print sum + 0 }'; }
died() { ! runs "${pids[$1]}"; }

# stop_all: each comes to its end by SIGTERM, which shutdown.timeout.ms bounds: beyond it the exit is another one.
stop_all() {
    kill -TERM "${pids[@]}"
    for id in "${ids[@]}"; do
        wait "${pids[$id]}" || { cat "$work/$id.log"; fail "$id: the stop ended with $?"; }
    done
}

fatal() {
    tail -n 20 "$work"/*-?.log
    [ ! -e "$work/diff" ] || cat "$work/diff"
    fail "$1"
}

# converges: the bars are those of the embedded log, at last. The last windows of AHEAD end in two days: no clock closes them.
converges() {
    local i
    for ((i = 0; i < 100; i++)); do
        code=0
        "$market" diff "$work/whole" "$A" --of bars >"$work/diff" 2>&1 || code=$?
        if [ $code = 1 ] && ! grep -vE '^default/AHEAD .*: only in .*/whole$' "$work/diff" | grep -v ' bars in ' | grep -q .; then
            tail -n 1 "$work/diff"
            return
        fi
        sleep 0.3
    done
    fatal "the bars are not equal"
}

# check RUN: what a reader of committed records finds: each record and revision once, and the plain computations.
check() {
    local topic
    mkdir -p "$1"
    for topic in normalized.market.ticks.v1 enriched.market.ticks.v1 aggregated.market.bars.{1m,5m,1h,1d}.v1; do
        "$market" cat $topic >"$1/$topic"
    done
    python3 test/market/revisions.py "$1"
    python3 test/market/bars.py "$gold" <(grep -F '"GC.201312"' "$1/aggregated.market.bars.1m.v1") "${published[@]}"
}

# ---- one life ----

A=$(KAFKA_SET="log.retention.ms=1000;log.retention.check.interval.ms=1000;log.roll.ms=7200000;log.cleaner.backoff.ms=1000" $server start "$work/kafka")
export WEIR_KAFKA_BOOTSTRAP_SERVERS=$A

echo "--- started at once and before the topics; killed $kills times while it works; loads killed too"
moments=(mid-commit record before-commit after-flush after-commit)
declare -A moments_of
for id in "${ids[@]}"; do moments_of[$id]=; done
for ((i = 0; i < kills; i++)); do
    id=${ids[RANDOM % ${#ids[@]}]} moment=${moments[i % ${#moments[@]}]}
    [ $i -gt 0 ] || id=aggregation-0
    [ "$moment" != record ] || moment=record:$((RANDOM % 500 + 1))
    [[ $moment == *:* ]] || moment=$moment:$((RANDOM % 6 + 1))
    moments_of[$id]+="$moment "
done

# live ID: begins the life that ends at the next moment of it, or at none.
live() {
    read -r moment rest <<<"${moments_of[$1]}"
    moments_of[$1]=$rest
    serve "$1" "$moment"
    ends[$1]=$moment
}

# bury ID: it has died at its moment, and lives again.
bury() {
    local code=0 emptied=
    { wait "${pids[$1]}"; } 2>/dev/null || code=$?
    [ $code = 137 ] || fatal "$1 ended with $code before ${ends[$1]}"
    killed=$((killed + 1))
    [ $((killed % 2)) = 0 ] || { rm -rf "$work/state/$1"; emptied=", its disk emptied"; }
    echo "$1 was killed at ${ends[$1]} in part $part$emptied"
    live "$1"
}

# cut_files: so many parts of each file, into $work/part. All of them are its first half, which leaves something for loads to be killed at.
cut_files() {
    local file
    mkdir -p "$work/part"
    for file in "${files[@]}"; do
        zcat -f "$file" >"$work/whole.csv"
        head -n $(($(wc -l <"$work/whole.csv") * part / parts / 2 + 1)) "$work/whole.csv" >"$work/part/$(basename "$file" .gz)"
    done
}

any_died() {
    local id
    for id in "${ids[@]}"; do ! died "$id" || return 0; done
    return 1
}
# A moment passes with records at hand alone. The next part is held back until this one is processed, or somebody has died of it.
is_met() { any_died || "$market" lag --json | grep -q '"lag":0}$'; }

declare -A ends
killed=0 part=0
for id in "${ids[@]}"; do live "$id"; done
while [ $killed -lt $kills ]; do
    [ $((++part)) -le $parts ] || fatal "only $killed of $kills kills have met work"
    cut_files
    expect 0 "$market" load --log.level=warn "$work"/part/*
    await is_met
    for id in "${ids[@]}"; do ! died "$id" || bury "$id"; done
done
for at in before-load:1 after-load:1 before-load:2 after-load:3; do
    code=0
    WEIR_CRASH_AT=$at "$market" load --log.level=warn "${files[@]}" >"$work/out" 2>"$work/err" || code=$?
    [ $code = 137 ] || { cat "$work/err"; fail "the load ended with $code at $at"; }
done
expect 0 "$market" load --log.level=warn "${files[@]}"
expect 0 "$market" load --log.level=warn "${files[@]}"
equal "0 events loaded" "$(cat "$work/out")" "a load that is repeated"
equal $kills $killed kills
converges
check "$work/first"
for topic in normalized enriched; do
    equal "$("$market" cat $topic.market.ticks.v1 --dir "$work/whole" | wc -l)" "$(wc -l <"$work/first/$topic.market.ticks.v1")" "$topic ticks"
done
grep -vE '"(GC\.201312|AHEAD)"' "$work"/first/aggregated.market.bars.* -h >"$work/made.have"
! "$market" diff "$work/made.have" "$work/made.bars" >"$work/diff" || fail "the late rows change nothing"

echo "--- stopped, and started again: nothing is replayed"
all_ready
stop_all
for id in "${ids[@]}"; do serve "$id"; done
all_ready
for id in "${ids[@]}"; do equal 0 "$(restored "$id")" "changelog records that $id read back"; done

echo "--- restored from the broker alone; late rows change closed windows"
stop_all
rm -rf "$work/state"
for id in "${ids[@]}"; do serve "$id"; done
all_ready
sum=0
for id in "${ids[@]}"; do sum=$((sum + $(restored "$id"))); done
[ $sum -gt 0 ] || fail "nothing was restored"
"$market" load --log.level=warn "${late[@]}" >/dev/null
"$market" local --dir "$work/whole" --once --log.level=error "${late[@]}"
converges
check "$work/second"
grep -vE '"(GC\.201312|AHEAD)"' "$work"/second/aggregated.market.bars.* -h >"$work/made.have"
expect 0 "$market" diff "$work/made.have" "$work/made.bars"
"$market" explain AHEAD aggregation | grep -q ', open: waits' || fail "explain says nothing of AHEAD"
stop_all
expect 0 "$market" run aggregation --once --instance.id=aggregation-0 --state.dir="$work/state/aggregation-0" --log.level=warn
expect 0 "$market" diff "$work/whole" "$A"
cat "$work/out"

echo "--- one partition, all in one process"
B=$($server start "$work/one")
expect 0 "$market" run --kafka.bootstrap.servers="$B" --topics.partitions=1 --state.dir="$work/state-one" --once --log.level=error \
    --commit.interval.ms=100 "${files[@]}"
expect 0 "$market" run --kafka.bootstrap.servers="$B" --state.dir="$work/state-one" --once --log.level=error "${late[@]}"
expect 0 "$market" diff "$A" "$B"
cat "$work/out"
expect 2 "$market" diff "$A" 127.0.0.1:1
says "no broker answers"
