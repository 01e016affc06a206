#!/usr/bin/env python3
"""Makes a case on which weir and the peer differ small: shrink.py FILE OUT. BUILD: the build folder.

Tries without steps, operators and members; keeps what still differs in the same part; again, until nothing goes.
"""
import copy, json, os, re, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
RUNNER = os.path.join(os.environ.get("BUILD", "build"), "test/conformance/conformance")
SOURCES = ("stream", "table", "global_table", "global_store", "add_source", "add_global_store", "add_read_only_store")
OPTIONAL = ("named", "store", "extractor", "partitions", "emit", "cache", "log", "kind", "supplier", "retention", "grace", "headers",
            "default", "key_fn", "retain_duplicates", "offset_reset", "buffer")


def strip(case):
    """Only what is given: topics of sources; nothing that is computed."""
    case = copy.deepcopy(case)
    for part in ("expect", "types", "branch_keys"):
        case.pop(part, None)
    read = {t for op in case["topology"] if op["op"] in SOURCES for t in op.get("topics", [op.get("topic")])}
    case["topics"] = {name: types for name, types in case["topics"].items() if name in read or case.get("api")}
    return case


def references(op):
    found = {op.get("from"), op.get("with"), *op.get("parents", []), op.get("processor") if op["op"] == "connect_stores" else None}
    return {str(name).split(".")[0] for name in found if name}


def without_steps(case, width):
    steps = case["steps"]
    for at in range(0, len(steps), width):
        yield dict(case, steps=steps[:at] + steps[at + width:])


def without_operators(case):
    ops = case["topology"]
    for i, op in enumerate(ops):
        name = op.get("name")
        rest = ops[:i] + ops[i + 1:]
        if not any(name in references(other) for other in rest):
            yield dict(case, topology=rest)
        elif "from" in op:
            short = copy.deepcopy(rest)
            for other in short:
                for member in ("from", "with"):
                    if str(other.get(member)).split(".")[0] == name:
                        other[member] = op["from"]
            yield dict(case, topology=short)


def without_members(value):
    """Copies of a JSON value with one optional member less."""
    if isinstance(value, dict):
        for key in value:
            if key in OPTIONAL:
                yield {k: v for k, v in value.items() if k != key}
            for smaller in without_members(value[key]):
                yield dict(value, **{key: smaller})
    elif isinstance(value, list):
        for i, item in enumerate(value):
            for smaller in without_members(item):
                yield value[:i] + [smaller] + value[i + 1:]


def smaller_config(case):
    for key in case["config"]:
        if key not in ("application.id", "statestore.cache.max.bytes"):
            yield dict(case, config={k: v for k, v in case["config"].items() if k != key})
    if case["config"].get("statestore.cache.max.bytes"):
        yield dict(case, config=dict(case["config"], **{"statestore.cache.max.bytes": 0}))


def rounds(case):
    """Lists of tries, the bold ones first."""
    size = len(case["steps"])
    for width in sorted({max(1, size // n) for n in (2, 4, 8, 16)} | {1}, reverse=True):
        yield list(without_steps(case, width))
    yield list(without_operators(case))
    yield [dict(case, topology=topology) for topology in without_members(case["topology"])] + list(smaller_config(case))
    yield [dict(case, steps=steps) for steps in without_members(case["steps"])]


def differing(cases):
    """What the runner says of each case: a part's name, or None."""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(folder + "/in")
        for i, case in enumerate(cases):
            with open("%s/in/c%d.json" % (folder, i), "w") as file:
                json.dump(dict(case, id="c%d" % i), file)
        subprocess.run([HERE + "/run.sh", folder + "/out", folder + "/in"], stderr=subprocess.DEVNULL)
        said = subprocess.run([RUNNER, folder + "/out"], capture_output=True, text=True, errors="replace").stdout
        found, full = {}, {}
        for line in said.splitlines():
            match = re.match(r"[^ ]*/c(\d+): ([a-z]+)(.*)", line)
            if match:
                words = re.sub(r" step \d+| WEIR.*|;.*", "", match[3]) if match[2] == "error" else ""
                found[int(match[1])] = match[2] + words
        for i in found:
            try:
                with open("%s/out/c%d.json" % (folder, i)) as file:
                    full[i] = json.load(file)
            except OSError:
                pass
    return found, full


def main():
    with open(sys.argv[1]) as file:
        given = json.load(file)
    case = strip(given)
    found, full = differing([case])
    if 0 not in full:
        sys.exit("%s: weir and the peer agree" % sys.argv[1])
    wanted = found[0]
    while True:
        for tries in rounds(case):
            tries = [strip(t) for t in tries]
            found, full = differing(tries) if tries else ({}, {})
            good = [i for i in full if found[i] == wanted]
            if good:
                case = tries[min(good, key=lambda i: len(json.dumps(tries[i])))]
                break
        else:
            break
    subprocess.run([HERE + "/run.sh", os.path.dirname(sys.argv[2]) or ".", write(case, given["id"], sys.argv[2])], check=True)


def write(case, name, path):
    folder = tempfile.mkdtemp()
    inside = os.path.join(folder, os.path.basename(path))
    with open(inside, "w") as file:
        json.dump(dict(case, id=name), file)
    return inside


if __name__ == "__main__":
    main()
