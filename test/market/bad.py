"""Raw events that are bad in every way, good ones between them, and what must become of each.

    bad.py records RECORDS EXPECTED    writes records as `local --in` takes them, and a line "NAME CODE BASE64" for each
    bad.py check EXPECTED RUN TOPIC    every bad one is one dead letter with its code and its bytes, every good one a tick
    bad.py between RECORDS             writes what is bad between our own topologies: keys, ticks and bars that are none
    bad.py lettered RUN TOPOLOGY TOPIC...   every record of the topics is a dead letter of the topology
    bad.py mutate SEED TIMES <EVENTS   raw events as `cat` prints them, damaged; as JSON and as MessagePack

CODE of a good one is "tick". RUN: see runs.py. Standard library only; MessagePack is written here.
"""
import base64
import collections
import json
import random
import struct
import sys

import runs

T = 1740805200000000  # 2025-03-01T05:00:00Z
MEBI = 1 << 20


# ---- MessagePack ----

def pack(value):
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return b"\xd3" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        value = value.encode()
        return b"\xdb" + struct.pack(">I", len(value)) + value
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, list):
        return b"\xdc" + struct.pack(">H", len(value)) + b"".join(map(pack, value))
    return b"\xde" + struct.pack(">H", len(value)) + b"".join(pack(k) + pack(v) for k, v in value.items())


# ---- events ----

def text(document):
    return json.dumps(document, separators=(",", ":")).encode()


def without(document, *path):
    copy = json.loads(json.dumps(document))
    at = copy
    for name in path[:-1]:
        at = at[name]
    del at[path[-1]]
    return copy


def having(document, value, *path):
    copy = json.loads(json.dumps(document))
    at = copy
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    return copy


def trade(name, **raw):
    """A tick in the flat envelope with a document inside."""
    inner = dict({"price": "5000.25", "volume": "2"}, **raw)
    return {"event_id": name, "tenant_id": "acme", "producer": "p@1", "occurred_at": T, "ingested_at": T,
            "payload": {"source_system": "s", "market": "CME", "symbol": "ESZ5", "sequence": len(name) + sum(name.encode()),
                        "encoding": "json", "raw_payload": json.dumps(inner)}}


def price(name, **fields):
    """A connector's flat payload."""
    return {"event_id": name, "tenant_id": "acme", "producer": "p@1", "occurred_at": T, "ingested_at": T,
            "payload": dict({"market": "PJM", "data_type": "rtm_lmp", "node": "HUB " + name, "timestamp": T,
                             "lmp_usd_per_mwh": "31.5"}, **fields)}


def nested(name, **raw):
    """The nested envelope."""
    return {"envelope": {"event_id": name, "tenant_id": "acme", "source": "s", "timestamp": "2025-03-01T05:00:00Z"},
            "payload": {"market": "MISO", "instrument_id": "MISO.HUB." + name.upper().replace("-", "."),
                        "raw_data": dict({"timestamp": "2025-03-01T05:00:00Z", "price": 30.5, "volume": 1}, **raw)}}


def deep(levels):
    return "[" * levels + "]" * levels


def good():
    for i, make in enumerate((trade, price, nested)):
        for form, write in (("json", text), ("packed", pack)):
            yield f"good-{form}-{i}", write(make(f"good-{form}-{i}"))
    for name, number in (("negative", "-31.5"), ("zero", "0"), ("exponent", "6e-05"), ("short", "-.37"), ("large", "90000000000")):
        yield f"good-{name}", text(price(f"good-{name}", lmp_usd_per_mwh=number))
    yield "good-double", pack(price("good-double", lmp_usd_per_mwh=31.25))
    yield "good-unknown-members", text(having(price("good-unknown-members"), json.loads(deep(20)), "payload", "more"))


def malformed():
    whole = text(trade("x"))
    yield "empty", b"", "malformed"
    yield "blank", b"  \n", "malformed"
    yield "brace", b"{", "malformed"
    yield "cut", whole[:-1], "malformed"
    yield "cut in a text", whole[:20], "malformed"
    yield "more behind", whole + b"x", "malformed"
    yield "two documents", whole + whole, "malformed"
    yield "single quotes", whole.replace(b'"', b"'"), "malformed"
    yield "comma at the end", whole[:-1] + b",}", "malformed"
    yield "comment", b"/* */" + whole, "malformed"
    yield "literal NaN", text(price("x")).replace(b'"31.5"', b"NaN"), "malformed"
    yield "literal Infinity", text(price("x")).replace(b'"31.5"', b"-Infinity"), "malformed"
    yield "leading zero", text(price("x")).replace(b'"31.5"', b"031.5"), "malformed"
    yield "control character", whole.replace(b"ESZ5", b"ES\x01Z5"), "malformed"
    yield "NUL bytes", b"\0" * 100, "malformed"
    yield "half of a surrogate pair", whole.replace(b"ESZ5", b"\\ud800"), "malformed"
    yield "invalid UTF-8", whole.replace(b"ESZ5", b"ES\xff\xfe"), "malformed"
    yield "overlong UTF-8", whole.replace(b"ESZ5", b"\xc0\xaf"), "malformed"
    yield "surrogate in UTF-8", whole.replace(b"ESZ5", b"\xed\xa0\x80"), "malformed"
    yield "deep arrays", deep(100000).encode(), "malformed"
    yield "deep objects", b'{"a":' * 5000 + b"1" + b"}" * 5000, "malformed"
    yield "deep inside", whole.replace(b'"ESZ5"', deep(3000).encode()), "malformed"
    yield "inner document", text(having(trade("x"), "{", "payload", "raw_payload")), "malformed"
    yield "inner deep", text(having(trade("x"), deep(5000), "payload", "raw_payload")), "malformed"
    packed = pack(trade("x"))
    yield "packed, cut", packed[:-1], "malformed"
    yield "packed, more behind", packed + b"\xc0", "malformed"
    yield "packed, a map of millions", b"\xdf\xff\xff\xff\xff\xa1a\x01", "malformed"
    yield "packed, a text of gigabytes", b"\x81\xa1a\xdb\xff\xff\xff\xf0abc", "malformed"
    yield "packed, an extension", b"\x81\xa1a\xd4\x01\x00", "malformed"
    yield "packed, never used byte", b"\x81\xa1a\xc1", "malformed"
    yield "packed, a key that is no text", b"\x81\x01\x01", "malformed"
    yield "packed, invalid UTF-8", packed.replace(b"ESZ5", b"E\xff\xfeZ"), "malformed"
    yield "packed, deep", b"\x81\xa1a" + b"\x91" * 100000, "malformed"
    yield "packed inside, cut", text(having(having(trade("x"), "msgpack", "payload", "encoding"),
                                            base64.b64encode(pack({"price": 1})[:-1]).decode(), "payload", "raw_payload")), "malformed"


def shapes():
    for name, document in (("number", 1), ("text", "x"), ("array", []), ("null", None), ("true", True)):
        yield f"only a {name}", text(document), "unknown_shape"
    yield "empty object", b"{}", "missing_field"
    yield "packed, empty map", b"\x80", "missing_field"
    yield "neither raw_data nor raw_payload", text(without(trade("x"), "payload", "raw_payload")), "unknown_shape"
    yield "payload is an array", text(having(trade("x"), [], "payload")), "wrong_type"
    yield "payload is a text", text(having(trade("x"), "x", "payload")), "wrong_type"
    yield "envelope is a number", text(having(nested("x"), 1, "envelope")), "wrong_type"
    yield "raw_data is an array", text(having(nested("x"), [], "payload", "raw_data")), "wrong_type"
    yield "raw_payload is an object", text(having(trade("x"), {"price": 1}, "payload", "raw_payload")), "wrong_type"
    yield "tenant is an object", text(having(trade("x"), {}, "tenant_id")), "wrong_type"
    yield "market is a list", text(having(trade("x"), [], "payload", "market")), "wrong_type"
    yield "price is an object", text(having(price("x"), {}, "payload", "lmp_usd_per_mwh")), "wrong_type"
    yield "price is a list", text(having(price("x"), [1], "payload", "lmp_usd_per_mwh")), "wrong_type"
    yield "price is true", text(having(price("x"), True, "payload", "lmp_usd_per_mwh")), "wrong_type"
    yield "time is an object", text(having(trade("x"), {}, "occurred_at")), "wrong_type"
    yield "sequence is an object", text(having(trade("x"), {}, "payload", "sequence")), "wrong_type"
    yield "without event_id", text(without(trade("x"), "event_id")), "missing_field"
    yield "without payload", text(without(trade("x"), "payload")), "unknown_shape"
    yield "without market", text(without(trade("x"), "payload", "market")), "missing_field"
    yield "without source_system", text(without(trade("x"), "payload", "source_system")), "missing_field"
    yield "without data_type", text(without(price("x"), "payload", "data_type")), "unknown_shape"
    yield "without node", text(without(price("x"), "payload", "node")), "missing_field"
    yield "without time", text(without(price("x"), "payload", "timestamp")), "missing_field"
    yield "without price", text(without(price("x"), "payload", "lmp_usd_per_mwh")), "missing_field"
    yield "without instrument", text(without(nested("x"), "payload", "instrument_id")), "missing_field"
    yield "raw_payload is empty", text(having(trade("x"), "", "payload", "raw_payload")), "missing_field"
    yield "price is null", text(having(price("x"), None, "payload", "lmp_usd_per_mwh")), "no_price"
    yield "price is empty", text(having(price("x"), "", "payload", "lmp_usd_per_mwh")), "no_price"


def values():
    for number, code in (("NaN", "bad_number"), ("nan", "bad_number"), ("Infinity", "bad_number"), ("1,5", "bad_number"),
                         ("0x10", "bad_number"), ("--1", "bad_number"), ("1e", "bad_number"), ("abc", "bad_number"),
                         ("1.123456789", "precision"), ("1e-9", "precision"), ("1e400", "overflow"),
                         ("92233720368.54775808", "overflow"), ("9" * 400, "overflow")):
        yield f"price {number[:20]}", text(price("x", lmp_usd_per_mwh=number)), code
    yield "packed, price NaN", pack(price("x", lmp_usd_per_mwh=float("nan"))), "bad_number"
    yield "packed, price infinite", pack(price("x", lmp_usd_per_mwh=float("-inf"))), "bad_number"
    yield "packed, price 1e300", pack(price("x", lmp_usd_per_mwh=1e300)), "overflow"
    yield "volume below zero", text(trade("x", volume="-1")), "bad_number"
    yield "sequence with a fraction", text(having(trade("x"), 1.5, "payload", "sequence")), "bad_number"
    yield "sequence below zero", text(having(trade("x"), -1, "payload", "sequence")), "bad_number"
    yield "sequence beyond 64 bits", text(having(trade("x"), 1 << 64, "payload", "sequence")), "bad_number"
    yield "an unknown market", text(having(price("x"), "ATLANTIS", "payload", "market")), "unknown_market"
    yield "an unknown data type", text(having(price("x"), "weather", "payload", "data_type")), "unknown_feed"
    yield "an unknown encoding", text(having(trade("x"), "xml", "payload", "encoding")), "unsupported_encoding"
    yield "tenant with a slash", text(having(trade("x"), "../etc", "tenant_id")), "bad_name"
    yield "tenant with a NUL", text(having(trade("x"), "a\0b", "tenant_id")), "bad_name"
    yield "tenant of 51", text(having(trade("x"), "t" * 51, "tenant_id")), "bad_name"
    yield "a symbol of nothing", text(having(trade("x"), "***", "payload", "symbol")), "bad_name"
    yield "a symbol of 5000", text(having(trade("x"), "S" * 5000, "payload", "symbol")), "too_long"
    yield "a location that ends as a suffix", text(price("x", node="HUB.DA")), "name_clash"


def times():
    for time, code in (("yesterday", "bad_time"), ("2025-13-01T00:00:00Z", "bad_time"), ("2025-02-30T00:00:00Z", "bad_time"),
                       ("2025-03-01T25:00:00Z", "bad_time"), ("2025-03-01T00:00:00+99:00", "bad_time"), ("9" * 30, "bad_time"),
                       (1e300, "bad_time"), ("NaN", "bad_time"), (-1, "bad_time"), ("1969-12-31T23:00:00Z", "bad_time"),
                       ("9999-12-31T23:59:59Z", "bad_time"), ("2150-01-01T00:00:00Z", "too_far_ahead"), (T + 3600 * 10**6, "too_far_ahead"),
                       ("2025-03-09 02:30:00 America/New_York", "bad_time")):
        yield f"time {time}", text(price("x", timestamp=time)), code
    yield "received at no time", text(having(trade("x"), "soon", "ingested_at")), "bad_time"
    yield "an hour that there is not", text(
        having(without(price("x", datetime_beginning_ept="3/9/2025 2:30:00 AM"), "payload", "timestamp"), "rt_hrl_lmps",
               "payload", "data_type")), "no_such_time"


def sizes():
    yield "2 MiB", text(having(trade("x"), "a" * (2 * MEBI), "more")), "WEIR_TOO_LARGE"
    yield "2 MiB of brackets", b"[" * (2 * MEBI), "WEIR_TOO_LARGE"
    yield "7 MiB", b" " * (7 * MEBI), "WEIR_TOO_LARGE"  # its dead letter would be too large with its bytes
    yield "null", None, "WEIR_NULL_GIVEN"


def bad():
    for group in (malformed, shapes, values, times, sizes):
        yield from group()


def encoded(value):
    return "null" if value is None else base64.b64encode(value).decode()


def in_letter(value):
    return "left out" if value is not None and len(value) > 6 * MEBI else encoded(value)


# ---- commands ----

def write_records(records, expected):
    """Bad ones with good ones between them, the good ones once."""
    rest, cases = list(good()), list(bad())
    every = max(len(cases) // len(rest), 1)
    mixed = []
    for i, (name, value, code) in enumerate(cases):
        mixed.append((name, value, code))
        if i % every == 0 and rest:
            mixed.append((*rest.pop(0), "tick"))
    mixed += [(*case, "tick") for case in rest]
    with open(records, "w", encoding="ascii") as out, open(expected, "w", encoding="utf-8") as told:
        for i, (name, value, code) in enumerate(mixed):
            out.write(json.dumps({"key": None if i % 3 else {"base64": "AP8="}, "timestamp": T // 1000,
                                  "headers": [["h", "AP8="], ["n", None]],
                                  "value": None if value is None else {"base64": encoded(value)}}) + "\n")
            told.write(f"{name}\t{code}\t{in_letter(value)}\n")


SHAPE = {"source_topic": str, "partition": str, "offset": str, "timestamp": str, "key_base64": (str, type(None)),
         "value_base64": (str, type(None)), "headers": list, "stage": str, "code": str, "message": str, "attempts": str,
         "tenant": (str, type(None)), "first_failed": str, "last_failed": str}


def check_shape(letter):
    """The one shape of dead letters (numbers are read as text here)."""
    bare = letter.pop("bytes_left_out", None)  # there alone where key, value and headers are not
    if bare is not None and (bare is not True or letter["key_base64"] or letter["value_base64"] or letter["headers"]):
        runs.fail(f"a dead letter has left its bytes out, and has them: {letter}")
    if set(letter) != set(SHAPE):
        runs.fail(f"a dead letter has {sorted(set(letter) ^ set(SHAPE))} too many or too few")
    for name, kind in SHAPE.items():
        if not isinstance(letter[name], kind):
            runs.fail(f"{name} of a dead letter is {letter[name]!r}")
    if not letter["message"] or int(letter["attempts"]) < 1 or int(letter["first_failed"]) > int(letter["last_failed"]):
        runs.fail(f"a dead letter says nothing: {letter}")


def check(expected, run, topic):
    raw, letters, told = {}, {}, []
    with open(expected, encoding="utf-8") as file:
        told = [line.rstrip("\n").split("\t") for line in file]
    for record in runs.records(run, topic):
        raw[record["partition"], record["offset"]] = record
    for record in runs.records(run, runs.LETTERS.format("normalization")):
        letter = record["value"]
        check_shape(letter)
        if letter["source_topic"] != topic:
            runs.fail(f"where from: {letter}")
        if letter["value_base64"] is not None and letter["headers"] != [["h", "AP8="], ["n", None]]:
            runs.fail(f"its headers: {letter}")
        place = letter["partition"], letter["offset"]
        if place in letters or place not in raw:
            runs.fail(f"{place} has two dead letters, or is no record")
        letters[place] = letter
    ticks = collections.Counter(record["value"]["source_event_id"] for record in runs.records(run, runs.TICKS["normalization"]))
    by_value = collections.defaultdict(list)
    for letter in letters.values():
        absent = "null" if letter["code"] == "WEIR_NULL_GIVEN" else "left out"
        by_value[letter["value_base64"] if letter["value_base64"] is not None else absent].append(letter)
    wrong = []
    for name, code, value in told:
        if code == "tick":
            if ticks.pop(name, 0) != 1:
                wrong.append(f"{name} is no tick, or more than one")
            continue
        found = by_value.get(value, [])
        if not found:
            wrong.append(f"{name} has no dead letter")
        elif found[0]["code"] != code:
            wrong.append(f"{name} is {found[0]['code']}, not {code}: {found[0]['message'][:100]}")
        found[:1] = []
    if ticks:
        wrong.append(f"ticks of bad records: {dict(ticks)}")
    left = [letter["message"] for found in by_value.values() for letter in found]
    if left or wrong:
        runs.fail("\n".join(wrong + left))
    codes = collections.Counter(code for _, code, _ in told)
    print(f"{len(told)} records, each as it should be: {dict(codes)}")


def between():
    """(key, value) as bytes or None."""
    key, tick = b"acme/ESZ5", {"schema_version": 1, "tick_id": "00" * 32, "tenant_id": "acme", "instrument_id": "ESZ5",
                               "market": "CME", "kind": "trade", "event_time": T, "ingested_at": T, "price": 1}
    for value in (None, b"", b"{", b"x", b"\x91", b"\x91\x01", b"\xdd\xff\xff\xff\xff", b"\xc1", b"\0" * 50, b"1", b"[]", b"{}",
                  deep(50000).encode(), pack([1] * 40), pack([float("nan")] * 40), pack([1, "x" * 70000])):
        yield key, value
    for name, value in (("price", "x"), ("price", 1e300), ("event_time", "soon"), ("event_time", 1.5), ("kind", "gift"),
                        ("tick_id", "00"), ("tenant_id", 5), ("instrument_id", "I" * 101), ("market", None),
                        ("window_start", [])):
        yield key, text(having(tick, value, name, )) if name != "window_start" else text({"window_start": value})
    for wrong in (None, b"", b"acme", b"/", b"acme/", b"a/b/c", b"ac\0me/ESZ5", b"acme/\xff", b"x" * 5000):
        yield wrong, text(tick)


def write_between(records):
    with open(records, "w", encoding="ascii") as out:
        for key, value in between():
            sides = {"key": key, "value": value}
            out.write(json.dumps({"timestamp": T // 1000, **{side: None if at is None else {"base64": encoded(at)}
                                                             for side, at in sides.items()}}) + "\n")


def check_lettered(run, topology, topics):
    places = set()
    for record in runs.records(run, runs.LETTERS.format(topology)):
        check_shape(record["value"])
        places.add((record["value"]["source_topic"], record["value"]["partition"], record["value"]["offset"]))
    want = {(record["topic"], record["partition"], record["offset"]) for topic in topics for record in runs.records(run, topic)}
    if places != want or not want:
        runs.fail(f"{topology}: {len(want)} records, {len(places)} in dead letters; not there: {sorted(want - places)}")
    print(f"{topology}: {len(places)} bad records of {' and '.join(topics)}, a dead letter for each")


def damage(value, dice):
    value = bytearray(value)
    for _ in range(dice.choice((0, 1, 1, 1, 2, 5))):
        at, length = dice.randrange(len(value) + 1), dice.randrange(12)
        how = dice.randrange(5)
        if how == 0 and at < len(value):
            value[at] = dice.randrange(256)
        elif how == 1 and at < len(value):
            value[at] = dice.choice(b'"{}[],:0-.eT \\')
        elif how == 2:
            del value[at:at + length]
        elif how == 3:
            value[at:at] = value[at:at + length]
        elif how == 4 and dice.randrange(8) == 0:
            del value[at:]
    return bytes(value)


def mutate(seed, times):
    dice = random.Random(seed)
    for line in sys.stdin:
        record = json.loads(line)
        value = json.dumps(record["value"], separators=(",", ":")).encode()
        for _ in range(times):
            form = pack(json.loads(value)) if dice.randrange(3) == 0 else value
            record["value"] = {"base64": encoded(damage(form, dice))}
            print(json.dumps(record))


def main():
    command, *words = sys.argv[1:]
    if command == "records":
        write_records(*words)
    elif command == "check":
        check(*words)
    elif command == "between":
        write_between(*words)
    elif command == "lettered":
        check_lettered(words[0], words[1], words[2:])
    else:
        mutate(int(words[0]), int(words[1]))


main()
