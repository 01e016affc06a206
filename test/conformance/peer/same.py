#!/usr/bin/env python3
"""Compares recorded cases with the peer's recordings of them: same.py GIVEN OUT. Exit 0 = the same."""
import glob, json, os, sys


def rows(store):
    """Order of rows is for information."""
    return {part: sorted(json.dumps(row, sort_keys=True) for row in store.get(part, [])) if part != "type" else store[part]
            for part in ("type", "rows", "as_of")}


def comparable(part, value):
    if part == "stores" and value:
        return {name: rows(store) for name, store in value.items()}
    if part == "error" and value:
        return [value.get(field) for field in ("stage", "step", "kind", "exception", "root")]
    return sum(value.values()) if part == "dropped" and value else value


def differences(given, recorded):
    found = [part for part in ("topics", "types", "branch_keys") if given.get(part) != recorded.get(part)]
    if given["expect"].get("error", {}).get("stage") == "build":
        found = []
    return found + [part for part in set(given["expect"]) | set(recorded["expect"])
                    if comparable(part, given["expect"].get(part)) != comparable(part, recorded["expect"].get(part))]


def main():
    paths = sorted(glob.glob(sys.argv[1] + "/**/*.json", recursive=True))
    different = 0
    for path in paths:
        other = os.path.join(sys.argv[2], os.path.basename(path))
        with open(path) as file:
            given = json.load(file)
        found = ["not recorded"]
        if os.path.exists(other):
            with open(other) as file:
                found = differences(given, json.load(file))
        if found:
            different += 1
            print("%s: %s" % (path, ", ".join(sorted(found))))
    print("%d the same, %d differ" % (len(paths) - different, different))
    sys.exit(1 if different or not paths else 0)


if __name__ == "__main__":
    main()
