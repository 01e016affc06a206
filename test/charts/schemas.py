"""Kubernetes' JSON schemas, each a file that stands alone, from the package kubernetes-validate, whose files point into one that kubeconform cannot find.

    schemas.py FOLDER TARGET    FOLDER: .../kubernetes-json-schema/v1.34.0-local-strict
"""
import json
import sys
from pathlib import Path


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from references(child)


def closed(schema, definitions):
    """The schema with all that it points to, directly or not."""
    taken, waiting = {}, [schema]
    while waiting:
        for reference in references(waiting.pop()):
            name = reference["$ref"].rsplit("/", 1)[-1]
            reference["$ref"] = f"#/definitions/{name}"
            if name not in taken:
                taken[name] = json.loads(definitions[name])
                waiting.append(taken[name])
    return {**schema, "definitions": taken}


folder, target = Path(sys.argv[1]), Path(sys.argv[2])
definitions = {name: json.dumps(one) for name, one in json.loads((folder / "_definitions.json").read_text())["$defs"].items()}
target.mkdir(parents=True)
for file in folder.glob("[!_]*.json"):
    if file.name != "all.json":
        (target / file.name).write_text(json.dumps(closed(json.loads(file.read_text()), definitions), separators=(",", ":")))
