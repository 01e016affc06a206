"""Each revision of each bar, statistic, spread and curve comes once and in its turn.

    revisions.py RUN

RUN: see runs.py. Prints how many bars there are and how many of them were corrected; and of what comes of them besides.
"""
import sys

import runs


def start(value):
    return int(value["window_start"])


def is_by_time(value):
    """The last ticks have one revision for windows of 10, 50 and 100, of which the longer ones come later."""
    return not value.get("window", "").startswith("last_")


OTHERS = {
    "aggregated.market.bars.other.v1": lambda key, value: (key, value["interval"], start(value)),
    "aggregated.market.stats.v1": lambda key, value: (key, value["window"], start(value) if is_by_time(value) else None),
    "aggregated.market.spreads.v1": lambda key, value: (key, value["kind"], start(value)),
    "pricing.curve.updates.v1": lambda key, value: (key, start(value)),
}


def corrected(records):
    return sum(int(record["revision"]) > 1 for record in records if is_by_time(record))


def main():
    run = sys.argv[1]
    bars = [bar for interval in runs.INTERVALS for bar in runs.bars(run, interval).values()]
    others = [record for topic, identity in OTHERS.items() for record in runs.last(run, topic, identity, is_by_time).values()]
    print(f"{len(bars)} bars, {corrected(bars)} of them corrected, each revision once")
    if others:
        print(f"{len(others)} other bars, statistics, spreads, curves; {corrected(others)} corrected")


main()
