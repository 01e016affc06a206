"""What the deployment guide says, and whether docs/deployment-guide.md has a row for it.

(1) A heading of the guide has a section; a bullet, a command and each value of a YAML or tree block has a row below that heading.
(2) A row that is not open names a file and a test that exist, or says why something else stands there.
"""
import re
import sys
from pathlib import Path

import yaml


def sections(text):
    """Each heading with its prose lines and blocks (language, text)."""
    here, found, block, parents = None, [], None, {}
    for line in text.splitlines():
        if block is not None:
            if line.strip() == "```":
                here["blocks"].append((block[0], "\n".join(block[1:])))
                block = None
            else:
                block.append(line)
        elif line.startswith("```"):
            block = [line[3:].strip()]
        elif line.startswith("#"):
            here = {"title": heading(line, parents), "level": len(line.split()[0]), "lines": [], "blocks": []}
            found.append(here)
        elif line.startswith("- "):
            here["lines"].append(plain(line[2:]))
    return found


def heading(line, parents):
    """Its text; of the fourth level behind that of the third, as those alone are there several times."""
    level, text = len(line.split()[0]), line.lstrip("#").strip()
    parents[level] = text
    return f"{parents[3]}: {text}" if level == 4 and ": " not in text else text


def plain(text):
    return " ".join(text.replace("**", "").replace("`", "").split())


def leaves(value, path=""):
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from leaves(child, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for at, child in enumerate(value):
            yield from leaves(child, f"{path}[{at}]")
    else:
        yield path, plain(str(value).replace("|", "/"))


def commands(text):
    """Lines of a shell block, those that are continued as one."""
    for line in text.replace("\\\n", " ").splitlines():
        line = plain(re.sub(r"\s+#.*", "", line))
        if line and not line.startswith("#"):
            yield line


def things(section):
    """What needs a row: (group, text)."""
    for line in section["lines"]:
        yield line.split(":")[0], line
    for language, text in section["blocks"]:
        if language == "bash":
            for line in commands(text):
                yield line, line
        elif language == "yaml":
            # A line of a GitLab job that ends in a backslash is no YAML of several lines.
            for document in yaml.load_all(re.sub(r"\\\n\s+", "", text), yaml.BaseLoader):
                kind = document.get("kind") if isinstance(document, dict) else None
                for path, value in leaves(document):
                    depth = 2 if path.split(".")[0] in ("services", "infrastructure", "monitoring", "security", "aws", "gcp", "azure", "jobs", "spec") else 1
                    group = ".".join(path.split(".")[:depth])
                    group = re.sub(r"\[\d+\]$", "", group)
                    group = "head" if kind and group in ("apiVersion", "kind", "metadata") else group
                    yield (f"{kind}: {group}" if kind else group), f"{path}={value}"
        else:
            for line in text.splitlines():
                line = plain(line.lstrip("│├└─ "))
                if line:
                    yield line, line


def rows(page):
    """Rows of the page by section: {title: [[cell, ...], ...]}."""
    found, title = {}, None
    for line in page.splitlines():
        if line.startswith("#"):
            title = line.split(" ", 1)[1].strip()
            found.setdefault(title, [])
        elif line.startswith("|") and not line.startswith("|---") and not line.startswith("| guide"):
            found[title].append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))])
    return found


def missing_from(page, guide):
    table = rows(page)
    for section in sections(guide):
        if section["title"] not in table:
            yield f"no section for the heading: {section['title']}"
            continue
        said = {text for row in table[section["title"]] for text in re.findall("`([^`]+)`", row[0])}
        for _, text in things(section):
            if text not in said:
                yield f"{section['title']}: no row says: {text}"


def wrong_in(page, root):
    for title, cells in rows(page).items():
        for row in cells:
            if len(row) != 4:
                yield f"{title}: a row has {len(row)} cells, not 4: {row[0]}"
                continue
            said, here, shown, why = row
            if here == "open":
                continue
            if not why and not (here and shown):
                yield f"{title}: neither file and test nor a reason: {said}"
            for path in re.findall(r"`([^`]+)`", here + " " + shown):
                if "/" in path and " " not in path and not (root / path).exists():
                    yield f"{title}: {path} is not there: {said}"


def frame(guide):
    """The page's sections with open rows: how it began."""
    for section in sections(guide):
        print("#" * (section["level"] if section["level"] > 1 else 2), section["title"] + "\n")
        groups = {}
        for group, text in things(section):
            groups.setdefault(group, []).append(text)
        if groups:
            print("| guide | here | shown by | differs because |\n|---|---|---|---|")
            for texts in groups.values():
                print("|", ", ".join(f"`{text}`" for text in texts), "| open | | |")
            print()


if __name__ == "__main__":
    if sys.argv[1] == "frame":
        frame(Path(sys.argv[2]).read_text())
        sys.exit()
    page = Path(sys.argv[3] if len(sys.argv) > 3 else "docs/deployment-guide.md").read_text()
    wrong = list(wrong_in(page, Path(".")))
    guide = Path(sys.argv[2])
    if guide.exists():
        wrong += missing_from(page, guide.read_text())
    for line in wrong:
        print(line)
    print(sum(row[1] == "open" for cells in rows(page).values() for row in cells), "rows are open")
    sys.exit(1 if wrong else 0)
