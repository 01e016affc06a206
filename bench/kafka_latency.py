#!/usr/bin/env python3
"""End-to-end latency over a real broker: trades at a steady rate into the raw topic, all four topologies as processes of their own,
the latest price at the other end, read committed (bench/kafka_latency.c). And before them, over the same broker, five bare hops in
four processes that carry the same raw events over as many topics with the same commits, and do nothing (bench/kafka_hop.c): what
broker and library alone take. Quantiles, CPU seconds of each process, and what the rest of the machine took meanwhile.

  bench/kafka_latency.py [BUILD [RATE [SECONDS [INSTRUMENTS [KEY=VALUE...]]]]]     KEY=VALUE: settings of the services

As one would set up two cores: two partitions, one thread a service, a broker with as many threads as there are cores. Each
chain first runs WARM seconds (20; with PARTITIONS, 2, of the environment) at the same rate, in which the broker's hot code is compiled.
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
warm = os.environ.get("WARM", "20")
program = os.path.join(build, "data-processing")
latency, hop = (os.path.join(build, "bench-kafka", name) for name in ("kafka_latency", "kafka_hop"))
server = "test/servers/kafka.sh"
running = []
TOPOLOGIES = ["normalization", "enrichment", "aggregation", "projection"]
PARTITIONS, COMMIT_MS = int(os.environ.get("PARTITIONS", "2")), 100
HOPS = [["bare.0:bare.1", "bare.1:bare.2"], ["bare.2:bare.3"], ["bare.3:bare.4"], ["bare.4:bare.5"]]
BARE = ["bare.0", "bare.5", "occurred_at"]
CLIENTS = ["compression.codec=lz4"]
# as a broker is run: all compilers; a heap that is there from the start; no more threads than the cores are worth
os.environ.setdefault("KAFKA_JAVA", "-Xms1g -XX:+AlwaysPreTouch")
os.environ.setdefault("KAFKA_HEAP", "1g")
os.environ.setdefault("KAFKA_SET", "num.network.threads=2;num.io.threads=2;background.threads=2")


def start_service(address, work, delivery, topology):
    name = f"{work}/{delivery}-{topology}"
    with open(name + ".log", "w") as log:
        child = subprocess.Popen([program, "run", f"--kafka.bootstrap.servers={address}", f"--state.dir={name}", f"--delivery={delivery}",
                                  "--threads=1", f"--topics.partitions={PARTITIONS}", f"--commit.interval.ms={COMMIT_MS}", "--http.port=0",
                                  f"--application.id={delivery}", *(f"--kafka.{pair}" for pair in CLIENTS),
                                  *(f"--{pair}" for pair in sys.argv[5:]), topology],
                                 stdout=log, stderr=log)
    running.append(child)
    return child, name + ".log"


def start_hop(address, work, delivery, n, topics):
    name = f"{work}/hop-{n}.log"
    with open(name, "w") as log:
        child = subprocess.Popen([hop, address, f"hop-{n}", delivery, str(COMMIT_MS), str(PARTITIONS), *topics, *CLIENTS], stdout=log, stderr=log)
    running.append(child)
    return child, name


def check_runs(child, log):
    if child.poll() is not None:
        sys.exit(f"{log}: it has ended\n{open(log).read()}")


def is_ready(child, log):
    check_runs(child, log)
    for line in open(log):
        if "id=http-open" in line:
            port = line.split("port=")[1].split()[0]
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1):
                    return True
            except OSError:
                pass
    return False


def await_ready(child, log):
    for _ in range(1200):
        if is_ready(child, log):
            return
        time.sleep(0.1)
    sys.exit(f"{log}: not ready in two minutes")


def measure(address, work, name, names, children, topics):
    """A chain that runs: warm, then measured, then ended."""
    subprocess.run([latency, address, rate, warm, instruments, *topics], check=False, stdout=subprocess.DEVNULL)
    pids = [child.pid for child, _ in children] + [int(open(work + "/kafka/node1/pid").read())]
    before, busy = [cpu(pid) for pid in pids], busy_seconds()
    meter = subprocess.Popen([latency, address, rate, seconds, instruments, *topics], stdout=subprocess.PIPE, text=True)
    said = meter.stdout.read().strip()
    _, status, by_meter = os.wait4(meter.pid, 0)
    used = [cpu(pid) - was for pid, was in zip(pids, before)] + [by_meter.ru_utime + by_meter.ru_stime]
    print(f"{name:<24} {said}", flush=True)
    print("    CPU seconds: " + ", ".join(f"{who} {spent:.1f}" for who, spent in zip(names + ["broker", "load and meter"], used)) +
          f"; others on this machine {max(busy_seconds() - busy - sum(used), 0):.1f}", flush=True)
    for child, _ in children:
        child.send_signal(signal.SIGTERM)
    for child, log in children:
        running.remove(child)
        if child.wait(60) != 0:
            sys.exit(f"{log}: it ended badly\n{open(log).read()}")
    if status != 0:
        sys.exit(f"{name}: not all came back")


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy_seconds():
    """Of all cores: user, nice, system, interrupts; what the host took besides."""
    fields = [int(field) for field in open("/proc/stat").readline().split()[1:]]
    return (sum(fields[:3]) + sum(fields[5:8])) / os.sysconf("SC_CLK_TCK")


def measure_hops(address, work, delivery):
    children = [start_hop(address, work, delivery, n, topics) for n, topics in enumerate(HOPS)]
    await_topics(address, children)
    measure(address, work, f"{delivery}, bare hops", [f"hop {n}" for n in range(len(HOPS))], children, BARE)


def await_topics(address, children):
    """A group has its partitions when what is sent comes back."""
    for _ in range(240):
        for child in children:
            check_runs(*child)
        if subprocess.run([latency, address, "100", "1", "10", *BARE], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          timeout=120).returncode == 0:
            return
        time.sleep(0.25)
    sys.exit("the bare hops pass nothing on")


def measure_services(address, work, delivery):
    children = [start_service(address, work, delivery, topology) for topology in TOPOLOGIES]
    for child in children:
        await_ready(*child)
    measure(address, work, f"{delivery}, four services", TOPOLOGIES, children, [])


print(f"{rate} trades a second for {seconds} s, {instruments} instruments, {PARTITIONS} partitions, four processes, five topics on the "
      f"way, a commit every {COMMIT_MS} ms, {os.cpu_count()} cores")
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit("stopped"))
for delivery in ("at_least_once", "exactly_once"):
    work = tempfile.mkdtemp(prefix="weir-bench-", dir="/var/tmp")
    try:
        address = subprocess.run([server, "start", work + "/kafka"], check=True, capture_output=True, text=True).stdout.strip()
        measure_hops(address, work, delivery)
        measure_services(address, work, delivery)
    finally:
        for child in running:
            child.kill()
        running.clear()
        subprocess.run([server, "kill", work + "/kafka"], check=False)
        shutil.rmtree(work, ignore_errors=True)
