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
