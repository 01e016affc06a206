"""What must hold of every rendering of the chart: helm template ... | rendered.py

Prints what does not, a line each; exit 1 then.
"""
import re
import sys

import yaml

SERVICES = {"normalization": 8080, "enrichment": 8081, "aggregation": 8082, "projection": 8083}
SERVERS = ("-kafka", "-clickhouse", "-postgresql-primary", "-postgresql-replica", "-redis")
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "m": 2**20}
wrong = []


def must(holds, words):
    if not holds:
        wrong.append(words)


def size(text):
    return float(text[: -len(unit)]) * UNITS[unit] if (unit := next((u for u in UNITS if text.endswith(u)), None)) else float(text)


def milliseconds(text):
    number, unit = re.fullmatch(r"([0-9]+)(ms|s|m|h|d)?", text).groups()
    return int(number) * {"s": 1000, "m": 60000, "h": 3600000, "d": 86400000}.get(unit, 1)


def selects(selector, labels):
    return selector.items() <= labels.items()


def pods_of(thing):
    return thing["spec"] if thing["kind"] == "Pod" else thing["spec"]["template"]["spec"]


def keeps_to_restricted(name, pod):
    """Pod Security "restricted", and beyond it what is promised: no token, read-only root, no links."""
    security = pod["securityContext"]
    must(security.get("runAsNonRoot") is True and security["runAsUser"] > 0, f"{name} may run as root")
    must(security["seccompProfile"]["type"] == "RuntimeDefault", f"{name} has no seccomp profile")
    must(pod.get("enableServiceLinks") is False, f"{name} gets a variable for each Service")
    for container in pod["containers"] + pod.get("initContainers", []):
        own = container["securityContext"]
        must(own["allowPrivilegeEscalation"] is False and own["capabilities"] == {"drop": ["ALL"]}, f"{name} may gain rights")
        must(own["readOnlyRootFilesystem"] or name.endswith("-kafka"), f"{name} may write to its root file system")
        must(set(container["resources"]) >= {"limits", "requests"}, f"{name} has no bounds")
        must(":latest" not in container["image"] and (":" in container["image"] or "@" in container["image"]), f"{name} runs whatever {container['image']} is")
        mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
        there = {volume["name"] for volume in pod.get("volumes", [])} | claims.get(name, set())
        must(mounted <= there, f"{name} mounts what is not there: {mounted - there}")
        # PostgreSQL's library takes a password by no file that a group may read; images of others know variables alone.
        secrets = {entry["name"] for entry in container.get("env", []) if "secretKeyRef" in entry.get("valueFrom", {})}
        must(name.endswith(SERVERS) or secrets <= {"PGPASSWORD"}, f"{name} gets secrets as variables: {secrets}")


documents = [document for document in yaml.safe_load_all(sys.stdin) if document]
by = {}
for document in documents:
    key = (document["kind"], document["metadata"]["name"])
    must(key not in by, f"twice: {key}")
    by[key] = document
kind = lambda word: {name: document for (of, name), document in by.items() if of == word}
workloads = {**kind("StatefulSet"), **kind("Job"), **kind("Pod")}
claims = {name: {claim["metadata"]["name"] for claim in document["spec"].get("volumeClaimTemplates", [])} for name, document in kind("StatefulSet").items()}
labels = {name: document["metadata"]["labels"] if document["kind"] == "Pod" else document["spec"]["template"]["metadata"]["labels"] for name, document in workloads.items()}

for name, document in workloads.items():
    keeps_to_restricted(name, pods_of(document))
    if not name.endswith("-prometheus"):
        must(pods_of(document).get("automountServiceAccountToken") is False, f"{name} is given a token of the API server")
    for volume in pods_of(document).get("volumes", []):
        if "configMap" in volume:
            must(volume["configMap"]["name"] in kind("ConfigMap"), f"{name} wants a ConfigMap that is not there: {volume}")

for name, document in kind("StatefulSet").items():
    spec = document["spec"]
    must(spec["selector"]["matchLabels"].items() <= labels[name].items(), f"{name} does not select its own pods")
    for other, others in labels.items():
        must(other == name or not selects(spec["selector"]["matchLabels"], others), f"{name} selects the pods of {other}")
    must(spec["serviceName"] in kind("Service"), f"{name} has no Service that names its pods")
    for container in pods_of(document)["containers"]:
        must("livenessProbe" in container and "readinessProbe" in container, f"{name} has no probes")

for name, document in kind("Service").items():
    chosen = [pods_of(workloads[other]) for other, has in labels.items() if selects(document["spec"]["selector"], has)]
    must(len(chosen) == 1, f"Service {name} shows {len(chosen)} sets of pods")
    ports = {port["name"] for pod in chosen for container in pod["containers"] for port in container.get("ports", [])}
    must({port["targetPort"] for port in document["spec"]["ports"]} <= ports, f"Service {name} leads to a port that nobody has")

services = 0
for name, document in kind("StatefulSet").items():
    component = document["metadata"]["labels"]["app.kubernetes.io/component"]
    if component not in SERVICES:
        continue
    services += 1
    container = pods_of(document)["containers"][0]
    settings = dict(line.split(" = ", 1) for line in kind("ConfigMap")[name]["data"]["weir.conf"].split("\n") if line)
    must(container["args"][:2] == ["run", component], f"{name} runs something else: {container['args']}")
    must(int(settings["http.port"]) == SERVICES[component] == container["ports"][0]["containerPort"], f"{name}: its port is not {SERVICES[component]}")
    must(any(entry["name"] == "WEIR_INSTANCE_ID" and entry["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name" for entry in container["env"]), f"{name}: its members have no name of their own")
    stop = milliseconds(settings.get("shutdown.timeout.ms", "10s"))
    must(pods_of(document)["terminationGracePeriodSeconds"] * 1000 >= stop + 10000, f"{name} is killed while it stops, which may take {stop} ms")
    spread = {entry["topologyKey"] for entry in pods_of(document)["topologySpreadConstraints"]}
    must(spread == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}, f"{name}: its pods may all be in one place: {spread}")
    must({container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "startupProbe")} == {"/health/live"} and container["readinessProbe"]["httpGet"]["path"] == "/health/ready", f"{name}: its probes ask something else")
    bound, limit = size(settings["memory.max"]), size(container["resources"]["limits"]["memory"])
    must(bound < limit, f"{name}: memory.max is above the limit")
    must(not any(word in key and not key.endswith(".file") for key in settings for word in ("password", "token", "secret")), f"{name}: a secret stands in its ConfigMap")
    budgets = [one for one in kind("PodDisruptionBudget").values() if selects(one["spec"]["selector"]["matchLabels"], labels[name])]
    must(len(budgets) == 1 and budgets[0]["spec"].get("maxUnavailable") == 1, f"{name} has {len(budgets)} disruption budgets of one pod")
    for scaler in kind("HorizontalPodAutoscaler").values():
        spec = scaler["spec"]
        must(("StatefulSet", spec["scaleTargetRef"]["name"]) in by, f"a scaler of {spec['scaleTargetRef']}, which is not there")
        if spec["scaleTargetRef"]["name"] == name:
            must("replicas" not in document["spec"], f"{name}: an upgrade would undo what its scaler did")
            must(spec["maxReplicas"] <= int(settings["topics.partitions"]), f"{name}: more pods than partitions")
            for metric in spec["metrics"]:
                if metric.get("resource", {}).get("name") == "memory":
                    asked = size(container["resources"]["requests"]["memory"]) * metric["resource"]["target"]["averageUtilization"] / 100
                    must(bound < asked, f"{name}: a full cache adds pods: {bound} of {asked}")
must(services > 0, "no service")

for name, document in kind("Ingress").items():
    hosts = {rule["host"] for rule in document["spec"]["rules"]}
    must(hosts <= {host for entry in document["spec"].get("tls", []) for host in entry["hosts"]}, f"Ingress {name}: a host without TLS")
    for rule in document["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            must(path["backend"]["service"]["name"] in kind("Service"), f"Ingress {name} leads nowhere")

for name, document in kind("NetworkPolicy").items():
    must(any(port["port"] == 53 for rule in document["spec"]["egress"] for port in rule["ports"]), f"NetworkPolicy {name} lets no name be looked up")
    must(all(rule.get("to") for rule in document["spec"]["egress"]), f"NetworkPolicy {name} lets out to everywhere")

if kind("NetworkPolicy"):
    for name in workloads:
        policies = [other for other, document in kind("NetworkPolicy").items() if selects(document["spec"]["podSelector"]["matchLabels"], labels[name])]
        must(len(policies) == 1, f"{name} has {len(policies)} network policies")

for name, document in kind("Role").items():
    must(all("*" not in rule["verbs"] + rule["resources"] for rule in document["rules"]), f"Role {name} grants everything")
    must(name.endswith("-prometheus") or all(rule["verbs"] == ["use"] for rule in document["rules"]), f"Role {name} grants more than is used")

print("\n".join(wrong) or f"{len(documents)} documents, {services} services: well")
sys.exit(1 if wrong else 0)
