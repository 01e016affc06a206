#!/usr/bin/env python3
"""Writes the five Grafana dashboards beside it, dashboards/*.json: dashboards.py [FOLDER]. A panel is a line of the tables below; what it
means is docs/metrics.md's words on what it asks for."""
import json, os, re, sys

# A row: its title, then panels: title, unit, queries (legend, expression). SEL becomes the selection of the dashboard.
WAIT = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)]
quantiles = lambda family: [(name, f"histogram_quantile({q}, sum by (le) (rate({family}_bucket{{SEL}}[$__rate_interval])))") for name, q in WAIT]
rate = lambda family, by, more="": f"sum by ({by}) (rate({family}{{SEL{more}}}[$__rate_interval]))"

FLOW = ("Flow", [
    ("Records processed", "cps", [("{{instance}}", rate("weir_records_processed_total", "instance"))]),
    ("Records taken, by topic", "cps", [("{{topic}}", rate("weir_records_consumed_total", "topic"))]),
    ("Records sent, by topic", "cps", [("{{topic}}", rate("weir_records_produced_total", "topic"))]),
    ("Lag, by topic", "short", [("{{topic}}", "sum by (topic) (weir_topic_lag_records{SEL})")]),
    ("From a record's coming to its commit", "s", quantiles("weir_record_wait_seconds")),
    ("Delay of event time", "s", [("least", "min(time() - weir_task_stream_time_seconds{SEL})"), ("most", "max(time() - weir_task_stream_time_seconds{SEL})")]),
])
LOST = ("What was not used", [
    ("Dead letters", "cps", [("{{node}} {{code}}", rate("weir_dead_letters_total", "node, code"))]),
    ("Dropped, by reason", "cps", [("{{reason}}", rate("weir_records_dropped_total", "reason"))]),
    ("Noted, by what", "cps", [("{{what}}", rate("weir_records_noted_total", "what"))]),
])
TASKS = ("Tasks and threads", [
    ("Commits", "cps", [("{{instance}} {{thread}}", rate("weir_commits_total", "instance, thread"))]),
    ("Time of a commit", "s", quantiles("weir_commit_seconds")),
    ("Time of threads, by work", "percentunit", [("{{work}}", "sum by (work) (rate(weir_thread_seconds_total{SEL}[$__rate_interval])) / on () group_left () sum(weir_threads{SEL,state=\"alive\"})")]),
    ("Tasks", "short", [("{{state}}", "sum by (state) (weir_tasks{SEL})")]),
    ("Records of tasks", "cps", [("{{task}}", "topk(20, " + rate("weir_task_records_total", "task") + ")")]),
    ("Still to be restored", "short", [("{{instance}}", "sum by (instance) (weir_restore_remaining_records{SEL})")]),
    ("Records restored", "cps", [("{{instance}}", rate("weir_restore_records_total", "instance"))]),
    ("Failures that threads recovered from", "short", [("{{instance}}", "sum by (instance) (increase(weir_thread_recoveries_total{SEL}[$__rate_interval]))")]),
    ("Since the last commit, since threads came around", "s", [("commit {{instance}}", "max by (instance) (weir_commit_age_seconds{SEL})"), ("thread {{instance}}", "max by (instance) (weir_thread_progress_age_seconds{SEL})")]),
])
STORES = ("Stores", [
    ("Rows", "short", [("{{store}}", "sum by (store) (weir_store_rows{SEL})")]),
    ("Bytes in memory", "bytes", [("{{store}} {{place}}", "sum by (store, place) (weir_store_bytes{SEL,place!=\"disk\"})")]),
])
ROCKSDB = ("RocksDB", [
    ("Bytes on disk", "bytes", [("{{store}}", "sum by (store) (weir_store_bytes{SEL,place=\"disk\"})")]),
    ("Held and uncommitted", "bytes", [("held", "sum(weir_task_held_bytes{SEL})"), ("uncommitted", "sum(weir_task_uncommitted_bytes{SEL})")]),
    ("To be compacted", "bytes", [("{{store}}", "sum by (store) (weir_store_pending_compaction_bytes{SEL})")]),
    ("Flushed files, full memory tables", "short", [("files {{store}}", "max by (store) (weir_store_flushed_files{SEL})"), ("tables {{store}}", "max by (store) (weir_store_immutable_memtables{SEL})")]),
    ("Compactions, stalls, errors", "short", [("compactions", "sum(weir_store_compactions_running{SEL})"), ("stalled", "sum(weir_store_writes_stalled{SEL})"), ("errors", "sum(weir_store_background_errors_total{SEL})")]),
])
KAFKA = ("Kafka", [
    ("Clients that are connected", "short", [("{{broker}}", "sum by (broker) (weir_kafka_broker_up{SEL})")]),
    ("Round trip, p99", "s", [("{{broker}}", "max by (broker) (weir_kafka_broker_round_trip_seconds{SEL,at=\"p99\"})")]),
    ("Requests and answers", "cps", [("requests", rate("weir_kafka_broker_requests_total", "service")), ("answers", rate("weir_kafka_broker_responses_total", "service"))]),
    ("Bytes", "Bps", [("sent", rate("weir_kafka_broker_sent_bytes_total", "service")), ("received", rate("weir_kafka_broker_received_bytes_total", "service"))]),
    ("Errors, retries, time-outs, ends of connections", "cps", [("errors", rate("weir_kafka_broker_errors_total", "service")), ("retries", rate("weir_kafka_broker_retries_total", "service")), ("time-outs", rate("weir_kafka_broker_timeouts_total", "service")), ("ends", rate("weir_kafka_broker_disconnects_total", "service"))]),
    ("Queues", "short", [("unsent", "sum(weir_kafka_unsent_records{SEL})"), ("fetched", "sum(weir_kafka_fetched_records{SEL})"), ("requests", "sum(weir_kafka_broker_waiting_requests{SEL})")]),
    ("Queues, bytes", "bytes", [("unsent", "sum(weir_kafka_unsent_bytes{SEL})"), ("fetched", "sum(weir_kafka_fetched_bytes{SEL})")]),
    ("Throttled, rebalances", "short", [("throttled, s", "max(weir_kafka_broker_throttle_seconds{SEL})"), ("rebalances", "sum(increase(weir_kafka_rebalances_total{SEL}[$__rate_interval]))")]),
])
OUTLETS = ("Outlets", [
    ("Answers", "short", [("{{outlet}}", "min by (outlet) (weir_outlet_up{SEL})")]),
    ("Records put", "cps", [("{{outlet}}", rate("weir_outlet_records_total", "outlet"))]),
    ("Not acknowledged", "bytes", [("{{outlet}}", "sum by (outlet) (weir_outlet_waiting_bytes{SEL})")]),
    ("Time that commits waited, p95", "s", [("{{outlet}}", "histogram_quantile(0.95, sum by (outlet, le) (rate(weir_outlet_settle_seconds_bucket{SEL}[$__rate_interval])))")]),
    ("Outages", "short", [("{{outlet}}", "sum by (outlet) (increase(weir_outlet_outages_total{SEL}[$__rate_interval]))")]),
])
WINDOWS = ("Windows", [
    ("Windows, by event", "cps", [("{{store}} {{event}}", rate("weir_windows_total", "store, event"))]),
    ("Bars sent, by interval", "cps", [("{{topic}}", rate("weir_records_produced_total", "topic", ',topic=~"aggregated.market.bars.*"'))]),
    ("Scheduled calls", "cps", [("{{time}}", rate("weir_punctuations_total", "time"))]),
])
HTTP = ("HTTP and the process", [
    ("Requests, by path", "cps", [("{{path}} {{status}}", rate("weir_http_requests_total", "path, status"))]),
    ("Time of an answer", "s", quantiles("weir_http_request_seconds")),
    ("CPU", "short", [("{{instance}}", "rate(process_cpu_seconds_total{SEL}[$__rate_interval])")]),
    ("Memory", "bytes", [("{{instance}}", "process_resident_memory_bytes{SEL}"), ("memory.max {{instance}}", "weir_memory_max_bytes{SEL}")]),
    ("File descriptors", "percentunit", [("{{instance}}", "process_open_fds{SEL} / process_max_fds{SEL}")]),
    ("Age of the process", "s", [("{{instance}}", "time() - process_start_time_seconds{SEL}")]),
    ("Version", "short", [("{{version}}", "count by (version) (weir_build_info{SEL})")]),
])
OVERVIEW = [
    ("Objectives", [
        ("Instances that are up", "percentunit", [("{{service}} {{namespace}}", "service:up:ratio{SEL}")]),
        ("Within 100 ms (objective: 95 %)", "percentunit", [("{{service}} {{namespace}}", "service:weir_record_wait_within_100ms:ratio_rate5m{SEL}")]),
        ("Within 200 ms (objective: 99 %)", "percentunit", [("{{service}} {{namespace}}", "service:weir_record_wait_within_200ms:ratio_rate5m{SEL}")]),
        ("Records processed (objective: 1,000/s while more wait)", "cps", [("{{service}} {{namespace}}", "service:weir_records_processed:rate5m{SEL}")]),
        ("p95 from coming to commit", "s", [("{{service}} {{namespace}}", "service:weir_record_wait_seconds:p95_rate5m{SEL}")]),
        ("p99 from coming to commit", "s", [("{{service}} {{namespace}}", "service:weir_record_wait_seconds:p99_rate5m{SEL}")]),
    ]),
    ("Flow", [
        ("Lag", "short", [("{{service}} {{namespace}}", "service:weir_topic_lag_records:sum{SEL}")]),
        ("Least delay of event time", "s", [("{{service}} {{namespace}}", "service:weir_task_delay_seconds:min{SEL}")]),
        ("Dead letters", "cps", [("{{service}} {{namespace}}", "service:weir_dead_letters:rate5m{SEL}")]),
        ("p99 of a commit", "s", [("{{service}} {{namespace}}", "service:weir_commit_seconds:p99_rate5m{SEL}")]),
        ("Share of HTTP errors", "percentunit", [("{{service}} {{namespace}}", "service:weir_http_errors:ratio_rate5m{SEL}")]),
        ("Tasks that are being restored", "short", [("{{service}} {{namespace}}", "sum by (namespace, service) (weir_tasks{SEL,state=\"restoring\"})")]),
    ]),
    ("Parts", [
        ("Memory", "bytes", [("{{instance}}", "process_resident_memory_bytes{SEL}")]),
        ("CPU", "short", [("{{instance}}", "rate(process_cpu_seconds_total{SEL}[$__rate_interval])")]),
        ("Outlets answer", "short", [("{{service}} {{namespace}} {{outlet}}", "min by (namespace, service, outlet) (weir_outlet_up{SEL})")]),
        ("Connected to brokers", "short", [("{{service}} {{namespace}} {{broker}}", "max by (namespace, service, broker) (weir_kafka_broker_up{SEL})")]),
        ("Audit trail: waiting, lost", "short", [("waiting {{service}} {{namespace}}", "sum by (namespace, service) (weir_audit_queue_events{SEL})"), ("lost {{service}} {{namespace}}", "sum by (namespace, service) (weir_audit_dropped_total{SEL})")]),
        ("Bytes of stores on disk", "bytes", [("{{service}} {{namespace}}", "sum by (namespace, service) (weir_store_bytes{SEL,place=\"disk\"})")]),
    ]),
    ("Alerts", [("Alerts that fire", "short", [("{{alertname}} {{service}} {{namespace}}", "count by (alertname, namespace, service) (ALERTS{SEL,alertstate=\"firing\"})")])]),
]
SERVICES = {
    "normalization": [FLOW, LOST, TASKS, STORES, ROCKSDB, KAFKA, HTTP],
    "enrichment": [FLOW, LOST, TASKS, STORES, KAFKA, HTTP],  # its one store is in memory
    "aggregation": [FLOW, WINDOWS, LOST, TASKS, STORES, ROCKSDB, KAFKA, HTTP],
    "projection": [FLOW, OUTLETS, LOST, TASKS, STORES, ROCKSDB, KAFKA, HTTP],
}
# Where a Grafana has its Prometheus under another name, one chooses it: the dashboards' first variable.
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
HERE = os.path.dirname(os.path.abspath(__file__))


def meanings():
    """Of each family, from docs/metrics.md; of what a rule records, those of the families that it is made of."""
    with open(os.path.join(HERE, "../../../docs/metrics.md"), encoding="utf-8") as file:
        known = dict(re.findall(r"^\| `(\w+)` \| \w+ \| .*? \| (.*) \|$", file.read(), re.M))
    known |= {"up": "Whether Prometheus could scrape an instance: 1 or 0.", "ALERTS": "Alerts of Prometheus, by their state."}
    with open(os.path.join(HERE, "rules/recording.yml"), encoding="utf-8") as file:
        for record, expression in re.findall(r"- record: (\S+)\n +expr: ((?:.+\n)(?: {10}.+\n)*)", file.read()):
            known[record] = described(expression, known)
    return known


def described(expression, known):
    names = [re.sub("_(bucket|count|sum)$", "", name) if name not in known else name for name in re.findall(r"\b(?:service:[\w:]+|weir_\w+|process_\w+|up|ALERTS)\b", re.sub(r"\{.*?\}", "", expression))]
    return " ".join(dict.fromkeys(known[name] for name in names if name in known))


def panel(number, spec, x, y, selection, known):
    title, unit, queries = spec
    targets = [{"datasource": SOURCE, "refId": chr(ord("A") + i), "legendFormat": legend, "expr": expression.replace("SEL", selection)}
               for i, (legend, expression) in enumerate(queries)]
    return {"id": number, "type": "timeseries", "title": title, "description": described(" ".join(expression for _, expression in queries), known),
            "datasource": SOURCE, "gridPos": {"h": 7, "w": 8, "x": x, "y": y}, "targets": targets,
            "fieldConfig": {"defaults": {"unit": unit, "min": None if unit == "s" else 0}, "overrides": []},
            "options": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}, "tooltip": {"mode": "multi", "sort": "desc"}}}


def panels(rows, selection, known):
    result, y = [], 0
    for title, specs in rows:
        result.append({"id": len(result) + 1, "type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}})
        y += 1
        for i, spec in enumerate(specs):
            result.append(panel(len(result) + 1, spec, i % 3 * 8, y + i // 3 * 7, selection, known))
        y += (len(specs) + 2) // 3 * 7
    return result


def dashboard(uid, title, rows, selection, variables, known):
    return {"uid": uid, "title": title, "tags": ["data-processing"], "timezone": "utc", "schemaVersion": 39, "version": 1, "editable": False, "refresh": "15s",
            "time": {"from": "now-1h", "to": "now"}, "templating": {"list": variables}, "annotations": {"list": []},
            "links": [{"type": "dashboards", "title": "Data processing", "tooltip": "The other dashboards", "icon": "external link", "tags": ["data-processing"],
                       "asDropdown": True, "keepTime": True, "includeVars": False, "targetBlank": False}],
            "panels": panels(rows, selection, known)}


def chosen(name, series):
    """A variable: the values of a label of these series."""
    query = f"label_values({series}, {name})"
    return {"name": name, "type": "query", "datasource": SOURCE, "query": query, "definition": query, "refresh": 2, "multi": True, "includeAll": True,
            "allValue": ".*", "current": {"text": "All", "value": "$__all"}}


def variables(service=None):
    source = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus", "current": {"text": "Prometheus", "value": "prometheus"}}
    if service is None:
        return [source, chosen("namespace", "weir_build_info")]
    return [source, chosen("namespace", f'weir_build_info{{service="{service}"}}'), chosen("instance", f'weir_build_info{{service="{service}",namespace=~"$namespace"}}')]


folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "dashboards")
known = meanings()
made = {"data-processing-overview": dashboard("data-processing-overview", "Data processing: overview", OVERVIEW, 'service=~".+",namespace=~"$namespace"', variables(), known)}
for service, rows in SERVICES.items():
    name = f"{service}-service"
    made[name] = dashboard(name, f"Data processing: {service}", rows, f'service="{service}",namespace=~"$namespace",instance=~"$instance"', variables(service), known)
for name, content in made.items():
    with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=1) + "\n")
