"""Each revision of each bar comes once and in its turn.

    revisions.py RUN

RUN: see runs.py. Prints how many bars there are and how many of them were corrected.
"""
import sys

import runs


def main():
    count = corrected = 0
    for interval in runs.INTERVALS:
        for bar in runs.bars(sys.argv[1], interval).values():
            count += 1
            corrected += int(bar["revision"]) > 1
    print(f"{count} bars, {corrected} of them corrected, each revision once")


main()
