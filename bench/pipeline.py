#!/usr/bin/env python3
"""Records per CPU-second of each topology of the pipeline and of all four in one process, over the embedded log on disk,
exactly-once; their peak of memory; and how fast state comes back from its changelogs. Made-up ticks of trades, PJM and
ERCOT (`generate`), so that they run anywhere.

A topology alone reads what the one before it wrote. CPU seconds are of the whole process: log, codecs, commits.
  bench/pipeline.py [BUILD [ROWS]]
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import measured

build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
rows = int(sys.argv[2]) if len(sys.argv) > 2 else 200000
program = os.path.join(build, "data-processing")
TOPOLOGIES = ["normalization", "enrichment", "aggregation", "projection"]


def run(*words):
    return measured.run(program, *words)


def records_of(folder, topic):
    """How many records a topic has had."""
    process = subprocess.run([program, "cat", topic, "--dir", folder], capture_output=True, check=True)
    return process.stdout.count(b"\n")


def report(name, records, what, seconds, peak):
    print(f"{name:<44} {records:>9,} {what:<14} {records / seconds:>9,.0f} per CPU-s {seconds / records * 1e6:>8.1f} us each"
          f"   peak {peak >> 20} MiB", flush=True)


def restored(text):
    """Records that were restored, and the longest any task took, seconds."""
    done = re.findall(r"id=restore-done .*?records=(\d+) seconds=([0-9.]+)", text)
    return sum(int(count) for count, _ in done), max((float(seconds) for _, seconds in done), default=0.0)


work = tempfile.mkdtemp(prefix="weir-bench-", dir="/var/tmp")
try:
    subprocess.run([program, "generate", "--out", work + "/files", "--rows", str(rows), "--instruments", "300"],
                   check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    files = sorted(os.path.join(work, "files", name) for name in os.listdir(work + "/files")
                   if name.endswith(".csv"))
    print(f"{rows:,} made-up ticks of 300 instruments, 4 partitions, exactly-once, log and state on disk")
    seconds, peak, _ = run("load", "--dir", work + "/one", *files)
    report("load", rows, "rows", seconds, peak)
    shutil.copytree(work + "/one", work + "/all")
    topics = {"enrichment": ["normalized.market.ticks.v1"], "aggregation": ["enriched.market.ticks.v1"],
              "projection": ["normalized.market.ticks.v1"] +
                            [f"aggregated.market.bars.{each}.v1" for each in ("1m", "5m", "1h", "1d")]}
    for topology in TOPOLOGIES:
        count = rows if topology == "normalization" else sum(records_of(work + "/one", each) for each in topics[topology])
        seconds, peak, _ = run("local", "--dir", work + "/one", "--once", topology)
        report(topology + " alone", count, "records in", seconds, peak)
    seconds, peak, _ = run("local", "--dir", work + "/all", "--once")
    report("all four in one process", rows, "ticks", seconds, peak)
    size = sum(os.path.getsize(os.path.join(path, name))
               for path, _, names in os.walk(work + "/all") for name in names)
    print(f"{'log and state on disk':<44} {size / rows:>9,.0f} bytes a tick")
    shutil.rmtree(work + "/all/state")
    seconds, peak, text = run("local", "--dir", work + "/all", "--once")
    count, longest = restored(text)
    report("all state restored from its changelogs", count, "records", seconds, peak)
    print(f"{'the slowest task was back after':<44} {longest:>9.2f} s")
finally:
    shutil.rmtree(work, ignore_errors=True)
