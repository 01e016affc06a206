#!/usr/bin/env python3
"""ClickHouse's engine behind its HTTP interface, for tests: libchdb.so does the work, this file speaks HTTP.

  clickhouse.py LIBRARY DATA PORT     port 0: any; prints the port once requests are answered. SIGTERM ends it cleanly.
  USER_NAME, USER_PASSWORD            who may ask (default, no password); TLS_CERT, TLS_KEY: files, then it speaks HTTPS;
                                      TLS_CLIENTS: the authority of clients, who need a certificate then

1. Each request has a connection of the engine to itself: database and settings of one are unknown to the next.
2. A fault waits for the next requests that it fits: POST /fault?kind=refuse|drop|delay&times=N&match=TEXT
   refuse: not run, answered with status (503) and code (0: none); drop: run, then the link is cut without an answer;
   delay: run after ms. times=0 takes all faults away. docs/why.md says how this differs from a server.
"""
import base64
import contextlib
import ctypes
import gzip
import http.server
import os
import re
import signal
import ssl
import sys
import tempfile
import threading
import time
import urllib.parse
import zlib

# Parameters of a request that are no settings of its query.
OF_THE_REQUEST = set("query database default_format user password query_id wait_end_of_query buffer_size compress decompress "
                     "enable_http_compression".split())
# HTTP status by the engine's code; 500 where nothing is said.
STATUS = {60: 404, 81: 404, 115: 404, 46: 404, 47: 404, 50: 404, 36: 400, 53: 400, 27: 400, 26: 400, 38: 400, 41: 400, 62: 400,
          69: 400, 72: 400, 117: 400, 16: 404, 48: 501, 159: 408, 164: 500, 194: 401, 516: 403, 497: 403}


class Engine:
    def __init__(self, library, data):
        self.lib = ctypes.CDLL(library)
        pointer, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
        for name, result, arguments in [
                ("connect", ctypes.POINTER(pointer), [ctypes.c_int, ctypes.POINTER(text)]),
                ("close_conn", None, [ctypes.POINTER(pointer)]),
                ("query_n", pointer, [pointer, text, size, text, size]),
                ("destroy_query_result", None, [pointer]),
                ("result_buffer", pointer, [pointer]),
                ("result_length", size, [pointer]),
                ("result_error", text, [pointer]),
                ("result_rows_written", ctypes.c_uint64, [pointer])]:
            function = getattr(self.lib, "chdb_" + name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        self.words = (text * 2)(b"clickhouse", b"--path=" + os.fsencode(data))
        self.first = self.connect(2, self.words)  # open until the end: the data stay loaded between requests
        if not self.first:
            sys.exit(f"{data}: cannot be opened: another process has it?")

    @contextlib.contextmanager
    def connection(self):
        link = self.connect(2, self.words)
        try:
            yield lambda sql, form="TabSeparated": self.ask(link, sql, form)
        finally:
            self.close_conn(link)

    def ask(self, link, sql, form):
        """The answer's bytes, rows written, and what went wrong or None."""
        result = self.query_n(link[0], sql, len(sql), form.encode(), len(form))
        try:
            wrong = self.result_error(result)
            size = self.result_length(result)
            answer = ctypes.string_at(self.result_buffer(result), size) if size else b""
            return answer, self.result_rows_written(result), wrong and wrong.decode("utf-8", "replace")
        finally:
            self.destroy_query_result(result)


class Faults:
    def __init__(self):
        self.lock, self.waiting = threading.Lock(), []

    def set(self, about):
        with self.lock:
            about["times"] = int(about.get("times", 1))
            self.waiting = self.waiting + [about] if about["times"] else []

    def take(self, sql):
        with self.lock:
            for fault in self.waiting:
                if fault.get("match", "").encode() in sql:
                    fault["times"] -= 1
                    if fault["times"] == 0:
                        self.waiting.remove(fault)
                    return fault
        return {}


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        if "gzip" in self.headers.get("Accept-Encoding", "") and self.about.get("enable_http_compression") == "1":
            body = gzip.compress(body, 1)
            headers["Content_Encoding"] = "gzip"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Server-Display-Name", "test")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, words, code=None, status=None):
        if code is None:
            found = re.search(r"Code: (\d+)", words)
            code = int(found.group(1)) if found else 1002
        self.answer(status or STATUS.get(code, 500), words.encode() + b"\n", X_ClickHouse_Exception_Code=str(code))

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            raw = b"".join(parts)
        else:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        form = self.headers.get("Content-Encoding", "identity")
        if form == "gzip":
            return gzip.decompress(raw)
        return zlib.decompress(raw) if form == "deflate" else raw

    def known(self):
        user = self.about.get("user", self.headers.get("X-ClickHouse-User", "default"))
        password = self.about.get("password", self.headers.get("X-ClickHouse-Key", ""))
        basic = self.headers.get("Authorization", "")
        if basic.startswith("Basic "):
            user, _, password = base64.b64decode(basic[6:]).decode().partition(":")
        return (user, password) == (USER, PASSWORD)

    def run(self, sql):
        form = self.about.get("default_format", "TabSeparated")
        database = self.about.get("database", self.headers.get("X-ClickHouse-Database"))
        with engine.connection() as ask:
            first = [f"USE `{database}`"] if database else []
            first += [f"SET {name} = {quoted(value)}" for name, value in self.about.items() if name not in OF_THE_REQUEST]
            first += ["SET readonly = 2"] if self.command == "GET" else []
            for line in first:
                wrong = ask(line.encode())[2]
                if wrong:
                    return b"", 0, wrong
            return ask(sql, form)

    def run_rows(self, query, rows):
        """INSERT ... FORMAT: rows with an empty line in them, as binary ones may have, would end there for the engine, not for a server."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(rows)
            file.flush()
            return self.run(re.sub(rb"\bFORMAT\b", f"FROM INFILE {quoted(file.name)} FORMAT".encode(), query, count=1))

    def handle_one(self):
        url = urllib.parse.urlsplit(self.path)
        self.about = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        body = self.body()
        if url.path == "/ping":
            return self.answer(200, b"Ok.\n")
        if url.path == "/fault":
            faults.set(self.about)
            return self.answer(200)
        if not self.known():
            return self.refuse("Code: 516. DB::Exception: Authentication failed: password is incorrect, or there is no user "
                               "with such name. (AUTHENTICATION_FAILED)")
        query = self.about.get("query", "").encode()
        inserts = re.match(rb"\s*INSERT\b(?!.*\bSELECT\b)", query, re.I | re.S) and b"VALUES" not in query.upper()
        if inserts and not body:
            return self.answer(200)  # no rows: a server takes that, the engine does not
        sql = query + b"\n" + body if query and body else query or body
        fault = faults.take(sql)
        if fault.get("kind") == "refuse":
            code = int(fault.get("code", 0))
            return self.refuse(f"Code: {code}. DB::Exception: as ordered", code, int(fault.get("status", 503)))
        if fault.get("kind") == "delay":
            time.sleep(int(fault.get("ms", 1000)) / 1000)
        if inserts and b"\n\n" in body:
            answer, written, wrong = self.run_rows(query, body)
        else:
            answer, written, wrong = self.run(sql) if sql.strip() else (b"Ok.\n", 0, None)
        if fault.get("kind") == "drop":
            self.close_connection = True
            return None
        if wrong:
            return self.refuse(wrong)
        return self.answer(200, answer, X_ClickHouse_Summary=f'{{"written_rows":"{written}"}}')

    do_GET = do_POST = do_HEAD = handle_one


class Server(http.server.ThreadingHTTPServer):
    daemon_threads, allow_reuse_address, request_queue_size = True, True, 128

    def handle_error(self, *_):
        pass  # clients go away as they like


USER, PASSWORD = os.environ.get("USER_NAME", "default"), os.environ.get("USER_PASSWORD", "")
engine, faults = Engine(sys.argv[1], sys.argv[2]), Faults()
server = Server(("127.0.0.1", int(sys.argv[3])), Handler)
if "TLS_CERT" in os.environ:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.environ["TLS_CERT"], os.environ["TLS_KEY"])
    if "TLS_CLIENTS" in os.environ:
        context.load_verify_locations(os.environ["TLS_CLIENTS"])
        context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print(server.server_port, flush=True)
server.serve_forever()
engine.close_conn(engine.first)
