"""What benches share: a program run to its end, and what it used."""
import os
import subprocess
import sys
import tempfile


def run(*words):
    """CPU seconds, peak bytes, what it said. One that ends badly ends the bench."""
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(words, stdout=said, stderr=said)
        _, status, used = os.wait4(child.pid, 0)
        said.seek(0)
        text = said.read()
    if status != 0:
        sys.exit(f"{' '.join(words)}: exit {os.waitstatus_to_exitcode(status)}\n{text}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss << 10, text
