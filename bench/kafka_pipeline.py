#!/usr/bin/env python3
"""Over a real broker: each topology of the pipeline, alone on one thread, and a bare librdkafka program that moves the same records
and bytes over the same hops with the same commits, and decodes and keeps nothing (bench/kafka_relay.c). Records of the inputs
per CPU-second of the process; both in turns, several times; medians, since the machine may be shared. Each topology reads what
the one before it wrote. Made-up ticks of trades, PJM and ERCOT (`generate`), so that it runs anywhere.

  bench/kafka_pipeline.py [BUILD [ROWS [ROUNDS [KEY=VALUE...]]]]     KEY=VALUE: librdkafka's, for both
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
rows = int(sys.argv[2]) if len(sys.argv) > 2 else 200000
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
both = ["compression.codec=lz4", *sys.argv[4:]]
program, relay = os.path.join(build, "data-processing"), os.path.join(build, "bench-kafka", "kafka_relay")
server = "test/servers/kafka.sh"
os.environ.update(KAFKA_JAVA="", KAFKA_HEAP="1g")  # as brokers are run: all compilers
TOPOLOGIES = ["normalization", "enrichment", "aggregation", "projection"]


def topics_of(address, prefix):
    return run(relay, "topics", address, prefix)[2].split()


def described(topology):
    """Topics that a topology reads, and its sinks with theirs."""
    text = run(program, "describe", topology)[2]
    inputs = [topic for topics in re.findall(r"^ *Source: \S+ \(topics: \[(.*)\]\)", text, re.M) for topic in topics.split(", ")]
    sinks = re.findall(r"^ *Sink: (\S+) \(topic: (\S+)\)", text, re.M)
    hops = {topic for _, topic in sinks} & set(inputs)
    return [topic for topic in inputs if topic not in hops], [(sink, topic) for sink, topic in sinks if topic not in hops]


def run_ours(address, work, topology, n, sinks, letters):
    """The first round's outputs are what the next topology reads; those of later ones go to topics of their own."""
    own = {topic: f"round{n}.{topic}" for topic in [topic for _, topic in sinks] + [letters]} if n > 0 else {}
    extra = [f"--{topology}.{sink}.topic={own[topic]}" for sink, topic in sinks if topic in own]
    extra += [f"--{topology}.rejects.topic={own[letters]}"] if own else []
    seconds, peak, _ = run(program, "run", f"--kafka.bootstrap.servers={address}", f"--application.id=bench{n}",
                           f"--state.dir={work}/state{n}", "--threads=1", "--topics.partitions=4", "--once", "--http.port=-1",
                           "--log.level=error", "--repartition.purge.interval.ms=0", *(f"--kafka.{pair}" for pair in both), *extra, topology)
    shutil.rmtree(f"{work}/state{n}")
    return seconds, peak


def run_bare(address, topology, n, inputs, outputs):
    internal = topics_of(address, f"bench{n}-{topology}-")
    hops = [topic for topic in internal if topic.endswith("-repartition")]
    outs = [topic for topic in internal if topic.endswith("-changelog")]
    outs += [topic if n == 0 else f"round{n}.{topic}" for topic in outputs]
    there = set(topics_of(address, ""))
    text = run(relay, "run", address, f"bare{n}-{topology}", *both, *(f"in:{topic}" for topic in inputs if topic in there),
               *(f"hop:{topic}" for topic in hops), *(f"out:{topic}" for topic in outs if topic in there))[2]
    seconds, read, back, sent, commits = re.findall(r"([0-9.]+) CPU seconds, (\d+) read, (\d+) read back, (\d+) sent, (\d+)", text)[0]
    return float(seconds), int(read), f"{read} in, {back} through a hop, {sent} out, {commits} commits"


def compare(address, work, topology):
    inputs, sinks = described(topology)
    letters = f"processing.deadletter.{topology}.v1"
    ours, bare = [], []
    for n in range(rounds):
        ours.append(run_ours(address, work, topology, n, sinks, letters))
        bare.append(run_bare(address, topology, n, inputs, sorted({topic for _, topic in sinks} | {letters})))
    count = bare[0][1]
    mine, floor = statistics.median(run[0] for run in ours), statistics.median(run[0] for run in bare)
    print(f"{topology:<14} {count / mine:>9,.0f} records/CPU-s {mine / count * 1e6:>6.2f} us each   bare {count / floor:>9,.0f} "
          f"{floor / count * 1e6:>6.2f} us   {floor / mine * 100:>3.0f} % of it   peak {max(run[1] for run in ours) >> 20} MiB   "
          f"{bare[-1][2]}", flush=True)


work = tempfile.mkdtemp(prefix="weir-bench-", dir="/var/tmp")
try:
    run(program, "generate", "--out", work + "/files", "--rows", str(rows), "--instruments", "300")
    files = sorted(os.path.join(work, "files", name) for name in os.listdir(work + "/files") if name.endswith(".csv"))
    address = subprocess.run([server, "start", work + "/kafka"], check=True, capture_output=True, text=True).stdout.strip()
    run(program, "load", f"--kafka.bootstrap.servers={address}", "--topics.partitions=4", "--log.level=error", *files)
    print(f"{rows:,} made-up ticks of 300 instruments, 4 partitions, lz4, exactly-once; a commit every 100 ms; medians of {rounds}")
    for topology in TOPOLOGIES:
        compare(address, work, topology)
finally:
    subprocess.run([server, "kill", work + "/kafka"], check=False)
    shutil.rmtree(work, ignore_errors=True)
