"""Nothing is lost on the way: what went in equals what came out, dead letters, and what is counted under a reason.

    feeds.py counts FILE... | balance.py RUN RAW_TOPIC...

Standard input says what the files hold by the other implementation. RUN: see runs.py.
"""
import sys

import runs


def expected(lines):
    """Raw events, and their shares: ticks, components that are absent, times that there are not."""
    sums = {"events": 0, "ticks": 0, "absent": 0, "no_such_time": 0}
    for line in lines:
        words = line.split()[1:]
        for name, number in zip(words[::2], words[1::2]):
            if name in sums:
                sums[name] += int(number)
    return sums


def equal(what, left, right):
    if left != right:
        runs.fail(f"{what}: {left} is not {right}")


def check_letters(run, topology, unused):
    """Each dead letter is counted under its code; returns how many there are."""
    letters = runs.letters(run, topology)
    for code, number in letters.items():
        equal(f"dead letters of {topology} under {code}, and its counter", number, unused.get(code, 0))
    return sum(letters.values())


def main():
    run, topics = sys.argv[1], sys.argv[2:]
    files = expected(sys.stdin)
    unused = {name: runs.unused(run, name) for name in ("normalization", "enrichment", "aggregation", "projection")}
    letters = sum(check_letters(run, name, unused[name]) for name in unused)
    normalized, enriched = (runs.count(run, topic) for topic in runs.TICKS.values())
    equal("raw events of the files and in the log", files["events"], sum(runs.count(run, topic) for topic in topics))
    equal("shares of the raw events, and ticks + what normalization counted",
          files["ticks"] + files["absent"] + files["no_such_time"], normalized + sum(unused["normalization"].values()))
    equal("normalized ticks, and enriched ticks + what enrichment counted", normalized,
          enriched + sum(unused["enrichment"].values()))
    # A backfill's bars of a day that had left hold its ticks alone; where it began a window anew, the old ticks are counted.
    in_bars = enriched - sum(unused["aggregation"].values())
    for interval in runs.INTERVALS:
        least, most = runs.ticks_in_bars(run, interval)
        if not least <= in_bars <= most:
            runs.fail(f"enriched ticks less what aggregation counted: {in_bars}; {interval} bars hold {least} to {most}")
    served = runs.written(run, runs.LATEST)
    of_bars = unused["projection"].get("superseded", 0) + unused["projection"].get("behind_served", 0)
    equal("enriched ticks, and latest prices + what projection counted", enriched,
          served + sum(unused["projection"].values()) - of_bars)
    reasons = {f"{name} {reason}": number for name, said in unused.items() for reason, number in said.items()}
    print(f"{files['events']} raw events: {normalized} ticks, {letters} dead letters, {in_bars} ticks in bars; "
          f"not used: {reasons or 'none'}")


main()
