{{/* How a pool scales: its own `autoscaling` over the common one, and its threads: (list $ POOL). */}}
{{- define "evaluator.scaling" -}}
{{- $root := index . 0 -}}
{{- $pool := index . 1 -}}
{{- $common := $root.Values.autoscaling -}}
{{- $own := $pool.autoscaling | default dict -}}
{{- $least := ternary 0 1 (eq $common.mode "keda") -}}
{{- if not (kindIs "invalid" $common.minReplicas) }}{{ $least = $common.minReplicas }}{{ end -}}
{{- if not (kindIs "invalid" $own.minReplicas) }}{{ $least = $own.minReplicas }}{{ end -}}
minReplicas: {{ $least }}
maxReplicas: {{ default $common.maxReplicas $own.maxReplicas }}
messagesPerReplica: {{ default $common.messagesPerReplica $own.messagesPerReplica }}
threads: {{ mul (default $root.Values.settings.WORKER_CONCURRENCY $pool.concurrency) (default $root.Values.settings.WORKER_PROCESSES $pool.processes) }}
{{- end -}}

{{- define "evaluator.kedaPassword" -}}
{{- if and .Values.redis.existingSecret .Values.redis.passwordKey (not .Values.development.redis.enabled) }}yes{{ end -}}
{{- end -}}
