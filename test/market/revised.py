"""Revised rows of a PJM hourly file: the same hours again, with other versions and prices.

    revised.py FILE SEED VERSIONS [HOURS] > REVISED

Takes about one row of seven, of the last HOURS only where that is given, and writes each with another price under one of
VERSIONS ("2,3"), some of them twice. Under the version that a row has already, the greater price counts.
"""
import csv
import datetime
import decimal
import random
import sys

import feeds


def main():
    path, seed, versions = sys.argv[1], int(sys.argv[2]), sys.argv[3].split(",")
    rows = list(feeds.rows_of(path, 0))
    times = [datetime.datetime.strptime(row["datetime_beginning_utc"], "%m/%d/%Y %I:%M:%S %p") for row in rows]
    least = max(times) - datetime.timedelta(hours=float(sys.argv[4])) if len(sys.argv) > 4 else min(times)
    dice = random.Random(seed)
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow(rows[0])
    for row, time in zip(rows, times):
        while time >= least and dice.randrange(7) == 0:
            again = dict(row, version_nbr=dice.choice(versions))
            for name in again:
                if name.startswith(("total_lmp", "congestion_price")):
                    again[name] = decimal.Decimal(again[name]) + decimal.Decimal(dice.randrange(-5000, 5000)) / 1000
            writer.writerow(again.values())


main()
