#!/usr/bin/env python3
"""What a broker says of groups and transactions, and what it is told beside our programs.

    kafka_ask.py HOST:PORT members GROUP
        The first line is the group's state; then a line for each member, in the order of client ids and instance ids: client
        id, instance id ("-" = none), and its partitions, "topic:number" with commas between.
    kafka_ask.py HOST:PORT coordinator GROUP
        The number of the node that coordinates it.
    kafka_ask.py HOST:PORT grant|withdraw USER KIND NAME RIGHT...
        Rights of a user at a topic, group, id (of transactions) or the cluster (NAME: kafka-cluster); a * at the end of NAME stands
        for any rest. Rights: READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS,
        IDEMPOTENT_WRITE, ALL.
    kafka_ask.py HOST:PORT scram USER PASSWORD
        The user's password for SCRAM-SHA-256 and SCRAM-SHA-512, from now on.
    kafka_ask.py HOST:PORT get TOPIC NAME
        The value in force of a setting of a topic.
    kafka_ask.py HOST:PORT set TOPIC NAME VALUE
        A setting of a topic that is there.
    kafka_ask.py HOST:PORT transactions
        A line for each transactional id that the node asked coordinates: the id and the state of its last transaction.
"""
import hashlib
import os
import socket
import struct
import sys


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


class Reply:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        value = struct.unpack_from(">" + form, self.data, self.at)[0]
        self.at += struct.calcsize(">" + form)
        return value

    def slice(self, size):
        self.at += max(size, 0)
        return self.data[self.at - max(size, 0):self.at] if size >= 0 else None

    def text(self):
        value = self.slice(self.take("h"))
        return value.decode() if value is not None else None

    def bytes(self):
        return self.slice(self.take("i"))

    def count(self):
        """Of a compact array or text: one less than a varint."""
        value = shift = 0
        while True:
            byte = self.take("B")
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value - 1

    def compact(self):
        return self.slice(self.count()).decode()


def ask(server, api, version, body):
    host, port = server.split(",")[0].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as link:
        request = struct.pack(">hhi", api, version, 1) + text("ask") + body
        link.sendall(struct.pack(">i", len(request)) + request)
        file = link.makefile("rb")
        size = struct.unpack(">i", file.read(4))[0]
        reply = Reply(file.read(size))
    reply.take("i")
    return reply


def find_coordinator(server, group):
    """FindCoordinator, version 1: its number, host and port."""
    reply = ask(server, 10, 1, text(group) + b"\0")
    reply.take("i")
    code = reply.take("h")
    reply.text()
    node, host = reply.take("i"), reply.text()
    if code:
        sys.exit(f"error {code}: no coordinator of {group}")
    return node, f"{host}:{reply.take('i')}"


def partitions(assignment):
    if not assignment:
        return ""
    reply = Reply(assignment)
    reply.take("h")
    taken = []
    for _ in range(reply.take("i")):
        topic = reply.text()
        taken += [f"{topic}:{reply.take('i')}" for _ in range(reply.take("i"))]
    return ",".join(sorted(taken, key=lambda at: (at.rsplit(":")[0], int(at.rsplit(":")[1]))))


def coordinator(server, group):
    print(find_coordinator(server, group)[0])


def members(server, group):
    """DescribeGroups, version 4."""
    reply = ask(find_coordinator(server, group)[1], 15, 4, struct.pack(">i", 1) + text(group) + b"\0")
    reply.take("i")
    reply.take("i")
    code = reply.take("h")
    reply.text()
    state = reply.text()
    reply.text(), reply.text()
    found = []
    for _ in range(reply.take("i")):
        reply.text()
        instance, client = reply.text(), reply.text()
        reply.text()
        reply.bytes()
        found.append((client, instance or "-", partitions(reply.bytes())))
    if code:
        sys.exit(f"error {code}: {group} is not described")
    print(state)
    for member in sorted(found):
        print(*member)


KINDS = {"topic": 2, "group": 3, "cluster": 4, "id": 5}
RIGHTS = {"ALL": 2, "READ": 3, "WRITE": 4, "CREATE": 5, "DELETE": 6, "ALTER": 7, "DESCRIBE": 8, "CLUSTER_ACTION": 9,
          "DESCRIBE_CONFIGS": 10, "ALTER_CONFIGS": 11, "IDEMPOTENT_WRITE": 12}


def resource(kind, name):
    form = 4 if name.endswith("*") and name != "*" else 3
    return struct.pack(">b", KINDS[kind]) + text(name[:-1] if form == 4 else name) + struct.pack(">b", form)


def ask_rights(server, request, user, kind, name, rights):
    """CreateAcls (30) or DeleteAcls (31), version 1: yields the reply at each result, behind its code and words."""
    body = struct.pack(">i", len(rights))
    for right in rights:
        body += resource(kind, name) + text("User:" + user) + text("*") + struct.pack(">bb", RIGHTS[right], 3)
    reply = ask(server, request, 1, body)
    reply.take("i")
    for _ in range(reply.take("i")):
        code, words = reply.take("h"), reply.text()
        if code:
            sys.exit(f"error {code}: {words}")
        yield reply


def grant(server, user, kind, name, *rights):
    for _ in ask_rights(server, 30, user, kind, name, rights):
        pass


def withdraw(server, user, kind, name, *rights):
    for reply in ask_rights(server, 31, user, kind, name, rights):
        if reply.take("i") == 0:
            sys.exit("there was no such right")
        return


def compact(data):
    return struct.pack("B", len(data) + 1) + data


def scram(server, user, password):
    """AlterUserScramCredentials, version 0."""
    for number, digest in ((1, "sha256"), (2, "sha512")):  # one of a user in a request
        salt = os.urandom(16)
        salted = hashlib.pbkdf2_hmac(digest, password.encode(), salt, 4096)
        wanted = compact(user.encode()) + struct.pack(">bi", number, 4096) + compact(salt) + compact(salted) + b"\0"
        reply = ask(server, 51, 0, b"\0\1\2" + wanted + b"\0")
        reply.take("b")
        reply.take("i")
        reply.count()
        reply.compact()
        code = reply.take("h")
        if code:
            sys.exit(f"error {code}: {reply.compact()}")


def set_on(server, topic, name, value):
    """IncrementalAlterConfigs, version 0."""
    resources = struct.pack(">ib", 1, 2) + text(topic) + struct.pack(">i", 1) + text(name) + b"\0" + text(value)
    reply = ask(server, 44, 0, resources + b"\0")
    reply.take("i")
    reply.take("i")
    code = reply.take("h")
    if code:
        sys.exit(f"error {code}: {reply.text()}")


def get_of(server, topic, name):
    """DescribeConfigs, version 1."""
    reply = ask(server, 32, 1, struct.pack(">ib", 1, 2) + text(topic) + struct.pack(">i", 1) + text(name) + b"\0")
    reply.take("i")
    reply.take("i")
    code = reply.take("h")
    words = reply.text()
    if code:
        sys.exit(f"error {code}: {words}")
    reply.take("b")
    reply.text()
    for _ in range(reply.take("i")):
        reply.text()
        print(reply.text())
        return


def transactions(server):
    """ListTransactions, version 0, with its tagged fields."""
    reply = ask(server, 66, 0, b"\0\1\1\0")
    reply.take("b")
    reply.take("i")
    code = reply.take("h")
    if code:
        sys.exit(f"error {code}: no transactions are listed")
    for _ in range(reply.count()):
        reply.compact()
    for _ in range(reply.count()):
        name = reply.compact()
        reply.take("q")
        print(name, reply.compact())
        reply.take("b")


{"members": members, "coordinator": coordinator, "transactions": transactions, "grant": grant,
 "withdraw": withdraw, "scram": scram, "set": set_on, "get": get_of}[sys.argv[2]](sys.argv[1], *sys.argv[3:])
