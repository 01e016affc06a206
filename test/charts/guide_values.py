"""The guide's values (rows `path=value` of docs/deployment-guide.md) are those of the chart, but where the row says why they differ.

    guide_values.py PAGE CHART
"""
import re
import sys
from pathlib import Path

import yaml

SECTIONS = {"Chart.yaml": ["Chart.yaml"], "values.yaml": ["values.yaml"], "Production values-prod.yaml": ["values.yaml", "values-prod.yaml"]}


def merged(base, over):
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}
    return over


def found(values, path):
    """What is there. Keys of an annotation have dots too: the longest that fits is taken."""
    if not path:
        return values
    if isinstance(values, list):
        at = re.match(r"\[(\d+)\]\.?", path)
        return found(values[int(at[1])], path[at.end() :]) if at and int(at[1]) < len(values) else None
    for key in sorted(values, key=len, reverse=True) if isinstance(values, dict) else []:
        if path == key or path.startswith((key + ".", key + "[")):
            return found(values[key], path[len(key) :].lstrip("."))
    return None


page, chart = Path(sys.argv[1]).read_text(), Path(sys.argv[2])
section, same, wrong = None, 0, []
for line in page.splitlines():
    if line.startswith("#"):
        section = SECTIONS.get(line.split(" ", 1)[1])
        values = {}
        for name in section or []:
            values = merged(values, yaml.load((chart / name).read_text(), yaml.BaseLoader))
    elif section and line.startswith("| `"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        for path, value in re.findall(r"`([^`=]+)=([^`]*)`", cells[0]):
            have = found(values, path)
            have = {None: "nothing"}.get(have, have) if not isinstance(have, (dict, list)) else str(have)
            if have == value:
                same += 1
            elif path not in cells[3]:
                wrong.append(f"{path}: the guide has {value!r}, the chart {have!r}, and the row does not say why")
print("\n".join(wrong) or f"{same} values are the guide's")
sys.exit(1 if wrong else 0)
