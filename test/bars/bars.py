"""Minute bars by plain computation, and checks of what minute_bars made.

A second implementation in another language: it shares no code with the framework. Prices and sizes are exact
(decimal.Decimal). Standard library only.
"""
import argparse
import decimal
import gzip
import json
import random
import sys

DAY = 1381190400000  # 2013-10-08T00:00:00Z
MINUTE = 60000


def read_ticks(path):
    """Rows of a tick file as (row, ms of day, price, size)."""
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path, encoding="ascii") as file:
        for row, line in enumerate(file):
            time, price, size = line.split(",")[:3]
            yield row, int(time), price, size


def key_of(row, keys):
    return "GC" if keys == 1 else f"GC-{row % keys:02d}"


def write_records(args):
    """Tick file to JSON lines, dealt over keys, shuffled so that no record is later than the grace."""
    ticks = list(read_ticks(args.ticks))
    if args.shuffle_ms:
        rng = random.Random(args.seed)
        late = {tick[0]: tick[1] + rng.randrange(args.shuffle_ms) for tick in ticks}
        ticks.sort(key=lambda tick: late[tick[0]])
    for row, time, price, size in ticks:
        print(f'{{"key":"{key_of(row, args.keys)}","timestamp":{DAY + time},'
              f'"value":{{"row":{row},"price":{price},"size":{size}}}}}')


def compute(ticks, keys):
    """(key, start) -> open, high, low, close, volume, trades; first and last by (time, row)."""
    minutes = {}
    for row, time, price, size in ticks:
        minutes.setdefault((key_of(row, keys), DAY + time // MINUTE * MINUTE), []).append(
            (time, row, decimal.Decimal(price), decimal.Decimal(size)))
    bars = {}
    for identity, trades in minutes.items():
        trades.sort()
        prices = [trade[2] for trade in trades]
        bars[identity] = (prices[0], max(prices), min(prices), prices[-1], sum(trade[3] for trade in trades),
                          len(trades))
    return bars


def read_bars(path):
    """(key, start) -> list of bars in the order written, from `cat bars`."""
    bars = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            record = json.loads(line, parse_float=decimal.Decimal, parse_int=decimal.Decimal)
            value = record["value"]
            bars.setdefault((record["key"]["key"], int(record["key"]["start"])), []).append(
                tuple(value[name] for name in ("open", "high", "low", "close", "volume"))
                + (int(value["trades"]),))
    return bars


def fail(text):
    print(text)
    sys.exit(1)


def check(args):
    """Every window's last bar equals the plain computation; with --once each window came once."""
    want = compute(read_ticks(args.ticks), args.keys)
    have = read_bars(args.bars)
    for identity in sorted(set(want) | set(have)):
        if identity not in have:
            fail(f"window {identity} is missing")
        if identity not in want:
            fail(f"window {identity} should not be there")
        if have[identity][-1] != want[identity]:
            fail(f"window {identity}: expected {want[identity]}, got {have[identity][-1]}")
        if args.once and len(have[identity]) != 1:
            fail(f"window {identity} came {len(have[identity])} times")
    print(f"{len(want)} bars equal the plain computation" + (", each once" if args.once else ""))


def published(args):
    """One key's bars equal the published minute bars; the last one's volume is one lot short there."""
    have = {start: bars[-1] for (_, start), bars in read_bars(args.bars).items()}
    want = {}
    with gzip.open(args.minutes, "rt") as file:
        for line in file:
            fields = line.strip().split(",")
            want[DAY + int(fields[0])] = tuple(decimal.Decimal(field) for field in fields[1:6])
    if set(have) != set(want):
        fail(f"{len(have)} minutes, the publisher has {len(want)}")
    last = max(want)
    for start in sorted(want):
        fields = 4 if start == last else 5
        if have[start][:fields] != want[start][:fields]:
            fail(f"minute {start} differs from the published bar")
    print(f"{len(want)} minutes equal the published bars")


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    for name, function in (("records", write_records), ("check", check)):
        command = commands.add_parser(name)
        command.add_argument("ticks")
        command.add_argument("--keys", type=int, default=1)
        command.set_defaults(function=function)
    commands.choices["records"].add_argument("--shuffle-ms", type=int, default=0)
    commands.choices["records"].add_argument("--seed", type=int, default=1)
    commands.choices["check"].add_argument("bars")
    commands.choices["check"].add_argument("--once", action="store_true")
    command = commands.add_parser("published")
    command.add_argument("minutes")
    command.add_argument("bars")
    command.set_defaults(function=published)
    args = parser.parse_args()
    args.function(args)


main()
