#!/bin/bash
# The pipelines: GitHub's by actionlint, GitLab's by its schema; both take the same steps, production waits for a hand, every command has a row in
# docs/pipelines.md. Broken copies are refused.
set -euo pipefail
cd "$(dirname "$0")/../.."
. test/tools.inc
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
actionlint=$(go_program github.com/rhysd/actionlint/cmd/actionlint@v1.7.7)
folder=$(schemas)
tree=$PWD
check() { (cd "$1" && /usr/bin/python3 "$tree/test/pipelines/steps.py" check "$folder" && "$actionlint" .github/workflows/*.yml); }

echo "--- as they are"
check . || fail "the pipelines"

# broken WORDS FILE SED
broken() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree/.github/workflows" "$work/tree/docs"
    cp .github/workflows/deploy.yml "$work/tree/.github/workflows/"
    cp .github/dependabot.yml "$work/tree/.github/"
    cp .gitlab-ci.yml "$work/tree/"
    cp docs/pipelines.md "$work/tree/docs/"
    sed -i -E "$3" "$work/tree/$2"
    ! cmp -s "$2" "$work/tree/$2" || fail "$3 changes nothing"
    ! check "$work/tree" >"$work/said" 2>&1 || fail "$3 is not refused"
    grep -qF -- "$1" "$work/said" || { cat "$work/said"; fail "$3 is not refused as $1"; }
}
echo "--- broken ones"
broken 'property "refs" is not defined' .github/workflows/deploy.yml 's/github\.ref ==/github.refs ==/'
broken 'needs job "builds"' .github/workflows/deploy.yml 's/needs: build$/needs: builds/'
broken "its steps are" .github/workflows/deploy.yml '/run: .ci\/image scan/s/scan/sbom/'
broken "production does not wait" .github/workflows/deploy.yml 's/ && github.event_name == .workflow_dispatch. && inputs.production//'
broken "production does not wait" .gitlab-ci.yml 's/when: manual/when: on_success/'
broken "there is no stage publish" .gitlab-ci.yml 's/stage: sign/stage: publish/'
broken "is no commit with its version" .github/workflows/deploy.yml 's/(actions\/cache)@[0-9a-f]* # .*/\1@v4/'
broken "alpine:latest is no exact version" .gitlab-ci.yml 's/alpine:3.22/alpine:latest/'
broken "dependabot.yml: updates.0" .github/dependabot.yml 's/github-actions/github-action/'
broken ".gitlab-ci.yml: build" .gitlab-ci.yml '/^build:/,/script:/s/script:/scripts:/'
broken "no row: make tests" .gitlab-ci.yml 's/- make test$/- make tests/'
broken "a row of nothing: make fuzz" docs/pipelines.md 's/^\| `` make test ``.*/&\n| `` make fuzz `` | nobody |/'

echo "--- what is deployed: each image of ours by the digest that was pushed, others from where they are"
mkdir "$work/bin" "$work/out"
cat >"$work/bin/helm" <<END
#!/bin/bash
# Renders what it was to install.
cd "$tree" && . test/tools.inc
helm template "\${@:3}"
END
chmod +x "$work/bin/helm"
for target in normalization-service enrichment-service aggregation-service projection-service data-processing; do
    echo "$target registry.example.com:5000/team/$target@sha256:$(echo $target | sha256sum | cut -d ' ' -f 1)"
done >"$work/out/digests"
for environment in staging prod; do
    PATH=$work/bin:$PATH OUT=$work/out .ci/deploy $environment >"$work/rendered" || fail "$environment is not deployed"
    sed -nE 's/^ +image: *//p' "$work/rendered" | sort -u >"$work/images"
    cut -d ' ' -f 2 "$work/out/digests" | sort | diff - <(grep team/ "$work/images") || fail "$environment runs other images than were pushed"
    grep -qx 'prom/prometheus:v[0-9.]*' "$work/images" && grep -qxE 'grafana/grafana:[0-9.]+@sha256:[0-9a-f]+' "$work/images" || { cat "$work/images"; fail "$environment runs other images of others"; }
done
! OUT=$work/none .ci/deploy staging 2>"$work/said" || fail "deployed without digests"
grep -q 'there is no .*digests' "$work/said" || fail "it does not say what is missing"
