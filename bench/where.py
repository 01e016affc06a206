"""Where a program's CPU goes, by perf: shares of the folders of our source and of the libraries."""
import collections
import os
import re
import shutil
import subprocess
import tempfile

# Of our own functions by the folder of their source, of others by the file that they are in.
PARTS = {"framework/json": "JSON", "framework/record": "records: codecs, keys", "framework/base": "memory, hashes, maps",
         "framework/store": "state: dirty map, commit", "statestores": "state: the door to RocksDB", "framework/task": "nodes, windows, queues",
         "framework/runtime": "threads, changelog, commits", "framework/kafka": "the door to librdkafka", "framework/window": "windows",
         "librdkafka": "librdkafka", "librocksdb": "RocksDB", "liblz4": "LZ4", "libc.": "the C library: copies, allocation, locks",
         "[kernel": "the kernel", "[unknown": "the kernel"}
LINE = re.compile(r"\s*([0-9.]+)%\s+(\S+)\s+\[[.k]\]\s+(\S+)")


def folders(binary):
    """{function: folder of its source}."""
    found = {}
    for line in subprocess.run(["nm", "-l", "--defined-only", binary], check=True, capture_output=True, text=True).stdout.splitlines():
        match = re.match(r"\S+ [tT] (\S+)\t.*/((?:framework/\w+)|statestores|bench|examples)/[^/]+:\d+$", line)
        if match:
            found[match[1]] = match[2]
    return found


def name_of(dso, symbol, source):
    place = source.get(symbol.split(".")[0], "") if source else ""
    for start, name in PARTS.items():
        if place == start or dso.startswith(start):
            return name
    return "the topology's own verbs" if place else "others"


def report(command):
    """Prints them. Without perf, or the right to use it, says so."""
    work = tempfile.mkdtemp(prefix="weir-bench-", dir="/var/tmp")
    data = os.path.join(work, "data")
    try:
        if shutil.which("perf") is None or subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", "997", "-o", data, "--", *command],
                                                          check=False, capture_output=True).returncode != 0:
            print("    by function: perf (linux-perf) is not here, or may not look", flush=True)
            return
        text = subprocess.run(["perf", "report", "--stdio", "-i", data, "--no-children", "--sort", "dso,sym"], check=True,
                              capture_output=True, text=True).stdout
        source, own, shares = folders(command[0]), os.path.basename(command[0]), collections.Counter()
        for share, dso, symbol in LINE.findall(text):
            shares[name_of(dso, symbol, source if dso == own else None)] += float(share)
        for name, share in shares.most_common():
            if share >= 0.5:
                print(f"    {share:4.0f} %  {name}", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
