{{/* A number as people write it: 1000000, not 1e+06. */}}
{{- define "evaluator.plain" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) }}{{ printf "%d" (int64 .) }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/* Seconds of a length of time: 120, "120s", "2m", "500ms". */}}
{{- define "evaluator.seconds" -}}
{{- $text := include "evaluator.plain" . | trim | lower -}}
{{- $unit := regexFind "[a-z]+$" $text -}}
{{- $seconds := dict "" 1.0 "ms" 0.001 "s" 1.0 "m" 60.0 "min" 60.0 "h" 3600.0 "d" 86400.0 -}}
{{- mulf (regexFind "^[0-9.]+" $text | float64) (get $seconds $unit) -}}
{{- end -}}

{{/* The environment of all processes. */}}
{{- define "evaluator.config" -}}
{{- range $name, $value := .Values.settings }}
{{ $name }}: {{ include "evaluator.plain" $value | quote }}
{{- end }}
METRICS_PORT: {{ .Values.worker.metricsPort | quote }}
{{- if .Values.development.postgres.enabled }}
DATABASE_URL: postgresql://evaluator@{{ include "evaluator.fullname" . }}-postgres:{{ .Values.postgres.port }}/postgres
{{- end }}
{{- if not .Values.redis.urlKey }}
REDIS_HOST: {{ include "evaluator.redisHost" . | quote }}
REDIS_PORT: {{ .Values.redis.port | quote }}
REDIS_DB: {{ .Values.redis.db | quote }}
{{- end }}
{{- end -}}

{{- define "evaluator.redisHost" -}}
{{- if .Values.development.redis.enabled }}{{ include "evaluator.fullname" . }}-redis{{ else }}{{ .Values.redis.host }}{{ end -}}
{{- end -}}

{{/* The port at which LeetCode is asked. */}}
{{- define "evaluator.leetcodePort" -}}
{{- $url := urlParse (default "https://leetcode.com/graphql" .Values.settings.LEETCODE_URL) -}}
{{- default (ternary "80" "443" (eq $url.scheme "http")) (regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host)) -}}
{{- end -}}
