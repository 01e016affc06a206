"""What a rendering of the chart gives each container: its command, settings and variables, as folders that a script can run the program with.

    environment.py FOLDER <RENDERED    FOLDER/NAME/{arguments,environment,weir.conf}, one for each container of the pipeline
"""
import sys
from pathlib import Path

import yaml

WORD = "a-secret-of-enough-characters"
root = Path(sys.argv[1])
documents = [document for document in yaml.safe_load_all(sys.stdin) if document]
maps = {document["metadata"]["name"]: document["data"] for document in documents if document["kind"] == "ConfigMap"}


def value(entry):
    """A pod's name, or the text of a secret, which is a word here."""
    return entry.get("value", "pod-0" if "fieldRef" in entry.get("valueFrom", {}) else WORD)


def rooted(text, folder):
    return text.replace("/etc/data-processing", str(folder)).replace("/var/lib/weir", str(folder))


for document in documents:
    spec = document.get("spec", {})
    pod = spec.get("template", {}).get("spec") or (spec if document["kind"] == "Pod" else {})
    for container in pod.get("containers", []):
        if container.get("args", [""])[0] not in ("run", "migrate"):
            continue
        folder = (root / f"{document['metadata']['name']}-{container['name']}").resolve()
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for mount in container["volumeMounts"]:
            volume = volumes.get(mount["name"], {})
            place = Path(rooted(mount["mountPath"], folder))
            place.mkdir(parents=True, exist_ok=True)
            for file, text in maps[volume["configMap"]["name"]].items() if "configMap" in volume else ():
                (place / file).write_text(rooted(text, folder))
            for item in volume.get("secret", {}).get("items", []):
                (place / item["path"]).write_text(WORD)
        (folder / "arguments").write_text("\n".join(rooted(word, folder) for word in container["args"]) + "\n")
        (folder / "environment").write_text("".join(f"{entry['name']}={value(entry)}\n" for entry in container.get("env", [])))
