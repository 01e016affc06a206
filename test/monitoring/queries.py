"""The queries of rules and dashboards: what they ask for, against what services export.
   queries.py names [TREE]        each metric and label of a query is in docs/metrics.md, or made by a recording rule; tests and runbooks are whole
   queries.py rules [TREE]        prints the dashboards' queries as recording rules, for promtool
   queries.py ask URL             asks a Prometheus for each: every one has data, but for those that need an event
"""
import json, os, re, sys, time, urllib.parse, urllib.request, yaml

MONITORING = "charts/data-processing/monitoring"
DASHBOARDS = ["data-processing-overview", "normalization-service", "enrichment-service", "aggregation-service", "projection-service"]
UNITS = {"short", "s", "cps", "bytes", "Bps", "percentunit"}
# Of the scrape, of histograms, of clauses; families that Prometheus has itself.
LABELS = {"service", "instance", "job", "pod", "namespace", "le"}
ITSELF = {"up": set(), "ALERTS": {"alertname", "alertstate"}}
# Queries without data until something has happened, by the metric they ask for, and what that is.
EVENTS = {
    "ALERTS": "an alert fires",
    "weir_dead_letters_total": "a record is refused",
    "weir_records_dropped_total": "a record is not used",
    "weir_records_noted_total": "a record is noted",
    "weir_windows_total": "a window closes",
    "weir_punctuations_total": "a schedule is due",
    "weir_audit_dropped_total": "the audit trail has a writer",
    "weir_audit_queue_events": "the audit trail has a writer",
    "weir_audit_writer_up": "the audit trail has a writer",
}
WORDS = set("sum min max avg count by on group_left ignoring rate increase deriv changes histogram_quantile time topk absent avg_over_time or and unless offset bool".split())


def alert_rules(tree):
    for name in ("recording.yml", "alerts.yml"):
        with open(os.path.join(tree, MONITORING, "rules", name), encoding="utf-8") as file:
            for group in yaml.safe_load(file)["groups"]:
                yield from group["rules"]


def dashboards(tree):
    for name in DASHBOARDS:
        with open(os.path.join(tree, MONITORING, "dashboards", name + ".json"), encoding="utf-8") as file:
            yield name, json.load(file)


def filled(query):
    return query.replace("$__rate_interval", "1m").replace("$instance", ".*").replace("$namespace", ".*")


def queries(tree):
    """(where, query) of rules, then of panels and variables."""
    for rule in alert_rules(tree):
        yield rule.get("alert") or rule["record"], rule["expr"]
    for name, dashboard in dashboards(tree):
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                yield f"{name}: {panel['title']}", filled(target["expr"])
        for variable in dashboard["templating"]["list"][1:]:
            yield f"{name}: ${variable['name']}", filled(re.match(r"label_values\((.*), \w+\)", variable["query"]).group(1))


def exported(tree):
    """Family -> its labels, from docs/metrics.md."""
    families = {}
    with open(os.path.join(tree, "docs/metrics.md"), encoding="utf-8") as file:
        for line in file:
            row = re.match(r"\| `(\w+)` \| (\w+) \| (.*?) \|", line)
            if row:
                labels = set(re.findall(r"`(\w+)`", row[3]))
                for suffix in ("_bucket", "_sum", "_count") if row[2] == "histogram" else ("",):
                    families[row[1] + suffix] = labels
    return families


def asked(query):
    """The metrics of a query, and its labels."""
    bare = re.sub(r'"[^"]*"', '""', query)
    labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=(?!=))", bare))
    for clause in re.findall(r"\b(?:by|on|ignoring|group_left)\s*\(([^)]*)\)", bare):
        labels |= set(re.findall(r"\w+", clause))
    bare = re.sub(r"\b(?:by|on|ignoring|group_left)\s*\([^)]*\)|\{[^}]*\}|\[[^]]*\]", " ", bare)
    names = [word for word in re.findall(r"(?<![\w.])[a-zA-Z_:][\w:]*", bare) if word not in WORDS]
    return names, labels


def check_names(tree):
    families, recorded = {**exported(tree), **ITSELF}, {rule["record"] for rule in alert_rules(tree) if "record" in rule}
    for where, query in queries(tree):
        names, labels = asked(query)
        known = set(LABELS).union(*(families.get(name, set()) for name in names))
        for name in names:
            if name not in families and name not in recorded:
                yield f"{where}: no service exports {name}"
        for label in sorted(labels - known):
            yield f"{where}: nothing it asks for has the label {label}"


def check_tests(tree):
    alerts = {rule["alert"]: rule for rule in alert_rules(tree) if "alert" in rule}
    with open(os.path.join(tree, "test/monitoring/alerts.yml"), encoding="utf-8") as file:
        tests = [test["alert_rule_test"][0] for test in yaml.safe_load(file)["tests"]]
    with open(os.path.join(tree, "docs/runbooks.md"), encoding="utf-8") as file:
        sections = re.findall(r"^## (\w+)$", file.read(), re.M)
    for name, rule in alerts.items():
        seen = [bool(test.get("exp_alerts")) for test in tests if test["alertname"] == name]
        if sorted(seen) != [False, True]:
            yield f"{name}: test/monitoring/alerts.yml does not see it once fire and once not"
        if name not in sections or not rule["annotations"]["runbook_url"].endswith("docs/runbooks.md#" + name.lower()):
            yield f"{name}: no section of docs/runbooks.md is its runbook"
    for name in sections:
        if name not in alerts:
            yield f"docs/runbooks.md: there is no alert {name}"


def check_dashboards(tree):
    names = sorted(name[:-5] for name in os.listdir(os.path.join(tree, MONITORING, "dashboards")))
    if names != sorted(DASHBOARDS):
        yield f"the dashboards are {names}"
    for name, dashboard in dashboards(tree):
        panels, source = dashboard["panels"], dashboard["templating"]["list"][0]
        if dashboard["uid"] != name or len({panel["id"] for panel in panels}) != len(panels):
            yield f"{name}: its uid is another one, or two panels have the same number"
        if (source["name"], source["type"], source["query"], source["current"]["value"]) != ("datasource", "datasource", "prometheus", "prometheus"):
            yield f"{name}: its first variable is not the data source, or begins with another one than the provisioned one"
        if any(variable["datasource"]["uid"] != "${datasource}" for variable in dashboard["templating"]["list"][1:]):
            yield f"{name}: a variable asks another data source than the dashboard's"
        yield from (f"{name}: {panel['title']}: {fault}" for panel in panels for fault in panel_faults(panel))
        taken = {}
        for panel in panels:
            for place in places(panel["gridPos"]):
                if taken.setdefault(place, panel) is not panel:
                    yield f"{name}: {panel['title']} lies over {taken[place]['title']}"
                    break


def places(grid):
    return [(x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])]


def panel_faults(panel):
    if panel["type"] not in ("row", "timeseries"):
        yield "test/monitoring/dashboards.go does not know its type"
    if not panel["title"] or panel["gridPos"]["x"] + panel["gridPos"]["w"] > 24:
        yield "without a title, or beside the page"
    if panel["type"] == "row":
        return
    if not panel.get("description", "").endswith("."):
        yield "nothing says what it shows"
    if panel["fieldConfig"]["defaults"]["unit"] not in UNITS:
        yield "Grafana has no such unit"
    if {source["uid"] for source in (panel["datasource"], *(target["datasource"] for target in panel["targets"]))} != {"${datasource}"}:
        yield "another data source than the dashboard's"
    if len({target["refId"] for target in panel["targets"]}) != len(panel["targets"]):
        yield "two queries have the same letter"


def check(tree):
    faults = [*check_names(tree), *check_tests(tree), *check_dashboards(tree)]
    print(*faults, sep="\n", end="\n" if faults else "")
    return 1 if faults else 0


def print_rules(tree):
    rules = [{"record": f"panel:{i}", "expr": query} for i, (where, query) in enumerate(queries(tree)) if ":" in where]
    print(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    return 0


# ---- over a Prometheus ----

def get(url, path, **parameters):
    with urllib.request.urlopen(f"{url}{path}?{urllib.parse.urlencode(parameters)}", timeout=10) as answer:
        return json.load(answer)["data"]


def what_to_ask(tree):
    """Of an alert the vectors that it compares, of others the query itself."""
    for rule in alert_rules(tree):
        if "alert" in rule:
            for name in asked(rule["expr"])[0]:
                yield rule["alert"], name
        else:
            yield rule["record"], rule["record"]
    yield from [(where, query) for where, query in queries(tree) if ": " in where]


def has_data(url, query):
    return bool(get(url, "/api/v1/query", query=query)["result"])


def ask(url, tree, seconds=60):
    """Until each has data, or that long."""
    todo, count, until = list(what_to_ask(tree)), 0, time.monotonic() + seconds
    count = len(todo)
    while todo and time.monotonic() < until:
        todo = [(where, query) for where, query in todo if not has_data(url, query)]
        if all(EVENTS.keys() & set(asked(query)[0]) for _, query in todo):
            break
        time.sleep(0.5)
    missing = [(where, query) for where, query in todo if not EVENTS.keys() & set(asked(query)[0])]
    for where, query in todo:
        events = sorted(EVENTS[name] for name in EVENTS.keys() & set(asked(query)[0]))
        print(f"{where}: no data" + (f" until {events[0]}" if events else f": {query}"))
    print(f"{count - len(todo)} of {count} queries have data, {len(todo) - len(missing)} need an event")
    return 1 if missing else 0


if __name__ == "__main__":
    what, argument = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "."
    sys.exit(check(argument) if what == "names" else print_rules(argument) if what == "rules" else ask(argument, "."))
