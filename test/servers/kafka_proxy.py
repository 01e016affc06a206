#!/usr/bin/env python3
"""A proxy before a broker that loses, or holds back, what a test chooses.

    kafka_proxy.py DIR

It listens on a free port of 127.0.0.1, which it writes to DIR/proxy, and passes all on to the port that DIR/target names when
a client connects; its commands come to the port in DIR/commands, a line each, and are answered by a line:

    drop request|reply API [CLIENT]   the next one is lost, with its connection; once
    hold request|reply API [CLIENT [TOPIC]]
                                      all are held back from now on, with what follows on their connection; with TOPIC those
                                      behind the client's next records to it
    await                             answers when the first one was lost or held
    release                           nothing is held or lost any more
    lose                              the same, but what was held is lost with its connection
    hide API                          the broker seems not to know it, for clients that connect from now on
    count API [CLIENT]                how many requests were passed on

API is a request's number, as 26 for EndTxn; CLIENT the client.id of who sends it.
"""
import asyncio
import struct
import sys


PRODUCE, API_VERSIONS, NOBODYS = 0, 18, 0x7FFF


class Rule:
    def __init__(self, act, side, api, client=None, topic=None):
        self.act, self.side, self.api, self.client, self.topic = act, side, int(api), client, topic
        self.met = asyncio.Event()
        self.over = asyncio.Event()

    def meets(self, side, api, client):
        return (self.topic is None and (self.side, self.api) == (side, api) and self.client in (None, client)
                and not self.over.is_set())

    def look_for_topic(self, api, client, frame):
        if self.topic and api == PRODUCE and client == self.client and self.topic.encode() in frame:
            self.topic = None


class Lost(Exception):
    """The message that a rule takes away."""


class Proxy:
    def __init__(self, folder):
        self.folder = folder
        self.rule = None
        self.hidden = set()
        self.passed = {}

    async def judge(self, side, api, client):
        """Waits as long as the message is held."""
        rule = self.rule
        if rule is None or not rule.meets(side, api, client):
            return
        rule.met.set()
        if rule.act == "drop":
            rule.over.set()
            raise Lost
        await rule.over.wait()
        if rule.act == "lose":
            raise Lost

    async def pass_requests(self, client_side, broker_side, sent):
        while True:
            frame = await read_frame(client_side)
            api, _, number, size = struct.unpack(">hhih", frame[:10])
            client = frame[10:10 + size].decode() if size >= 0 else ""
            sent[number] = (api, client)
            if self.rule is not None:
                self.rule.look_for_topic(api, client, frame)
            await self.judge("request", api, client)
            self.passed[api, client] = self.passed.get((api, client), 0) + 1
            await write_frame(broker_side, frame)

    async def pass_replies(self, broker_side, client_side, sent):
        while True:
            frame = await read_frame(broker_side)
            api, client = sent.pop(struct.unpack(">i", frame[:4])[0], (-1, ""))
            await self.judge("reply", api, client)
            await write_frame(client_side, without(self.hidden, frame) if api == API_VERSIONS else frame)

    async def connect(self, reader, writer):
        ends = [writer]
        try:
            with open(self.folder + "/target") as file:
                broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", int(file.read()))
            ends.append(broker_writer)
            sent = {}
            ways = [asyncio.ensure_future(self.pass_requests(reader, broker_writer, sent)),
                    asyncio.ensure_future(self.pass_replies(broker_reader, writer, sent))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass
        for end in ends:
            end.close()

    async def obey(self, words):
        if words[0] in ("drop", "hold"):
            self.rule = Rule(*words)
        elif words[0] == "await":
            await self.rule.met.wait()
        elif words[0] == "release":
            self.rule.over.set()
        elif words[0] == "lose":
            self.rule.act = "lose"
            self.rule.over.set()
        elif words[0] == "hide":
            self.hidden.add(int(words[1]))
        elif words[0] == "count":
            wanted = int(words[1])
            return str(sum(n for (api, client), n in self.passed.items()
                           if api == wanted and client in (words[2:] or [client])))
        else:
            return "what? " + " ".join(words)
        return "ok"

    async def command(self, reader, writer):
        line = await reader.readline()
        answer = await self.obey(line.decode().split())
        writer.write(answer.encode() + b"\n")
        writer.close()


def without(hidden, frame):
    """The answer to ApiVersions of version 3, with a number that nobody knows in place of those that are hidden: entries of 7 bytes
    behind number, error and count."""
    count, at, shift = 0, 6, 0
    while True:
        byte = frame[at]
        count, at, shift = count | (byte & 0x7F) << shift, at + 1, shift + 7
        if not byte & 0x80:
            break
    answer = bytearray(frame)
    for entry in range(at, at + 7 * (count - 1), 7):
        if struct.unpack(">h", frame[entry:entry + 2])[0] in hidden:
            answer[entry:entry + 2] = struct.pack(">h", NOBODYS)
    return bytes(answer)


async def read_frame(reader):
    size = struct.unpack(">i", await reader.readexactly(4))[0]
    return await reader.readexactly(size)


async def write_frame(writer, frame):
    writer.write(struct.pack(">i", len(frame)) + frame)
    await writer.drain()


async def main(folder):
    proxy = Proxy(folder)
    doors = {"proxy": proxy.connect, "commands": proxy.command}
    servers = {name: await asyncio.start_server(door, "127.0.0.1", 0) for name, door in doors.items()}
    for name, server in servers.items():
        with open(f"{folder}/{name}", "w") as file:
            print(server.sockets[0].getsockname()[1], file=file)
    await asyncio.gather(*(server.serve_forever() for server in servers.values()))


asyncio.run(main(sys.argv[1]))
