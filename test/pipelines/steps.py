"""The commands of .github/workflows/deploy.yml and .gitlab-ci.yml.

    steps.py list                  each command line of either, once, sorted
    steps.py github|gitlab JOB     a job's commands, as a script
    steps.py check SCHEMAS         GitLab's by its schema; both have the same steps in the same order; production waits for a hand; each
                                   command has a row in docs/pipelines.md; actions of others by their commit, images by their version. A line for
                                   each fault, exit 1
"""
import json, os, re, sys
import yaml

GITHUB, GITLAB = ".github/workflows/deploy.yml", ".gitlab-ci.yml"
ORDER = ["make test", ".ci/image build", ".ci/image sbom", ".ci/image scan", ".ci/image push", ".ci/image sign", ".ci/image verify",
         ".ci/deploy staging", ".ci/deploy prod"]


def read(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def github_lines():
    for job in read(GITHUB)["jobs"].values():
        for step in job["steps"]:
            yield from step.get("run", "").split("\n")


def gitlab_jobs():
    return {name: job for name, job in read(GITLAB).items() if isinstance(job, dict) and "script" in job}


def gitlab_lines():
    for job in gitlab_jobs().values():
        for text in job.get("before_script", []) + job["script"]:
            yield from text.split("\n")


def plain(lines):
    return [line.strip() for line in lines if line.strip() and line.strip() not in ("fi",)]


def steps_of(lines):
    """Those of ours, in order."""
    return [step for line in lines for step in ORDER if re.search(r"(^|[ =])" + re.escape(step) + r"\b", line)]


def others_faults():
    """What others make may change under its tag."""
    with open(GITHUB, encoding="utf-8") as file:
        for action in re.findall(r"uses: (.*)", file.read()):
            if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action):
                yield f"{GITHUB}: {action} is no commit with its version behind it"
    for name, job in gitlab_jobs().items():
        image = job["image"] if isinstance(job["image"], str) else job["image"]["name"]
        if not re.fullmatch(r"[\w./-]+:\d+\.\d+[\d.]*(@sha256:[0-9a-f]{64})?", image):
            yield f"{GITLAB}: {name}: {image} is no exact version"


def faults(folder):
    import jsonschema
    with open(os.path.join(folder, "gitlab-ci.json"), encoding="utf-8") as file:
        for error in jsonschema.Draft7Validator(json.load(file)).iter_errors(read(GITLAB)):
            yield f"{GITLAB}: {'.'.join(map(str, error.absolute_path))}: {error.message[:150]}"
    with open(os.path.join(folder, "dependabot.json"), encoding="utf-8") as file:
        for error in jsonschema.Draft7Validator(json.load(file)).iter_errors(read(".github/dependabot.yml")):
            yield f".github/dependabot.yml: {'.'.join(map(str, error.absolute_path))}: {error.message[:150]}"
    yield from others_faults()
    github, gitlab = plain(github_lines()), plain(gitlab_lines())
    if steps_of(github) != ORDER:
        yield f"{GITHUB}: its steps are {steps_of(github)}"
    if sorted(steps_of(gitlab)) != sorted(ORDER):
        yield f"{GITLAB}: its steps are {steps_of(gitlab)}"
    jobs, stages = gitlab_jobs(), read(GITLAB)["stages"]
    for name, job in jobs.items():
        if job["stage"] not in stages:
            yield f"{GITLAB}: {name}: there is no stage {job['stage']}"
    if [rule.get("when") for rule in jobs["deploy-production"]["rules"]] != ["manual"]:
        yield f"{GITLAB}: production does not wait for a hand"
    production = read(GITHUB)["jobs"]["deploy-production"]
    if "workflow_dispatch" not in production["if"] or production["environment"] != "production" or production["needs"] != "deploy-staging":
        yield f"{GITHUB}: production does not wait for a hand"
    with open("docs/pipelines.md", encoding="utf-8") as file:
        rows = set(re.findall(r"^\| `` ?(.*?) ?`` \|", file.read(), re.M))
    for line in sorted(set(github + gitlab) ^ rows):
        yield f"docs/pipelines.md: {'no row' if line not in rows else 'a row of nothing'}: {line}"


if __name__ == "__main__":
    if sys.argv[1:] == ["list"]:
        print(*sorted(set(plain(github_lines())) | set(plain(gitlab_lines()))), sep="\n")
    elif sys.argv[1:2] == ["github"] and len(sys.argv) == 3:
        print(*(step["run"] for step in read(GITHUB)["jobs"][sys.argv[2]]["steps"] if "run" in step), sep="\n")
    elif sys.argv[1:2] == ["gitlab"] and len(sys.argv) == 3:
        job = gitlab_jobs()[sys.argv[2]]
        print(*job.get("before_script", []), *job["script"], sep="\n")
    elif sys.argv[1:2] == ["check"] and len(sys.argv) == 3:
        found = list(faults(sys.argv[2]))
        print(*found, sep="\n", end="\n" if found else "")
        sys.exit(1 if found else 0)
    else:
        sys.exit(__doc__)
