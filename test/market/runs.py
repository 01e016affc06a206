"""What a run of the pipeline left, as `data-processing cat` prints it: bars, dead letters, counters of what was not used.

Shared by the checks of this folder. A run is a folder of files, each a topic's records, one JSON object a line, and
`log`, what the process said.
"""
import decimal
import json
import os
import re
import sys

INTERVALS = ("1m", "5m", "1h", "1d")
BARS = "aggregated.market.bars.{}.v1"
LATEST = "served.market.latest_prices.v1"
LETTERS = "processing.deadletter.{}.v1"
TICKS = {"normalization": "normalized.market.ticks.v1", "enrichment": "enriched.market.ticks.v1"}


def fail(text):
    print(text)
    sys.exit(1)


def units(text):
    """A decimal number as a whole number of 1e-8; None stays."""
    if text is None:
        return None
    scaled = decimal.Decimal(text).scaleb(8)
    if scaled != int(scaled):
        fail(f"{text} has more than eight decimal places")
    return int(scaled)


def records(run, topic):
    """The topic's records, numbers as they are written; none where the topic is not there."""
    path = os.path.join(run, topic)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                yield json.loads(line, parse_float=str, parse_int=str)


def count(run, topic):
    path = os.path.join(run, topic)
    if not os.path.exists(path):
        return 0
    with open(path, "rb") as file:
        return sum(1 for _ in file)


def written(run, topic):
    """How many records were written to a compacted topic: offsets have no gaps but those of compaction."""
    ends = {}
    for record in records(run, topic):
        ends[record["partition"]] = int(record["offset"]) + 1
    return sum(ends.values())


def last(run, topic, identity, in_turn=lambda _: True):
    """identity(key, value) -> the last record of each. A revision that comes twice, or not in its turn, ends the test."""
    found = {}
    for record in records(run, topic):
        value = record["value"]
        name = identity(record["key"], value)
        version = int(value["epoch"]), int(value["revision"])
        before = (int(found[name]["epoch"]), int(found[name]["revision"])) if name in found else (version[0], 0)
        if version <= before:
            fail(f"{name} of {topic}: {version} after {before}")
        if version[0] == before[0] and version[1] != before[1] + 1 and in_turn(value):
            fail(f"{name} of {topic}: {version} after {before}, one was lost")
        found[name] = value
    return found


def bars(run, interval):
    """(key, start) -> the last bar of each window."""
    return last(run, BARS.format(interval), lambda key, bar: (key, int(bar["window_start"])))


def ticks_in_bars(run, interval):
    """Ticks in the last bars, and with what the bars of earlier epochs held besides."""
    epochs = {}
    for record in records(run, BARS.format(interval)):
        bar = record["value"]
        epochs[record["key"], bar["window_start"], bar["epoch"]] = int(bar["trade_count"])
    return sum(int(bar["trade_count"]) for bar in bars(run, interval).values()), sum(epochs.values())


def letters(run, topology):
    """code -> number of dead letters."""
    codes = {}
    for record in records(run, LETTERS.format(topology)):
        code = record["value"]["code"]
        codes[code] = codes.get(code, 0) + 1
    return codes


def unused(run, topology):
    """reason -> records that the topology did not use, as its process said at its end."""
    said = {}
    with open(os.path.join(run, "log"), encoding="utf-8") as file:
        for line in file:
            match = re.search(rf" id=not-used topology={topology} reason=(\S+) records=(\d+)$", line.rstrip())
            if match:
                said[match.group(1)] = said.get(match.group(1), 0) + int(match.group(2))
    return said
