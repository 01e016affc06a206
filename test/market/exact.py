"""All bars and latest prices of a run by plain computation over the same files, compared with what the pipeline made.

    feeds.py ticks FILE... | exact.py RUN

Standard input: the ticks by the other implementation. RUN: see runs.py. Of several contents of one tick the one of greater
(revision, price, volume) counts, none least; their ingestion times do not differ in the files of this test. Every interval is
folded from the ticks themselves, in whole numbers of 1e-8.
"""
import bisect
import datetime
import re
import sys
import zoneinfo

import runs

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 10**6
WIDTHS = {"1m": 60 * SECOND, "5m": 300 * SECOND, "1h": 3600 * SECOND}
ZONES = {"MISO": "EST", "CAISO": "America/Los_Angeles", "ERCOT": "America/Chicago", "PJM": "America/New_York",
         "NYISO": "America/New_York", "ISONE": "America/New_York", "AESO": "America/Edmonton", "SPY": "America/New_York"}


def read_ticks(lines):
    """(instrument, time, sequence) -> (revision, price, volume) that counts; volumes less than any number for none."""
    ticks, lines_read = {}, 0
    for line in lines:
        name, time, price, volume, _, _, revision, sequence = line.split()[:8]
        lines_read += 1
        if price == "-":
            continue
        identity = name, int(time), int(sequence)
        content = int(revision), runs.units(price), (volume != "-", runs.units(volume) if volume != "-" else 0)
        if identity not in ticks or ticks[identity] < content:
            ticks[identity] = content
    return ticks, lines_read


class Days:
    """The days of one zone: midnights of its calendar."""

    def __init__(self, name):
        zone = zoneinfo.ZoneInfo(name)
        first = datetime.date(2010, 1, 1)
        dates = [first + datetime.timedelta(days=i) for i in range(366 * 30)]
        self.starts = [int((datetime.datetime(d.year, d.month, d.day, tzinfo=zone) - EPOCH).total_seconds()) * SECOND
                       for d in dates]

    def around(self, time):
        at = bisect.bisect_right(self.starts, time)
        return self.starts[at - 1], self.starts[at]


ALL_DAYS = {}


def day_of(name, time):
    zone = ZONES.get(re.split(r"\.", name)[0], "UTC")
    if zone not in ALL_DAYS:
        ALL_DAYS[zone] = Days(zone)
    return ALL_DAYS[zone].around(time)


def window_of(interval, name, time):
    if interval == "1d":
        return day_of(name, time)
    width = WIDTHS.get(interval) or int(interval[:-1]) * {"m": 60, "h": 3600}[interval[-1]] * SECOND
    start = time - time % width
    return start, start + width


def fold(ticks):
    """Ticks of one window, in their order -> what a bar says."""
    prices = [price for _, price, _ in ticks]
    volumes = [(price, volume[1]) for _, price, volume in ticks if volume[0]]
    total = sum(volume for _, volume in volumes)
    return {"open": prices[0], "high": max(prices), "low": min(prices), "close": prices[-1],
            "volume": total if volumes else None,
            # whole numbers divide to the nearest double
            "vwap": sum(price * volume for price, volume in volumes) / (total * 10**8) if total else None,
            "trade_count": len(prices), "first_event_time": ticks[0][0], "last_event_time": ticks[-1][0]}


def computed(ticks, interval):
    """(key, start) -> bar."""
    windows = {}
    for (name, time, sequence), (_, price, volume) in sorted(ticks.items()):
        start, end = window_of(interval, name, time)
        windows.setdefault((f"default/{name}", start), (end, []))[1].append((time, price, volume))
    return {window: dict(fold(inside), window_end=end) for window, (end, inside) in windows.items()}


def said(bar):
    """A bar of the pipeline in the same numbers."""
    whole = ("trade_count", "first_event_time", "last_event_time", "window_end")
    got = {name: runs.units(bar[name]) for name in ("open", "high", "low", "close", "volume")}
    got.update({name: int(bar[name]) for name in whole})
    got["vwap"] = None if bar["vwap"] is None else float(bar["vwap"])
    return got


def compare(interval, want, have):
    for window in sorted(set(want) | set(have)):
        if window not in have:
            runs.fail(f"{interval} bar {window} is missing")
        if window not in want:
            runs.fail(f"{interval} bar {window} should not be there")
        got = said(have[window])
        for name, value in want[window].items():
            if got[name] != value:
                runs.fail(f"{interval} bar {window}: {name} is {got[name]}, not {value}")


def check_latest(ticks, run):
    """The last record served of each instrument is its greatest tick by (time, sequence)."""
    want, have = {}, {}
    for (name, time, sequence), (_, price, _) in sorted(ticks.items()):
        want[f"default/{name}"] = time, sequence, price
    for record in runs.records(run, runs.LATEST):
        value = record["value"]
        have[record["key"]] = int(value["event_time"]), int(value["sequence"]), runs.units(value["price"])
    for key in sorted(set(want) | set(have)):
        if want.get(key) != have.get(key):
            runs.fail(f"the latest price of {key} is {have.get(key)}, not {want.get(key)}")


def main():
    ticks, lines = read_ticks(sys.stdin)
    counts = []
    for interval in runs.INTERVALS:
        want = computed(ticks, interval)
        compare(interval, want, runs.bars(sys.argv[1], interval))
        counts.append(f"{len(want)} {interval}")
    check_latest(ticks, sys.argv[1])
    names = {name for name, _, _ in ticks}
    print(f"{', '.join(counts)} bars and the latest price of {len(names)} instruments equal the plain computation over {lines} ticks, "
          f"of which {len(ticks)} count")


if __name__ == "__main__":
    main()
