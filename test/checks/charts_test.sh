#!/bin/bash
# The chart: linted and rendered with every file of values, each document by Kubernetes' schemas, and what must hold of them (test/charts/rendered.py);
# the guide's figures; wrong values refused; packed, put into a repository's index, and taken from there.
set -euo pipefail
cd "$(dirname "$0")/../.."
. test/tools.inc
chart=charts/data-processing
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

# render NAME ARG...: with those values, to $work/NAME.yaml.
render() { local name=$1; shift; helm template "data-processing-$name" $chart --namespace "data-processing-$name" "$@" >"$work/$name.yaml" || fail "$name is not rendered"; }

overlays() { # those of each environment: what `helm install` is given
    local file name
    for file in $chart/values-*.yaml; do
        name=${file##*/values-}
        case ${name%.yaml} in
        aws | gcp | azure) echo "${name%.yaml} --values $chart/values-prod.yaml --values $file" ;;
        *) echo "${name%.yaml} --values $file" ;;
        esac
    done
    echo default
    # All that may be switched on, and off.
    echo "operator --values $chart/values-prod.yaml --set monitoring.serviceMonitor.enabled=true,monitoring.prometheusRule.enabled=true,monitoring.prometheus.enabled=false,monitoring.grafana.enabled=false,security.http.tlsSecret=tls,security.http.tokenSecret=token"
    echo "inside --values $chart/values-dev.yaml --set kafka.replicaCount=3,postgresql.replicas=2,security.networkPolicies.enabled=true,ingress.enabled=true,global.imageRegistry=registry.example.com/team,global.imagePullSecrets[0]=pull,global.storageClass=fast --set settings.shutdown\\.timeout\\.ms=45s,services.projection.settings.shutdown\\.timeout\\.ms=90000"
    echo "least --set infrastructure.clickhouse.url=,infrastructure.postgresql.host=,infrastructure.redis.url=,monitoring.enabled=false,ingress.enabled=false,podDisruptionBudget.enabled=true,services.projection.persistence.enabled=false"
}

while read -r name args; do
    # shellcheck disable=SC2086
    helm lint --strict --quiet $chart ${args//--set*/} || fail "$name is not linted"
    # shellcheck disable=SC2086
    render "$name" $args
    python3 test/charts/rendered.py <"$work/$name.yaml" >"$work/said" || { cat "$work/said"; fail "$name"; }
done < <(overlays)
# What the operator of Prometheus takes has no schema of Kubernetes'.
kubeconform -summary -skip ServiceMonitor,PrometheusRule "$work"/*.yaml || fail "not what Kubernetes takes"

has() { grep -qE -- "$2" "$work/$1.yaml" || fail "$1 has not: $2"; }
has_not() { ! grep -qE -- "$2" "$work/$1.yaml" || fail "$1 has: $2"; }
for name in dev staging prod; do [ "$(grep -c '^kind: StatefulSet' "$work/$name.yaml")" -ge 4 ] || fail "$name lacks a service"; done
[ "$(grep -c '^kind: Ingress' "$work/prod.yaml")" = 4 ] || fail "not an Ingress for each service"
has operator '^kind: ServiceMonitor'
has_not operator 'component: prometheus'
has inside 'image: registry.example.com/team/apache/kafka:4.4.0'
has inside 'storageClassName: "fast"'
[ "$(grep -c -- '- name: pull$' "$work/inside.yaml")" = "$(grep -c 'enableServiceLinks' "$work/inside.yaml")" ] || fail "a pod without the secret of the registry"
has inside '0@data-processing-inside-kafka-0.data-processing-inside-kafka-pods:9093,1@'
has inside 'host=data-processing-inside-postgresql-primary'
has_not least 'clickhouse.url|redis.url|postgres.dsn|kind: Job'
has prod 'topics.partitions = 50'
has prod 'topics.replication = 3'
has prod 'retention.time=30d'
has prod 'weir_topic_lag_records'
has aws 'kafka.sasl.mechanism = SCRAM-SHA-512'
has aws 'redis.url = rediss://clustercfg'
has gcp 'redis.ca.file = '
has azure 'sslmode=verify-full sslrootcert='
has_not prod 'PodSecurityPolicy' # Kubernetes 1.34 has none
render old --values $chart/values-prod.yaml --api-versions policy/v1beta1/PodSecurityPolicy --kube-version 1.24
has old '^kind: PodSecurityPolicy'
has old 'verbs:'

has inside 'terminationGracePeriodSeconds: 65$'
has inside 'terminationGracePeriodSeconds: 110$'

# Prometheus takes its file and its rules from where the pod has them: a volume of a ConfigMap is links beside folders "..data" and "..DATE".
python3 -c 'import sys, yaml
for it in yaml.safe_load_all(sys.stdin):
    if it and it["kind"] == "ConfigMap" and it["metadata"]["name"].endswith(sys.argv[1]):
        for name, text in it["data"].items():
            open(f"{sys.argv[2]}/{name}", "w").write(text)' -prometheus "$work" <"$work/prod.yaml"
mkdir -p "$work/rules/..1"
cp $chart/monitoring/rules/*.yml "$work/rules/..1/"
ln -s ..1 "$work/rules/..data"
for file in $chart/monitoring/rules/*.yml; do ln -s "..data/${file##*/}" "$work/rules/${file##*/}"; done
# Debian's Prometheus is built without Kubernetes.
sed -i -e "s,/etc/prometheus/rules/,$work/rules/," -e '/kubernetes_sd_configs:/,+2d' "$work/prometheus.yml"
promtool check config "$work/prometheus.yml" >"$work/said" 2>&1 || { cat "$work/said"; fail "Prometheus does not take its file"; }
[ "$(grep -c 'rules found' "$work/said")" = 2 ] || { cat "$work/said"; fail "Prometheus does not find its rules"; }

# What a pod has read is not read again: another file makes it anew.
sums() { sed -nE 's/^ +checksum.*: //p' "$1"; }
changed() { # changed COUNT ARG...: that many sums are others than without
    local count=$1
    shift
    helm template data-processing-prod $chart --namespace data-processing-prod --values $chart/values-prod.yaml "$@" >"$work/other.yaml"
    [ "$(diff <(sums "$work/prod.yaml") <(sums "$work/other.yaml") | grep -c '^>')" = "$count" ] || fail "not $count pods are made anew by: $*"
}
changed 0 --set services.enrichment.replicaCount=7
changed 1 --set monitoring.prometheus.scrapeInterval=30s
changed 1 --set monitoring.grafana.prometheusUrl=http://there:9090
changed 5 --set security.http.tlsSecret=tls # the services, and Prometheus, which asks them
changed 4 --set infrastructure.redis.password=other,infrastructure.redis.existingSecret=
changed 1 --set 'services.aggregation.settings.commit\.interval\.ms=70ms'

for class in nginx alb; do
    helm template x $chart --values $chart/values-prod.yaml --set ingress.className=$class,security.http.tlsSecret=tls >"$work/other.yaml"
    grep -q "^ *$class.ingress.kubernetes.io/backend-protocol: HTTPS$" "$work/other.yaml" || fail "$class speaks HTTP to services that want TLS"
done

# The guide's figures, from the page that has them: a value differs only where its row says why.
python3 test/charts/guide_values.py docs/deployment-guide.md $chart || fail "not the guide's figures"

# refused WORDS ARG...: helm will not render it, and says so.
refused() {
    local words=$1
    shift
    ! helm template "${release:-x}" $chart "$@" >"$work/out" 2>"$work/err" || fail "not refused: $*"
    grep -qF -- "$words" "$work/err" || { cat "$work/err"; fail "$* does not say: $words"; }
}
refused "additional properties 'replicas' not allowed" --set services.normalization.replicas=3
refused "additional properties 'ingestion' not allowed" --set services.ingestion.replicaCount=1
refused "minimum: got 0, want 1" --set services.normalization.replicaCount=0
refused "maximum: got 70,000, want 65,535" --set services.projection.service.port=70000
refused "value must be one of 'ClusterIP'" --set services.projection.service.type=External
refused "/memory': '2 GB' does not match pattern" --set-string 'services.aggregation.resources.limits.memory=2 GB'
refused "/tag': 'a b' does not match pattern" --set-string 'services.aggregation.image.tag=a b'
refused "/digest': 'sha256:1' does not match pattern" --set services.aggregation.image.digest=sha256:1
refused "missing properties 'minReplicas', 'maxReplicas'" --set services.projection.autoscaling.enabled=true
refused "maximum: got 120, want 100" --set services.normalization.autoscaling.targetCPUUtilizationPercentage=120
refused "minReplicas is above maxReplicas" --set services.normalization.autoscaling.minReplicas=11
refused "12 partitions: what is beyond has nothing to do" --set services.normalization.autoscaling.maxReplicas=20
refused "12 partitions: what is beyond has nothing to do" --set services.aggregation.replicaCount=13
topics() { echo "infrastructure.kafka.topics=[{\"name\":\"a\",\"partitions\":12,\"replicationFactor\":3},{\"name\":\"b\",\"partitions\":$1,\"replicationFactor\":$2}]"; }
refused "partitions differ (12, 6)" --set-json "$(topics 6 3)"
refused "replicationFactor differs (3, 1)" --set-json "$(topics 12 1)"
refused "memoryMax: 900m is above the 819m" --set services.normalization.memoryMax=900
refused "are left for the process, it needs 96m" --set services.normalization.resources.requests.memory=100Mi
refused "value must be one of 'local', 'dev'" --set environment=qa
refused "additional properties 'commit.interval' not allowed" --set 'settings.commit\.interval=5'
refused "'5 minutes' does not match pattern" --set-string 'settings.commit\.interval\.ms=5 minutes'
refused "value must be one of 'exactly_once', 'at_least_once'" --set services.normalization.settings.delivery=often
refused "additional properties 'redis.password' not allowed" --set 'settings.redis\.password=x'
refused "DATA_PROC_NOTHING" --set services.normalization.environment.DATA_PROC_NOTHING=x
refused "'kafka' does not match pattern" --set infrastructure.kafka.bootstrapServers=kafka
refused "value must be one of 'PLAINTEXT'" --set infrastructure.kafka.securityProtocol=TLS
refused "saslMechanism': value must be one of '', 'PLAIN'" --set infrastructure.kafka.securityProtocol=SASL_SSL,infrastructure.kafka.saslMechanism=AWS_MSK_IAM,infrastructure.kafka.username=u
refused "username': minLength" --set infrastructure.kafka.securityProtocol=SASL_SSL,infrastructure.kafka.saslMechanism=PLAIN
refused "saslMechanism': value must be ''" --set infrastructure.kafka.saslMechanism=PLAIN
refused "clickhouse/url" --set infrastructure.clickhouse.url=http://user:word@host:8123
refused "redis/url" --set infrastructure.redis.url=redis://:word@host:6379
refused "value must be one of 'disable'" --set infrastructure.postgresql.sslMode=on
refused "infrastructure.clickhouse.password or existingSecret" --set clickhouse.enabled=true
refused "redis.auth.existingSecret is not infrastructure.redis.existingSecret" --set redis.enabled=true,infrastructure.redis.existingSecret=s
refused "adminPassword': 'not' failed" --set monitoring.grafana.adminPassword=admin
refused "there is no monitoring/dashboards/none.json" --set monitoring.grafana.dashboards[0]=none
refused "there is no service other" --set ingress.hosts[0].host=a.example.com,ingress.hosts[0].paths[0].path=/,ingress.hosts[0].paths[0].pathType=Prefix,ingress.hosts[0].paths[0].service=other
refused "port 9 is not that of projection, 8083" --set ingress.hosts[0].host=a.example.com,ingress.hosts[0].paths[0].path=/,ingress.hosts[0].paths[0].pathType=Prefix,ingress.hosts[0].paths[0].service=projection,ingress.hosts[0].paths[0].port=9
refused "got 0, want 1" --set-json 'security.networkPolicies.apiServer.cidrs=[]'
refused "'10.0.0.0' does not match pattern" --set security.networkPolicies.kafka.cidrs[0]=10.0.0.0
release=a-name-that-is-far-too-long-for-what-comes refused "40 are left"

# Packed, indexed, served: the guide's own commands.
helm package $chart --destination "$work/repository" >"$work/said" || { cat "$work/said"; fail "not packed"; }
[ -e "$work/repository/data-processing-1.0.0.tgz" ] || fail "the package has another name"
[ "$(tar -tzf "$work/repository/data-processing-1.0.0.tgz" | grep -c '/Chart.yaml$')" = 5 ] || fail "the package lacks a sub-chart"
helm repo index "$work/repository" --url .
export HELM_CONFIG_HOME=$work/helm HELM_CACHE_HOME=$work/helm HELM_DATA_HOME=$work/helm
python3 -u -m http.server --bind 127.0.0.1 --directory "$work/repository" 0 >"$work/served" 2>&1 &
server=$!
until port=$(sed -nE 's/.* port ([0-9]+) .*/\1/p' "$work/served") && [ -n "$port" ]; do kill -0 $server || fail "no server"; done
helm repo add 254carbon "http://127.0.0.1:$port" >"$work/said" && helm repo update >>"$work/said" || { cat "$work/said"; fail "the repository is not taken"; }
helm template data-processing-dev 254carbon/data-processing --namespace data-processing-dev --values $chart/values-dev.yaml >"$work/taken.yaml"
without_passwords() { grep -v 'admin-password: ' "$1"; }
diff <(without_passwords "$work/dev.yaml") <(without_passwords "$work/taken.yaml") || fail "the package renders something else"
