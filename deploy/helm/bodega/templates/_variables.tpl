{{/*
The shop's variables, as a list of {name, value | valueFrom}. Both runtimes turn them into environment variables
SPIN_VARIABLE_NAME, in this order; so an address can name a password that stands before it, and no Secret has to hold
the same password twice. (dict "root" $ "part" "shop")
*/}}
{{- define "bodega.variables" -}}
{{- $values := .root.Values -}}
{{- $part := .part -}}
{{- $keys := ternary (list "jwt_keys" "identity_key" "jobs_key") (list "identity_key") (eq $part "shop") -}}
{{- if eq $part "consumer" }}{{ $keys = list "identity_key" }}{{ end -}}
{{- if eq $values.wiring "split" }}{{ $keys = append $keys "remote_key" }}{{ end -}}
{{- range $keys }}
- {{ include "bodega.secretVariable" (dict "name" . "secret" $values.secrets.keys "key" .) }}
{{- end }}
{{- if eq $values.database.kind "postgres" }}
{{- range include "bodega.databases" . | fromJsonArray }}
- {{ include "bodega.secretVariable" (dict "name" (printf "%s_password" .) "secret" $values.secrets.databases "key" (printf "%s_password" .)) }}
- name: {{ . }}_database
  value: {{ include "bodega.address" (dict "database" $values.database "label" . "password" (printf "SPIN_VARIABLE_%s_PASSWORD" (upper .))) }}
{{- end }}
- name: postgres_host
  value: postgres://{{ $values.database.host }}:{{ $values.database.port }}
{{- end }}
{{- $shared := eq $values.database.kind "postgres" }}
{{- if and $shared (has $part (list "shop" "consumer")) }}
{{- if eq $values.events.bus "redis" }}
- {{ include "bodega.secretVariable" (dict "name" "events_address" "secret" $values.secrets.redis "key" "url") }}
- name: events_host
  value: redis://{{ $values.redis.host }}:{{ $values.redis.port }}
{{- else if $values.secrets.nats }}
- {{ include "bodega.secretVariable" (dict "name" "events_address" "secret" $values.secrets.nats "key" "url") }}
{{- else }}
- name: events_address
  value: nats://{{ $values.events.nats.host }}:{{ $values.events.nats.port }}?stream={{ $values.events.nats.stream }}
{{- end }}
{{- end }}
{{- if and $shared (eq $part "shop") }}
- {{ include "bodega.secretVariable" (dict "name" "limits_address" "secret" $values.secrets.redis "key" "url") }}
- name: limits_host
  value: redis://{{ $values.redis.host }}:{{ $values.redis.port }}
{{- end }}
{{- if eq $part "shop" }}
{{- with $values.trustedProxies }}
- name: trusted_proxies
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- if eq $values.wiring "split" }}
{{- if eq $part "shop" }}
- name: stock_url
  value: http://bodega-stock.{{ .root.Release.Namespace }}.svc:80
{{- end }}
{{- if has $part (list "shop" "consumer") }}
- name: payment_url
  value: http://bodega-payment.{{ .root.Release.Namespace }}.svc:80
{{- end }}
{{- end }}
{{- /* To every part, since some of them need the same answer; one that does not know a name never asks for it. */}}
{{- range $name, $value := $values.variables }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "bodega.secretVariable" -}}
name: {{ .name }}
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ .key }}}}
{{- end }}

{{/* Where a database is, with its password in the environment variable `password`, which the kubelet fills in. */}}
{{- define "bodega.address" -}}
postgres://bodega_{{ .label }}:$({{ .password }})@{{ .database.host }}:{{ .database.port }}/{{ .label }}{{ with .database.options }}?{{ . }}{{ end }}
{{- end }}

{{/* The databases that a part opens, as JSON. */}}
{{- define "bodega.databases" -}}
{{- $whole := dict "shop" (list "account" "product" "stock" "payment" "pg" "order" "cart" "settlement") "consumer" (list "settlement" "payment" "pg") -}}
{{- $split := dict "shop" (list "account" "product" "order" "cart" "settlement") "consumer" (list "settlement") "stock" (list "stock") "payment" (list "payment" "pg") -}}
{{- get (ternary $split $whole (eq .root.Values.wiring "split")) .part | toJson -}}
{{- end }}
