#!/usr/bin/env python3
"""End-to-end latency over a real broker: trades at a steady rate into the raw topic, all four topologies as processes of their own,
the latest price at the other end, read committed (bench/kafka_latency.c). Quantiles, and CPU seconds of each process.

  bench/kafka_latency.py [BUILD [RATE [SECONDS [INSTRUMENTS [KEY=VALUE...]]]]]     KEY=VALUE: settings of the services
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
rate, seconds, instruments = (sys.argv[2:5] + ["20000", "20", "300"][len(sys.argv[2:5]):])
program, latency = os.path.join(build, "data-processing"), os.path.join(build, "bench-kafka", "kafka_latency")
server = "test/servers/kafka.sh"
os.environ.update(KAFKA_JAVA="", KAFKA_HEAP="1g")  # as brokers are run: all compilers
TOPOLOGIES = ["normalization", "enrichment", "aggregation", "projection"]


def start(address, work, delivery, topology):
    name = f"{work}/{delivery}-{topology}"
    with open(name + ".log", "w") as log:
        child = subprocess.Popen([program, "run", f"--kafka.bootstrap.servers={address}", f"--state.dir={name}", f"--delivery={delivery}",
                                  "--threads=1", "--topics.partitions=4", "--http.port=0", f"--application.id={delivery}",
                                  "--kafka.compression.codec=lz4", *(f"--{pair}" for pair in sys.argv[5:]), topology],
                                 stdout=log, stderr=log)
    return child, name + ".log"


def ready(child, log):
    """Waits until the service says that it is."""
    for _ in range(600):
        if child.poll() is not None:
            sys.exit(f"{log}: the service has ended\n{open(log).read()}")
        for line in open(log):
            if "id=http-open" in line:
                port = line.split("port=")[1].split()[0]
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1):
                        return
                except OSError:
                    pass
        time.sleep(0.1)
    sys.exit(f"{log}: not ready in a minute")


def measure(address, work, delivery):
    children = [start(address, work, delivery, topology) for topology in TOPOLOGIES]
    for child in children:
        ready(*child)
    subprocess.run([latency, address, rate, "3", instruments], check=False, stdout=subprocess.DEVNULL)  # everything is warm then
    pids = [child.pid for child, _ in children] + [int(open(work + "/kafka/node1/pid").read())]
    before = [cpu(pid) for pid in pids]
    said = subprocess.run([latency, address, rate, seconds, instruments], stdout=subprocess.PIPE, text=True, check=False)
    used = [cpu(pid) - was for pid, was in zip(pids, before)]
    print(f"{delivery:<14} {said.stdout.strip()}", flush=True)
    print("    CPU seconds: " + ", ".join(f"{topology} {spent:.1f}" for topology, spent in zip(TOPOLOGIES + ["broker"], used)), flush=True)
    for child, _ in children:
        child.send_signal(signal.SIGTERM)
    for child, log in children:
        if child.wait(30) != 0:
            sys.exit(f"{log}: the service ended badly\n{open(log).read()}")
    if said.returncode != 0:
        sys.exit("not all came back")


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


print(f"{rate} trades a second for {seconds} s, {instruments} instruments, 4 partitions, four processes, a commit every 100 ms")
for delivery in ("at_least_once", "exactly_once"):
    work = tempfile.mkdtemp(prefix="weir-bench-", dir="/var/tmp")
    try:
        address = subprocess.run([server, "start", work + "/kafka"], check=True, capture_output=True, text=True).stdout.strip()
        measure(address, work, delivery)
    finally:
        subprocess.run([server, "kill", work + "/kafka"], check=False)
        shutil.rmtree(work, ignore_errors=True)
