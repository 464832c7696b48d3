{{/* How a pool scales: its own replicas over the common ones, and its threads: (list $ POOL). */}}
{{- define "evaluator.scaling" -}}
{{- $root := index . 0 -}}
{{- $pool := index . 1 -}}
{{- $common := $root.Values.autoscaling -}}
{{- $least := ternary 0 1 (eq $common.mode "keda") -}}
{{- if not (kindIs "invalid" $common.minReplicas) }}{{ $least = $common.minReplicas }}{{ end -}}
{{- if not (kindIs "invalid" $pool.minReplicas) }}{{ $least = $pool.minReplicas }}{{ end -}}
replicas: {{ ternary $pool.replicas $root.Values.worker.replicas (hasKey $pool "replicas") }}
minReplicas: {{ $least }}
maxReplicas: {{ default $common.maxReplicas $pool.maxReplicas }}
{{- $threads := mul (default $root.Values.settings.WORKER_CONCURRENCY $pool.concurrency) (default $root.Values.settings.WORKER_PROCESSES $pool.processes) }}
threads: {{ $threads }}
messages: {{ max 1 (int (divf (mulf $common.drainSeconds $threads) $common.answerSeconds)) }}
{{- end -}}

{{/* The pool's messages, or as many as keep so many pods warm: (list MESSAGES-A-POD QUEUES WARM). */}}
{{- define "evaluator.kedaFormula" -}}
{{- $terms := list -}}
{{- range index . 1 }}{{ $terms = concat $terms (list . (printf "%s_delayed" .)) }}{{ end -}}
{{- $messages := join " + " $terms -}}
{{- $wanted := list $messages -}}
{{- range $index, $_ := index . 2 }}{{ $wanted = append $wanted (printf "%d * warm_%d" (int (index $ 0)) $index) }}{{ end -}}
{{- if eq (len $wanted) 1 }}{{ $messages }}{{ else }}max({{ join ", " $wanted }}){{ end -}}
{{- end -}}

{{/* Whether KEDA, which asks Redis itself, needs a password from the chart. */}}
{{- define "evaluator.kedaPassword" -}}
{{- if and .Values.redis.existingSecret .Values.redis.passwordKey (not .Values.autoscaling.keda.authenticationRef) }}yes{{ end -}}
{{- end -}}

{{/* Whether a Deployment of the cluster has been scaled to zero: (list $ NAME). Nobody knows without a cluster. */}}
{{- define "evaluator.asleep" -}}
{{- $there := lookup "apps/v1" "Deployment" (index . 0).Release.Namespace (index . 1) -}}
{{- if and $there (eq (int $there.spec.replicas) 0) }}yes{{ end -}}
{{- end -}}
