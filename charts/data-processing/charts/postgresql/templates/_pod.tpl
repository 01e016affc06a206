{{/* postgresql.pod (root, component, role): what primary and replicas have in common. */}}
{{- define "postgresql.password" -}}
secretKeyRef: {name: {{ .Values.auth.existingSecret | default (printf "%s-passwords" (include "dp.name" .)) }}, key: {{ .Values.auth.existingSecretKey }}}
{{- end -}}
{{- define "postgresql.container" -}}
image: {{ include "dp.image" (dict "root" . "image" .Values.image) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- include "dp.containerSecurity" true | nindent 2 }}
resources: {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - {name: data, mountPath: /var/lib/postgresql/data}
  - {name: scratch, mountPath: /tmp, subPath: tmp}
  - {name: scratch, mountPath: /var/run/postgresql, subPath: run}
  - {name: scripts, mountPath: /docker-entrypoint-initdb.d, readOnly: true}
{{- end -}}
{{- define "postgresql.probes" -}}
startupProbe:
  exec: {command: [pg_isready, -q, -h, 127.0.0.1]}
  periodSeconds: 3
  failureThreshold: 60
readinessProbe:
  exec: {command: [pg_isready, -q, -h, 127.0.0.1]}
livenessProbe:
  exec: {command: [pg_isready, -q, -h, 127.0.0.1]}
  failureThreshold: 6
{{- end -}}
