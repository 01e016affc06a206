"""compose/docker-compose.yml as tests read it: merged, with its variables in their places.

    compose.py check FILE SCHEMA          the specification, and what the specification cannot say; a line for each fault, exit 1
    compose.py unfold FILE FOLDER         into FOLDER: order, the services that `up` starts, by what they wait for; and of each service
                                          SERVICE.environment, .command, .health (words), .needs ("SERVICE CONDITION"), .user, a line each
    compose.py same FILE CONFIG           CONFIG is what `docker compose config --format json` makes of FILE: the same as it is read here
"""
import json, os, re, sys
import yaml

SERVICES = {"normalization-service": 8080, "enrichment-service": 8081, "aggregation-service": 8082, "projection-service": 8083}
OTHERS = ("kafka", "clickhouse", "postgresql", "redis", "prometheus", "grafana")
VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::-([^}]*))?\})")


def substituted(value, given):
    """Texts with ${NAME:-otherwise} and $$ replaced, anywhere inside value."""
    if isinstance(value, dict):
        return {key: substituted(item, given) for key, item in value.items()}
    if isinstance(value, list):
        return [substituted(item, given) for item in value]
    if isinstance(value, str):
        return VARIABLE.sub(lambda m: "$" if m[1] is None else given.get(m[1]) or m[2] or "", value)
    return value


def load(path, given=os.environ):
    with open(path, encoding="utf-8") as file:
        return substituted(yaml.safe_load(file), given)


def dependencies(service):
    needs = service.get("depends_on", {})
    return needs if isinstance(needs, dict) else {name: {"condition": "service_started"} for name in needs}


def ordered(services):
    """By depends_on; a circle ends in what is left."""
    order, left = [], {name: set(dependencies(service)) for name, service in services.items()}
    while left:
        free = [name for name, needs in left.items() if not needs & set(left)]
        if not free:
            raise ValueError("circle: " + ", ".join(left))
        order += free
        for name in free:
            del left[name]
    return order


# ---- the Dockerfile, as far as compose depends on it ----

def targets(path):
    """Of each target: its base, EXPOSE, HEALTHCHECK, CMD, USER; a target has its base's where it says nothing."""
    found, at = {}, None
    with open(path, encoding="utf-8") as file:
        for line in file.read().replace("\\\n", " ").split("\n"):
            words = line.split(None, 1)
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "FROM":
                base, name = re.match(r"(\S+) AS (\S+)", words[1]).groups()
                at = found[name] = dict(found.get(base, {}))
            elif at is not None and words[0] == "HEALTHCHECK":
                at["HEALTHCHECK"] = yaml.safe_load(words[1].split(" CMD ", 1)[1])
            elif at is not None and words[0] in ("CMD", "ENTRYPOINT"):
                at[words[0]] = yaml.safe_load(words[1])
            elif at is not None:
                at[words[0]] = words[1].strip()
    return found


# ---- the check ----

def specification_faults(tree, schema_path):
    import jsonschema
    with open(schema_path, encoding="utf-8") as file:
        validator = jsonschema.Draft202012Validator(json.load(file))
    for error in validator.iter_errors(tree):
        yield f"specification: {'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"


def variable_faults(text, folder):
    with open(os.path.join(folder, ".env.example"), encoding="utf-8") as file:
        said = dict(line.rstrip("\n").split("=", 1) for line in file if line.strip() and not line.startswith("#"))
    used = {}
    for match in VARIABLE.finditer(text):
        if match[1]:
            used.setdefault(match[1], set()).add(match[2] or "")
    for name in sorted(set(said) | set(used)):
        if used.get(name) != {said.get(name)}:
            yield f"variables: {name}: {sorted(used.get(name, ['not used']))} in the file, {said.get(name, 'nothing')} in .env.example"


def known_variables(tree):
    """Of docs/configuration.md, which a test holds equal to the program: DATA_PROC_ and WEIR_ names that set something."""
    with open(os.path.join(tree, "docs/configuration.md"), encoding="utf-8") as file:
        text = file.read()
    return set(re.findall(r"`(WEIR_\w+)`", text)) | set(re.findall(r"^\| `(DATA_PROC_\w+)` \| `", text, re.M))


def reference_faults(tree, folder):
    services, volumes, used = tree["services"], tree.get("volumes", {}), set()
    for name, service in services.items():
        for need, how in dependencies(service).items():
            if need not in services:
                yield f"{name}: depends on {need}, which is not there"
            elif how["condition"] == "service_healthy" and "healthcheck" not in services[need]:
                yield f"{name}: waits for the health of {need}, which has no check"
            elif how["condition"] == "service_completed_successfully" and services[need].get("restart") != "no":
                yield f"{name}: waits for the end of {need}, which is started again"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if not source.startswith("."):
                used.add(source)
            elif "tools" not in service.get("profiles", []) and not os.path.exists(os.path.join(folder, source)):
                yield f"{name}: there is no {source}"
    for volume in sorted(used ^ set(volumes)):
        yield f"volumes: {volume} is {'not declared' if volume in used else 'not used'}"
    try:
        ordered(services)
    except ValueError as circle:
        yield f"depends_on: {circle}"


def safety_faults(tree):
    taken = set()
    for name, service in tree["services"].items():
        tag = service.get("image", "").partition("@")[0].rpartition(":")[2]
        if not re.match(r"v?\d+\.\d+\.?\d*|local$", tag):
            yield f"{name}: {service.get('image')} is no exact version"
        if service.get("user", "0").split(":")[0] in ("0", "root"):
            yield f"{name}: runs as root"
        if service.get("cap_drop") != ["ALL"] or "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{name}: keeps capabilities, or may gain some"
        if not service.get("read_only") and name != "kafka":
            yield f"{name}: may write to its root file system"
        if "mem_limit" not in service:
            yield f"{name}: has no bound of memory"
        for port in service.get("ports", []):
            if not port.startswith("127.0.0.1:") or port in taken:
                yield f"{name}: {port} is open to others, or taken"
            taken.add(port)


def service_faults(tree, path):
    known, stages = known_variables(os.path.join(os.path.dirname(path), "..")), targets(os.path.join(os.path.dirname(path), "Dockerfile"))
    for name in (*SERVICES, *OTHERS):
        if name not in tree["services"]:
            yield f"{name}: is not there"
        elif "healthcheck" not in tree["services"][name] or tree["services"][name].get("restart") != "unless-stopped":
            yield f"{name}: has no health check, or is not started again"
    for name, service in tree["services"].items():
        if "build" not in service:
            continue
        target = service["build"]["target"]
        stage = stages.get(target, {})
        if not service["image"].endswith(f"{target}:local") or service["user"] != stage.get("USER"):
            yield f"{name}: image {service['image']} and user are not those of target {target}"
        for variable in sorted(set(service["environment"]) - known):
            yield f"{name}: {variable} sets nothing: docs/configuration.md"
        port = SERVICES.get(name)
        if port and (service["ports"] != [f"127.0.0.1:{port}:{port}"] or stage.get("EXPOSE") != str(port)
                     or service["environment"].get("DATA_PROC_HEALTH_PORT") != str(port)):
            yield f"{name}: its port is not {port} everywhere"
        if port and service["healthcheck"]["test"] != ["CMD", *stage["HEALTHCHECK"]]:
            yield f"{name}: the image has another health check"


def check(path, schema):
    folder = os.path.dirname(path)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    tree = load(path, {})
    faults = [*specification_faults(tree, schema)]
    if not faults: # what follows needs the right form
        faults = [*variable_faults(text, folder), *reference_faults(tree, folder), *safety_faults(tree), *service_faults(tree, path)]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


# ---- against Docker Compose itself ----

def in_full(service):
    """What tests use of a service, in the form that Docker Compose gives it."""
    seen = {key: service[key] for key in ("image", "environment", "user", "read_only", "restart", "cap_drop", "security_opt", "tmpfs", "profiles") if key in service}
    seen["command"] = service.get("command")
    seen["test"] = service.get("healthcheck", {}).get("test")
    seen["needs"] = {name: how["condition"] for name, how in dependencies(service).items()}
    seen["target"] = service.get("build", {}).get("target")
    return seen


def same(path, config):
    ours = load(path)["services"]
    with open(config, encoding="utf-8") as file:
        theirs = substituted(json.load(file), {})["services"]
    faults = [f"services: {sorted(ours)} here, {sorted(theirs)} there"] if set(ours) != set(theirs) else []
    for name in sorted(set(ours) & set(theirs)):
        mine, other = in_full(ours[name]), in_full(theirs[name])
        faults += [f"{name}: {key}: {mine.get(key)!r} here, {other.get(key)!r} there" for key in sorted(set(mine) | set(other)) if mine.get(key) != other.get(key)]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


def unfold(path, folder):
    tree, stages = load(path), targets(os.path.join(os.path.dirname(path), "Dockerfile"))

    def put(name, lines):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)

    put("order", ordered({name: item for name, item in tree["services"].items() if "profiles" not in item}))
    for name, service in tree["services"].items():
        stage = stages.get(service.get("build", {}).get("target"), {})
        put(f"{name}.environment", (f"{key}={value}" for key, value in service.get("environment", {}).items()))
        put(f"{name}.command", service.get("command", stage.get("CMD", [])))
        put(f"{name}.health", service.get("healthcheck", {}).get("test", []))
        put(f"{name}.needs", (f"{need} {how['condition']}" for need, how in dependencies(service).items()))
        put(f"{name}.user", [service["user"]])
    return 0


if __name__ == "__main__":
    commands = {"check": check, "same": same, "unfold": unfold}
    if len(sys.argv) != 4 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    sys.exit(commands[sys.argv[1]](*sys.argv[2:]))
