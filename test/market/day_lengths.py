"""Lengths of the day bars of a run (see runs.py), us, a line each."""
import sys

import runs

for bar in runs.bars(sys.argv[1], "1d").values():
    print(int(bar["window_end"]) - int(bar["window_start"]))
