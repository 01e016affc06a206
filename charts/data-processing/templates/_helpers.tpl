{{/* Names, labels and what follows from values. Sub-charts use dp.name and dp.image too: nothing here but those asks .Values of the parent. */}}

{{- define "dp.name" -}}
{{- $name := .Release.Name -}}
{{- if not (contains "data-processing" $name) -}}{{- $name = printf "%s-data-processing" $name -}}{{- end -}}
{{- if gt (len $name) 40 -}}{{- fail (printf "the release's name %q is too long: names of pods end with -normalization-NN and have 63 characters, 40 are left" $name) -}}{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "dp.labels" -}}
app.kubernetes.io/name: data-processing
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: data-processing
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* What selects pods: never changes in the life of a release. */}}
{{- define "dp.selector" -}}
app.kubernetes.io/name: data-processing
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* dp.image (root, image): registry, repository, and the digest, which is stronger, or the tag. */}}
{{- define "dp.image" -}}
{{- $registry := .root.Values.global.imageRegistry | trimSuffix "/" -}}
{{- if $registry }}{{ $registry }}/{{ end }}{{ .image.repository }}
{{- if .image.digest }}{{ with .image.tag }}:{{ . }}{{ end }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end -}}
{{- end -}}

{{- define "dp.pullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ if kindIs "string" . }}{{ . }}{{ else }}{{ .name }}{{ end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* dp.storage (root, size, class, name): a claim for a StatefulSet. */}}
{{- define "dp.claim" -}}
- metadata:
    name: {{ .name }}
  spec:
    accessModes: [ReadWriteOnce]
    {{- with .class | default .root.Values.global.storageClass }}
    storageClassName: {{ . | quote }}
    {{- end }}
    resources:
      requests:
        storage: {{ .size }}
{{- end -}}

{{/* dp.ownClaim (root, component, name, size): one that is no StatefulSet's. */}}
{{- define "dp.ownClaim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ .name }}
  labels: {{- include "dp.labels" . | nindent 4 }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with .root.Values.global.storageClass }}
  storageClassName: {{ . | quote }}
  {{- end }}
  resources:
    requests:
      storage: {{ .size }}
{{- end -}}

{{- define "dp.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* dp.containerSecurity READONLY */}}
{{- define "dp.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: {{ . }}
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "dp.serviceAccount" -}}
{{- $account := .Values.security.serviceAccount -}}
{{- if $account.create }}{{ $account.name | default (printf "%s-sa" (include "dp.name" .)) }}{{ else }}{{ $account.name | default "default" }}{{ end -}}
{{- end -}}

{{/* dp.bytes QUANTITY: as a number. */}}
{{- define "dp.bytes" -}}
{{- $units := dict "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "k" 1000 "M" 1000000 "G" 1000000000 "" 1 -}}
{{- $text := toString . -}}
{{- $number := regexFind "^[0-9.]+" $text -}}
{{- mulf (float64 $number) (index $units (trimPrefix $number $text)) | int64 -}}
{{- end -}}

{{/* dp.seconds DURATION, as the program takes it: "250ms", "10s", "5m"; a number is milliseconds. Rounded up. */}}
{{- define "dp.seconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 "" 1 -}}
{{- $text := ternary (int64 .) . (kindIs "float64" .) | toString -}}
{{- $number := regexFind "^[0-9]+" $text -}}
{{- divf (mulf (float64 $number) (index $units (trimPrefix $number $text))) 1000 | ceil | int64 -}}
{{- end -}}

{{/* dp.grace (root, service): seconds that a pod is given to end: shutdown.timeout.ms, in which what was done is committed, and 20 s for stores to be closed. */}}
{{- define "dp.grace" -}}
{{- $set := merge dict (.service.settings | default dict) .root.Values.settings -}}
{{- $timeout := dig "WEIR_SHUTDOWN_TIMEOUT_MS" (index $set "shutdown.timeout.ms" | default "10s") (.service.environment | default dict) -}}
{{- add (include "dp.seconds" $timeout) 20 -}}
{{- end -}}

{{/* dp.memoryMax (name, service): the bound of the process in MiB, below what makes the HPA add pods: a process that fills its bound, as stores
     and caches do, would else add pods for ever. Without that metric 60 % of the limit, as the program itself takes. */}}
{{- define "dp.memoryMax" -}}
{{- $hpa := .service.autoscaling -}}
{{- $bound := divf (mulf (include "dp.bytes" .service.resources.limits.memory | float64) 0.6) 1048576 -}}
{{- $most := divf (include "dp.bytes" .service.resources.limits.memory | float64) 1048576 -}}
{{- if and $hpa.enabled $hpa.targetMemoryUtilizationPercentage -}}
{{- $most = divf (mulf (include "dp.bytes" .service.resources.requests.memory | float64) $hpa.targetMemoryUtilizationPercentage) 104857600 -}}
{{- $bound = min (floor $bound) (floor (mulf $most 0.9)) -}}
{{- end -}}
{{- if .service.memoryMax -}}{{- $bound = .service.memoryMax -}}{{- end -}}
{{- if lt (int $bound) 96 -}}{{- fail (printf "services.%s: %dm are left for the process, it needs 96m: raise resources.requests.memory or targetMemoryUtilizationPercentage" .name (int $bound)) -}}{{- end -}}
{{- if gt (int $bound) (int $most) -}}{{- fail (printf "services.%s.memoryMax: %dm is above the %dm at which the HPA adds pods, or the limit: lower it" .name (int $bound) (int $most)) -}}{{- end -}}
{{- int $bound -}}
{{- end -}}

{{/* dp.replicas of a service at most. */}}
{{- define "dp.mostReplicas" -}}
{{- if .autoscaling.enabled }}{{ .autoscaling.maxReplicas }}{{ else }}{{ .replicaCount }}{{ end -}}
{{- end -}}

{{/* dp.partitions: that of the topics listed, which is one. */}}
{{- define "dp.partitions" -}}
{{- $counts := list -}}
{{- range .Values.infrastructure.kafka.topics }}{{- $counts = append $counts (int .partitions) | uniq -}}{{- end -}}
{{- if ne (len $counts) 1 -}}{{- fail (printf "infrastructure.kafka.topics: partitions differ (%s): give all topics one number" (join ", " $counts)) -}}{{- end -}}
{{- first $counts -}}
{{- end -}}

{{- define "dp.replication" -}}
{{- $counts := list -}}
{{- range .Values.infrastructure.kafka.topics }}{{- $counts = append $counts (int .replicationFactor) | uniq -}}{{- end -}}
{{- if ne (len $counts) 1 -}}{{- fail (printf "infrastructure.kafka.topics: replicationFactor differs (%s): give all topics one number" (join ", " $counts)) -}}{{- end -}}
{{- first $counts -}}
{{- end -}}

{{/* Addresses: of the sub-chart where that is enabled. */}}
{{- define "dp.kafka" -}}
{{- if .Values.kafka.enabled }}{{ include "dp.name" . }}-kafka:9092{{ else }}{{ .Values.infrastructure.kafka.bootstrapServers }}{{ end -}}
{{- end -}}
{{- define "dp.clickhouse" -}}
{{- if .Values.clickhouse.enabled }}http://{{ include "dp.name" . }}-clickhouse:8123{{ else }}{{ .Values.infrastructure.clickhouse.url }}{{ end -}}
{{- end -}}
{{- define "dp.postgresql" -}}
{{- if .Values.postgresql.enabled }}{{ include "dp.name" . }}-postgresql-primary{{ else }}{{ .Values.infrastructure.postgresql.host }}{{ end -}}
{{- end -}}
{{/* A cluster has the database 0 alone, and several addresses. */}}
{{- define "dp.redis" -}}
{{- $redis := .Values.infrastructure.redis -}}
{{- $url := $redis.url | trimSuffix "/" -}}
{{- if .Values.redis.enabled }}{{ $url = printf "redis://%s-redis:6379" (include "dp.name" .) }}{{ end -}}
{{- if and $url (not (contains "," $url)) (not (regexMatch "://[^/]+/" $url)) }}{{ printf "%s/%d" $url (int $redis.database) }}{{ else }}{{ $url }}{{ end -}}
{{- end -}}

{{/* Which of the others a component talks to besides Kafka. */}}
{{- define "dp.uses" -}}
{{- $all := dict "normalization" (list) "enrichment" (list "postgresql" "redis") "aggregation" (list) "projection" (list "clickhouse" "redis") "migrate" (list "clickhouse" "postgresql") -}}
{{- $uses := list -}}
{{- range index $all .component -}}
{{- if include (printf "dp.%s" .) $.root -}}{{- $uses = append $uses . -}}{{- end -}}
{{- end -}}
{{- if and $.root.Values.audit.enabled (include "dp.clickhouse" $.root) -}}{{- $uses = append $uses "clickhouse" | uniq -}}{{- end -}}
{{- if ne .component "migrate" -}}{{- $uses = prepend $uses "kafka" -}}{{- end -}}
{{- toJson $uses -}}
{{- end -}}

{{/* dp.secretOf (root, of): the Secret with the password of an infrastructure, or nothing where it has none. */}}
{{- define "dp.secretOf" -}}
{{- $it := index .root.Values.infrastructure .of -}}
{{- if $it.existingSecret }}{{ $it.existingSecret }}{{ else if $it.password }}{{ include "dp.name" .root }}-passwords{{ end -}}
{{- end -}}

{{/* dp.settings (root, component): the file of settings of a component, each a line "key = value". */}}
{{- define "dp.settings" -}}
{{- $root := .root -}}
{{- $uses := include "dp.uses" . | fromJsonArray -}}
{{- $set := dict "env" $root.Values.environment -}}
{{- if has "kafka" $uses -}}
{{- $kafka := $root.Values.infrastructure.kafka -}}
{{- $_ := set $set "kafka.bootstrap.servers" (include "dp.kafka" $root) -}}
{{- $_ := set $set "topics.partitions" (include "dp.partitions" $root) -}}
{{- $_ := set $set "topics.replication" (include "dp.replication" $root) -}}
{{- if ne $kafka.securityProtocol "PLAINTEXT" -}}{{- $_ := set $set "kafka.security.protocol" $kafka.securityProtocol -}}{{- end -}}
{{- if $kafka.saslMechanism -}}{{- $_ := set $set "kafka.sasl.mechanism" $kafka.saslMechanism -}}{{- end -}}
{{- if $kafka.username -}}{{- $_ := set $set "kafka.sasl.username" $kafka.username -}}{{- end -}}
{{- if $kafka.caSecret -}}{{- $_ := set $set "kafka.ssl.ca.location" "/etc/data-processing/ca/kafka/ca.crt" -}}{{- end -}}
{{- range $key, $value := $kafka.properties -}}{{- $_ := set $set (printf "kafka.%s" $key) $value -}}{{- end -}}
{{- end -}}
{{- if has "clickhouse" $uses -}}
{{- $clickhouse := $root.Values.infrastructure.clickhouse -}}
{{- $_ := set $set "clickhouse.url" (include "dp.clickhouse" $root) -}}
{{- $_ := set $set "clickhouse.database" $clickhouse.database -}}
{{- if $clickhouse.username -}}{{- $_ := set $set "clickhouse.user" $clickhouse.username -}}{{- end -}}
{{- if $clickhouse.caSecret -}}{{- $_ := set $set "clickhouse.ca.file" "/etc/data-processing/ca/clickhouse/ca.crt" -}}{{- end -}}
{{- end -}}
{{- if has "postgresql" $uses -}}
{{- $postgresql := $root.Values.infrastructure.postgresql -}}
{{- $ca := ternary " sslrootcert=/etc/data-processing/ca/postgresql/ca.crt" "" (ne $postgresql.caSecret "") -}}
{{- $_ := set $set "postgres.dsn" (printf "host=%s port=%d dbname=%s user=%s sslmode=%s%s" (include "dp.postgresql" $root) (int $postgresql.port) $postgresql.database $postgresql.username $postgresql.sslMode $ca) -}}
{{- end -}}
{{- if has "redis" $uses -}}
{{- $_ := set $set "redis.url" (include "dp.redis" $root) -}}
{{- if $root.Values.infrastructure.redis.caSecret -}}{{- $_ := set $set "redis.ca.file" "/etc/data-processing/ca/redis/ca.crt" -}}{{- end -}}
{{- end -}}
{{- if ne .component "migrate" -}}
{{- $service := index $root.Values.services .component -}}
{{- $_ := set $set "state.dir" "/var/lib/weir/state" -}}
{{- $_ := set $set "http.address" "0.0.0.0" -}}
{{- $_ := set $set "http.port" (toString (int $service.service.port)) -}}
{{- if $root.Values.audit.enabled -}}{{- $_ := set $set "audit.enabled" "true" -}}{{- end -}}
{{- if and $root.Values.audit.enabled $root.Values.audit.topic -}}{{- $_ := set $set "audit.topic" $root.Values.audit.topic -}}{{- end -}}
{{- $http := $root.Values.security.http -}}
{{- if $http.tlsSecret -}}
{{- $_ := set $set "http.tls.certificate.file" "/etc/data-processing/http/tls/tls.crt" -}}
{{- $_ := set $set "http.tls.key.file" "/etc/data-processing/http/tls/tls.key" -}}
{{- $_ := set $set "http.tls.ca.file" "/etc/data-processing/http/tls/ca.crt" -}}
{{- end -}}
{{- if $http.tokenSecret -}}{{- $_ := set $set "http.token.file" "/etc/data-processing/http/token/token" -}}{{- end -}}
{{- $_ := set $set "memory.max" (printf "%sm" (include "dp.memoryMax" (dict "name" .component "service" $service))) -}}
{{- $set = mergeOverwrite $set (deepCopy $root.Values.settings) ($service.settings | default dict | deepCopy) -}}
{{- end -}}
{{- range $of, $key := dict "kafka" "kafka.sasl.password" "clickhouse" "clickhouse.password" "postgresql" "postgres.password" "redis" "redis.password" -}}
{{- if and (has $of $uses) (include "dp.secretOf" (dict "root" $root "of" $of)) -}}
{{- $_ := set $set (printf "%s.file" $key) (printf "/etc/data-processing/password/%s/password" $of) -}}
{{- end -}}
{{- end -}}
{{- range $key, $value := $set }}
{{ $key }} = {{ if kindIs "float64" $value }}{{ if eq (float64 (int64 $value)) $value }}{{ int64 $value }}{{ else }}{{ $value }}{{ end }}{{ else }}{{ $value }}{{ end }}
{{- end -}}
{{- end -}}

{{/* dp.mounts, dp.volumes (root, component): the file of settings, passwords, and certificates that vouch for others. */}}
{{- define "dp.mounts" -}}
- {name: settings, mountPath: /etc/data-processing/settings, readOnly: true}
{{- $root := .root -}}
{{- range $of := include "dp.uses" . | fromJsonArray }}
{{- if index $root.Values.infrastructure $of "caSecret" }}
- {name: ca-{{ $of }}, mountPath: /etc/data-processing/ca/{{ $of }}, readOnly: true}
{{- end }}
{{- if include "dp.secretOf" (dict "root" $root "of" $of) }}
- {name: password-{{ $of }}, mountPath: /etc/data-processing/password/{{ $of }}, readOnly: true}
{{- end }}
{{- end }}
{{- if ne .component "migrate" }}
{{- range $of := list "tls" "token" }}
{{- if index $root.Values.security.http (printf "%sSecret" $of) }}
- {name: http-{{ $of }}, mountPath: /etc/data-processing/http/{{ $of }}, readOnly: true}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
{{- define "dp.volumes" -}}
- name: settings
  configMap: {name: {{ include "dp.name" .root }}-{{ .component }}}
{{- $root := .root -}}
{{- range $of := include "dp.uses" . | fromJsonArray }}
{{- with index $root.Values.infrastructure $of "caSecret" }}
- name: ca-{{ $of }}
  secret: {secretName: {{ . }}, items: [{key: ca.crt, path: ca.crt}]}
{{- end }}
{{- with include "dp.secretOf" (dict "root" $root "of" $of) }}
- name: password-{{ $of }}
  secret: {secretName: {{ . }}, defaultMode: 0440, items: [{key: {{ index $root.Values.infrastructure $of "existingSecretKey" }}, path: password}]}
{{- end }}
{{- end }}
{{- if ne .component "migrate" }}
{{- with $root.Values.security.http.tlsSecret }}
- name: http-tls
  secret: {secretName: {{ . }}, defaultMode: 0440, items: [{key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}, {key: ca.crt, path: ca.crt}]}
{{- end }}
{{- with $root.Values.security.http.tokenSecret }}
- name: http-token
  secret: {secretName: {{ . }}, defaultMode: 0440, items: [{key: token, path: token}]}
{{- end }}
{{- end }}
{{- end -}}

{{/* dp.services: names of those that are enabled. */}}
{{- define "dp.services" -}}
{{- $names := list -}}
{{- range $name, $service := .Values.services -}}{{- if $service.enabled -}}{{- $names = append $names $name -}}{{- end -}}{{- end -}}
{{- toJson $names -}}
{{- end -}}
