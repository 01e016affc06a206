"""The settings of values.schema.json, made from what the program says of itself (`data-processing help --markdown`).

    settings.py PAGE SCHEMA            prints SCHEMA with its two definitions "setting" and "variable" made anew

(1) What the chart itself decides, and secrets, which would stand in a ConfigMap, are not to be given as settings.
"""
import json
import re
import sys

OWN = {"env", "instance.id", "state.dir", "http.address", "http.port", "http.advertised", "memory.max", "topics.partitions", "topics.replication",
       "postgres.dsn", "redis.url", "redis.ca.file", "clickhouse.url", "clickhouse.database", "clickhouse.user", "clickhouse.ca.file", "application.id", "audit.enabled", "audit.topic",
       "http.tls.certificate.file", "http.tls.key.file", "http.tls.ca.file"}
SECRET = re.compile(r"(password|secret|token|\.key|\.key\.pem|\.dsn|\.url)$")
UNITS = {"duration": r"^[0-9]+(ms|s|m|h|d)?$", "size": r"^-?[0-9]+[kmg]?$"}


def rows(page):
    for line in page.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def bounds(value):
    found = re.search(r"from (-?[0-9]+)(?: to ([0-9]+))?", value)
    return {name: int(text) for name, text in zip(("minimum", "maximum"), found.groups() if found else ()) if text}


def taken(value):
    """A setting's value as JSON schema has it."""
    if value == "true or false":
        return {"enum": [True, False, "true", "false"]}
    if value.startswith("a number"):
        return {"anyOf": [{"type": "integer", **bounds(value)}, {"type": "string", "pattern": "^-?[0-9]+$"}]}
    for unit, pattern in UNITS.items():
        if value.startswith(f"a {unit}"):
            return {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": pattern}]}
    if value == "text":
        return {"type": ["string", "number", "boolean"]}
    return {"enum": re.split(r", | or ", value)}


def made(page):
    settings, variables = {}, []
    for cells in rows(page):
        name = cells[0].strip("`")
        if len(cells) == 5 and cells[3].startswith("`WEIR_"):
            variables.append(cells[3].strip("`"))
            if name not in OWN and not SECRET.search(name):
                settings[name] = taken(cells[2])
        elif len(cells) == 3 and cells[1].startswith("`") and "*" not in name:
            variables.append(name)
    return {
        "setting": {
            "description": "made by test/charts/settings.py: names and values as `data-processing help` has them",
            "type": "object",
            "properties": settings,
            "patternProperties": {
                "^(normalization|enrichment|aggregation|projection)\\.[a-z0-9_]+\\.[a-z_.]+$": {"type": ["string", "number", "boolean"]},
            },
            "additionalProperties": False,
        },
        "variable": {
            "description": "made by test/charts/settings.py: variables that `data-processing help` knows",
            "type": "object",
            "propertyNames": {"anyOf": [{"enum": variables}, {"pattern": "^WEIR_KAFKA_[A-Z_]+$"}]},
            "additionalProperties": {"type": ["string", "number", "boolean"]},
        },
    }


with open(sys.argv[1]) as page, open(sys.argv[2]) as schema:
    whole = json.load(schema)
    whole["definitions"].update(made(page.read()))
print(json.dumps(whole, indent=2))
