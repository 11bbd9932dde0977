{{/* Names and labels. Everything of one release is found by app.kubernetes.io/instance. */}}

{{- define "bodega.labels" -}}
app.kubernetes.io/name: bodega
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* What selects the pods of one part: (dict "root" $ "part" "shop"). */}}
{{- define "bodega.selector" -}}
app.kubernetes.io/name: bodega
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{/* The applications of this wiring, as JSON: {"apps": [{name, part, manifest}]}. `name` is also the Service's. */}}
{{- define "bodega.apps" -}}
{{- $apps := list (dict "name" "bodega" "part" "shop" "manifest" "spin.toml" "live" "/health/live" "ready" "/health/ready") -}}
{{- if eq .Values.wiring "split" -}}
{{- $_ := set (first $apps) "manifest" "deploy/remote/order.toml" -}}
{{- range list "stock" "payment" -}}
{{- $apps = append $apps (dict "name" (printf "bodega-%s" .) "part" . "manifest" (printf "deploy/remote/%s.toml" .) "live" "/openapi.json" "ready" "/health/ready") -}}
{{- end -}}
{{- end -}}
{{- dict "apps" $apps | toJson -}}
{{- end }}

{{- define "bodega.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Every container of this chart that is not a SpinApp's, which the operator makes. */}}
{{- define "bodega.hardened" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "bodega.unprivileged" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* Whether there is an auditor of its own; SQLite files are audited by the one process that has them. */}}
{{- define "bodega.auditor" -}}
{{- if and .Values.audit.enabled (eq .Values.database.kind "postgres") }}yes{{ end -}}
{{- end }}

{{/* What trusts a certificate authority of one's own: the variable, the mount and the volume of a pod. */}}
{{- define "bodega.caVariable" -}}
{{- if .Values.database.caSecret -}}
- {name: SSL_CERT_FILE, value: /etc/bodega-ca/ca.crt}
{{- end -}}
{{- end }}
{{- define "bodega.caMount" -}}
{{- if .Values.database.caSecret -}}
- {name: ca, mountPath: /etc/bodega-ca, readOnly: true}
{{- end -}}
{{- end }}
{{- define "bodega.caVolume" -}}
{{- if .Values.database.caSecret -}}
- name: ca
  secret:
    secretName: {{ .Values.database.caSecret }}
    defaultMode: 288
    items: [{key: {{ .Values.database.caKey }}, path: ca.crt}]
{{- end -}}
{{- end }}

{{/*
How many connections to Postgres all pods ask for at most, while every one of them is there twice in a rollout. Of one pod: 16 for
each address, and no more than what deploy/secrets.sh writes as `max_connections`. (dict "root" $)
*/}}
{{- define "bodega.connections" -}}
{{- $values := .root.Values -}}
{{- $parts := list -}}
{{- range (include "bodega.apps" .root | fromJson).apps }}{{ $parts = append $parts .part }}{{ end -}}
{{- if eq $values.runtime "spinkube" }}{{ $parts = append $parts "consumer" }}{{ end -}}
{{- $sum := ternary 6 0 (eq (include "bodega.auditor" .root) "yes") -}}
{{- range $part := $parts -}}
{{- $addresses := include "bodega.databases" (dict "root" $.root "part" $part) | fromJsonArray | len -}}
{{- $pods := $values.replicas -}}
{{- if eq $part "consumer" }}{{ $pods = 1 }}{{ end -}}
{{- if and (eq $part "shop") $values.autoscaling.enabled }}{{ $pods = $values.autoscaling.maxReplicas }}{{ end -}}
{{- $sum = add $sum (mul 2 $pods (min 32 (mul 16 $addresses))) -}}
{{- end -}}
{{ $sum }}
{{- end }}
