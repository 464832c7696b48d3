{{/*
The beginning of all names: 34 characters at most, so that those that are made of them fit: of a CronJob (52), and of the HPA
that KEDA makes for a pool (63). What is cut ends in a hash of the whole, so that two releases never meet.
*/}}
{{- define "evaluator.fullname" -}}
{{- $chart := default .Chart.Name .Values.nameOverride -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name $chart) (contains $chart .Release.Name) -}}
{{- $whole := default $name .Values.fullnameOverride | replace "." "-" -}}
{{- if le (len $whole) 34 }}{{ $whole }}{{ else }}{{ $whole | trunc 28 | trimSuffix "-" }}-{{ sha256sum $whole | trunc 5 }}{{ end -}}
{{- end -}}

{{/* What tells the pods of this release from others, and never changes. */}}
{{- define "evaluator.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "evaluator.labels" -}}
{{ include "evaluator.labelsWith" (list . dict) }}
{{- end -}}

{{/* With more of them, which are stronger than those that all objects have: (list $ LABELS). */}}
{{- define "evaluator.labelsWith" -}}
{{- $root := index . 0 -}}
{{ include "evaluator.selector" $root }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with merge (deepCopy (default dict (index . 1))) (default dict $root.Values.labels) }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "evaluator.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default .Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}

{{- define "evaluator.serviceAccount" -}}
{{- $account := .Values.serviceAccount -}}
{{ default (ternary (include "evaluator.fullname" .) "default" $account.create) $account.name }}
{{- end -}}
