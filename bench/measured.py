"""What benches share: a program run to its end, and what it used."""
import os
import subprocess
import sys
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")
LOOK_S = 0.05


def look_at_threads(pid, threads):
    """{thread: (its name, its CPU seconds so far)} of a process, as it is now; of threads that are gone, as they were."""
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/stat") as file:
                name, _, rest = file.read().partition("(")[2].rpartition(")")
            fields = rest.split()
            threads[thread] = name, (int(fields[11]) + int(fields[12])) / TICKS
    except FileNotFoundError:
        pass


def run(*words, threads=None):
    """CPU seconds, peak bytes, what it said. One that ends badly ends the bench. threads: takes what its threads used (look_at_threads)."""
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(words, stdout=said, stderr=said)
        pid = 0
        while threads is not None and pid == 0:
            look_at_threads(child.pid, threads)
            time.sleep(LOOK_S)
            pid, status, used = os.wait4(child.pid, os.WNOHANG)
        if pid == 0:
            _, status, used = os.wait4(child.pid, 0)
        said.seek(0)
        text = said.read()
    if status != 0:
        sys.exit(f"{' '.join(words)}: exit {os.waitstatus_to_exitcode(status)}\n{text}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss << 10, text
