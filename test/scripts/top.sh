#!/bin/bash
# top: one table of services that run, do not answer, are not there; on a terminal it redraws, and leaves the terminal as it
# was whatever ends it.
. test/scripts/cli.inc
D=$work/d

port_of() { sed -n 's/.*id=http-open .*port=\([0-9]*\).*/\1/p' "$work/service.err"; }
lines 3000 1 >"$work/in.txt"
"$words" local --dir "$D" --http.port=0 --in lines="$work/in.txt" --lines 2>"$work/service.err" &
service=$!
children+=($service)
await grep -q http-open "$work/service.err"
P=127.0.0.1:$(port_of)

echo "--- one table"
done_all() { "$words" top --once --url "$P" | grep -qE "^$P +word_count +running +[0-9]+ +[0-9.]+ +0 +8 +0 +[0-9]+M +[0-9]+$"; }
await done_all
expect 0 "$words" top --url 127.0.0.1:1 --url "$P" --dir "$D"
grep -q '^127.0.0.1:1  *nobody listens$' "$work/out" || { cat "$work/out"; fail "who does not answer is not told"; }
! grep -q absent "$work/out" || fail "what runs is said to be absent"

echo "--- what answers and is no service; what does not answer"
python3 - "$work/ports" <<'PY' &
import http.server, socket, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"{}")
    def log_message(self, *args): pass
other = http.server.HTTPServer(("127.0.0.1", 0), Handler)
silent = socket.socket(); silent.bind(("127.0.0.1", 0)); silent.listen()
with open(sys.argv[1] + ".new", "w") as file: file.write(f"{other.server_port} {silent.getsockname()[1]}\n")
import os; os.rename(sys.argv[1] + ".new", sys.argv[1])
other.serve_forever()
PY
children+=($!)
await test -e "$work/ports"
read -r other silent <"$work/ports"
expect 0 "$words" top --once --url "127.0.0.1:$other" --url "127.0.0.1:$silent"
grep -q "^127.0.0.1:$other  *what answers there is no service of ours$" "$work/out" || { cat "$work/out"; fail "another server"; }
grep -q "^127.0.0.1:$silent  *no answer in time$" "$work/out" || { cat "$work/out"; fail "a silent one"; }

echo "--- a terminal: q, Ctrl-C, SIGTERM; clean behind each"
python3 - "$words" "$P" <<'PY' || fail "on a terminal"
import os, pty, select, signal, sys, termios, time
words, at = sys.argv[1:]

def play(end):
    """Runs top on a terminal until it was drawn twice, ends it; what it wrote, its status, whether the terminal is as before."""
    leader, follower = pty.openpty()
    before = termios.tcgetattr(follower)
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(leader)
        for fd in (0, 1, 2): os.dup2(follower, fd)
        import fcntl
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        os.execv(words, [words, "top", "--url", at])
    said, ended, until = b"", False, time.time() + 30
    while time.time() < until:
        if select.select([leader], [], [], 0.1)[0]:
            said += os.read(leader, 65536)
        if not ended and said.count(b"SERVICE") >= 2:
            ended = True
            end(leader, child)
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            while select.select([leader], [], [], 0)[0]: said += os.read(leader, 65536)
            return said, status, termios.tcgetattr(follower) == before
    os.kill(child, signal.SIGKILL)
    sys.exit("it did not end: " + repr(said[-300:]))

for name, end in (("q", lambda leader, child: os.write(leader, b"q")), ("Ctrl-C", lambda leader, child: os.write(leader, b"\x03")),
                  ("SIGTERM", lambda leader, child: os.kill(child, signal.SIGTERM))):
    said, status, clean = play(end)
    if status != 0 or not clean or not said.startswith(b"\x1b[?1049h") or not said.endswith(b"\x1b[?25h\x1b[?1049l") or b"word_count" not in said:
        sys.exit(f"{name}: status {status}, terminal {'clean' if clean else 'changed'}, {said!r}")
PY

echo "--- a topology that nobody runs: its lag from the log"
kill -TERM $service
wait $service || fail "the service ended with $?"
lines 100 2 >"$work/more.txt"
WEIR_CRASH_AT=after-load:1 expect 137 "$words" local --dir "$D" --in lines="$work/more.txt" --lines --commit.interval.ms=1h \
    --log.level=error --http.port=-1
expect 0 "$words" top --url "$P" --dir "$D"
grep -qE '^- +word_count +absent +- +- +100 ' "$work/out" || { cat "$work/out"; fail "the lag of what nobody runs"; }

echo "--- what is refused"
expect 2 "$words" top
says '--url HOST:PORT'
expect 0 "$words" top --once --url nonsense
grep -q 'write HOST:PORT' "$work/out" || fail "no words about a bad address"
