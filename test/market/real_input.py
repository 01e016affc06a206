"""docs/real-input.md: what became of each real market file, as counts, and checks against what the data publish themselves.

    real_input.py PIPELINE FOLDER [FILE...]    the page, or its lines of these files (names within FOLDER)

Each file goes through a run of its own, and its bars and latest prices are compared with a plain computation (feeds.py, exact.py).
Counts alone are written, never a price: the data's terms. A comparison that fails ends the command.
"""
import collections
import csv
import datetime
import decimal
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zoneinfo

import runs

HERE = os.path.dirname(os.path.abspath(__file__))
TOPICS = [runs.TICKS["normalization"], runs.LATEST, *(runs.BARS.format(name) for name in runs.INTERVALS),
          *(runs.LETTERS.format(name) for name in ("normalization", "enrichment", "aggregation", "projection"))]
CENT = 10**6  # in units of 1e-8
HOUR = 3600 * 10**6

TITLE = """# Real market files

What became of each file of `../shared/data/real`: counts only, never prices, for these are their publishers'. Made by `make docs-real`, which takes some
minutes; `test/scripts/real_input.sh` makes it again, in its short form for the smaller files, and compares.

Each file is loaded alone, into all four topologies, to the end. Of each, every bar of the four intervals (open, high, low, close, volume, vwap, count,
first and last time) and the latest price of every instrument equal a plain computation in another language (`test/market/feeds.py`, `test/market/exact.py`).

| file | raw events | ticks | bars 1m | 5m | 1h | 1d | dead letters | counted besides | flags |
|---|---|---|---|---|---|---|---|---|---|
"""
NOTES = """
Raw events: a row and instrument each. Ticks: prices, and components as instruments of their own. Bars: the last of each window. Dead letters: with their reasons.
Counted besides: not in bars or not latest, and why. Flags: ticks that have them; the rest is `valid`.

- `no_such_time`: AESO's extract has a row for the hour that the spring change leaves out, one each year.
- `ambiguous_time`: it has one row for the hour that the autumn change repeats, which is taken as the earlier one.
- `component_absent`: PJM's five-minute table has rows with prices and no components.
- `quote`: a bid and an ask are no price: in no bar, and no latest price.
- Published bars among the files are refused as bars: they are what the checks below compare with. SPY's leave the trades of some sale conditions out of
  their prices; gold's last minute lacks one lot. Here every trade counts.

## Against what the data publish themselves

| file | what | compared | equal | else |
|---|---|---|---|---|
"""
REST = """
## What the files do not allow

- Hourly averages of five-minute or quarter-hourly prices against published hourly prices: only AESO's minutes of 2018-12-30 lie within an hourly file. PJM's five
  minutes are of July 2023 and its hours of May to July 2025; NYISO's day is of 2022 and its hours of 2023; CAISO's quarter-hours, ERCOT's and ISO-NE's files share no hour.
- Day-ahead against real time by price: the two are different products, and may differ by any amount. What must agree is which hours and hubs there are, and that each
  has one energy price for the whole system.
- Two reports of one hour (preliminary and final, two versions of a row): no file is a second edition of another. `test/market/revised.py` makes such
  editions of PJM's files for `exact_bars.sh`.
"""


# ---- a run ----

class Run:
    """One file through the pipeline; what it left lies in a folder as runs.py reads it."""

    def __init__(self, pipeline, path, work):
        self.path, self.pipeline = path, pipeline
        self.name = os.path.basename(path)
        self.dir = os.path.join(work, self.name)
        self.left = self.dir + ".run"
        os.makedirs(self.left)

    def load(self):
        """False: the file was refused; self.refusal says why."""
        with open(os.path.join(self.left, "log"), "w", encoding="utf-8") as log:
            done = subprocess.run([self.pipeline, "local", "--dir", self.dir, "--once", "--log.level=info", self.path],
                                  stdout=subprocess.DEVNULL, stderr=log, check=False)
        if done.returncode != 0:
            with open(os.path.join(self.left, "log"), encoding="utf-8") as log:
                self.refusal = log.read()
            return False
        for topic in TOPICS:
            with open(os.path.join(self.left, topic), "w", encoding="utf-8") as out:
                subprocess.run([self.pipeline, "cat", topic, "--dir", self.dir], stdout=out, stderr=subprocess.DEVNULL, check=False)
        return True

    def check(self):
        ticks = subprocess.Popen([sys.executable, os.path.join(HERE, "feeds.py"), "ticks", self.path], stdout=subprocess.PIPE)
        exact = subprocess.run([sys.executable, os.path.join(HERE, "exact.py"), self.left], stdin=ticks.stdout, stdout=subprocess.PIPE,
                               text=True, check=False)
        if exact.returncode != 0 or ticks.wait() != 0:
            runs.fail(f"{self.name}: {exact.stdout}")

    def ticks(self):
        """Normalized ticks: (instrument, time, sequence, price, volume, flags)."""
        for record in runs.records(self.left, runs.TICKS["normalization"]):
            tick = record["value"]
            yield (tick["instrument_id"], int(tick["event_time"]), int(tick["sequence"]), runs.units(tick["price"]),
                   runs.units(tick["volume"]), tick["quality_flags"])

    def bars(self, interval):
        return runs.bars(self.left, interval)


def listed(counts):
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items()) if number) or "none"


def count_events(run):
    """What the log says was loaded."""
    with open(os.path.join(run.left, "log"), encoding="utf-8") as log:
        match = re.search(r"id=file-loaded .*? events=(\d+)", log.read())
    return int(match.group(1)) if match else 0


def line_of(run):
    letters, unused, flags = collections.Counter(), collections.Counter(), collections.Counter()
    for topology in ("normalization", "enrichment", "aggregation", "projection"):
        refused = runs.letters(run.left, topology)
        letters.update(refused)
        # What aggregation does not put into a bar is counted again by projection, which has no other count of it.
        if topology in ("normalization", "aggregation"):
            unused.update({name: number for name, number in runs.unused(run.left, topology).items() if name not in refused})
    count = 0
    for tick in run.ticks():
        count += 1
        flags.update(flag for flag in tick[5] if flag != "valid")
    bars = " | ".join(f"{len(run.bars(interval)):,}" for interval in runs.INTERVALS)
    return (f"| `{run.name}` | {count_events(run):,} | {count:,} | {bars} | {listed(letters)} | {listed(unused)} | {listed(flags)} |")


def refused_line(run):
    reason = re.search(r"bars that somebody made[^:\n]*", run.refusal)
    if not reason:
        runs.fail(f"{run.name}: {run.refusal}")
    return f"| `{run.name}` | refused: `published_bars` | | | | | | | | |"


# ---- checks ----

def check_line(run, what, compared, equal, other=""):
    return f"| `{run.name}` | {what} | {compared:,} | {equal:,} | {other} |"


def parts_of(run):
    """(instrument without component, time, sequence) -> {component or "": price}."""
    rows = collections.defaultdict(dict)
    for name, time, sequence, price, *_ in run.ticks():
        base, dot, last = name.rpartition(".")
        if last in ("MCE", "MCC", "MLC", "MGHG"):
            rows[base, time, sequence][last] = price
        elif price is not None:
            rows[name, time, sequence][""] = price
    return rows


def check_sum(run):
    """LMP = energy + congestion + loss, of rows that have all; CAISO's with greenhouse gas where it is given."""
    compared = equal = cent = 0
    for row in parts_of(run).values():
        if not {"", "MCE", "MCC", "MLC"} <= set(row):
            continue
        compared += 1
        off = abs(row[""] - row["MCE"] - row["MCC"] - row["MLC"] - row.get("MGHG", 0))
        equal += off == 0
        cent += 0 < off <= 2 * CENT
    if compared == 0:
        return []
    left = compared - equal - cent
    return [check_line(run, "price = energy + congestion + loss", compared, equal,
                       f"{cent:,} by rounding, two cents at most" + (f"; {left:,} further off" if left else ""))]


def check_energy(run):
    """What is left of a price without congestion and loss is one number for all places: the system's energy price."""
    at = collections.defaultdict(list)
    for (name, time, sequence), row in parts_of(run).items():
        if {"", "MCC", "MLC"} <= set(row):
            at[name.split(".")[-1] if name.split(".")[-1] in ("DA", "RT1H") else "", time, sequence].append(
                row[""] - row["MCC"] - row["MLC"])
    compared = {key: values for key, values in at.items() if len(values) > 1}
    spread = [max(values) - min(values) for values in compared.values()]
    equal, cents = sum(off == 0 for off in spread), sum(0 < off <= 4 * CENT for off in spread)
    left = len(spread) - equal - cents
    if not spread:
        return []
    return [check_line(run, "price - congestion - loss is the same at all places", len(spread), equal,
                       f"{cents:,} by rounding, four cents at most" + (f"; {left:,} further apart" if left else ""))]


def published_rows(path):
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path, encoding="ascii") as file:
        yield from csv.reader(file)


def compare_bars(want, have):
    """(compared, equal in all, equal in prices, equal in volume)."""
    both = [(want[start], have[start]) for start in want if start in have]
    return (len(want), sum(a == b for a, b in both), sum(a[:4] == b[:4] for a, b in both), sum(a[4] == b[4] for a, b in both))


def said_equal(counts):
    compared, _, prices, volume = counts
    return f"open, high, low, close equal in {prices:,}, volume in {volume:,}" if prices < compared or volume < compared else ""


def check_minutes(run, published, zone, scale):
    day = datetime.datetime.strptime(re.search(r"\d{8}", run.name[len("trades_gc_201312"):]).group(), "%Y%m%d")
    midnight = int(day.replace(tzinfo=zoneinfo.ZoneInfo(zone)).timestamp()) * 10**6
    path = os.path.join(os.path.dirname(run.path), published)
    want = {midnight + int(row[0]) * 1000: tuple(runs.units(cell) // scale for cell in row[1:5]) + (runs.units(row[5]),)
            for row in published_rows(path)}
    if "second" in published:
        have = seconds_of(run)
        what = "ticks by seconds, and published second bars"
    else:
        have = {start: tuple(runs.units(bar[name]) for name in ("open", "high", "low", "close", "volume"))
                for (_, start), bar in run.bars("1m").items()}
        what = "minute bars, and the published ones"
    counts = compare_bars(want, have)
    return [check_line(run, what, counts[0], counts[1], said_equal(counts))]


def seconds_of(run):
    """Normalized ticks folded by seconds."""
    seconds = {}
    for _, time, sequence, price, volume, _ in sorted(run.ticks(), key=lambda tick: tick[1:3]):
        start = time - time % 10**6
        if start not in seconds:
            seconds[start] = [price, price, price, price, 0]
        bar = seconds[start]
        bar[1:5] = max(bar[1], price), min(bar[2], price), price, bar[4] + volume
    return {start: tuple(bar) for start, bar in seconds.items()}


def check_ohlc(run, published):
    """Kraken's own minutes that hold a trade of the file; the first one is cut by the beginning of the list."""
    with open(os.path.join(os.path.dirname(run.path), published), encoding="utf-8") as file:
        result = json.load(file, parse_float=str, parse_int=str)["result"]
    rows = next(value for name, value in result.items() if name != "last")
    want = {int(row[0]) * 10**6: tuple(runs.units(cell) for cell in (*row[1:5], row[6])) + (int(row[7]),) for row in rows}
    have = {start: tuple(runs.units(bar[name]) for name in ("open", "high", "low", "close", "volume")) + (int(bar["trade_count"]),)
            for (_, start), bar in run.bars("1m").items()}
    both = sorted(set(want) & set(have))
    equal = sum(want[start] == have[start] for start in both)
    first = "the first one, which the list of trades begins within" if both and want[both[0]] != have[both[0]] else ""
    return [check_line(run, "minute bars and counts, and Kraken's own", len(both), equal, first)]


def check_hub(run):
    """ISO-NE: the internal hub is the plain mean of its nodes."""
    nodes, hub = collections.defaultdict(list), {}
    kinds = {row[4]: row[5] for row in published_rows(run.path) if row[0] == "D"}
    hub_nodes = {runs_location(name) for name, kind in kinds.items() if kind == "HUB NODE"}
    for name, time, _, price, *_ in run.ticks():
        place = name[len("ISONE."):-len(".RT1H")]
        if place in hub_nodes:
            nodes[time].append(price)
        elif place == "H.INTERNAL_HUB":
            hub[time] = price
    off = [abs(hub[time] * len(prices) - sum(prices)) for time, prices in nodes.items() if time in hub]
    near = sum(value <= 3 * CENT * len(hub_nodes) for value in off)
    return [check_line(run, f"the hub is the mean of its {len(hub_nodes)} nodes, to three cents", len(off), near)]


def runs_location(name):
    return re.sub(r"[^A-Z0-9_]*[^A-Z0-9_-][^A-Z0-9_]*", ".", name.upper()).strip(".")


def check_average(run, whole, parts):
    """ERCOT: the average of hubs is the mean of four."""
    at = collections.defaultdict(dict)
    for name, time, _, price, *_ in run.ticks():
        at[time][name] = price
    rows = [row for row in at.values() if {whole, *parts} <= set(row)]
    near = sum(abs(row[whole] * len(parts) - sum(row[part] for part in parts)) <= CENT * len(parts) for row in rows)
    return [check_line(run, f"the average of hubs is the mean of {len(parts)}, to a cent", len(rows), near)]


def check_hours(run, hourly):
    """The mean of the minutes of each full hour is the hour's price, to a cent."""
    hours = collections.defaultdict(list)
    for _, time, _, price, *_ in run.ticks():
        hours[time - time % HOUR].append(price)
    published = {time: price for _, time, _, price, *_ in hourly.ticks()}
    full = {start: prices for start, prices in hours.items() if len(prices) == 60 and start in published}
    off = {start: abs(published[start] * 60 - sum(prices)) for start, prices in full.items()}
    near = sum(value <= CENT * 60 for value in off.values())
    return [check_line(run, f"hours: the mean of 60 minutes is the price of `{hourly.name}`, to a cent", len(full), near)]


def check_pair(run, other):
    """The same places and hours in both."""
    def places(of, ending):
        return {(name[:-len(ending)], time) for name, time, *_ in of.ticks() if name.endswith(ending)}
    ours, theirs = places(run, ".RT1H"), places(other, ".DA")
    return [check_line(run, f"hours and hubs are those of `{other.name}`", len(ours | theirs), len(ours & theirs))]


ERCOT_HUBS = [f"ERCOT.{name}" for name in ("HOUSTON", "NORTH", "SOUTH", "WEST")]
CHECKS = {
    "trades_gc_201312_tick_20131008.csv.gz":
        lambda run, _: check_minutes(run, "trades_gc_201312_minute_bars_20131008.csv.gz", "UTC", 1),
    "trades_spy_tick_20131007.csv.gz":
        lambda run, _: check_minutes(run, "trades_spy_minute_bars_20131007.csv.gz", "America/New_York", 10**4)
        + check_minutes(run, "trades_spy_second_bars_20131007.csv.gz", "America/New_York", 10**4),
    "trades_kraken_api_xbtusdt_2025-11-10.json":
        lambda run, _: check_ohlc(run, "trades_kraken_api_ohlc_1min_xbtusdt_2025-11-10.json"),
    "isone_lmp_rt_final_20260602.csv.gz": lambda run, _: check_hub(run),
    "ercot_rt_15min_hubs_2021Q1.csv.gz": lambda run, _: check_average(run, "ERCOT.HUB.AVERAGE", ERCOT_HUBS),
    "aeso_smp_1min_2018-12-30.csv": lambda run, others: check_hours(run, others("aeso_pool_price_hourly_2016-12_2020-01.csv.gz")),
    "pjm_rt_hrl_lmps_hubs_2025-05_07.csv.gz": lambda run, others: check_pair(run, others("pjm_da_hrl_lmps_hubs_2025-05_07.csv.gz")),
}


# ---- the page ----

def main():
    pipeline, folder, only = sys.argv[1], sys.argv[2], sys.argv[3:]
    lines, checks, done = [], [], {}
    with tempfile.TemporaryDirectory() as work:
        def taken(name):
            if name not in done:
                done[name] = Run(pipeline, os.path.join(folder, name), work)
                done[name].loaded = done[name].load()
                shutil.rmtree(done[name].dir, ignore_errors=True)
            return done[name]

        for name in only or sorted(name for name in os.listdir(folder) if not name.endswith(".md")):
            run = taken(name)
            if not run.loaded:
                lines.append(refused_line(run))
                continue
            run.check()
            lines.append(line_of(run))
            print(lines[-1], file=sys.stderr, flush=True)
            checks += check_sum(run) + check_energy(run) + CHECKS.get(name, lambda *_: [])(run, taken)
    page = "\n".join(lines) + "\n"
    told = "\n".join(checks) + "\n" if checks else ""
    sys.stdout.write(page + told if only else TITLE + page + NOTES + told + REST)


if __name__ == "__main__":
    main()
