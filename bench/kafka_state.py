#!/usr/bin/env python3
"""Over a real broker: state of about 1 GB, a row of 100 bytes a key. How long a killed process takes, from its start to the first
output that is committed and read, and what of it is the tail of the changelog; how fast all state comes back on an empty disk.

  bench/kafka_state.py [BUILD [ROWS]]
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import measured

build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
rows = int(sys.argv[2]) if len(sys.argv) > 2 else 8000000
floor, ours = (os.path.join(build, "bench-kafka", name) for name in ("kafka_floor", "kafka_bars"))
server = "test/servers/kafka.sh"
MORE = 20000


def words(*more):
    return [ours, "run", f"--kafka.bootstrap.servers={address}", "--application.id=state", "--instance.id=bench", "--topics.partitions=4",
            f"--state.dir={work}/state", "--http.port=-1", "--kafka.compression.codec=lz4", *more, "kafka_rows"]


def run(*command):
    """(CPU seconds, peak bytes, seconds, what it said)."""
    began = time.time()
    cpu, peak, text = measured.run(*command)
    return cpu, peak, time.time() - began, text


def more_rows(n):
    run(floor, "rows", address, str(rows + n * MORE), str(MORE))


def await_done():
    for _ in range(600):
        text = subprocess.run([ours, "lag", f"--kafka.bootstrap.servers={address}", "--application.id=state", "--json", "kafka_rows"],
                              check=True, capture_output=True, text=True).stdout
        if text.rstrip().endswith('"lag":0}'):
            return
        time.sleep(0.2)
    sys.exit("it did not come to the end of its input")


def restored(text):
    """Records that were restored, and the longest any task took, seconds."""
    done = re.findall(r"id=restore-done .*?records=(\d+) seconds=([0-9.]+)", text)
    return sum(int(count) for count, _ in done), max((float(seconds) for _, seconds in done), default=0.0)


def bytes_of(folder):
    return sum(os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(folder) for name in names)


def kill_idle(n):
    """With all done."""
    child = subprocess.Popen(words("--log.level=error"), stderr=subprocess.DEVNULL)
    more_rows(2 * n)
    await_done()
    child.send_signal(signal.SIGKILL)
    child.wait()


def kill_at_work(n):
    """With a transaction open, its records with the broker, its offsets not."""
    child = subprocess.Popen(words("--log.level=error"), stderr=subprocess.DEVNULL, env={**os.environ, "WEIR_CRASH_AT": "after-flush:2"})
    more_rows(2 * n)
    if child.wait() != -signal.SIGKILL:
        sys.exit("it was not killed")


def restart(n, kill):
    """Kills it, gives it more to do, starts it: seconds to the first output, of which the tail; its records."""
    kill(n)
    watch = subprocess.Popen([floor, "watch", address, "samples"], stdout=subprocess.PIPE, text=True)
    if watch.stdout.readline() != "ready\n":
        sys.exit("nobody watches")
    more_rows(2 * n + 1)
    with tempfile.TemporaryFile("w+") as said:
        began = time.time()
        child = subprocess.Popen(words(), stdout=said, stderr=said)
        seen = float(watch.stdout.readline())
        watch.wait()
        await_done()
        child.send_signal(signal.SIGTERM)
        if child.wait() != 0:
            sys.exit("the stop failed")
        said.seek(0)
        count, tail = restored(said.read())
    return seen - began, tail, count


work = tempfile.mkdtemp(prefix="weir-bench-", dir="/var/tmp")
try:
    address = subprocess.run([server, "start", work + "/kafka"], check=True, capture_output=True, text=True).stdout.strip()
    run(floor, "rows", address, "0", str(rows))
    seconds, peak, _, _ = run(*words("--once", "--log.level=error"))
    print(f"{rows:,} rows of 116 bytes, 4 partitions, exactly once, {bytes_of(work + '/state') / 1e9:.2f} GB on disk: built at "
          f"{rows / seconds:,.0f} records/CPU-s, peak {peak >> 20} MiB", flush=True)
    for n, (kill, where) in enumerate(((kill_idle, "all done"), (kill_at_work, "a transaction open")) * 3):
        total, tail, count = restart(n, kill)
        print(f"restart after kill -9, {where + ':':<20} {total:5.2f} s to the first output, of which {tail:5.2f} s for a tail of {count:,} "
              f"records", flush=True)
    shutil.rmtree(work + "/state")
    seconds, peak, _, text = run(*words("--once"))
    count, longest = restored(text)
    print(f"restored on an empty disk: {count:,} records in {longest:.1f} s, {count / longest:,.0f} records/s, "
          f"{count * 116 / longest / 1e6:,.0f} MB/s; {count / seconds:,.0f} records/CPU-s, peak {peak >> 20} MiB", flush=True)
finally:
    subprocess.run([server, "kill", work + "/kafka"], check=False)
    shutil.rmtree(work, ignore_errors=True)
