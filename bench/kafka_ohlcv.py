#!/usr/bin/env python3
"""Over a real broker: JSON ticks into one-minute bars with a changelog, by weir, by Apache Kafka Streams (KafkaStreamsBars.java)
and by a bare librdkafka program that does the same hops, records and commits (bench/kafka_floor.c); records per CPU-second of
the process, JIT compiler and garbage collector included, and the ratios. In turns, several times; medians, since the machine
may be shared. Both bars are the same at the end, byte for byte, or it fails.

  bench/kafka_ohlcv.py [BUILD [TICKS [ROUNDS [KEY=VALUE...]]]]     KEY=VALUE: librdkafka's, for weir and the bare one
"""
import base64
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import where
from measured import run

build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
ticks = int(sys.argv[2]) if len(sys.argv) > 2 else 2000000
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
both = ["compression.codec=lz4", *sys.argv[4:]]
floor, ours = (os.path.join(build, "bench-kafka", name) for name in ("kafka_floor", "kafka_bars"))
server, peer = "test/servers/kafka.sh", "bench/kafka_streams.sh"
GUARANTEES = {"exactly_once": "exactly_once_v2", "at_least_once": "at_least_once"}
SMALL = "160m"


def count(address, topic):
    return int(run(floor, "count", address, topic)[2].split()[-1])


def command_of(address, work, name, delivery):
    return [ours, "run", f"--kafka.bootstrap.servers={address}", f"--application.id={name}", f"--state.dir={work}/{name}",
            f"--delivery={delivery}", "--threads=1", "--topics.partitions=4", "--once", "--log.level=error",
            *(f"--kafka.{pair}" for pair in both), "kafka_bars"]


def run_ours(address, work, name, delivery, *more, threads=None):
    before = count(address, "bars") if name != "weir-exactly_once-0" else 0
    seconds, peak, _ = run(*command_of(address, work, name, delivery), *more, threads=threads)
    shutil.rmtree(f"{work}/{name}")
    sent = count(address, "bars") - before + count(address, f"{name}-kafka_bars-minutes_s-changelog")
    return seconds, peak, f"{sent} offsets of records and marks written"


def run_floor(address, delivery, group):
    seconds, peak, text = run(floor, "bars", address, str(ticks), f"delivery={delivery}", f"group.id={group}", *both)
    return seconds, peak, text.strip().splitlines()[-1]


def run_peer(address, work, name, delivery):
    seconds, peak, text = run(peer, "run", address, name, GUARANTEES[delivery], str(ticks), f"{work}/{name}", "producer.compression.type=lz4")
    shutil.rmtree(f"{work}/{name}")
    return seconds, peak, text.strip()


def as_bytes(value):
    """Of a field that `cat` has printed."""
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()


def last_bars(address, topic):
    """{instrument and start: the last bar}."""
    bars = {}
    for line in run(ours, "cat", topic, f"--kafka.bootstrap.servers={address}")[2].splitlines():
        record = json.loads(line)
        key = record["key"]
        if "start" in key:
            key = key["key"].encode() + key["start"].to_bytes(8, "big")
        else:
            key = as_bytes(key)
        bars[key] = as_bytes(record["value"])
    return bars


def compare(address):
    mine, theirs = last_bars(address, "bars"), last_bars(address, "streams.bars")
    if mine != theirs:
        sys.exit(f"{len(mine)} bars of weir, {len(theirs)} of Kafka Streams, and they differ")
    print(f"{len(mine):,} bars, the same by both", flush=True)


# Where the time goes: a thread's name begins with
PARTS = {"rdk:broker": "librdkafka's connections: fetching, unpacking, packing, sending", "rdk:": "librdkafka's timers",
         "rocksdb:": "RocksDB's flushes", "": "the task's thread: decoding, folding, changelog, commit"}


def report_threads(threads):
    parts = dict.fromkeys(PARTS, 0)
    for name, seconds in threads.values():
        parts[next(start for start in PARTS if name.startswith(start))] += seconds
    whole = sum(parts.values())
    for start, seconds in sorted(parts.items(), key=lambda part: -part[1]):
        print(f"    {seconds / whole * 100:4.0f} %  {seconds / ticks * 1e6:6.3f} us a record  {PARTS[start]}")


def report(name, delivery, runs):
    seconds = statistics.median(run[0] for run in runs)
    print(f"{name + ', ' + delivery:<36} {ticks / seconds:>10,.0f} records/CPU-s  {seconds / ticks * 1e6:6.3f} us each   peak "
          f"{max(run[1] for run in runs) >> 20} MiB   last run: {runs[-1][2]}", flush=True)
    return seconds


subprocess.run([peer, "prepare"], check=True)
work = tempfile.mkdtemp(prefix="weir-bench-", dir="/var/tmp")
try:
    address = subprocess.run([server, "start", work + "/kafka"], check=True, capture_output=True, text=True).stdout.strip()
    run(floor, "fill", address, str(ticks))
    print(f"{ticks:,} JSON ticks of about 195 bytes, 2,000 keys, 4 partitions, lz4; a commit every 100 ms; medians of {rounds}")
    for delivery in GUARANTEES:
        bare, weir, small, streams, threads = [], [], [], [], {}
        for n in range(rounds):
            bare.append(run_floor(address, delivery, f"floor-{delivery}-{n}"))
            weir.append(run_ours(address, work, f"weir-{delivery}-{n}", delivery, threads=threads if n == 0 else None))
            small.append(run_ours(address, work, f"small-{delivery}-{n}", delivery, f"--memory.max={SMALL}"))
            streams.append(run_peer(address, work, f"streams-{delivery}-{n}", delivery))
        floor_seconds = report("bare librdkafka", delivery, bare)
        mine = report("weir", delivery, weir)
        report_threads(threads)
        where.report(command_of(address, work, f"where-{delivery}", delivery))
        report(f"weir, memory.max={SMALL}", delivery, small)
        theirs = report("Kafka Streams", delivery, streams)
        print(f"    weir: {floor_seconds / mine * 100:.0f} % of the floor, {theirs / mine:.1f} times Kafka Streams", flush=True)
    compare(address)
finally:
    subprocess.run([server, "kill", work + "/kafka"], check=False)
    shutil.rmtree(work, ignore_errors=True)
