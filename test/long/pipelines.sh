#!/bin/bash
# The pipelines' commands, taken out of their files and run: images are pushed to a registry with a password, signed, the bill of materials attested, both
# verified, and an image that was changed refused; by what was pushed, staging and production are deployed to an API server, with digests. docs/pipelines.md lists
# what is not run. The images are those of test/long/image.sh.
. test/scripts/cli.inc
. test/tools.inc
[ "$(id -u)" = 0 ] || fail "test/long/pipelines.sh must be run as root: images are root's"
store=$(realpath -m "${IMAGES:-.cache/images}")
[ -e "$store/storage.conf" ] || test/long/image.sh
export CONTAINERS_STORAGE_CONF=$store/storage.conf BUILDAH_ISOLATION=chroot HOME=$work/home OUT=$work/out
export BASE=localhost/debian:12-slim
mkdir -p "$HOME" "$work/bin" "$work/run" "$work/docker" "$OUT"
echo "{}" >"$work/docker/config.json"
trap 'test/servers/kube.sh stop "$work/kube" 2>/dev/null || :; cleanup' EXIT

echo "--- a registry with a password"
read -r port < <(bash -c '. test/servers/server.inc; certificates "$1"; free_ports 1' test/servers/x "$work")
python3 -W ignore -c 'import crypt; print("ci:" + crypt.crypt("secret", crypt.mksalt(crypt.METHOD_BLOWFISH)))' >"$work/htpasswd"
cat >"$work/registry.yml" <<END
version: 0.1
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "127.0.0.1:$port", tls: {certificate: $work/server.crt, key: $work/server.key}}
auth: {htpasswd: {realm: test, path: $work/htpasswd}}
END
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
children+=($!)
await curl -fsS --cacert "$work/ca.pem" -u ci:secret "https://127.0.0.1:$port/v2/"

export SSL_CERT_FILE=$work/ca.pem
# What GitLab gives to jobs. `of JOB`: its commands without those that want Alpine's or Debian's packages, a node for pods, or trivy's lists.
export CI_REGISTRY=127.0.0.1:$port CI_REGISTRY_USER=ci CI_REGISTRY_PASSWORD=secret CI_COMMIT_BRANCH=main CI_DEFAULT_BRANCH=main
export IMAGE_REGISTRY=$CI_REGISTRY/weir/ IMAGE_TAG=0123abc XDG_RUNTIME_DIR=$work/run DOCKER_CONFIG=$work/docker
of() { /usr/bin/python3 test/pipelines/steps.py "$1" "$2" | grep -vE '^(apk|apt-get) |helm test' | sed 's/ --atomic --timeout [0-9]*m//'; }
runs_job() {
    of "$1" "$2" >"$work/job"
    [ -s "$work/job" ] || fail "$1 $2 has no commands"
    bash -euo pipefail "$work/job" >"$work/said" 2>&1 || { tail -n 40 "$work/said"; fail "$1 $2"; }
}

echo "--- build, push"
runs_job gitlab build
equal 5 "$(wc -l <"$OUT/digests")" "images pushed"
while read -r target reference; do
    curl -fsS --cacert "$work/ca.pem" -u ci:secret -o /dev/null "https://127.0.0.1:$port/v2/weir/$target/manifests/${reference#*@}" -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' ||
        fail "$reference is not in the registry"
done <"$OUT/digests"
CI_COMMIT_BRANCH=other runs_job gitlab build
! grep -q 'Login Succeeded' "$work/said" || fail "another branch is pushed"

echo "--- signed, verified"
ln -s "$(go_program github.com/sigstore/cosign/v2/cmd/cosign@v2.5.3)" "$work/bin/cosign"
PATH=$work/bin:$PATH
(cd "$work" && COSIGN_PASSWORD= cosign generate-key-pair) 2>/dev/null
(cd "$work/home" && COSIGN_PASSWORD= cosign generate-key-pair) 2>/dev/null
export COSIGN_PASSWORD= COSIGN_KEY=$work/cosign.key COSIGN_PUBLIC_KEY=$work/cosign.pub
runs_job gitlab sign
COSIGN_PUBLIC_KEY=$work/home/cosign.pub expect 1 .ci/image verify
mv "$OUT/digests" "$work/digests"
(IMAGE_TAG=unsigned BASE=$BASE REVISION=other .ci/image build && IMAGE_TAG=unsigned .ci/image push) >"$work/said" 2>&1 || { cat "$work/said"; fail "an unsigned one"; }
expect 1 .ci/image verify
mv "$work/digests" "$OUT/digests"

echo "--- deployed"
KUBECONFIG=$(test/servers/kube.sh start "$work/kube")
helm version >/dev/null
ln -s "$tools/kubectl-1.34/helm/helm" "$work/bin/helm"
export KUBECONFIG HELM_CONFIG_HOME=$work/helm HELM_CACHE_HOME=$work/helm HELM_DATA_HOME=$work/helm
runs_job gitlab deploy-staging
RUNNER_TEMP=$work KUBECONFIG_TEXT=$(cat "$KUBECONFIG") runs_job github deploy-production
for environment in staging prod; do
    kubectl -n data-processing-$environment get statefulsets,jobs -o jsonpath='{.items[*].spec.template.spec.containers[*].image}' | tr ' ' '\n' | grep weir/ | sort -u >"$work/have"
    cut -d ' ' -f 2 "$OUT/digests" | sort | diff - "$work/have" || fail "$environment runs other images"
done
