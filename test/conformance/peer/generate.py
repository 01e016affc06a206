#!/usr/bin/env python3
"""Makes random conformance cases, without `expect`: generate.py OUT COUNT [SEED] [THEME...].

The same seed gives the same cases. THEME: names of the table THEMES below; none = those of NOW, which weir runs.
"""
import json, os, random, sys

KEYS = ["a", "b", "c", "ab", "aa"]
ODD_KEYS = ["", "é", "日本", "z" * 300, "a\u0000b", "\u007f"]
WORDS = ["x", "y", "xy", "yx", "a", "b", "c", "x y", "1", "7", "-3"]
ODD_WORDS = ["", " ", "x|y", "|", "é x", "日本", "w" * 500, "@5", "v@12", "1099511627776", "recurse-x", "DEL", "null"]
LONGS = [0, 1, 2, 3, 5, 7, 11, -1, -3]
ODD_LONGS = [9223372036854775807, -9223372036854775808, 1 << 40]
DOUBLES = [0.0, 1.5, -2.25, 1e300, 3.0]


def is_windowed(key):
    return "_windowed(" in key


def plain(key):
    inner = key[key.index("(") + 1:-1]
    return inner[:inner.rindex(",")] if key.startswith("time_windowed(") else inner


class Handle:
    def __init__(self, name, shape, key, value, **more):
        self.name, self.shape, self.key, self.value = name, shape, key, value
        self.versioned = more.get("versioned", False)
        self.grace = more.get("grace")  # of windows that feed a table


class Maker:
    def __init__(self, seed, theme):
        self.r = random.Random(seed)
        self.theme = theme
        self.weights = THEMES[theme]
        self.ops, self.topics, self.inputs = [], {}, []
        self.handles = []
        self.serial = self.stores = self.names = self.outs = 0
        self.store_names = []
        self.config = {"application.id": "app", "statestore.cache.max.bytes": 0}
        self.wall = self.chance(0.2)
        self.odd = self.chance(0.25)
        self.naming = self.r.choice([0, 0, 0.15, 0.9])
        self.used = set()

    # ---- small things ----

    def chance(self, p):
        return self.r.random() < p

    def pick(self, items):
        return self.r.choice(items)

    def op(self, word, **members):
        self.serial += 1
        op = {"name": "n%d" % self.serial, "op": word}
        op.update(members)
        self.ops.append(op)
        return op

    def named(self, op, p=None):
        if self.chance(self.naming if p is None else p):
            self.names += 1
            op["named"] = "nm%d" % self.names

    def give(self, op, shape, key, value, **more):
        handle = Handle(op["name"], shape, key, value, **more)
        self.handles.append(handle)
        return handle

    def some(self, *shapes, key=None, value=None):
        found = [h for h in self.handles if h.shape in shapes and (key is None or h.key == key) and
                 (value is None or h.value == value)]
        if not found:
            return None
        return self.pick(found[-3:]) if self.chance(0.7) else self.pick(found)

    # ---- values ----

    def value_of(self, kind, key=False):
        if kind == "string":
            pool = KEYS if key else WORDS
            if self.odd and self.chance(0.2):
                pool = ODD_KEYS if key else ODD_WORDS
            return self.pick(pool)
        if kind == "long":
            odd = self.odd and self.chance(0.1) and not any("extractor" in op for op in self.ops)  # no windows at the end of time
            return self.pick(ODD_LONGS if odd else LONGS)
        if kind == "double":
            return self.pick(DOUBLES)
        # no zeros in keys: upstream's caches show windows of such keys twice
        return "".join(self.pick(["61", "ff", "7f"] if key else ["00", "61", "ff", "7f"]) for _ in range(self.r.randrange(4)))

    # ---- functions ----

    def mapper(self, key, value):
        """(function, type of its results)"""
        options = [(["const", self.pick(["k", "v", 5])], None), (["key_colon_value"], "string"), (["to_text"], "string"),
                   (["value"], value), (["identity"], value), (["key_text"], "string")]
        if not is_windowed(key):
            options.append((["key"], key))
        if key == "string":
            options += [(["key_upper"], "string"), (["key_first_char"], "string")]
        if is_windowed(key):
            options += [(["unwindow"], plain(key))] * 3
        if value == "string":
            options += [(["upper"], "string"), (["append", "!"], "string"), (["prepend", "<"], "string"),
                        (["before", "|"], "string"), (["after", " "], "string"), (["after_or_null", "x"], "string"),
                        (["first_char"], "string"), (["null_if", self.pick(["x", "y"])], "string"), (["length"], "long")] * 2
            # a failed task is closed, and its cache with it: what that sends is nobody's business
            if self.chance(0.15) and not self.config["statestore.cache.max.bytes"]:
                options += [(["to_long"], "long"), (["to_double"], "double")] * 3
        if value == "long":
            options += [(["add", self.pick([1, 9223372036854775807])], "long"), (["negate"], "long"), (["mul", self.pick([2, -3])], "long"),
                        (["mod", 3], "long"), (["null_if", 1], "long"), (["to_string"], "string"), (["to_double"], "double")] * 2
        if value == "double":
            options += [(["to_text"], "string")] if False else []
        fn, result = self.pick(options)
        if result is None:
            result = "long" if isinstance(fn[1], int) else "string"
        if value in ("double", "bytes") and fn[0] in ("key_colon_value", "to_text"):
            return ["value"], value
        return fn, result

    def key_mapper(self, key, value):
        """One whose results can be keys: strings, mostly few of them."""
        options = [["key_text"], ["const", "all"]]
        if value in ("string", "long"):
            options.append(["to_text"])
        if value == "string":
            options += [["value"], ["first_char"], ["first_char"], ["after_or_null", "|"]]
        if key == "string":
            options += [["key"], ["key_first_char"], ["key_upper"]]
        if is_windowed(key) and plain(key) == "string":
            options += [["unwindow"]] * 3
        if self.chance(0.05):
            options = [["null_key"]] if key == "string" else options
        return self.pick(options)

    def predicate(self, value):
        options = [["true"], ["false"], ["value_not_null"], ["value_null"], ["key_not_null"], ["key_eq", "a"], ["key_eq", "b"]]
        if value == "string":
            options += [["value_eq", "x"], ["value_contains", "x"], ["value_contains", "y"], ["value_longer", 1]] * 2
        if value == "long":
            options += [["value_gt", 1], ["value_lt", 3], ["value_even"], ["value_eq", 1]] * 2
        return self.pick(options)

    def reducer(self, value):
        return self.pick([["concat", "+"], ["last"], ["first"], ["null_on", "x"]] if value == "string" else
                         [["sum"], ["sub"], ["min"], ["max"], ["last"], ["first"]])

    def aggregator(self, value):
        """(function, type of the aggregate, initial value)"""
        options = [(["concat", "+"], "string", "0"), (["count"], "long", 0), (["count"], "long", 10)]
        if value == "string":
            options.append((["last"], "string", "i"))
        if value == "long":
            options += [(["sum"], "long", 0), (["sum_null_at", 3], "long", 0), (["sub"], "long", 1), (["min"], "long", 5),
                        (["max"], "long", 0)]
        if value in ("double", "bytes"):
            options = options[1:]
        fn, kind, init = self.pick(options)
        if self.chance(0.07):
            init = None
        return fn, kind, init

    def joiner(self, left, right):
        options = [["concat", "+"], ["concat", "-"], ["key_concat", "/"]]
        if left == right == "long":
            options += [["sum"]] * 3
        if left in ("double", "bytes") or right in ("double", "bytes"):
            options = [["left"], ["right"]]
        else:
            options += [["left"], ["right"]]
        fn = self.pick(options)
        return fn, {"sum": "long", "left": left, "right": right}.get(fn[0], "string")

    # ---- stores and windows ----

    def store_name(self):
        self.stores += 1
        return "st%d" % self.stores

    def materialized(self, p=0.7, windows=None, versioned=True):
        if not self.chance(p):
            return None
        store = {}
        if self.chance(0.85):
            store["name"] = self.store_name()
        if self.chance(0.25):
            store["kind"] = "in_memory"
        if self.chance(0.2):
            store["cache"] = self.chance(0.5)
        if self.chance(0.15):
            store["log"] = False
        if windows is None and versioned and "name" in store and "kind" not in store and self.chance(self.weights.get("versioned", 0)):
            store.pop("cache", None)
            store["versioned"] = self.pick([0, 5, 20, 1000, 100000]) * self.scale
        elif windows is None and "name" in store and "kind" not in store and self.chance(0.12):
            store["supplier"] = self.pick([{"kind": "plain_kv"}, {"kind": "lru", "max": self.pick([1, 2, 3])}])
            store["cache"] = False  # upstream's cache shows what these stores do not keep: old rows, timestamps
        if windows and windows["type"] in ("sliding", "session"):
            if self.chance(0.2):
                least = windows.get("gap", 2 * windows.get("diff", 0)) + windows.get("grace", 0)
                store["retention"] = least + self.pick([0, 1, 10, 1000, 100000])
        if windows and windows["type"] in ("tumbling", "hopping"):
            least = windows["size"] + windows.get("grace", 0)
            if "name" in store and "kind" not in store and self.chance(0.1):
                store["supplier"] = {"kind": "window", "retention": least + self.pick([0, 5, 1000]), "window_size": windows["size"]}
                store["cache"] = False
            elif self.chance(0.2):
                store["retention"] = least + self.pick([0, 0, 1, 10, 1000, 100000])
        return store or None

    def with_store(self, op, store):
        if store:
            op["store"] = store

    def windows(self):
        scale = self.scale
        size = self.pick([1, 5, 10, 10, 25, 60]) * scale
        kinds = self.weights.get("windows") or ["tumbling"] * 5 + ["hopping"] * 5 + ["unlimited"]
        kind = self.pick(kinds)
        w = {"type": kind}
        if kind == "unlimited":
            if self.chance(0.5):
                w["start"] = self.pick([0, 5, 50]) * scale
            return w
        w[{"session": "gap", "sliding": "diff"}.get(kind, "size")] = size
        if kind == "hopping":
            w["advance"] = max(1, self.pick([size, size // 2, size // 3, size // 5, size // 4 + 1]))
            if size // w["advance"] > 30:
                w["advance"] = size // 4 + 1
        if self.chance(0.8):
            w["grace"] = self.pick([0, 1, 5, 20, 100]) * scale
        return w

    def declared(self, kind=None, value="string", key="string", **more):
        kind = kind or self.pick(["kv", "in_memory_kv", "lru", "timestamped_kv"])
        store = {"name": self.store_name(), "kind": kind, "key": key, "value": value}
        if kind == "lru":
            store["max"] = self.pick([1, 2, 3, 10])
        if kind.endswith("window"):
            store["window_size"] = self.pick([1, 5, 10]) * self.scale
            store["retention"] = store["window_size"] * self.pick([1, 2, 3, 10, 20000])
            store["retain_duplicates"] = self.chance(0.15)
        if kind != "lru" and self.chance(0.3):
            store["cache"] = self.chance(0.8)
        if self.chance(0.1):
            store["log"] = False
        store.update(more)
        return store

    # ---- sources ----

    def topic(self, key="string", value=None):
        name = "in%d" % (len(self.inputs) + 1)
        value = value or self.pick(["string"] * 4 + ["long"] * 3 + (["double", "bytes"] if self.chance(0.1) else []))
        self.topics[name] = {"key": key, "value": value}
        self.inputs.append(name)
        return name

    def extractor(self, op, value):
        if self.weights.get("extractor") and self.chance(0.6) or self.chance(0.04):
            options = ["record", "log_and_skip", "use_partition_time"]
            if value in ("string", "long"):
                options += ["from_value", "from_value_skip", "from_value_partition_time"] * 2
            op["extractor"] = [self.pick(options)]

    def key_type(self):
        return "string" if self.chance(0.9) else "long" if self.chance(0.8) else "bytes"

    def do_stream(self, value=None, key=None):
        key = key or self.key_type()
        topic = self.topic(key, value)
        kind = self.topics[topic]["value"]
        if self.chance(0.08):
            other = self.topic(key, kind)
            op = self.op("stream", topic=topic, topics=[topic, other])
        else:
            op = self.op("stream", topic=topic)
        self.extractor(op, kind)
        self.named(op)
        return self.give(op, "stream", key, kind)

    def do_table(self, value=None, key=None):
        key = key or self.key_type()
        topic = self.topic(key, value)
        kind = self.topics[topic]["value"]
        op = self.op("table", topic=topic)
        self.extractor(op, kind)
        self.named(op)
        self.with_store(op, self.materialized(0.5))
        return self.give(op, "table", key, kind, versioned="versioned" in op.get("store", {}))

    def do_global_table(self, key=None):
        topic = self.topic(key or "string")
        op = self.op("global_table", topic=topic)
        if self.chance(0.5):
            store = {"name": self.store_name()}
            if self.chance(0.3):
                store["kind"] = "in_memory"
            op["store"] = store
        self.named(op)
        return self.give(op, "global", self.topics[topic]["key"], self.topics[topic]["value"])

    # ---- operators of streams ----

    def do_filter(self):
        h = self.some("stream", "table")
        op = self.op(self.pick(["filter", "filter_not"]), **{"from": h.name}, fn=self.predicate(h.value))
        self.named(op)
        if h.shape == "table" and not is_windowed(h.key):
            self.with_store(op, self.materialized(0.4))
        self.give(op, h.shape, h.key, h.value)

    def do_map_values(self):
        h = self.some("stream", "table")
        fn, value = self.mapper(h.key, h.value)
        if fn[0] in ("key", "unwindow"):
            fn, value = ["identity"], h.value
        op = self.op("map_values", **{"from": h.name}, fn=fn)
        self.named(op)
        if h.shape == "table" and not is_windowed(h.key):
            self.with_store(op, self.materialized(0.4))
        self.give(op, h.shape, h.key, value)

    def do_select_key(self):
        h = self.some("stream")
        fn = self.key_mapper(h.key, h.value)
        op = self.op("select_key", **{"from": h.name}, fn=fn)
        self.named(op)
        self.give(op, "stream", "string", h.value)

    def do_map(self):
        h = self.some("stream")
        fn, value = self.mapper(h.key, h.value)
        if fn[0] in ("key", "unwindow") and value != "string":
            fn, value = ["identity"], h.value
        op = self.op("map", **{"from": h.name}, key_fn=self.key_mapper(h.key, h.value), value_fn=fn)
        self.named(op)
        self.give(op, "stream", "string", value)

    def do_flat(self):
        h = self.some("stream")
        word = self.pick(["flat_map", "flat_map_values"])
        options = [["repeat", n] for n in (0, 1, 2, 3)]
        key = h.key
        if h.value == "string":
            options += [["split", " "], ["split", "x"]] * 2 + ([["chars"]] if word == "flat_map_values" and not self.odd else [])
            if word == "flat_map":
                options += [["words", " "]] * 3
        fn = self.pick(options)
        if fn[0] == "words":
            key = "string"
        op = self.op(word, **{"from": h.name}, fn=fn)
        self.named(op)
        self.give(op, "stream", key, h.value)

    def do_watch(self):
        h = self.some("stream")
        op = self.op("peek" if self.chance(0.8) else "foreach", **{"from": h.name})
        self.named(op)
        if op["op"] == "peek":
            self.give(op, "stream", h.key, h.value)

    def do_merge(self):
        h = self.some("stream")
        other = self.some("stream", key=h.key, value=h.value)
        op = self.op("merge", **{"from": h.name, "with": other.name})
        self.named(op)
        self.give(op, "stream", h.key, h.value)

    def do_split(self):
        h = self.some("stream")
        count = self.r.randrange(1, 4)
        named = "sp%d-" % self.serial if self.chance(max(self.naming, 0.3)) else None
        op = self.op("split", **{"from": h.name})
        op["name"] = "sp%d" % self.serial
        op["branches"], suffixes = [], []
        for i in range(count):
            branch = {"fn": self.predicate(h.value)}
            if self.chance(0.6):
                branch["as"] = "abc"[i]
            op["branches"].append(branch)
            suffixes.append(branch.get("as", str(i + 1)))
        op["default"] = self.pick(["none", "unnamed", "rest"])
        if op["default"] != "none":
            suffixes.append("0" if op["default"] == "unnamed" else "rest")
        if named:
            op["named"] = named
        for suffix in suffixes:
            self.handles.append(Handle(op["name"] + "." + (named or "") + suffix, "stream", h.key, h.value))

    def do_repartition(self):
        h = self.some("stream")
        op = self.op("repartition", **{"from": h.name})
        self.named(op)
        if self.chance(0.3):
            op["partitions"] = self.pick([1, 3])
        self.give(op, "stream", h.key, h.value)

    def do_to_table(self):
        h = self.some("stream")
        op = self.op("to_table", **{"from": h.name})
        self.named(op)
        self.with_store(op, self.materialized(0.5))
        self.give(op, "table", h.key, h.value)

    def do_to_stream(self):
        h = self.some("table")
        if not h:
            return
        op = self.op("to_stream", **{"from": h.name})
        key = h.key
        if self.chance(0.3):
            op["key_fn"] = self.key_mapper(h.key, h.value)
            key = "string"
        self.named(op)
        self.give(op, "stream", key, h.value)

    def group(self, h):
        if self.chance(0.5):
            op = self.op("group_by_key", **{"from": h.name})
            key = h.key
        else:
            op = self.op("group_by", **{"from": h.name}, fn=self.key_mapper(h.key, h.value))
            key = "string"
        self.named(op)
        return op, key

    def fold(self, source, key, value, windows=None):
        word = self.pick(["count", "reduce", "aggregate"])
        if value in ("double", "bytes") and word == "reduce":
            word = "count"
        op = self.op(word, **{"from": source})
        kind = value
        if word == "count":
            kind = "long"
        elif word == "reduce":
            op["fn"] = self.reducer(value)
        else:
            op["fn"], kind, op["init"] = self.aggregator(value)
            op["value"] = kind
        self.named(op)
        self.with_store(op, self.materialized(0.75, windows))
        if windows:
            if word == "aggregate" and windows["type"] == "session":
                op["merger"] = self.merger(kind)
            key = self.windowed(key, windows)
        return self.give(op, "table", key, kind, versioned="versioned" in op.get("store", {}), grace=windows and windows.get("grace", 0))

    def merger(self, kind):
        return ["concat", "|"] if kind == "string" else self.pick([["sum"], ["min"], ["max"]])

    def windowed(self, key, windows):
        if windows["type"] == "session":
            return "session_windowed(%s)" % key
        return "time_windowed(%s,%d)" % (key, windows.get("size", windows.get("diff", 9223372036854775807)))

    def do_aggregate(self):
        h = self.some("stream")
        op, key = self.group(h)
        return self.fold(op["name"], key, h.value)

    def do_window(self):
        h = self.some("stream")
        if is_windowed(h.key):
            return
        op, key = self.group(h)
        windows = self.windows()
        w = self.op("window", **{"from": op["name"]}, window=windows)
        if windows["type"] != "unlimited" and self.chance(0.8 if self.weights.get("throttle") else 0.3):
            w["emit"] = "close"
        self.fold(w["name"], key, h.value, windows)

    def do_join_table(self):
        t = self.some("table")
        if not t or is_windowed(t.key):
            return
        h = self.some("stream", key=t.key)
        if not h:
            return
        fn, value = self.joiner(h.value, t.value)
        op = self.op(self.pick(["join", "left_join"]), **{"from": h.name, "with": t.name}, joiner=fn)
        self.named(op)
        if t.versioned and self.chance(0.4):
            op["grace"] = self.pick([1, 5]) * self.scale
        self.give(op, "stream", h.key, value)

    def do_join_global(self):
        g = self.some("global")
        h = self.some("stream")
        if not g or not h:
            return
        fn, value = self.joiner(h.value, g.value)
        op = self.op(self.pick(["join", "left_join"]), **{"from": h.name, "with": g.name}, key_fn=self.key_mapper(h.key, h.value), joiner=fn)
        self.named(op)
        self.give(op, "stream", h.key, value)

    # ---- joins of streams, of tables; groups of tables; suppression ----

    def do_join_stream(self):
        left = self.some("stream")
        right = left and self.some("stream", key=left.key)
        if not right or is_windowed(left.key):
            return
        if self.chance(0.7):
            others = [h for h in self.handles if h.shape == "stream" and h.key == left.key and h is not left]
            right = self.pick(others) if others else right
        fn, value = self.joiner(left.value, right.value)
        w = {"diff": self.pick([0, 1, 5, 10, 50]) * self.scale}
        if self.chance(0.3):
            w = {"before": self.pick([0, 3, 10]) * self.scale, "after": self.pick([0, 5, 10]) * self.scale}
        if self.chance(0.6):
            w["grace"] = self.pick([0, 1, 10, 100]) * self.scale
        op = self.op(self.pick(["join", "left_join", "outer_join"]), **{"from": left.name, "with": right.name}, joiner=fn, window=w)
        self.named(op)
        if self.chance(0.2):
            op["store_name"] = "js%d" % self.serial
        if self.chance(0.2):
            op["store_kind"] = "in_memory"
        if self.chance(0.1):
            op["log"] = False
        self.give(op, "stream", left.key, value)

    def two_tables(self):
        left = self.some("table")
        if not left or is_windowed(left.key):
            return None, None
        others = [h for h in self.handles if h.shape == "table" and h.key == left.key]
        return left, self.pick(others)

    def table_joiner(self, left, right):
        fn, value = self.joiner(left.value, right.value)
        return (["concat", "/"], "string") if fn[0] == "key_concat" else (fn, value)

    def do_join_tables(self):
        left, right = self.two_tables()
        if not left:
            return
        fn, value = self.table_joiner(left, right)
        op = self.op(self.pick(["join", "left_join", "outer_join"]), **{"from": left.name, "with": right.name}, joiner=fn)
        self.named(op)
        self.with_store(op, self.materialized(0.5))
        self.give(op, "table", left.key, value, versioned="versioned" in op.get("store", {}))

    def do_join_foreign(self):
        left = self.some("table")
        rights = [h for h in self.handles if h.shape == "table" and h.key == "string"]
        if not left or not rights or is_windowed(left.key) or left.value not in ("string", "long"):
            return
        right = self.pick(rights)
        fn, value = self.table_joiner(left, right)
        fk = self.pick([["value"], ["first_char"], ["after_or_null", "|"], ["null_if", "x"]] if left.value == "string" else [["to_text"], ["to_string"]])
        if left.key == "string" and self.chance(0.2):
            fk = ["key_first_char"]
        op = self.op(self.pick(["join", "left_join"]), **{"from": left.name, "with": right.name}, fk=fk, joiner=fn)
        self.named(op)
        self.with_store(op, self.materialized(0.5))
        self.give(op, "table", left.key, value, versioned="versioned" in op.get("store", {}))

    def do_table_group(self):
        h = self.some("table")
        if not h or h.value not in ("string", "long"):
            return
        key_fn = self.key_mapper(h.key, h.value)
        op = self.op("group_by", **{"from": h.name}, key_fn=key_fn, value_fn=["value"])
        self.named(op)
        word = self.pick(["count", "reduce", "aggregate"])
        fold, kind = self.op(word, **{"from": op["name"]}), h.value
        if word == "count":
            kind = "long"
        elif word == "reduce":
            fold["adder"], fold["subtractor"] = (["concat", "+"], ["concat", "-"]) if kind == "string" else (["sum"], ["sub"])
        else:
            kind = self.pick(["string", "long"]) if h.value == "long" else "string"
            fold.update(init="0", value="string", adder=["concat", "+"], subtractor=["concat", "-"]) if kind == "string" else \
                fold.update(init=0, value="long", adder=self.pick([["sum"], ["sum_null_at", 3], ["count"]]), subtractor=["sub"])
        self.named(fold)
        self.with_store(fold, self.materialized(0.7))
        self.give(fold, "table", "string", kind, versioned="versioned" in fold.get("store", {}))

    def do_cogroup(self):
        first = self.some("stream")
        if is_windowed(first.key):
            return
        streams = [h for h in self.handles if h.shape == "stream" and not is_windowed(h.key)]
        last = None
        for h in [first] + [self.pick(streams) for _ in range(self.r.randrange(3))]:
            grouped = self.op("group_by", **{"from": h.name}, fn=self.key_mapper(h.key, h.value))
            self.named(grouped)
            op = {"fn": ["concat", self.pick("+-*")]}
            if last:
                last = self.op("cogroup", **{"from": last["name"], "with": grouped["name"]}, **op)
            else:
                last = self.op("cogroup", **{"from": grouped["name"]}, value="string", **op)
        windows = self.windows() if self.chance(0.6) else None
        key = "string"
        if windows:
            last = self.op("window", **{"from": last["name"]}, window=windows)
            key = self.windowed(key, windows)
        op = self.op("aggregate", **{"from": last["name"]}, init="0")
        if windows:
            op["value"] = "string"
            if windows["type"] == "session":
                op["merger"] = ["concat", "|"]
        self.named(op)
        self.with_store(op, self.materialized(0.7, windows))
        self.give(op, "table", key, "string", grace=windows and windows.get("grace", 0))

    def do_suppress(self):
        h = self.some("table")
        if not h:
            return
        op = self.op("suppress", **{"from": h.name})
        close = is_windowed(h.key) and h.grace is not None and self.chance(0.5)
        op["until"] = "window_close" if close else "time_limit"
        buffer = {}
        if not close:
            op["ms"] = self.pick([0, 0, 1, 5, 30, 1000]) * self.scale
            if self.chance(0.5):
                buffer["full"] = self.pick(["emit_early"] * 5 + ["shutdown"])
                buffer[self.pick(["max_records", "max_bytes"])] = self.pick([1, 2, 3, 100, 300])
        if self.chance(0.15):
            buffer["log"] = False
        if buffer:
            op["buffer"] = buffer
        self.named(op)
        self.give(op, "table", h.key, h.value)

    # ---- processors ----

    def plain_processor(self, h):
        """(processor, key type, value type)"""
        options = [["pass"], ["drop"], ["forward_all"], ["header_add", self.pick("hg"), "v"], ["header_remove", "h"],
                   ["shift_ts", self.pick([0, 1, 2, 10, -1, -3]) * self.scale]]
        texts = [["recurse"], ["headers_text"], ["stream_time"], ["ts_text"], ["metadata"], ["wall_time"]]
        if h.value in ("double", "bytes"):
            texts = texts[1:]
        fn = self.pick(options + texts)
        return fn, h.key, "string" if fn in texts else h.value

    def do_process(self):
        h = self.some("stream")
        if is_windowed(h.key):
            return
        fn, key, value = self.plain_processor(h)
        word = "process" if self.chance(0.7) else "process_values"
        if word == "process" and self.chance(0.15):
            fn, key = ["rekey_named", "z"], "string"
            value = h.value
        op = self.op(word, **{"from": h.name}, processor=fn)
        self.named(op)
        self.give(op, "stream", key, value)

    def do_store(self):
        h = self.some("stream", key="string")
        if not h:
            return
        word = self.pick(["store_put", "store_put_quiet", "delete_old", "dedup", "running_count", "range_scan", "count_punctuate"])
        if h.value in ("double", "bytes"):
            word = "running_count"
        value = "long" if word in ("running_count", "count_punctuate") else h.value
        store = None
        if self.store_names and self.chance(0.3):
            store = self.pick(self.store_names)
            if store["value"] != value:
                store = None
        if not store:
            store = self.declared(value=value)
            self.op("add_store", store=store)
            self.store_names.append(store)
        name = store["name"]
        fn = [word, name]
        result = h.value
        if word == "range_scan":
            fn += [self.pick([None, "a", "aa", "b"]), self.pick([None, "b", "c", "a"])] + (["reverse"] if self.chance(0.4) else [])
            result = "string"
        if word == "delete_old":
            result = "string"
        if word in ("running_count", "count_punctuate"):
            result = "long"
        if word == "count_punctuate":
            fn += [self.pick([1, 5, 10]) * self.scale, self.pick(["stream", "wall"])]
            self.wall = True
        op = self.op("process" if word in ("range_scan", "count_punctuate") or self.chance(0.7) else "process_values", **{"from": h.name},
                     processor=fn, stores=[name])
        self.named(op)
        self.give(op, "stream", "string", result)

    def do_punctuate(self):
        h = self.some("stream")
        fn = [self.pick(["punctuate", "punctuate_cancel"]), self.pick([1, 5, 10, 25]) * self.scale, self.pick(["stream", "wall"])]
        if fn[0] == "punctuate_cancel":
            fn.append(self.r.randrange(1, 4))
        self.wall = True
        op = self.op("process", **{"from": h.name}, processor=fn)
        self.named(op)
        self.give(op, "stream", "string", "string")

    def do_to_child(self):
        h = self.some("stream")
        left, right = "l%d" % self.serial, "r%d" % self.serial
        op = self.op("process", **{"from": h.name}, processor=["to_child", left, self.predicate(h.value), right])
        for name in (left, right):
            child = self.op("map_values", **{"from": op["name"]}, fn=["identity"], named=name)
            self.give(child, "stream", h.key, h.value)

    def do_global_store(self):
        topic = self.topic("string", "string")
        store = self.declared(self.pick(["kv", "in_memory_kv", "timestamped_kv"]))
        store.pop("log", None)
        self.op("global_store", topic=topic, store=store, processor=["global_put", store["name"]])
        h = self.some("stream", value="string")
        if h:
            op = self.op("process", **{"from": h.name}, processor=["global_lookup", store["name"]])
            self.named(op)
            self.give(op, "stream", h.key, "string")

    # ---- the ends ----

    def reads_again(self, h):
        """Sometimes a topic that the topology reads too."""
        fit = [t for t in self.inputs if self.topics[t] == {"key": h.key, "value": h.value} and t not in self.used]
        if fit and self.chance(0.5):
            topic = self.pick(fit)
            self.used.add(topic)
            return topic
        return None

    def do_to(self, h=None):
        h = h or self.some("stream")
        op = self.op("to", **{"from": h.name})
        again = None
        if self.chance(0.06) and not self.weights.get("extractor"):
            mid = self.outs
            self.outs += 1
            name = "mid%d" % mid
            if is_windowed(h.key):
                name = None
            if name:
                self.topics[name] = {"key": h.key, "value": h.value}
                op["topic"] = name
                self.named(op)
                again = self.op("stream", topic=name)
                self.give(again, "stream", h.key, h.value)
                return
        self.outs += 1
        if self.chance(0.05):
            names = ["d%d-%s" % (self.outs, s) for s in "ab"]
            del op["from"]
            op["from"] = h.name
            op["topic_fn"] = ["const", names[0]]
            op["topics"] = names
        else:
            op["topic"] = "out%d" % self.outs
        self.named(op)

    def finish(self):
        used = {op.get("from") for op in self.ops} | {op.get("with") for op in self.ops}
        for h in list(self.handles):
            if h.name in used or h.shape == "global" or len(self.ops) > 60:
                continue
            if h.shape == "stream":
                if self.chance(0.9):
                    self.do_to(h)
            elif self.chance(0.8):
                op = self.op("to_stream", **{"from": h.name})
                self.named(op)
                self.do_to(Handle(op["name"], "stream", h.key, h.value))

    # ---- steps ----

    def steps(self):
        count = self.r.randrange(5, 45)
        style = self.pick(["up", "up", "jitter", "jitter", "wild", "jump"])
        readable = [t for t in self.topics if t.startswith("in")]
        nulls = self.pick([0.03, 0.1, 0.25])
        null_keys = self.pick([0, 0, 0.05])
        now = self.pick([0, 0, 0, 1000])
        if self.odd and not self.config["statestore.cache.max.bytes"]:  # upstream's cache visits every segment from 0
            now = self.pick([0, 1 << 40, 9223372036854775807 - 2000000])
        steps, headers = [], self.chance(0.4) or self.weights.get("headers")
        negative = self.weights.get("extractor") and self.chance(0.4)
        for i in range(count):
            if self.wall and self.chance(0.25):
                steps.append({"advance_ms": self.pick([0, 1, 3, 5, 10, 12, 25, 100]) * self.scale})
                continue
            topic = self.pick(readable)
            types = self.topics[topic]
            now += self.pick({"up": [0, 1, 2, 5], "jitter": [0, 1, 3, 6], "wild": [0, 1, 4, 9], "jump": [0, 1, 2, 70]}[style]) * self.scale
            ts = now
            if style in ("jitter", "wild") and self.chance(0.35):
                ts = max(0, now - self.pick([1, 3, 7, 15, 40, 150] if style == "wild" else [1, 2, 4, 8]) * self.scale)
            if negative and self.chance(0.12):
                ts = -self.pick([1, 5])
            step = {"topic": topic}
            step["key"] = None if self.chance(null_keys) else self.value_of(types["key"], True)
            step["value"] = None if self.chance(nulls) else self.value_of(types["value"])
            if self.weights.get("extractor") and types["value"] == "string" and self.chance(0.7):
                step["value"] = "v@%d" % (ts + self.pick([0, 0, 3, -5]) * self.scale)
            if self.weights.get("bad") and types["value"] == "long" and self.chance(0.1):
                step.pop("value")
                step["value_hex"] = self.pick(["00", "", "000000000000000001"])
            if self.weights.get("bad") and types["key"] == "long" and self.chance(0.1):
                step.pop("key")
                step["key_hex"] = self.pick(["00", "", "000000000000000001"])
            step["ts"] = ts
            if headers and self.chance(0.5):
                step["headers"] = [[self.pick("hgi"), self.pick([str(i), "", None])] for _ in range(self.r.randrange(1, 4))]
            steps.append(step)
        return steps

    # ---- a case ----

    def configure(self):
        c = self.config
        if self.chance(0.4):
            c["statestore.cache.max.bytes"] = 10485760
        if self.chance(0.1) or self.theme == "eos" and self.chance(0.9):
            c["processing.guarantee"] = "exactly_once_v2"
        if self.chance(0.05):
            c["wall_clock_start"] = self.pick([5000, 1003])
        if self.chance(self.weights.get("throttle", 0.04)):
            c["window_close_emit_interval_ms"] = self.pick([1, 10, 1000])
            self.wall = True
        if self.weights.get("extractor") and self.chance(0.3):
            c["default_timestamp_extractor"] = [self.pick(["record", "log_and_skip", "use_partition_time", "from_value",
                                                           "from_value_skip", "from_value_partition_time"])]
        if self.weights.get("bad"):
            if self.chance(0.6):
                c["deserialization_handler"] = "continue"
            if self.chance(0.6):
                c["processing_handler"] = "continue"
        if self.chance(0.02) or self.theme == "naming" and self.chance(0.2):
            c["ensure.explicit.internal.resource.naming"] = "true"
        if self.chance(0.02):
            c["application.id"] = "other.app-1"
        if self.weights.get("optimize"):
            c["topology.optimization"] = self.pick(["all", "all", "none", "reuse.ktable.source.topics", "merge.repartition.topics", "single.store.self.join"])

    def make(self):
        self.scale = self.pick([1, 1, 1, 1000])
        self.configure()
        if self.theme in OWN:
            OWN[self.theme](self)
        else:
            self.dsl()
        case = {"id": "", "category": self.theme, "about": "generated: " + ", ".join(dict.fromkeys(op["op"] for op in self.ops))}
        if self.theme in API:
            case["api"] = "topology"
        case.update(config=self.config, topics=self.topics, topology=self.ops, steps=self.steps())
        return case

    def dsl(self):
        for source in self.weights["sources"]:
            getattr(self, "do_" + source)()
        words, weights = zip(*[(k, v) for k, v in self.weights.items() if hasattr(self, "do_" + k)])
        for _ in range(self.r.randrange(1, 7)):
            word = self.r.choices(words, weights)[0]
            if not self.some("stream"):
                if word not in ("to_stream", "filter", "map_values"):
                    word = "to_stream"
            getattr(self, "do_" + word)()
            if len(self.handles) > 14:
                break
        self.finish()


# ---- commands on stores ----

def kv_commands(m):
    r = m.r
    kind = m.pick(["kv", "in_memory_kv", "lru", "timestamped_kv"])
    value = "string"
    store = m.declared(kind, value)
    m.op("add_store", store=store)
    m.topics["in1"] = {"key": "string", "value": "string"}
    m.inputs.append("in1")
    h = m.give(m.op("stream", topic="in1"), "stream", "string", "string")
    if m.chance(0.25):  # several commands in one record
        h = m.give(m.op("flat_map_values", **{"from": h.name}, fn=["split", ";"]), "stream", "string", "string")
    op = m.op("process", **{"from": h.name}, processor=["kv_cmd", store["name"]], stores=[store["name"]])
    m.op("to", **{"from": op["name"]}, topic="out")

    def word():
        return m.pick(KEYS + ["d", "-"])

    back = "" if store.get("cache") else "reverse-"  # upstream's cache read in reverse shows deleted rows

    def put_all():  # upstream lets an LRU store go of rows before it logs the first
        return "put-all " + " ".join("%s %s" % (m.pick(KEYS), m.pick(["1", "2", "-"])) for _ in range(1 if kind == "lru" else r.randrange(1, 4)))

    def command():
        return m.pick([lambda: "put " + m.pick(["1", "2", "3", "-"]), lambda: "put " + m.pick(["1", "2", "3"]),
                       lambda: "put " + m.pick(["4", "5"]), lambda: "put-if-absent " + m.pick(["7", "8", "-"]),
                       put_all,
                       lambda: "delete", lambda: "get", lambda: "get", lambda: "range %s %s" % (word(), word()),
                       lambda: back + "range %s %s" % (word(), word()), lambda: "all", lambda: back + "all",
                       lambda: "prefix " + m.pick(["a", "b", "aa"])])()
    m.steps = lambda: [{"topic": "in1", "key": m.pick(KEYS), "value": ";".join(command() for _ in range(r.randrange(1, 4)))
                        if len(m.ops) > 4 else command(), "ts": max(0, i + m.pick([0, 0, -3]))} for i in range(r.randrange(10, 60))]


def window_commands(m):
    r = m.r
    store = m.declared(m.pick(["window", "in_memory_window", "timestamped_window"]))
    m.op("add_store", store=store)
    m.topics["in1"] = {"key": "string", "value": "string"}
    m.inputs.append("in1")
    h = m.give(m.op("stream", topic="in1"), "stream", "string", "string")
    several = m.chance(0.25)
    if several:
        h = m.give(m.op("flat_map_values", **{"from": h.name}, fn=["split", ";"]), "stream", "string", "string")
    op = m.op("process", **{"from": h.name}, processor=["window_cmd", store["name"]], stores=[store["name"]])
    m.op("to", **{"from": op["name"]}, topic="out")
    state = {"now": 0}
    step = m.pick([1, 1, 5, 20000, 70000])
    keys = KEYS if step <= 5 else ["a"]  # many keys come by key here, by segment and key upstream
    if store.get("cache"):  # upstream's cache takes rows that the store behind it refuses as expired
        store["retention"] = 1000000000000
    odd_times = m.chance(0.1)

    def time():
        return max(0, state["now"] + m.pick([-30, -10, -3, -1, 0, 0, 1, 5]) * step)

    back = "" if store.get("cache") else "backward-"  # upstream's cache read backward shows deleted rows, and rows twice

    def key():
        return m.pick(keys + ["-"])

    def span():
        if odd_times and m.chance(0.3):
            return m.pick(["0 9223372036854775807", "5 1", "-5 10"])
        low = m.pick([0, time()])
        return "%d %d" % (low, low + m.pick([0, 1, 10, 100]) * step)

    def command():
        state["now"] += m.pick([0, 0, 1, 1, 2, 5]) * step
        get = "fetch %d %d" % ((time(),) * 2) if store["retain_duplicates"] else "get %d" % time()
        return m.pick([lambda: "put %s %d" % (m.pick("123456789"), time())] * 5 +
                      [lambda: "put - %d" % time(), lambda: get, lambda: "fetch " + span(),
                       lambda: back + "fetch " + span(), lambda: "fetch-keys %s %s %s" % (key(), key(), span()),
                       lambda: back + "fetch-keys %s %s %s" % (key(), key(), span()), lambda: "fetch-all " + span(),
                       lambda: back + "fetch-all " + span(), lambda: "all", lambda: back + "all"])()
    m.steps = lambda: [{"topic": "in1", "key": m.pick(keys), "value": ";".join(command() for _ in range(r.randrange(1, 4))) if several
                        else command(), "ts": i} for i in range(r.randrange(10, 70))]


def command_topology(m, store, processor):
    m.op("add_store", store=store)
    m.topics["in1"] = {"key": "string", "value": "string"}
    m.inputs.append("in1")
    source = m.op("stream", topic="in1")
    op = m.op("process", **{"from": source["name"]}, processor=[processor, store["name"]], stores=[store["name"]])
    m.op("to", **{"from": op["name"]}, topic="out")


def session_commands(m):
    store = m.declared(m.pick(["session", "in_memory_session"]))
    store["retention"] = m.pick([5, 20, 100, 100000, 1000000])
    command_topology(m, store, "session_cmd")
    state = {"now": 0}
    step = m.pick([1, 1, 5, 20000])

    def command():
        state["now"] += m.pick([0, 0, 1, 2, 5]) * step
        end = max(0, state["now"] - m.pick([0, 0, 1, 5, 20]) * step)
        start = max(0, end - m.pick([0, 1, 3, 10]) * step)
        key = lambda: m.pick(KEYS[:3] + ["-"])
        return m.pick([lambda: "put %s %d %d" % (m.pick("1234567-"), start, end)] * 6 +
                      [lambda: "remove %d %d" % (start, end), lambda: "get %d %d" % (start, end), lambda: "find %d %d" % (start, end),
                       lambda: "backward-find %d %d" % (start, end), lambda: "find-keys %s %s %d %d" % (m.pick(KEYS), m.pick(KEYS), start, end),
                       lambda: "fetch", lambda: "backward-fetch", lambda: "fetch-keys %s %s" % (key(), key())])()
    m.steps = lambda: [{"topic": "in1", "key": m.pick(KEYS), "value": command(), "ts": i} for i in range(m.r.randrange(10, 60))]


def versioned_commands(m):
    store = {"name": "v", "kind": "versioned", "key": "string", "value": "string", "history": m.pick([0, 10, 100, 1000, 100000])}
    if m.chance(0.4):
        store["segment_interval"] = m.pick([1, 5, 50, 3000])
    command_topology(m, store, "versioned_cmd")
    state = {"now": 0}
    step = m.pick([1, 1, 5, 500])

    def command():
        state["now"] += m.pick([0, 1, 2, 5]) * step
        time = max(0, state["now"] - m.pick([0, 0, 1, 5, 30]) * step)
        return m.pick([lambda: "put %s %d" % (m.pick("123456-"), time)] * 5 +
                      [lambda: "delete %d" % time, lambda: "get", lambda: "get %d" % time, lambda: "get %d" % time])()
    m.steps = lambda: [{"topic": "in1", "key": m.pick(KEYS[:3]), "value": command(), "ts": i} for i in range(m.r.randrange(10, 60))]


# ---- the processor API ----

def processor_api(m):
    r = m.r
    known = []  # name, key, value

    def take(n=1):
        return m.pick(known)

    for i in range(r.randrange(1, 3)):
        topic = m.topic("string")
        op = {"name": "s%d" % i, "op": "add_source", "topics": [topic]}
        if m.chance(0.1):
            op["topics"].append(m.topic("string", m.topics[topic]["value"]))
        m.extractor(op, m.topics[topic]["value"])
        m.ops.append(op)
        known.append((op["name"], "string", m.topics[topic]["value"]))
    if m.chance(0.2):
        topic = m.topic("string", "string")
        kind = m.pick(["add_global_store", "add_read_only_store"])
        m.ops.append({"name": "gp", "op": kind, "source": "gs", "topic": topic, "processor": ["global_put", "g"],
                      "store": {"name": "g", "kind": m.pick(["kv", "in_memory_kv", "timestamped_kv"]), "key": "string", "value": "string"}})
    waiting = []
    for i in range(r.randrange(1, 6)):
        name, key, value = take()
        parents = [name]
        if m.chance(0.2):
            others = [k for k in known if k[0] != name and k[1:] == (key, value)]
            if others:
                parents.append(m.pick(others)[0])
        h = Handle(name, "stream", key, value)
        op = {"name": "p%d" % i, "op": "add_processor"}
        store = None
        if m.chance(0.4) and value in ("string", "long"):
            word = m.pick(["store_put", "store_put_quiet", "delete_old", "dedup", "running_count", "range_scan"])
            kind = "long" if word == "running_count" else value
            store = m.declared(value=kind)
            op["processor"] = [word, store["name"]]
            if word == "range_scan":
                op["processor"] += [None, m.pick([None, "b"])]
            value = "long" if word == "running_count" else "string" if word in ("delete_old", "range_scan") else value
        elif m.chance(0.15):
            op["processor"] = ["punctuate", m.pick([5, 10]) * m.scale, m.pick(["stream", "wall"])]
            m.wall = True
            value = "string"
        else:
            op["processor"], key, value = m.plain_processor(h)
        op["parents"] = parents
        m.ops.append(op)
        if store:
            how = r.randrange(3)
            if how == 0:
                m.ops.insert(len(m.ops) - 1, {"op": "add_store", "store": store})
                op["stores"] = [store["name"]]
            elif how == 1:
                m.ops.append({"op": "add_store", "store": store, "processors": [op["name"]]})
            else:
                m.ops.append({"op": "add_store", "store": store})
                m.ops.append({"op": "connect_stores", "processor": op["name"], "stores": [store["name"]]})
        known.append((op["name"], key, value))
    for i, (name, key, value) in enumerate(known):
        if m.chance(0.75):
            again = [t for t in m.topics if t.startswith("out") and m.topics[t] == {"key": key, "value": value}]
            topic = m.pick(again) if again and m.chance(0.3) else "out%d" % i
            m.topics[topic] = {"key": key, "value": value}
            m.ops.append({"name": "k%d" % i, "op": "add_sink", "topic": topic, "parents": [name]})


# ---- errors: a sound topology with one thing wrong ----

def errors(m):
    m.weights = THEMES["mixture"]
    m.dsl()
    m.weights = THEMES["errors"]
    ops = m.ops
    for _ in range(m.pick([1, 1, 2])):
        op = m.pick(ops)
        kind = m.r.randrange(14)
        windowed = op.get("from") in [other["name"] for other in ops if other["op"] == "window"]
        if kind == 0:
            op["named"] = m.pick(["", ".", "..", "a b", "x" * 250, "ä", "ok_name.1-x", "x" * 249])
        elif kind == 1 and "store" in op:
            op["store"]["name"] = m.pick(["", ".", "a/b", "st1", "x" * 250, "in1-STATE-STORE-0000000000"])
        elif kind == 2 and "window" in op:
            op["window"].update(m.pick([{"size": 0}, {"size": -5}, {"grace": -1}, {"advance": 0}, {"advance": -2}, {"start": -1}]))
            if op["window"]["type"] == "tumbling":
                op["window"].pop("advance", None)
        elif kind == 3 and "store" in op and windowed:
            op["store"]["retention"] = m.pick([-1, 0, 1])
        elif kind == 4 and op["op"] == "to":
            op["topic"] = "out99"  # never one that is read: records would go round for ever
            op.pop("topic_fn", None)
            op.pop("topics", None)
        elif kind == 5 and op["op"] in ("stream", "table", "global_table"):
            op["topic"] = m.pick([t for t in m.inputs if m.topics[t] == m.topics[op["topic"]]])
            op.pop("topics", None)
        elif kind == 6 and "partitions" in op:
            op["partitions"] = m.pick([0, -1])
        elif kind == 7:
            for other in ops:
                if "named" in other:
                    op["named"] = other["named"]
        elif kind == 8 and op["op"] in ("stream", "table"):
            op["offset_reset"] = m.pick(["earliest", "latest", "none"])
        elif kind == 9 and op.get("stores"):
            op["stores"] = m.pick([[], ["nope"], op["stores"] * 2])
        elif kind == 10 and op["op"] == "window":
            op["emit"] = "close"
        elif kind == 11:
            m.config["application.id"] = m.pick(["x" * 200, "app"])
        elif kind == 12 and "store" in op:
            op["store"].update(m.pick([{"supplier": {"kind": "lru", "max": m.pick([0, -1])}},
                                       {"supplier": {"kind": "window", "retention": m.pick([1, 5, 1000]), "window_size": m.pick([5, 10])}}]))
            op["store"].setdefault("name", "stx")
            if (op["store"]["supplier"]["kind"] == "window") != windowed:
                op["store"].pop("supplier")
        elif kind == 13 and "processor" in op and len(op["processor"]) > 1 and isinstance(op["processor"][1], int):
            op["processor"][1] = m.pick([0, -1])


STREAMY = dict(filter=3, map_values=3, select_key=2, map=2, flat=2, watch=1, merge=2, split=2, to=1, process=1)
THEMES = {
    "stateless": dict(STREAMY, sources=["stream"]),
    "branch-merge": dict(STREAMY, split=8, merge=6, sources=["stream", "stream"]),
    "aggregate": dict(STREAMY, aggregate=12, to_stream=4, sources=["stream"]),
    "window-time": dict(STREAMY, window=14, to_stream=5, sources=["stream"]),
    "table": dict(filter=8, map_values=8, to_stream=6, to_table=5, select_key=2, aggregate=2, sources=["table"]),
    "repartition": dict(STREAMY, repartition=9, aggregate=5, to_table=3, select_key=6, sources=["stream"]),
    "stream-table-join": dict(STREAMY, join_table=12, to_table=3, aggregate=3, sources=["stream", "table"]),
    "global-table-join": dict(STREAMY, join_global=14, sources=["stream", "global_table"]),
    "processors": dict(STREAMY, process=8, store=12, to_child=2, global_store=2, window=2, aggregate=2, sources=["stream"]),
    "punctuation": dict(STREAMY, punctuate=8, store=4, aggregate=2, window=2, sources=["stream"]),
    "timestamps": dict(STREAMY, process=6, window=3, extractor=True, sources=["stream", "stream"]),
    "headers": dict(STREAMY, process=6, aggregate=2, window=2, join_table=3, to_table=3, repartition=2, headers=True, sources=["stream", "table"]),
    "naming": dict(STREAMY, aggregate=5, window=4, join_table=3, to_table=3, to_stream=3, repartition=3, sources=["stream", "table"]),
    "mixture": dict(STREAMY, aggregate=4, window=4, join_table=4, join_global=3, to_table=3, to_stream=4, repartition=3, store=3, punctuate=1,
                    global_store=1, sources=["stream", "table", "global_table", "stream"]),
    "handlers": dict(STREAMY, aggregate=3, window=2, join_table=2, to_table=2, store=3, repartition=2, bad=True, sources=["stream", "table"]),
    "eos": dict(STREAMY, aggregate=4, window=4, store=3, punctuate=2, repartition=2, sources=["stream"]),
    "close": dict(window=14, to_stream=3, select_key=2, throttle=0.5, sources=["stream"]),
    "kv-commands": {}, "window-commands": {}, "processor-api": {}, "errors": {},
    "window-session": dict(STREAMY, window=14, to_stream=5, windows=["session"], sources=["stream"]),
    "window-sliding": dict(STREAMY, window=14, to_stream=5, windows=["sliding"], sources=["stream"]),
    "stream-join": dict(STREAMY, join_stream=14, sources=["stream", "stream"]),
    "table-join": dict(join_tables=12, filter=3, map_values=3, to_table=1, to_stream=1, aggregate=1, sources=["table", "table", "stream"]),
    "foreign-key-join": dict(join_foreign=10, join_tables=2, filter=2, map_values=2, aggregate=1, sources=["table", "table"]),
    "table-group": dict(table_group=12, filter=3, map_values=3, aggregate=2, to_stream=2, sources=["table"]),
    "cogroup": dict(STREAMY, cogroup=10, windows=["tumbling", "hopping", "sliding", "session"], sources=["stream", "stream"]),
    "suppress": dict(suppress=10, window=6, aggregate=4, table_group=3, filter=2, map_values=2, to_stream=2, sources=["stream", "table"],
                     windows=["tumbling", "hopping", "session", "sliding"]),
    "versioned": dict(join_table=5, join_tables=4, table_group=3, aggregate=4, to_table=3, filter=2, map_values=2, join_foreign=2, versioned=0.7,
                      sources=["table", "table", "stream"]),
    "optimization": dict(STREAMY, aggregate=5, window=3, join_stream=4, join_table=3, to_table=2, join_tables=2, repartition=2, cogroup=2,
                         optimize=True, sources=["stream", "stream", "table"]),
    "everything": dict(STREAMY, aggregate=4, window=5, join_table=4, join_global=2, to_table=3, to_stream=4, repartition=2, store=2, join_stream=4,
                       join_tables=4, join_foreign=3, table_group=4, cogroup=2, suppress=3, versioned=0.1,
                       windows=["tumbling", "hopping", "sliding", "session"], sources=["stream", "table", "stream", "table", "global_table"]),
    "session-commands": {}, "versioned-commands": {},
}
NOW = [theme for theme in THEMES if theme not in ("window-session", "window-sliding", "stream-join", "table-join", "foreign-key-join", "table-group", "cogroup",
                                                  "suppress", "versioned", "optimization", "everything", "session-commands", "versioned-commands")]
OWN = {"kv-commands": kv_commands, "window-commands": window_commands, "session-commands": session_commands,
       "versioned-commands": versioned_commands, "processor-api": processor_api, "errors": errors}
API = ["processor-api"]


def main():
    out, count = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    themes = sys.argv[4:] or NOW
    os.makedirs(out, exist_ok=True)
    for i in range(count):
        theme = themes[i % len(themes)]
        case = Maker("%d/%d/%s" % (seed, i, theme), theme).make()
        case["id"] = "%s-%d-%d" % (theme, seed, i)
        with open("%s/%s.json" % (out, case["id"]), "w") as file:
            json.dump(case, file, ensure_ascii=False)


if __name__ == "__main__":
    main()
