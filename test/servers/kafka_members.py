#!/usr/bin/env python3
"""Who is in a group, as the broker that coordinates it says.

    kafka_members.py HOST:PORT GROUP

The first line is the group's state; then a line for each member, in the order of client ids and instance ids: client id,
instance id ("-" = none), and its partitions, "topic:number" with commas between.
"""
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


def ask(server, api, version, body):
    host, port = server.split(",")[0].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as link:
        request = struct.pack(">hhi", api, version, 1) + text("members") + body
        link.sendall(struct.pack(">i", len(request)) + request)
        file = link.makefile("rb")
        size = struct.unpack(">i", file.read(4))[0]
        reply = Reply(file.read(size))
    reply.take("i")
    return reply


def coordinator(server, group):
    """FindCoordinator, version 1."""
    reply = ask(server, 10, 1, text(group) + b"\0")
    reply.take("i")
    code = reply.take("h")
    reply.text()
    reply.take("i")
    host = reply.text()
    if code:
        sys.exit(f"error {code}: no coordinator of {group}")
    return f"{host}:{reply.take('i')}"


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


def main(server, group):
    """DescribeGroups, version 4."""
    reply = ask(coordinator(server, group), 15, 4, struct.pack(">i", 1) + text(group) + b"\0")
    reply.take("i")
    reply.take("i")
    code = reply.take("h")
    reply.text()
    state = reply.text()
    reply.text(), reply.text()
    members = []
    for _ in range(reply.take("i")):
        reply.text()
        instance, client = reply.text(), reply.text()
        reply.text()
        reply.bytes()
        members.append((client, instance or "-", partitions(reply.bytes())))
    if code:
        sys.exit(f"error {code}: {group} is not described")
    print(state)
    for member in sorted(members):
        print(*member)


main(*sys.argv[1:])
