{{/* What is wrong with the values beyond their schema, a line each. */}}
{{- define "evaluator.mistakes" -}}
{{- $values := .Values -}}
{{- if not (regexMatch "^[a-z]" (include "evaluator.fullname" .)) }}
fullnameOverride: names would begin with {{ include "evaluator.fullname" . }}; a Service's must begin with a letter, so set another
{{- end }}
{{- if not (or $values.postgres.existingSecret $values.development.postgres.enabled) }}
postgres.existingSecret: name the Secret that holds the URL of PostgreSQL under the key {{ $values.postgres.key }}
{{- end }}
{{- if and $values.postgres.existingSecret $values.development.postgres.enabled }}
postgres.existingSecret: is set beside development.postgres.enabled; keep one of them
{{- end }}
{{- if and $values.redis.urlKey (not $values.redis.existingSecret) }}
redis.existingSecret: name the Secret that holds the URL of Redis under the key {{ $values.redis.urlKey }} (redis.urlKey)
{{- end }}
{{- if and $values.redis.existingSecret (not (or $values.redis.passwordKey $values.redis.urlKey)) }}
redis.passwordKey: name the key of the password in the Secret {{ $values.redis.existingSecret }}, or urlKey
{{- end }}
{{- if not (or $values.redis.host $values.redis.urlKey $values.development.redis.enabled) }}
redis.host: name the host of Redis, or the key of a Secret that holds its URL (redis.existingSecret, redis.urlKey)
{{- end }}
{{- if not (regexMatch "^([A-Za-z0-9_.-]+|[[][0-9A-Fa-f:.]+[]])?$" $values.redis.host) }}
redis.host: give the host alone; its port goes into redis.port, a whole URL into a Secret (redis.existingSecret, redis.urlKey)
{{- end }}
{{- if and $values.development.redis.enabled (or $values.redis.host $values.redis.existingSecret) }}
redis: a host or a Secret is set beside development.redis.enabled; keep one of them
{{- end }}
{{- if and (eq $values.autoscaling.mode "keda") (not (include "evaluator.redisHost" .)) }}
redis.host: KEDA asks Redis itself and reads no URL; set host and port too
{{- end }}
{{- $limit := include "evaluator.seconds" $values.settings.JOB_TIME_LIMIT | float64 }}
{{- $grace := $values.worker.terminationGracePeriodSeconds | float64 }}
{{- if le $grace (addf $limit 10) }}
worker.terminationGracePeriodSeconds: {{ $grace }} would kill jobs at work: a job may take {{ $limit }} s (settings.JOB_TIME_LIMIT), a worker that stops waits {{ addf $limit 10 }} s for it, so set more than that
{{- end }}
{{- $served := list }}
{{- range $key, $pool := $values.worker.pools }}
{{- if not (regexMatch "^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$" $key) }}
worker.pools: {{ $key }} can't be a part of names: give the pool one of a-z, 0-9 and -, a letter first, 12 at most
{{- end }}
{{- $served = concat $served $pool.queues }}
{{- $own := include "evaluator.scaling" (list $ $pool) | fromYaml }}
{{- if ne $values.autoscaling.mode "none" }}
{{- if gt (int $own.minReplicas) (int $own.maxReplicas) }}
autoscaling: minReplicas {{ $own.minReplicas }} is above maxReplicas {{ $own.maxReplicas }} for pool {{ $key }}
{{- end }}
{{- if and (eq $values.autoscaling.mode "hpa") (lt (int $own.minReplicas) 1) (semverCompare "<1.37.0-0" $.Capabilities.KubeVersion.Version) }}
autoscaling.minReplicas: an HPA can't start the first pod of pool {{ $key }} before Kubernetes 1.37: set at least 1, or use keda
{{- end }}
{{- end }}
{{- end }}
{{- range list "challenges" "members" }}
{{- if not (has . $served) }}
worker.pools: no pool serves the queue {{ . }}
{{- end }}
{{- end }}
{{- if and (eq $values.autoscaling.mode "hpa") (eq (int $values.server.replicas) 0) }}
server.replicas: 0 leaves an HPA without the servers' figure of messages; set at least 1, or use keda
{{- end }}
{{- if ne $values.autoscaling.mode "none" }}
{{- include "evaluator.tooManyReplicas" . }}
{{- end }}
{{- range include "evaluator.allLabels" . | fromYamlArray }}
{{ .where }}: {{ .name }} is the chart's own label; leave it out
{{- end }}
{{- $known := list "DATABASE_URL" "REDIS_URL" "REDIS_HOST" "REDIS_PORT" "REDIS_PASSWORD" "REDIS_DB" "ADMIN_TOKEN" "METRICS_PORT" "LEETCODE_URL" "LEETCODE_REQUESTS_PER_SECOND" "LEETCODE_USERS_PER_REQUEST" "LEETCODE_TIMEOUT" "WORKER_CONCURRENCY" "WORKER_PROCESSES" "JOB_ATTEMPTS" "JOB_BACKOFF" "JOB_TIME_LIMIT" "RETENTION_COMPLETED" "RETENTION_FAILED" "SETTLE_DELAY" "LOG_FORMAT" "LOG_LEVEL" }}
{{- range include "evaluator.extraEnv" . | fromYamlArray }}
{{- if has (trimSuffix "_FILE" .name) $known }}
{{ .where }}.extraEnv: {{ .name }} is a setting; set it under settings, or by the Secret that postgres, redis or adminToken names
{{- end }}
{{- end }}
{{- end -}}

{{/* Every `pod` by its place. */}}
{{- define "evaluator.pods" -}}
{{- $values := .Values -}}
{{- $pods := dict "pod" $values.pod "server.pod" $values.server.pod "worker.pod" $values.worker.pod "cronJob.pod" $values.cronJob.pod "migration.pod" $values.migration.pod -}}
{{- range $key, $pool := $values.worker.pools }}{{ $_ := set $pods (printf "worker.pools.%s.pod" $key) $pool.pod }}{{ end -}}
{{- toYaml $pods -}}
{{- end -}}

{{/* Labels that select, or that the chart sets itself, wherever they are given, with the place of each. */}}
{{- define "evaluator.allLabels" -}}
{{- $places := dict "labels" .Values.labels -}}
{{- range $where, $pod := include "evaluator.pods" . | fromYaml }}{{ $_ := set $places (printf "%s.labels" $where) (default dict $pod).labels }}{{ end -}}
{{- range $name, $part := .Values.monitoring }}{{ $_ := set $places (printf "monitoring.%s.labels" $name) $part.labels }}{{ end -}}
{{- $own := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart" -}}
{{- range $where, $labels := $places }}
{{- range $name := keys (default dict $labels) | sortAlpha }}
{{- if has $name $own }}
- {where: {{ $where }}, name: {{ $name }}}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* All extraEnv, with the place of each. */}}
{{- define "evaluator.extraEnv" -}}
{{- range $where, $pod := include "evaluator.pods" . | fromYaml }}
{{- range (default dict $pod).extraEnv }}
- {where: {{ $where }}, name: {{ .name | quote }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* What the shared pace keeps busy. Pods of all pools that ask LeetCode, less the smallest of them, must leave it something to do. */}}
{{- define "evaluator.tooManyReplicas" -}}
{{- $rate := .Values.settings.LEETCODE_REQUESTS_PER_SECOND -}}
{{- $answer := .Values.autoscaling.answerSeconds -}}
{{- $busy := mulf $rate $answer -}}
{{- $key := ternary "worker.replicas" "autoscaling.maxReplicas" (eq .Values.autoscaling.mode "none") -}}
{{- $threads := 0 -}}
{{- $smallest := 0 -}}
{{- $sum := list -}}
{{- range $name, $pool := .Values.worker.pools }}
{{- if has "members" $pool.queues }}
{{- $own := include "evaluator.scaling" (list $ $pool) | fromYaml }}
{{- $pods := ternary $own.replicas $own.maxReplicas (eq $.Values.autoscaling.mode "none") }}
{{- $threads = add $threads (mul $pods $own.threads) }}
{{- if or (eq $smallest 0) (lt (int $own.threads) $smallest) }}{{ $smallest = int $own.threads }}{{ end }}
{{- $sum = append $sum (printf "%d x %d" (int $pods) (int $own.threads)) }}
{{- end }}
{{- end }}
{{- if ge (sub $threads $smallest | float64) $busy }}
{{ $key }}: {{ join " + " $sum }} threads are more than LeetCode's pace keeps busy: {{ $rate }} requests/s x {{ $answer }} s an answer / {{ $smallest }} threads a pod = {{ ceil (divf $busy $smallest) }} pods; lower it, or correct settings.LEETCODE_REQUESTS_PER_SECOND or autoscaling.answerSeconds
{{- end }}
{{- end -}}
