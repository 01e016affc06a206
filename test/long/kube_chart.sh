#!/bin/bash
# The chart on a real API server with its controllers (no node: pods are made and stay pending): installed as in the guide, admitted under Pod Security
# "restricted", what is not so refused; quotas keep pods out and let them in; drains, scaling, rights; dev upgraded to prod, back, and uninstalled.
set -euo pipefail
cd "$(dirname "$0")/../.."
. test/scripts/cli.inc
. test/tools.inc
chart=charts/data-processing
cleanup_kube() { test/servers/kube.sh stop "$work/kube"; cleanup; }
trap cleanup_kube EXIT
KUBECONFIG=$(test/servers/kube.sh start "$work/kube")
export KUBECONFIG HELM_CONFIG_HOME=$work/helm HELM_CACHE_HOME=$work/helm HELM_DATA_HOME=$work/helm

# namespace NAME: with Pod Security as docs/kubernetes.md has it.
namespace() {
    expect 0 kubectl create namespace "$1"
    expect 0 kubectl label namespace "$1" pod-security.kubernetes.io/enforce=restricted pod-security.kubernetes.io/warn=restricted
}
pods() { kubectl -n "$1" get pods -l "app.kubernetes.io/component=$2" -o name | wc -l; }
are() { [ "$(pods "$1" "$2")" = "$3" ]; } # are NAMESPACE COMPONENT COUNT
refusals() { kubectl -n "$1" get events --field-selector reason=FailedCreate -o jsonpath='{.items[*].message}'; }

# A class of storage, and the volume that Prometheus gets in it: nobody is here to make others.
kubectl create -f - >/dev/null <<END
{"apiVersion": "v1", "kind": "List", "items": [
 {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
  "provisioner": "kubernetes.io/no-provisioner", "allowVolumeExpansion": true},
 {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "one"}, "spec": {"capacity": {"storage": "100Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "standard",
  "hostPath": {"path": "/nowhere"}, "claimRef": {"namespace": "data-processing-dev", "name": "data-processing-dev-prometheus"}}}]}
END

# ---- installed in development, all of it in the cluster ----
namespace data-processing-dev
expect 0 helm install data-processing-dev $chart --namespace data-processing-dev --create-namespace --values $chart/values-dev.yaml
! grep -i 'would violate PodSecurity' "$work/err" || fail "a pod that is not restricted"
for component in normalization enrichment aggregation projection kafka clickhouse redis prometheus grafana migrate; do
    await are data-processing-dev $component 1
done
await are data-processing-dev postgresql 2
equal "" "$(refusals data-processing-dev)" "pods refused"
equal data-processing-dev-normalization-0 "$(kubectl -n data-processing-dev get pods -l app.kubernetes.io/component=normalization -o jsonpath='{.items[0].metadata.name}')" "a member's name"
await kubectl -n data-processing-dev get persistentvolumeclaim state-data-processing-dev-aggregation-0

# ---- what is not restricted is refused ----
kubectl -n data-processing-dev get pod data-processing-dev-projection-0 -o json |
    python3 -c 'import json, sys
pod = json.load(sys.stdin)
pod["metadata"] = {"name": "copy", "labels": {}}
edit = sys.argv[1]
exec(edit)
json.dump({key: pod[key] for key in ("apiVersion", "kind", "metadata", "spec")}, open(sys.argv[2], "w"))' '' "$work/good.json"
expect 0 kubectl -n data-processing-dev create --dry-run=server -f "$work/good.json"
# broken WORDS EDIT: the same pod, changed.
broken() {
    python3 -c 'import json, sys
pod = json.load(open(sys.argv[1]))
exec(sys.argv[2])
json.dump(pod, open(sys.argv[3], "w"))' "$work/good.json" "$2" "$work/broken.json"
    expect 1 kubectl -n data-processing-dev create --dry-run=server -f "$work/broken.json"
    says "violates PodSecurity \"restricted:latest\""
    says "$1"
}
broken runAsNonRoot 'pod["spec"]["securityContext"].pop("runAsNonRoot")'
broken allowPrivilegeEscalation 'pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True'
broken 'unrestricted capabilities' 'pod["spec"]["containers"][0]["securityContext"]["capabilities"] = {"add": ["NET_ADMIN"]}'
broken seccompProfile 'pod["spec"]["securityContext"].pop("seccompProfile")'
broken 'restricted volume types' 'pod["spec"]["volumes"].append({"name": "host", "hostPath": {"path": "/"}})'

# ---- rights: none ----
as_service=(--as=system:serviceaccount:data-processing-dev:data-processing-dev-sa -n data-processing-dev)
for question in "get pods" "get secrets" "list configmaps" "create deployments" "get services"; do
    # shellcheck disable=SC2086
    expect 1 kubectl auth can-i $question "${as_service[@]}"
done
expect 0 kubectl auth can-i list endpoints --as=system:serviceaccount:data-processing-dev:data-processing-dev-prometheus -n data-processing-dev
expect 1 kubectl auth can-i get secrets --as=system:serviceaccount:data-processing-dev:data-processing-dev-prometheus -n data-processing-dev

# ---- a quota keeps pods out, and lets them in when it grows; passwords that are there are taken ----
namespace data-processing-staging
expect 0 kubectl -n data-processing-staging create secret generic data-processing-passwords --from-literal=clickhouse-password=a --from-literal=postgresql-password=b --from-literal=redis-password=c
expect 0 kubectl -n data-processing-staging create quota pods --hard=requests.memory=4Gi
counted() { [ "$(kubectl -n data-processing-staging get quota pods -o jsonpath='{.status.hard.requests\.memory}')" = "$1" ]; }
await counted 4Gi
expect 0 helm install data-processing-staging $chart --namespace data-processing-staging --values $chart/values-staging.yaml
over() { refusals data-processing-staging | grep -q 'exceeded quota: pods'; }
await over
expect 0 kubectl -n data-processing-staging patch quota pods --patch '{"spec": {"hard": {"requests.memory": "64Gi"}}}'
await counted 64Gi
# The controllers try again later and later: a scale wakes them.
for component in enrichment aggregation projection; do
    expect 0 kubectl -n data-processing-staging annotate statefulset "data-processing-staging-$component" woken=yes
done
for entry in normalization=3 enrichment=2 aggregation=4 projection=2; do await are data-processing-staging "${entry%=*}" "${entry#*=}"; done
equal data-processing-passwords "$(kubectl -n data-processing-staging get pod data-processing-staging-projection-0 -o jsonpath='{.spec.volumes[?(@.name=="password-redis")].secret.secretName}')" "an existing Secret"
expect 1 kubectl -n data-processing-staging get secret data-processing-staging-passwords

# ---- a drain takes one pod at a time ----
for pod in $(kubectl -n data-processing-staging get pods -l app.kubernetes.io/component=aggregation -o name); do
    expect 0 kubectl -n data-processing-staging patch "$pod" --subresource=status --patch '{"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}'
done
may_go() { [ "$(kubectl -n data-processing-staging get pdb data-processing-staging-aggregation -o jsonpath='{.status.disruptionsAllowed}')" = "$1" ]; }
await may_go 1
evict() {
    echo "{\"apiVersion\": \"policy/v1\", \"kind\": \"Eviction\", \"metadata\": {\"name\": \"$1\"}, \"deleteOptions\": {\"gracePeriodSeconds\": 0}}" >"$work/eviction.json"
    kubectl create --raw "/api/v1/namespaces/data-processing-staging/pods/$1/eviction" -f "$work/eviction.json"
}
expect 0 evict data-processing-staging-aggregation-0
await may_go 0
expect 1 evict data-processing-staging-aggregation-1
says "disruption budget"

# ---- development becomes production: the scaler brings ten pods, Prometheus' volume grows, the chart's own servers go ----
bound() { [ "$(kubectl -n data-processing-dev get persistentvolumeclaim data-processing-dev-prometheus -o jsonpath='{.status.phase}')" = Bound ]; }
await bound
expect 0 helm upgrade data-processing-dev $chart --namespace data-processing-dev --values $chart/values-prod.yaml
says_replicas() { [ "$(kubectl -n data-processing-dev get statefulset "data-processing-dev-$1" -o jsonpath='{.spec.replicas}')" = "$2" ]; }
for entry in normalization=10 enrichment=8 aggregation=15 projection=8; do
    await says_replicas "${entry%=*}" "${entry#*=}"
    await are data-processing-dev "${entry%=*}" "${entry#*=}"
done
await are data-processing-dev kafka 0
equal 50Gi "$(kubectl -n data-processing-dev get persistentvolumeclaim data-processing-dev-prometheus -o jsonpath='{.spec.resources.requests.storage}')" "Prometheus' volume"
equal "" "$(refusals data-processing-dev)" "pods of production refused"
equal 8 "$(kubectl -n data-processing-dev get networkpolicy -o name | wc -l)" "network policies"
equal "topics.partitions = 50" "$(kubectl -n data-processing-dev get configmap data-processing-dev-normalization -o jsonpath='{.data.weir\.conf}' | grep partitions)" "partitions"
# The scaler's count stays in the next upgrade.
expect 0 helm upgrade data-processing-dev $chart --namespace data-processing-dev --values $chart/values-prod.yaml --set services.enrichment.replicaCount=9
await says_replicas enrichment 9
says_replicas normalization 10 || fail "an upgrade undid what the scaler did"
expect 0 helm rollback data-processing-dev 2 --namespace data-processing-dev
await says_replicas enrichment 8

# ---- clouds: all that is rendered, the tests of the chart too, is taken by the server ----
for cloud in aws gcp azure; do
    helm template "data-processing-$cloud" $chart --namespace data-processing-staging --values $chart/values-prod.yaml --values $chart/values-$cloud.yaml --set security.serviceAccount.create=false >"$work/$cloud.yaml"
    expect 0 kubectl -n data-processing-staging apply --dry-run=server -f "$work/$cloud.yaml"
    ! grep -i 'would violate PodSecurity' "$work/err" || fail "$cloud: a pod that is not restricted"
done

# ---- an old Helm renders the same, and refuses the same ----
documents() { python3 -c 'import sys, yaml
for it in sorted((it for it in yaml.safe_load_all(sys.stdin) if it and it["kind"] != "Secret"), key=lambda it: (it["kind"], it["metadata"]["name"])):
    print(yaml.safe_dump(it))'; }
for values in dev staging prod; do
    for program in helm helm_old; do
        $program template data-processing-$values $chart --kube-version 1.24 --values $chart/values-$values.yaml | documents >"$work/by-$program"
    done
    cmp "$work/by-helm" "$work/by-helm_old" || fail "$values: Helm 3.9 renders something else"
done
expect 1 helm_old template x $chart --set environment=qa
says "environment must be one of"

# ---- uninstalled: state stays until it is deleted by name ----
expect 0 helm uninstall data-processing-dev --namespace data-processing-dev
nothing_left() {
    [ -z "$(kubectl -n data-processing-dev get all,configmap,secret,ingress,networkpolicy,pdb,hpa,serviceaccount,role,rolebinding -l app.kubernetes.io/instance=data-processing-dev -o name)" ]
}
await nothing_left
expect 0 kubectl -n data-processing-dev get persistentvolumeclaim state-data-processing-dev-aggregation-0
expect 0 kubectl -n data-processing-dev delete persistentvolumeclaim -l app.kubernetes.io/instance=data-processing-dev --wait=false
grep -q state-data-processing-dev-aggregation-0 "$work/out" || fail "state is not deleted by the release's name"
