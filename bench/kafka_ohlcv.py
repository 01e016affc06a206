#!/usr/bin/env python3
"""Over a real broker: JSON ticks into one-minute bars with a changelog, by weir and by a bare librdkafka program that does the
same hops, records and commits (bench/kafka_floor.c); records per CPU-second of the process, and the ratio. Both in turns,
several times; medians, since the machine may be shared.

  bench/kafka_ohlcv.py [BUILD [TICKS [ROUNDS [KEY=VALUE...]]]]     KEY=VALUE: librdkafka's, for both
"""
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from measured import run

build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
ticks = int(sys.argv[2]) if len(sys.argv) > 2 else 2000000
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
both = ["compression.codec=lz4", *sys.argv[4:]]
floor, ours = (os.path.join(build, "bench-kafka", name) for name in ("kafka_floor", "kafka_bars"))
server = "test/servers/kafka.sh"


def count(address, topic):
    return int(run(floor, "count", address, topic)[2].split()[-1])


def run_ours(address, work, name, delivery):
    before = count(address, "bars") if name != "weir-exactly_once-0" else 0
    seconds, peak, text = run(ours, "run", f"--kafka.bootstrap.servers={address}", f"--application.id={name}",
                              f"--state.dir={work}/{name}", f"--delivery={delivery}", "--threads=1", "--topics.partitions=4", "--once",
                              "--log.level=error", *(f"--kafka.{pair}" for pair in both), "kafka_bars")
    shutil.rmtree(f"{work}/{name}")
    sent = count(address, "bars") - before + count(address, f"{name}-kafka_bars-minutes_s-changelog")
    return seconds, peak, f"{sent} offsets of records and marks written"


def run_floor(address, delivery, group):
    seconds, peak, text = run(floor, "bars", address, str(ticks), f"delivery={delivery}", f"group.id={group}", *both)
    return seconds, peak, text.strip().splitlines()[-1]


def report(name, delivery, runs):
    seconds = statistics.median(run[0] for run in runs)
    print(f"{name + ', ' + delivery:<28} {ticks / seconds:>10,.0f} records/CPU-s  {seconds / ticks * 1e6:6.3f} us each   peak "
          f"{max(run[1] for run in runs) >> 20} MiB   last run: {runs[-1][2]}", flush=True)
    return seconds


work = tempfile.mkdtemp(prefix="weir-bench-", dir="/var/tmp")
try:
    address = subprocess.run([server, "start", work + "/kafka"], check=True, capture_output=True, text=True).stdout.strip()
    run(floor, "fill", address, str(ticks))
    print(f"{ticks:,} JSON ticks of about 195 bytes, 2,000 keys, 4 partitions, lz4; a commit every 100 ms; medians of {rounds}")
    for delivery in ("exactly_once", "at_least_once"):
        bare, weir = [], []
        for n in range(rounds):
            bare.append(run_floor(address, delivery, f"floor-{delivery}-{n}"))
            weir.append(run_ours(address, work, f"weir-{delivery}-{n}", delivery))
        seconds = report("bare librdkafka", delivery, bare)
        mine = report("weir", delivery, weir)
        print(f"    {seconds / mine * 100:.0f} % of the floor", flush=True)
finally:
    subprocess.run([server, "kill", work + "/kafka"], check=False)
    shutil.rmtree(work, ignore_errors=True)
