"""Minute bars of a tick file by plain computation, compared with what `data-processing cat` prints of them.

    bars.py TICKS BARS [PUBLISHED]

TICKS: rows of ms of the day, price, size; BARS: JSON lines; PUBLISHED: published minute bars of the same day, of which the
last may lack volume. Standard library only; it shares no code with the pipeline.
"""
import collections
import decimal
import gzip
import json
import sys

DAY = 1381190400  # 2013-10-08T00:00:00Z


def rows(path):
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path, encoding="ascii") as file:
        for line in file:
            yield line.strip().split(",")


def computed(path):
    minutes = collections.OrderedDict()
    for number, row in enumerate(rows(path)):
        minutes.setdefault(DAY + int(row[0]) // 60000 * 60, []).append(
            (int(row[0]), number, decimal.Decimal(row[1]), decimal.Decimal(row[2])))
    for start, trades in minutes.items():
        trades.sort()
        prices = [trade[2] for trade in trades]
        yield start, (prices[0], max(prices), min(prices), prices[-1], sum(trade[3] for trade in trades), len(trades))


def converged(path):
    """The last bar of each minute; each (minute, epoch, revision) may come once."""
    bars, seen = {}, set()
    with open(path, encoding="utf-8") as file:
        for line in file:
            bar = json.loads(line, parse_float=decimal.Decimal, parse_int=decimal.Decimal)["value"]
            identity = (bar["window_start"], bar["epoch"], bar["revision"])
            if identity in seen:
                sys.exit(f"{identity} came twice")
            seen.add(identity)
            start = int(bar["window_start"]) // 1000000
            if start not in bars or bars[start]["revision"] < bar["revision"]:
                bars[start] = bar
    return bars


def main():
    bars = converged(sys.argv[2])
    count = 0
    for start, want in computed(sys.argv[1]):
        bar = bars.get(start)
        got = bar and tuple(bar[name] for name in ("open", "high", "low", "close", "volume", "trade_count"))
        if got != want:
            sys.exit(f"minute {start}: {got} instead of {want}")
        count += 1
    if count != len(bars):
        sys.exit(f"{len(bars)} minutes instead of {count}")
    if len(sys.argv) > 3:
        for row in rows(sys.argv[3]):
            bar = bars[DAY + int(row[0]) // 1000]
            if tuple(bar[name] for name in ("open", "high", "low", "close")) != tuple(map(decimal.Decimal, row[1:5])):
                sys.exit(f"minute {row[0]} is not the published one")
    print(f"{count} minutes equal the plain computation")


main()
