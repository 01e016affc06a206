"""Raw events out of order: each is as late as the dice say, at most by so much.

    shuffle.py SEED MS <EVENTS >SHUFFLED

Records as `data-processing cat` prints them; a record's time and what lies behind it stay as they are.
"""
import random
import re
import sys


def main():
    dice, most = random.Random(int(sys.argv[1])), int(sys.argv[2])
    lines = list(sys.stdin)
    times = [int(re.search(r'"timestamp":(\d+)', line).group(1)) for line in lines]
    arrivals = [time + dice.randrange(most + 1) for time in times]
    for _, line in sorted(zip(arrivals, lines), key=lambda pair: pair[0]):
        sys.stdout.write(line)


main()
